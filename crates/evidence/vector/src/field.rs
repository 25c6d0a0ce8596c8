//! Eight elements of BN254's base field side by side, in Montgomery form: what the group arithmetic
//! asks of a field, whichever way a processor multiplies.
//!
//! Values are not fully reduced, and a form may put off carries. Functions say what they take:
//!
//! * *reduced*: from [`Field::reduced`];
//! * *fully reduced*: an integer below q, from words or a constant;
//! * *single*: one of these, or a product;
//! * *double*: a sum or difference of two of these.
//!
//! A product takes a single and a double value, or a single one and three squares of reduced values.
//! Bounds in numbers, and what the group arithmetic reaches of them, stand with each form.

#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

pub(crate) mod float;
pub(crate) mod ifma;
mod limbwise;
pub(crate) mod words;

use ark_bn254::Fq;
use ark_ff::{BigInt, Field as _};

use crate::invert::invert;
use crate::register::{LANES, Register, Rotation, work};

/// Vectors that are worked on together.
pub(crate) const GROUP: usize = 4;

/// [`GROUP`] vectors.
pub(crate) type Group<F> = [F; GROUP];

/// Eight elements. A value exists only where the processor has what it needs (see [`Register`]).
pub(crate) trait Field: Copy + Send + 'static {
    type Register: Register;

    /// R / 2^256: what the library's Montgomery form, whose R is 2^256, is short of.
    const FACTOR: Fq;

    /// Zero, from evidence of the features.
    fn of(register: Self::Register) -> Self;

    /// Any of the registers, as evidence of the features.
    fn register(&self) -> Self::Register;

    /// Eight times an integer below q, as it stands. `self` only stands for the features.
    fn integer(&self, words: [u64; 4]) -> Self;

    /// Zero.
    fn zero(&self) -> Self;

    /// From registers of 64-bit words, integers below q as they stand.
    fn from_words(words: [Self::Register; 4]) -> Self;

    /// To words, fully reduced; of a reduced value, or the product of two that are at most fully reduced.
    fn words(&self) -> [Self::Register; 4];

    /// Montgomery product, of a single and a double value; inlined into [`Self::mul`].
    fn product(&self, other: &Self) -> Self;

    /// Montgomery square of a single value.
    fn squared(&self) -> Self;

    /// [`GROUP`] products, as many at a time as suits the processor.
    fn products(out: &mut Group<Self>, a: &Group<Self>, b: &Group<Self>);

    /// [`GROUP`] squares.
    fn squares(out: &mut Group<Self>, a: &Group<Self>);

    /// [`Self::product`] as a call: the code of a step stays small enough for the instruction cache.
    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        self.register().call(MultiplyOne { a: self, b: other })
    }

    /// [`Self::squared`] as a call.
    #[inline(always)]
    fn square(&self) -> Self {
        self.register().call(SquareOne { a: self })
    }

    /// [`Self::products`] as a call.
    #[inline(always)]
    fn multiply(out: &mut Group<Self>, a: &Group<Self>, b: &Group<Self>) {
        a[0].register().call(Multiply { out, a, b });
    }

    /// [`Self::squares`] as a call.
    #[inline(always)]
    fn square_all(out: &mut Group<Self>, a: &Group<Self>) {
        a[0].register().call(SquareAll { out, a });
    }

    /// `out` ← `factor`·a, and `factor` ← `factor`·b.
    #[inline(always)]
    fn multiply_both(
        out: &mut Group<Self>,
        factor: &mut Group<Self>,
        a: &Group<Self>,
        b: &Group<Self>,
    ) {
        Self::multiply(out, factor, a);
        let before = *factor;
        Self::multiply(factor, &before, b);
    }

    /// a + b
    fn add(&self, other: &Self) -> Self;

    /// a − b
    fn sub(&self, other: &Self) -> Self;

    /// −a of a single value, as a single value.
    fn negated(&self) -> Self;

    /// ±a − b of values that are reduced or come from a file, as a double value; `negative` is all ones for
    /// minus, and all zeros otherwise. No branch and no address depends on it.
    fn signed_difference(&self, negative: u64, other: &Self) -> Self;

    /// a − b of two products, as a single value.
    fn sub_single(&self, other: &Self) -> Self;

    /// A double value as a single one, for a product with another double one.
    fn single(&self) -> Self;

    /// a − Σ `minus`, where a and the others together are at most five single values. `bound`·q is
    /// at least Σ `minus` where values are counted from 0 on: 2 for a product, 1 for a fully reduced value.
    fn reduced<const N: usize>(&self, minus: [&Self; N], bound: u8) -> Self;

    /// The lanes in which two values made by [`Self::from_words`] are the same.
    fn equal_lanes(&self, other: &Self) -> u8;

    /// The lanes that are 0, of reduced values.
    fn zero_lanes(&self) -> u8;

    /// `one` in the lanes of the mask, `other` elsewhere.
    fn select(mask: u8, one: &Self, other: &Self) -> Self;

    /// Itself where `bits` is all ones, zero where it is all zeros.
    fn masked(&self, bits: u64) -> Self;

    /// Bit by bit or.
    fn or(&self, other: &Self) -> Self;

    fn rotated(&self, by: Rotation) -> Self;
}

