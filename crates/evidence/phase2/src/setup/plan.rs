//! Which sums are made in one walk over the constraints, and of which signals.

use std::ops::Range;

/// A run of points of the key that depends on the constraints, in the order of the circuit hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// β·A + α·B + C, of which sections 3 (IC) and 8 (C) are made.
    K,
    /// Section 5.
    A,
    /// Section 6.
    B1,
    /// Section 7.
    B2,
}

/// One walk over the constraints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    /// What is summed. More than one only where the range is whole: the circuit hash wants one run
    /// after the other.
    pub(super) sums: Vec<Sum>,
    /// The signals whose sums are kept.
    pub(super) range: Range<u64>,
}

impl Pass {
    pub(super) fn has(&self, sum: Sum) -> bool {
        self.sums.contains(&sum)
    }

    /// Place of a G1 sum among those of one signal.
    pub(super) fn place(&self, sum: Sum) -> Option<usize> {
        self.g1_sums().position(|own| own == sum)
    }

    /// Sums in G1 for each signal.
    pub(super) fn n_g1(&self) -> usize {
        self.g1_sums().count()
    }

    fn g1_sums(&self) -> impl Iterator<Item = Sum> + '_ {
        self.sums.iter().copied().filter(|sum| *sum != Sum::B2)
    }
}

/// Sums that share a walk where memory allows, best first. K goes alone: while A and B are added up,
/// what comes of it is hashed.
const GROUPINGS: [&[&[Sum]]; 3] = [
    &[&[Sum::K], &[Sum::A, Sum::B1, Sum::B2]],
    &[&[Sum::K], &[Sum::A, Sum::B1], &[Sum::B2]],
    &[&[Sum::K], &[Sum::A], &[Sum::B1], &[Sum::B2]],
];

/// Signals of a pass at least, whatever the budget.
const LEAST_SIGNALS: u64 = 1000;
/// Sums of a pass at most: their positions, and those of a batch behind them, are numbers below 2^30.
const MOST_SUMS: u64 = 1 << 29;

/// The passes for a whole key of `wires` signals, given the bytes of a point in G1 and G2 and the
/// memory for sums.
pub(super) fn whole(wires: u64, g1: u64, g2: u64, budget: u64) -> Vec<Pass> {
    let bytes = |sums: &[Sum]| sums.iter().map(|sum| sum.bytes(g1, g2)).sum::<u64>();
    let count = |sums: &[Sum]| u64::try_from(sums.len()).unwrap_or(u64::MAX);
    let [.., apart] = GROUPINGS;
    let grouping = GROUPINGS
        .into_iter()
        .find(|grouping| {
            grouping.iter().filter(|sums| sums.len() > 1).all(|sums| {
                wires.saturating_mul(bytes(sums)) <= budget
                    && wires.saturating_mul(count(sums)) <= MOST_SUMS
            })
        })
        .unwrap_or(apart);
    grouping
        .iter()
        .flat_map(|sums| match sums {
            [sum] => ranges(*sum, 0..wires, g1, g2, budget),
            sums => vec![Pass {
                sums: sums.to_vec(),
                range: 0..wires,
            }],
        })
        .collect()
}

/// The passes for one sum of a range of signals.
pub(super) fn ranges(sum: Sum, signals: Range<u64>, g1: u64, g2: u64, budget: u64) -> Vec<Pass> {
    let length = (budget / sum.bytes(g1, g2).max(1)).clamp(LEAST_SIGNALS, MOST_SUMS);
    let count = signals.end.saturating_sub(signals.start).div_ceil(length);
    (0..count)
        .map(|index| {
            let start = signals.start + index * length;
            Pass {
                sums: vec![sum],
                range: start..signals.end.min(start + length),
            }
        })
        .collect()
}

impl Sum {
    fn bytes(self, g1: u64, g2: u64) -> u64 {
        match self {
            Self::K | Self::A | Self::B1 => g1,
            Self::B2 => g2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(passes: &[Pass]) -> Vec<(usize, Range<u64>)> {
        passes
            .iter()
            .map(|pass| (pass.sums.len(), pass.range.clone()))
            .collect()
    }

    #[test]
    fn less_memory_means_more_passes_over_the_same_signals() {
        let wires = 10_000;
        let (k, all, two) = (64 * wires, 256 * wires, 128 * wires);
        let passes = |budget| shape(&whole(wires, 64, 128, budget));
        assert_eq!(passes(all), [(1, 0..wires), (3, 0..wires)]);
        assert_eq!(
            passes(all - 1),
            [(1, 0..wires), (2, 0..wires), (1, 0..wires)]
        );
        assert_eq!(passes(two).len(), 3);
        let apart = passes(two - 1);
        assert_eq!(apart.len(), 5, "K, A, B1, and B2 in two ranges");
        assert_eq!(
            apart.last(),
            Some(&(1, (two - 1) / 128..wires)),
            "a range as long as the budget allows"
        );
        assert_eq!(passes(k / 2).len(), 2 + 2 + 2 + 4);
        // Never fewer signals than make progress.
        assert_eq!(passes(0).len(), 4 * 10);
    }

    #[test]
    fn every_signal_has_each_sum_once_and_in_order() {
        for budget in [0, 100_000, 1_000_000, 10_000_000] {
            let passes = whole(5000, 64, 128, budget);
            let mut seen = Vec::new();
            for sum in [Sum::K, Sum::A, Sum::B1, Sum::B2] {
                let mut next = 0;
                for pass in passes.iter().filter(|pass| pass.has(sum)) {
                    assert_eq!(pass.range.start, next);
                    next = pass.range.end;
                }
                assert_eq!(next, 5000);
                seen.push(passes.iter().position(|pass| pass.has(sum)));
            }
            assert!(seen.is_sorted());
        }
    }
}
