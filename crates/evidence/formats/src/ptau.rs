//! The ptau file: powers of tau, the result of phase 1.
//!
//! Section 1 (header): `u32 n8q | q | u32 power | u32 ceremonyPower`. With p = power: 2 tau G1 (2^(p+1) - 1
//! points), 3 tau G2 (2^p), 4 alpha tau G1 (2^p), 5 beta tau G1 (2^p), 6 beta G2 (1), 7 contributions. A file
//! prepared for phase 2 also has the Lagrange bases: 12 tau G1 (blocks 0 to p + 1), 13 tau G2, 14 alpha
//! tau G1, 15 beta tau G1 (blocks 0 to p). Block k has 2^k points and begins at element 2^k - 1; element
//! i is `L_i(tau)` of the domain of size 2^k.

pub mod published;

use crate::binfile::{self, BinfileError, SectionTable};
use crate::curve::{Curve, CurveParams, G1Affine, G2Affine};
use crate::points::{LemPoint, PointReader, PointsError};
use crate::source::Source;

/// First bytes of the file.
pub const MAGIC: [u8; 4] = *b"ptau";

const HEADER: u32 = 1;
const CONTRIBUTIONS: u32 = 7;

/// Sections of G1 points, in the monomial basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonomialG1 {
    /// `tau^i`, 2^(p+1) - 1 points.
    Tau,
    /// `alpha tau^i`, 2^p points.
    AlphaTau,
    /// `beta tau^i`, 2^p points.
    BetaTau,
}

/// Sections of G1 points, in the Lagrange bases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LagrangeG1 {
    /// `L_i(tau)`, blocks 0 to p + 1.
    Tau,
    /// `alpha L_i(tau)`, blocks 0 to p.
    AlphaTau,
    /// `beta L_i(tau)`, blocks 0 to p.
    BetaTau,
}

impl MonomialG1 {
    /// Section id.
    pub const fn id(self) -> u32 {
        match self {
            Self::Tau => 2,
            Self::AlphaTau => 4,
            Self::BetaTau => 5,
        }
    }
}

impl LagrangeG1 {
    /// Section id.
    pub const fn id(self) -> u32 {
        match self {
            Self::Tau => 12,
            Self::AlphaTau => 14,
            Self::BetaTau => 15,
        }
    }
}

/// Section id of `tau^i` in G2.
pub const TAU_G2: u32 = 3;
/// Section id of beta in G2.
pub const BETA_G2: u32 = 6;
/// Section id of `L_i(tau)` in G2.
pub const LAGRANGE_TAU_G2: u32 = 13;

/// Why bytes are not a powers of tau file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PtauError {
    /// The container is malformed.
    #[error(transparent)]
    Container(#[from] BinfileError),
    /// A point could not be read.
    #[error(transparent)]
    Points(#[from] PointsError),
    /// The base field is not that of a known curve.
    #[error("base field of {n8q} bytes is not that of bn128 or bls12381")]
    UnknownBaseField {
        /// Bytes of its modulus.
        n8q: u32,
    },
    /// The power is outside of what the scalar field allows.
    #[error("power {power} is not between 1 and {max}")]
    BadPower {
        /// Power announced.
        power: u32,
        /// The scalar field's two-adicity.
        max: u32,
    },
    /// The file was truncated from one that is smaller.
    #[error("power {power} is larger than the ceremony's power {ceremony_power}")]
    PowerAboveCeremony {
        /// Power of the file.
        power: u32,
        /// Power of the ceremony it says it comes from.
        ceremony_power: u32,
    },
    /// The Lagrange bases are not there: `prepare phase2` was not run.
    #[error("ptau is not prepared for phase 2")]
    NotPrepared,
    /// Another curve was asked for than the file has.
    #[error("ptau is on {got}, not on {expected}")]
    WrongCurve {
        /// Curve asked for.
        expected: Curve,
        /// Curve of the file.
        got: Curve,
    },
    /// Points outside of a section were asked for.
    #[error("section {section} has no points {first}..{end}")]
    NoSuchPoints {
        /// Section asked.
        section: u32,
        /// First point asked for.
        first: u64,
        /// End of the range asked for.
        end: u64,
    },
}

impl PtauError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Container(error) => error.code(),
            Self::Points(error) => error.code(),
            Self::UnknownBaseField { .. } => "ptau_unknown_base_field",
            Self::BadPower { .. } => "ptau_bad_power",
            Self::PowerAboveCeremony { .. } => "ptau_power_above_ceremony",
            Self::NotPrepared => "ptau_not_prepared",
            Self::WrongCurve { .. } => "ptau_wrong_curve",
            Self::NoSuchPoints { .. } => "ptau_no_such_points",
        }
    }
}

