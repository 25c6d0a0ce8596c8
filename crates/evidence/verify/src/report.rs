//! What a verification found, as a whole.

use std::fmt;

use crate::checklist::{Checklist, Status, Step, StepId, Why};
use crate::options::{Depth, Trust, VerifyOptions};

/// What follows from the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every step of this depth holds, for an enclave with the expected measurements.
    Verified,
    /// SIMULATION: every step of this depth holds, for simulated evidence. Never a production result.
    HoldsUnderSimulation,
    /// At least one step does not hold.
    False,
    /// No step is false, but not everything that this depth demands could be checked.
    Incomplete,
}

impl Verdict {
    /// Stable word for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::HoldsUnderSimulation => "holds_under_simulation",
            Self::False => "false",
            Self::Incomplete => "incomplete",
        }
    }
}

/// The checklist with its verdict.
#[derive(Debug)]
pub struct Report {
    simulation: bool,
    depth: Depth,
    steps: Vec<Step>,
}

impl Report {
    pub(crate) fn new(options: &VerifyOptions<'_>, list: Checklist) -> Self {
        let simulation = matches!(options.trust, Trust::Simulation { .. });
        Self {
            simulation,
            depth: options.depth,
            steps: list.finish(),
        }
    }

    /// All steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The depth that was asked for.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// True when simulated evidence was accepted.
    pub fn is_simulation(&self) -> bool {
        self.simulation
    }

    /// The steps that do not hold.
    pub fn failures(&self) -> impl Iterator<Item = &Step> {
        self.steps
            .iter()
            .filter(|step| matches!(step.status, Status::Failed(_)))
    }

    /// What follows from the steps.
    pub fn verdict(&self) -> Verdict {
        if self.failures().next().is_some() {
            return Verdict::False;
        }
        if self.steps.iter().any(leaves_a_gap) {
            return Verdict::Incomplete;
        }
        if self.simulation {
            Verdict::HoldsUnderSimulation
        } else {
            Verdict::Verified
        }
    }

    /// The first line of any output: says SIMULATION where it is one.
    pub fn first_line(&self) -> String {
        match self.verdict() {
            Verdict::Verified => "VERIFIED: every step of this depth holds".to_owned(),
            Verdict::HoldsUnderSimulation => {
                "SIMULATION — every step of this depth holds for simulated evidence; this is no production result"
                    .to_owned()
            }
            Verdict::False if self.simulation => {
                "SIMULATION — FALSE: the bundle does not hold".to_owned()
            }
            Verdict::False => "FALSE: the bundle does not hold".to_owned(),
            Verdict::Incomplete if self.simulation => {
                "SIMULATION — INCOMPLETE: not everything could be checked".to_owned()
            }
            Verdict::Incomplete => "INCOMPLETE: not everything could be checked".to_owned(),
        }
    }
}

/// Whether a step was not checked although this depth demands it. The requester's own nonce and
/// sources are the requester's to demand.
fn leaves_a_gap(step: &Step) -> bool {
    match &step.status {
        Status::Passed
        | Status::Failed(_)
        | Status::NotChecked(Why::Depth | Why::DoesNotApply(_)) => false,
        Status::NotChecked(Why::Blocked(_) | Why::Unreadable(_)) => true,
        Status::NotChecked(Why::NotGiven(_)) => {
            !matches!(step.id, StepId::Nonce | StepId::GivenSources)
        }
    }
}

/// The checklist as plain text, one line a step, facts and reasons indented below.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.first_line())?;
        for step in &self.steps {
            let mark = match &step.status {
                Status::Passed => "passed     ",
                Status::Failed(_) => "FAILED     ",
                Status::NotChecked(_) => "not checked",
            };
            writeln!(f, "  {mark}  {}", step.id.title())?;
            match &step.status {
                Status::Passed => {}
                Status::Failed(failure) => {
                    write_chain(f, failure)?;
                    if let Some(hint) = failure.hint() {
                        writeln!(f, "               hint: {hint}")?;
                    }
                }
                Status::NotChecked(why) => writeln!(f, "               {why}")?,
            }
            for fact in &step.facts {
                writeln!(f, "               {}: {}", fact.name, fact.value)?;
            }
        }
        Ok(())
    }
}

fn write_chain(f: &mut fmt::Formatter<'_>, failure: &dyn std::error::Error) -> fmt::Result {
    writeln!(f, "               {failure}")?;
    let mut cause = failure.source();
    while let Some(error) = cause {
        writeln!(f, "               caused by: {error}")?;
        cause = error.source();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    /// Every step passed but those that `change` wrote down first.
    fn report(simulation: bool, change: impl FnOnce(&mut Checklist)) -> Report {
        let mut list = Checklist::new();
        change(&mut list);
        for id in StepId::all() {
            list.record(id, Ok(Vec::new()));
        }
        let depth = Depth::Artifacts;
        Report {
            simulation,
            depth,
            steps: list.finish(),
        }
    }

    #[test]
    fn the_verdict_follows_from_the_steps() {
        assert_eq!(report(false, |_| {}).verdict(), Verdict::Verified);
        assert_eq!(
            report(true, |_| {}).verdict(),
            Verdict::HoldsUnderSimulation
        );
        let missing = || Failure::Missing {
            path: "manifest".to_owned(),
        };
        let failed = report(false, |list| {
            list.record(StepId::Sums, Err(missing()));
        });
        assert_eq!(failed.verdict(), Verdict::False);
    }

    #[test]
    fn without_expected_measurements_nothing_is_verified() {
        let why = Why::NotGiven("expected PCR0, PCR1 and PCR2");
        let unpinned = report(false, |list| list.skip(StepId::Measurements, why));
        assert_eq!(unpinned.verdict(), Verdict::Incomplete);
        let why = Why::NotGiven("the requester's nonce");
        let no_nonce = report(false, |list| list.skip(StepId::Nonce, why));
        assert_eq!(no_nonce.verdict(), Verdict::Verified);
    }

    #[test]
    fn what_cannot_be_read_is_no_verdict() {
        let unreadable = report(false, |list| {
            let source = std::io::Error::other("disk");
            let path = "final.zkey".to_owned();
            list.record(StepId::KeyHeader, Err(Failure::Unreadable { path, source }));
        });
        assert_eq!(unreadable.verdict(), Verdict::Incomplete);
    }

    #[test]
    fn a_step_that_nobody_wrote_down_fails() {
        let steps = Checklist::new().finish();
        let implemented =
            |step: &Step| !matches!(step.status, Status::Failed(Failure::NotImplemented));
        assert!(!steps.is_empty());
        assert!(!steps.iter().any(implemented));
    }
}
