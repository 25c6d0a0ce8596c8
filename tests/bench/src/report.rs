//! The table for people: printed, and kept in docs/benchmarks.md between markers, one block for a circuit
//! on a machine: a machine's figures replace its own older ones only.

use std::{fmt::Write as _, fs, path::Path};

use crate::{
    engine::Step,
    error::BenchError,
    peers::Program,
    table::{CircuitTable, Measured},
};

/// Everything between this line and the next marker is one circuit's on one machine.
const BEGIN: &str = "<!-- bench ";
/// End of all blocks: what follows is written by hand.
const END: &str = "<!-- bench end -->";

pub(crate) fn print(table: &CircuitTable) {
    anstream::println!("{}", block(table, &Machine::here()));
}

/// Fails where [`write`] would, before anything is measured.
pub(crate) fn check(path: &Path) -> Result<(), BenchError> {
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map(drop)
        .map_err(BenchError::io(path.to_string_lossy()))
}

/// Puts the block into the report, in the place of its older one where there is one.
pub(crate) fn write(path: &Path, table: &CircuitTable) -> Result<(), BenchError> {
    let name = path.to_string_lossy().into_owned();
    let text = fs::read_to_string(path).map_err(BenchError::io(name.clone()))?;
    fs::write(path, updated(&text, table, &Machine::here())).map_err(BenchError::io(name))
}

fn updated(text: &str, table: &CircuitTable, machine: &Machine) -> String {
    let marker = marker(table, machine);
    let (head, tail) = text.split_once(END).unwrap_or((text, ""));
    let mut parts = head.split(BEGIN);
    let mut result = parts.next().unwrap_or_default().trim_end().to_owned();
    result.push_str("\n\n");
    let mut blocks: Vec<String> = parts
        .map(|part| format!("{BEGIN}{}", part.trim_end()))
        .filter(|part| !part.starts_with(&marker))
        .collect();
    blocks.push(format!("{marker}\n{}", block(table, machine).trim_end()));
    blocks.sort();
    result.push_str(&blocks.join("\n\n"));
    result.push_str("\n\n");
    result.push_str(END);
    result.push_str(if tail.is_empty() { "\n" } else { tail });
    result
}

fn marker(table: &CircuitTable, machine: &Machine) -> String {
    let slug: String = machine
        .model
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    format!(
        "{BEGIN}{:02} {} {slug} -->",
        table.power,
        table.family.name()
    )
}

fn block(table: &CircuitTable, machine: &Machine) -> String {
    let mut text = format!(
        "### {} chain, 2^{}, {}: {} constraints, key of {:.1} MB\n\n{}, best of {} rounds.\n\n",
        table.family.name(),
        table.power,
        machine.model,
        table.constraints,
        megabytes(table.key_bytes),
        machine.state,
        table.rounds
    );
    text.push_str(
        "| step | program | user s | system s | wall s | peak MiB | user ratio | wall ratio |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for step in Step::ALL {
        let ours = find(table, Program::Ours, step);
        for measured in table.measured.iter().filter(|m| m.step == step) {
            let run = &measured.run;
            let ratio = |own: f64, other: f64| {
                if measured.program == Program::Ours {
                    "1".to_owned()
                } else {
                    format!("{:.1}", other / own)
                }
            };
            let (user, wall) = ours.map_or_else(Default::default, |ours| {
                (
                    ratio(ours.run.user, run.user),
                    ratio(ours.run.wall, run.wall),
                )
            });
            // Writing to a String cannot fail.
            writeln!(
                text,
                "| {} | {} | {:.2} | {:.2} | {:.2} | {:.0} | {user} | {wall} |",
                step.name(),
                measured.program.name(),
                run.user,
                run.system,
                run.wall,
                run.peak_mib
            )
            .unwrap_or_default();
        }
    }
    text.push_str(&levels(table, machine));
    text
}

