//! The log file: one JSON object per line.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::registry::LookupSpan;

/// A file that lines are appended to, each in one piece. Clones share it.
#[derive(Debug, Clone)]
pub struct JsonLog(Arc<Mutex<File>>);

impl JsonLog {
    /// Opens the file, which may hold earlier lines.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    /// Appends one line.
    pub fn line(&self, text: &str) -> io::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(format!("{text}\n").as_bytes())
    }

    /// Everything that is logged, as lines with `timestamp` (RFC 3339, UTC), `level`, `target`, `message` and the event's fields.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(self.clone())
    }
}

/// One event on its way to the file: written when it is complete.
#[derive(Debug)]
pub struct PendingLine {
    log: JsonLog,
    bytes: Vec<u8>,
}

impl Write for PendingLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut file = self.log.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&std::mem::take(&mut self.bytes))
    }
}

impl Drop for PendingLine {
    fn drop(&mut self) {
        // A full disk must not stop the ceremony: the line is lost, the run's records are not.
        drop(self.flush());
    }
}

impl<'w> MakeWriter<'w> for JsonLog {
    type Writer = PendingLine;

    fn make_writer(&'w self) -> PendingLine {
        PendingLine {
            log: self.clone(),
            bytes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn every_line_is_one_object_whatever_is_logged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = JsonLog::open(&path).unwrap();
        let subscriber = tracing_subscriber::registry().with(log.layer());
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(
                code = "ptau_hash",
                bytes = 7_u64,
                "two\nlines and a \"quote\" {}",
                '\u{1b}'
            );
            tracing::info!(target: "enclave_agent", "hello");
        });
        log.line(&crate::observe::emf::line(
            "run-1",
            1,
            &[("Heartbeat", "Count", 1)],
        ))
        .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["level"], "WARN");
        assert_eq!(lines[0]["code"], "ptau_hash");
        assert_eq!(lines[0]["bytes"], 7);
        assert_eq!(lines[0]["message"], "two\nlines and a \"quote\" \u{1b}");
        assert!(lines[0]["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(lines[1]["target"], "enclave_agent");
        assert_eq!(lines[2]["Heartbeat"], 1);
    }
}
