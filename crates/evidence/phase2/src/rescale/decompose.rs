//! One scalar as two half-length ones: k = k1 + λ·k2, λ being the eigenvalue of the curve's
//! endomorphism (Gallant, Lambert, Vanstone, CRYPTO 2001).
//!
//! Written over fixed-width integers without secret branches and without the heap, because the
//! contribution's secret passes through here. The lattice basis is arkworks' `GLVConfig`.

use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::select::Mask;

/// A scalar field of four 64-bit limbs: BN254's and BLS12-381's.
pub trait Scalar: PrimeField<BigInt = BigInt<4>> {}
impl<T: PrimeField<BigInt = BigInt<4>>> Scalar for T {}

/// Sign and absolute value of a residue of small absolute value.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Signed {
    /// 1 for negative.
    pub(super) negative: u64,
    pub(super) magnitude: BigInt<4>,
}

impl Signed {
    /// The representative of least absolute value.
    pub(super) fn of<F: Scalar>(residue: &F) -> Self {
        let positive = residue.into_bigint();
        let mut other = F::MODULUS;
        other.sub_with_borrow(&positive);
        // Borrow: the other representative is the smaller one.
        let mut difference = other;
        let smaller = difference.sub_with_borrow(&positive);
        let mask = Mask::when(smaller);
        let mut magnitude = positive;
        for (limb, other) in magnitude.0.iter_mut().zip(other.0) {
            *limb = mask.pick(*limb, other);
        }
        Self {
            negative: mask.pick(0, 1),
            magnitude,
        }
    }

    /// Either the residue or its negative is odd as an integer below the modulus, which is odd.
    pub(super) fn odd<F: Scalar>(residue: &F) -> Self {
        let positive = residue.into_bigint();
        let mut magnitude = F::MODULUS;
        magnitude.sub_with_borrow(&positive);
        let mask = Mask::equal(low_limb(&positive) & 1, 1);
        for (limb, positive) in magnitude.0.iter_mut().zip(positive.0) {
            *limb = mask.pick(*limb, positive);
        }
        Self {
            negative: mask.pick(1, 0),
            magnitude,
        }
    }

    fn take(&mut self, other: &Self, mask: Mask) {
        self.negative = mask.pick(self.negative, other.negative);
        for (limb, other) in self.magnitude.0.iter_mut().zip(other.magnitude.0) {
            *limb = mask.pick(*limb, other);
        }
    }
}

/// k1 and k2 of about half the length of k.
pub(super) fn halves<C: GLVConfig>(scalar: &C::ScalarField) -> (Signed, Signed)
where
    C::ScalarField: Scalar,
{
    let (first, second) = short_residues::<C>(scalar);
    (Signed::of(&first), Signed::of(&second))
}

/// The same as integers, for numbers that are not secret. `None` where one does not fit, which no scalar
/// of BN254 gives.
pub(crate) fn short_halves<C: GLVConfig>(scalar: &C::ScalarField) -> Option<(i128, i128)>
where
    C::ScalarField: Scalar,
{
    let integer = |half: &Signed| {
        let [a, b, c, d] = half.magnitude.0;
        let size = i128::try_from(u128::from(a) | u128::from(b) << 64).ok()?;
        let signed = if half.negative == 1 { -size } else { size };
        ((c, d) == (0, 0)).then_some(signed)
    };
    let (first, second) = halves::<C>(scalar);
    Some((integer(&first)?, integer(&second)?))
}

/// k1 and k2 as before, both odd and below 2^128. Exactly one of the four sums with none, one or both of
/// the basis vectors has odd parts, since the determinant of the basis (the group order) is odd; with
/// the right signs of the vectors it is no longer than they are.
pub(super) fn odd_halves<C: GLVConfig>(scalar: &C::ScalarField) -> (Signed, Signed)
where
    C::ScalarField: Scalar,
{
    let [n11, n12, n21, n22] = basis::<C>();
    let (first, second) = short_residues::<C>(scalar);
    let zero = C::ScalarField::ZERO;
    let mut chosen = (Signed::of(&zero), Signed::of(&zero));
    for (a1, a2) in [(zero, zero), (n11, n12), (-n11, -n12)] {
        for (b1, b2) in [(zero, zero), (n21, n22), (-n21, -n22)] {
            let candidate = (
                Signed::of(&(first + a1 + b1)),
                Signed::of(&(second + a2 + b2)),
            );
            let odd = low_limb(&candidate.0.magnitude) & low_limb(&candidate.1.magnitude) & 1;
            let high = high_limbs(&candidate.0.magnitude) | high_limbs(&candidate.1.magnitude);
            let usable = Mask::equal(high, 0).pick(0, odd);
            let mask = Mask::equal(usable, 1);
            chosen.0.take(&candidate.0, mask);
            chosen.1.take(&candidate.1, mask);
        }
    }
    chosen
}

