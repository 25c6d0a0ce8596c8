//! The module: checked against its pinned digest, prepared once, run per compilation.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::r1cs::{R1cs, R1csError, R1csHeader};
use formats::source::FileSource;
use manifest::sources::SourceBundle;
use sha2::{Digest as _, Sha256};
use wasmtime::{Cache, CacheConfig, Config, Engine, Module};

use crate::sandbox::{self, GUEST_STACK, Prepared};
use crate::{CircomError, CircomOptions, Diagnostics, Limits, Output};

/// Name of the module in the modules folder.
pub const MODULE_FILE: &str = "circom.wasm";
/// SHA-256 of `circom.wasm` in the npm package `circom2` 0.2.23 (circom 2.2.3).
pub const MODULE_SHA256: &str = "96fc92a93768f38979db6c2bac4b1aa9fc7d66742121a63d4c4792d5b4037162";
/// Folder for machine code made from the modules, inside the modules folder.
const CACHE_FOLDER: &str = "cache";
/// What machine code is made for where the enclave image is built and run: any processor of this
/// architecture. wasmtime's default is the processor at hand, and the image holds machine code that
/// has to be the same wherever it was made.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// How much zstd works on the kept machine code: a sixth smaller than by default, for seconds of the
/// first load. The enclave image holds what is kept.
const COMPRESSION: i32 = 9;

/// The compiler, ready to run. Cheap to clone; one compilation does not see another.
#[derive(Clone)]
pub struct Circom {
    prepared: Arc<Prepared>,
}

/// Files a compilation writes, open for reading and writing. What they held is discarded.
pub struct Outputs {
    /// Receives the constraint system.
    pub r1cs: File,
    /// Receives the witness generator.
    pub wasm: File,
}

/// What a compilation that succeeded says.
#[derive(Clone, Debug)]
pub struct CompileReport {
    /// What circom printed: counts and warnings.
    pub printed: Diagnostics,
    /// Header of the r1cs that was written.
    pub r1cs: R1csHeader,
    /// Most memory the compiler had, in bytes.
    pub memory_peak: u64,
}

impl Circom {
    /// Loads `circom.wasm` from the modules folder.
    ///
    /// The first load makes machine code of it (seconds) and keeps that in `cache` beside it; later
    /// ones take milliseconds. The cache is trusted as much as the program itself: the folder must
    /// not be writable by others. In the enclave image it is part of what is measured.
    pub fn load(modules: &Path) -> Result<Self, CircomError> {
        let path = modules.join(MODULE_FILE);
        let bytes = std::fs::read(&path).map_err(|source| CircomError::ModuleRead {
            path: path.clone(),
            source,
        })?;
        check_digest(&path, &bytes)?;
        let prepared =
            prepare(&bytes, modules.join(CACHE_FOLDER)).map_err(|error| CircomError::Engine {
                source: error.into(),
            })?;
        Ok(Self {
            prepared: Arc::new(prepared),
        })
    }

    /// Compiles a bundle. `cancelled` is asked every few milliseconds whether to stop.
    ///
    /// The r1cs is opened again afterwards: custom gates and circuits without constraints are refused.
    /// On an error the output files hold whatever was written until then.
    pub fn compile(
        &self,
        bundle: &SourceBundle,
        options: &CircomOptions,
        limits: &Limits,
        outputs: Outputs,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<CompileReport, CircomError> {
        let written = outputs.r1cs.try_clone().map_err(output_error)?;
        let run = sandbox::run(
            &self.prepared,
            bundle,
            options,
            limits,
            outputs.r1cs,
            outputs.wasm,
            cancelled,
        )?;
        Ok(CompileReport {
            printed: run.printed,
            r1cs: read_back(written)?,
            memory_peak: run.memory_peak,
        })
    }
}

fn read_back(written: File) -> Result<R1csHeader, CircomError> {
    let source = FileSource::from_file(written).map_err(output_error)?;
    match R1cs::open(source) {
        Ok(r1cs) => Ok(*r1cs.header()),
        Err(R1csError::CustomGates { .. }) => Err(CircomError::CustomGates),
        Err(R1csError::NoConstraints) => Err(CircomError::ZeroConstraints),
        Err(source) => Err(CircomError::R1cs { source }),
    }
}

fn output_error(source: std::io::Error) -> CircomError {
    CircomError::OutputIo {
        output: Output::R1cs,
        source,
    }
}

fn check_digest(path: &Path, bytes: &[u8]) -> Result<(), CircomError> {
    let got = hex::encode(Sha256::digest(bytes));
    if got == MODULE_SHA256 {
        return Ok(());
    }
    Err(CircomError::ModuleDigest {
        path: path.to_owned(),
        expected: MODULE_SHA256,
        got,
    })
}

fn prepare(bytes: &[u8], cache_folder: PathBuf) -> wasmtime::Result<Prepared> {
    let mut cache = CacheConfig::new();
    // wasmtime takes absolute folders only; the modules folder may be given relative to here.
    cache.with_directory(std::path::absolute(cache_folder)?);
    cache.with_baseline_compression_level(COMPRESSION);
    // wasmtime would pack what is used often anew, and the image must hold the same bytes whenever it is built.
    cache.with_optimized_compression_usage_counter_threshold(u64::MAX);
    let mut config = Config::new();
    config
        .cache(Some(Cache::new(cache)?))
        .epoch_interruption(true)
        .max_wasm_stack(GUEST_STACK)
        .async_stack_size(GUEST_STACK + (1 << 20))
        .wasm_backtrace_max_frames(None);
    if cfg!(all(
        target_arch = "x86_64",
        target_os = "linux",
        target_env = "gnu"
    )) {
        config.target(TARGET)?;
    }
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, bytes)?;
    sandbox::link(&engine, &module)
}
