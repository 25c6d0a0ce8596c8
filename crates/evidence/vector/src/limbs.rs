//! BN254's base field in five limbs of 52 bits, computed from the library's constants.

use ark_bn254::Fq;
use ark_ff::PrimeField;

/// Limbs of a field element in radix 2^52.
pub(crate) const LIMBS: usize = 5;

/// Low 52 bits.
pub(crate) const MASK: u64 = (1 << 52) - 1;

/// The modulus q in four 64-bit limbs, least significant first.
pub(crate) const MODULUS_64: [u64; 4] = <Fq as PrimeField>::MODULUS.0;

/// The modulus q in radix 2^52.
pub(crate) const MODULUS: [u64; LIMBS] = split(MODULUS_64);

/// −q⁻¹ mod 2^52, for Montgomery reduction.
pub(crate) const NEGATIVE_INVERSE: u64 = negative_inverse(MODULUS_64[0]) & MASK;

/// Radix 2^64 to radix 2^52. The value must be below 2^256.
pub(crate) const fn split(v: [u64; 4]) -> [u64; LIMBS] {
    [
        v[0] & MASK,
        ((v[0] >> 52) | (v[1] << 12)) & MASK,
        ((v[1] >> 40) | (v[2] << 24)) & MASK,
        ((v[2] >> 28) | (v[3] << 36)) & MASK,
        v[3] >> 16,
    ]
}

/// `k` q in radix 2^52 without carries: each limb of q times `k` (k ≤ 16, so limbs stay below 2^56).
pub(crate) const fn modulus_times(k: u64) -> [u64; LIMBS] {
    [
        MODULUS[0] * k,
        MODULUS[1] * k,
        MODULUS[2] * k,
        MODULUS[3] * k,
        MODULUS[4] * k,
    ]
}

/// v / 2^52 modulo q, below q, for v below q: v + m·q without its lowest limb, which is zero.
#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "constant indices into arrays of five limbs; a constant's computation has no other conversions"
)]
pub(crate) const fn shifted_down(v: [u64; LIMBS]) -> [u64; LIMBS] {
    let m = v[0].wrapping_mul(NEGATIVE_INVERSE) & MASK;
    let (mut out, mut sum) = ([0; LIMBS], 0_u128);
    let mut i = 0;
    while i < LIMBS {
        sum += v[i] as u128 + m as u128 * MODULUS[i] as u128;
        if i > 0 {
            out[i - 1] = sum as u64 & MASK;
        }
        sum >>= 52;
        i += 1;
    }
    out[LIMBS - 1] = sum as u64;
    out
}

/// −q⁻¹ mod 2^64
pub(crate) const fn negative_inverse(q: u64) -> u64 {
    // Newton's iteration doubles the number of correct bits; q is its own inverse to 3 bits.
    let mut inverse = q;
    let mut round = 0;
    while round < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(q.wrapping_mul(inverse)));
        round += 1;
    }
    inverse.wrapping_neg()
}

/// 1/2 mod q = (q + 1)/2
pub(crate) const ONE_HALF: [u64; 4] = {
    let q = MODULUS_64;
    // q is odd, and adding 1 to it carries nothing.
    assert!(q[0] & 1 == 1 && q[0] != u64::MAX);
    [
        ((q[0] + 1) >> 1) | (q[1] << 63),
        (q[1] >> 1) | (q[2] << 63),
        (q[2] >> 1) | (q[3] << 63),
        q[3] >> 1,
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_a_limb_is_taken_away() {
        let value = |limbs: [u64; LIMBS]| {
            limbs.iter().rev().fold(Fq::from(0), |sum, limb| {
                sum * Fq::from(1_u64 << 52) + Fq::from(*limb)
            })
        };
        let mut limbs = split((-Fq::from(2)).into_bigint().0);
        for _ in 0..100 {
            let next = shifted_down(limbs);
            assert_eq!(value(next) * Fq::from(1_u64 << 52), value(limbs));
            assert!(next.iter().all(|limb| *limb <= MASK) && next[4] <= MODULUS[4]);
            limbs = next;
        }
    }

    #[test]
    fn the_inverse_is_one() {
        assert_eq!(
            MODULUS_64[0].wrapping_mul(NEGATIVE_INVERSE.wrapping_neg()) & MASK,
            1
        );
    }
}