/// Babai rounding with the quotients n/r scaled by 2^256 and rounded down; that adds at most two
/// basis vectors to the result and needs no division of the scalar.
fn short_residues<C: GLVConfig>(scalar: &C::ScalarField) -> (C::ScalarField, C::ScalarField)
where
    C::ScalarField: Scalar,
{
    let [n11, n12, n21, n22] = basis::<C>();
    let [_, (plus12, size12), _, (plus22, size22)] = C::SCALAR_DECOMP_COEFFS;
    let wide = scalar.into_bigint();
    let c1 = signed_quotient::<C::ScalarField>(&wide, &size22, plus22);
    let c2 = signed_quotient::<C::ScalarField>(&wide, &size12, !plus12);
    (*scalar - c1 * n11 - c2 * n21, -(c1 * n12) - c2 * n22)
}

fn basis<C: GLVConfig>() -> [C::ScalarField; 4] {
    C::SCALAR_DECOMP_COEFFS.map(|(plus, size)| {
        // Shorter than the modulus by construction, so the reduction never applies.
        let value = C::ScalarField::from_bigint(size).unwrap_or(C::ScalarField::ZERO);
        if plus { value } else { -value }
    })
}

/// `scalar · size / r`, rounded down, with the sign.
fn signed_quotient<F: Scalar>(scalar: &BigInt<4>, size: &BigInt<4>, plus: bool) -> F {
    let (_, quotient) = scalar.mul(&scaled_by_modulus::<F>(size));
    let value = F::from_bigint(quotient).unwrap_or(F::ZERO);
    if plus { value } else { -value }
}

/// floor(2^256 · size / r) by long division; constants of the curve, nothing secret.
fn scaled_by_modulus<F: Scalar>(size: &BigInt<4>) -> BigInt<4> {
    let mut remainder = *size;
    let mut quotient = BigInt::zero();
    for _ in 0..256 {
        // No overflow: the remainder is below r, and r is below 2^255.
        remainder.mul2();
        quotient.mul2();
        if remainder >= F::MODULUS {
            remainder.sub_with_borrow(&F::MODULUS);
            quotient.add_with_carry(&BigInt::from(1_u64));
        }
    }
    quotient
}

/// The least significant limb.
pub(super) fn low_limb(value: &BigInt<4>) -> u64 {
    let [low, ..] = value.0;
    low
}

/// Zero for a number below 2^128.
fn high_limbs(value: &BigInt<4>) -> u64 {
    let [_, _, third, fourth] = value.0;
    third | fourth
}

#[cfg(test)]
mod tests {
    use ark_ec::CurveConfig;
    use ark_ff::{FftField, Field};

    use super::*;

    fn joined<C: GLVConfig>(halves: &(Signed, Signed)) -> C::ScalarField
    where
        C::ScalarField: Scalar,
    {
        let value = |part: &Signed| {
            let size = C::ScalarField::from_bigint(part.magnitude).unwrap();
            if part.negative == 1 { -size } else { size }
        };
        value(&halves.0) + C::LAMBDA * value(&halves.1)
    }

    fn splits_right<C: GLVConfig>()
    where
        C::ScalarField: Scalar,
    {
        let mut scalar = <C as CurveConfig>::ScalarField::GENERATOR;
        for round in 0..200 {
            let parts = halves::<C>(&scalar);
            assert_eq!(joined::<C>(&parts), scalar, "round {round}");
            assert!(parts.0.magnitude.num_bits() <= 130);
            assert!(parts.1.magnitude.num_bits() <= 130);
            let odd = odd_halves::<C>(&scalar);
            assert_eq!(joined::<C>(&odd), scalar);
            assert!(odd.0.magnitude.is_odd() && odd.1.magnitude.is_odd());
            assert!(odd.0.magnitude.num_bits() <= 128);
            assert!(odd.1.magnitude.num_bits() <= 128);
            scalar = scalar.square() + C::LAMBDA;
        }
        for small in [1_u64, 2, 3, 16] {
            let scalar = -<C as CurveConfig>::ScalarField::from(small);
            assert_eq!(joined::<C>(&odd_halves::<C>(&scalar)), scalar);
        }
    }

    #[test]
    fn halves_rejoin_on_both_curves() {
        splits_right::<ark_bn254::g1::Config>();
        splits_right::<ark_bls12_381::g1::Config>();
    }
}
