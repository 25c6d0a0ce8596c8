//! The run's status log: progress at a bearable rate, everything else at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cloud::run::Run;
use cloud::{ObjectStore, RunId, StoreError};
use formats::progress::{ProgressSink, Unit};
use protocol::pb;

use crate::observe::Metrics;

/// At most four progress records a second, unless told otherwise.
const INTERVAL: Duration = Duration::from_millis(250);

/// Appends status records; shared by everything that works.
#[derive(Debug)]
pub struct Reporter {
    store: Arc<dyn ObjectStore>,
    id: RunId,
    interval: Duration,
    metrics: Arc<Metrics>,
    log: Mutex<Log>,
    cancelled: AtomicBool,
}

#[derive(Debug, Default)]
struct Log {
    next: u64,
    /// The step in work, as last heard of.
    step: Option<pb::Progress>,
    reached: Option<pb::Stage>,
    written: Option<Instant>,
    /// When anything was last heard of the work.
    heard: Option<Instant>,
    /// The first record that could not be written: reported once, by [`Reporter::check`].
    failure: Option<StoreError>,
}

impl Reporter {
    /// A log that continues after the records already in the store.
    pub fn new(store: Arc<dyn ObjectStore>, id: RunId) -> Result<Self, StoreError> {
        let mut next = 0_u64;
        while Run::new(&*store, &id).status(next)?.is_some() {
            next = next.saturating_add(1);
        }
        let log = Mutex::new(Log {
            next,
            ..Log::default()
        });
        Ok(Self {
            store,
            id,
            interval: INTERVAL,
            metrics: Arc::default(),
            log,
            cancelled: AtomicBool::new(false),
        })
    }

    /// Writes progress at most this often: a distant store bills each record.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Counts in these metrics.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// What is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The run.
    pub fn run(&self) -> Run<'_> {
        Run::new(&*self.store, &self.id)
    }

    /// Makes every cancellable work stop soon.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Fails if a record could not be written since the last call.
    pub fn check(&self) -> Result<(), StoreError> {
        self.lock().failure.take().map_or(Ok(()), Err)
    }

    /// The enclave reached a stage.
    pub fn stage(&self, stage: pb::Stage) {
        self.lock().reached = Some(stage);
        Metrics::set(
            &self.metrics.stage,
            u64::try_from(i32::from(stage)).unwrap_or(0),
        );
        self.append(pb::status::Kind::StageReached(stage.into()));
    }

    /// The last stage the enclave reached.
    pub fn stage_reached(&self) -> pb::Stage {
        self.lock().reached.unwrap_or(pb::Stage::Unspecified)
    }

    /// Something worth a line.
    pub fn note(&self, text: impl Into<String>) {
        self.append(pb::status::Kind::Note(text.into()));
    }

    /// This host lives. Says nothing of the step at hand.
    pub fn heartbeat(&self, heartbeat: pb::Heartbeat) {
        let mut log = self.lock();
        let (written, heard) = (log.written, log.heard);
        self.append_locked(&mut log, pb::status::Kind::Heartbeat(heartbeat));
        // Neither progress nor a reason to put the next progress off.
        (log.written, log.heard) = (written, heard);
        Metrics::add(&self.metrics.heartbeats, 1);
    }

    /// Milliseconds since anything was heard of the work.
    pub fn quiet_ms(&self) -> u64 {
        let heard = self.lock().heard;
        heard.map_or_else(
            || self.metrics.uptime_ms(),
            |heard| u64::try_from(heard.elapsed().as_millis()).unwrap_or(u64::MAX),
        )
    }

    /// The run failed; the last record.
    pub fn failure(&self, failure: pb::JobFailure) {
        self.append(pb::status::Kind::Failure(failure));
    }

    /// The run is complete; the last record.
    pub fn done(&self, done: pb::JobDone) {
        self.append(pb::status::Kind::Done(done));
    }

    /// Work begins whose amount is not known.
    pub fn begin(&self, step: &str) {
        let unit = pb::Unit::Steps.into();
        self.progress(pb::Progress {
            step: step.to_owned(),
            done: 0,
            total: 0,
            unit,
        });
    }

    /// Progress heard from elsewhere. The first and the last of a step are always written.
    pub fn progress(&self, progress: pb::Progress) {
        let mut log = self.lock();
        log.heard = Some(Instant::now());
        let new_step = log
            .step
            .as_ref()
            .is_none_or(|step| step.step != progress.step);
        let last = progress.total > 0 && progress.done >= progress.total;
        let due = log
            .written
            .is_none_or(|written| written.elapsed() >= self.interval);
        log.step = Some(progress.clone());
        Metrics::set(&self.metrics.step_done, progress.done);
        Metrics::set(&self.metrics.step_total, progress.total);
        Metrics::add(&self.metrics.steps, u64::from(new_step));
        if new_step || last || due {
            self.append_locked(&mut log, pb::status::Kind::Progress(progress));
        }
    }

    fn append(&self, kind: pb::status::Kind) {
        let mut log = self.lock();
        // What the step came to is written before anything else is.
        if let Some(step) = log.step.take() {
            self.append_locked(&mut log, pb::status::Kind::Progress(step));
        }
        self.append_locked(&mut log, kind);
    }

    fn append_locked(&self, log: &mut Log, kind: pb::status::Kind) {
        let status = pb::Status {
            sequence: log.next,
            time_ms: now_ms(),
            kind: Some(kind),
        };
        match self.run().put_status(&status) {
            Ok(()) => {
                log.next = log.next.saturating_add(1);
                log.written = Some(Instant::now());
                log.heard = log.written;
                Metrics::add(&self.metrics.records, 1);
            }
            Err(error) => {
                Metrics::add(&self.metrics.record_failures, 1);
                tracing::error!(code = error.code(), "status record not written: {error}");
                log.failure.get_or_insert(error);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Log> {
        // A panic elsewhere leaves the log usable: every field is valid at any time.
        self.log
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl ProgressSink for Reporter {
    fn step(&self, name: &'static str, unit: Unit, total: Option<u64>) {
        let unit = match unit {
            Unit::Bytes => pb::Unit::Bytes,
            Unit::Points => pb::Unit::Points,
            Unit::Constraints => pb::Unit::Constraints,
            Unit::Steps => pb::Unit::Steps,
        };
        let total = total.unwrap_or(0);
        self.progress(pb::Progress {
            step: name.to_owned(),
            done: 0,
            total,
            unit: unit.into(),
        });
    }

    fn advance(&self, n: u64) {
        let next = self.lock().step.clone();
        if let Some(mut step) = next {
            step.done = step.done.saturating_add(n);
            self.progress(step);
        }
    }

    fn is_cancelled(&self) -> bool {
        Reporter::is_cancelled(self)
    }
}

/// Host clock, for people only.
fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}
