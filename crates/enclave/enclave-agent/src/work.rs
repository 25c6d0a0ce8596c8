//! The work of each stage: reads and writes the store, and hands the machine what it found.
//!
//! Everything here runs on a blocking thread. Whatever fails here ends the ceremony.

pub(crate) mod attest;
pub(crate) mod compile;
pub(crate) mod contribution;
pub(crate) mod finalize;
pub(crate) mod initial;
pub(crate) mod phase1;

use formats::ptau::PtauError;
use formats::r1cs::R1csError;
use formats::zkey::ZKeyError;
use manifest::sources::SourcesError;

use crate::error::AgentError;
use crate::store::StoreError;

/// Why the work of a stage failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source bundle is malformed.
    #[error("source bundle")]
    Sources(#[from] SourcesError),
    /// The compiler refused the circuit.
    #[error("circom")]
    Circom(#[from] circom::CircomError),
    /// The compiled circuit.
    #[error("r1cs")]
    R1cs(#[from] R1csError),
    /// The powers of tau.
    #[error("ptau")]
    Ptau(#[from] PtauError),
    /// A key's file.
    #[error("zkey")]
    ZKey(#[from] ZKeyError),
    /// The contribution's name is too long: the spec should have been refused.
    #[error("contribution name")]
    Name(#[from] formats::zkey::NameTooLong),
    /// The ceremony refuses an input before it is looked at.
    #[error(transparent)]
    Ceremony(#[from] ceremony::CeremonyError),
    /// A key that is not what it must be.
    #[error("check")]
    Check(#[from] phase2::check::CheckError),
    /// The contribution could not be made.
    #[error("contribution")]
    Contribute(#[from] contribute::ContributeError),
    /// The beacon could not be applied.
    #[error("beacon")]
    Beacon(#[from] phase2::contribution::ContributionError),
    /// The beacon is not in the form that a key records.
    #[error("beacon")]
    BeaconParams(#[from] formats::zkey::BeaconParamsError),
    /// The key does not make a contract.
    #[error("verifier contract")]
    VerifierKey(#[from] manifest::solidity::KeyError),
    /// The contract could not be compiled.
    #[error("solc")]
    Solc(#[from] solc::SolcError),
    /// The operating system gave no randomness for a check.
    #[error("no randomness for the check: {0}")]
    Challenge(getrandom::Error),
    /// The ceremony is not in the stage that the work belongs to: a bug.
    #[error("the work found the ceremony in another stage")]
    Stage,
}

impl WorkError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Sources(error) => error.code(),
            Self::Circom(error) => error.code(),
            Self::R1cs(error) => error.code(),
            Self::Ptau(error) => error.code(),
            Self::ZKey(error) => error.code(),
            Self::Name(_) => "contribution_name",
            Self::Ceremony(error) => error.code(),
            Self::Check(error) => error.code(),
            Self::Contribute(error) => error.code(),
            Self::Beacon(error) => error.code(),
            Self::BeaconParams(error) => error.code(),
            Self::VerifierKey(error) => error.code(),
            Self::Solc(error) => error.code(),
            Self::Challenge(_) => "challenge_randomness",
            Self::Stage => "agent_stage",
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Ceremony(error) => error.hint(),
            Self::Circom(error) => Some(error.hint()),
            _ => None,
        }
    }
}

/// Looking at the ceremony cannot fail but by a bug.
impl From<AgentError> for WorkError {
    fn from(_: AgentError) -> Self {
        Self::Stage
    }
}

/// A key for the challenges of one check: secret until the check is over, so that a file cannot be
/// made to pass it.
fn challenge_key() -> Result<[u8; 32], WorkError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(WorkError::Challenge)?;
    Ok(key)
}
