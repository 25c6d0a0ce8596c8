//! Everything outside of a run, as arguments.

use std::fmt::Debug;
use std::time::Duration;

use cloud::run::Run;
use cloud::{Account, Clock};
use protocol::pb;

use crate::error::SagaError;
use crate::follow::Diagnosis;

/// Everything outside of a run.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    /// The cloud.
    pub account: &'a dyn Account,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Who is told, and who may ask to stop.
    pub watcher: &'a dyn Watcher,
    /// How patient to be.
    pub pace: Pace,
}

/// What is told while a run goes on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A change is about to be made, or is waited for.
    Step {
        /// What.
        name: &'static str,
        /// To what.
        detail: &'a str,
    },
    /// A place has no machine; the next one is tried.
    NextPlace {
        /// What the service said.
        reason: &'a str,
    },
    /// A record of the host-agent.
    Status(&'a pb::Status),
    /// The host-agent has been silent; this is what was found.
    Silent(&'a Diagnosis),
}

/// Who is told.
pub trait Watcher: Debug + Send + Sync {
    /// Something happened.
    fn say(&self, event: &Event<'_>);

    /// Whether the user asked to stop watching.
    fn is_interrupted(&self) -> bool;
}

/// How patient to be.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two looks, while something happens.
    pub poll: Duration,
    /// Between two looks at most, when nothing has happened for long.
    pub slowest: Duration,
    /// A thing counts as gone when it was not seen for so long: new things take a while to be seen.
    pub settle: Duration,
    /// Calls that may work a little later are made so often again, after 1, 2, 4… times `retry`.
    pub retries: u32,
    /// Before the first repetition.
    pub retry: Duration,
    /// The host-agent counts as silent after this long without a record.
    pub silent: Duration,
    /// It gets longer for its first record: the machine boots first.
    pub boot: Duration,
    /// A host-agent that stays silent for so much longer is given up, and its machine ended.
    pub give_up: Duration,
    /// How long a stack may take to be ready.
    pub stack: Duration,
    /// How long a teardown is pursued.
    pub teardown: Duration,
}

impl Pace {
    /// How long to wait before the next look, when nothing has happened for so long: a tenth of it.
    pub fn between(&self, quiet: Duration) -> Duration {
        (quiet / 10).clamp(self.poll, self.slowest.max(self.poll))
    }
}

impl Desk<'_> {
    /// Waits, in steps between which whoever watches may ask to stop; gives whether they did.
    pub fn pause(&self, duration: Duration) -> bool {
        let mut left = duration;
        while !left.is_zero() && !self.watcher.is_interrupted() {
            let step = left.min(self.pace.poll.max(Duration::from_secs(1)));
            self.clock.sleep(step);
            left = left.saturating_sub(step);
        }
        self.watcher.is_interrupted()
    }
}

impl Default for Pace {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self {
            poll: s(5),
            slowest: s(60),
            settle: s(20),
            retries: 5,
            retry: s(1),
            silent: s(180),
            boot: s(900),
            give_up: s(1800),
            stack: s(1200),
            teardown: s(1800),
        }
    }
}

/// The texts that a run's resources are made from.
#[derive(Debug, Clone)]
pub struct Blueprint {
    /// CloudFormation template of a run.
    pub template: String,
    /// Stack policy, JSON.
    pub stack_policy: String,
}

/// Takes the artifacts home.
pub trait Receiver: Debug {
    /// Where the bundle is put; for people and for the journal.
    fn name(&self) -> String;

    /// Whether the bundle is there already, whole.
    fn is_there(&self) -> Result<bool, SagaError>;

    /// Downloads every artifact that the commit marker names, checks its digest, and only then gives
    /// the bundle its name.
    fn receive(&self, run: Run<'_>) -> Result<(), SagaError>;

    /// Verifies the bundle that is there, as the ceremony that the run's job asked for.
    fn verify(&self, run: Run<'_>) -> Result<Verdict, SagaError>;
}

/// What verification came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds, under the trust that was asked for.
    Holds,
    /// It does not hold, or could not be checked.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_rare_while_nothing_happens() {
        let pace = Pace::default();
        let between = |seconds| pace.between(Duration::from_secs(seconds)).as_secs();
        assert_eq!([0, 50, 300, 600, 6000].map(between), [5, 5, 30, 60, 60]);
    }
}
