//! The run, in order. Reads as the table of `proto/ceremony/v1/enclave.proto`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use manifest::spec::Spec;
use protocol::{Transport, pb};

use crate::beacon;
use crate::enclave_process::EnclaveProcess;
use crate::error::{AgentError, During, Failed, Phase};
use crate::initial_key;
use crate::job::{self, Task};
use crate::nitro::last_words::LastWords;
use crate::nitro::{NitroChoice, NitroEnclave};
use crate::preflight::{self, Circuit};
use crate::ptau;
use crate::report::Reporter;
use crate::session::{Session, beacon_request};
use crate::ship;

/// Where the enclave is.
#[derive(Debug, Clone)]
pub enum EnclaveChoice {
    /// Start this program.
    Start(PathBuf),
    /// It runs already.
    Running(Transport),
    /// Start it as a Nitro Enclave.
    Nitro(NitroChoice),
}

/// What the agent was started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder for intermediate files; must exist.
    pub work: PathBuf,
    /// Folder of the compiler modules.
    pub modules: PathBuf,
    /// The enclave.
    pub enclave: EnclaveChoice,
    /// Folder for downloaded powers of tau.
    pub ptau_cache: PathBuf,
    /// Bucket of powers of tau that is asked before the publisher.
    pub ptau_mirror: Option<Arc<dyn cloud::ObjectStore>>,
    /// Memory for making the initial key, bytes.
    pub memory_bytes: u64,
    /// How long relays are asked for the round.
    pub beacon_patience: Duration,
}

/// Runs the job of `reporter`'s run to its end, and ends the enclave-agent it started.
pub async fn run(config: Config, reporter: Arc<Reporter>) -> Result<pb::JobDone, Failed> {
    let task = job::read(&config, &reporter).during(Phase::Job)?;
    let circuit = preflight::compile(&config, &task, &reporter)
        .await
        .during(Phase::Preflight)?;
    let ptau = ptau::obtain(&config, &task, circuit.power, &reporter)
        .await
        .during(Phase::Phase1)?;
    let initial = match &task.initial {
        Some(given) => given.clone(),
        None => initial_key::make(&config, &circuit, &ptau, &reporter)
            .await
            .during(Phase::InitialKey)?,
    };

    // Before the enclave starts: it may end soon.
    let words = matches!(config.enclave, EnclaveChoice::Nitro(_)).then(LastWords::listen);
    let result = in_enclave(&config, &task, &circuit, &ptau, &initial, &reporter).await;
    match words {
        Some(words) => result.map_err(|failed| words.explain(failed)),
        None => result,
    }
}

/// Starts the enclave-agent, and ends it, however the ceremony went.
async fn in_enclave(
    config: &Config,
    task: &Task,
    circuit: &Circuit,
    ptau: &Path,
    initial: &Path,
    reporter: &Arc<Reporter>,
) -> Result<pb::JobDone, Failed> {
    let process = match &config.enclave {
        EnclaveChoice::Running(_) | EnclaveChoice::Nitro(_) => None,
        EnclaveChoice::Start(program) => {
            reporter.note("starting the enclave-agent");
            let work = config.work.join("enclave");
            create_folder(&work).during(Phase::Enclave)?;
            let started = EnclaveProcess::start(program, &config.modules, &work).await;
            Some(started.during(Phase::Enclave)?)
        }
    };
    let nitro = match &config.enclave {
        EnclaveChoice::Nitro(choice) => {
            let started = NitroEnclave::start(choice, reporter).await;
            Some(started.during(Phase::Enclave)?)
        }
        _ => None,
    };
    let transport = match (&config.enclave, &process, &nitro) {
        (EnclaveChoice::Running(transport), ..) => transport.clone(),
        (_, Some(process), _) => process.transport(),
        (_, _, Some(nitro)) => nitro.transport(),
        _ => {
            return Err(AgentError::Job { what: "no enclave" }).during(Phase::Enclave);
        }
    };
    let result = ceremony(config, task, circuit, ptau, initial, &transport, reporter).await;
    if let Some(process) = process {
        process.stop().await;
    }
    if let Some(nitro) = nitro {
        nitro.stop().await;
    }
    result
}

