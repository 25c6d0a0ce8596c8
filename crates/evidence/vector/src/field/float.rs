//! Five signed digits of 51 bits held in doubles, Montgomery form with R = 2^255, multiplied by the
//! fused multiply-add of floating-point units: for processors without 52-bit integer products.
//!
//! N. Emmart, F. Zheng, C. Weems, *Faster modular exponentiation using double precision floating point
//! arithmetic on the GPU*, ARITH 2018, for the split of a product into two halves, here with rounding
//! to nearest and signed digits.
//!
//! # A product in two halves
//!
//! Doubles from 2^103 to 2^104 are the multiples of 2^51. With C = 1.5·2^103 and integers |xy| ≤ 2^102,
//! h = fma(x, y, C) is therefore C + H·2^51 with H = xy / 2^51 rounded to nearest, and the bits of h
//! are the bits of C plus H. What is left is L = xy − H·2^51, |L| ≤ 2^50. With D = 1.5·2^52,
//! (C + D) − h is exact (a multiple of 2^51 below 2^103), l = fma(x, y, (C + D) − h) = D + L is exact (an
//! integer between 2^52 and 2^53), and its bits are the bits of D plus L.
//! Columns of products are added up as integers; the bits of C and D are taken off once, in the value
//! that a column starts with.
//!
//! Two products of the same column are added up in floating point: g = fma(x, y, C), h = fma(z, w, g);
//! L = (xy − (g − C)) + (zw − (h − g)) with |L| ≤ 2^51 still fits D's binade. That needs
//! |xy| + |zw| ≤ 2^102, and saves an addition of integers.
//!
//! # Bounds
//!
//! In units of 2^50 for digits and of q for values; both are signed. q is 0.3781·2^255, so a value v has
//! a top digit of 0.7562·v and a carry.
//!
//! | | digits below the top | top digit | value |
//! |---|---|---|---|
//! | reduced | 1 | 0.38 | 0.5 |
//! | fully reduced (constants, points at rest) | 1 | 0.757 | 1 |
//! | single | 1 | 1.62 | 2.14 |
//! | double | 2 | 2 | 2.64, and a product with it is a single value: at most 4.33 for both together |
//! | multiple of q that a step of the reduction adds | 1 | 1 | |
//! | q | 0.545 | 0.757 | 1 |
//!
//! *Pairs.* A product of digits of a single and a double value, or in a square of one digit and twice
//! another, is at most 3.24·2^100; one of a multiple and q at most 0.757·2^100. Together that is below
//! 2^102. Three times a square of a reduced value (digits 3, top digit 3·0.595·0.757) times a single value is
//! no more; neither is the sum of two single values (digits 2, top digit 3.24) times a reduced one.
//! A column sums at most six H and six L of at most 2^51 each: below 2^60.
//!
//! *Values.* A product's value is at most 0.379·αβ + 0.5 for factors of values α and β. So what comes in
//! from a file (fully reduced, times a constant) is at most 0.88.
//!
//! * `group.rs`: denominators, and the rise of chords, are at most 2·0.88 = 1.76. The running products of
//!   Montgomery's trick, and the running inverses, stay below x = 0.379·1.76x + 0.5 = 1.51; an
//!   inverse below 0.379·1.51² + 0.5 = 1.37; a slope below 1.41; its square below 1.26. All is smaller for tangents,
//!   whose denominator is y.
//! * `additions.rs`: denominators are at most 1, for tangents 2. Running products stay below 2.07,
//!   inverses below 2.13, slopes (numerators at most 2, where a summand is negated) below 2.12, their squares, which
//!   are no factors, below 2.21.
//!   In the quadratic extension all of these are smaller, since norms are sums of squares of reduced values.
//! * `ladder.rs`: denominators are at most 1, running products 0.88, inverses 0.84, slopes 0.80, their squares
//!   0.75; a third x is at most 0.75 + 0.88 before it is reduced.
//! * What is reduced: digits below the top at most 5, value at most 1.3 + 2·1.76, so the quotient is at
//!   most 5, and 5 + 5·0.545 < 8 = 2^53: exact.
//!
//! No operand is ever infinite, not a number, or too small to be normal: all numbers are zero or
//! integers below 2^105, or their 2^-51st parts where those are integers; the two fractions that are
//! factors are constants. So the time of an operation does not depend on its operands.
#![expect(
    clippy::needless_range_loop,
    clippy::indexing_slicing,
    reason = "constant indices into arrays of constant length, several in step, as in the formulas"
)]
#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

