//! Section 10: `csHash[64] | u32 n | n x contribution`.
//!
//! A contribution is `deltaAfter G1 | g1_s G1 | g1_sx G1 | g2_spx G2 | transcript[64] | u32 type | u32 paramLen |
//! params`. Type 0 is ordinary, 1 a beacon. Parameters, ids ascending: `1 | len | name` (if there is a
//! name), and for a beacon `2 | exponent` and `3 | len | beacon bytes`.

use std::marker::PhantomData;

use super::{ZKey, ZKeyError, ZKeySection, io};
use crate::binfile::{self, SectionTable};
use crate::curve::{Curve, CurveParams, G1Affine, G2Affine};
use crate::digest::Blake2b512Digest;
use crate::points::LemPoint;
use crate::source::{RangeReader, Source};

/// Fewest iterations of a beacon: 2^10.
pub const MIN_BEACON_EXPONENT: u8 = 10;
/// Most iterations that a file can announce: 2^63. What is really computed is capped where it is used.
pub const MAX_BEACON_EXPONENT: u8 = 63;

/// Name, exponent and beacon with their ids and lengths: 2 + 255 + 2 + 2 + 255.
const MAX_PARAMS: u32 = 516;

const HASH_AND_COUNT: u64 = 64 + 4;

/// Bytes of a record without parameters.
pub(super) fn min_record(curve: Curve) -> u64 {
    let points = 3 * curve.g1_bytes() + curve.g2_bytes();
    u64::try_from(points)
        .unwrap_or(u64::MAX)
        .saturating_add(64 + 4 + 4)
}

pub(super) fn read_prefix<S: Source>(
    source: &S,
    table: &SectionTable,
    curve: Curve,
) -> Result<(Blake2b512Digest, u32), ZKeyError> {
    let section = table.get(ZKeySection::Contributions.id())?;
    let mut reader = section.reader(source, "zkey contributions")?;
    let mut hash = [0; 64];
    binfile::read(&mut reader, &mut hash, "zkey contributions")?;
    let got = binfile::read_u32(&mut reader, "zkey contributions")?;
    let max = reader.remaining() / min_record(curve);
    if u64::from(got) > max {
        return Err(ZKeyError::TooManyContributions { got, max });
    }
    if got == 0 && section.size != HASH_AND_COUNT {
        let count = section.size - HASH_AND_COUNT;
        return Err(ZKeyError::BytesAfterContributions { count });
    }
    Ok((Blake2b512Digest::new(hash), got))
}

/// A contributor's name: nothing vouches for it. At most 255 bytes, usually UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContributionName(Vec<u8>);

/// A name longer than its length byte can say.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
#[error("name of {got} bytes, at most 255 fit")]
pub struct NameTooLong {
    /// Bytes of the name.
    pub got: usize,
}

impl ContributionName {
    /// A name to be written; `None` for the empty one, which is not recorded.
    pub fn new(name: &[u8]) -> Result<Option<Self>, NameTooLong> {
        match name.len() {
            0 => Ok(None),
            1..=255 => Ok(Some(Self(name.to_vec()))),
            got => Err(NameTooLong { got }),
        }
    }

    /// The recorded bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name for people, bytes that are not UTF-8 replaced. May hold control characters.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// Why a beacon's parameters cannot be.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BeaconParamsError {
    /// The exponent is outside of what the tools accept.
    #[error("beacon exponent {got} is not between 10 and 63")]
    Exponent {
        /// The exponent.
        got: u8,
    },
    /// The beacon value is empty or does not fit its length byte.
    #[error("beacon value of {got} bytes, 1 to 255 are possible")]
    Length {
        /// Bytes of the value.
        got: usize,
    },
}

impl BeaconParamsError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exponent { .. } => "zkey_beacon_exponent",
            Self::Length { .. } => "zkey_beacon_length",
        }
    }
}

