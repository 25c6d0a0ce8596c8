//! A key against the points of its circuit computed anew, section by section and byte for byte.
//!
//! Contributions multiply sections 8 and 9 by an unknown number: there the key's points and the
//! computed ones are combined with the same random coefficients, and the pairing compares the sums.

use formats::binfile::BinfileError;
use formats::curve::{CurveParams, G1Affine, G1Projective, G2Affine};
use formats::points::{LemPoint, PointError, PointsError};
use formats::source::Source;
use formats::zkey::{ZKey, ZKeyError, ZKeySection};

use super::challenge::{Challenges, DenseSection};
use super::circuit::CircuitCheck;
use super::circuit_hash::CircuitHashRule;
use super::error::CheckError;
use super::linear::LinearCombination;
use super::method::Stage;
use crate::EngineCurve;
use crate::setup::{Part, PartSink, Setup, SetupError, Steps};
use crate::sums::BadSide;

/// Memory of a check, buckets apart.
const MEMORY_BYTES: u64 = 224 << 20;
/// Bytes of section 4 before its first record, and of a record.
const COEFFICIENTS_START: u64 = 4;
const COEFFICIENT_BYTES: u64 = 44;

/// The key's side and the computed side of a combination.
pub(super) struct BothSides<C: CurveParams> {
    pub(super) key: G1Projective<C>,
    pub(super) computed: G1Projective<C>,
}

impl<'a> CircuitCheck<'a> {
    pub(super) fn setup(&self, steps: Steps) -> Setup<'a, &'a dyn Source, &'a dyn Source> {
        Setup {
            r1cs: self.r1cs,
            ptau: self.ptau,
            memory_bytes: MEMORY_BYTES,
            progress: self.progress,
            steps,
        }
    }

    /// Everything but counts and single points: coefficients, all sections, and the circuit hash. Of a
    /// finished key the combination of sections 8 and 9, which is left to compare; of an initial one
    /// nothing is combined.
    pub(super) fn recompute<C: EngineCurve>(
        &self,
        stage: Stage,
    ) -> Result<(CircuitHashRule, BothSides<C>), CheckError> {
        let [c, h] = [ZKeySection::C, ZKeySection::H].map(|s| self.zkey.n_points(s));
        let n_combined = match stage {
            Stage::Initial => 0,
            Stage::Finished => c.saturating_add(h),
        };
        let mut comparison = Comparison::<C> {
            zkey: self.zkey,
            challenges: self.challenges,
            bytes: Vec::new(),
            stage,
            scaled: LinearCombination::with_sides(2, n_combined, C::G1_SUBGROUP_DIGIT_BITS),
            next_coefficient: 0,
        };
        let setup = self.setup(STEPS);
        let recorded = self.zkey.circuit_hash();
        let [current, before] = CircuitHashRule::ALL;
        let digest = setup.whole::<C, _>(current.infinity(), &mut comparison)?;
        let sides = comparison.finish()?;
        if digest == recorded {
            return Ok((current, sides));
        }
        // Rarely: computed once more for the hash alone.
        if setup.whole::<C, _>(before.infinity(), &mut HashOnly)? == recorded {
            return Ok((before, sides));
        }
        Err(CheckError::WrongCircuitHash { got: recorded })
    }
}

const STEPS: Steps = Steps {
    sums: |section| match section {
        ZKeySection::A => "check key: sections A and B",
        ZKeySection::B1 => "check key: section B1",
        ZKeySection::B2 => "check key: section B2",
        _ => "check key: sections IC and C",
    },
    h: "check key: section H",
};

/// Takes computed parts and compares them with the key's.
struct Comparison<'a, C: CurveParams> {
    zkey: &'a ZKey<&'a dyn Source>,
    challenges: &'a Challenges,
    /// The key's bytes of the part.
    bytes: Vec<u8>,
    stage: Stage,
    /// Sections 8 and 9 of a finished key: the key's and the computed ones.
    scaled: LinearCombination<C::G1Config>,
    next_coefficient: u64,
}

impl<C: EngineCurve> PartSink for Comparison<'_, C> {
    type Error = CheckError;

    fn take(&mut self, part: &Part) -> Result<(), CheckError> {
        match part.section {
            // Its single points and counts have been compared.
            ZKeySection::Header => Ok(()),
            ZKeySection::Coefficients => self.coefficients(part),
            ZKeySection::B2 => self.points::<G2Affine<C>>(part, C::G2_SUBGROUP_DIGIT_BITS),
            ZKeySection::C | ZKeySection::H if self.stage == Stage::Finished => self.combine(part),
            _ => self.points::<G1Affine<C>>(part, C::G1_SUBGROUP_DIGIT_BITS),
        }
    }
}

