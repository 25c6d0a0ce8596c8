//! The part of the circuit hash that is not in the key: differences of powers of tau.

use formats::{
    curve::{CurveParams, G1Affine},
    points::{LemPoint, PointError},
    ptau::{MonomialG1, Ptau},
    source::Source,
};
use rayon::prelude::*;

use super::{error::SetupError, overrun};
use crate::{
    sums::{BadPoint, differences},
    transcript::PointHasher,
};

/// Points read at a time.
const CHUNK: usize = 1 << 13;
/// Points a thread subtracts at a time.
const SHARE: usize = 1 << 11;
/// From this domain on, snarkjs hashes one point more than it announces.
const OVERRUN_POWER: u32 = 15;

/// What the circuit hash takes in between IC and C.
pub(super) enum Difference {
    /// u32(n-1), big-endian.
    Count(u32),
    /// Points in file form.
    Points(Vec<u8>),
    /// The bytes of the point too many, where it is none of the curve.
    Overrun(Vec<u8>),
}

/// Hashes `u32(n-1)` and τ^(n+i)·G - τ^i·G for i below n-1, n being 2^`power`.
///
/// From n = 2^15 on one more difference follows without being counted, which makes the circuit hash
/// depend on the ptau's power: with i = n-1 it is τ^(2n-1) - τ^(n-1) where the ptau has more powers,
/// and arithmetic on bytes of the next section where it has not ([`overrun`]).
pub fn hash_h_differences<C: CurveParams, S: Source>(
    ptau: &Ptau<S>,
    power: u32,
    hasher: &mut PointHasher,
) -> Result<(), SetupError> {
    h_differences::<C, S>(ptau, power, &mut |difference| {
        match difference {
            Difference::Count(count) => hasher.count(count),
            Difference::Points(bytes) => hasher.file_points::<C::G1Config>(&bytes)?,
            Difference::Overrun(bytes) => hasher.bytes(&bytes),
        }
        Ok(())
    })
}

/// See [`hash_h_differences`].
pub(super) fn h_differences<C: CurveParams, S: Source>(
    ptau: &Ptau<S>,
    power: u32,
    take: &mut dyn FnMut(Difference) -> Result<(), SetupError>,
) -> Result<(), SetupError> {
    let domain = 1_u64 << power;
    let announced = domain - 1;
    let announced_count = u32::try_from(announced).map_err(|_| SetupError::CircuitTooLarge {
        needed: power,
        max: C::CURVE.two_adicity(),
    })?;
    take(Difference::Count(announced_count))?;
    let ptau_power = ptau.power();
    let overrun = power >= OVERRUN_POWER;
    let real = announced + u64::from(overrun && ptau_power > power);

    let mut low = ptau.monomial_g1::<C>(MonomialG1::Tau, 0, real)?;
    let mut high = ptau.monomial_g1::<C>(MonomialG1::Tau, domain, real)?;
    let (mut lows, mut highs) = (Vec::new(), Vec::new());
    while low.remaining() > 0 {
        let raw_low = low.read_raw(&mut lows, CHUNK)?;
        let raw_high = high.read_raw(&mut highs, CHUNK)?;
        let share = SHARE * G1Affine::<C>::BYTES;
        let parts: Vec<Vec<u8>> = highs
            .par_chunks(share)
            .zip(lows.par_chunks(share))
            .enumerate()
            .map(|(part, (high, low))| {
                let count = high.len() / G1Affine::<C>::BYTES;
                differences::<C::G1Config>(high, low).map_err(|bad| malformed(part, count, bad))
            })
            .collect::<Result<_, (bool, usize, PointError)>>()
            .map_err(|(in_high, index, source)| {
                let raw = if in_high { raw_high } else { raw_low };
                raw.malformed(index, source)
            })?;
        take(Difference::Points(parts.concat()))?;
    }
    if overrun && ptau_power == power {
        let mut last = ptau.monomial_g1::<C>(MonomialG1::Tau, announced, 1)?;
        let subtrahend = last
            .next()
            .ok_or(SetupError::TooFewPoints { index: announced })??;
        let mut bytes = Vec::with_capacity(G1Affine::<C>::BYTES);
        subtrahend.append_lem(&mut bytes);
        // The bytes decode as a BN254 point only if that is the curve.
        let subtrahend = match C::CURVE {
            formats::curve::Curve::Bn128 => ark_bn254::G1Affine::from_lem(&bytes).ok(),
            formats::curve::Curve::Bls12381 => None,
        }
        .ok_or(SetupError::CircuitHashUndefined {
            power,
            curve: C::CURVE,
        })?;
        take(Difference::Overrun(
            overrun::hashed_difference(power, &subtrahend).to_vec(),
        ))?;
    }
    Ok(())
}

/// Which of the two runs a bad point is in, and where, given its part and the points of that part.
fn malformed(part: usize, count: usize, bad: BadPoint) -> (bool, usize, PointError) {
    match bad.index.checked_sub(count) {
        Some(index) => (false, part * SHARE + index, bad.source),
        None => (true, part * SHARE + bad.index, bad.source),
    }
}
