//! Products and squares alone, for benchmarks.

use ark_bn254::Fq;

use crate::field::{Field, GROUP, GROUP_LANES, Group, constant};

/// Groups that are worked on: together small enough for a core's innermost cache.
const GROUPS: usize = 4;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Montgomery products.
    Product,
    /// Montgomery squares.
    Square,
}

/// Runs at least `count` operations, independent of each other within a round of [`GROUPS`] groups.
/// Returns how many, and any limb of the results so that they are needed.
pub(crate) fn run<F: Field>(zero: F, operation: Operation, count: usize) -> (usize, u64) {
    let mut values: [Group<F>; GROUPS] =
        [3_u64, 5, 7, 11].map(|value| [constant(&zero, Fq::from(value)); GROUP]);
    let mut out = [zero; GROUP];
    let rounds = count.div_ceil(GROUPS * GROUP_LANES);
    for _ in 0..rounds {
        for value in &mut values {
            match operation {
                Operation::Product => F::multiply(&mut out, value, value),
                Operation::Square => F::square_all(&mut out, value),
            }
            *value = out;
        }
    }
    let [[first, ..], ..] = values;
    let [word, ..] = crate::field::first_words(&first);
    (rounds * GROUPS * GROUP_LANES, word)
}
