//! Four words of 64 bits, Montgomery form with R = 2^256 as in files, multiplied one lane after the other: for
//! processors without a vector unit that the crate knows. Safe code.
//!
//! A product is made row by row, each row followed by a step of the reduction (Ç. K. Koç, T. Acar, B. Kaliski,
//! *Analyzing and comparing Montgomery multiplication algorithms*, 1996: coarsely integrated operand scanning).
//! No branch and no address depends on a value.
//!
//! # Bounds
//!
//! In units of q, counted from 0 on. All values must fit four words: 2^256 is 5.29 q.
//!
//! | | value |
//! |---|---|
//! | fully reduced (constants, points at rest) | below 1 |
//! | reduced | at most 1 + 2^-56 |
//! | single | 2.22 |
//! | double | 2 for a difference of values of at most 2; 3.87 for sums |
//!
//! A product of values α and β is below 0.1891·αβ + 1, and its running sum below α + 1: both fit. So what comes in
//! from a file (fully reduced, times a constant) is at most 1.19, and times β of the endomorphism 1.23.
//!
//! * `group.rs`: denominators, and the rise of chords, are at most 2, for tangents 1.23. Running products of
//!   Montgomery's trick, and the running inverses, stay below x = 0.1891·2x + 1 = 1.61; an inverse below
//!   0.1891·1.61² + 1 = 1.50; a slope below 1.57; its square below 1.47.
//! * `additions.rs`: denominators and numerators are at most 2, for a tangent's numerator 2.38. In the quadratic
//!   extension the sum of two coefficients must fit: 4.76. Products there are reduced; norms, sums of two squares
//!   of reduced values, are at most 2.38.
//! * `ladder.rs`: denominators are at most 1.23.
//! * What is reduced: 2·`bound`·q, at most 16q, is added to at most 4q.
#![expect(
    clippy::indexing_slicing,
    reason = "constant indices into arrays of constant length, several in step, as in the formulas"
)]
#![allow(
    clippy::inline_always,
    reason = "inlined into the loops over lanes and groups"
)]

use ark_bn254::Fq;
use ark_ff::Field as _;

use super::{Field, Group};
use crate::limbs::{MODULUS_64, negative_inverse};
use crate::register::{LANES, Register, Rotation, plain::Plain};

/// An element's words, least significant first.
type Element = [u64; 4];

/// −q⁻¹ mod 2^64
const NEGATIVE_INVERSE: u64 = negative_inverse(MODULUS_64[0]);

/// 2q
const TWICE: Element = {
    let [a, b, c, d] = MODULUS_64;
    [a << 1, b << 1 | a >> 63, c << 1 | b >> 63, d << 1 | c >> 63]
};

/// Eight field elements.
#[derive(Clone, Copy)]
pub(crate) struct Words([Element; LANES]);

impl Words {
    #[inline(always)]
    fn each(&self, other: &Self, work: impl Fn(&Element, &Element) -> Element) -> Self {
        let mut out = *self;
        for (out, other) in out.0.iter_mut().zip(&other.0) {
            *out = work(out, other);
        }
        out
    }

    #[inline(always)]
    fn bits(&self, other: &Self, work: impl Fn(u64, u64) -> u64) -> Self {
        let mut out = *self;
        let words = out.0.as_flattened_mut().iter_mut();
        for (out, other) in words.zip(other.0.as_flattened()) {
            *out = work(*out, *other);
        }
        out
    }

    /// The lanes of which something holds.
    #[inline(always)]
    fn lanes(&self, other: &Self, holds: impl Fn(&Element, &Element) -> bool) -> u8 {
        let mut lanes = 0;
        for (a, b) in self.0.iter().zip(&other.0).rev() {
            lanes = lanes << 1 | u8::from(holds(a, b));
        }
        lanes
    }
}

impl Field for Words {
    type Register = Plain;

    const FACTOR: Fq = Fq::ONE;

    #[inline(always)]
    fn of(_: Plain) -> Self {
        Self([[0; 4]; LANES])
    }

    #[inline(always)]
    fn register(&self) -> Plain {
        Plain::ZERO
    }

    #[inline(always)]
    fn integer(&self, words: [u64; 4]) -> Self {
        Self([words; LANES])
    }

    #[inline(always)]
    fn zero(&self) -> Self {
        Self([[0; 4]; LANES])
    }

    #[inline(always)]
    fn from_words(words: [Plain; 4]) -> Self {
        let mut out = Self([[0; 4]; LANES]);
        let [a, b, c, d] = words.map(Register::store);
        let columns = a.into_iter().zip(b).zip(c).zip(d);
        for (element, (((a, b), c), d)) in out.0.iter_mut().zip(columns) {
            *element = [a, b, c, d];
        }
        out
    }

