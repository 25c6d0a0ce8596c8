use std::io;

use formats::{points::PointsError, zkey::ZKeyError};

use crate::rescale::{RescaleError, ScheduleError, SecretMultiplicationError};

/// Why a contribution was not made, or not undone. Holds nothing secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContributionError {
    /// The key before is malformed.
    #[error("zkey: {0}")]
    ZKey(#[from] ZKeyError),
    /// A point of the key before is malformed.
    #[error("zkey: {0}")]
    Points(#[from] PointsError),
    /// The key before could not be read.
    #[error("cannot read section {section} of the zkey")]
    Read {
        /// The section.
        section: u32,
        /// What the source said.
        #[source]
        source: io::Error,
    },
    /// The scalar cannot be used.
    #[error(transparent)]
    Scalar(#[from] ScheduleError),
    /// The points of a section could not be multiplied, for no fault of a single one.
    #[error("section {section}: {source}")]
    Rescale {
        /// The section.
        section: u32,
        /// What happened.
        source: RescaleError,
    },
    /// A single point that cannot be multiplied.
    #[error(transparent)]
    Multiplication(#[from] SecretMultiplicationError),
    /// The random point of an earlier contribution was drawn again.
    #[error("contribution {index} was made with the same randomness")]
    ReusedKey {
        /// Index of the earlier contribution.
        index: usize,
    },
    /// The contribution would leave delta as it is, or delta is infinity.
    #[error("the contribution does not change delta")]
    DeltaUnchanged,
    /// The proof of knowledge just made does not verify: a fault of the machine.
    #[error("the new contribution's own proof does not verify")]
    OwnProofFails,
    /// The format's counter is full.
    #[error("no more contributions can be counted")]
    TooManyContributions,
    /// The last contribution is not a beacon, or there is none.
    #[error("the last contribution is not a beacon")]
    LastIsNoBeacon,
    /// The last record is not what its beacon gives.
    #[error("the last contribution is not what its beacon gives")]
    BeaconMismatch,
    /// More iterations than are computed.
    #[error("2^{exponent} beacon iterations, at most 2^{max} are computed")]
    TooManyIterations {
        /// Exponent in the record.
        exponent: u8,
        /// Largest that is computed.
        max: u8,
    },
    /// The new key could not be written.
    #[error("cannot write the zkey")]
    Write(#[source] io::Error),
    /// The progress sink asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl ContributionError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ZKey(error) => error.code(),
            Self::Points(error) => error.code(),
            Self::Read { .. } => "contribution_read",
            Self::Scalar(_) => "contribution_scalar",
            Self::Rescale { .. } | Self::Multiplication(_) => "contribution_degenerate_point",
            Self::ReusedKey { .. } => "contribution_reused_key",
            Self::DeltaUnchanged => "contribution_delta_unchanged",
            Self::OwnProofFails => "contribution_own_proof",
            Self::TooManyContributions => "contribution_too_many",
            Self::LastIsNoBeacon => "beacon_not_last",
            Self::BeaconMismatch => "beacon_mismatch",
            Self::TooManyIterations { .. } => "beacon_too_many_iterations",
            Self::Write(_) => "contribution_write",
            Self::Cancelled => "contribution_cancelled",
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Write(_) => Some("free disk space, or choose another folder"),
            Self::ReusedKey { .. } => Some("do not use this machine's randomness"),
            Self::OwnProofFails
            | Self::Rescale {
                source: RescaleError::WrongResult,
                ..
            } => Some("do not use this machine"),
            Self::Points(_) | Self::ZKey(_) => {
                Some("take the zkey from its source again, and check it")
            }
            _ => None,
        }
    }
}
