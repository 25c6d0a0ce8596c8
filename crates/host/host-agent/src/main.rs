//! The `host-agent` program.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use cloud::RunId;
use host_agent::cli::{Cli, Command, Job};
use host_agent::nitro::reserve::{self, ThisMachine};
use host_agent::nitro::{NitroChoice, NitroError};
use host_agent::observe::{JsonLog, Metrics, server};
use host_agent::report::Reporter;
use host_agent::store;
use host_agent::story::{self, Config, EnclaveChoice};
use host_agent::upload::CarefulStore;
use host_agent::watch::{self, Watch};
use host_agent::{AgentError, Failed, Phase};
use infra::host_config::{HostConfig, RawHostConfig};
use tokio::sync::oneshot;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

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
    match (cli.command, cli.job) {
        (Some(Command::Reserve { host_config }), _) => {
            log(1, None);
            set_aside(&host_config)
        }
        (None, Some(job)) => run(&job),
        // clap asks for the job's arguments where there is no command.
        (None, None) => ExitCode::from(USAGE),
    }
}

/// Sets memory and processors aside for the enclave.
fn set_aside(host_config: &std::path::Path) -> ExitCode {
    let config = match read_host_config(host_config) {
        Ok(config) => config,
        Err(message) => {
            tracing::error!("{message}");
            return ExitCode::from(USAGE);
        }
    };
    match reserve::reserve(&ThisMachine, config.enclave_memory_mib, config.enclave_cpus) {
        Ok(reserved) => {
            tracing::info!(
                "{} MiB of huge pages on {}, {} processors, after {} attempts{}",
                reserved.memory_mib,
                reserved.node,
                reserved.cpus,
                reserved.attempts,
                if reserved.fell_back {
                    ", small pages only"
                } else {
                    ""
                }
            );
            ExitCode::from(DONE)
        }
        Err(error) => {
            let hint = NitroError::hint(&error).unwrap_or_default();
            tracing::error!(code = error.code(), "{}; hint: {hint}", chain(&error));
            ExitCode::from(FAILED)
        }
    }
}

