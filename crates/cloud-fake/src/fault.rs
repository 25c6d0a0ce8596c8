//! What goes wrong, and when.

use cloud::{CloudError, ErrorClass};

/// More calls than any sane program makes: it is going round in circles.
const MOST_CALLS: usize = 200_000;

/// The process died at a call. What unwinding carries.
#[derive(Debug, Clone, Copy)]
pub struct Died;

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Which call, counted from 0 since it was armed; of [`action`](Self::action) only, if that is given.
    pub call: usize,
    /// How many calls from that one on; `usize::MAX` for all.
    pub times: usize,
    /// Counts calls of this action only.
    pub action: Option<&'static str>,
    /// Whether the call still takes effect.
    pub when: When,
    /// What happens to the caller.
    pub effect: Effect,
}

/// Whether the call takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It fails before it took effect.
    Before,
    /// It takes effect, and then the caller is told that it failed, or is told nothing.
    After,
}

/// What happens to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The call fails.
    Fail(ErrorClass),
    /// The caller's process dies.
    Die,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Permission it needs, for example `ec2:DescribeInstances`.
    pub action: &'static str,
    /// What it is about: an ARN, or `*`.
    pub resource: String,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    fault: Option<Fault>,
    matched: usize,
    dead: bool,
    pub(crate) calls: Vec<Call>,
}

impl Faults {
    pub(crate) fn arm(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        self.matched = 0;
        self.calls.clear();
    }

    pub(crate) fn revive(&mut self) {
        self.dead = false;
        self.fault = None;
    }

    pub(crate) fn kill(&mut self) {
        self.dead = true;
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead
    }

    /// Counts a call; what happens to it.
    pub(crate) fn next(
        &mut self,
        action: &'static str,
        resource: String,
    ) -> Option<(When, Effect)> {
        assert!(
            self.calls.len() < MOST_CALLS,
            "the caller goes round in circles: {action} {resource}"
        );
        self.calls.push(Call { action, resource });
        let fault = self.fault?;
        if fault.action.is_some_and(|only| only != action) {
            return None;
        }
        let number = self.matched;
        self.matched = number.saturating_add(1);
        let hit = number >= fault.call && number - fault.call < fault.times;
        hit.then_some((fault.when, fault.effect))
    }
}

pub(crate) fn error(action: &'static str, class: ErrorClass) -> CloudError {
    failed(action, class, "Injected", "a fault of the fake cloud")
}

pub(crate) fn failed(
    action: &'static str,
    class: ErrorClass,
    code: &str,
    message: impl Into<String>,
) -> CloudError {
    CloudError {
        action,
        class,
        code: code.to_owned(),
        message: message.into(),
    }
}
