//! Why there is no emulated enclave.

use std::io;
use std::path::PathBuf;

/// Why there is no emulated enclave.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// A socket's path without a folder.
    #[error("the socket's path has no folder")]
    NoFolder,
    /// One of the two programs cannot be started.
    #[error("cannot start {program}")]
    Start {
        /// Which.
        program: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A socket cannot be had.
    #[error("{what}")]
    Socket {
        /// What was to be done.
        what: &'static str,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// One of the two programs ended by itself.
    #[error("{program} ended: {status}{said}")]
    Ended {
        /// Which.
        program: &'static str,
        /// How.
        status: std::process::ExitStatus,
        /// What the enclave said before, if anything.
        said: String,
    },
    /// The image did not come as far as its heartbeat.
    #[error("the image sent no heartbeat within {seconds} s")]
    NoHeartbeat {
        /// How long was waited.
        seconds: u64,
    },
    /// The image sent its heartbeat, but its service does not answer.
    #[error("the service does not answer")]
    NoService,
}
