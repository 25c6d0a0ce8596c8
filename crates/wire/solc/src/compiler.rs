//! Loading the module and running one compilation.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use manifest::solidity::StandardJson;
use sha2::{Digest as _, Sha256};
use wasmtime::{Cache, CacheConfig, Config, Engine, Module, OptLevel};

use crate::unpack::{SOLC_WASM_SHA256, SOLC_WASM_SIZE};
use crate::{CompiledContract, Limits, SolcError, host};

/// Name of the module in the modules folder.
pub const MODULE_FILE: &str = "solc.wasm";

/// What machine code is made for where the enclave image is built and run, as for circom: any
/// processor of this architecture, so that the image's machine code is the same wherever it was made.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// How much zstd works on the kept machine code: a sixth smaller than by default, for seconds of the
/// first load. The enclave image holds what is kept.
const COMPRESSION: i32 = 9;

/// Stack for the compiler's own frames, and for the thread that holds them and the host's.
const GUEST_STACK: usize = 8 << 20;
const THREAD_STACK: usize = GUEST_STACK + (24 << 20);

/// How often a running compilation looks at the clock.
const TICK: Duration = Duration::from_millis(50);

/// The loaded compiler. Every compilation gets a fresh instance of it.
pub struct Solc {
    engine: Engine,
    module: Module,
    limits: Limits,
}

impl Solc {
    /// Loads `solc.wasm` from the modules folder.
    ///
    /// The file must be the pinned one. Its machine code is kept in the subfolder `cache`, so that
    /// only the first load compiles it. **The cache is native code**: the folder must be as
    /// trusted as the program itself, and is part of the measured image.
    pub fn load(modules: &Path) -> Result<Self, SolcError> {
        Self::load_with(modules, Limits::default())
    }

    /// As [`Self::load`], with other limits.
    pub fn load_with(modules: &Path, limits: Limits) -> Result<Self, SolcError> {
        let wasm = read_pinned(&modules.join(MODULE_FILE))?;
        let prepare = || -> wasmtime::Result<(Engine, Module)> {
            let engine = Engine::new(&config(&modules.join("cache"))?)?;
            let module = Module::new(&engine, &wasm)?;
            Ok((engine, module))
        };
        let (engine, module) = prepare().map_err(|error| SolcError::Engine {
            source: error.into_boxed_dyn_error(),
        })?;
        Ok(Self {
            engine,
            module,
            limits,
        })
    }

    /// Compiles the verifier contract.
    pub fn compile_verifier(&self, input: &StandardJson) -> Result<CompiledContract, SolcError> {
        CompiledContract::from_answer(&self.run(input.as_str().as_bytes())?)
    }

    /// solc's answer to a standard-JSON input.
    fn run(&self, input: &[u8]) -> Result<Vec<u8>, SolcError> {
        let (done, waiting) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let compiling = std::thread::Builder::new()
                .name("solc".to_owned())
                .stack_size(THREAD_STACK)
                .spawn_scoped(scope, move || {
                    let answer = host::compile(&self.engine, &self.module, input, self.limits);
                    drop(done);
                    answer
                })
                .map_err(|source| SolcError::Thread { source })?;
            // The clock's hand: the instance compares the time at each tick.
            let started = Instant::now();
            while waiting.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                if started.elapsed() >= self.limits.time {
                    self.engine.increment_epoch();
                }
            }
            compiling.join().unwrap_or_else(|_| {
                Err(SolcError::Thread {
                    source: io::Error::other("the compiler's thread panicked"),
                })
            })
        })
    }
}

fn config(cache_folder: &Path) -> wasmtime::Result<Config> {
    let mut cache = CacheConfig::new();
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
        // Where in the compiler a trap was is of no use; the tables for it would be half as large
        // as the code. Optimised for size, the loaded code takes 55 MB.
        .generate_address_map(false)
        .native_unwind_info(false)
        .wasm_backtrace_max_frames(None)
        .cranelift_opt_level(OptLevel::SpeedAndSize);
    if cfg!(all(
        target_arch = "x86_64",
        target_os = "linux",
        target_env = "gnu"
    )) {
        config.target(TARGET)?;
    }
    Ok(config)
}

/// Reads the module, one byte more than it may have at most, and compares its digest.
fn read_pinned(path: &Path) -> Result<Vec<u8>, SolcError> {
    let read = |source| SolcError::ModuleRead {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(read)?;
    let mut wasm = Vec::with_capacity(SOLC_WASM_SIZE);
    let limit = u64::try_from(SOLC_WASM_SIZE).map_or(u64::MAX, |size| size.saturating_add(1));
    file.take(limit).read_to_end(&mut wasm).map_err(read)?;
    let got = Sha256::digest(&wasm);
    if got[..] == SOLC_WASM_SHA256 {
        Ok(wasm)
    } else {
        Err(SolcError::ModuleDigest {
            path: path.to_owned(),
            expected: hex::encode(SOLC_WASM_SHA256),
            got: hex::encode(got),
        })
    }
}
