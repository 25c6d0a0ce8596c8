//! What an enclave says before it ends (`docs/image.md`, "Ports").

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::task::JoinHandle;
use tokio_vsock::{VMADDR_CID_ANY, VsockAddr, VsockListener};

use crate::error::{AgentError, Failed};

/// Where the enclave says why it ends.
const PORT: u32 = 5006;
/// Longest line that is read, bytes.
const LONGEST: u64 = 1024;
/// An enclave says them at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Listens for the last words of the one enclave that runs here. Whoever says them is not asked who it is: they explain a
/// failure to a person, and decide nothing.
#[derive(Debug)]
pub struct LastWords {
    heard: Arc<Mutex<Option<String>>>,
    task: Option<JoinHandle<()>>,
}

impl LastWords {
    /// Begins to listen. A machine without vsock hears nothing, which is logged.
    pub fn listen() -> Self {
        let heard = Arc::new(Mutex::new(None));
        let task = match VsockListener::bind(VsockAddr::new(VMADDR_CID_ANY, PORT)) {
            Ok(listener) => Some(tokio::spawn(hear_all(listener, Arc::clone(&heard)))),
            Err(error) => {
                tracing::warn!("nobody hears an enclave's last words: {error}");
                None
            }
        };
        Self { heard, task }
    }

    /// Adds what was said to a failure.
    pub fn explain(&self, failed: Failed) -> Failed {
        let words = self
            .heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match words {
            None => failed,
            Some(words) => Failed {
                phase: failed.phase,
                source: AgentError::LastWords {
                    words,
                    source: Box::new(failed.source),
                },
            },
        }
    }
}

impl Drop for LastWords {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn hear_all(listener: VsockListener, heard: Arc<Mutex<Option<String>>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        match tokio::time::timeout(PATIENCE, line(stream)).await {
            Ok(Ok(words)) if !words.is_empty() => {
                tracing::warn!("last words of the enclave: {words}");
                *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
            }
            // Nothing was said.
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!("an enclave's last words were cut: {error}"),
            Err(_) => tracing::warn!("an enclave's last words did not come"),
        }
    }
}

/// One line of at most [`LONGEST`] bytes, printable. The stream's end may be open still: the enclave waits until this side closes.
async fn line(stream: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut bytes = Vec::new();
    BufReader::new(stream.take(LONGEST))
        .read_until(b'\n', &mut bytes)
        .await?;
    let text = String::from_utf8_lossy(bytes.trim_ascii_end());
    Ok(text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::Phase;
    use protocol::pb;

    #[tokio::test]
    async fn one_line_is_read_and_not_waited_beyond() {
        let (mut enclave, host) = tokio::io::duplex(4096);
        enclave
            .write_all(b"[init_mount] no \x1b[2Jroot\nmore")
            .await
            .unwrap();
        // The enclave's end stays open.
        assert_eq!(line(host).await.unwrap(), "[init_mount] no  [2Jroot");
        drop(enclave);
    }

    #[tokio::test]
    async fn no_more_than_the_longest_line_is_read() {
        let (mut enclave, host) = tokio::io::duplex(8192);
        enclave.write_all(&[b'a'; 5000]).await.unwrap();
        assert_eq!(line(host).await.unwrap().len(), 1024);
    }

    #[tokio::test]
    async fn a_failure_says_what_the_enclave_said() {
        let failed = || Failed {
            phase: Phase::Compile,
            source: AgentError::NoJob,
        };
        let words = LastWords {
            heard: Arc::default(),
            task: None,
        };
        let none = words.explain(failed()).record(pb::Stage::Unspecified);
        assert!(!none.message.contains("[fatal]"), "{}", none.message);
        *words.heard.lock().unwrap() = Some("[fatal] out of memory".to_owned());
        let record = words.explain(failed()).record(pb::Stage::Unspecified);
        assert!(
            record.message.contains("[fatal] out of memory")
                && record.message.contains(&AgentError::NoJob.to_string()),
            "{}",
            record.message
        );
        // The code stays that of what the host saw.
        assert_eq!(
            (record.phase, record.code),
            (none.phase, AgentError::NoJob.code())
        );
    }
}
