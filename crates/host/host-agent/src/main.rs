//! The `host-agent` program.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use cloud::{FolderStore, RunId};
use host_agent::cli::Cli;
use host_agent::report::Reporter;
use host_agent::story::{self, Config, EnclaveChoice};
use host_agent::{AgentError, Failed, Phase};
use protocol::pb;
use tokio::sync::oneshot;

/// The job is done.
const DONE: u8 = 0;
/// The job failed; its last status record says why.
const FAILED: u8 = 3;
/// Wrong usage.
const USAGE: u8 = 2;
/// Stopped on request.
const STOPPED: u8 = 130;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.verbose);
    let (config, reporter) = match prepare(&cli) {
        Ok(prepared) => prepared,
        Err(message) => {
            tracing::error!("{message}");
            return ExitCode::from(USAGE);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("no runtime: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let code = runtime.block_on(supervise(cli.stop_on_stdin_close, config, reporter));
    // Work on other threads may still be in a long call; it ends with the process.
    runtime.shutdown_background();
    ExitCode::from(code)
}

fn prepare(cli: &Cli) -> Result<(Config, Arc<Reporter>), String> {
    let id: RunId = cli
        .run
        .parse()
        .map_err(|e| format!("--run {:?}: {e}", cli.run))?;
    let store = FolderStore::open(&cli.store).map_err(|e| format!("--store: {}", chain(&e)))?;
    std::fs::create_dir_all(&cli.work).map_err(|e| format!("--work: {e}"))?;
    let enclave = match (&cli.enclave_agent, &cli.enclave) {
        (Some(program), _) => EnclaveChoice::Start(program.clone()),
        (None, Some(address)) => {
            EnclaveChoice::Running(address.parse().map_err(|e| format!("--enclave: {e}"))?)
        }
        (None, None) => return Err("one of --enclave-agent and --enclave is needed".into()),
    };
    let config = Config {
        work: cli.work.clone(),
        modules: cli.modules.clone(),
        enclave,
        ptau_cache: cli.ptau_cache.clone().unwrap_or_else(default_cache),
        memory_bytes: u64::from(cli.memory) << 20,
        beacon_patience: Duration::from_secs(cli.beacon_patience),
    };
    let reporter = Reporter::new(store, id).map_err(|e| format!("--store: {}", chain(&e)))?;
    Ok((config, Arc::new(reporter)))
}

/// Runs the story until it ends or somebody asks to stop, and writes the last record.
async fn supervise(watch_stdin: bool, config: Config, reporter: Arc<Reporter>) -> u8 {
    let outcome = tokio::select! {
        outcome = story::run(config, Arc::clone(&reporter)) => outcome,
        () = stop_requested(watch_stdin, Arc::clone(&reporter)) => {
            reporter.cancel();
            Err(Failed { phase: Phase::Stop, source: AgentError::Stopped })
        }
    };
    let code = match outcome {
        Ok(done) => {
            reporter.done(done);
            DONE
        }
        Err(failed) => {
            tracing::error!("{}", chain(&failed));
            let stopped = matches!(failed.source, AgentError::Stopped);
            reporter.failure(failed.record(reporter.stage_reached()));
            if stopped { STOPPED } else { FAILED }
        }
    };
    match reporter.check() {
        Ok(()) => code,
        Err(error) => {
            tracing::error!("status log incomplete: {}", chain(&error));
            FAILED
        }
    }
}

/// Returns when a signal, a closed standard input or an abort record asks to stop.
async fn stop_requested(watch_stdin: bool, reporter: Arc<Reporter>) {
    use tokio::signal::unix::{SignalKind, signal};
    let stdin_closed = async {
        if !watch_stdin {
            return std::future::pending().await;
        }
        let (closed, seen) = oneshot::channel::<()>();
        // A thread of its own: a blocked read must not keep the runtime alive.
        std::thread::spawn(move || {
            let mut byte = [0];
            while !matches!(std::io::stdin().read(&mut byte), Ok(0) | Err(_)) {}
            drop(closed);
        });
        // An error says that the sender is gone, which is the message.
        drop(seen.await);
    };
    let abort = async {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            if let Ok(Some(control)) = reporter.run().control(0)
                && matches!(control.command, Some(pb::control::Command::Abort(true)))
            {
                return;
            }
        }
    };
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return abort.await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = stdin_closed => {}
        () = abort => {}
    }
}

fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .without_time()
        .init();
}

fn default_cache() -> PathBuf {
    std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("attested-ceremony/ptau")
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
