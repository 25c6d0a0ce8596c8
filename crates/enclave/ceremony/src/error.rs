//! Why a ceremony refuses to go on.

use attestation::AttestationError;
use drand::DrandError;
use formats::digest::Sha256Digest;
use manifest::receipt::ReceiptError;
use manifest::spec::CircuitInput;
use manifest::{ManifestError, SpecError};

use crate::command::CommandKind;
use crate::machine::Stage;

/// Why a ceremony refuses to go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The command belongs to another stage. Nothing moved.
    #[error("{command} is not possible in stage {stage}; it follows stage {after}")]
    WrongStage {
        /// The stage the ceremony is in.
        stage: Stage,
        /// What was asked.
        command: CommandKind,
        /// The stage in which it is possible.
        after: Stage,
    },
    /// The host's spec is refused.
    #[error("spec is refused")]
    Spec(#[from] SpecError),
    /// A production agent was asked for a simulated part.
    #[error("the spec asks for a simulated beacon or phase 1, and this is a production agent")]
    SimulationAsked,
    /// The spec names another compiler than this image holds.
    #[error("the spec names {compiler} with sha256 {got}, this agent runs {expected}")]
    Compiler {
        /// circom or solc.
        compiler: &'static str,
        /// Digest of the module in this agent.
        expected: Sha256Digest,
        /// Digest in the spec.
        got: Sha256Digest,
    },
    /// A self-check failed, or was simulated in production.
    #[error("self-check {name} failed: {seen}")]
    SelfCheck {
        /// Which.
        name: &'static str,
        /// What was seen.
        seen: String,
    },
    /// The agent made no self-checks: a bug.
    #[error("no self-checks were made")]
    NoSelfChecks,
    /// Sources where an r1cs was expected, or the other way round.
    #[error("the spec's circuit input is {expected}, something else was handed in")]
    CircuitInput {
        /// What the spec says.
        expected: CircuitInput,
    },
    /// Another circuit than the one in the spec.
    #[error("circuit has sha256 {got}, the spec names {expected}")]
    CircuitDigest {
        /// Digest in the spec.
        expected: Sha256Digest,
        /// Digest of what was received.
        got: Sha256Digest,
    },
    /// The bundle's main file is not the spec's.
    #[error("main file of the bundle is {got:?}, the spec names {expected:?}")]
    CircuitMain {
        /// In the spec.
        expected: String,
        /// In the bundle.
        got: String,
    },
    /// The bundle's library folders are not the spec's.
    #[error(
        "library folders of the bundle ({got}) are not the spec's ({expected}), or in another order"
    )]
    CircuitLibraries {
        /// Number in the spec.
        expected: usize,
        /// Number in the bundle.
        got: usize,
    },
    /// A circuit that proves nothing.
    #[error("the circuit has no constraints")]
    NoConstraints,
    /// No published ptau is large enough.
    #[error("the circuit needs a ptau of power {power}, which has not been published")]
    CircuitTooLarge {
        /// Power needed.
        power: u32,
    },
    /// The ptau is not a published file.
    #[error("ptau of {size} bytes with sha256 {sha256} is none of the published files")]
    Phase1Unknown {
        /// Its size.
        size: u64,
        /// Its digest.
        sha256: Sha256Digest,
    },
    /// A published ptau of another family than the spec's.
    #[error("ptau is of family {got}, the spec names {expected}")]
    Phase1Family {
        /// In the spec.
        expected: &'static str,
        /// Of the file.
        got: &'static str,
    },
    /// A ptau of another power than the one that belongs to the circuit.
    #[error("ptau has power {got}, expected {expected}")]
    Phase1Power {
        /// The power that belongs there.
        expected: u32,
        /// Power of the file.
        got: u32,
    },
    /// The initial key is not the one that the spec names.
    #[error("the initial key has sha256 {got}, the spec says {expected}")]
    InitialKeyDigest {
        /// In the spec.
        expected: Sha256Digest,
        /// Of the file.
        got: Sha256Digest,
    },
    /// Contributions in a fresh key, none in one that is continued, or too many.
    #[error("the initial key has {got} contributions, which does not go with the spec")]
    Predecessors {
        /// Contributions in the key.
        got: usize,
    },
    /// The circuit hash of the initial key is right by the rule of programs before snarkjs 0.7.0, and
    /// nobody has made such keys since.
    #[error("the initial key's circuit hash follows the rule of snarkjs before 0.7.0, not today's")]
    InitialKeyRule,
    /// The enclave's own attestation document does not verify.
    #[error("the enclave's attestation document")]
    Attestation(#[from] AttestationError),
    /// The host did not return the whole chain.
    #[error("{got} certificates were returned, attestation 1 carries {expected}")]
    CertificateCount {
        /// In the document.
        expected: usize,
        /// Returned.
        got: usize,
    },
    /// The host returned another certificate than the document carries.
    #[error("certificate {index} is not the one that attestation 1 carries")]
    Certificate {
        /// Counted from the root, from 0.
        index: usize,
    },
    /// The beacon is not the one of the assigned round.
    #[error("drand beacon")]
    Drand(#[from] DrandError),
    /// The receipt of a stage could not be written: a bug.
    #[error("receipt")]
    Receipt(#[from] ReceiptError),
    /// The manifest could not be written: a bug.
    #[error("manifest")]
    Manifest(#[from] ManifestError),
}

impl CeremonyError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongStage { .. } => "wrong_stage",
            Self::Spec(error) => error.code(),
            Self::SimulationAsked => "simulation_asked",
            Self::Compiler { .. } => "compiler_digest",
            Self::SelfCheck { .. } => "self_check",
            Self::NoSelfChecks => "no_self_checks",
            Self::CircuitInput { .. } => "circuit_input",
            Self::CircuitDigest { .. } => "circuit_digest",
            Self::CircuitMain { .. } => "circuit_main",
            Self::CircuitLibraries { .. } => "circuit_libraries",
            Self::NoConstraints => "circuit_no_constraints",
            Self::CircuitTooLarge { .. } => "circuit_too_large",
            Self::Phase1Unknown { .. } => "ptau_hash",
            Self::Phase1Family { .. } => "ptau_family",
            Self::Phase1Power { .. } => "ptau_power",
            Self::InitialKeyDigest { .. } => "initial_key_digest",
            Self::Predecessors { .. } => "initial_key_predecessors",
            Self::InitialKeyRule => "initial_key_rule",
            Self::Attestation(error) => error.code(),
            Self::CertificateCount { .. } => "certificate_count",
            Self::Certificate { .. } => "certificate",
            Self::Drand(error) => error.code(),
            Self::Receipt(error) => error.code(),
            Self::Manifest(error) => error.code(),
        }
    }

    /// Whether the ceremony ends with it.
    ///
    /// It does not where the host asked at the wrong time, and where only one answer is right and
    /// the host may bring it later. It does where an input was wrong: the next try is a new
    /// ceremony, so that a host cannot try inputs until one passes.
    pub fn ends_ceremony(&self) -> bool {
        !matches!(
            self,
            Self::WrongStage { .. }
                | Self::Spec(_)
                | Self::SimulationAsked
                | Self::Compiler { .. }
                | Self::SelfCheck { .. }
                | Self::NoSelfChecks
                | Self::CertificateCount { .. }
                | Self::Certificate { .. }
                | Self::Drand(_)
                | Self::Attestation(AttestationError::TooEarly { .. })
        )
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::WrongStage { .. } => Some("Describe names the stage the enclave is in"),
            Self::SimulationAsked => {
                Some("use drand and a published ptau, or a simulated agent on one machine")
            }
            Self::Compiler { .. } => Some("requester and enclave must be of the same release"),
            Self::CircuitTooLarge { .. } => Some("split the circuit"),
            Self::Phase1Unknown { .. } => {
                Some("the file is damaged or not from a public ceremony; download it again")
            }
            Self::Phase1Power { .. } => {
                Some("take the smallest published ptau that fits the circuit")
            }
            Self::InitialKeyRule => {
                Some("make the initial key anew, with this host-agent or snarkjs 0.7.0 or later")
            }
            Self::Attestation(AttestationError::TooEarly { .. }) => {
                Some("the security module's clock is behind: try again a little later")
            }
            Self::Drand(_) => Some("ask another relay for exactly the assigned round"),
            _ => None,
        }
    }
}