/// An opened ptau: layout checked, points to be streamed.
#[derive(Debug)]
pub struct Ptau<S> {
    source: S,
    curve: Curve,
    power: u32,
    ceremony_power: u32,
    n_contributions: u32,
    prepared: bool,
    table: SectionTable,
}

/// Points of section `id` at this power; `None` for sections without points.
fn point_count(id: u32, power: u32) -> Option<u64> {
    let n = 1u64.checked_shl(power)?;
    match id {
        2 | 13..=15 => Some(2 * n - 1),
        3..=5 => Some(n),
        6 => Some(1),
        12 => Some(4 * n - 1),
        _ => None,
    }
}

fn section_len(curve: Curve, id: u32, power: u32) -> Option<u64> {
    let bytes = match id {
        TAU_G2 | BETA_G2 | LAGRANGE_TAU_G2 => curve.g2_bytes(),
        _ => curve.g1_bytes(),
    };
    point_count(id, power)?.checked_mul(u64::try_from(bytes).ok()?)
}

/// Bytes of a prepared file whose contribution section has `contributions_len` bytes.
pub fn prepared_len(curve: Curve, power: u32, contributions_len: u64) -> Option<u64> {
    const FILE_HEADER: u64 = 12;
    const SECTION_HEADERS: u64 = 11 * 12;
    let header = 4 + u64::try_from(curve.n8q()).ok()? + 8;
    MONOMIAL.iter().chain(&LAGRANGE).try_fold(
        FILE_HEADER + SECTION_HEADERS + header + contributions_len,
        |len, &id| len.checked_add(section_len(curve, id, power)?),
    )
}

const MONOMIAL: [u32; 5] = [2, 3, 4, 5, 6];
const LAGRANGE: [u32; 4] = [12, 13, 14, 15];

impl<S: Source> Ptau<S> {
    /// The same file by reference, in one type for all sources: code for it is compiled once.
    pub fn as_dyn(&self) -> Ptau<&dyn Source> {
        Ptau {
            source: &self.source,
            curve: self.curve,
            power: self.power,
            ceremony_power: self.ceremony_power,
            n_contributions: self.n_contributions,
            prepared: self.prepared,
            table: self.table.clone(),
        }
    }

    /// Reads section table and header, and checks every section's size against the power. Reads a
    /// few hundred bytes, whatever the file's size: no point is looked at.
    pub fn open(source: S) -> Result<Self, PtauError> {
        let table = SectionTable::read(&source, MAGIC, 1)?;
        table.refuse_unknown(&[1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15])?;
        table.refuse_trailing_bytes()?;

        let section = table.get(HEADER)?;
        let mut reader = section.reader(&source, "ptau header")?;
        let n8q = binfile::read_u32(&mut reader, "ptau header")?;
        if n8q != 32 && n8q != 48 {
            return Err(PtauError::UnknownBaseField { n8q });
        }
        table.get_sized(HEADER, 4 + u64::from(n8q) + 8)?;
        let mut modulus = vec![0; if n8q == 32 { 32 } else { 48 }];
        binfile::read(&mut reader, &mut modulus, "ptau header")?;
        let curve =
            Curve::from_base_modulus(&modulus).ok_or(PtauError::UnknownBaseField { n8q })?;
        let power = binfile::read_u32(&mut reader, "ptau header")?;
        let ceremony_power = binfile::read_u32(&mut reader, "ptau header")?;
        let max = curve.two_adicity();
        if power == 0 || power > max {
            return Err(PtauError::BadPower { power, max });
        }
        if power > ceremony_power {
            return Err(PtauError::PowerAboveCeremony {
                power,
                ceremony_power,
            });
        }

        let prepared = LAGRANGE.iter().any(|&id| table.find(id).is_some());
        let lagrange: &[u32] = if prepared { &LAGRANGE } else { &[] };
        for &id in MONOMIAL.iter().chain(lagrange) {
            let expected =
                section_len(curve, id, power).ok_or(PtauError::BadPower { power, max })?;
            table.get_sized(id, expected)?;
        }
        let contributions = table.get(CONTRIBUTIONS)?;
        let n_contributions = binfile::read_u32(
            &mut contributions.reader(&source, "ptau contributions")?,
            "ptau contributions",
        )?;
        Ok(Self {
            source,
            curve,
            power,
            ceremony_power,
            n_contributions,
            prepared,
            table,
        })
    }

