//! Field elements, curve points and the challenge point, drawn as snarkjs draws them
//! (`formats.md` 2.3).

use ark_ec::{
    AffineRepr,
    short_weierstrass::{Affine, SWCurveConfig},
};
use ark_ff::{
    AdditiveGroup, Field, Fp, Fp2Config, Fp2ConfigWrapper, MontBackend, MontConfig, PrimeField,
    QuadExtField,
};
use formats::points::Coordinate;
use zeroize::Zeroizing;

use crate::rng::ChaChaRng;

/// A field with snarkjs's draw and sign.
pub trait Sample: Field {
    /// A uniform element.
    fn from_rng(rng: &mut ChaChaRng) -> Self;

    /// Whether the canonical value is above (p - 1) / 2; on a quadratic field that of c1, or of c0
    /// where c1 is zero.
    fn is_negative(&self) -> bool;
}

impl<P: MontConfig<N>, const N: usize> Sample for Fp<MontBackend<P, N>, N> {
    /// Limbs from the least significant on, cut to the modulus's bit length and drawn again until
    /// below the modulus. They are taken as the Montgomery form, so the value is limbs / R.
    fn from_rng(rng: &mut ChaChaRng) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(8 * N));
        let unused_bits = Self::BYTES * 8 - usize::try_from(Self::MODULUS_BIT_SIZE).unwrap_or(0);
        loop {
            bytes.clear();
            for limb in 1..=N {
                let mut word = rng.next_u64();
                if limb == N {
                    word &= u64::MAX >> unused_bits;
                }
                bytes.extend_from_slice(&word.to_le_bytes());
            }
            if let Some(value) = Self::from_lem(&bytes) {
                return value;
            }
        }
    }

    fn is_negative(&self) -> bool {
        self.into_bigint() > Self::MODULUS_MINUS_ONE_DIV_TWO
    }
}

impl<P: Fp2Config<Fp: Sample>> Sample for QuadExtField<Fp2ConfigWrapper<P>> {
    fn from_rng(rng: &mut ChaChaRng) -> Self {
        let c0 = P::Fp::from_rng(rng);
        let c1 = P::Fp::from_rng(rng);
        Self::new(c0, c1)
    }

    fn is_negative(&self) -> bool {
        if self.c1 == P::Fp::ZERO {
            self.c0.is_negative()
        } else {
            self.c1.is_negative()
        }
    }
}

/// A point of the prime-order subgroup: x is drawn until it is on the curve, one bit chooses y (it
/// is drawn on failed tries too), and the cofactor is cleared by multiplication.
pub fn point<P>(rng: &mut ChaChaRng) -> Affine<P>
where
    P: SWCurveConfig<BaseField: Sample>,
{
    loop {
        let x = P::BaseField::from_rng(rng);
        let greatest = rng.next_bool();
        if let Some(y) = P::add_b(x.square() * x).sqrt() {
            let y = if y.is_negative() == greatest { y } else { -y };
            return Affine::<P>::new_unchecked(x, y).mul_by_cofactor();
        }
    }
}

/// The challenge of a contribution's proof of knowledge: a G2 point from its transcript hash.
pub fn challenge_point<P>(transcript: &[u8; 64]) -> Affine<P>
where
    P: SWCurveConfig<BaseField: Sample>,
{
    let (seed, _) = transcript.split_at(32);
    let mut key = [0; 32];
    key.copy_from_slice(seed);
    point(&mut ChaChaRng::from_seed(&key))
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fq, Fr, g1, g2};

    use super::*;

    #[test]
    fn points_are_in_the_subgroup_and_differ() {
        let mut rng = ChaChaRng::from_seed(&[7; 32]);
        let first: Affine<g1::Config> = point(&mut rng);
        let second: Affine<g1::Config> = point(&mut rng);
        assert_ne!(first, second);
        for _ in 0..4 {
            let third: Affine<g2::Config> = point(&mut rng);
            assert!(third.is_on_curve() && third.is_in_correct_subgroup_assuming_on_curve());
        }
        let other: Affine<ark_bls12_381::g1::Config> = point(&mut rng);
        assert!(other.is_on_curve() && other.is_in_correct_subgroup_assuming_on_curve());
    }

    #[test]
    fn the_drawn_limbs_are_the_montgomery_form() {
        let mut rng = ChaChaRng::from_seed(&[9; 32]);
        let value = Fr::from_rng(&mut rng);
        let mut again = ChaChaRng::from_seed(&[9; 32]);
        let limbs = value.0.0;
        // 254 bits: the first draw may have been above the modulus, so search for it.
        let found = (0..64).any(|_| {
            let mut drawn = [0; 4];
            for limb in &mut drawn {
                *limb = again.next_u64();
            }
            drawn[3] &= u64::MAX >> 2;
            drawn == limbs
        });
        assert!(found);
    }

    #[test]
    fn sign_is_that_of_the_canonical_value() {
        assert!(!Fq::from(1).is_negative());
        assert!((-Fq::from(1)).is_negative());
        assert!(!Fq::ZERO.is_negative());
    }
}