fn run(job: &Job) -> ExitCode {
    let json = match job.log_json.as_deref().map(JsonLog::open).transpose() {
        Ok(json) => json,
        Err(error) => {
            log(job.verbose, None);
            tracing::error!("--log-json: {error}");
            return ExitCode::from(USAGE);
        }
    };
    log(job.verbose, json.as_ref());
    let prepared = match prepare(job, json) {
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
    let code = runtime.block_on(supervise(prepared));
    // Work on other threads may still be in a long call; it ends with the process.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Everything a run needs.
struct Prepared {
    config: Config,
    reporter: Arc<Reporter>,
    watch: Watch,
    watch_stdin: bool,
    metrics_at: Option<std::net::SocketAddr>,
    log_file: Option<PathBuf>,
}

fn prepare(job: &Job, json: Option<JsonLog>) -> Result<Prepared, String> {
    let id: RunId = job
        .run
        .parse()
        .map_err(|e| format!("--run {:?}: {e}", job.run))?;
    let metrics = Arc::new(Metrics::default());
    let place = store::open(&job.store).map_err(|e| format!("--store: {}", chain(&*e)))?;
    let store = CarefulStore::new(place, Arc::clone(&metrics));
    std::fs::create_dir_all(&job.work).map_err(|e| format!("--work: {e}"))?;
    let host = job
        .host_config
        .as_deref()
        .map(read_host_config)
        .transpose()?;
    if let Some(host) = &host
        && host.run != id.as_str()
    {
        return Err(format!(
            "--host-config is of the run {}, not {id}",
            host.run
        ));
    }
    let enclave = match (&job.enclave_agent, &job.enclave, &job.eif, &host) {
        (Some(program), ..) => EnclaveChoice::Start(program.clone()),
        (_, Some(address), ..) => {
            EnclaveChoice::Running(address.parse().map_err(|e| format!("--enclave: {e}"))?)
        }
        (_, _, Some(image), Some(host)) => {
            EnclaveChoice::Nitro(NitroChoice::of(host, job.nitro_cli.clone(), image.clone()))
        }
        _ => return Err("one of --enclave-agent, --enclave and --eif is needed".into()),
    };
    let ptau_mirror = store::mirror_of(host.as_ref())
        .map_err(|e| format!("ptau_mirror of --host-config: {}", chain(&*e)))?;
    let memory = job
        .memory
        .or(host.as_ref().map(|host| host.host_memory_mib))
        .unwrap_or(256);
    let config = Config {
        work: job.work.clone(),
        modules: job.modules.clone(),
        enclave,
        ptau_cache: job.ptau_cache.clone().unwrap_or_else(default_cache),
        ptau_mirror,
        memory_bytes: u64::from(memory) << 20,
        beacon_patience: Duration::from_secs(job.beacon_patience),
    };
    let reporter = Reporter::new(Arc::new(store), id)
        .map_err(|e| format!("--store: {}", chain(&e)))?
        .with_metrics(metrics);
    let watch = Watch {
        poll: Duration::from_millis(500),
        heartbeat: job.heartbeat.map(Duration::from_secs),
        deadline_file: job.deadline_file.clone(),
        log: json,
    };
    Ok(Prepared {
        config,
        reporter: Arc::new(reporter),
        watch,
        watch_stdin: job.stop_on_stdin_close,
        metrics_at: job.metrics,
        log_file: job.log_json.clone(),
    })
}

fn read_host_config(path: &std::path::Path) -> Result<HostConfig, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    RawHostConfig(bytes)
        .validate()
        .map_err(|e| format!("{}: {}", path.display(), chain(&e)))
}

/// Runs the story until it ends or somebody asks to stop, and writes the last record.
async fn supervise(prepared: Prepared) -> u8 {
    let Prepared {
        config,
        reporter,
        watch,
        watch_stdin,
        metrics_at,
        log_file,
    } = prepared;
    if let Some(address) = metrics_at {
        let (run, metrics) = (
            reporter.run().id().to_string(),
            Arc::clone(reporter.metrics()),
        );
        // A convenience: a port that is taken does not stop a ceremony.
        match server::serve(address, run, metrics).await {
            Ok((bound, _)) => tracing::info!("metrics at http://{bound}/metrics"),
            Err(error) => tracing::error!("metrics at {address}: {error}"),
        }
    }
    let outcome = tokio::select! {
        outcome = story::run(config, Arc::clone(&reporter)) => outcome,
        source = stop_requested(watch_stdin, watch, Arc::clone(&reporter)) => {
            reporter.cancel();
            Err(Failed { phase: Phase::Stop, source })
        }
    };
    let code = match outcome {
        Ok(done) => {
            reporter.done(done);
            DONE
        }
        Err(failed) => {
            tracing::error!(code = failed.source.code(), "{}", chain(&failed));
            let stopped = matches!(failed.source, AgentError::Stopped);
            reporter.failure(failed.record(reporter.stage_reached()));
            if stopped { STOPPED } else { FAILED }
        }
    };
    if let Some(file) = log_file
        && let Err(error) = reporter.run().put_log(&file)
    {
        tracing::warn!(
            code = error.code(),
            "the log is not in the store: {}",
            chain(&error)
        );
    }
    match reporter.check() {
        Ok(()) => code,
        Err(error) => {
            tracing::error!("status log incomplete: {}", chain(&error));
            FAILED
        }
    }
}

/// Returns when a signal, a closed standard input, an abort record or the deadline asks to stop.
async fn stop_requested(watch_stdin: bool, watch: Watch, reporter: Arc<Reporter>) -> AgentError {
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
    let watched = watch::watch(watch, reporter);
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return watched.await;
    };
    tokio::select! {
        _ = interrupt.recv() => AgentError::Stopped,
        _ = terminate.recv() => AgentError::Stopped,
        () = stdin_closed => AgentError::Stopped,
        source = watched => source,
    }
}

/// Lines for people on standard error, and all but the chatter into the file of JSON lines.
fn log(verbose: u8, json: Option<&JsonLog>) {
    use tracing::level_filters::LevelFilter;
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let people = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .without_time()
        .with_filter(level);
    let file = json.map(|json| json.layer().with_filter(LevelFilter::INFO));
    tracing_subscriber::registry()
        .with(people)
        .with(file)
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