impl<C: EngineCurve> Comparison<'_, C> {
    /// Reads the key's bytes where the part's are computed to be; as many as the section has there.
    fn read(&mut self, part: &Part) -> Result<(), CheckError> {
        let section = self.zkey.table().get(part.section.id()).map_err(error)?;
        let left = section.size.saturating_sub(part.offset);
        let length = usize::try_from(left).map_or(part.bytes.len(), |n| n.min(part.bytes.len()));
        self.bytes.resize(length, 0);
        self.zkey
            .source()
            .read_exact_at(&mut self.bytes, section.offset.saturating_add(part.offset))
            .map_err(|source| {
                let what = part.section.name();
                error(BinfileError::Io { what, source })
            })
    }

    /// Records that are not the same, or not as many.
    fn coefficients(&mut self, part: &Part) -> Result<(), CheckError> {
        self.read(part)?;
        let first = part.offset.saturating_sub(COEFFICIENTS_START) / COEFFICIENT_BYTES;
        let width = usize::try_from(COEFFICIENT_BYTES).unwrap_or(usize::MAX);
        if self.bytes != part.bytes {
            let pairs = part.bytes.chunks(width).zip(self.bytes.chunks(width));
            let same = pairs.take_while(|(computed, own)| computed == own).count();
            let index = first + u64::try_from(same).unwrap_or(u64::MAX);
            return Err(self.wrong_coefficient(index));
        }
        let count = part.bytes.len() / width.max(1);
        self.next_coefficient = first + u64::try_from(count).unwrap_or(u64::MAX);
        Ok(())
    }

    /// What is wrong with a record that is not the computed one: its form, or else what it says.
    fn wrong_coefficient(&self, index: u64) -> CheckError {
        let mismatch = CheckError::CoefficientMismatch { index };
        let Ok(mut records) = self.zkey.coefficients() else {
            return mismatch;
        };
        let record = usize::try_from(index).ok().and_then(|n| records.nth(n));
        match record {
            Some(Err(malformed)) => malformed.into(),
            _ => mismatch,
        }
    }

    /// Points that are not the computed ones. The first is named for what is wrong with it, as any
    /// other check would.
    fn points<P: LemPoint>(
        &mut self,
        part: &Part,
        subgroup_digit_bits: Option<u32>,
    ) -> Result<(), CheckError> {
        self.read(part)?;
        if self.bytes == part.bytes {
            return Ok(());
        }
        let section = part.section;
        let width = u64::try_from(P::BYTES).unwrap_or(u64::MAX);
        let pairs = part.bytes.chunks(P::BYTES).zip(self.bytes.chunks(P::BYTES));
        let wrong = (part.offset / width..)
            .zip(pairs)
            .find(|(_, (computed, own))| computed != own);
        let Some((index, (_, own))) = wrong else {
            return Err(CheckError::SectionMismatch { section });
        };
        let found = match subgroup_digit_bits {
            None => P::from_lem(own),
            Some(_) => P::from_lem_in_subgroup(own),
        };
        match found {
            Ok(_) => Err(CheckError::SectionMismatch { section }),
            Err(PointError::NotInSubgroup) => Err(CheckError::OutsideSubgroup { section }),
            Err(source) => Err(point(section, index, source)),
        }
    }

    /// Both sides of sections 8 and 9, times the coefficients of signals and of rows.
    fn combine(&mut self, part: &Part) -> Result<(), CheckError> {
        self.read(part)?;
        let section = part.section;
        let width = u64::try_from(G1Affine::<C>::BYTES).unwrap_or(u64::MAX);
        let first = part.offset / width;
        let count = part.bytes.len() / G1Affine::<C>::BYTES;
        let dense = match section {
            ZKeySection::C => DenseSection::C,
            _ => DenseSection::H,
        };
        let coefficients = self.challenges.dense(dense, first, count);
        self.scaled
            .add_sides(&[&self.bytes, &part.bytes], &coefficients)
            .map_err(|BadSide { side, point: bad }| match (side, bad.source) {
                (0, PointError::NotInSubgroup) => CheckError::OutsideSubgroup { section },
                (0, source) => {
                    let index = u64::try_from(bad.index).unwrap_or(u64::MAX);
                    point(section, first.saturating_add(index), source)
                }
                // The side computed here.
                (_, source) => CheckError::from(SetupError::Encoding(source)),
            })
    }

    fn finish(self) -> Result<BothSides<C>, CheckError> {
        if self.next_coefficient != u64::from(self.zkey.n_coefficients()) {
            let index = self.next_coefficient;
            return Err(CheckError::CoefficientMismatch { index });
        }
        let sums = self.scaled.finish_sides();
        let mut sums = sums
            .map_err(|no| no.in_section(ZKeySection::H))?
            .into_iter();
        let mut next = || sums.next().unwrap_or_default();
        let (key, computed) = (next(), next());
        Ok(BothSides { key, computed })
    }
}

/// Leaves all parts to the hash.
struct HashOnly;

impl PartSink for HashOnly {
    type Error = CheckError;

    fn take(&mut self, _: &Part) -> Result<(), CheckError> {
        Ok(())
    }
}

fn point(section: ZKeySection, index: u64, source: PointError) -> CheckError {
    CheckError::Points(PointsError::Point {
        section: section.id(),
        index,
        source,
    })
}

fn error(source: BinfileError) -> CheckError {
    CheckError::ZKey(ZKeyError::Container(source))
}
