//! Why a compilation did not give an r1cs.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::Diagnostics;

/// One of the two files a compilation writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The constraint system.
    R1cs,
    /// The witness generator.
    Wasm,
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::R1cs => "r1cs",
            Self::Wasm => "witness wasm",
        })
    }
}

/// Why the compiler could not be loaded, or a compilation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircomError {
    /// `circom.wasm` cannot be read.
    #[error("cannot read the circom module `{}`", path.display())]
    ModuleRead {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `circom.wasm` is another file than the pinned one.
    #[error("`{}` is not the pinned circom module: expected sha256 {expected}, got {got}", path.display())]
    ModuleDigest {
        /// The file.
        path: PathBuf,
        /// Pinned digest, hex.
        expected: &'static str,
        /// Digest of the file, hex.
        got: String,
    },
    /// wasmtime could not prepare the module.
    #[error("the WebAssembly engine cannot run the circom module")]
    Engine {
        /// What wasmtime says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The compiler's thread could not be started.
    #[error("cannot start the compiler's thread")]
    Thread {
        /// Why.
        source: io::Error,
    },
    /// circom refused the circuit.
    #[error("circom refused the circuit:\n{diagnostics}")]
    CompileFailed {
        /// What circom said, cleaned.
        diagnostics: Diagnostics,
    },
    /// No main component.
    #[error("the circuit has no main component")]
    NoMainComponent {
        /// What circom said, cleaned.
        diagnostics: Diagnostics,
    },
    /// An included file is not in the bundle; leaving the include root looks like this too.
    #[error("an included file is not in the source bundle:\n{diagnostics}")]
    IncludeNotFound {
        /// What circom said, cleaned.
        diagnostics: Diagnostics,
    },
    /// circom itself broke down.
    #[error("the circom compiler broke down:\n{diagnostics}")]
    CompilerPanicked {
        /// What circom said, cleaned.
        diagnostics: Diagnostics,
    },
    /// The circuit uses custom templates, which Groth16 keys cannot hold.
    #[error("the circuit uses custom templates: their gates are not part of a Groth16 key")]
    CustomGates,
    /// The circuit has no constraints.
    #[error("the circuit has no constraints: a key for it would prove nothing")]
    ZeroConstraints,
    /// Out of time.
    #[error("circom did not finish within {} s", limit.as_secs_f32())]
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// Out of memory.
    #[error("circom needs more memory than its limit of {limit} bytes")]
    OutOfMemory {
        /// The limit in bytes.
        limit: u64,
        /// Memory it asked for last; none where it never came to ask, because the size was
        /// beyond any address space.
        wanted: Option<u64>,
    },
    /// The circuit nests too deeply for the compiler's stack.
    #[error("the circuit nests too deeply for circom's stack")]
    StackExhausted,
    /// The caller asked to stop.
    #[error("the compilation was cancelled")]
    Cancelled,
    /// An output grew beyond its limit.
    #[error("the {output} grows beyond its limit of {limit} bytes")]
    OutputTooLarge {
        /// Which.
        output: Output,
        /// The limit in bytes.
        limit: u64,
    },
    /// An output file could not be written or read back.
    #[error("cannot write the {output}")]
    OutputIo {
        /// Which.
        output: Output,
        /// Why.
        source: io::Error,
    },
    /// The compiler reported success and did not write this file.
    #[error("circom reported success but wrote no {output}")]
    OutputMissing {
        /// Which.
        output: Output,
    },
    /// The compiler wrote an r1cs that is not well-formed.
    #[error("circom wrote an r1cs that cannot be read back")]
    R1cs {
        /// What is wrong with it.
        source: formats::r1cs::R1csError,
    },
}

impl CircomError {
    /// Stable code of this error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ModuleRead { .. } => "circom_module_read",
            Self::ModuleDigest { .. } => "circom_module_digest",
            Self::Engine { .. } => "circom_engine",
            Self::Thread { .. } => "circom_thread",
            Self::CompileFailed { .. } => "circuit_refused",
            Self::NoMainComponent { .. } => "circuit_no_main",
            Self::IncludeNotFound { .. } => "circuit_include_not_found",
            Self::CompilerPanicked { .. } => "circom_panicked",
            Self::CustomGates => "circuit_custom_gates",
            Self::ZeroConstraints => "circuit_zero_constraints",
            Self::Timeout { .. } => "circuit_timeout",
            Self::OutOfMemory { .. } => "circuit_out_of_memory",
            Self::StackExhausted => "circuit_stack_exhausted",
            Self::Cancelled => "circuit_cancelled",
            Self::OutputTooLarge { .. } => "circuit_output_too_large",
            Self::OutputIo { .. } => "circuit_output_io",
            Self::OutputMissing { .. } => "circom_output_missing",
            Self::R1cs { .. } => "circom_r1cs",
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ModuleRead { .. } | Self::ModuleDigest { .. } => {
                "fill the modules folder again: `cargo run --release -p xtask -- modules`"
            }
            Self::Engine { .. } | Self::Thread { .. } => {
                "the compiler needs an executable address space of several GiB; look at ulimit -v"
            }
            Self::CompileFailed { .. } => "correct the circuit; the message is circom's own",
            Self::NoMainComponent { .. } => {
                "add `component main {public [...]} = Template(...);` to the file you name, or name the file that has it"
            }
            Self::IncludeNotFound { .. } => {
                "name the folder the include is relative to with -l; a file outside all of them cannot be included"
            }
            Self::CompilerPanicked { .. } => {
                "a bug in circom: make the circuit smaller until it disappears"
            }
            Self::CustomGates => "use ordinary templates; custom ones belong to PLONK",
            Self::ZeroConstraints => {
                "constrain the outputs with `<==` or `===`; `<--` alone constrains nothing"
            }
            Self::Timeout { .. } => {
                "look for a loop without end, or raise the limit for a large circuit"
            }
            Self::OutOfMemory { .. } => {
                "look for an array that is too large; beyond 4 GiB of compiler memory give a compiled .r1cs"
            }
            Self::StackExhausted => "look for a template or function that calls itself without end",
            Self::Cancelled => "start again when you are ready",
            Self::OutputTooLarge { .. } | Self::OutputIo { .. } => {
                "look at the free space where the artifacts are kept"
            }
            Self::OutputMissing { .. } | Self::R1cs { .. } => "a bug: report it with the circuit",
        }
    }
}
