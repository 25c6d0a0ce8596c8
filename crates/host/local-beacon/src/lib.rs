//! SIMULATED: a local drand-shaped beacon chain with its own BLS key.
//!
//! It signs rounds as drand quicknet does (unchained, signatures on G1, RFC 9380), under a key that
//! one machine holds. Whoever holds the seed can compute every round ahead of time, so its
//! randomness proves nothing. For ceremonies on a machine without network.

use blst::min_sig::SecretKey;
use drand::{ChainInfo, DrandError, RawBeacon, Round, Scheme, scheme::TAG_G1};

/// SIMULATED chain of one key.
pub struct LocalChain {
    key: SecretKey,
    info: ChainInfo,
}

/// Why there is no local chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalBeaconError {
    /// The operating system gave no randomness for a seed.
    #[error("no randomness from the operating system: {0}")]
    Randomness(getrandom::Error),
    /// BLS key derivation refused the seed.
    #[error("the seed gives no BLS key")]
    Key,
    /// Genesis or period do not make a chain.
    #[error("the local chain's parameters are refused")]
    Chain(#[from] DrandError),
}

impl LocalBeaconError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Randomness(_) => "local_beacon_randomness",
            Self::Key => "local_beacon_key",
            Self::Chain(error) => error.code(),
        }
    }
}

impl LocalChain {
    /// A chain whose key is derived from the seed (draft-irtf-cfrg-bls-signature, KeyGen). Round 1
    /// is at `genesis_s` (Unix seconds), one round each `period_s` seconds.
    ///
    /// # Errors
    /// The period is 0 or does not fit drand's 32 bits.
    pub fn from_seed(
        seed: [u8; 32],
        genesis_s: u64,
        period_s: u64,
    ) -> Result<Self, LocalBeaconError> {
        let key = SecretKey::key_gen(&seed, &[]).map_err(|_| LocalBeaconError::Key)?;
        let info = ChainInfo::local(&key.sk_to_pk().to_bytes(), genesis_s, period_s)?;
        Ok(Self { key, info })
    }

    /// What a verifier needs to know of it.
    pub fn chain_info(&self) -> &ChainInfo {
        &self.info
    }

    /// The beacon of a round, whether or not its time has come: waiting is the caller's part.
    pub fn sign(&self, round: Round) -> RawBeacon {
        let message = Scheme::UnchainedG1Rfc9380.message(round.get(), &[]);
        RawBeacon {
            round: round.get(),
            signature: self.key.sign(&message, TAG_G1, &[]).to_bytes().to_vec(),
            previous_signature: Vec::new(),
        }
    }
}

/// A seed from the operating system.
///
/// # Errors
/// The operating system has none.
pub fn fresh_seed() -> Result<[u8; 32], LocalBeaconError> {
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed).map_err(LocalBeaconError::Randomness)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_rounds_that_verify_under_its_own_chain_only() {
        let chain = LocalChain::from_seed([7; 32], 1_700_000_000, 3).unwrap();
        let other = LocalChain::from_seed([8; 32], 1_700_000_000, 3).unwrap();
        let round = Round::new(42).unwrap();
        let beacon = chain.sign(round);

        let checked = beacon.clone().validate(chain.chain_info()).unwrap();
        checked.matching(chain.chain_info(), round).unwrap();
        assert_eq!(
            beacon.clone().validate(other.chain_info()).unwrap_err(),
            DrandError::SignatureInvalid { round: 42 }
        );
        assert_eq!(
            beacon.validate(&drand::QUICKNET).unwrap_err(),
            DrandError::SignatureInvalid { round: 42 }
        );
    }

    #[test]
    fn the_chain_hash_covers_key_genesis_and_period() {
        let hash = |seed, genesis, period| {
            *LocalChain::from_seed([seed; 32], genesis, period)
                .unwrap()
                .chain_info()
                .hash()
        };
        assert_eq!(hash(7, 1000, 3), hash(7, 1000, 3));
        for other in [hash(8, 1000, 3), hash(7, 1001, 3), hash(7, 1000, 4)] {
            assert_ne!(hash(7, 1000, 3), other);
        }
    }

    #[test]
    fn a_period_of_zero_is_refused() {
        assert!(matches!(
            LocalChain::from_seed([7; 32], 1000, 0),
            Err(LocalBeaconError::Chain(DrandError::PeriodZero))
        ));
    }

    #[test]
    fn two_seeds_differ() {
        assert_ne!(fresh_seed().unwrap(), fresh_seed().unwrap());
    }
}
