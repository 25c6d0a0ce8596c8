//! Checks of the machine that the agent is the first process of.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use attestation::nsm::SecurityModule;
use ceremony::{CheckOutcome, SelfCheck};

use super::judged;
use crate::init::{command_line, files};

/// The machine to check, and what was seen of it before, which could not be seen later.
#[derive(Debug)]
pub struct Machine {
    /// Where the kernel's files are: `/`, or a tree like it in tests.
    pub root: PathBuf,
    /// How many files the root held, or how it differed from its list.
    pub root_files: Result<usize, String>,
    /// Contents of `/proc/cmdline`.
    pub command_line: String,
}

impl Machine {
    /// A file of the kernel by its path from the root; where it cannot be read, why, which passes no check.
    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path))
            .unwrap_or_else(|error| format!("/{path}: {}", error.kind()))
    }
}

/// Least memory of an enclave, KiB: the agent's own need and a small ceremony's files.
const MEMORY_KIB: u64 = 440 << 10;
/// The kernel's generator must be seeded within this time.
const SEED_TIME: Duration = Duration::from_secs(30);

/// an image whose sections were cut elsewhere has the right PCRs and another command line.
pub(super) fn command_line(seen: &str) -> SelfCheck {
    let name = "command-line";
    match command_line::added(seen) {
        Some("") => judged(name, true, "as built"),
        Some(devices) => judged(name, true, &format!("as built, then {devices}")),
        None => judged(name, false, seen.trim()),
    }
}

/// the same, for a file that is missing from the ramdisk or was added to it.
pub(super) fn root_files(seen: &Result<usize, String>) -> SelfCheck {
    match seen {
        Ok(count) => judged("root-files", true, &format!("{count} as listed")),
        Err(difference) => judged("root-files", false, difference),
    }
}

/// machine code of the compilers is run as it is; it and the modules are the ones of the list.
pub(super) fn file_contents(seen: &Result<usize, String>) -> SelfCheck {
    match seen {
        Ok(count) => judged("file-contents", true, &format!("{count} as listed")),
        Err(difference) => judged("file-contents", false, difference),
    }
}

/// registers that are not locked could be extended after the image was measured.
pub(super) fn nsm_locked(security: &dyn SecurityModule) -> SelfCheck {
    let name = "nsm-locked";
    match security.describe() {
        Ok(module) => {
            let locked = (0..16).all(|index| module.locked_pcrs.contains(&index));
            let seen = format!(
                "{} {}",
                module.digest,
                if locked { "0-15" } else { "not all" }
            );
            judged(name, locked && module.digest == "SHA384", &seen)
        }
        Err(error) => judged(name, false, &error.to_string()),
    }
}

/// the kernel's generator is seeded, and two draws differ.
pub(super) fn kernel_random() -> SelfCheck {
    let name = "kernel-random";
    let (drawn, draws) = mpsc::channel();
    // The first draw blocks until the generator is seeded: on a thread, so that it cannot hold up the
    // start for ever.
    std::thread::spawn(move || {
        let mut two = [[0_u8; 64]; 2];
        let filled = two.iter_mut().try_for_each(|bytes| getrandom::fill(bytes));
        drawn.send(filled.map(|()| two)).ok();
    });
    match draws.recv_timeout(SEED_TIME) {
        Ok(Ok([first, second])) => {
            let differ = first != second && first != [0; 64];
            judged(name, differ, "two draws were made")
        }
        Ok(Err(error)) => judged(name, false, &error.to_string()),
        Err(_) => judged(name, false, "not seeded"),
    }
}

/// The host must not set the enclave's clock: of these two it cannot. Emulation has others, which a
/// development image shows as simulated.
pub(super) fn clock_source(seen: &str, development: bool) -> SelfCheck {
    let mut check = judged(
        "clock-source",
        matches!(seen.trim(), "kvm-clock" | "tsc"),
        seen.trim(),
    );
    if development && check.outcome == CheckOutcome::Failed {
        check.outcome = CheckOutcome::Simulated;
    }
    check
}

/// nobody may attach to the process that holds the secret.
pub(super) fn not_dumpable() -> SelfCheck {
    match nix::sys::prctl::get_dumpable() {
        Ok(dumpable) => judged("not-dumpable", !dumpable, &dumpable.to_string()),
        Err(error) => judged("not-dumpable", false, error.desc()),
    }
}