    #[inline(always)]
    fn words(&self) -> [Plain; 4] {
        let canonical = self.each(self, |value, _| below_modulus(value));
        let mut columns = [[0; LANES]; 4];
        for (i, column) in columns.iter_mut().enumerate() {
            for (word, element) in column.iter_mut().zip(&canonical.0) {
                *word = element[i];
            }
        }
        columns.map(|column| self.register().load(&column))
    }

    #[inline(always)]
    fn product(&self, other: &Self) -> Self {
        self.each(other, product)
    }

    #[inline(always)]
    fn squared(&self) -> Self {
        self.each(self, |a, _| square(a))
    }

    #[inline(always)]
    fn products(out: &mut Group<Self>, a: &Group<Self>, b: &Group<Self>) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            for ((out, a), b) in out.0.iter_mut().zip(&a.0).zip(&b.0) {
                *out = product(a, b);
            }
        }
    }

    #[inline(always)]
    fn squares(out: &mut Group<Self>, a: &Group<Self>) {
        for (out, a) in out.iter_mut().zip(a) {
            for (out, a) in out.0.iter_mut().zip(&a.0) {
                *out = square(a);
            }
        }
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        self.each(other, |a, b| sum(a, b).0)
    }

    /// a − b, with 2q added where that is negative.
    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        self.each(other, |a, b| {
            let (difference, negative) = difference(a, b);
            let mask = mask(negative);
            sum(&difference, &TWICE.map(|word| word & mask)).0
        })
    }

    #[inline(always)]
    fn negated(&self) -> Self {
        self.zero().reduced([self], 2)
    }

    #[inline(always)]
    fn single(&self) -> Self {
        self.reduced([], 0)
    }

    #[inline(always)]
    fn signed_difference(&self, negative: u64, other: &Self) -> Self {
        let opposite = self.each(self, |a, _| difference(&TWICE, a).0);
        self.masked(!negative)
            .or(&opposite.masked(negative))
            .sub(other)
    }

    #[inline(always)]
    fn sub_single(&self, other: &Self) -> Self {
        self.reduced([other], 2)
    }

    /// From 0 to (1 + 2^-56)·q. With 2·`bound`·q added, the value is between 0 and 20q.
    #[inline(always)]
    fn reduced<const N: usize>(&self, minus: [&Self; N], bound: u8) -> Self {
        let mut out = *self;
        for (lane, out) in out.0.iter_mut().enumerate() {
            let (mut value, mut top) = (*out, 0_u64);
            if N > 0 {
                let (offset, high) = multiple(2 * u64::from(bound));
                let carry;
                (value, carry) = sum(&value, &offset);
                top = high.wrapping_add(u64::from(carry));
            }
            for b in minus {
                let borrow;
                (value, borrow) = difference(&value, &b.0[lane]);
                top = top.wrapping_sub(u64::from(borrow));
            }
            let (multiple, _) = multiple(quotient(&value, top));
            *out = difference(&value, &multiple).0;
        }
        out
    }

    #[inline(always)]
    fn equal_lanes(&self, other: &Self) -> u8 {
        self.lanes(other, |a, b| a == b)
    }

    #[inline(always)]
    fn zero_lanes(&self) -> u8 {
        // 0 or q.
        self.equal_lanes(&self.zero()) | self.equal_lanes(&self.integer(MODULUS_64))
    }

    #[inline(always)]
    fn select(mask: u8, one: &Self, other: &Self) -> Self {
        let mut out = *other;
        for (lane, (out, one)) in out.0.iter_mut().zip(&one.0).enumerate() {
            let bits = u64::from(mask >> lane & 1).wrapping_neg();
            for (out, one) in out.iter_mut().zip(one) {
                *out ^= (*out ^ one) & bits;
            }
        }
        out
    }

    #[inline(always)]
    fn masked(&self, bits: u64) -> Self {
        self.bits(self, |word, _| word & bits)
    }

    #[inline(always)]
    fn or(&self, other: &Self) -> Self {
        self.bits(other, |word, other| word | other)
    }

    #[inline(always)]
    fn rotated(&self, by: Rotation) -> Self {
        let mut out = *self;
        out.0.rotate_left(by.lanes());
        out
    }
}

