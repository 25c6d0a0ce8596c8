//! Coefficients by sign and size: circuits are full of small negative ones.

use ark_ff::{BigInt, BigInteger, PrimeField};

use super::error::SetupError;

/// A coefficient's representative of least absolute value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    negative: bool,
    size: BigInt<4>,
}

impl Signed {
    pub(crate) const ONE: Self = Self {
        negative: false,
        size: BigInt::one(),
    };

    /// From the canonical little-endian form; fails for a number that is not below the field's modulus.
    pub(crate) fn of<F>(canonical: &[u8; 32]) -> Result<Self, SetupError>
    where
        F: PrimeField<BigInt = BigInt<4>>,
    {
        let mut size = BigInt::new([0; 4]);
        for (limb, bytes) in size.0.iter_mut().zip(canonical.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        if size <= F::MODULUS_MINUS_ONE_DIV_TWO {
            return Ok(Self {
                negative: false,
                size,
            });
        }
        let mut opposite = F::MODULUS;
        if opposite.sub_with_borrow(&size) || opposite.is_zero() {
            return Err(SetupError::CurveMismatch);
        }
        Ok(Self {
            negative: true,
            size: opposite,
        })
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.negative
    }

    pub(crate) fn is_one(&self) -> bool {
        self.size == BigInt::one()
    }

    /// The size.
    pub(super) fn size(&self) -> &BigInt<4> {
        &self.size
    }

    /// Whether it is longer than the halves that the endomorphism splits it into: then its digits to the
    /// base θ are cheaper (see `eisenstein`).
    pub(crate) fn is_long(&self) -> bool {
        self.bits() > 128
    }

    /// Images of points that its digits to the base θ need, about.
    pub(super) fn images(&self) -> u32 {
        if self.is_long() { 48 } else { 0 }
    }

    /// Bits of the size.
    pub(crate) fn bits(&self) -> u32 {
        self.size.num_bits()
    }

    /// Doublings of a point of which this multiple is wanted.
    pub(crate) fn doublings(&self) -> u32 {
        // The non-adjacent form can be one digit longer than the number.
        match self.size.num_bits() {
            0 | 1 => 0,
            bits => bits,
        }
    }

    /// The digits other than zero of the size's non-adjacent form: position, and whether it is −1.
    /// They are where 3h and h differ, moved down by one.
    pub(crate) fn digits(&self) -> impl Iterator<Item = (u32, bool)> + use<> {
        let [a, b, c, d] = self.size.0;
        let size = BigInt::new([a, b, c, d, 0]);
        let mut triple = size;
        triple.mul2();
        triple.add_with_carry(&size);
        let mut differ = triple;
        for (limb, size) in differ.0.iter_mut().zip(&size.0) {
            *limb ^= size;
        }
        // One word after the other, one set bit after the other.
        let words = (0_u32..).step_by(64).zip(differ.0).zip(size.0);
        words.flat_map(|((first, mut places), minus)| {
            std::iter::from_fn(move || {
                let place = places.trailing_zeros();
                if place == u64::BITS {
                    return None;
                }
                places &= places - 1;
                // The lowest bit of 3h is that of h: no digit at position −1.
                Some(((first + place).saturating_sub(1), minus >> place & 1 == 1))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;
    use ark_ff::{AdditiveGroup, Field};
    use formats::points::LemField;

    use super::*;

    fn canonical(value: Fr) -> [u8; 32] {
        let mut bytes = Vec::new();
        value.append_canonical_le(&mut bytes);
        bytes.try_into().unwrap()
    }

    #[test]
    fn digits_make_up_the_number() {
        let half = Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO);
        for value in [
            Fr::ZERO,
            Fr::ONE,
            -Fr::ONE,
            Fr::from(2),
            -Fr::from(3),
            Fr::from(7_u64 << 61),
            Fr::from(u128::MAX),
            Fr::from(3).inverse().unwrap(),
            half,
            half + Fr::ONE,
        ] {
            let signed = Signed::of::<Fr>(&canonical(value)).unwrap();
            let mut sum = Fr::ZERO;
            let mut last = None;
            for (position, minus) in signed.digits() {
                let power = Fr::from(2).pow([u64::from(position)]);
                sum += if minus { -power } else { power };
                assert!(last.is_none_or(|last| position > last + 1), "not adjacent");
                assert!(position <= signed.doublings());
                last = Some(position);
            }
            assert_eq!(if signed.is_negative() { -sum } else { sum }, value);
        }
    }

    #[test]
    fn numbers_of_another_field_are_refused() {
        let mut modulus = Vec::new();
        for limb in Fr::MODULUS.0 {
            modulus.extend_from_slice(&limb.to_le_bytes());
        }
        let modulus: [u8; 32] = modulus.try_into().unwrap();
        for bytes in [modulus, [0xff; 32]] {
            let error = Signed::of::<Fr>(&bytes).unwrap_err();
            assert!(matches!(error, SetupError::CurveMismatch), "{error:?}");
        }
    }
}
