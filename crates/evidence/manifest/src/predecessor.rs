//! The contributions that an initial key had already, as spec and manifest name them.

use std::fmt;

use formats::digest::{Blake2b512Digest, Sha256Digest};

use crate::artifact::TaggedBlake2b512;
use crate::canonical::{
    CanonicalError, Entries, Spelling, percent_decode, percent_encode, spelt, word,
};

/// Most predecessors that a ceremony takes.
pub const MAX_PREDECESSORS: usize = 10_000;
/// Most bytes of a contribution's name in a key.
const MAX_NAME_BYTES: usize = 255;

/// The key that the enclave contributes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialSpec {
    /// A key without contributions, made for this ceremony from r1cs and ptau.
    Fresh,
    /// A key with contributions, made by anyone.
    Chain {
        /// SHA-256 of the file.
        sha256: Sha256Digest,
    },
}

word! {
    /// The one word of `initial.mode`: a fresh key has no such line.
    InitialMode, "`chain`",
    /// [`InitialSpec::Chain`].
    Chain = "chain",
}

word! {
    /// What a predecessor is.
    PredecessorKind, "`contribution` or `beacon`",
    /// Somebody's secret.
    Contribution = "contribution",
    /// A public value.
    Beacon = "beacon",
}

/// One contribution in the initial key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predecessor {
    /// Its contribution hash, as snarkjs prints it.
    pub hash: Blake2b512Digest,
    /// What it is.
    pub kind: PredecessorKind,
    /// The name in its record, which nothing vouches for: at most 255 bytes, empty if there is none.
    pub unauthenticated_name: Vec<u8>,
}

impl fmt::Display for Predecessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", TaggedBlake2b512(self.hash), self.kind)?;
        if !self.unauthenticated_name.is_empty() {
            write!(f, " {}", percent_encode(&self.unauthenticated_name))?;
        }
        Ok(())
    }
}

impl Spelling for Predecessor {
    const EXPECTED: &'static str =
        "`blake2b512:HEX`, `contribution` or `beacon`, and perhaps a percent-encoded name";
    fn read(value: &str) -> Option<Self> {
        let mut words = value.split(' ');
        let TaggedBlake2b512(hash) = Spelling::read(words.next()?)?;
        let kind = PredecessorKind::read(words.next()?)?;
        let unauthenticated_name = match words.next() {
            None => Vec::new(),
            Some(name) => percent_decode(name)
                .filter(|name| !name.is_empty() && name.len() <= MAX_NAME_BYTES)?,
        };
        words.next().is_none().then_some(Self {
            hash,
            kind,
            unauthenticated_name,
        })
    }
}

/// Writes `initial.mode` and `initial.sha256`; nothing for a fresh key.
pub(crate) fn set_initial(entries: &mut Entries, initial: InitialSpec) {
    if let InitialSpec::Chain { sha256 } = initial {
        entries.set("initial.mode", InitialMode::Chain);
        entries.set("initial.sha256", crate::artifact::TaggedSha256(sha256));
    }
}

/// Reads what [`set_initial`] wrote.
pub(crate) fn take_initial(entries: &mut Entries) -> Result<InitialSpec, CanonicalError> {
    let Some(mode) = entries.take_optional("initial.mode") else {
        return Ok(InitialSpec::Fresh);
    };
    let InitialMode::Chain = spelt("initial.mode", &mode)?;
    let crate::artifact::TaggedSha256(sha256) = entries.take_as("initial.sha256")?;
    Ok(InitialSpec::Chain { sha256 })
}

/// Writes `predecessor.0`, `predecessor.1`, …
pub(crate) fn set_predecessors(entries: &mut Entries, predecessors: &[Predecessor]) {
    for (number, predecessor) in predecessors.iter().enumerate() {
        entries.set(format!("predecessor.{number}"), predecessor);
    }
}

/// Reads what [`set_predecessors`] wrote: numbers without a gap.
pub(crate) fn take_predecessors(entries: &mut Entries) -> Result<Vec<Predecessor>, CanonicalError> {
    let mut lines = entries.take_prefixed("predecessor.");
    let mut predecessors = Vec::new();
    while !lines.is_empty() {
        let number = predecessors.len().to_string();
        let key = format!("predecessor.{number}");
        let value = lines
            .remove(&number)
            .ok_or_else(|| CanonicalError::Missing { key: key.clone() })?;
        predecessors.push(spelt(&key, &value)?);
    }
    Ok(predecessors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predecessor_has_one_spelling() {
        let hex = "11".repeat(64);
        for text in [
            format!("blake2b512:{hex} contribution"),
            format!("blake2b512:{hex} beacon"),
            format!("blake2b512:{hex} contribution Ann%20%00%FF"),
        ] {
            assert_eq!(Predecessor::read(&text).unwrap().to_string(), text);
        }
        for text in [
            format!("sha256:{hex} contribution"),
            format!("blake2b512:{hex}"),
            format!("blake2b512:{hex} other"),
            format!("blake2b512:{hex} contribution "),
            format!("blake2b512:{hex} contribution Ann Bob"),
            format!("blake2b512:{hex} contribution %41nn"),
            format!("blake2b512:{hex} contribution {}", "a".repeat(256)),
        ] {
            assert_eq!(Predecessor::read(&text), None, "{text}");
        }
    }
}