/// What a beacon's scalar is derived from: 2^exponent iterations of SHA-256 over a public value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeaconParams {
    iterations_exp: u8,
    value: Vec<u8>,
}

impl BeaconParams {
    /// Checks both ranges.
    pub fn new(iterations_exp: u8, value: &[u8]) -> Result<Self, BeaconParamsError> {
        if !(MIN_BEACON_EXPONENT..=MAX_BEACON_EXPONENT).contains(&iterations_exp) {
            return Err(BeaconParamsError::Exponent {
                got: iterations_exp,
            });
        }
        if value.is_empty() || value.len() > 255 {
            return Err(BeaconParamsError::Length { got: value.len() });
        }
        Ok(Self {
            iterations_exp,
            value: value.to_vec(),
        })
    }

    /// Base-2 logarithm of the number of iterations, 10 to 63.
    pub fn iterations_exp(&self) -> u8 {
        self.iterations_exp
    }

    /// The public value, 1 to 255 bytes.
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

/// Where a contribution's scalar came from, by its own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContributionKind {
    /// Drawn in secret by someone.
    Ordinary,
    /// Derived from a public value.
    Beacon(BeaconParams),
}

/// One record of section 10.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution<C: CurveParams> {
    /// delta in G1 after the contribution.
    pub delta_after: G1Affine<C>,
    /// Random point of the proof of knowledge.
    pub g1_s: G1Affine<C>,
    /// `g1_s` times the contribution's scalar.
    pub g1_sx: G1Affine<C>,
    /// The transcript's G2 point times the contribution's scalar.
    pub g2_spx: G2Affine<C>,
    /// Hash of everything before the proof and of `g1_s`, `g1_sx`.
    pub transcript: [u8; 64],
    /// Ordinary or beacon.
    pub kind: ContributionKind,
    /// The name that the contributor or someone else wrote.
    pub name: Option<ContributionName>,
}

impl<C: CurveParams> Contribution<C> {
    /// The record's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.delta_after.append_lem(&mut out);
        self.g1_s.append_lem(&mut out);
        self.g1_sx.append_lem(&mut out);
        self.g2_spx.append_lem(&mut out);
        out.extend(self.transcript);
        let (kind, beacon) = match &self.kind {
            ContributionKind::Ordinary => (0u32, None),
            ContributionKind::Beacon(beacon) => (1, Some(beacon)),
        };
        let mut params = Vec::new();
        if let Some(name) = &self.name {
            append_param(&mut params, 1, name.as_bytes());
        }
        if let Some(beacon) = beacon {
            params.extend([2, beacon.iterations_exp]);
            append_param(&mut params, 3, &beacon.value);
        }
        out.extend(kind.to_le_bytes());
        out.extend(
            u32::try_from(params.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        out.extend(params);
        out
    }
}

fn append_param(out: &mut Vec<u8>, id: u8, value: &[u8]) {
    // Both kinds of value are at most 255 bytes by construction.
    out.extend([id, u8::try_from(value.len()).unwrap_or(u8::MAX)]);
    out.extend(value);
}

/// Iterator over the contributions, one record in memory at a time.
///
/// Points are checked for encoding, curve and subgroup. After the last record the iterator checks
/// that the section ends there; after an error it yields nothing more.
pub struct ContributionReader<'a, S: Source + ?Sized, C> {
    reader: RangeReader<'a, S>,
    next: u32,
    end: u32,
    finished: bool,
    curve: PhantomData<C>,
}

impl<'a, S: Source, C: CurveParams> ContributionReader<'a, S, C> {
    pub(super) fn new(zkey: &'a ZKey<S>) -> Result<Self, ZKeyError> {
        if C::CURVE != zkey.curve() {
            return Err(ZKeyError::WrongCurve {
                expected: C::CURVE,
                got: zkey.curve(),
            });
        }
        let mut reader = zkey.section_bytes(ZKeySection::Contributions)?;
        reader
            .read_exact(&mut [0; 64])
            .map_err(io("zkey contributions"))?;
        let end = reader.read_u32().map_err(io("zkey contributions"))?;
        Ok(Self {
            reader,
            next: 0,
            end,
            finished: false,
            curve: PhantomData,
        })
    }

