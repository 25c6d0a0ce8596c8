//! What ends a run from outside, and what says that it goes on: control records, the deadline, heartbeats.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::pb;
use protocol::pb::control::Command;

use crate::error::AgentError;
use crate::observe::{JsonLog, Metrics, emf};
use crate::report::Reporter;

/// What is watched.
#[derive(Debug, Clone)]
pub struct Watch {
    /// How often control records are asked for.
    pub poll: Duration,
    /// How often a heartbeat is written, if at all.
    pub heartbeat: Option<Duration>,
    /// File with the deadline in seconds since 1970; it may change.
    pub deadline_file: Option<PathBuf>,
    /// Log that takes the heartbeats' metrics.
    pub log: Option<JsonLog>,
}

/// Returns when a control record asks to stop, or the deadline has passed.
pub async fn watch(watch: Watch, reporter: Arc<Reporter>) -> AgentError {
    let mut deadline = Deadline::default();
    let mut next_control = 0_u64;
    let mut next_beat = tokio::time::Instant::now();
    loop {
        while let Some(command) = read_control(&reporter, next_control).await {
            next_control = next_control.saturating_add(1);
            match command {
                Some(Command::Abort(true)) => return AgentError::Stopped,
                Some(Command::DeadlineMs(time_ms)) => {
                    if deadline.extend(time_ms) {
                        reporter.note(format!("deadline moved to {time_ms} ms"));
                    }
                }
                // A word of a later controller: it may know more than this host needs to.
                Some(Command::Abort(false)) | None => {}
            }
        }
        if let Some(file) = &watch.deadline_file {
            deadline.read(&tokio::fs::read_to_string(file).await.unwrap_or_default());
        }
        let metrics = reporter.metrics();
        Metrics::set(&metrics.deadline_s, deadline.ms().unwrap_or(0) / 1000);
        if deadline.ms().is_some_and(|deadline| deadline <= now_ms()) {
            return AgentError::Deadline {
                time_ms: deadline.ms().unwrap_or(0),
            };
        }
        if let Some(interval) = watch.heartbeat
            && next_beat <= tokio::time::Instant::now()
        {
            next_beat = tokio::time::Instant::now() + interval;
            beat(&watch, &reporter, deadline.ms().unwrap_or(0)).await;
        }
        tokio::time::sleep(watch.poll).await;
    }
}

/// The control record with this number: `None` if there is none yet, or none can be read now.
async fn read_control(reporter: &Arc<Reporter>, sequence: u64) -> Option<Option<Command>> {
    let reporter = Arc::clone(reporter);
    let read = tokio::task::spawn_blocking(move || reporter.run().control(sequence)).await;
    match read {
        Ok(Ok(record)) => record.map(|record| record.command),
        // A record that is no record asks for nothing; what comes after it may.
        Ok(Err(error)) if error.code() == "store_malformed" => Some(None),
        Ok(Err(error)) => {
            tracing::warn!(
                code = error.code(),
                "control records cannot be read: {error}"
            );
            None
        }
        Err(_) => None,
    }
}

async fn beat(watch: &Watch, reporter: &Arc<Reporter>, deadline_ms: u64) {
    let uptime_ms = reporter.metrics().uptime_ms();
    let record = pb::Heartbeat {
        uptime_ms,
        quiet_ms: reporter.quiet_ms(),
        deadline_ms,
    };
    let writer = Arc::clone(reporter);
    // A store that hangs must not keep the deadline from being seen for long.
    let written = tokio::task::spawn_blocking(move || writer.heartbeat(record));
    if tokio::time::timeout(Duration::from_mins(1), written)
        .await
        .is_err()
    {
        tracing::warn!("a heartbeat takes more than a minute to be written");
    }
    if let Some(log) = &watch.log {
        let metrics = [
            ("Heartbeat", "Count", 1),
            ("Uptime", "Seconds", uptime_ms / 1000),
            ("Stage", "None", Metrics::get(&reporter.metrics().stage)),
        ];
        let line = emf::line(reporter.run().id().as_str(), now_ms(), &metrics);
        if let Err(error) = log.line(&line) {
            tracing::warn!("log: {error}");
        }
    }
}

/// When this host has to end: the later one of what the file says and what a control record says.
#[derive(Debug, Default)]
struct Deadline {
    file_ms: Option<u64>,
    record_ms: Option<u64>,
}

impl Deadline {
    fn ms(&self) -> Option<u64> {
        // Without a file there is no deadline to move.
        self.file_ms
            .map(|file| file.max(self.record_ms.unwrap_or(0)))
    }

    /// Whether the record says something later than is known.
    fn extend(&mut self, time_ms: u64) -> bool {
        let later = time_ms > self.ms().unwrap_or(0).max(self.record_ms.unwrap_or(0));
        if later {
            self.record_ms = Some(time_ms);
        }
        later
    }

