//! Why a run failed: in which phase, with a stable code, and what to do.

use std::path::PathBuf;

use protocol::pb;

use crate::enclave_process::EnclaveProcessError;
use crate::nitro::NitroError;
use crate::ptau::PtauError;
use crate::relay::RelayError;
use crate::session::SessionError;

/// The parts of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Reading the job and its circuit.
    Job,
    /// Compiling the circuit on the host, to size everything.
    Preflight,
    /// Getting the powers of tau.
    Phase1,
    /// Making 0000.zkey.
    InitialKey,
    /// Starting the enclave-agent and reading who it is.
    Enclave,
    /// Opening the ceremony.
    Open,
    /// Compiling the circuit in the enclave.
    Compile,
    /// The enclave's check of the powers of tau.
    CheckPhase1,
    /// The enclave's check of 0000.zkey.
    CheckInitialKey,
    /// The contribution.
    Contribute,
    /// Attestation 1 and the assignment of the beacon round.
    Commit,
    /// Waiting for the beacon round and fetching it.
    Beacon,
    /// Applying the beacon, exporting keys and contract.
    Finalize,
    /// The manifest and attestation 2.
    Seal,
    /// Bringing the artifacts out.
    Ship,
    /// None of them: somebody asked to stop.
    Stop,
}

impl Phase {
    /// Stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Preflight => "preflight",
            Self::Phase1 => "phase1",
            Self::InitialKey => "initial-key",
            Self::Enclave => "enclave",
            Self::Open => "open",
            Self::Compile => "compile",
            Self::CheckPhase1 => "check-phase1",
            Self::CheckInitialKey => "check-initial-key",
            Self::Contribute => "contribute",
            Self::Commit => "commit",
            Self::Beacon => "beacon",
            Self::Finalize => "finalize",
            Self::Seal => "seal",
            Self::Ship => "ship",
            Self::Stop => "stop",
        }
    }
}

/// An error with the phase it happened in.
#[derive(Debug, thiserror::Error)]
#[error("phase {} failed", phase.name())]
pub struct Failed {
    /// The phase.
    pub phase: Phase,
    /// What happened.
    pub source: AgentError,
}

/// Says in which phase an error happened.
pub(crate) trait During<T> {
    fn during(self, phase: Phase) -> Result<T, Failed>;
}

impl<T, E: Into<AgentError>> During<T> for Result<T, E> {
    fn during(self, phase: Phase) -> Result<T, Failed> {
        self.map_err(|error| Failed {
            phase,
            source: error.into(),
        })
    }
}

