//! What a beacon's signature is over, and in which group.

use crate::DrandError;
use blst::{BLST_ERROR, min_pk, min_sig};
use sha2::{Digest, Sha256};

/// RFC 9380 tag of signatures on G1.
pub const TAG_G1: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
/// RFC 9380 tag of signatures on G2.
pub const TAG_G2: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";

/// A drand signature scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `pedersen-bls-chained`: key on G1, signature on G2 over SHA-256(previous signature ‖ round).
    PedersenBlsChained,
    /// `bls-unchained-g1-rfc9380`: key on G2, signature on G1 over SHA-256(round).
    UnchainedG1Rfc9380,
    /// `bls-unchained-on-g1`: as above, hashed to G1 under G2's tag. The retired fastnet used it. No
    /// pinned chain does; it is here so that an old round can be told from a forged one.
    UnchainedG1WithG2Tag,
}

impl Scheme {
    /// drand's id.
    pub fn id(self) -> &'static str {
        match self {
            Self::PedersenBlsChained => "pedersen-bls-chained",
            Self::UnchainedG1Rfc9380 => "bls-unchained-g1-rfc9380",
            Self::UnchainedG1WithG2Tag => "bls-unchained-on-g1",
        }
    }

    /// # Errors
    /// [`DrandError::UnknownScheme`].
    pub fn from_id(id: &str) -> Result<Self, DrandError> {
        [
            Self::PedersenBlsChained,
            Self::UnchainedG1Rfc9380,
            Self::UnchainedG1WithG2Tag,
        ]
        .into_iter()
        .find(|scheme| scheme.id() == id)
        .ok_or_else(|| DrandError::UnknownScheme { id: id.to_owned() })
    }

    /// Whether a round signs the one before.
    pub fn is_chained(self) -> bool {
        matches!(self, Self::PedersenBlsChained)
    }

    /// Bytes of a compressed signature.
    pub fn signature_len(self) -> usize {
        match self {
            Self::PedersenBlsChained => 96,
            Self::UnchainedG1Rfc9380 | Self::UnchainedG1WithG2Tag => 48,
        }
    }

    fn tag(self) -> &'static [u8] {
        match self {
            Self::PedersenBlsChained | Self::UnchainedG1WithG2Tag => TAG_G2,
            Self::UnchainedG1Rfc9380 => TAG_G1,
        }
    }

    /// The 32 bytes that are hashed to the curve. `previous` is empty on unchained schemes.
    pub fn message(self, round: u64, previous: &[u8]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        if self.is_chained() {
            hasher.update(previous);
        }
        hasher.update(round.to_be_bytes());
        hasher.finalize().into()
    }
}

/// A chain's key, compressed, in the group opposite to the signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// 48 bytes; signatures are on G2.
    G1([u8; 48]),
    /// 96 bytes; signatures are on G1.
    G2([u8; 96]),
}

impl PublicKey {
    /// # Errors
    /// Wrong length for the scheme, or not a point of the prime-order subgroup other than infinity.
    pub fn parse(scheme: Scheme, bytes: &[u8]) -> Result<Self, DrandError> {
        let length = |expected| DrandError::KeyLength {
            expected,
            got: bytes.len(),
        };
        match scheme {
            Scheme::PedersenBlsChained => {
                let key: [u8; 48] = bytes.try_into().map_err(|_| length(48))?;
                min_pk::PublicKey::key_validate(&key).map_err(|_| DrandError::KeyInvalid)?;
                Ok(Self::G1(key))
            }
            Scheme::UnchainedG1Rfc9380 | Scheme::UnchainedG1WithG2Tag => {
                let key: [u8; 96] = bytes.try_into().map_err(|_| length(96))?;
                min_sig::PublicKey::key_validate(&key).map_err(|_| DrandError::KeyInvalid)?;
                Ok(Self::G2(key))
            }
        }
    }

    /// Compressed form.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::G1(bytes) => bytes,
            Self::G2(bytes) => bytes,
        }
    }

    /// Checks that `signature` is a point of the prime-order subgroup other than infinity and that
    /// it signs `message`. The caller has checked the length.
    pub(crate) fn verify(
        &self,
        scheme: Scheme,
        message: &[u8; 32],
        signature: &[u8],
        round: u64,
    ) -> Result<(), DrandError> {
        let outcome = match self {
            Self::G1(key) => {
                let key =
                    min_pk::PublicKey::key_validate(key).map_err(|_| DrandError::KeyInvalid)?;
                let signature =
                    min_pk::Signature::sig_validate(signature, true).map_err(point_error)?;
                signature.verify(false, message, scheme.tag(), &[], &key, false)
            }
            Self::G2(key) => {
                let key =
                    min_sig::PublicKey::key_validate(key).map_err(|_| DrandError::KeyInvalid)?;
                let signature =
                    min_sig::Signature::sig_validate(signature, true).map_err(point_error)?;
                signature.verify(false, message, scheme.tag(), &[], &key, false)
            }
        };
        if outcome == BLST_ERROR::BLST_SUCCESS {
            Ok(())
        } else {
            Err(DrandError::SignatureInvalid { round })
        }
    }
}

fn point_error(error: BLST_ERROR) -> DrandError {
    match error {
        BLST_ERROR::BLST_PK_IS_INFINITY => DrandError::SignatureInfinity,
        BLST_ERROR::BLST_POINT_NOT_ON_CURVE => DrandError::SignatureNotOnCurve,
        BLST_ERROR::BLST_POINT_NOT_IN_GROUP => DrandError::SignatureNotInSubgroup,
        _ => DrandError::SignatureEncoding,
    }
}
