//! How long work tells what it is doing, and learns that it should stop.

/// What a step counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes read or written.
    Bytes,
    /// Curve points.
    Points,
    /// Constraints of the circuit.
    Constraints,
    /// Anything else, for example iterations or contributions.
    Steps,
}

/// Receiver of progress. Called from worker threads, a few times per second and step at most.
pub trait ProgressSink: Send + Sync {
    /// A new step begins; `total` is `None` when not known beforehand.
    fn step(&self, name: &'static str, unit: Unit, total: Option<u64>);

    /// `n` more units of the current step are done.
    fn advance(&self, n: u64);

    /// Whether the work should stop at the next safe point.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Says nothing and never cancels.
#[derive(Debug, Clone, Copy)]
pub struct NoProgress;

impl ProgressSink for NoProgress {
    fn step(&self, _name: &'static str, _unit: Unit, _total: Option<u64>) {}

    fn advance(&self, _n: u64) {}
}