/// What can happen in a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The run store failed.
    #[error(transparent)]
    Store(#[from] cloud::StoreError),
    /// There is no job under this name.
    #[error("the run store holds no job for this run")]
    NoJob,
    /// The job's fields contradict each other or its spec.
    #[error("the job is not valid: {what}")]
    Job {
        /// What does not fit.
        what: &'static str,
    },
    /// The spec is refused.
    #[error("the spec is refused")]
    Spec(#[from] manifest::spec::SpecError),
    /// The source bundle is refused.
    #[error("the circuit's source bundle is refused")]
    Sources(#[from] manifest::sources::SourcesError),
    /// The bundle is not the one the spec names.
    #[error("the circuit has sha256 {got}, the spec says {expected}")]
    CircuitDigest {
        /// Digest in the spec, hex.
        expected: String,
        /// Digest of the bytes, hex.
        got: String,
    },
    /// The initial key is not the one the spec names.
    #[error("the initial key has sha256 {got}, the spec says {expected}")]
    InitialDigest {
        /// Digest in the spec, hex.
        expected: String,
        /// Digest of the bytes, hex.
        got: String,
    },
    /// circom refused the circuit, or could not be run.
    #[error("the circuit does not compile")]
    Circom(#[from] circom::CircomError),
    /// The compiled circuit is refused.
    #[error("the compiled circuit is refused")]
    R1cs(#[from] formats::r1cs::R1csError),
    /// No usable powers of tau.
    #[error(transparent)]
    Ptau(#[from] PtauError),
    /// 0000.zkey cannot be made.
    #[error("the initial key cannot be made")]
    Setup(#[from] phase2::setup::SetupError),
    /// No enclave-agent to talk to.
    #[error(transparent)]
    Process(#[from] EnclaveProcessError),
    /// The enclave said why it ended.
    #[error("last words of the enclave: {words}")]
    LastWords {
        /// Its words.
        words: String,
        /// What this side saw.
        source: Box<AgentError>,
    },
    /// No Nitro Enclave, or not the one that is wanted.
    #[error(transparent)]
    Nitro(#[from] NitroError),
    /// The enclave refused or was lost.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The enclave-agent's own checks do not all pass.
    #[error("the enclave-agent's self-check {name} failed: {detail}")]
    SelfCheck {
        /// Name of the check.
        name: String,
        /// What was seen.
        detail: String,
    },
    /// The enclave computed something else than this host did from the same bytes.
    #[error("the enclave says {what} {got}, this host computed {expected}")]
    Disagreement {
        /// What differs.
        what: &'static str,
        /// This host's value.
        expected: String,
        /// The enclave's.
        got: String,
    },
    /// Attestation 1 cannot be read.
    #[error("attestation 1 cannot be read")]
    Attestation(#[from] attestation::AttestationError),
    /// The beacon chain is refused.
    #[error("the beacon chain is refused")]
    Drand(#[from] drand::DrandError),
    /// The local chain is refused.
    #[error("the local beacon chain is refused")]
    LocalBeacon(#[from] local_beacon::LocalBeaconError),
    /// No relay gave the round.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// A local file failed.
    #[error("{action} {} failed", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Somebody asked to stop.
    #[error("stopped on request")]
    Stopped,
    /// The time that was set for this host is over.
    #[error("the deadline of this host, {time_ms} ms, has passed")]
    Deadline {
        /// Milliseconds since the Unix epoch.
        time_ms: u64,
    },
    /// A thread of this program ended abnormally.
    #[error("internal task ended abnormally")]
    Task(#[from] tokio::task::JoinError),
}

impl AgentError {
    /// Stable code.
    pub fn code(&self) -> String {
        match self {
            Self::Store(error) => error.code(),
            Self::NoJob => "no_job",
            Self::Job { .. } => "job",
            Self::Spec(error) => error.code(),
            Self::Sources(error) => error.code(),
            Self::CircuitDigest { .. } => "circuit_digest",
            Self::InitialDigest { .. } => "initial_key_digest",
            Self::Circom(error) => error.code(),
            Self::R1cs(error) => error.code(),
            Self::Ptau(error) => error.code(),
            Self::Setup(error) => error.code(),
            Self::Process(_) => "enclave_start",
            Self::LastWords { source, .. } => return source.code(),
            Self::Nitro(error) => error.code(),
            Self::Session(error) => return error.code().to_owned(),
            Self::SelfCheck { .. } => "self_check",
            Self::Disagreement { .. } => "disagreement",
            Self::Attestation(error) => error.code(),
            Self::Drand(error) => error.code(),
            Self::LocalBeacon(error) => error.code(),
            Self::Relay(_) => "relay",
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "disk_full"
            }
            Self::File { .. } => "file",
            Self::Stopped => "stopped",
            Self::Deadline { .. } => "deadline",
            Self::Task(_) => "internal",
        }
        .to_owned()
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Circom(error) => Some(error.hint().to_owned()),
            Self::Ptau(error) => error.hint(),
            Self::LastWords { source, .. } => source.hint(),
            Self::Nitro(error) => error.hint(),
            Self::Session(error) => error.hint().map(str::to_owned),
            Self::Deadline { .. } => Some(
                "nothing runs on; run again with more minutes, or a faster instance type".into(),
            ),
            Self::Process(_) => Some("run scripts/setup, or name the program with --enclave-agent".into()),
            Self::Relay(_) => Some(
                "rounds stay available: run again with other relays (--relay), or check the network"
                    .into(),
            ),
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Some("free some space or choose another folder with --store".into())
            }
            _ => None,
        }
    }
}

impl Failed {
    /// The record of it. `reached`: the last stage the enclave reported.
    pub fn record(&self, reached: pb::Stage) -> pb::JobFailure {
        let mut message = self.source.to_string();
        let mut cause = std::error::Error::source(&self.source);
        while let Some(error) = cause {
            message.push_str("\ncaused by: ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        pb::JobFailure {
            stage: reached.into(),
            phase: self.phase.name().to_owned(),
            code: self.source.code(),
            message,
            hint: self.source.hint().unwrap_or_default(),
        }
    }
}
