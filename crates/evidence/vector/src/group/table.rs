//! Multiples of a block's points that are at hand during a chain, and the choice among them.

#![expect(
    clippy::indexing_slicing,
    reason = "constant indices into arrays of constant length"
)]
#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

use zeroize::Zeroize;

use super::Block;
use crate::chain::{TABLE_SIZE, Term};
use crate::field::Field;

/// Which multiple of the table a step takes.
pub(super) struct Choice {
    /// The row where it may be told by the address that is read.
    pub(super) row: Option<usize>,
    /// For each row all ones if it is the chosen one: where the row must not be told.
    pub(super) masks: [u64; TABLE_SIZE],
    /// All ones for minus.
    pub(super) negative: u64,
    pub(super) endomorphism: bool,
}

impl Choice {
    pub(super) fn new(term: Term, secret: bool) -> Self {
        let wanted = usize::from(term.index);
        let mut masks = [0; TABLE_SIZE];
        for (row, mask) in masks.iter_mut().enumerate() {
            // All ones for the wanted row, without a branch.
            let difference = std::hint::black_box(row ^ wanted);
            *mask = u64::from(difference == 0).wrapping_neg();
        }
        Self {
            row: (!secret).then_some(wanted),
            masks,
            negative: u64::from(term.negative).wrapping_neg(),
            endomorphism: term.endomorphism,
        }
    }

    /// A row, or minus it, that anyone may know.
    pub(super) fn public(row: usize, negative: bool) -> Self {
        Self {
            row: Some(row),
            masks: [0; TABLE_SIZE],
            negative: u64::from(negative).wrapping_neg(),
            endomorphism: false,
        }
    }

    /// The vector of the chosen row.
    #[inline(always)]
    pub(super) fn read<'a, F: Field>(&self, zero: &F, vector: impl Fn(usize) -> &'a F) -> F {
        if let Some(row) = self.row {
            return *vector(row);
        }
        let mut chosen = *zero;
        for (row, mask) in self.masks.iter().enumerate() {
            chosen = chosen.or(&vector(row).masked(*mask));
        }
        chosen
    }
}

impl Drop for Choice {
    fn drop(&mut self) {
        self.masks.zeroize();
        self.negative.zeroize();
    }
}

impl<F: Field> Block<F> {
    /// The odd multiples 3P … 15P from P: R ← 2P once, then T[k+1] = T[k] + 2P.
    pub(super) fn build_odd_table(&mut self, groups: usize) {
        self.set_running(&self.tables[0].clone(), groups);
        self.double(groups);
        let twice = (self.x.clone(), self.y.clone());
        for k in 1..TABLE_SIZE {
            // R = 2P and T[k-1] are different points for a prime order above 2·15.
            self.add(&Choice::public(k - 1, false), groups);
            self.keep_running(k, groups);
            self.set_running(&twice, groups);
        }
    }

    /// The sums a·P ± b·φ(P) from P. None of them adds a point to itself or to its negative: the
    /// eigenvalue of φ is no quotient of 1 and 3.
    pub(super) fn build_joint_table(&mut self, groups: usize) {
        /// Where φ(P) and φ(3P) are kept until the last two rows, which need the second one only.
        const IMAGES: usize = TABLE_SIZE - 2;
        let once = self.tables[0].clone();
        self.set_running(&once, groups);
        self.double(groups);
        self.add(&Choice::public(0, false), groups);
        let thrice = (self.x.clone(), self.y.clone());
        let sources = [once, thrice];
        for (source, row) in sources.iter().zip(IMAGES..) {
            self.set_running(source, groups);
            for g in 0..groups {
                let x = self.x[g];
                F::multiply(&mut self.x[g], &x, &self.constants.beta);
            }
            self.keep_running(row, groups);
        }
        for row in 0..TABLE_SIZE {
            self.set_running(&sources[row & 1], groups);
            self.add(
                &Choice::public(IMAGES + (row >> 1 & 1), row >> 2 == 1),
                groups,
            );
            self.keep_running(row, groups);
        }
    }
}
