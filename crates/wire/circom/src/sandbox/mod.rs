//! One run of the module: a fresh store, the guest's files, the limits, the watching thread.

mod errno;
mod files;
mod guest;
mod memory;
mod stop;
mod wasi;

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use manifest::sources::SourceBundle;
use wasmtime::{Engine, InstancePre, Linker, Module, Store, Trap, UpdateDeadline};

use files::{Files, OUTPUT_FOLDER};
use guest::Guest;
use stop::Stop;

use crate::{CircomError, CircomOptions, Diagnostics, Limits, Output};

/// Stack of the guest's calls. circom descends recursively into expressions and templates.
pub(crate) const GUEST_STACK: usize = 192 << 20;
/// Stack of the thread that runs the guest, with room for the host's own frames.
const THREAD_STACK: usize = GUEST_STACK + (32 << 20);
/// How often the watching thread looks at the clock.
const TICK: Duration = Duration::from_millis(20);

/// What a run without error gives.
pub(crate) struct Run {
    /// What the compiler printed, cleaned.
    pub(crate) printed: Diagnostics,
    /// Most memory the compiler had, in bytes.
    pub(crate) memory_peak: u64,
}

/// The module linked with the sandbox's functions, ready to be run many times.
pub(crate) fn link(engine: &Engine, module: &Module) -> wasmtime::Result<Prepared> {
    let mut linker = Linker::new(engine);
    wasi::define(&mut linker)?;
    Ok(Prepared(linker.instantiate_pre(module)?))
}

/// A linked module.
pub(crate) struct Prepared(InstancePre<Guest>);

/// Runs the compiler once on its own thread and waits for it, watching time and cancellation.
pub(crate) fn run(
    prepared: &Prepared,
    bundle: &SourceBundle,
    options: &CircomOptions,
    limits: &Limits,
    r1cs: File,
    wasm: File,
    cancelled: &dyn Fn() -> bool,
) -> Result<Run, CircomError> {
    let files = Files::new(bundle, r1cs, wasm, limits.output_bytes);
    let guest = Guest::new(arguments(bundle, options), files, limits.memory_bytes);
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    let engine = prepared.0.module().engine();
    std::thread::scope(|scope| {
        let (done, finished) = sync_channel::<()>(1);
        let thread = std::thread::Builder::new()
            .name("circom".into())
            .stack_size(THREAD_STACK)
            .spawn_scoped(scope, move || {
                let ended = execute(prepared, guest, flag);
                drop(done);
                ended
            })
            .map_err(|source| CircomError::Thread { source })?;
        let started = Instant::now();
        let mut why = None;
        while finished.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            if why.is_none() && started.elapsed() >= limits.time {
                why = Some(CircomError::Timeout { limit: limits.time });
            }
            if why.is_none() && cancelled() {
                why = Some(CircomError::Cancelled);
            }
            if why.is_some() {
                interrupted.store(true, Ordering::Relaxed);
            }
            engine.increment_epoch();
        }
        let Ok((guest, ended)) = thread.join() else {
            return Err(CircomError::CompilerPanicked {
                diagnostics: Diagnostics::clean(b"the thread of the compiler panicked"),
            });
        };
        judge(guest, ended, why, limits)
    })
}

/// The command line: sources by their bundle paths, with `./` so that a name may start with a dash.
fn arguments(bundle: &SourceBundle, options: &CircomOptions) -> Vec<String> {
    let mut arguments = vec!["circom".to_owned(), format!("./{}", bundle.main())];
    arguments.extend(["--r1cs", "--wasm", "--output", OUTPUT_FOLDER].map(str::to_owned));
    for library in bundle.libraries() {
        arguments.extend(["-l".to_owned(), format!("./{library}")]);
    }
    arguments.extend(options.arguments());
    arguments
}

fn execute(
    prepared: &Prepared,
    guest: Guest,
    interrupted: Arc<AtomicBool>,
) -> (Guest, wasmtime::Result<()>) {
    let mut store = Store::new(prepared.0.module().engine(), guest);
    store.limiter(|guest| guest);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        if interrupted.load(Ordering::Relaxed) {
            Err(wasmtime::Error::new(Stop::Interrupted))
        } else {
            Ok(UpdateDeadline::Continue(1))
        }
    });
    let ended = prepared
        .0
        .instantiate(&mut store)
        .and_then(|instance| instance.get_typed_func::<(), ()>(&mut store, "_start"))
        .and_then(|start| start.call(&mut store, ()));
    (store.into_data(), ended)
}

/// Turns the guest's end into a result; every end that is not status 0 with both files is an error.
fn judge(
    mut guest: Guest,
    ended: wasmtime::Result<()>,
    why: Option<CircomError>,
    limits: &Limits,
) -> Result<Run, CircomError> {
    let diagnostics = Diagnostics::clean(&guest.printed);
    let status = match ended {
        Ok(()) => 0,
        Err(error) => match error.downcast::<Stop>() {
            Ok(Stop::Exit { status }) => status,
            Ok(Stop::Interrupted) => return Err(why.unwrap_or(CircomError::Cancelled)),
            Ok(Stop::OutputTooLarge { output }) => {
                return Err(too_large(output, limits));
            }
            Ok(Stop::OutputIo { output, source }) => {
                return Err(CircomError::OutputIo { output, source });
            }
            Err(trap) => return Err(trapped(&trap, &guest, diagnostics, limits)),
        },
    };
    if status != 0 {
        return Err(refused(diagnostics));
    }
    let written = guest.files.finish().map_err(|stop| match stop {
        Stop::OutputIo { output, source } => CircomError::OutputIo { output, source },
        _ => too_large(Output::R1cs, limits),
    })?;
    for (output, written) in [Output::R1cs, Output::Wasm].into_iter().zip(written) {
        if !written {
            return Err(CircomError::OutputMissing { output });
        }
    }
    Ok(Run {
        printed: diagnostics,
        memory_peak: guest.memory.peak,
    })
}

fn too_large(output: Output, limits: &Limits) -> CircomError {
    CircomError::OutputTooLarge {
        output,
        limit: limits.output_bytes,
    }
}

/// circom ended with a status other than 0.
fn refused(diagnostics: Diagnostics) -> CircomError {
    if diagnostics.has_code("P1001") {
        CircomError::NoMainComponent { diagnostics }
    } else if diagnostics.has_code("P1014") {
        CircomError::IncludeNotFound { diagnostics }
    } else {
        CircomError::CompileFailed { diagnostics }
    }
}

/// The module trapped: its stack, its memory, or a panic of the compiler.
fn trapped(
    trap: &wasmtime::Error,
    guest: &Guest,
    diagnostics: Diagnostics,
    limits: &Limits,
) -> CircomError {
    let out_of_memory = CircomError::OutOfMemory {
        limit: limits.memory_bytes,
        wanted: guest.memory.refused,
    };
    match trap.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => CircomError::StackExhausted,
        _ if guest.memory.refused.is_some() => out_of_memory,
        _ if diagnostics.as_str().contains("capacity overflow") => out_of_memory,
        // The compiler's own stack lies at the low end of its memory and overflows below zero.
        Some(Trap::MemoryOutOfBounds) => CircomError::StackExhausted,
        _ => CircomError::CompilerPanicked { diagnostics },
    }
}
