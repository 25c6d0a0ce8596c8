//! Choice between field elements without a branch or an index that depends on the choice.

use std::hint::black_box;

use ark_ff::{BigInt, BigInteger, Field, Fp, Fp2, Fp2Config, FpConfig};
use zeroize::Zeroize;

/// All ones or all zeros.
#[derive(Clone, Copy)]
pub struct Mask(u64);

impl Mask {
    /// All ones when `condition` holds.
    pub fn when(condition: bool) -> Self {
        Self(black_box(u64::from(condition)).wrapping_neg())
    }

    /// All ones when both are equal.
    pub fn equal(a: u64, b: u64) -> Self {
        let difference = a ^ b;
        let nonzero = (difference | difference.wrapping_neg()) >> 63;
        Self(black_box(nonzero).wrapping_sub(1))
    }

    /// `other` where the mask is all ones, `word` where it is all zeros.
    pub fn pick(self, word: u64, other: u64) -> u64 {
        word ^ (self.0 & (word ^ other))
    }
}

/// A field whose elements are chosen limb by limb under a [`Mask`].
pub trait Select: Field + Zeroize {
    /// Becomes `other` where the mask is all ones, and stays where it is all zeros.
    fn select(&mut self, other: &Self, mask: Mask);

    /// The inverse, by a fixed sequence of operations; zero for zero.
    #[must_use]
    fn invert_fixed(&self) -> Self;
}

impl<P: FpConfig<N>, const N: usize> Select for Fp<P, N> {
    fn select(&mut self, other: &Self, mask: Mask) {
        for (limb, other) in self.0.0.iter_mut().zip(other.0.0) {
            *limb = mask.pick(*limb, other);
        }
    }

    fn invert_fixed(&self) -> Self {
        // Fermat: the exponent p - 2 is public, so the sequence is fixed.
        let mut exponent = P::MODULUS;
        exponent.sub_with_borrow(&BigInt::from(2_u64));
        self.pow(exponent)
    }
}

impl<P: Fp2Config> Select for Fp2<P>
where
    P::Fp: Select,
{
    fn select(&mut self, other: &Self, mask: Mask) {
        self.c0.select(&other.c0, mask);
        self.c1.select(&other.c1, mask);
    }

    fn invert_fixed(&self) -> Self {
        let scale = self.norm().invert_fixed();
        Self::new(self.c0 * scale, -self.c1 * scale)
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fq, Fq2};
    use ark_ff::AdditiveGroup;

    use super::*;

    #[test]
    fn a_mask_takes_all_or_nothing() {
        assert_eq!(Mask::equal(3, 3).pick(1, 2), 2);
        assert_eq!(Mask::equal(3, 5).pick(1, 2), 1);
        assert_eq!(Mask::equal(0, u64::MAX).pick(1, 2), 1);
        assert_eq!(Mask::when(true).pick(1, 2), 2);
        let other = Fq2::new(Fq::from(5), Fq::from(6));
        let mut value = Fq2::ZERO;
        value.select(&other, Mask::when(false));
        assert_eq!(value, Fq2::ZERO);
        value.select(&other, Mask::when(true));
        assert_eq!(value, other);
    }

    #[test]
    fn the_fixed_inverse_is_the_inverse() {
        let value = Fq2::new(Fq::from(5), Fq::from(6));
        assert_eq!(value * value.invert_fixed(), Fq2::ONE);
        assert_eq!(Fq2::ZERO.invert_fixed(), Fq2::ZERO);
        let value = Fq::from(7);
        assert_eq!(value * value.invert_fixed(), Fq::ONE);
    }
}
