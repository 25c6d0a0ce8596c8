//! The two published families of BN254 powers of tau, pinned by digest.
//!
//! Phase 1 of a ceremony is believed because its file is one of these. The families have different
//! tau, and within a family a smaller file is a truncation of the larger ones.

mod table;

use std::fmt;
use std::str::FromStr;

use self::table::TABLE;
use crate::digest::{Blake2b512Digest, FileDigests, Sha256Digest};

/// A published phase-1 ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PtauFamily {
    /// Hermez: 54 contributions and a beacon.
    Hermez,
    /// Perpetual powers of tau, response 80 and a beacon.
    Ppot0080,
}

impl PtauFamily {
    /// The name used in manifests and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hermez => "hermez",
            Self::Ppot0080 => "ppot_0080",
        }
    }
}

impl fmt::Display for PtauFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no published family.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
#[error("not a published ptau family (hermez, ppot_0080)")]
pub struct UnknownFamily;

impl FromStr for PtauFamily {
    type Err = UnknownFamily;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Hermez, Self::Ppot0080]
            .into_iter()
            .find(|family| family.name() == text)
            .ok_or(UnknownFamily)
    }
}

/// What is published about one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedPtau {
    /// Which ceremony.
    pub family: PtauFamily,
    /// The file serves domains up to 2^power.
    pub power: u32,
    /// Size in bytes.
    pub size: u64,
    /// The publisher's file name.
    pub file_name: &'static str,
    /// Where the publisher keeps it.
    pub url: &'static str,
    blake2b512_hex: Option<&'static str>,
    sha256_hex: Option<&'static str>,
}

impl PublishedPtau {
    /// Published BLAKE2b-512, if there is one.
    pub fn blake2b512(&self) -> Option<Blake2b512Digest> {
        // A test parses every line of the table.
        self.blake2b512_hex.and_then(|hex| hex.parse().ok())
    }

    /// Published SHA-256, if there is one.
    pub fn sha256(&self) -> Option<Sha256Digest> {
        self.sha256_hex.and_then(|hex| hex.parse().ok())
    }

    /// Whether a file with these digests is this one: the size and every published digest agree,
    /// and at least one digest is published.
    pub fn matches(&self, digests: &FileDigests) -> bool {
        let blake2b512 = self
            .blake2b512()
            .map(|published| published == digests.blake2b512);
        let sha256 = self.sha256().map(|published| published == digests.sha256);
        self.size == digests.size
            && (blake2b512.is_some() || sha256.is_some())
            && blake2b512.unwrap_or(true)
            && sha256.unwrap_or(true)
    }
}

/// All published files, each family by ascending power.
pub fn table() -> &'static [PublishedPtau] {
    TABLE
}

/// The published file that has these digests.
pub fn lookup(digests: &FileDigests) -> Option<&'static PublishedPtau> {
    TABLE.iter().find(|published| published.matches(digests))
}

/// The published file of a family and power.
pub fn find(family: PtauFamily, power: u32) -> Option<&'static PublishedPtau> {
    TABLE
        .iter()
        .find(|published| published.family == family && published.power == power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Curve;
    use crate::ptau::prepared_len;

    fn digests_of(published: &PublishedPtau) -> FileDigests {
        FileDigests {
            size: published.size,
            sha256: published.sha256().unwrap_or(Sha256Digest::new([0; 32])),
            blake2b512: published
                .blake2b512()
                .unwrap_or(Blake2b512Digest::new([0; 64])),
        }
    }

    #[test]
    fn every_line_is_well_formed_and_finds_itself() {
        for published in table() {
            assert_eq!(
                published.blake2b512().is_some(),
                published.blake2b512_hex.is_some()
            );
            assert_eq!(published.sha256().is_some(), published.sha256_hex.is_some());
            assert!(published.blake2b512().is_some() || published.sha256().is_some());
            assert_eq!(lookup(&digests_of(published)), Some(published));
            assert_eq!(find(published.family, published.power), Some(published));
            assert_eq!(published.family.name().parse(), Ok(published.family));
        }
        let powers = |family| {
            table()
                .iter()
                .filter(move |p| p.family == family)
                .map(|p| p.power)
        };
        assert!(powers(PtauFamily::Hermez).eq(8..=28));
        assert!(powers(PtauFamily::Ppot0080).eq(1..=26));
    }

    #[test]
    fn sizes_follow_from_the_format() {
        for family in [PtauFamily::Hermez, PtauFamily::Ppot0080] {
            let mut rest = table()
                .iter()
                .filter(|p| p.family == family)
                .map(|p| p.size - prepared_len(Curve::Bn128, p.power, 0).unwrap());
            // What is left is the contribution section, the same in every file of a family.
            let first = rest.next().unwrap();
            assert!(rest.all(|r| r == first), "{family}");
        }
    }

    #[test]
    fn r10_any_other_digest_or_size_is_not_published() {
        for published in table() {
            let good = digests_of(published);
            let mut size = good;
            size.size += 1;
            assert_eq!(lookup(&size), None);
            if published.blake2b512().is_some() {
                let mut bytes = *good.blake2b512.as_bytes();
                bytes[63] ^= 1;
                let changed = FileDigests {
                    blake2b512: Blake2b512Digest::new(bytes),
                    ..good
                };
                assert_eq!(lookup(&changed), None);
            }
            if published.sha256().is_some() {
                let mut bytes = *good.sha256.as_bytes();
                bytes[0] ^= 1;
                let changed = FileDigests {
                    sha256: Sha256Digest::new(bytes),
                    ..good
                };
                assert_eq!(lookup(&changed), None);
            }
        }
    }
}
