//! SIMULATED enclave on one machine: the agent's own code with a simulated security module.
//!
//! A local beacon and a development ptau are allowed here, and a Unix socket. The bundle it makes
//! says `simulation` and passes `verify` only where the user trusts a simulation explicitly.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use attestation::PcrPolicy;
use clap::Parser;
use enclave_agent::backing::BackingConfig;
use enclave_agent::{Agent, AgentConfig, selfcheck, serve};
use manifest::AgentMode;
use protocol::Transport;
use sha2::{Digest, Sha384};
use simulation::{SimulatedNsm, SystemClock, measured_image};
use tokio::signal::unix::{SignalKind, signal};

/// SIMULATED enclave agent for one machine
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Socket to listen on: unix:PATH, vsock:CID:PORT or hybrid:PATH:PORT
    #[arg(long, value_name = "ADDRESS")]
    listen: Transport,
    /// Folder with circom.wasm and solc.wasm
    #[arg(long, value_name = "DIR")]
    modules: PathBuf,
    /// Folder for artifacts: made anew, or empty
    #[arg(long, value_name = "DIR")]
    work: PathBuf,
    /// Where to write the SIMULATED root certificate (DER); needed to verify what this agent attests
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// End when standard input closes: whoever started this is gone
    #[arg(long)]
    stop_on_stdin_close: bool,
}

/// Why the agent could not start, or stopped.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("this program's own file could not be measured")]
    Measure(#[source] io::Error),
    #[error(transparent)]
    Simulation(#[from] simulation::SimulationError),
    #[error("cannot write the simulated root to {path}", path = path.display())]
    Root {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("work folder {path}", path = path.display())]
    Work {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("runtime")]
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Serve(#[from] enclave_agent::ServeError),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    anstream::eprintln!(
        "SIMULATED enclave agent: no enclave, no hardware root of trust; for one machine only"
    );
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), StartError> {
    let image = measured_image(&own_digest().map_err(StartError::Measure)?);
    let security = SimulatedNsm::new(image, SystemClock)?;
    if let Some(path) = &arguments.root {
        write_root(path, security.root_der())?;
    }
    let config = AgentConfig {
        mode: AgentMode::Simulation,
        self_checks: selfcheck::simulation(&security, &arguments.modules),
        modules: arguments.modules,
        work: arguments.work.clone(),
        anchor: security.anchor(),
        pcrs: PcrPolicy::unpinned(),
        compiler_limits: circom::Limits::default(),
        backing: BackingConfig::default(),
    };
    let agent = Agent::new(config, Arc::new(security)).map_err(|source| StartError::Work {
        path: arguments.work,
        source,
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    let result = runtime.block_on(async {
        let stop = stop_signal(arguments.stop_on_stdin_close).map_err(StartError::Runtime)?;
        serve(agent, &arguments.listen, stop).await?;
        Ok(())
    });
    // Work that is under way is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// SHA-384 of this program's file, in the place of an image's measurement.
fn own_digest() -> io::Result<[u8; 48]> {
    let mut file = std::fs::File::open(std::env::current_exe()?)?;
    let mut hasher = Sha384::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(hasher.finalize().into()),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

fn write_root(path: &Path, der: &[u8]) -> Result<(), StartError> {
    std::fs::write(path, der).map_err(|source| StartError::Root {
        path: path.to_owned(),
        source,
    })
}

/// Resolves at the first SIGTERM or SIGINT, or when standard input closes if that is watched.
fn stop_signal(watch_stdin: bool) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stdin = stdin_closed(watch_stdin);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stdin => {}
        }
    })
}

/// Resolves when standard input closes; never if it is not watched.
async fn stdin_closed(watch: bool) {
    if !watch {
        return std::future::pending().await;
    }
    let (closed, seen) = tokio::sync::oneshot::channel::<()>();
    // A thread of its own: a blocked read must not keep the runtime alive.
    std::thread::spawn(move || {
        let mut byte = [0];
        while !matches!(io::Read::read(&mut io::stdin(), &mut byte), Ok(0) | Err(_)) {}
        drop(closed);
    });
    // An error says that the sender is gone, which is the message.
    drop(seen.await);
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