    /// Curve of the points.
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// The file serves domains up to 2^power.
    pub fn power(&self) -> u32 {
        self.power
    }

    /// Power of the ceremony that the file was made or truncated from.
    pub fn ceremony_power(&self) -> u32 {
        self.ceremony_power
    }

    /// Phase-1 contributions that the file lists. Not checked: phase 1 is believed by digest.
    pub fn n_contributions(&self) -> u32 {
        self.n_contributions
    }

    /// Whether the Lagrange bases are there.
    pub fn is_prepared(&self) -> bool {
        self.prepared
    }

    /// The bytes.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Where the sections are.
    pub fn table(&self) -> &SectionTable {
        &self.table
    }

    /// Points `first .. first + count` of a monomial G1 section.
    pub fn monomial_g1<C: CurveParams>(
        &self,
        section: MonomialG1,
        first: u64,
        count: u64,
    ) -> Result<PointReader<'_, S, G1Affine<C>>, PtauError> {
        self.points::<C, _>(section.id(), first, count)
    }

    /// Points `first .. first + count` of `tau^i` in G2.
    pub fn monomial_g2<C: CurveParams>(
        &self,
        first: u64,
        count: u64,
    ) -> Result<PointReader<'_, S, G2Affine<C>>, PtauError> {
        self.points::<C, _>(TAU_G2, first, count)
    }

    /// Beta in G2.
    pub fn beta_g2<C: CurveParams>(&self) -> Result<G2Affine<C>, PtauError> {
        let mut point = self.points::<C, G2Affine<C>>(BETA_G2, 0, 1)?;
        let none = PtauError::NoSuchPoints {
            section: BETA_G2,
            first: 0,
            end: 1,
        };
        Ok(point.next().ok_or(none)??)
    }

    /// Elements `first .. first + count` of Lagrange block `block` in G1.
    pub fn lagrange_g1<C: CurveParams>(
        &self,
        section: LagrangeG1,
        block: u32,
        first: u64,
        count: u64,
    ) -> Result<PointReader<'_, S, G1Affine<C>>, PtauError> {
        self.lagrange::<C, _>(section.id(), block, first, count)
    }

    /// Elements `first .. first + count` of Lagrange block `block` in G2.
    pub fn lagrange_g2<C: CurveParams>(
        &self,
        block: u32,
        first: u64,
        count: u64,
    ) -> Result<PointReader<'_, S, G2Affine<C>>, PtauError> {
        self.lagrange::<C, _>(LAGRANGE_TAU_G2, block, first, count)
    }

    fn lagrange<C: CurveParams, P: LemPoint>(
        &self,
        section: u32,
        block: u32,
        first: u64,
        count: u64,
    ) -> Result<PointReader<'_, S, P>, PtauError> {
        if !self.prepared {
            return Err(PtauError::NotPrepared);
        }
        let end = first.saturating_add(count);
        let none = PtauError::NoSuchPoints {
            section,
            first,
            end,
        };
        let Some(size) = 1u64.checked_shl(block).filter(|&size| end <= size) else {
            return Err(none);
        };
        self.points::<C, P>(section, size - 1 + first, count)
    }

    fn points<C: CurveParams, P: LemPoint>(
        &self,
        section: u32,
        first: u64,
        count: u64,
    ) -> Result<PointReader<'_, S, P>, PtauError> {
        if C::CURVE != self.curve {
            return Err(PtauError::WrongCurve {
                expected: C::CURVE,
                got: self.curve,
            });
        }
        let end = first.saturating_add(count);
        if point_count(section, self.power).is_none_or(|points| end > points) {
            return Err(PtauError::NoSuchPoints {
                section,
                first,
                end,
            });
        }
        let offset = self.table.get(section)?.offset;
        Ok(PointReader::new(
            &self.source,
            section,
            offset,
            first,
            count,
        )?)
    }
}

#[cfg(test)]
mod tests;