mod columns;
#[cfg(test)]
mod extremes;
mod radix;

use ark_bn254::Fq;
use ark_ff::BigInt;

use self::columns::{products, squares};
use self::radix::{
    BITS, HALF, HIGH, LOW, MASK, MODULUS, ONE_LOW, POSITIVE, POSITIVE_CARRY, QUOTIENT, SHIFT_DOWN,
    floats, split,
};
use super::limbwise::limb_by_limb;
use super::{Field, GROUP, Group};
use crate::limbs::{self, LIMBS, MODULUS_64};
use crate::register::{FloatProducts, Rotation};

/// Eight field elements.
#[derive(Clone, Copy)]
pub(crate) struct Floats<V>([V; LIMBS]);

impl<V: FloatProducts> Floats<V> {
    /// The multiple of q nearest to a value, by its top digit, in units of q. What is below the top
    /// digit changes the estimate by less than 2^-46.
    #[inline(always)]
    fn quotient(l: &[V; LIMBS]) -> V {
        let top = l[LIMBS - 1];
        let low = top.number(LOW);
        top.fused(top.number(QUOTIENT), low).minus(low)
    }

    /// l − `quotient`·q
    #[inline(always)]
    fn without_quotient(mut l: [V; LIMBS]) -> [V; LIMBS] {
        let quotient = Self::quotient(&l);
        for i in 0..LIMBS {
            l[i] = quotient.fused(quotient.number(-MODULUS[i]), l[i]);
        }
        l
    }

    /// Digits within ±2^50, but for the top one.
    #[inline(always)]
    fn carried(mut l: [V; LIMBS]) -> Self {
        let high = l[0].number(HIGH);
        for i in 0..LIMBS - 1 {
            let carry = l[i].plus(high).minus(high);
            l[i] = l[i].minus(carry);
            l[i + 1] = carry.fused(high.number(SHIFT_DOWN), l[i + 1]);
        }
        Self(l)
    }
}

impl<V: FloatProducts> Field for Floats<V> {
    const FACTOR: Fq = Fq::new(BigInt(limbs::ONE_HALF));

    limb_by_limb!();

    #[inline(always)]
    fn integer(&self, words: [u64; 4]) -> Self {
        let digits = floats(words);
        let mut l = self.0;
        for i in 0..LIMBS {
            l[i] = l[i].number(digits[i]);
        }
        Self(l)
    }

    #[inline(always)]
    fn from_words(w: [V; 4]) -> Self {
        let mask = w[0].splat(MASK);
        let half = w[0].splat(HALF);
        let mut l = [
            w[0].and(mask),
            w[0].shift_right::<51>()
                .or(w[1].shift_left::<13>())
                .and(mask),
            w[1].shift_right::<38>()
                .or(w[2].shift_left::<26>())
                .and(mask),
            w[2].shift_right::<25>()
                .or(w[3].shift_left::<39>())
                .and(mask),
            w[3].shift_right::<12>(),
        ];
        for i in 0..LIMBS - 1 {
            let sum = l[i].add(half);
            l[i + 1] = l[i + 1].add(sum.shift_right::<BITS>());
            l[i] = sum
                .spliced(mask, mask.number(ONE_LOW))
                .minus(mask.splat(ONE_LOW.to_bits() + HALF));
        }
        let low = mask.number(LOW);
        l[LIMBS - 1] = l[LIMBS - 1].add(low).minus(low);
        Self(l)
    }

