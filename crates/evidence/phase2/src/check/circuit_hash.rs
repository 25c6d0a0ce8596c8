//! The circuit hash of a key, recomputed.

use formats::curve::CurveParams;
use formats::digest::Blake2b512Digest;
use formats::points::{LemPoint, PointReader};
use formats::progress::ProgressSink;
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::source::Source;
use formats::zkey::{ZKey, ZKeySection};

use super::circuit::CHUNK;
use super::error::CheckError;
use crate::setup::{self, SetupOptions, hash_h_differences};
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
    const ALL: [Self; 2] = [Self::Current, Self::Before07];

    fn infinity(self) -> InfinityRule {
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
        hash_points::<C, T, U>(ptau, zkey, rule.infinity())
    })
}

/// The rule by which the recorded hash is that of circuit and powers of tau, all points recomputed:
/// for keys with contributions, whose sections 8 and 9 are no longer those that were hashed.
pub(super) fn of_circuit<S: Source, T: Source, U: Source>(
    r1cs: &R1cs<S>,
    ptau: &Ptau<T>,
    zkey: &ZKey<U>,
    progress: &dyn ProgressSink,
) -> Result<CircuitHashRule, CheckError> {
    find_rule(zkey.circuit_hash(), |rule| {
        let options = SetupOptions::default();
        Ok(setup::circuit_hash(
            r1cs,
            ptau,
            rule.infinity(),
            &options,
            progress,
        )?)
    })
}

fn find_rule(
    recorded: Blake2b512Digest,
    hash: impl Fn(CircuitHashRule) -> Result<Blake2b512Digest, CheckError>,
) -> Result<CircuitHashRule, CheckError> {
    for rule in CircuitHashRule::ALL {
        if hash(rule)? == recorded {
            return Ok(rule);
        }
    }
    Err(CheckError::WrongCircuitHash { got: recorded })
}

/// `alpha1 beta1 beta2 gamma2 delta1 delta2 | IC | differences of powers | C | A | B1 | B2`, each run with
/// its count before it.
fn hash_points<C: CurveParams, T: Source, U: Source>(
    ptau: &Ptau<T>,
    zkey: &ZKey<U>,
    rule: InfinityRule,
) -> Result<Blake2b512Digest, CheckError> {
    let points = zkey.key_points::<C>()?;
    let header = zkey.header();
    let mut hasher = PointHasher::new(rule);
    hasher.points(&[points.alpha1, points.beta1]);
    hasher.points(&[points.beta2, points.gamma2]);
    hasher.point(&points.delta1);
    hasher.point(&points.delta2);
    let g1 = |section| zkey.g1_points::<C>(section);
    hash_run(&mut hasher, g1(ZKeySection::Ic)?)?;
    hash_h_differences::<C, T>(ptau, header.power(), &mut hasher)?;
    hash_run(&mut hasher, g1(ZKeySection::C)?)?;
    hash_run(&mut hasher, g1(ZKeySection::A)?)?;
    hash_run(&mut hasher, g1(ZKeySection::B1)?)?;
    hash_run(&mut hasher, zkey.b2_points::<C>()?)?;
    Ok(hasher.digest())
}

fn hash_run<S: Source, P: LemPoint>(
    hasher: &mut PointHasher,
    mut reader: PointReader<'_, S, P>,
) -> Result<(), CheckError> {
    // Sections hold at most u32::MAX points: their counts come from u32 header fields.
    hasher.count(u32::try_from(reader.remaining()).unwrap_or(u32::MAX));
    let mut points = Vec::new();
    while reader.remaining() > 0 {
        reader
            .read_chunk(&mut points, CHUNK)
            .map_err(CheckError::Points)?;
        hasher.points(&points);
    }
    Ok(())
}
