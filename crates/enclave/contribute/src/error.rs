use formats::curve::Curve;
use phase2::contribution::ContributionError;

use crate::{entropy::SourceFailed, health::HealthError};

/// Why no contribution was made. Nothing secret is in any of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContributeError {
    /// A source of randomness gave none.
    #[error("random source {name} failed")]
    SourceFailed {
        /// The source.
        name: &'static str,
        /// Its own reason.
        #[source]
        source: SourceFailed,
    },
    /// A source gave fewer bytes than asked for.
    #[error("random source {name} gave {got} bytes instead of {expected}")]
    ShortDraw {
        /// The source.
        name: &'static str,
        /// Bytes asked for.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// What a source gave does not look random.
    #[error("random source {name} is unhealthy: {source}")]
    Unhealthy {
        /// The source.
        name: &'static str,
        /// The test that failed.
        source: HealthError,
    },
    /// Two draws were equal.
    #[error("two random draws are equal (the second from {name})")]
    EqualDraws {
        /// Source of the second draw.
        name: &'static str,
    },
    /// The requester sent more bytes than are mixed in.
    #[error("requester entropy has {got} bytes, at most {max} are taken")]
    RequesterEntropyTooLong {
        /// Bytes sent.
        got: usize,
        /// Most that are taken.
        max: usize,
    },
    /// The key before is of a curve that ceremonies do not use.
    #[error("zkey is over {got}, ceremonies are over bn128")]
    WrongCurve {
        /// Curve of the key.
        got: Curve,
    },
    /// The contribution could not be made.
    #[error(transparent)]
    Contribution(#[from] ContributionError),
    /// The seed could not be derived.
    #[error("key derivation failed")]
    KeyDerivation,
}

impl ContributeError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SourceFailed { .. } => "entropy_source_failed",
            Self::ShortDraw { .. } => "entropy_short_draw",
            Self::Unhealthy { .. } => "entropy_unhealthy",
            Self::EqualDraws { .. } => "entropy_equal_draws",
            Self::RequesterEntropyTooLong { .. } => "entropy_requester_too_long",
            Self::WrongCurve { .. } => "contribution_wrong_curve",
            Self::Contribution(error) => error.code(),
            Self::KeyDerivation => "entropy_key_derivation",
        }
    }
}
