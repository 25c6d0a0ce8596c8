//! How scalars are cut into digits, whose sizes have buckets.

use ark_ff::{BigInt, BigInteger, PrimeField};

use crate::positions::index;

/// A scalar of at most 254 bits with its sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scalar {
    negative: bool,
    limbs: [u64; 4],
}

impl Scalar {
    /// Sign and size of the representative of least absolute value: short for small coefficients.
    pub(crate) fn of<F: PrimeField<BigInt = BigInt<4>>>(value: F) -> Self {
        let size = value.into_bigint();
        if size > F::MODULUS_MINUS_ONE_DIV_TWO {
            Self {
                negative: true,
                limbs: (-value).into_bigint().0,
            }
        } else {
            Self {
                negative: false,
                limbs: size.0,
            }
        }
    }
}

impl From<u128> for Scalar {
    fn from(value: u128) -> Self {
        let limb = |value: u128| u64::try_from(value & u128::from(u64::MAX)).unwrap_or(0);
        Self {
            negative: false,
            limbs: [limb(value), limb(value >> 64), 0, 0],
        }
    }
}

/// How scalars are cut into digits, one for each window. A window counts 2^`bits` times the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    pub(super) bits: u32,
    pub(super) count: u32,
    form: Form,
}

/// What digits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Integers from −2^(bits−1) to 2^(bits−1) − 1 that make up the scalar; their sizes have a bucket each.
    Signed,
    /// Units of Z[ω] times numbers of buckets, which make up a scalar of their own for each 128-bit number.
    Units(Units),
}

/// ω multiplies points by the λ of the endomorphism. A digit is one of the six units ±1, ±ω, ±ω² times the
/// number of a bucket, 1 to `buckets`: three times as many values as signed digits have for the same
/// buckets, so fewer digits.
///
/// Different numbers give different scalars modulo the group order r. A number is cut into `parts` of
/// `part_bits`, each written in `per_part` places to the base 6·`buckets`, so digits differ. The windows'
/// factor is more than twice the largest digit, so different digits make different sums d in Z[ω]. For all
/// forms here |d| is below 2^121, so the norm of a difference is below 2^244, and a multiple of the prime over r, whose
/// norm r divides, would have at least 2^253.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Units {
    parts: u32,
    part_bits: u32,
    per_part: u32,
    buckets: u32,
}

impl Units {
    /// Parts, their bits, places of each, buckets: (6·buckets)^places ≥ 2^bits.
    const FORMS: [Self; 4] = [
        Self::form(4, 32, 4, 43),
        Self::form(4, 32, 3, 271),
        Self::form(3, 43, 3, 3441),
        Self::form(4, 32, 2, 10_923),
    ];

    const fn form(parts: u32, part_bits: u32, per_part: u32, buckets: u32) -> Self {
        Self {
            parts,
            part_bits,
            per_part,
            buckets,
        }
    }

    fn windows(self) -> Windows {
        Windows {
            // More than twice the buckets.
            bits: (2 * self.buckets).ilog2() + 1,
            count: self.parts * self.per_part,
            form: Form::Units(self),
        }
    }

    /// Lowest place first.
    fn cut(self, number: u128, digits: &mut [Digit]) {
        let base = u64::from(6 * self.buckets);
        // Rounded up by less than `base`, which is below 2^17: quotients of 43 bits are exact.
        let reciprocal = u128::from(u64::MAX / base + 1);
        let mut rest = number;
        for digits in digits.chunks_mut(index(self.per_part)) {
            let part = rest & ((1 << self.part_bits) - 1);
            rest >>= self.part_bits;
            let mut part = u64::try_from(part).unwrap_or(0);
            for digit in digits {
                let quotient = u64::try_from((u128::from(part) * reciprocal) >> 64).unwrap_or(0);
                let value = u32::try_from(part - quotient * base).unwrap_or(0);
                part = quotient;
                let (bucket, unit) = (value / 6, value % 6);
                *digit = Digit::new(bucket, unit / 2, unit % 2 == 1);
            }
        }
    }
}

/// Bucket, counted from 0, image and sign of a digit; no bucket for zero.
#[derive(Clone, Copy)]
pub(super) struct Digit(u32);

impl Digit {
    pub(super) const ZERO: Self = Self(u32::MAX);

    fn new(bucket: u32, image: u32, minus: bool) -> Self {
        Self(bucket << 3 | image << 1 | u32::from(minus))
    }

    pub(super) fn bucket(self) -> Option<u32> {
        (self.0 != Self::ZERO.0).then_some(self.0 >> 3)
    }

    pub(super) fn image(self) -> u32 {
        self.0 >> 1 & 3
    }

    pub(super) fn is_minus(self) -> bool {
        self.0 & 1 == 1
    }
}

