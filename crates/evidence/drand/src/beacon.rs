//! A beacon: a round's signature, checked under a chain's key.

use crate::{
    DrandError,
    chain::{Chain, ChainInfo},
    round::Round,
};
use sha2::{Digest, Sha256};

/// A relay's answer, not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBeacon {
    /// Round it claims to be.
    pub round: u64,
    /// Compressed signature: 48 bytes on G1, 96 on G2.
    pub signature: Vec<u8>,
    /// Signature of the round before, empty on unchained chains.
    pub previous_signature: Vec<u8>,
}

impl RawBeacon {
    /// From the texts of JSON fields: the round's number as it stands in the JSON, signatures in
    /// lower-case hexadecimal. `None` where the field is absent.
    ///
    /// # Errors
    /// [`DrandError::RoundText`] (sign, exponent, quotes, 2^64 or more), [`DrandError::NotHex`].
    pub fn from_text(
        round: &str,
        signature: &str,
        previous_signature: Option<&str>,
    ) -> Result<Self, DrandError> {
        if !round.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DrandError::RoundText);
        }
        Ok(Self {
            round: round.parse().map_err(|_| DrandError::RoundText)?,
            signature: lower_hex("signature", signature)?,
            previous_signature: previous_signature
                .map(|text| lower_hex("previous_signature", text))
                .transpose()?
                .unwrap_or_default(),
        })
    }

    /// Checks lengths, encoding, curve, subgroup and the signature under the chain's key.
    ///
    /// # Errors
    /// [`DrandError`] names what does not hold.
    pub fn validate(self, chain: &ChainInfo) -> Result<Beacon, DrandError> {
        let round = Round::new(self.round)?;
        let scheme = chain.scheme();
        if self.signature.len() != scheme.signature_len() {
            return Err(DrandError::SignatureLength {
                expected: scheme.signature_len(),
                got: self.signature.len(),
            });
        }
        self.check_previous(chain)?;
        let message = scheme.message(self.round, &self.previous_signature);
        chain
            .public_key()
            .verify(scheme, &message, &self.signature, self.round)?;
        Ok(Beacon {
            chain_hash: *chain.hash(),
            round,
            randomness: Sha256::digest(&self.signature).into(),
            signature: self.signature,
            previous_signature: self.previous_signature,
        })
    }

    /// The pinned chain this verifies under, if any: for looking at a round of unknown origin.
    pub fn pinned_chain(&self) -> Option<Chain> {
        Chain::PINNED
            .into_iter()
            .find(|chain| self.clone().validate(chain.info()).is_ok())
    }

    fn check_previous(&self, chain: &ChainInfo) -> Result<(), DrandError> {
        let got = self.previous_signature.len();
        match (chain.scheme().is_chained(), got) {
            (false, 0) => Ok(()),
            (false, _) => Err(DrandError::PreviousSignatureUnexpected),
            (true, 0) => Err(DrandError::PreviousSignatureMissing),
            (true, _) => {
                // Round 1 signs the hash of the group file, 32 bytes, in place of a signature.
                let expected = if self.round == 1 {
                    32
                } else {
                    chain.scheme().signature_len()
                };
                if got == expected {
                    Ok(())
                } else {
                    Err(DrandError::PreviousSignatureLength { expected, got })
                }
            }
        }
    }
}

fn lower_hex(field: &'static str, text: &str) -> Result<Vec<u8>, DrandError> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(DrandError::NotHex { field });
    }
    hex::decode(text).map_err(|_| DrandError::NotHex { field })
}

/// A genuine beacon of the chain it was checked under.
#[derive(Debug, PartialEq, Eq)]
pub struct Beacon {
    chain_hash: [u8; 32],
    round: Round,
    randomness: [u8; 32],
    signature: Vec<u8>,
    previous_signature: Vec<u8>,
}

impl Beacon {
    /// Hash of the chain it was checked under.
    pub fn chain_hash(&self) -> &[u8; 32] {
        &self.chain_hash
    }

    /// Its round.
    pub fn round(&self) -> Round {
        self.round
    }

    /// SHA-256(signature): computed here, never taken from a relay.
    pub fn randomness(&self) -> &[u8; 32] {
        &self.randomness
    }

    /// Compressed signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Signature of the round before, empty on unchained chains.
    pub fn previous_signature(&self) -> &[u8] {
        &self.previous_signature
    }

    /// Checks randomness that someone wrote beside the signature.
    ///
    /// # Errors
    /// [`DrandError::RandomnessMismatch`].
    pub fn check_claimed_randomness(&self, claimed: &[u8]) -> Result<(), DrandError> {
        if claimed == self.randomness {
            Ok(())
        } else {
            Err(DrandError::RandomnessMismatch)
        }
    }

    /// Evidence that this is the beacon of the named chain for the assigned round.
    ///
    /// # Errors
    /// [`DrandError::ChainMismatch`], [`DrandError::RoundMismatch`].
    pub fn matching(
        self,
        chain: &ChainInfo,
        assigned: Round,
    ) -> Result<BeaconMatchesRound, DrandError> {
        if self.chain_hash != *chain.hash() {
            return Err(DrandError::ChainMismatch {
                expected: hex::encode(chain.hash()),
                got: hex::encode(self.chain_hash),
            });
        }
        if self.round != assigned {
            return Err(DrandError::RoundMismatch {
                expected: assigned.get(),
                got: self.round.get(),
            });
        }
        Ok(BeaconMatchesRound { beacon: self })
    }
}

/// Evidence: a genuine beacon of the chain and round that the attested time assigned.
///
/// Only [`Beacon::matching`] mints it.
///
/// ```compile_fail,E0451
/// fn forge(beacon: drand::Beacon) -> drand::BeaconMatchesRound {
///     drand::BeaconMatchesRound { beacon }
/// }
/// ```
///
/// It cannot be used twice:
///
/// ```compile_fail,E0382
/// fn spend(_: drand::BeaconMatchesRound) {}
/// fn twice(token: drand::BeaconMatchesRound) {
///     spend(token);
///     spend(token);
/// }
/// ```
///
/// ```
/// fn spend(_: drand::BeaconMatchesRound) {}
/// fn once(token: drand::BeaconMatchesRound) {
///     spend(token);
/// }
/// ```
#[derive(Debug)]
pub struct BeaconMatchesRound {
    beacon: Beacon,
}

impl BeaconMatchesRound {
    /// The beacon.
    pub fn beacon(&self) -> &Beacon {
        &self.beacon
    }

    /// SHA-256(signature), the 32 bytes the beacon step takes.
    pub fn randomness(&self) -> &[u8; 32] {
        self.beacon.randomness()
    }

    /// The assigned round.
    pub fn round(&self) -> Round {
        self.beacon.round()
    }
}