/// How the peers compare with the engine's slower arithmetic: their user seconds by its.
fn levels(table: &CircuitTable, machine: &Machine) -> String {
    let mut ours: Vec<Program> = Vec::new();
    for measured in table.measured.iter().filter(|m| m.program.is_ours()) {
        if !ours.contains(&measured.program) {
            ours.push(measured.program);
        }
    }
    if ours.len() < 2 {
        return String::new();
    }
    let row = |first: &str, cell: &dyn Fn(Step) -> String| {
        let cells = Step::ALL.map(cell).join(" | ");
        format!("| {first} | {cells} |\n")
    };
    let title = "\nUser seconds of snarkjs and of snarkrs by those of this engine:\n\n";
    let head = row("arithmetic", &|step| step.name().to_owned());
    let rule = row("---", &|_| "---".to_owned());
    let rows = ours.into_iter().map(|program| {
        let level = match program {
            Program::At(level) => level,
            _ => machine.arithmetic,
        };
        row(level, &|step| {
            let own = find(table, program, step);
            let ratio = |peer| {
                own.zip(find(table, peer, step))
                    .map_or_else(|| "-".to_owned(), |(own, peer)| by(peer, own))
            };
            format!("{}, {}", ratio(Program::Snarkjs), ratio(Program::Snarkrs))
        })
    });
    [title.to_owned(), head, rule]
        .into_iter()
        .chain(rows)
        .collect()
}

fn by(one: &Measured, other: &Measured) -> String {
    format!("{:.1}", one.run.user / other.run.user)
}

fn find(table: &CircuitTable, program: Program, step: Step) -> Option<&Measured> {
    table
        .measured
        .iter()
        .find(|m| m.program == program && m.step == step)
}

fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 100_000).unwrap_or(u32::MAX)) / 10.0
}

/// Where and when it was measured.
struct Machine {
    /// Name of the processor.
    model: String,
    /// Name of the arithmetic that the engine chooses.
    arithmetic: &'static str,
    /// Date, number of threads, arithmetic, and how busy the machine is with other work.
    state: String,
}

impl Machine {
    fn here() -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map_or("unknown processor", |rest| {
                rest.trim_start_matches([' ', '\t', ':'])
            });
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').nth(1).unwrap_or("?");
        let arithmetic = phase2::rescale::level();
        Self {
            model: model.to_owned(),
            arithmetic,
            state: format!(
                "{}, {cores} threads each, {arithmetic} used, load average {load}",
                today()
            ),
        }
    }
}

/// The date in UTC, by the system's own program.
fn today() -> String {
    let output = std::process::Command::new("date")
        .args(["-u", "+%F"])
        .output();
    output.map_or_else(
        |_| "on an unknown date".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{circuits::Family, measure::Run};

    fn table(power: u32, user: f64) -> CircuitTable {
        let run = |user| Run {
            wall: user,
            user,
            system: 0.0,
            peak_mib: 10.0,
            output: String::new(),
            success: true,
        };
        let measured = |program, user| Measured {
            program,
            step: Step::New,
            run: run(user),
        };
        CircuitTable {
            family: Family::Poseidon,
            power,
            constraints: 7,
            key_bytes: 1_000_000,
            rounds: 1,
            measured: vec![
                measured(Program::Ours, user),
                measured(Program::At("AVX2"), 2.0 * user),
                measured(Program::Snarkjs, 10.0),
            ],
        }
    }

    fn machine(model: &str) -> Machine {
        Machine {
            model: model.to_owned(),
            arithmetic: "AVX-512",
            state: "today".to_owned(),
        }
    }

    #[test]
    fn a_block_replaces_its_older_one_on_the_same_machine_only() {
        let (own, other) = (machine("Xeon(R) @ 2.5GHz"), machine("AMD EPYC"));
        let text = "# Title\n\n<!-- bench end -->\nby hand\n";
        let text = updated(text, &table(17, 1.0), &own);
        let text = updated(&text, &table(15, 1.0), &own);
        let text = updated(&text, &table(15, 2.0), &own);
        assert_eq!(text.matches("### poseidon").count(), 2);
        assert!(text.contains("<!-- bench 15 poseidon xeon-r-2-5ghz -->"));
        assert!(text.contains("| new | snarkjs 0.7.6 | 10.00 | 0.00 | 10.00 | 10 | 5.0 | 5.0 |"));
        assert!(text.contains("| 10.0 | 10.0 |"));
        assert!(text.contains("| new | this engine, AVX2 | 4.00 |"));
        assert!(text.contains("| AVX-512 | 5.0, - | -, - | -, - | -, - |"));
        assert!(text.contains("| AVX2 | 2.5, - | -, - | -, - | -, - |"));
        assert!(text.find("2^15").unwrap() < text.find("2^17").unwrap());
        assert!(text.starts_with("# Title\n") && text.ends_with("by hand\n"));
        let both = updated(&text, &table(15, 4.0), &other);
        assert_eq!(both.matches("### poseidon").count(), 3);
        assert!(both.contains("| 5.0 | 5.0 |") && both.contains("| 2.5 | 2.5 |"));
    }
}
