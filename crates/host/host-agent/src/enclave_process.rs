//! The enclave-agent as a local process: started, watched, and never left behind.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use protocol::Transport;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// A new enclave-agent must listen within this time. It loads the compiler modules before.
const START_TIME: Duration = Duration::from_mins(2);

/// Why there is no enclave-agent to talk to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnclaveProcessError {
    /// The program cannot be started.
    #[error("{} cannot be started", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A folder for its socket cannot be made.
    #[error("no folder for the enclave-agent's socket")]
    Socket(#[source] std::io::Error),
    /// It ended before it listened.
    #[error("enclave-agent ended before it was ready: {status}")]
    EndedEarly {
        /// How it ended.
        status: ExitStatus,
    },
    /// It did not listen in time.
    #[error("enclave-agent was not ready within {} s", START_TIME.as_secs())]
    NotReady,
}

/// A running enclave-agent. Dropping it ends the process.
#[derive(Debug)]
pub struct EnclaveProcess {
    child: Child,
    socket: PathBuf,
    /// Holds the socket; removed on drop.
    _folder: tempfile::TempDir,
}

impl EnclaveProcess {
    /// Starts `program` and waits until it listens on a Unix socket that only this user can reach.
    pub async fn start(
        program: &Path,
        modules: &Path,
        work: &Path,
    ) -> Result<Self, EnclaveProcessError> {
        let folder = tempfile::Builder::new()
            .prefix("ceremony-")
            .tempdir()
            .map_err(EnclaveProcessError::Socket)?;
        let socket = folder.path().join("enclave.sock");
        let mut child = Command::new(program)
            .arg("--listen")
            .arg(format!("unix:{}", socket.display()))
            .arg("--modules")
            .arg(modules)
            .arg("--work")
            .arg(work)
            .arg("--stop-on-stdin-close")
            // Never written to: the agent ends when this end closes, however we end.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            // Ctrl-C is for the controller, which stops its children in order.
            .process_group(0)
            .spawn()
            .map_err(|source| EnclaveProcessError::Start {
                program: program.into(),
                source,
            })?;
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(async move {
                let mut lines = BufReader::new(stderr).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    tracing::info!(target: "enclave_agent", "{line}");
                }
            });
        }
        let mut process = Self {
            child,
            socket,
            _folder: folder,
        };
        process.wait_until_it_listens().await?;
        Ok(process)
    }

    /// Where it listens.
    pub fn transport(&self) -> Transport {
        Transport::Unix {
            path: self.socket.clone(),
        }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ends it and waits for that.
    pub async fn stop(mut self) {
        drop(self.child.stdin.take());
        if tokio::time::timeout(Duration::from_secs(3), self.child.wait())
            .await
            .is_err()
            && let Err(error) = self.child.kill().await
        {
            tracing::warn!("enclave-agent could not be ended: {error}");
        }
    }

    async fn wait_until_it_listens(&mut self) -> Result<(), EnclaveProcessError> {
        let deadline = Instant::now() + START_TIME;
        while Instant::now() < deadline {
            if let Some(status) = self.ended() {
                return Err(EnclaveProcessError::EndedEarly { status });
            }
            if tokio::net::UnixStream::connect(&self.socket).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(EnclaveProcessError::NotReady)
    }
}
