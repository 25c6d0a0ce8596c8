//! Why there is no enclave.

use std::io;
use std::path::PathBuf;

use super::advice::advice;

/// Why there is no enclave, or not the one that is wanted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NitroError {
    /// `nitro-cli` cannot be run.
    #[error("{} cannot be run", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `nitro-cli` did not end.
    #[error("nitro-cli {call} did not end within {seconds} s")]
    Silent {
        /// What was asked for.
        call: &'static str,
        /// Seconds waited.
        seconds: u64,
    },
    /// `nitro-cli` refused.
    #[error("nitro-cli {call} failed{}: {words}", error_code.as_ref().map(|code| format!(" with {code}")).unwrap_or_default())]
    Refused {
        /// What was asked for.
        call: &'static str,
        /// Its own code, `E00` to `E59`, if it gave one.
        error_code: Option<String>,
        /// Its own words, shortened.
        words: String,
    },
    /// The answer is not what `nitro-cli` answers.
    #[error("nitro-cli {call} answered something else: {problem}")]
    Answer {
        /// What was asked for.
        call: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The enclave was started, and is not there.
    #[error("enclave {id} ended at once")]
    Gone {
        /// Its id.
        id: String,
    },
    /// The enclave is there, and does not run.
    #[error("the enclave is {state}, not RUNNING")]
    State {
        /// What it is.
        state: String,
    },
    /// The enclave runs in debug mode: its memory can be read and its attestations are worth nothing.
    #[error("the enclave runs with flags {flags}, not NONE")]
    Debug {
        /// The flags.
        flags: String,
    },
    /// The image is another one.
    #[error("PCR{index} of the enclave is {got}, expected {expected}")]
    Pcr {
        /// Which.
        index: usize,
        /// Expected, hex.
        expected: String,
        /// Measured, hex.
        got: String,
    },
    /// Memory or processors could not be set aside.
    #[error("{wanted} MiB of huge pages on one node are needed, there are {got}")]
    Memory {
        /// MiB wanted.
        wanted: u64,
        /// Most MiB on one node.
        got: u64,
    },
    /// Too few processors were set aside.
    #[error("{wanted} processors are needed for the enclave, {got} are set aside")]
    Processors {
        /// Wanted.
        wanted: u32,
        /// Set aside.
        got: u32,
    },
    /// A file of the machine cannot be read or written.
    #[error("{path}")]
    File {
        /// The file.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
}

impl NitroError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Program { .. } => "nitro_missing",
            Self::Silent { .. } | Self::Refused { .. } => "nitro_cli",
            Self::Answer { .. } => "nitro_answer",
            Self::Gone { .. } | Self::State { .. } => "nitro_state",
            Self::Debug { .. } => "nitro_debug",
            Self::Pcr { .. } => "nitro_pcr",
            Self::Memory { .. } => "nitro_memory",
            Self::Processors { .. } => "nitro_processors",
            Self::File { .. } => "nitro_file",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Program { .. } => {
                "the package aws-nitro-enclaves-cli is not installed on the host"
            }
            Self::Refused {
                error_code: Some(code),
                ..
            } => return advice(code).map(|advice| advice.action.to_owned()),
            Self::Refused { .. } | Self::Silent { .. } => {
                "the host's /var/log/nitro_enclaves has more; try again, then another instance type"
            }
            Self::Answer { .. } => "another version of nitro-cli than 1.3 or 1.4 is installed",
            Self::Gone { .. } | Self::State { .. } => {
                "the image does not boot on this type: check it in the emulator, then with more memory"
            }
            Self::Debug { .. } => {
                "somebody started it with --debug-mode; its keys must never be used"
            }
            Self::Pcr { .. } => {
                "the image is not the one the controller was told to expect: build it again, or name its PCRs"
            }
            Self::Memory { .. } | Self::Processors { .. } => {
                "take a larger instance type, or ask for less enclave memory"
            }
            Self::File { .. } => return None,
        };
        Some(text.to_owned())
    }
}
