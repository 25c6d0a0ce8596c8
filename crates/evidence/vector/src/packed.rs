//! Points at rest: canonical coordinates in four 64-bit limbs, in the Montgomery form of the field that
//! works on them, and the way from eight of them to vectors and back.

#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

use ark_bn254::Fq;
use ark_ff::BigInt;

use crate::field::Field;
use crate::limbs::MODULUS_64;
use crate::register::{LANES, Register};

/// Two coordinates in one row of eight words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(align(64))]
pub(crate) struct Row(pub(crate) [u64; 8]);

impl Row {
    pub(crate) const ZERO: Self = Self([0; 8]);

    /// From 64 bytes, little-endian words.
    pub(crate) fn from_bytes(bytes: &[u8; 64]) -> Self {
        let mut row = Self::ZERO;
        for (word, bytes) in row.0.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        row
    }

    /// Little-endian words.
    pub(crate) fn bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        for (bytes, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(&self.0) {
            *bytes = word.to_le_bytes();
        }
        bytes
    }

    /// Whether both coordinates are below q.
    pub(crate) fn is_canonical(&self) -> bool {
        self.0
            .as_chunks::<4>()
            .0
            .iter()
            .all(|coordinate| coordinate.iter().rev().cmp(MODULUS_64.iter().rev()).is_lt())
    }
}

/// Multiplies the first coordinate of a row by an element in the library's form: whatever the form of the
/// coordinate, it stays.
pub(crate) fn scale_first(row: &mut Row, factor: Fq) {
    let [a, b, c, d, ..] = &mut row.0;
    let product = Fq::new_unchecked(BigInt([*a, *b, *c, *d])) * factor;
    [*a, *b, *c, *d] = product.0.0;
}

/// Negates the first coordinate of a row.
pub(crate) fn negate_first(row: &mut Row) {
    let [a, b, c, d, ..] = &mut row.0;
    negate([a, b, c, d]);
}

/// Negates the second coordinate of a row.
pub(crate) fn negate_second(row: &mut Row) {
    let [.., a, b, c, d] = &mut row.0;
    negate([a, b, c, d]);
}

/// q − v for a canonical v that is not zero, zero for zero.
fn negate(v: [&mut u64; 4]) {
    if v.iter().all(|limb| **limb == 0) {
        return;
    }
    let mut borrow = false;
    for (limb, q) in v.into_iter().zip(MODULUS_64) {
        let (difference, first) = q.overflowing_sub(*limb);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        *limb = difference;
        borrow = first || second;
    }
}

/// The first and the second coordinate of eight rows.
#[inline(always)]
pub(crate) fn unpack<F: Field>(witness: &F, rows: [&Row; LANES]) -> (F, F) {
    let (first, second) = unpack_beside(witness, rows);
    (first, F::from_words(second))
}

/// The first coordinate of eight rows.
#[inline(always)]
pub(crate) fn unpack_first<F: Field>(witness: &F, rows: [&Row; LANES]) -> F {
    let mut registers = [witness.register(); LANES];
    for (register, row) in registers.iter_mut().zip(rows) {
        *register = register.load(&row.0);
    }
    F::from_words(Register::transposed_half(registers))
}

/// The first coordinate of eight rows, and the words of the second one as they stand.
#[inline(always)]
pub(crate) fn unpack_beside<F: Field>(
    witness: &F,
    rows: [&Row; LANES],
) -> (F, [F::Register; LANES / 2]) {
    let mut registers = [witness.register(); LANES];
    for (register, row) in registers.iter_mut().zip(rows) {
        *register = register.load(&row.0);
    }
    let [a, b, c, d, second @ ..] = Register::transposed(registers);
    (F::from_words([a, b, c, d]), second)
}

/// The way back; the words are those of canonical integers.
#[inline(always)]
pub(crate) fn pack_beside<F: Field>(first: &F, second: [F::Register; LANES / 2]) -> [Row; LANES] {
    let [a, b, c, d] = first.words();
    let [e, f, g, h] = second;
    let columns = F::Register::transposed([a, b, c, d, e, f, g, h]);
    let mut rows = [Row::ZERO; LANES];
    for (row, column) in rows.iter_mut().zip(columns) {
        *row = Row(column.store());
    }
    rows
}

/// The way back from both coordinates (see [`Field::words`]).
#[inline(always)]
pub(crate) fn pack<F: Field>(first: &F, second: &F) -> [Row; LANES] {
    pack_beside(first, second.words())
}