async fn ceremony(
    config: &Config,
    task: &Task,
    circuit: &Circuit,
    ptau: &Path,
    initial: &Path,
    transport: &Transport,
    reporter: &Arc<Reporter>,
) -> Result<pb::JobDone, Failed> {
    use pb::ArtifactKind as Kind;

    let kept = config.work.join("kept");
    let connected = Session::connect(transport, kept, Arc::clone(reporter)).await;
    let mut enclave = connected.during(Phase::Enclave)?;
    meet(&mut enclave, task).await.during(Phase::Enclave)?;

    open(&mut enclave, &task.spec).await.during(Phase::Open)?;
    reporter.stage(pb::Stage::Opened);

    let kind = if task.is_compiled() {
        Kind::R1cs
    } else {
        Kind::CircuitBundle
    };
    enclave
        .put(kind, "send circuit", &task.circuit)
        .await
        .during(Phase::Compile)?;
    let compiled = enclave.compile_circuit(pb::CompileCircuitRequest {}).await;
    compiled.during(Phase::Compile)?;
    reporter.stage(pb::Stage::Compiled);
    agree_on_r1cs(&mut enclave, circuit)
        .await
        .during(Phase::Compile)?;

    enclave
        .put(Kind::Ptau, "send powers of tau", ptau)
        .await
        .during(Phase::CheckPhase1)?;
    let checked = enclave.check_phase1(pb::CheckPhase1Request {}).await;
    checked.during(Phase::CheckPhase1)?;
    reporter.stage(pb::Stage::Phase1Ready);

    let sent = enclave
        .put(Kind::InitialZkey, "send initial key", initial)
        .await;
    sent.during(Phase::CheckInitialKey)?;
    let checked = enclave
        .check_initial_key(pb::CheckInitialKeyRequest {})
        .await;
    checked.during(Phase::CheckInitialKey)?;
    reporter.stage(pb::Stage::InitialReady);

    let contributed = enclave.contribute(pb::ContributeRequest {}).await;
    contributed.during(Phase::Contribute)?;
    reporter.stage(pb::Stage::Contributed);

    let document = enclave.attest_contribution().await.during(Phase::Commit)?;
    reporter.stage(pb::Stage::Committed);
    let chain = beacon::certificates(&document).during(Phase::Commit)?;
    let assigned = enclave
        .submit_certificates(chain)
        .await
        .during(Phase::Commit)?;
    reporter.stage(pb::Stage::RoundAssigned);

    let round = beacon::obtain(config, task, assigned, reporter)
        .await
        .during(Phase::Beacon)?;
    let applied = enclave.apply_beacon(beacon_request(round)).await;
    applied.during(Phase::Finalize)?;
    reporter.stage(pb::Stage::Finalized);

    enclave.seal().await.during(Phase::Seal)?;
    reporter.stage(pb::Stage::Sealed);

    ship::all(config, &mut enclave, reporter)
        .await
        .during(Phase::Ship)
}

/// Reads who the enclave is, and refuses one whose own checks fail.
async fn meet(enclave: &mut Session, task: &Task) -> Result<(), AgentError> {
    let nonce = task.spec.requester_nonce;
    let described = enclave.describe(nonce).await?;
    match described
        .self_checks
        .into_iter()
        .find(|check| !check.passed)
    {
        Some(check) => Err(AgentError::SelfCheck {
            name: check.name,
            detail: check.detail,
        }),
        None => Ok(()),
    }
}

async fn open(enclave: &mut Session, spec: &Spec) -> Result<(), AgentError> {
    let id = enclave.open(spec.text()).await?;
    let expected = spec.id().to_string();
    let got = hex::encode(&id);
    if expected == got {
        Ok(())
    } else {
        Err(AgentError::Disagreement {
            what: "ceremony id",
            expected,
            got,
        })
    }
}

/// The enclave compiled the circuit itself; the initial key was made from this host's r1cs, so both
/// must be the same bytes. Better found here than in the check of the initial key.
async fn agree_on_r1cs(enclave: &mut Session, circuit: &Circuit) -> Result<(), AgentError> {
    let described = enclave.describe([0; 32]).await?;
    let r1cs = i32::from(pb::ArtifactKind::R1cs);
    let Some(theirs) = described
        .artifacts
        .iter()
        .find(|artifact| artifact.kind == r1cs)
    else {
        return Ok(());
    };
    let (expected, got) = (circuit.sha256.to_string(), hex::encode(&theirs.sha256));
    if expected == got {
        Ok(())
    } else {
        Err(AgentError::Disagreement {
            what: "r1cs sha256",
            expected,
            got,
        })
    }
}

fn create_folder(path: &Path) -> Result<(), AgentError> {
    std::fs::create_dir_all(path).map_err(|source| AgentError::File {
        action: "create",
        path: path.into(),
        source,
    })
}
