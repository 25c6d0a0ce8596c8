//! The COSE_Sign1 envelope (RFC 9052), in the one spelling that the Nitro Security Module writes:
//!
//! ```text
//! 84                  array of 4
//! 44 a1 01 38 22      protected header {1: -35}, ES384
//! a0                  unprotected header, empty
//! 59 hh ll  …         payload, length in two bytes
//! 58 60  …            signature r ‖ s, 96 bytes
//! ```
//!
//! Comparing bytes leaves no header to interpret: an algorithm of the sender's choice, junk beside
//! the signed part, nesting and lengths beyond the file are all refused before anything is decoded.

use crate::error::EnvelopeFlaw;

/// Most bytes a payload can have; the module answers at most 12 KiB.
pub const MAX_PAYLOAD: usize = 16_384;
/// Most bytes of a whole document: payload, headers, signature.
pub const MAX_DOCUMENT: usize = MAX_PAYLOAD + 120;

const PROTECTED: [u8; 5] = [0x44, 0xa1, 0x01, 0x38, 0x22];
/// `"Signature1"`, protected header, empty external data: what is signed before the payload (RFC 9052, 4.4).
const SIGNED_PREFIX: &[u8] = b"\x84\x6aSignature1\x44\xa1\x01\x38\x22\x40\x59";

/// The parts of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The signed payload.
    pub payload: &'a [u8],
    /// r ‖ s, big-endian.
    pub signature: &'a [u8; 96],
}

impl<'a> Envelope<'a> {
    /// # Errors
    /// [`EnvelopeFlaw`] names the first part that is not as the module writes it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EnvelopeFlaw> {
        if bytes.len() > MAX_DOCUMENT {
            return Err(EnvelopeFlaw::TooLong {
                max: MAX_DOCUMENT,
                got: bytes.len(),
            });
        }
        let mut reader = Reader { bytes, at: 0 };
        match reader.array::<1>()? {
            [0x84] => {}
            [first] if first >> 5 == 6 => return Err(EnvelopeFlaw::Tagged),
            _ => return Err(EnvelopeFlaw::NotFourParts),
        }
        if *reader.array::<5>()? != PROTECTED {
            return Err(EnvelopeFlaw::ProtectedHeader);
        }
        if *reader.array::<1>()? != [0xa0] {
            return Err(EnvelopeFlaw::UnprotectedHeader);
        }
        let [0x59] = reader.array::<1>()? else {
            return Err(EnvelopeFlaw::Payload);
        };
        let length = usize::from(u16::from_be_bytes(*reader.array::<2>()?));
        if !(256..=MAX_PAYLOAD).contains(&length) {
            return Err(EnvelopeFlaw::Payload);
        }
        let payload = reader.take(length)?;
        if *reader.array::<2>()? != [0x58, 0x60] {
            return Err(EnvelopeFlaw::Signature);
        }
        let signature = reader.array::<96>()?;
        match bytes.len().saturating_sub(reader.at) {
            0 => Ok(Self { payload, signature }),
            count => Err(EnvelopeFlaw::Trailing { count }),
        }
    }

    /// The bytes under the signature.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut signed = Vec::with_capacity(SIGNED_PREFIX.len() + 2 + self.payload.len());
        signed.extend_from_slice(SIGNED_PREFIX);
        // `parse` has bounded the length; a longer one can not be written in two bytes.
        let length = u16::try_from(self.payload.len()).unwrap_or(u16::MAX);
        signed.extend_from_slice(&length.to_be_bytes());
        signed.extend_from_slice(self.payload);
        signed
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], EnvelopeFlaw> {
        let expected = self.at.saturating_add(length);
        let part = self
            .bytes
            .get(self.at..expected)
            .ok_or(EnvelopeFlaw::Truncated {
                expected,
                got: self.bytes.len(),
            })?;
        self.at = expected;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], EnvelopeFlaw> {
        let truncated = EnvelopeFlaw::Truncated {
            expected: self.at.saturating_add(N),
            got: self.bytes.len(),
        };
        self.take(N)?.first_chunk().ok_or(truncated)
    }
}
