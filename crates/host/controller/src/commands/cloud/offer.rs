//! What is about to be made and what it may cost, shown before anything is.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use saga::{RunPlan, Usd};

use super::sizing::Sizing;
use crate::error::CliError;
use crate::json;
use crate::printer::Printer;

/// What is said of a simulated run, before and after it.
pub(super) const BANNER: &str = "\
SIMULATION: this run believes a simulated enclave, beacon or phase 1. Whoever controls its machine can know
the secret. The key of this ceremony must not protect anything of value.";

/// What is about to be made.
#[derive(Debug)]
pub(super) struct Offer<'a> {
    plan: &'a RunPlan,
    enclave_mib: u32,
    enclave_cpus: u32,
    /// On the slowest machine that may be taken.
    expected: Duration,
    /// Machine, disk and everything else, for as long.
    expected_usd: Usd,
    /// The same until the deadline.
    most_usd: Usd,
}

impl<'a> Offer<'a> {
    pub(super) fn of(plan: &'a RunPlan, sizing: &Sizing) -> Self {
        let taken = sizing.candidates.iter().filter(|candidate| {
            let mut places = plan.places.iter();
            places.any(|place| place.instance_type == candidate.instance_type)
        });
        let expected = taken.map(|c| c.expected).max().unwrap_or_default();
        let lasts = plan.deadline.since(plan.started);
        Self {
            plan,
            enclave_mib: sizing.enclave_mib,
            enclave_cpus: sizing.enclave_cpus,
            expected,
            expected_usd: plan
                .hourly()
                .per_hour_for(expected)
                .plus(sizing.other_costs(expected)),
            most_usd: plan.worst_case().plus(sizing.other_costs(lasts)),
        }
    }

    /// For people on standard output, for machines as an object.
    pub(super) fn show(&self, printer: &Printer) {
        let plan = self.plan;
        if plan.simulation {
            printer.warn(BANNER);
        }
        let (run, account, region) = (&plan.run, &plan.account, &plan.region);
        let deadline = plan.deadline.to_string();
        printer.object(&json::CloudPlan {
            run: run.as_str(),
            ceremony: &plan.ceremony,
            simulation: plan.simulation,
            account: account.as_str(),
            region: region.as_str(),
            architecture: plan.architecture.as_str(),
            places: plan
                .places
                .iter()
                .map(|place| json::CloudPlace {
                    instance_type: place.instance_type.as_str(),
                    zone: place.zone.as_str(),
                    usd_per_hour: place.hourly.to_string(),
                })
                .collect(),
            enclave_mib: self.enclave_mib,
            enclave_cpus: self.enclave_cpus,
            volume_gib: plan.volume.gib,
            deadline: &deadline,
            expected_s: self.expected.as_secs(),
            expected_usd: &self.expected_usd.to_string(),
            most_usd: &self.most_usd.to_string(),
            keep_days: plan.keep_days,
        });
        let fact = |name: &str, value: String| printer.result(&format!("  {name:<22} {value}"));
        let minutes = |duration: Duration| duration.as_secs().div_ceil(60);
        printer.result("");
        fact("run", run.to_string());
        fact("account, region", format!("{account}, {region}"));
        for (index, place) in plan.places.iter().enumerate() {
            let name = if index == 0 { "machine" } else { "  or" };
            fact(
                name,
                format!(
                    "{} in {}, {} USD an hour",
                    place.instance_type, place.zone, place.hourly
                ),
            );
        }
        fact(
            "enclave",
            format!("{} processors, {} MiB", self.enclave_cpus, self.enclave_mib),
        );
        fact("disk", format!("{} GiB", plan.volume.gib));
        fact(
            "expected",
            format!(
                "{} minutes, about {} USD",
                minutes(self.expected),
                self.expected_usd
            ),
        );
        fact(
            "at most",
            format!("{} USD: everything ends by {deadline}", self.most_usd),
        );
    }
}

/// Asks on a terminal. Where nobody can answer, what was typed is what is wanted.
pub(super) fn is_accepted(printer: &Printer) -> Result<bool, CliError> {
    let input = std::io::stdin();
    if printer.is_json() || !input.is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(true);
    }
    let failed = |source| CliError::File {
        action: "ask on",
        path: "the terminal".into(),
        source,
    };
    let mut terminal = anstream::stderr();
    write!(terminal, "Make it? [y/N] ").map_err(failed)?;
    terminal.flush().map_err(failed)?;
    let mut answer = String::new();
    input.read_line(&mut answer).map_err(failed)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_yes_is_yes() {
        assert!(["y\n", "Y", " yes \n", "YES"].into_iter().all(is_yes));
        assert!(
            !["", "\n", "n", "no", "yess", "ja", "1"]
                .into_iter()
                .any(is_yes)
        );
    }
}