    fn read(&mut self) -> Result<Option<Contribution<C>>, ZKeyError> {
        if self.next == self.end {
            self.finished = true;
            return match self.reader.remaining() {
                0 => Ok(None),
                count => Err(ZKeyError::BytesAfterContributions { count }),
            };
        }
        let index = self.next;
        self.next += 1;
        let delta_after = self.point("deltaAfter", index)?;
        let g1_s = self.point("g1_s", index)?;
        let g1_sx = self.point("g1_sx", index)?;
        let g2_spx = self.point("g2_spx", index)?;
        let mut transcript = [0; 64];
        self.reader
            .read_exact(&mut transcript)
            .map_err(io("zkey contributions"))?;
        let kind = self.reader.read_u32().map_err(io("zkey contributions"))?;
        let len = self.reader.read_u32().map_err(io("zkey contributions"))?;
        if len > MAX_PARAMS {
            return Err(ZKeyError::BadContributionParams { index });
        }
        let mut params = vec![0; usize::try_from(len).unwrap_or(0)];
        self.reader
            .read_exact(&mut params)
            .map_err(io("zkey contributions"))?;
        let (kind, name) = read_params(kind, &params, index)?;
        Ok(Some(Contribution {
            delta_after,
            g1_s,
            g1_sx,
            g2_spx,
            transcript,
            kind,
            name,
        }))
    }

    fn point<P: LemPoint>(&mut self, name: &'static str, index: u32) -> Result<P, ZKeyError> {
        let mut bytes = vec![0; P::BYTES];
        self.reader
            .read_exact(&mut bytes)
            .map_err(io("zkey contributions"))?;
        P::from_lem_in_subgroup(&bytes).map_err(|source| ZKeyError::ContributionPoint {
            index,
            name,
            source,
        })
    }
}

impl<S: Source, C: CurveParams> Iterator for ContributionReader<'_, S, C> {
    type Item = Result<Contribution<C>, ZKeyError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let item = self.read().transpose();
        if matches!(item, Some(Err(_))) {
            self.finished = true;
        }
        item
    }
}

fn read_params(
    kind: u32,
    params: &[u8],
    index: u32,
) -> Result<(ContributionKind, Option<ContributionName>), ZKeyError> {
    let bad = || ZKeyError::BadContributionParams { index };
    let mut name = None;
    let mut exponent = None;
    let mut value = None;
    let mut rest = params;
    let mut last_id = 0;
    while let Some((&id, after)) = rest.split_first() {
        if id <= last_id {
            return Err(bad());
        }
        last_id = id;
        let (&byte, after) = after.split_first().ok_or_else(bad)?;
        rest = after;
        if id == 2 {
            exponent = Some(byte);
            continue;
        }
        let (bytes, after) = after.split_at_checked(usize::from(byte)).ok_or_else(bad)?;
        rest = after;
        match id {
            // An empty name is not recorded.
            1 => {
                name = ContributionName::new(bytes).ok().flatten();
                if name.is_none() {
                    return Err(bad());
                }
            }

            3 => value = Some(bytes),
            _ => return Err(bad()),
        }
    }
    let kind = match (kind, exponent, value) {
        (0, None, None) => ContributionKind::Ordinary,
        (0, _, _) => return Err(ZKeyError::RelabelledBeacon { index }),
        (1, Some(exponent), Some(value)) => BeaconParams::new(exponent, value)
            .map(ContributionKind::Beacon)
            .map_err(|source| ZKeyError::BeaconParams { index, source })?,
        (1, _, _) => return Err(ZKeyError::IncompleteBeacon { index }),
        (got, _, _) => return Err(ZKeyError::UnknownContributionType { index, got }),
    };
    Ok((kind, name))
}
