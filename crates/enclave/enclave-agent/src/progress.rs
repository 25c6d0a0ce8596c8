//! Progress of a piece of work, a few times per second, to the caller and to the event log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use formats::progress::{ProgressSink, Unit};
use protocol::pb;
use tokio::sync::mpsc;

use crate::events::Events;

/// Least time between two reports of one step.
const INTERVAL: Duration = Duration::from_millis(250);

/// A [`ProgressSink`] that reports to the host.
pub(crate) struct Reporter {
    sender: mpsc::Sender<pb::Progress>,
    events: Arc<Events>,
    state: Mutex<State>,
}

struct State {
    progress: pb::Progress,
    reported: Instant,
}

impl Reporter {
    /// Reports to `sender` (never waits for it) and to `events`.
    pub(crate) fn new(sender: mpsc::Sender<pb::Progress>, events: Arc<Events>) -> Self {
        Self {
            sender,
            events,
            state: Mutex::new(State {
                progress: pb::Progress::default(),
                reported: Instant::now(),
            }),
        }
    }

    fn report(&self, progress: &pb::Progress) {
        // A caller that does not read, or is gone, misses reports: work does not wait for it.
        drop(self.sender.try_send(progress.clone()));
        self.events
            .push(pb::event::Kind::Progress(progress.clone()));
    }
}

impl ProgressSink for Reporter {
    fn step(&self, name: &'static str, unit: Unit, total: Option<u64>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.progress = pb::Progress {
            step: name.to_owned(),
            done: 0,
            total: total.unwrap_or(0),
            unit: unit_to_pb(unit).into(),
        };
        state.reported = Instant::now();
        self.report(&state.progress);
    }

    fn advance(&self, n: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.progress.done = state.progress.done.saturating_add(n);
        let ended = state.progress.total != 0 && state.progress.done >= state.progress.total;
        if ended || state.reported.elapsed() >= INTERVAL {
            state.reported = Instant::now();
            self.report(&state.progress);
        }
    }
}

fn unit_to_pb(unit: Unit) -> pb::Unit {
    match unit {
        Unit::Bytes => pb::Unit::Bytes,
        Unit::Points => pb::Unit::Points,
        Unit::Constraints => pb::Unit::Constraints,
        Unit::Steps => pb::Unit::Steps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_and_the_end_of_a_step_are_reported_and_little_between() {
        let (sender, mut receiver) = mpsc::channel(100);
        let reporter = Reporter::new(sender, Arc::new(Events::default()));
        reporter.step("work", Unit::Bytes, Some(10_000));
        for _ in 0..10_000 {
            reporter.advance(1);
        }
        let mut reports = Vec::new();
        while let Ok(report) = receiver.try_recv() {
            reports.push(report.done);
        }
        assert_eq!(reports.first(), Some(&0));
        assert_eq!(reports.last(), Some(&10_000));
        assert!(reports.len() < 20, "{reports:?}");
    }

    #[test]
    fn a_caller_that_is_gone_does_not_stop_work() {
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        let events = Arc::new(Events::default());
        let reporter = Reporter::new(sender, Arc::clone(&events));
        reporter.step("work", Unit::Steps, None);
        assert_eq!(events.from(0, 10).len(), 1);
    }
}