    #[inline(always)]
    fn words(&self) -> [V; 4] {
        let mask = self.register().splat(MASK);
        let mut l = Self::without_quotient(self.0);
        // A value within ±q/2, as integers: digits without sign under a top one with the sign.
        let low = mask.number(LOW);
        for i in 0..LIMBS {
            l[i] = l[i].plus(low).sub(low);
        }
        for i in 0..LIMBS - 1 {
            let sum = l[i].add(mask.splat(POSITIVE));
            l[i + 1] = l[i + 1]
                .add(sum.shift_right::<BITS>())
                .sub(mask.splat(POSITIVE_CARRY));
            l[i] = sum.and(mask);
        }
        let negative = l[LIMBS - 1].top_bits();
        let zero = mask.splat(0);
        let modulus = const { split(MODULUS_64) };
        for i in 0..LIMBS {
            l[i] = l[i].add(mask.splat(modulus[i]).select(negative, zero));
        }
        for i in 0..LIMBS - 1 {
            l[i + 1] = l[i + 1].add(l[i].shift_right::<BITS>());
            l[i] = l[i].and(mask);
        }
        [
            l[0].or(l[1].shift_left::<51>()),
            l[1].shift_right::<13>().or(l[2].shift_left::<38>()),
            l[2].shift_right::<26>().or(l[3].shift_left::<25>()),
            l[3].shift_right::<39>().or(l[4].shift_left::<12>()),
        ]
    }

    #[inline(always)]
    fn product(&self, other: &Self) -> Self {
        let [out] = products([self], [other]);
        out
    }

    #[inline(always)]
    fn squared(&self) -> Self {
        let [out] = squares([self]);
        out
    }

    #[inline(always)]
    fn products(out: &mut Group<Self>, a: &Group<Self>, b: &Group<Self>) {
        if V::TOGETHER == 2 {
            for i in (0..GROUP).step_by(2) {
                [out[i], out[i + 1]] = products([&a[i], &a[i + 1]], [&b[i], &b[i + 1]]);
            }
        } else {
            for i in 0..GROUP {
                [out[i]] = products([&a[i]], [&b[i]]);
            }
        }
    }

    #[inline(always)]
    fn squares(out: &mut Group<Self>, a: &Group<Self>) {
        if V::TOGETHER == 2 {
            for i in (0..GROUP).step_by(2) {
                [out[i], out[i + 1]] = squares([&a[i], &a[i + 1]]);
            }
        } else {
            for i in 0..GROUP {
                [out[i]] = squares([&a[i]]);
            }
        }
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        let mut l = self.0;
        for i in 0..LIMBS {
            l[i] = l[i].plus(other.0[i]);
        }
        Self(l)
    }

    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        let mut l = self.0;
        for i in 0..LIMBS {
            l[i] = l[i].minus(other.0[i]);
        }
        Self(l)
    }

    /// By its signs.
    #[inline(always)]
    fn negated(&self) -> Self {
        let sign = self.register().number(-0.0);
        let mut l = self.0;
        for i in 0..LIMBS {
            l[i] = l[i].xor(sign);
        }
        Self(l)
    }

    #[inline(always)]
    fn single(&self) -> Self {
        self.reduced([], 0)
    }

    #[inline(always)]
    fn signed_difference(&self, negative: u64, other: &Self) -> Self {
        let sign = self.register().splat((-0.0_f64).to_bits() & negative);
        let mut l = self.0;
        for i in 0..LIMBS {
            l[i] = l[i].xor(sign).minus(other.0[i]);
        }
        Self(l)
    }

    #[inline(always)]
    fn sub_single(&self, other: &Self) -> Self {
        self.reduced([other], 2)
    }

    /// Within ±(1/2 + 2^-40)·q.
    #[inline(always)]
    fn reduced<const N: usize>(&self, minus: [&Self; N], _bound: u8) -> Self {
        let mut l = self.0;
        for i in 0..LIMBS {
            for b in minus {
                l[i] = l[i].minus(b.0[i]);
            }
        }
        Self::carried(Self::without_quotient(l))
    }

    /// A reduced value is below q, so it is 0 when its digits are; the sign of a zero is shifted out.
    #[inline(always)]
    fn zero_lanes(&self) -> u8 {
        let mut any = self.0[0];
        for i in 1..LIMBS {
            any = any.or(self.0[i]);
        }
        any.shift_left::<1>().equal(any.splat(0))
    }
}
