//! The circuit hash of a key, recomputed.

use ark_ec::{
    AffineRepr,
    short_weierstrass::{Affine, SWCurveConfig},
};
use formats::curve::{CurveParams, G1Affine, G1Projective, G2Affine};
use formats::digest::Blake2b512Digest;
use formats::points::{LemPoint, PointReader};
use formats::ptau::Ptau;
use formats::source::Source;
use formats::zkey::{ZKey, ZKeySection};

use super::circuit::{CHUNK, CircuitCheck};
use super::error::CheckError;
use crate::EngineCurve;
use crate::setup::{Part, PartSink, SetupError, Steps, hash_h_differences};
use crate::transcript::{InfinityRule, PointHasher};

/// By which rule the recorded circuit hash was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitHashRule {
    /// snarkjs 0.7.0 and later: the point at infinity is hashed as zeros.
    Current,
    /// snarkjs up to 0.6.11: the point at infinity is hashed with a flag bit.
    Before07,
}

impl CircuitHashRule {
    pub(super) const ALL: [Self; 2] = [Self::Current, Self::Before07];

    pub(super) fn infinity(self) -> InfinityRule {
        match self {
            Self::Current => InfinityRule::Zeros,
            Self::Before07 => InfinityRule::Flagged,
        }
    }
}

/// The rule by which the recorded hash is that of the points in this initial key and of the powers
/// of tau.
pub(super) fn of_initial_key<C: CurveParams, T: Source, U: Source>(
    ptau: &Ptau<T>,
    zkey: &ZKey<U>,
) -> Result<CircuitHashRule, CheckError> {
    find_rule(zkey.circuit_hash(), |rule| {
        hash_points::<C, T, U>(ptau, zkey, rule.infinity(), |hasher| {
            hash_bytes(hasher, zkey.g1_points::<C>(ZKeySection::C)?)
        })
    })
}

/// The rule by which the recorded hash is that of circuit and powers of tau, for a key with
/// contributions: section 8 is no longer the one that was hashed and is recomputed; the other sections
/// have been compared with circuit and powers of tau before. Also the combination of the recomputed
/// points.
pub(super) fn of_circuit<C: EngineCurve>(
    check: &CircuitCheck<'_>,
) -> Result<(CircuitHashRule, G1Projective<C>), CheckError> {
    let mut combination = Some(check.initial_c::<C>());
    let mut sum = None;
    let rule = find_rule(check.zkey.circuit_hash(), |rule| {
        // The points are the same under each rule: they are combined once.
        let mut first = combination.take();
        let digest = hash_points::<C, _, _>(check.ptau, check.zkey, rule.infinity(), |hasher| {
            let mut sink = InitialC {
                combination: first.as_mut(),
                hasher,
            };
            check.setup(STEPS).only_c::<C, _>(&mut sink)
        })?;
        if let Some(combination) = first {
            sum = Some(combination.finish()?);
        }
        Ok(digest)
    })?;
    Ok((rule, sum.unwrap_or_default()))
}

const STEPS: Steps = Steps {
    sums: |_| "circuit hash",
    h: "circuit hash",
};

/// Hashes and combines the points of section 8 of the initial key.
struct InitialC<'a, 'b, C: CurveParams> {
    combination: Option<&'a mut super::circuit::InitialC<'b, C>>,
    hasher: &'a mut PointHasher,
}

impl<C: EngineCurve> PartSink for InitialC<'_, '_, C> {
    type Error = CheckError;

    fn take(&mut self, part: &Part) -> Result<(), CheckError> {
        if let Some(combination) = &mut self.combination {
            combination.add(&part.bytes).map_err(SetupError::Encoding)?;
        }
        self.hasher
            .file_points::<C::G1Config>(&part.bytes)
            .map_err(SetupError::Encoding)?;
        Ok(())
    }
}

fn find_rule(
    recorded: Blake2b512Digest,
    mut hash: impl FnMut(CircuitHashRule) -> Result<Blake2b512Digest, CheckError>,
) -> Result<CircuitHashRule, CheckError> {
    for rule in CircuitHashRule::ALL {
        if hash(rule)? == recorded {
            return Ok(rule);
        }
    }
    Err(CheckError::WrongCircuitHash { got: recorded })
}

/// `alpha1 beta1 beta2 gamma2 delta1 delta2 | IC | differences of powers | C | A | B1 | B2`, each run with
/// its count before it. gamma and delta are the generators in an initial key; `c` hashes its section
/// 8, whose count is this key's.
fn hash_points<C: CurveParams, T: Source, U: Source>(
    ptau: &Ptau<T>,
    zkey: &ZKey<U>,
    rule: InfinityRule,
    c: impl FnOnce(&mut PointHasher) -> Result<(), CheckError>,
) -> Result<Blake2b512Digest, CheckError> {
    let points = zkey.key_points::<C>()?;
    let header = zkey.header();
    let mut hasher = PointHasher::new(rule);
    hasher.points(&[points.alpha1, points.beta1]);
    hasher.points(&[points.beta2, points.gamma2]);
    hasher.point(&G1Affine::<C>::generator());
    hasher.point(&G2Affine::<C>::generator());
    let g1 = |section| zkey.g1_points::<C>(section);
    hash_run(&mut hasher, g1(ZKeySection::Ic)?)?;
    hash_h_differences::<C, T>(ptau, header.power(), &mut hasher)?;
    count(&mut hasher, zkey.n_points(ZKeySection::C));
    c(&mut hasher)?;
    hash_run(&mut hasher, g1(ZKeySection::A)?)?;
    hash_run(&mut hasher, g1(ZKeySection::B1)?)?;
    hash_run(&mut hasher, zkey.b2_points::<C>()?)?;
    Ok(hasher.digest())
}

fn hash_run<S: Source, P: SWCurveConfig>(
    hasher: &mut PointHasher,
    reader: PointReader<'_, S, Affine<P>>,
) -> Result<(), CheckError>
where
    Affine<P>: LemPoint,
{
    count(hasher, reader.remaining());
    hash_bytes(hasher, reader)
}

fn count(hasher: &mut PointHasher, n: u64) {
    // Sections hold at most u32::MAX points: their counts come from u32 header fields.
    hasher.count(u32::try_from(n).unwrap_or(u32::MAX));
}

fn hash_bytes<S: Source, P: SWCurveConfig>(
    hasher: &mut PointHasher,
    mut reader: PointReader<'_, S, Affine<P>>,
) -> Result<(), CheckError>
where
    Affine<P>: LemPoint,
{
    let mut bytes = Vec::new();
    while reader.remaining() > 0 {
        let raw = reader
            .read_raw(&mut bytes, CHUNK)
            .map_err(CheckError::Points)?;
        hasher
            .file_points::<P>(&bytes)
            .map_err(|source| CheckError::Points(raw.malformed(0, source)))?;
    }
    Ok(())
}
