//! Eight words side by side without a vector unit: safe code, for every processor.

#![allow(
    clippy::inline_always,
    reason = "single operations, inlined into loops"
)]

use super::{LANES, Register, Rotation, Work};

/// Eight words.
#[derive(Clone, Copy)]
pub struct Plain(pub(super) [u64; LANES]);

impl Plain {
    pub(crate) const ZERO: Self = Self([0; LANES]);

    #[inline(always)]
    pub(super) fn each(self, other: Self, work: impl Fn(u64, u64) -> u64) -> Self {
        let mut lanes = self.0;
        for (lane, other) in lanes.iter_mut().zip(other.0) {
            *lane = work(*lane, other);
        }
        Self(lanes)
    }
}

#[inline(always)]
fn mask(lanes: impl Iterator<Item = bool>) -> u8 {
    lanes
        .zip(0..)
        .map(|(set, lane)| u8::from(set) << lane)
        .sum()
}

impl Register for Plain {
    fn detect() -> Option<Self> {
        Some(Self::ZERO)
    }

    /// A call, so that the code of a step stays small.
    #[inline(never)]
    fn call<W: Work>(self, work: W) -> W::Output {
        work.run()
    }

    #[inline(always)]
    fn splat(self, bits: u64) -> Self {
        Self([bits; LANES])
    }

    #[inline(always)]
    fn load(self, lanes: &[u64; LANES]) -> Self {
        Self(*lanes)
    }

    #[inline(always)]
    fn store(self) -> [u64; LANES] {
        self.0
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.each(other, u64::wrapping_add)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.each(other, u64::wrapping_sub)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.each(other, |a, b| a & b)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.each(other, |a, b| a | b)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.each(other, |a, b| a ^ b)
    }

    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        Self(self.0.map(|lane| lane << BITS))
    }

    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        Self(self.0.map(|lane| lane >> BITS))
    }

    #[inline(always)]
    fn equal(self, other: Self) -> u8 {
        mask(self.0.iter().zip(&other.0).map(|(a, b)| a == b))
    }

    #[inline(always)]
    fn top_bits(self) -> u8 {
        mask(self.0.iter().map(|lane| lane >> 63 == 1))
    }

    #[inline(always)]
    fn select(self, mask: u8, other: Self) -> Self {
        let mut lanes = other.0;
        for (lane, (out, own)) in lanes.iter_mut().zip(self.0).enumerate() {
            // No branch: a mask may depend on a secret.
            *out ^= (*out ^ own) & u64::from(mask >> lane & 1).wrapping_neg();
        }
        Self(lanes)
    }

    #[inline(always)]
    fn rotated(mut self, by: Rotation) -> Self {
        self.0.rotate_left(by.lanes());
        self
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "as many columns as words in a row")]
    fn transposed(rows: [Self; LANES]) -> [Self; LANES] {
        let mut columns = rows;
        for (c, column) in columns.iter_mut().enumerate() {
            for (word, row) in column.0.iter_mut().zip(&rows) {
                *word = row.0[c];
            }
        }
        columns
    }
}
