//! Why a step does not hold.

use std::io;

use attestation::AttestationError;
use drand::DrandError;
use formats::points::PointsError;
use formats::ptau::PtauError;
use formats::r1cs::R1csError;
use formats::zkey::ZKeyError;
use manifest::solidity::KeyError;
use manifest::sources::SourcesError;
use manifest::{BeaconJsonError, ManifestError, ReceiptError};
use phase2::check::CheckError;
use phase2::contribution::ContributionError;
use thiserror::Error;

use crate::options::EffectError;

/// Why a step does not hold, or could not be looked at ([`Failure::Unreadable`]).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// A file that must be there is not.
    #[error("{path} is missing")]
    Missing {
        /// Path in the bundle.
        path: String,
    },
    /// A file or folder that does not belong to a bundle.
    #[error("{path} does not belong to the bundle")]
    Unexpected {
        /// Path in the bundle.
        path: String,
    },
    /// A link, device or folder in place of a file.
    #[error("{path} is not a regular file")]
    NotRegular {
        /// Path in the bundle.
        path: String,
    },
    /// A file larger than any valid one.
    #[error("{path} has {got} bytes, at most {limit} allowed")]
    TooLarge {
        /// Path in the bundle.
        path: String,
        /// Most bytes allowed.
        limit: u64,
        /// Bytes it has.
        got: u64,
    },
    /// The operating system would not let it be read. No verdict.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Path.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file differs from its record.
    #[error("{path}: {what} is {got}, {expected} expected")]
    Record {
        /// Path in the bundle.
        path: String,
        /// `size`, `sha256` or `blake2b512`.
        what: &'static str,
        /// By the manifest.
        expected: String,
        /// By the file.
        got: String,
    },
    /// A file is not what it must be as a function of others.
    #[error("{path} is not what follows from {from}")]
    NotDerived {
        /// Path in the bundle.
        path: &'static str,
        /// What it is a function of.
        from: &'static str,
    },
    /// Two values that must be equal are not.
    #[error("{what} is {got}, {expected} expected")]
    Value {
        /// What is compared.
        what: &'static str,
        /// Expected value.
        expected: String,
        /// Value seen.
        got: String,
    },
    /// A simulated part where none is trusted.
    #[error("{part} is simulated, and simulation is not trusted here")]
    Simulated {
        /// Which part.
        part: &'static str,
    },
    /// A production bundle under simulation trust: it would be judged by rules that are too weak.
    #[error(
        "the bundle says it is a production result, which is never judged under simulation trust"
    )]
    ProductionUnderSimulation,
    /// The margin is shorter than the policy's.
    #[error("margin of {got} ms, at least {least} ms needed on chain {chain}")]
    Margin {
        /// Chain's name.
        chain: &'static str,
        /// Least margin.
        least: u64,
        /// Margin of the spec.
        got: u64,
    },
    /// Two times in the wrong order.
    #[error("{later} ({later_ms} ms) lies before {earlier} ({earlier_ms} ms)")]
    TimeOrder {
        /// What must come first.
        earlier: &'static str,
        /// Its time.
        earlier_ms: u64,
        /// What must come after.
        later: &'static str,
        /// Its time.
        later_ms: u64,
    },
    /// The ptau is not in the published table.
    #[error("no published ptau of family {family} and power {power} has these digests")]
    NotPublished {
        /// Family of the manifest.
        family: &'static str,
        /// Power of the manifest.
        power: u32,
    },
    /// Not exactly the predecessors, one contribution and one beacon.
    #[error("final.zkey has {got} contributions, {expected} expected: {} before the enclave's, the enclave's and the beacon", expected.saturating_sub(2))]
    ContributionCount {
        /// Predecessors of the manifest, and two.
        expected: usize,
        /// Contributions in the key.
        got: usize,
    },
    /// The last contribution is not a beacon, or the first one is.
    #[error("contribution {index} of final.zkey is of the wrong kind")]
    ContributionKind {
        /// Index, from 0.
        index: usize,
    },
    /// A key of today whose circuit hash follows the rule of programs before snarkjs 0.7.0: no
    /// enclave makes one.
    #[error("the circuit hash of final.zkey follows the rule before snarkjs 0.7.0")]
    OutdatedCircuitHash,
    /// delta = gamma: phase 2 was not done, anyone can forge proofs.
    #[error("delta equals gamma: phase 2 was not done")]
    DeltaIsGamma,
    /// Text that is not lower-case hex of bytes.
    #[error("{path} is not lower-case hex")]
    NotHex {
        /// Path in the bundle.
        path: &'static str,
    },
    /// The runtime code is not the end of the creation code.
    #[error("the creation code does not end with the runtime code")]
    RuntimeNotTail,
    /// Another compiler than the spec names was lent.
    #[error("the {compiler} module here is {got}, the spec names {expected}")]
    OtherCompiler {
        /// `circom` or `solc`.
        compiler: &'static str,
        /// SHA-256 in the spec.
        expected: String,
        /// SHA-256 of the module here.
        got: String,
    },
    /// The lent compiler failed.
    #[error("{compiler} failed")]
    Compiler {
        /// `circom` or `solc`.
        compiler: &'static str,
        /// What it said.
        source: EffectError,
    },
    /// This program has no such check: it never counts as passed.
    #[error("this version does not implement the step")]
    NotImplemented,
    /// See [`ManifestError`].
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// See [`ReceiptError`].
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// See [`BeaconJsonError`].
    #[error(transparent)]
    BeaconJson(#[from] BeaconJsonError),
    /// See [`AttestationError`].
    #[error(transparent)]
    Attestation(#[from] AttestationError),
    /// See [`DrandError`].
    #[error(transparent)]
    Drand(#[from] DrandError),
    /// See [`SourcesError`].
    #[error(transparent)]
    Sources(#[from] SourcesError),
    /// See [`R1csError`].
    #[error(transparent)]
    R1cs(#[from] R1csError),
    /// See [`PtauError`].
    #[error(transparent)]
    Ptau(#[from] PtauError),
    /// See [`ZKeyError`].
    #[error(transparent)]
    ZKey(#[from] ZKeyError),
    /// See [`PointsError`].
    #[error(transparent)]
    Points(#[from] PointsError),
    /// See [`ContributionError`].
    #[error(transparent)]
    Contribution(#[from] ContributionError),
    /// See [`CheckError`].
    #[error(transparent)]
    Check(#[from] CheckError),
    /// See [`KeyError`].
    #[error(transparent)]
    VerifierKey(#[from] KeyError),
}

impl Failure {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "verify_missing",
            Self::Unexpected { .. } => "verify_unexpected",
            Self::NotRegular { .. } => "verify_not_regular",
            Self::TooLarge { .. } => "verify_too_large",
            Self::Unreadable { .. } => "verify_unreadable",
            Self::Record { .. } => "verify_record",
            Self::NotDerived { .. } => "verify_not_derived",
            Self::Value { .. } => "verify_value",
            Self::Simulated { .. } => "verify_simulated",
            Self::ProductionUnderSimulation => "verify_production_under_simulation",
            Self::Margin { .. } => "verify_margin",
            Self::TimeOrder { .. } => "verify_time_order",
            Self::NotPublished { .. } => "verify_ptau_not_published",
            Self::ContributionCount { .. } => "verify_contribution_count",
            Self::ContributionKind { .. } => "verify_contribution_kind",
            Self::OutdatedCircuitHash => "verify_outdated_circuit_hash",
            Self::DeltaIsGamma => "verify_delta_is_gamma",
            Self::NotHex { .. } => "verify_not_hex",
            Self::RuntimeNotTail => "verify_runtime_not_tail",
            Self::OtherCompiler { .. } => "verify_other_compiler",
            Self::Compiler { .. } => "verify_compiler",
            Self::NotImplemented => "verify_not_implemented",
            Self::Manifest(error) => error.code(),
            Self::Receipt(error) => error.code(),
            Self::BeaconJson(error) => error.code(),
            Self::Attestation(error) => error.code(),
            Self::Drand(error) => error.code(),
            Self::Sources(error) => error.code(),
            Self::R1cs(error) => error.code(),
            Self::Ptau(error) => error.code(),
            Self::ZKey(error) => error.code(),
            Self::Points(error) => error.code(),
            Self::Contribution(error) => error.code(),
            Self::Check(error) => error.code(),
            Self::VerifierKey(error) => error.code(),
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Simulated { .. } => {
                Some("this is no production result: --trust simulation judges it as what it is")
            }
            Self::ProductionUnderSimulation => {
                Some("verify it with --trust aws and the published measurements")
            }
            Self::OtherCompiler { .. } => {
                Some("use the version of this tool that knows the spec's compiler")
            }
            Self::Missing { .. } | Self::Record { .. } | Self::Unexpected { .. } => {
                Some("take the bundle from its publisher again")
            }
            _ => None,
        }
    }

    /// What could not be read, when the failure is no verdict about the bundle.
    pub(crate) fn unreadable(&self) -> Option<String> {
        match self {
            Self::Unreadable { path, source } => Some(format!("{path}: {source}")),
            _ => None,
        }
    }
}
