//! Terms that wait to be added, in few bytes: nearly all coefficients of a circuit are 1 or −1.

use super::signed::Signed;
use crate::positions::position;

/// A coefficient times a base belongs to a sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    /// Index of the base point in its batch.
    pub(super) row: u32,
    /// Which signal's sum, counted from the start of the range.
    pub(super) signal: u32,
    /// Which of the signal's sums.
    pub(super) place: u32,
    pub(super) coefficient: Coefficient,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Coefficient {
    Unit {
        negative: bool,
    },
    /// Which one of [`Terms::others`].
    Other(u32),
}

/// Terms whose rows ascend.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    list: Vec<Term>,
    /// The coefficients that are not 1 or −1, one for each such term, in order.
    others: Vec<Signed>,
}

impl Terms {
    /// Empty, with room for as many as there are in another list.
    pub(super) fn like(other: &Self) -> Self {
        Self {
            list: Vec::with_capacity(other.list.len()),
            others: Vec::with_capacity(other.others.len()),
        }
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.others.clear();
    }

    pub(super) fn push(&mut self, row: u32, signal: u32, place: u32, value: &Signed) {
        let coefficient = if value.is_one() {
            let negative = value.is_negative();
            Coefficient::Unit { negative }
        } else {
            self.others.push(*value);
            Coefficient::Other(position(self.others.len()).saturating_sub(1))
        };
        self.list.push(Term {
            row,
            signal,
            place,
            coefficient,
        });
    }

    pub(super) fn as_slice(&self) -> &[Term] {
        &self.list
    }

    pub(super) fn others(&self) -> &[Signed] {
        &self.others
    }
}
