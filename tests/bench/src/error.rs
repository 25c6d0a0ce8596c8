use std::{io, path::PathBuf};

/// Why a benchmark could not be run, or must not be believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum BenchError {
    /// A file or process could not be handled.
    #[error("{what}: {source}")]
    Io {
        /// What was done.
        what: String,
        #[source]
        source: io::Error,
    },
    /// Our engine refused.
    #[error("engine: {0}")]
    Engine(String),
    /// A step was called with the wrong number of files.
    #[error("this step takes {expected} files, {got} given")]
    Files { expected: usize, got: usize },
    /// A measured program failed, or did not say that it succeeded.
    #[error("{program} {step} failed; its output ends with: {output}")]
    Failed {
        program: String,
        step: String,
        output: String,
    },
    /// Two files that must be equal differ.
    #[error("{} and {} differ", left.display(), right.display())]
    Differ { left: PathBuf, right: PathBuf },
    /// A circuit does not come to the size that was asked for.
    #[error("no {circuit} of domain 2^{power}")]
    NoSuchCircuit { circuit: String, power: u32 },
}

impl BenchError {
    /// For `map_err`: names what was done to what.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |source| Self::Io { what, source }
    }

    pub(crate) fn engine(error: impl std::fmt::Display) -> Self {
        Self::Engine(error.to_string())
    }
}
