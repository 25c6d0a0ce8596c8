//! Shows work that is done in this process, as the progress of a run is shown.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use formats::progress::{ProgressSink, Unit};
use protocol::pb;

use crate::follow::Follower;
use crate::printer::Printer;

/// At most ten updates a second.
const INTERVAL: Duration = Duration::from_millis(100);

/// A sink that shows what it is told.
pub(crate) struct WorkDisplay<'p> {
    state: Mutex<State<'p>>,
}

struct State<'p> {
    follower: Follower<'p>,
    step: Option<pb::Progress>,
    shown: Option<Instant>,
}

impl<'p> WorkDisplay<'p> {
    pub(crate) fn new(printer: &'p Printer) -> Self {
        let follower = Follower::new(printer);
        Self {
            state: Mutex::new(State {
                follower,
                step: None,
                shown: None,
            }),
        }
    }

    /// Ends the display of the last step.
    pub(crate) fn finish(&self) {
        let mut state = self.lock();
        if let Some(step) = state.step.take() {
            state.follower.show(&pb::status::Kind::Progress(step));
        }
        state.follower.finish();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<'p>> {
        // A panic elsewhere leaves the display usable.
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl ProgressSink for WorkDisplay<'_> {
    fn step(&self, name: &'static str, unit: Unit, total: Option<u64>) {
        let unit = match unit {
            Unit::Bytes => pb::Unit::Bytes,
            Unit::Points => pb::Unit::Points,
            Unit::Constraints => pb::Unit::Constraints,
            Unit::Steps => pb::Unit::Steps,
        };
        let progress = pb::Progress {
            step: name.to_owned(),
            done: 0,
            total: total.unwrap_or(0),
            unit: unit.into(),
        };
        let mut state = self.lock();
        if let Some(last) = state.step.replace(progress.clone()) {
            state.follower.show(&pb::status::Kind::Progress(last));
        }
        state.follower.show(&pb::status::Kind::Progress(progress));
        state.shown = Some(Instant::now());
    }

    fn advance(&self, n: u64) {
        let mut state = self.lock();
        let due = state.shown.is_none_or(|shown| shown.elapsed() >= INTERVAL);
        let Some(step) = &mut state.step else { return };
        step.done = step.done.saturating_add(n);
        if due {
            let step = step.clone();
            state.follower.show(&pb::status::Kind::Progress(step));
            state.shown = Some(Instant::now());
        }
    }
}