/// The enclave has the memory that the agent needs: one that runs out ends in the middle of a ceremony.
pub(super) fn memory(meminfo: &str) -> SelfCheck {
    let kib = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|number| number.trim().parse::<u64>().ok());
    match kib {
        Some(kib) => judged("memory", kib >= MEMORY_KIB, &format!("{kib} KiB")),
        None => judged("memory", false, "unknown"),
    }
}

/// All of them, in the order of the start.
pub(super) fn all(
    machine: &Machine,
    security: &dyn SecurityModule,
    development: bool,
) -> Vec<SelfCheck> {
    let clock = "sys/devices/system/clocksource/clocksource0/current_clocksource";
    vec![
        command_line(&machine.command_line),
        root_files(&machine.root_files),
        file_contents(&files::compare_contents(&machine.root)),
        nsm_locked(security),
        kernel_random(),
        clock_source(&machine.read(clock), development),
        not_dumpable(),
        memory(&machine.read("proc/meminfo")),
    ]
}

/// Names of the checks above, for the list of a simulated agent.
pub(super) const NAMES: [&str; 8] = [
    "command-line",
    "root-files",
    "file-contents",
    "nsm-locked",
    "kernel-random",
    "clock-source",
    "not-dumpable",
    "memory",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selfcheck::tests::Module;

    #[test]
    fn r1_a_changed_command_line_or_root_fails() {
        let built = include_str!("../../../../../enclave-image/cmdline");
        assert_eq!(command_line(built).outcome, CheckOutcome::Passed);
        assert_eq!(command_line("quiet").outcome, CheckOutcome::Failed);
        assert_eq!(root_files(&Ok(9)).outcome, CheckOutcome::Passed);
        let missing = root_files(&Err("modules/circom.wasm is missing".into()));
        assert_eq!(missing.outcome, CheckOutcome::Failed);
        assert_eq!(missing.seen, "modules/circom.wasm is missing");
        assert_eq!(file_contents(&Ok(4)).outcome, CheckOutcome::Passed);
        let other = file_contents(&Err("modules/circom.wasm has sha256:00".into()));
        assert_eq!(other.outcome, CheckOutcome::Failed);
    }

    #[test]
    fn r1_registers_must_be_locked_and_of_sha_384() {
        let judge = |module: Module| nsm_locked(&module).outcome;
        assert_eq!(judge(Module::good()), CheckOutcome::Passed);
        let mut open = Module::good();
        open.locked.remove(&7);
        assert_eq!(judge(open), CheckOutcome::Failed);
        let mut short = Module::good();
        short.digest = "SHA256";
        assert_eq!(judge(short), CheckOutcome::Failed);
    }

    #[test]
    fn the_kernel_s_generator_is_asked() {
        assert_eq!(kernel_random().outcome, CheckOutcome::Passed);
    }

    #[test]
    fn a_clock_that_is_not_known_passes_nowhere() {
        for (seen, production, development) in [
            ("kvm-clock\n", CheckOutcome::Passed, CheckOutcome::Passed),
            ("tsc\n", CheckOutcome::Passed, CheckOutcome::Passed),
            (
                "refined-jiffies\n",
                CheckOutcome::Failed,
                CheckOutcome::Simulated,
            ),
            ("", CheckOutcome::Failed, CheckOutcome::Simulated),
        ] {
            assert_eq!(clock_source(seen, false).outcome, production);
            assert_eq!(clock_source(seen, true).outcome, development);
        }
    }

    #[test]
    fn too_little_or_unknown_memory_fails() {
        let judge = |text: &str| memory(text).outcome;
        assert_eq!(
            judge("MemTotal:  1000000 kB\nMemFree: 1 kB\n"),
            CheckOutcome::Passed
        );
        assert_eq!(judge("MemTotal:  450559 kB\n"), CheckOutcome::Failed);
        assert_eq!(judge("MemTotal:  450560 kB\n"), CheckOutcome::Passed);
        assert_eq!(judge(""), CheckOutcome::Failed);
        assert_eq!(judge("MemTotal: much kB\n"), CheckOutcome::Failed);
    }

    #[test]
    fn the_names_are_those_of_the_checks() {
        let machine = Machine {
            root: PathBuf::from("/"),
            root_files: Ok(0),
            command_line: String::new(),
        };
        let names: Vec<&str> = all(&machine, &Module::good(), false)
            .iter()
            .map(|check| check.name)
            .collect();
        assert_eq!(names, NAMES);
    }
}
