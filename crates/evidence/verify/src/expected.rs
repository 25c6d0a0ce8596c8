//! Expected measurements from a file, and who vouches for them.
//!
//! Everything that a production bundle proves rests on these 3 times 48 bytes: whoever can change them
//! can pass off an enclave of their own. So a file counts only with a signature over its bytes, or
//! where the caller says in so many words that it is their own.
//!
//! The file is JSON with `PCR0`, `PCR1` and `PCR2` (96 hexadecimal digits each), inside an object
//! `Measurements` as `nitro-cli` and `scripts/image` write it, or not. The signature is one of minisign
//! (Ed25519 over BLAKE2b-512; its trusted comment is signed as well): <https://jedisct1.github.io/minisign/>.

use attestation::PcrPolicy;
use minisign_verify::{Error as MinisignError, PublicKey, Signature};
use serde::Deserialize;

/// The key that the project signs its releases with: none exists yet, so the caller gives one.
pub const RELEASE_KEY: Option<&str> = None;

/// Most bytes of a file of measurements.
pub const MAX_FILE: usize = 1 << 20;
/// Most bytes of a signature or key file.
pub const MAX_SIGNATURE: usize = 16 << 10;

/// Who says that these are the measurements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The caller alone: typed, or none demanded.
    Caller,
    /// A file without a signature, which the caller chose to believe.
    UnsignedFile,
    /// A file signed by a key that the caller gave or that is built in.
    Signed {
        /// The public key, base64.
        key: String,
        /// What the signer wrote beside the signature, signed too.
        comment: String,
    },
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Caller => f.write_str("whoever runs this verification"),
            Self::UnsignedFile => f.write_str("a file that nobody signed: your own choice"),
            Self::Signed { key, comment } => write!(f, "minisign key {key}, saying: {comment}"),
        }
    }
}

/// A file that claims to hold expected measurements.
#[derive(Debug, Clone, Copy)]
pub struct RawExpected<'a>(pub &'a [u8]);

/// Expected PCR0, PCR1 and PCR2, and who vouches for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    pcrs: [[u8; 48]; 3],
    origin: Origin,
}

/// Why a file of measurements is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpectedError {
    /// More bytes than such a file can have.
    #[error("the file of measurements has {got} bytes, at most {MAX_FILE} allowed")]
    TooLarge {
        /// Bytes it has.
        got: usize,
    },
    /// The public key cannot be read.
    #[error("the public key is none of minisign's: {reason}")]
    Key {
        /// What is wrong with it.
        reason: String,
    },
    /// The signature file cannot be read.
    #[error("the signature is none of minisign's: {reason}")]
    SignatureForm {
        /// What is wrong with it.
        reason: String,
    },
    /// Made with another key.
    #[error("the file of measurements was signed with another key")]
    OtherKey,
    /// The file, or the trusted comment, is not what was signed.
    #[error("the signature does not belong to this file of measurements: it was altered")]
    Altered,
    /// Not the JSON it must be.
    #[error("the file of measurements cannot be read: {reason}")]
    Form {
        /// What is wrong with it.
        reason: String,
    },
    /// A register that is not 48 bytes in hexadecimal.
    #[error("PCR{index} is not 48 bytes in hexadecimal")]
    Register {
        /// Which.
        index: u8,
    },
}

impl ExpectedError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "expected_too_large",
            Self::Key { .. } => "expected_key",
            Self::SignatureForm { .. } => "expected_signature_form",
            Self::OtherKey => "expected_other_key",
            Self::Altered => "expected_altered",
            Self::Form { .. } => "expected_form",
            Self::Register { .. } => "expected_register",
        }
    }
}

impl RawExpected<'_> {
    /// The measurements, if `signature` (the text of a `.minisig` file) is one of `key` (base64, or
    /// the text of a `.pub` file) over exactly these bytes.
    ///
    /// # Errors
    /// [`ExpectedError`]; nothing of the file is read before the signature holds.
    pub fn signed(self, signature: &str, key: &str) -> Result<Expected, ExpectedError> {
        self.check_size()?;
        let form = |error: &MinisignError| error.to_string();
        let public = key_of(key).map_err(|error| ExpectedError::Key {
            reason: form(&error),
        })?;
        let signature =
            Signature::decode(signature).map_err(|error| ExpectedError::SignatureForm {
                reason: form(&error),
            })?;
        public
            .verify(self.0, &signature, false)
            .map_err(|error| match error {
                MinisignError::UnexpectedKeyId => ExpectedError::OtherKey,
                MinisignError::InvalidSignature => ExpectedError::Altered,
                other => ExpectedError::SignatureForm {
                    reason: form(&other),
                },
            })?;
        self.read(Origin::Signed {
            key: words_of(key).to_owned(),
            comment: signature.trusted_comment().to_owned(),
        })
    }

    /// The measurements of a file that nobody signed: the caller's own choice, and shown as such.
    ///
    /// # Errors
    /// [`ExpectedError`] of a file that cannot be read.
    pub fn unsigned(self) -> Result<Expected, ExpectedError> {
        self.check_size()?;
        self.read(Origin::UnsignedFile)
    }

    fn check_size(self) -> Result<(), ExpectedError> {
        let got = self.0.len();
        if got > MAX_FILE {
            return Err(ExpectedError::TooLarge { got });
        }
        Ok(())
    }

    fn read(self, origin: Origin) -> Result<Expected, ExpectedError> {
        let form = |reason: String| ExpectedError::Form { reason };
        let file: File = serde_json::from_slice(self.0).map_err(|error| form(error.to_string()))?;
        let outside = [file.pcr0, file.pcr1, file.pcr2];
        let texts = match file.measurements {
            Some(inside) if outside == [None, None, None] => {
                [inside.pcr0, inside.pcr1, inside.pcr2].map(Some)
            }
            Some(_) => return Err(form("registers inside Measurements and beside it".into())),
            None => outside,
        };
        let mut pcrs = [[0; 48]; 3];
        for ((index, text), value) in (0_u8..).zip(&texts).zip(&mut pcrs) {
            let text = text
                .as_deref()
                .ok_or_else(|| form(format!("no PCR{index}")))?;
            hex::decode_to_slice(text, value).map_err(|_| ExpectedError::Register { index })?;
        }
        Ok(Expected { pcrs, origin })
    }
}

impl Expected {
    /// Demands exactly these measurements.
    pub fn policy(&self) -> PcrPolicy {
        let [pcr0, pcr1, pcr2] = self.pcrs;
        PcrPolicy::image(pcr0, pcr1, pcr2)
    }

    /// Who vouches for them.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// A `.pub` file has a comment above its key.
fn key_of(text: &str) -> Result<PublicKey, MinisignError> {
    PublicKey::from_base64(words_of(text))
}

fn words_of(text: &str) -> &str {
    text.trim().lines().next_back().unwrap_or_default().trim()
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "Measurements")]
    measurements: Option<Registers>,
    #[serde(rename = "PCR0")]
    pcr0: Option<String>,
    #[serde(rename = "PCR1")]
    pcr1: Option<String>,
    #[serde(rename = "PCR2")]
    pcr2: Option<String>,
}

#[derive(Deserialize)]
struct Registers {
    #[serde(rename = "PCR0")]
    pcr0: String,
    #[serde(rename = "PCR1")]
    pcr1: String,
    #[serde(rename = "PCR2")]
    pcr2: String,
}
