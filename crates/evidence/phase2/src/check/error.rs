//! Why a key is refused.

use std::fmt;

use formats::curve::Curve;
use formats::digest::Blake2b512Digest;
use formats::points::PointsError;
use formats::ptau::PtauError;
use formats::r1cs::R1csError;
use formats::zkey::{ZKeyError, ZKeySection};

use crate::setup::SetupError;

/// A single point of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPoint {
    /// alpha in G1.
    Alpha1,
    /// beta in G1.
    Beta1,
    /// beta in G2.
    Beta2,
    /// gamma in G2.
    Gamma2,
    /// delta in G1.
    Delta1,
    /// delta in G2.
    Delta2,
}

impl fmt::Display for KeyPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alpha1 => "alpha1",
            Self::Beta1 => "beta1",
            Self::Beta2 => "beta2",
            Self::Gamma2 => "gamma2",
            Self::Delta1 => "delta1",
            Self::Delta2 => "delta2",
        })
    }
}

/// Why a key is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The zkey is malformed.
    #[error("zkey: {0}")]
    ZKey(#[from] ZKeyError),
    /// The circuit is malformed.
    #[error("r1cs: {0}")]
    R1cs(#[from] R1csError),
    /// The powers of tau are malformed.
    #[error("ptau: {0}")]
    Ptau(#[from] PtauError),
    /// A point of the zkey is malformed.
    #[error("zkey: {0}")]
    Points(PointsError),
    /// A point of the ptau is malformed.
    #[error("ptau: {0}")]
    PtauPoints(PointsError),
    /// The circuit's points, of which the circuit hash is made, could not be recomputed.
    #[error("cannot recompute the circuit's points and their hash: {0}")]
    CircuitHash(SetupError),
    /// Two of the files are on different curves.
    #[error("zkey is on {zkey}, {other} is on {got}")]
    DifferentCurves {
        /// Curve of the zkey.
        zkey: Curve,
        /// The other file.
        other: &'static str,
        /// Its curve.
        got: Curve,
    },
    /// The ptau has fewer powers than the circuit needs.
    #[error("circuit needs 2^{needed} powers of tau, the ptau has 2^{got}")]
    PtauTooSmall {
        /// Power that the circuit needs.
        needed: u32,
        /// Power of the ptau.
        got: u32,
    },
    /// A count of the key is not the circuit's.
    #[error("zkey has {got} {what}, the circuit {expected}")]
    CircuitMismatch {
        /// What is counted.
        what: &'static str,
        /// By the circuit.
        expected: u64,
        /// In the key.
        got: u64,
    },
    /// A point of the key is not the ptau's or not the generator that it has to be.
    #[error("{point} is not the one of the powers of tau")]
    WrongPoint {
        /// Which point.
        point: KeyPoint,
    },
    /// gamma is not the generator: nobody knows who chose it.
    #[error("gamma2 is not the generator")]
    GammaNotGenerator,
    /// A point that must not be the point at infinity is.
    #[error("{point} is the point at infinity")]
    Infinity {
        /// Which point.
        point: KeyPoint,
    },
    /// Delta is the generator, like gamma: phase 2 was not done, anyone can forge proofs.
    #[error("delta equals gamma: phase 2 was not done, anyone can forge proofs")]
    DeltaIsGamma,
    /// A coefficient record is not the circuit's.
    #[error("coefficient {index} is not the circuit's")]
    CoefficientMismatch {
        /// Index of the record, from 0.
        index: u64,
    },
    /// Points of a section are not what circuit and powers of tau give.
    #[error("section {} is not what circuit and powers of tau give", section.name())]
    SectionMismatch {
        /// The section.
        section: ZKeySection,
    },
    /// A section differs from the key before, though contributions do not touch it.
    #[error("section {} differs from the key before", section.name())]
    SectionChanged {
        /// The section.
        section: ZKeySection,
    },
    /// The points of a section were not multiplied by the inverse of delta's change.
    #[error("section {} does not fit the change of delta", section.name())]
    SectionRatio {
        /// The section.
        section: ZKeySection,
    },
    /// Some point of a section is not in the subgroup of prime order.
    #[error("a point of section {} is outside the subgroup of prime order", section.name())]
    OutsideSubgroup {
        /// The section.
        section: ZKeySection,
    },
    /// A sum of points lacks one of them, so nothing can be said of it: this is a bug.
    #[error("a sum lacks a point: {0}; this is a bug")]
    Misplaced(#[from] vector::PositionError),
    /// The recorded circuit hash is not that of circuit and powers of tau.
    #[error("circuit hash {got} is not that of circuit and powers of tau")]
    WrongCircuitHash {
        /// The recorded hash.
        got: Blake2b512Digest,
    },
    /// An initial key with contributions.
    #[error("{got} contributions in an initial key")]
    UnexpectedContributions {
        /// How many there are.
        got: u32,
    },
    /// A finished key without contributions: anyone can forge proofs.
    #[error("no contributions: phase 2 was not done, anyone can forge proofs")]
    NoContributions,
    /// A contribution's transcript is not the hash of what comes before it.
    #[error("contribution {index}: transcript does not fit what comes before")]
    WrongTranscript {
        /// Index of the contribution, from 0.
        index: u32,
    },
    /// A contribution's proof of knowledge does not hold.
    #[error("contribution {index}: proof of knowledge does not hold")]
    BadProofOfKnowledge {
        /// Index of the contribution, from 0.
        index: u32,
    },
    /// A contribution changes delta by another factor than the one it proves to know.
    #[error("contribution {index}: delta changes by another factor than the proven one")]
    BadDeltaStep {
        /// Index of the contribution, from 0.
        index: u32,
    },
    /// A contribution holds the point at infinity.
    #[error("contribution {index} holds the point at infinity")]
    ContributionAtInfinity {
        /// Index of the contribution, from 0.
        index: u32,
    },
    /// A contribution leaves delta as it is: its factor is one.
    #[error("contribution {index} does not change delta")]
    DeltaUnchanged {
        /// Index of the contribution, from 0.
        index: u32,
    },
    /// A beacon's record is not what its value and iterations give.
    #[error("contribution {index} is not what its beacon gives")]
    BeaconMismatch {
        /// Index of the contribution, from 0.
        index: u32,
    },
    /// The beacons of a key ask for more iterations than are computed.
    #[error(
        "contribution {index}: 2^{exponent} beacon iterations, {left} are left of what is computed for a key"
    )]
    TooManyIterations {
        /// Index of the contribution, from 0.
        index: u32,
        /// Exponent in the record.
        exponent: u8,
        /// Iterations left.
        left: u64,
    },
    /// delta in G1 is not what the last contribution left.
    #[error("delta1 is not what the last contribution left")]
    DeltaNotLast,
    /// delta in G1 and G2 have different exponents.
    #[error("delta1 and delta2 do not belong together")]
    DeltasDiffer,
    /// The key does not continue the one before: its contributions are not those, and one more.
    #[error("contributions are not those of the key before and one more")]
    NotTheNext,
    /// The last contribution is not the expected beacon.
    #[error("last contribution is not the expected beacon")]
    NotTheExpectedBeacon,
    /// The progress sink asked to stop.
    #[error("cancelled")]
    Cancelled,
}

/// What goes wrong with circuit and powers of tau is told as such, whoever reads them.
impl From<SetupError> for CheckError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::R1cs(error) => Self::R1cs(error),
            SetupError::Ptau(error) => Self::Ptau(error),
            SetupError::Points(error) => Self::PtauPoints(error),
            SetupError::Cancelled => Self::Cancelled,
            SetupError::Misplaced(error) => Self::Misplaced(error),
            error => Self::CircuitHash(error),
        }
    }
}