work!(MultiplyOne<'a, F: Field> { a: &'a F, b: &'a F } -> F, a.product(b));
work!(SquareOne<'a, F: Field> { a: &'a F } -> F, a.squared());
work!(Multiply<'a, F: Field> {
    out: &'a mut Group<F>, a: &'a Group<F>, b: &'a Group<F>,
} -> (), F::products(out, a, b));
work!(SquareAll<'a, F: Field> {
    out: &'a mut Group<F>, a: &'a Group<F>,
} -> (), F::squares(out, a));

/// An element's Montgomery form, in every lane.
#[inline(always)]
pub(crate) fn constant<F: Field>(witness: &F, value: Fq) -> F {
    witness.integer((value * F::FACTOR).0.0)
}

/// What a Montgomery product takes to bring an element from the form of files, R = 2^256:
/// R² / 2^256, the library's form of `FACTOR`².
#[inline(always)]
pub(crate) fn from_file<F: Field>(witness: &F) -> F {
    witness.integer((F::FACTOR * F::FACTOR).0.0)
}

/// What a Montgomery product takes to bring an element to the form of files: 2^256.
#[inline(always)]
pub(crate) fn to_file<F: Field>(witness: &F) -> F {
    witness.integer(Fq::ONE.0.0)
}

/// The inverse of an element that has the same value in every lane; `None` for zero.
#[inline(always)]
pub(crate) fn inverse_of_equal<F: Field>(element: &F) -> Option<F> {
    let words = first_words(element);
    // The library reads a·R as its form of a·FACTOR, and its inverse is short of FACTOR twice.
    let inverse = invert(Fq::new_unchecked(BigInt(words)))?;
    Some(element.integer((inverse * (F::FACTOR * F::FACTOR)).0.0))
}

/// The first element, fully reduced; of a single value.
#[inline(always)]
pub(crate) fn first_words<F: Field>(element: &F) -> [u64; 4] {
    let mut first = [0; 4];
    for (first, word) in first.iter_mut().zip(element.words()) {
        [*first, ..] = word.store();
    }
    first
}

/// Overwrites elements; the compiler may not leave it out.
#[expect(unsafe_code, reason = "a volatile write")]
pub(crate) fn erase<F: Field>(elements: &mut [F]) {
    for element in elements {
        let zero = element.zero();
        // SAFETY: the pointer comes from an exclusive reference to a value that needs no dropping.
        unsafe { core::ptr::write_volatile(element, zero) };
    }
}

/// The modulus must fit the bounds that the forms count on.
const _: () = assert!(<Fq as ark_ff::PrimeField>::MODULUS_BIT_SIZE == 254);

/// Lanes of a group of vectors.
pub(crate) const GROUP_LANES: usize = GROUP * LANES;
