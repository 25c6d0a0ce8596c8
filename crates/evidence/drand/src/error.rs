use thiserror::Error;

/// Why chain information, a round or a beacon was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DrandError {
    /// Not `quicknet` or `default`.
    #[error("unknown drand chain {name:?}: only quicknet and default are pinned")]
    UnknownChain {
        /// What was asked for.
        name: String,
    },
    /// A scheme this code does not verify.
    #[error("unknown drand scheme {id:?}")]
    UnknownScheme {
        /// drand's scheme id.
        id: String,
    },
    /// Chain information does not hash to the chain hash.
    #[error("chain information hashes to {got}, not to the chain hash {expected}")]
    ChainHash {
        /// Claimed hash, hex.
        expected: String,
        /// Hash of the fields, hex.
        got: String,
    },
    /// A chain without a period has no rounds.
    #[error("the chain's period is 0")]
    PeriodZero,
    /// drand keeps the period in 32 bits.
    #[error("the chain's period of {got} s does not fit 32 bits")]
    PeriodTooLarge {
        /// Seconds.
        got: u64,
    },
    /// Group key of the wrong length for its group.
    #[error("the chain's public key has {got} bytes, expected {expected}")]
    KeyLength {
        /// 48 on G1, 96 on G2.
        expected: usize,
        /// Bytes seen.
        got: usize,
    },
    /// Group key is not canonical, not on the curve, not in the subgroup, or infinity.
    #[error("the chain's public key is not a valid point of its group")]
    KeyInvalid,
    /// A time that does not fit the arithmetic.
    #[error("time or round out of range")]
    TimeOverflow,
    /// The chain had not started.
    #[error("time {time_ms} ms lies before the chain's genesis at {genesis_ms} ms")]
    BeforeGenesis {
        /// Unix milliseconds asked for.
        time_ms: u64,
        /// Unix milliseconds of round 1.
        genesis_ms: u64,
    },
    /// drand answers round 0 with the latest beacon; no beacon has this number.
    #[error("round 0 does not exist")]
    RoundZero,
    /// The round is not a plain decimal number below 2^64.
    #[error("the round is not a decimal number below 2^64")]
    RoundText,
    /// A field is not lower-case hexadecimal.
    #[error("{field} is not lower-case hexadecimal")]
    NotHex {
        /// `signature` or `previous_signature`.
        field: &'static str,
    },
    /// Signature of the wrong length for the chain's scheme.
    #[error("the signature has {got} bytes, expected {expected}")]
    SignatureLength {
        /// 48 on G1, 96 on G2.
        expected: usize,
        /// Bytes seen.
        got: usize,
    },
    /// Not a canonical compressed point.
    #[error("the signature is not a canonical compressed point")]
    SignatureEncoding,
    /// No such point.
    #[error("the signature is not a point of the curve")]
    SignatureNotOnCurve,
    /// A point outside the prime-order subgroup.
    #[error("the signature is not in the prime-order subgroup")]
    SignatureNotInSubgroup,
    /// The neutral element signs nothing.
    #[error("the signature is the point at infinity")]
    SignatureInfinity,
    /// The pairing equation does not hold.
    #[error("the signature does not verify for round {round} under the chain's key")]
    SignatureInvalid {
        /// Round the beacon claims.
        round: u64,
    },
    /// A chained scheme signs the previous signature too.
    #[error("the chained scheme needs the previous signature")]
    PreviousSignatureMissing,
    /// An unchained scheme has none; a second spelling of the same beacon is refused.
    #[error("the unchained scheme has no previous signature")]
    PreviousSignatureUnexpected,
    /// Previous signature of the wrong length.
    #[error("the previous signature has {got} bytes, expected {expected}")]
    PreviousSignatureLength {
        /// 96, or 32 (the group hash) for round 1.
        expected: usize,
        /// Bytes seen.
        got: usize,
    },
    /// The relay's randomness is not SHA-256(signature).
    #[error("claimed randomness is not the SHA-256 of the signature")]
    RandomnessMismatch,
    /// A genuine beacon of a round that was not assigned.
    #[error("beacon of round {got}, but round {expected} was assigned")]
    RoundMismatch {
        /// Assigned by the attested time.
        expected: u64,
        /// Round of the beacon.
        got: u64,
    },
    /// A genuine beacon of a chain that was not named.
    #[error("beacon of chain {got}, but chain {expected} was named")]
    ChainMismatch {
        /// Chain hash named, hex.
        expected: String,
        /// Chain hash the beacon was checked under, hex.
        got: String,
    },
}

impl DrandError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownChain { .. } => "drand_unknown_chain",
            Self::UnknownScheme { .. } => "drand_unknown_scheme",
            Self::ChainHash { .. } => "drand_chain_hash",
            Self::PeriodZero | Self::PeriodTooLarge { .. } => "drand_period",
            Self::KeyLength { .. } | Self::KeyInvalid => "drand_public_key",
            Self::TimeOverflow => "drand_time_overflow",
            Self::BeforeGenesis { .. } => "drand_before_genesis",
            Self::RoundZero => "drand_round_zero",
            Self::RoundText => "drand_round_text",
            Self::NotHex { .. } => "drand_not_hex",
            Self::SignatureLength { .. } => "drand_signature_length",
            Self::SignatureEncoding => "drand_signature_encoding",
            Self::SignatureNotOnCurve => "drand_signature_not_on_curve",
            Self::SignatureNotInSubgroup => "drand_signature_not_in_subgroup",
            Self::SignatureInfinity => "drand_signature_infinity",
            Self::SignatureInvalid { .. } => "drand_signature_invalid",
            Self::PreviousSignatureMissing => "drand_previous_signature_missing",
            Self::PreviousSignatureUnexpected => "drand_previous_signature_unexpected",
            Self::PreviousSignatureLength { .. } => "drand_previous_signature_length",
            Self::RandomnessMismatch => "drand_randomness_mismatch",
            Self::RoundMismatch { .. } => "drand_round_mismatch",
            Self::ChainMismatch { .. } => "drand_chain_mismatch",
        }
    }

    /// What a user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownChain { .. } => {
                Some("choose quicknet (rounds of 3 s) or default (rounds of 30 s)")
            }
            Self::RoundMismatch { .. } => {
                Some("ask the relay for the assigned round by its number, never for `latest`")
            }
            Self::PreviousSignatureMissing => {
                Some("ask a relay of the v1 API, which gives previous_signature for chained chains")
            }
            Self::SignatureInvalid { .. }
            | Self::ChainMismatch { .. }
            | Self::RandomnessMismatch => {
                Some("the relay gave a beacon of another chain or a changed one: ask another relay")
            }
            _ => None,
        }
    }
}