/// The Montgomery product.
#[inline(always)]
fn product(a: &Element, b: &Element) -> Element {
    let mut t = [0_u64; 4];
    for b in b {
        let (first, mut high) = a[0].carrying_mul_add(*b, t[0], 0);
        let m = first.wrapping_mul(NEGATIVE_INVERSE);
        // The lowest word vanishes.
        let (_, mut carry) = m.carrying_mul_add(MODULUS_64[0], first, 0);
        for i in 1..4 {
            let word;
            (word, high) = a[i].carrying_mul_add(*b, t[i], high);
            (t[i - 1], carry) = m.carrying_mul_add(MODULUS_64[i], word, carry);
        }
        t[3] = high.wrapping_add(carry);
    }
    t
}

/// The Montgomery square.
#[inline(always)]
fn square(a: &Element) -> Element {
    let mut t = [0_u64; 8];
    // Products of different words stand twice in the square: add them up once, then double.
    for i in 0..3 {
        let mut carry = 0;
        for j in i + 1..4 {
            (t[i + j], carry) = a[i].carrying_mul_add(a[j], t[i + j], carry);
        }
        t[i + 4] = carry;
    }
    for i in (1..8).rev() {
        t[i] = t[i] << 1 | t[i - 1] >> 63;
    }
    let mut carry = false;
    for i in 0..4 {
        let (low, high) = a[i].carrying_mul(a[i], 0);
        (t[2 * i], carry) = t[2 * i].carrying_add(low, carry);
        (t[2 * i + 1], carry) = t[2 * i + 1].carrying_add(high, carry);
    }
    let mut carried = false;
    for i in 0..4 {
        let m = t[i].wrapping_mul(NEGATIVE_INVERSE);
        let mut carry = 0;
        for j in 0..4 {
            (t[i + j], carry) = m.carrying_mul_add(MODULUS_64[j], t[i + j], carry);
        }
        (t[i + 4], carried) = t[i + 4].carrying_add(carry, carried);
    }
    let [.., a, b, c, d] = t;
    [a, b, c, d]
}

/// A value below 2q as one below q.
#[inline(always)]
fn below_modulus(value: &Element) -> Element {
    let (mut out, borrow) = difference(value, &MODULUS_64);
    let keep = mask(borrow);
    for (out, value) in out.iter_mut().zip(value) {
        *out ^= (*out ^ value) & keep;
    }
    out
}

/// All ones where it is set. Opaque, for the compiler would make a branch of it.
#[inline(always)]
fn mask(set: bool) -> u64 {
    std::hint::black_box(u64::from(set)).wrapping_neg()
}

#[inline(always)]
fn sum(a: &Element, b: &Element) -> (Element, bool) {
    let (mut out, mut carry) = (*a, false);
    for (out, b) in out.iter_mut().zip(b) {
        (*out, carry) = out.carrying_add(*b, carry);
    }
    (out, carry)
}

#[inline(always)]
fn difference(a: &Element, b: &Element) -> (Element, bool) {
    let (mut out, mut borrow) = (*a, false);
    for (out, b) in out.iter_mut().zip(b) {
        (*out, borrow) = out.borrowing_sub(*b, borrow);
    }
    (out, borrow)
}

/// `factor`·q, and what does not fit four words.
#[inline(always)]
fn multiple(factor: u64) -> (Element, u64) {
    let (mut out, mut carry) = (MODULUS_64, 0);
    for word in &mut out {
        (*word, carry) = word.carrying_mul(factor, carry);
    }
    (out, carry)
}

/// How often q goes into a value of five words below 20q; by an excess of 2^-56 at most it may be one less.
#[inline(always)]
fn quotient(value: &Element, top: u64) -> u64 {
    // Floor(value / 2^195) times floor(2^317 / q).
    let leading = top << 61 | value[3] >> 3;
    let (_, high) = leading.carrying_mul(INVERSE, 0);
    high >> 58
}

/// Floor(2^317 / q)
const INVERSE: u64 = 12_198_255_522_540_161_359;

#[cfg(test)]
mod tests {
    use super::*;

    /// The estimate next to multiples of q, whose distance is found by counting them off.
    #[test]
    fn the_quotient_is_at_most_a_little_short() {
        for factor in 0..20_u64 {
            let (multiple, top) = multiple(factor);
            assert_eq!(
                quotient(&multiple, top),
                factor.saturating_sub(1),
                "{factor} q"
            );
            // 2^-56 q is below 2^198.
            let (above, carry) = sum(&multiple, &[0, 0, 0, 1 << 6]);
            assert_eq!(quotient(&above, top + u64::from(carry)), factor);
            let (below, borrow) = difference(&multiple, &[1, 0, 0, 0]);
            if factor > 0 {
                assert_eq!(quotient(&below, top - u64::from(borrow)), factor - 1);
            }
        }
    }
}
