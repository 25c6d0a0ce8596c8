//! Long coefficients to the base θ = 1 − ω, where ω multiplies points by the λ of BN254's endomorphism.
//!
//! A coefficient is the same multiple of a point as some a + bω with a and b of half its length (Gallant,
//! Lambert, Vanstone, CRYPTO 2001). θ has norm 3, and modulo θ² (which is 3 times a unit) every number that θ does
//! not divide is one of the six units ±1, ±ω, ±ω². So digits are units, whose multiples of a point are
//! free, and after each comes a zero: 160 positions, 64 digits. The non-adjacent form to the base two has 254 and
//! 85. It is the width-2 form of J. Solinas, *Efficient arithmetic on Koblitz curves*, 2000, for this ring.

use ark_bn254::{Fr, g1};
use ark_ff::{BigInt, PrimeField};

use crate::rescale::short_halves;

/// A digit other than zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digit {
    /// Power of θ.
    pub(super) position: u32,
    /// Power of ω: 0, 1 or 2.
    pub(super) image: u32,
    pub(super) minus: bool,
}

/// 1/3 modulo 2^128: the quotient of a multiple of three, whatever its sign.
const THIRD: i128 = i128::from_le_bytes([
    0xab, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
]);

/// Appends the digits of a number below the order of BN254, lowest first. `None` for numbers that do not
/// fall into short halves: there are none.
pub(super) fn digits(number: &BigInt<4>, digits: &mut Vec<Digit>) -> Option<()> {
    let (mut a, mut b) = short_halves::<g1::Config>(&Fr::from_bigint(*number)?)?;
    let mut position = 0;
    while (a, b) != (0, 0) {
        // The unit modulo 3, and its coordinates.
        let (image, minus, one, omega) = match (modulo_three(a), modulo_three(b)) {
            (1, 0) => (0, false, 1, 0),
            (2, 0) => (0, true, -1, 0),
            (0, 1) => (1, false, 0, 1),
            (0, 2) => (1, true, 0, -1),
            (2, 2) => (2, false, -1, -1),
            (1, 1) => (2, true, 1, 1),
            // θ divides it: (a + bω)/θ = (2a − b)/3 + (a + b)/3·ω.
            _ => {
                let sum = a.wrapping_add(b).wrapping_mul(THIRD);
                (a, b) = (a.wrapping_sub(sum), sum);
                position += 1;
                continue;
            }
        };
        digits.push(Digit {
            position,
            image,
            minus,
        });
        // θ² = −3ω, and −1/ω = 1 + ω.
        let third = a.wrapping_sub(one).wrapping_mul(THIRD);
        let other = b.wrapping_sub(omega).wrapping_mul(THIRD);
        (a, b) = (third.wrapping_sub(other), third);
        position += 2;
    }
    Some(())
}

/// 0, 1 or 2. 2^64 and 2^128 are 1 modulo 3.
fn modulo_three(value: i128) -> u64 {
    let words = value.cast_unsigned();
    let low = u64::try_from(words & u128::from(u64::MAX)).unwrap_or(0);
    let high = u64::try_from(words >> 64).unwrap_or(0);
    (low % 3 + high % 3 + if value < 0 { 2 } else { 0 }) % 3
}

#[cfg(test)]
mod tests {
    use ark_ec::scalar_mul::glv::GLVConfig;
    use ark_ff::{AdditiveGroup, Field};
    use proptest::prelude::*;

    use super::*;

    fn check(number: Fr) {
        let mut found = Vec::new();
        digits(&number.into_bigint(), &mut found).unwrap();
        let omega = g1::Config::LAMBDA;
        let theta = Fr::ONE - omega;
        let mut sum = Fr::ZERO;
        let mut next = 0;
        for digit in &found {
            assert!(digit.position >= next, "a zero after each digit");
            next = digit.position + 2;
            let value = omega.pow([digit.image.into()]) * theta.pow([digit.position.into()]);
            sum += if digit.minus { -value } else { value };
        }
        assert_eq!(sum, number);
        assert!(next <= 166, "{next} positions");
    }

    #[test]
    fn small_and_extreme_numbers_are_the_sums_of_their_digits() {
        let half = Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO);
        let omega = g1::Config::LAMBDA;
        for number in [0, 1, 2, 3, 4, 9, 1_u64 << 60].map(Fr::from) {
            for number in [
                number,
                -number,
                number * omega,
                half + number,
                half - number,
            ] {
                check(number);
            }
        }
    }

    proptest! {
        #[test]
        fn numbers_are_the_sums_of_their_digits(words in any::<[u64; 4]>()) {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            check(Fr::from_le_bytes_mod_order(&bytes));
        }
    }
}
