//! The part of the circuit hash that is not in the key: differences of powers of tau.

use formats::{
    curve::{CurveParams, G1Affine},
    points::LemPoint,
    ptau::{MonomialG1, Ptau},
    source::Source,
};

use super::{error::SetupError, overrun};
use crate::{sums::differences, transcript::PointHasher};

/// Points subtracted at a time.
const CHUNK: usize = 1 << 12;
/// From this domain on, snarkjs hashes one point more than it announces.
const OVERRUN_POWER: u32 = 15;

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
    let domain = 1_u64 << power;
    let announced = domain - 1;
    let announced_count = u32::try_from(announced).map_err(|_| SetupError::CircuitTooLarge {
        needed: power,
        max: C::CURVE.two_adicity(),
    })?;
    hasher.count(announced_count);
    let ptau_power = ptau.power();
    let overrun = power >= OVERRUN_POWER;
    let real = announced + u64::from(overrun && ptau_power > power);

    let mut low = ptau.monomial_g1::<C>(MonomialG1::Tau, 0, real)?;
    let mut high = ptau.monomial_g1::<C>(MonomialG1::Tau, domain, real)?;
    let (mut lows, mut highs) = (Vec::new(), Vec::new());
    while low.remaining() > 0 {
        let raw_low = low.read_raw(&mut lows, CHUNK)?;
        let raw_high = high.read_raw(&mut highs, CHUNK)?;
        let differences = differences::<C::G1Config>(&highs, &lows).map_err(|bad| {
            match bad.index.checked_sub(raw_high.count) {
                Some(index) => raw_low.malformed(index, bad.source),
                None => raw_high.malformed(bad.index, bad.source),
            }
        })?;
        hasher.file_points::<G1Affine<C>>(&differences)?;
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
        hasher.bytes(&overrun::hashed_difference(power, &subtrahend));
    }
    Ok(())
}
