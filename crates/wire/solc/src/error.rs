//! Why a contract was not compiled.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why the compiler could not be loaded, or a compilation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SolcError {
    /// `solc.wasm` cannot be read.
    #[error("cannot read the Solidity module `{}`", path.display())]
    ModuleRead {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `solc.wasm` is another file than the pinned one.
    #[error("`{}` is not the pinned Solidity module: expected sha256 {expected}, got {got}", path.display())]
    ModuleDigest {
        /// The file.
        path: PathBuf,
        /// Pinned digest, hex.
        expected: String,
        /// Digest of the file, hex.
        got: String,
    },
    /// wasmtime could not prepare the module.
    #[error("the WebAssembly engine cannot run the Solidity module")]
    Engine {
        /// What wasmtime says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The compiler's thread could not be started, or broke down.
    #[error("cannot run the compiler's thread")]
    Thread {
        /// Why.
        source: io::Error,
    },
    /// Out of time.
    #[error("solc did not finish within {} s", limit.as_secs_f32())]
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// Out of memory.
    #[error("solc needs more memory than its limit of {limit} bytes")]
    OutOfMemory {
        /// The limit in bytes.
        limit: u32,
    },
    /// solc itself broke down.
    #[error("the Solidity compiler broke down")]
    Crashed {
        /// The trap.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// solc refused the contract.
    #[error("solc refused the contract: {}", diagnostics.join("; "))]
    CompileFailed {
        /// What solc said: at most 20 messages of at most 500 characters.
        diagnostics: Vec<String>,
    },
    /// solc's answer is not the JSON that was asked for.
    #[error("solc's answer lacks `{field}`")]
    Answer {
        /// The part that is missing or of another type.
        field: &'static str,
    },
    /// solc answered more than its limit.
    #[error("solc's answer is longer than {limit} bytes")]
    AnswerTooLong {
        /// The limit.
        limit: usize,
    },
    /// The code has holes that deployment fills in, so it is not the code that will run.
    #[error("the contract's {field} is not empty: its code is not fixed before deployment")]
    NotFixed {
        /// The list that is not empty.
        field: &'static str,
    },
    /// The creation code does not end in the runtime code.
    #[error(
        "the creation code ({creation} bytes) does not end in the runtime code ({runtime} bytes)"
    )]
    RuntimeNotInCreation {
        /// Bytes of creation code.
        creation: usize,
        /// Bytes of runtime code.
        runtime: usize,
    },
}

impl SolcError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ModuleRead { .. } => "solc_module_read",
            Self::ModuleDigest { .. } => "solc_module_digest",
            Self::Engine { .. } => "solc_engine",
            Self::Thread { .. } => "solc_thread",
            Self::Timeout { .. } => "solc_timeout",
            Self::OutOfMemory { .. } => "solc_out_of_memory",
            Self::Crashed { .. } => "solc_crashed",
            Self::CompileFailed { .. } => "solc_compile_failed",
            Self::Answer { .. } => "solc_answer",
            Self::AnswerTooLong { .. } => "solc_answer_too_long",
            Self::NotFixed { .. } => "solc_not_fixed",
            Self::RuntimeNotInCreation { .. } => "solc_runtime_not_in_creation",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ModuleRead { .. } | Self::ModuleDigest { .. } => {
                "fill the modules folder again with `cargo run --release -p xtask -- modules`"
            }
            Self::Engine { .. } => "delete the folder `cache` in the modules folder and try again",
            Self::Thread { .. } | Self::OutOfMemory { .. } => "give the machine more memory",
            Self::Timeout { .. } => "try again on a machine that is less busy",
            Self::Crashed { .. }
            | Self::CompileFailed { .. }
            | Self::Answer { .. }
            | Self::AnswerTooLong { .. }
            | Self::NotFixed { .. }
            | Self::RuntimeNotInCreation { .. } => {
                "this is a bug if the contract is one of ours: report it with verifier.input.json"
            }
        }
    }
}