    /// Takes the file's text. What is no time changes nothing: the file may be in the middle of being written.
    fn read(&mut self, text: &str) {
        let text = text.trim();
        if (1..=12).contains(&text.len())
            && let Ok(seconds) = text.parse::<u64>()
        {
            self.file_ms = Some(seconds.saturating_mul(1000));
        }
    }
}

/// Host clock. It decides when this host gives up, and nothing of the ceremony.
fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use cloud::{FolderStore, ObjectStore};

    use super::*;

    fn reporter(folder: &std::path::Path) -> Arc<Reporter> {
        let store = Arc::new(FolderStore::open(folder.join("store")).unwrap());
        Arc::new(Reporter::new(store, "r".parse().unwrap()).unwrap())
    }

    fn quick(deadline_file: Option<PathBuf>) -> Watch {
        Watch {
            poll: Duration::from_millis(1),
            heartbeat: None,
            deadline_file,
            log: None,
        }
    }

    fn control(sequence: u64, command: Option<Command>) -> pb::Control {
        pb::Control { sequence, command }
    }

    #[tokio::test]
    async fn an_abort_is_seen_behind_other_records() {
        let folder = tempfile::tempdir().unwrap();
        let reporter = reporter(folder.path());
        let watching = tokio::spawn(watch(quick(None), Arc::clone(&reporter)));
        reporter.run().put_control(&control(0, None)).unwrap();
        reporter
            .run()
            .put_control(&control(1, Some(Command::DeadlineMs(5))))
            .unwrap();
        let store = FolderStore::open(folder.path().join("store")).unwrap();
        store
            .put_if_absent(&"runs/r/control/0000000002".parse().unwrap(), b"\xff")
            .unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!watching.is_finished());
        reporter
            .run()
            .put_control(&control(3, Some(Command::Abort(true))))
            .unwrap();
        let ended = watching.await.unwrap();
        assert!(matches!(ended, AgentError::Stopped), "{ended}");
    }

    #[tokio::test]
    async fn the_deadline_ends_the_run_and_can_be_moved() {
        let folder = tempfile::tempdir().unwrap();
        let reporter = reporter(folder.path());
        let file = folder.path().join("deadline");
        std::fs::write(&file, "1000\n").unwrap();
        let ended = watch(quick(Some(file.clone())), Arc::clone(&reporter)).await;
        assert!(
            matches!(ended, AgentError::Deadline { time_ms: 1_000_000 }),
            "{ended}"
        );

        let later = now_ms() + 3_600_000;
        reporter
            .run()
            .put_control(&control(0, Some(Command::DeadlineMs(later))))
            .unwrap();
        let watching = tokio::spawn(watch(quick(Some(file)), Arc::clone(&reporter)));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!watching.is_finished(), "the later one counts");
        assert_eq!(Metrics::get(&reporter.metrics().deadline_s), later / 1000);
        watching.abort();
    }

    #[test]
    fn a_deadline_moves_later_only_and_garbage_moves_nothing() {
        let mut deadline = Deadline::default();
        assert_eq!(deadline.ms(), None);
        for garbage in ["", "soon", "-1", "1e9", "99999999999999999999"] {
            deadline.read(garbage);
            assert_eq!(deadline.ms(), None, "{garbage}");
        }
        deadline.read("100\n");
        assert_eq!(deadline.ms(), Some(100_000));
        assert!(!deadline.extend(99_999));
        assert!(deadline.extend(200_000));
        assert!(!deadline.extend(150_000));
        assert_eq!(deadline.ms(), Some(200_000));
        deadline.read("");
        assert_eq!(deadline.ms(), Some(200_000));
    }

    #[tokio::test]
    async fn heartbeats_are_records_and_metrics() {
        let folder = tempfile::tempdir().unwrap();
        let reporter = reporter(folder.path());
        let path = folder.path().join("log");
        let watch_it = Watch {
            heartbeat: Some(Duration::from_millis(5)),
            log: Some(JsonLog::open(&path).unwrap()),
            ..quick(None)
        };
        reporter.note("before");
        let watching = tokio::spawn(watch(watch_it, Arc::clone(&reporter)));
        while Metrics::get(&reporter.metrics().heartbeats) < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        watching.abort();
        let kinds: Vec<_> = (0..4)
            .map(|n| reporter.run().status(n).unwrap().unwrap().kind.unwrap())
            .collect();
        assert!(matches!(kinds[0], pb::status::Kind::Note(_)));
        for kind in &kinds[1..] {
            let pb::status::Kind::Heartbeat(beat) = kind else {
                panic!("{kind:?}")
            };
            assert_eq!(beat.deadline_ms, 0);
        }
        let text = std::fs::read_to_string(path).unwrap();
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(
            (&first["Run"], &first["Heartbeat"]),
            (&"r".into(), &1.into())
        );
    }
}
