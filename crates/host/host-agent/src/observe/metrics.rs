//! Counters and gauges.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What is counted. Shared by everything that works.
#[derive(Debug)]
pub struct Metrics {
    started: Instant,
    /// Status records written.
    pub records: AtomicU64,
    /// Status records that could not be written.
    pub record_failures: AtomicU64,
    /// Heartbeats written.
    pub heartbeats: AtomicU64,
    /// The last stage the enclave reached, by its number in `ceremony.v1.Stage`.
    pub stage: AtomicU64,
    /// Work done and to be done in the step at hand, in its own unit.
    pub step_done: AtomicU64,
    /// See [`step_done`](Self::step_done); 0 if not known.
    pub step_total: AtomicU64,
    /// Steps begun.
    pub steps: AtomicU64,
    /// When this host ends by itself, seconds since 1970; 0 if it does not.
    pub deadline_s: AtomicU64,
    /// Uploads that were tried again.
    pub upload_retries: AtomicU64,
    /// Bytes of artifacts written and read back.
    pub upload_bytes: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            started: Instant::now(),
            records: zero(),
            record_failures: zero(),
            heartbeats: zero(),
            stage: zero(),
            step_done: zero(),
            step_total: zero(),
            steps: zero(),
            deadline_s: zero(),
            upload_retries: zero(),
            upload_bytes: zero(),
        }
    }
}

impl Metrics {
    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    /// Sets a gauge.
    pub fn set(gauge: &AtomicU64, value: u64) {
        gauge.store(value, Ordering::Relaxed);
    }

    /// The value.
    pub fn get(value: &AtomicU64) -> u64 {
        value.load(Ordering::Relaxed)
    }

    /// Milliseconds since this was made.
    pub fn uptime_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// All of them in Prometheus's text exposition format 0.0.4. `run` has no character that needs escaping.
    pub fn text(&self, run: &str) -> String {
        let counters = [
            ("records_total", "status records written", &self.records),
            (
                "record_failures_total",
                "status records that could not be written",
                &self.record_failures,
            ),
            ("heartbeats_total", "heartbeats written", &self.heartbeats),
            ("steps_total", "steps begun", &self.steps),
            (
                "upload_retries_total",
                "uploads that were tried again",
                &self.upload_retries,
            ),
            (
                "upload_bytes_total",
                "bytes of artifacts written and read back",
                &self.upload_bytes,
            ),
        ];
        let gauges = [
            (
                "stage",
                "last stage the enclave reached, number of ceremony.v1.Stage",
                &self.stage,
            ),
            (
                "step_done",
                "work done in the step at hand, in its own unit",
                &self.step_done,
            ),
            (
                "step_total",
                "work of the step at hand, 0 if not known",
                &self.step_total,
            ),
            (
                "deadline_seconds",
                "when this host ends, seconds since 1970, 0 if it does not",
                &self.deadline_s,
            ),
        ];
        let samples = counters
            .iter()
            .map(|sample| ("counter", sample))
            .chain(gauges.iter().map(|sample| ("gauge", sample)))
            .map(|(kind, (name, help, value))| lines(kind, name, help, run, Self::get(value)));
        let uptime = lines(
            "gauge",
            "uptime_seconds",
            "seconds since host-agent started",
            run,
            self.uptime_ms() / 1000,
        );
        samples.chain([uptime]).collect()
    }
}

/// One metric with its two lines of explanation.
fn lines(kind: &str, name: &str, help: &str, run: &str, value: u64) -> String {
    format!(
        "# HELP ceremony_host_{name} {help}\n# TYPE ceremony_host_{name} {kind}\nceremony_host_{name}{{run=\"{run}\"}} {value}\n"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_text_is_of_prometheus_s_form() {
        let metrics = Metrics::default();
        Metrics::add(&metrics.records, 7);
        Metrics::set(&metrics.stage, 3);
        let text = metrics.text("run-1");
        let mut seen = BTreeSet::new();
        let mut lines = text.lines();
        while let Some(help) = lines.next() {
            let name = help
                .strip_prefix("# HELP ")
                .unwrap()
                .split(' ')
                .next()
                .unwrap();
            let kind = lines
                .next()
                .unwrap()
                .strip_prefix(&format!("# TYPE {name} "))
                .unwrap();
            assert!(
                kind == "gauge" || kind == "counter" && name.ends_with("_total"),
                "{name} {kind}"
            );
            let sample = lines
                .next()
                .unwrap()
                .strip_prefix(&format!("{name}{{run=\"run-1\"}} "))
                .unwrap();
            sample.parse::<u64>().unwrap();
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!(seen.insert(name.to_owned()), "{name} twice");
        }
        assert_eq!(seen.len(), 11);
        assert!(text.ends_with('\n'));
        assert!(text.contains("\nceremony_host_records_total{run=\"run-1\"} 7\n"));
        assert!(text.contains("\nceremony_host_stage{run=\"run-1\"} 3\n"));
    }
}