impl CheckError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ZKey(error) => error.code(),
            Self::R1cs(error) => error.code(),
            Self::Ptau(error) => error.code(),
            Self::Points(error) | Self::PtauPoints(error) => error.code(),
            Self::CircuitHash(_) => "check_cannot_hash_circuit",
            Self::DifferentCurves { .. } => "check_different_curves",
            Self::PtauTooSmall { .. } => "check_ptau_too_small",
            Self::CircuitMismatch { .. } => "check_circuit_mismatch",
            Self::WrongPoint { .. } => "check_wrong_point",
            Self::GammaNotGenerator => "check_gamma",
            Self::Infinity { .. } => "check_infinity",
            Self::DeltaIsGamma => "check_delta_is_gamma",
            Self::CoefficientMismatch { .. } => "check_coefficient",
            Self::SectionMismatch { .. } => "check_section",
            Self::SectionChanged { .. } => "check_section_changed",
            Self::SectionRatio { .. } => "check_section_ratio",
            Self::OutsideSubgroup { .. } => "check_outside_subgroup",
            Self::Misplaced(_) => "check_misplaced",
            Self::WrongCircuitHash { .. } => "check_circuit_hash",
            Self::UnexpectedContributions { .. } => "check_unexpected_contributions",
            Self::NoContributions => "check_no_contributions",
            Self::WrongTranscript { .. } => "check_transcript",
            Self::BadProofOfKnowledge { .. } => "check_proof_of_knowledge",
            Self::BadDeltaStep { .. } => "check_delta_step",
            Self::ContributionAtInfinity { .. } => "check_contribution_at_infinity",
            Self::DeltaUnchanged { .. } => "check_delta_unchanged",
            Self::BeaconMismatch { .. } => "check_beacon",
            Self::TooManyIterations { .. } => "check_beacon_iterations",
            Self::DeltaNotLast => "check_delta_not_last",
            Self::DeltasDiffer => "check_deltas_differ",
            Self::NotTheNext => "check_not_the_next",
            Self::NotTheExpectedBeacon => "check_not_the_expected_beacon",
            Self::Cancelled => "check_cancelled",
        }
    }
}