impl Windows {
    /// For scalars below 2^`scalar_bits` and about `n_points` points, digits of at most `most` bits.
    pub(crate) fn new(scalar_bits: u32, n_points: u64, most: u32) -> Self {
        let fitting = match n_points {
            0..0x80 => 4,
            0x80..0x800 => 7,
            0x800..0x8000 => 9,
            0x8000..0x8_0000 => 12,
            _ => 13,
        };
        let bits = fitting.min(most).max(2);
        // One bit more for the sign of the topmost digit.
        let count = (scalar_bits + 1).div_ceil(bits);
        Self {
            bits,
            count,
            form: Form::Signed,
        }
    }

    /// For 128-bit numbers that only have to give each its own scalar, and about `n_points` points of a group
    /// whose order is prime and whose endomorphism is at hand.
    pub(crate) fn units(n_points: u64) -> Self {
        // Each point is added to a bucket for each digit; each bucket to a row and a column.
        let additions = |form: &Units| {
            let buckets = u64::from(form.buckets);
            u64::from(form.parts * form.per_part) * n_points.saturating_add(2 * buckets)
        };
        let best = Units::FORMS.into_iter().min_by_key(additions);
        let [first, ..] = Units::FORMS;
        best.unwrap_or(first).windows()
    }

    /// Digits of a scalar, those that are zero included.
    pub(crate) fn count(self) -> u32 {
        self.count
    }

    /// Images of each point that digits refer to, the point itself included.
    pub(super) fn images(self) -> usize {
        match self.form {
            Form::Signed => 1,
            Form::Units(_) => 3,
        }
    }

    /// The digits of a scalar, lowest first.
    pub(super) fn cut(self, scalar: &Scalar, digits: &mut [Digit]) {
        let [a, b, c, d] = scalar.limbs;
        if let Form::Units(units) = self.form {
            return units.cut(u128::from(a) | u128::from(b) << 64, digits);
        }
        let mut shifted = BigInt::new([a, b, c, d, 0]);
        shifted.add_with_carry(&BigInt::new(self.offset()));
        for (window, digit) in (0..).zip(digits) {
            let (minus, size) = self.digit(&shifted.0, window);
            *digit = size.checked_sub(1).map_or(Digit::ZERO, |bucket| {
                Digit::new(bucket, 0, minus != scalar.negative)
            });
        }
    }

    /// Buckets of a window, or the places that they take.
    pub(super) fn buckets(self) -> u32 {
        1 << (self.bits - 1)
    }

    /// Half of the range at every position: added to a scalar, it makes all digits non-negative.
    fn offset(self) -> [u64; 5] {
        let mut offset = [0; 5];
        for window in 0..self.count {
            let bit = window * self.bits + self.bits - 1;
            if let Some(limb) = offset.get_mut(index(bit / 64)) {
                *limb |= 1 << (bit % 64);
            }
        }
        offset
    }

    /// Digit of a scalar to which the offset has been added, sign and size.
    fn digit(self, shifted: &[u64; 5], window: u32) -> (bool, u32) {
        let bit = window * self.bits;
        let word = |at: u32| shifted.get(index(at)).copied().unwrap_or(0);
        let low = word(bit / 64) >> (bit % 64);
        let high = match bit % 64 {
            0 => 0,
            used => word(bit / 64 + 1) << (64 - used),
        };
        let raw = (low | high) & ((1 << self.bits) - 1);
        let raw = u32::try_from(raw).unwrap_or(0);
        (raw < self.buckets(), raw.abs_diff(self.buckets()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_have_room_for_all_numbers_and_sums_stay_apart() {
        for form in Units::FORMS {
            let base = u128::from(6 * form.buckets);
            assert!(base.pow(form.per_part) >= 1 << form.part_bits);
            assert!(form.parts * form.part_bits >= 128);
            let windows = form.windows();
            assert!(2 * form.buckets < 1 << windows.bits);
            assert!(form.buckets <= windows.buckets());
            // log2 of the largest sum, rounded up.
            let bits = form.buckets.ilog2() + 1 + windows.bits * (windows.count - 1) + 1;
            assert!(bits <= 121, "{bits}");
        }
    }

    /// The digits of neighbours and extremes, back to back: each number from its own digits.
    #[test]
    fn numbers_can_be_had_back_from_their_digits() {
        for form in Units::FORMS {
            let windows = form.windows();
            let high = 1_u128 << 127;
            for number in [0, 1, 5, 6, 77_777, high, high | 1, u128::MAX, u128::MAX / 3] {
                let mut digits = vec![Digit::ZERO; index(windows.count)];
                windows.cut(&Scalar::from(number), &mut digits);
                let mut back = 0_u128;
                for (part, digits) in (0..).zip(digits.chunks(index(form.per_part))) {
                    let value = digits.iter().rev().fold(0_u128, |value, digit| {
                        assert!(digit.bucket().unwrap() < form.buckets);
                        let unit = 2 * digit.image() + u32::from(digit.is_minus());
                        let own = 6 * digit.bucket().unwrap() + unit;
                        value * u128::from(6 * form.buckets) + u128::from(own)
                    });
                    back += value << (part * form.part_bits);
                }
                assert_eq!(back, number);
            }
        }
    }
}
