//! The sums of some targets.

use vector::{Addition, PositionError, Summand};

use super::backend::Backend;
use crate::positions::{index, position};

/// One point, or its negative, that belongs to a target; ordered by the target.
#[derive(Clone, Copy)]
pub(crate) struct Item(u64);

impl Item {
    /// Which sum of the shard; which point of the slice given with it, below 2^30; whether it is subtracted.
    pub(crate) fn new(target: u32, source: u32, minus: bool) -> Self {
        // What is longer would be another target; no slice has such a place.
        let source = u64::from(source.min(u32::MAX >> 1));
        Self(u64::from(target) << 32 | source << 1 | u64::from(minus))
    }

    fn target(self) -> u32 {
        u32::try_from(self.0 >> 32).unwrap_or(u32::MAX)
    }

    fn source(self) -> u32 {
        u32::try_from((self.0 & u64::from(u32::MAX)) >> 1).unwrap_or(u32::MAX)
    }

    fn minus(self) -> bool {
        self.0 & 1 == 1
    }
}

/// Items added at a time: they share inversions.
const BATCH: usize = 1 << 15;
/// Bits of a target that one pass of the sort looks at: those of the longest run of buckets.
const LOW_BITS: u32 = 14;
const LOW_MASK: u32 = (1 << LOW_BITS) - 1;

/// Sums of one thread, with the memory to add to them. It can have several sides: the same items over
/// as many runs of points, which are sorted once for all.
pub(crate) struct Shard<B: Backend> {
    backend: B,
    targets: usize,
    /// The sums of each side, and behind them those under way.
    sides: Vec<Vec<B::Point>>,
    /// Targets that something has been added to: the sums of all others are infinity.
    touched: Vec<bool>,
    batch: Vec<Item>,
    sorted: Vec<Item>,
    /// Where the items of each digit begin.
    starts: Vec<u32>,
    plan: Plan,
    /// A position that was none: sums that lack something are not given out, for two that lack the same
    /// would look equal.
    misplaced: Option<PositionError>,
}

/// What is to be done for a batch, the same for all sides.
#[derive(Default)]
struct Plan {
    /// Targets whose sum is one point.
    copies: Vec<Item>,
    /// Additions, each level independent.
    levels: Vec<Vec<Addition>>,
    /// Summands of the target at hand.
    summands: Vec<Summand>,
    /// First position behind the sums under way.
    end: u32,
}

impl<B: Backend> Shard<B> {
    /// All sums infinity.
    pub(crate) fn new(targets: usize) -> Self {
        Self::with_sides(targets, 1)
    }

    /// As [`Self::new`], with several sides.
    pub(crate) fn with_sides(targets: usize, sides: usize) -> Self {
        let side = || {
            // Room for a batch from the start: growing would copy all sums.
            let mut points = Vec::with_capacity(targets.saturating_add(BATCH));
            points.resize(targets, B::INFINITY);
            points
        };
        Self {
            backend: B::new(),
            targets,
            sides: std::iter::repeat_with(side).take(sides).collect(),
            touched: vec![false; targets],
            batch: Vec::with_capacity(BATCH),
            sorted: Vec::new(),
            starts: Vec::new(),
            plan: Plan::default(),
            misplaced: None,
        }
    }

    /// Working memory of the backend, for imports and exports.
    pub(crate) fn backend(&mut self) -> &mut B {
        &mut self.backend
    }

    /// The sums of the first side, in the order of the targets.
    ///
    /// # Errors
    /// An item named a point or a target that is not there: a bug of whoever gave it.
    pub(crate) fn sums(&self) -> Result<&[B::Point], PositionError> {
        self.side(0)
    }

    /// The sums of a side, as [`Self::sums`].
    pub(crate) fn side(&self, side: usize) -> Result<&[B::Point], PositionError> {
        if let Some(misplaced) = self.misplaced {
            return Err(misplaced);
        }
        let points = self.sides.get(side);
        points
            .and_then(|points| points.get(..self.targets))
            .ok_or(PositionError {
                position: position(side),
            })
    }

    /// From now on there are no sums: something is missing in them.
    pub(crate) fn give_up(&mut self, misplaced: PositionError) {
        self.misplaced.get_or_insert(misplaced);
    }

    /// Adds items, whose sources index the points of each side.
    pub(crate) fn add(&mut self, points: &[&[B::Point]], items: impl IntoIterator<Item = Item>) {
        self.collect(points, items);
        self.flush(points);
    }

    /// As [`Self::add`], but the last items wait for more of the same points, or for
    /// [`Self::flush`].
    pub(crate) fn collect(
        &mut self,
        points: &[&[B::Point]],
        items: impl IntoIterator<Item = Item>,
    ) {
        for item in items {
            self.batch.push(item);
            if self.batch.len() == BATCH {
                self.flush(points);
            }
        }
    }

    /// Adds the items that wait.
    pub(crate) fn flush(&mut self, points: &[&[B::Point]]) {
        if self.batch.is_empty() {
            return;
        }
        self.sort();
        if let Err(misplaced) = self.run(points) {
            self.give_up(misplaced);
        }
        self.batch.clear();
    }

    /// Adds the sorted batch.
    fn run(&mut self, points: &[&[B::Point]]) -> Result<(), PositionError> {
        self.plan.start(self.targets);
        for run in self.batch.chunk_by(|a, b| a.target() == b.target()) {
            self.plan.add(run, &mut self.touched)?;
        }
        let end = index(self.plan.end);
        let missing = |position| PositionError { position };
        if points.len() != self.sides.len() {
            return Err(missing(position(points.len())));
        }
        for (sums, points) in self.sides.iter_mut().zip(points) {
            if sums.len() < end {
                sums.resize(end, B::INFINITY);
            }
            for item in &self.plan.copies {
                let (target, source) = (item.target(), item.source());
                let sum = sums.get_mut(index(target)).ok_or(missing(target))?;
                let point = *points.get(index(source)).ok_or(missing(source))?;
                *sum = if item.minus() {
                    B::negated(point)
                } else {
                    point
                };
            }
            for level in &self.plan.levels {
                self.backend.add(sums, points, level)?;
            }
        }
        Ok(())
    }

    /// Brings the items of a target together. Items of buckets come window by window: then only the
    /// low digits are out of order, and each window is sorted by itself.
    fn sort(&mut self) {
        let high = |item: &Item| item.target() >> LOW_BITS;
        let (mut ascending, mut sorted, mut highest) = (true, true, 0);
        let mut before = 0;
        for item in &self.batch {
            let target = item.target();
            ascending &= before >> LOW_BITS <= target >> LOW_BITS;
            sorted &= before <= target;
            highest = highest.max(target);
            before = target;
        }
        if sorted {
            return;
        }
        // Every place is taken below.
        self.sorted.resize(self.batch.len(), Item(0));
        if ascending {
            let mut done = 0;
            for run in self.batch.chunk_by(|a, b| high(a) == high(b)) {
                let end = done + run.len();
                if let Some(out) = self.sorted.get_mut(done..end) {
                    distribute(run, out, &mut self.starts, |item| item.target() & LOW_MASK);
                }
                done = end;
            }
            std::mem::swap(&mut self.batch, &mut self.sorted);
            return;
        }
        for shift in [0, LOW_BITS, 2 * LOW_BITS] {
            if highest >> shift == 0 {
                break;
            }
            let digit = |item: &Item| (item.target() >> shift) & LOW_MASK;
            distribute(&self.batch, &mut self.sorted, &mut self.starts, digit);
            std::mem::swap(&mut self.batch, &mut self.sorted);
        }
    }
}

/// A stable sort by one digit, from one slice to another of the same length.
fn distribute(from: &[Item], to: &mut [Item], starts: &mut Vec<u32>, digit: impl Fn(&Item) -> u32) {
    let highest = from.iter().map(&digit).max().unwrap_or(0);
    starts.clear();
    starts.resize(index(highest) + 1, 0);
    for item in from {
        if let Some(count) = starts.get_mut(index(digit(item))) {
            *count += 1;
        }
    }
    let mut next = 0;
    for start in starts.iter_mut() {
        next += std::mem::replace(start, next);
    }
    for item in from {
        if let Some(start) = starts.get_mut(index(digit(item)))
            && let Some(place) = to.get_mut(index(*start))
        {
            *place = *item;
            *start += 1;
        }
    }
}

impl Plan {
    /// Nothing is planned for sums before `targets`.
    fn start(&mut self, targets: usize) {
        self.copies.clear();
        self.levels.iter_mut().for_each(Vec::clear);
        self.end = position(targets);
    }

    /// A tree of additions over the items of one target and, where it has one, its sum.
    fn add(&mut self, run: &[Item], touched: &mut [bool]) -> Result<(), PositionError> {
        let Some(first) = run.first() else {
            return Ok(());
        };
        let target = first.target();
        let touched = touched.get_mut(index(target));
        let touched = touched.ok_or(PositionError { position: target })?;
        let summands = &mut self.summands;
        summands.clear();
        if std::mem::replace(touched, true) {
            summands.push(Summand::own(target));
        } else if run.len() == 1 {
            self.copies.push(*first);
            return Ok(());
        }
        summands.extend(
            run.iter()
                .map(|item| Summand::other(item.source()).signed(item.minus())),
        );
        let mut number = 0;
        while summands.len() > 1 {
            if self.levels.len() == number {
                self.levels.push(Vec::new());
            }
            let level = self.levels.get_mut(number);
            let level = level.ok_or(PositionError { position: target })?;
            let mut kept = 0;
            for pair in 0..summands.len().div_ceil(2) {
                let first = pair == 0;
                let pair = 2 * pair..summands.len().min(2 * pair + 2);
                let sum = match summands.get(pair) {
                    Some([left, right]) => {
                        // The first pair has the target's sum, if any of them has it; sums under way that are
                        // needed no more take the next one. So few lie outside what is at hand.
                        let to = if first {
                            target
                        } else if !left.is_other() {
                            left.position()
                        } else {
                            self.end += 1;
                            self.end - 1
                        };
                        level.push(Addition {
                            left: *left,
                            right: *right,
                            to,
                        });
                        Summand::own(to)
                    }
                    // One without a partner waits for the next level.
                    Some([alone]) => *alone,
                    _ => continue,
                };
                if let Some(place) = summands.get_mut(kept) {
                    *place = sum;
                }
                kept += 1;
            }
            summands.truncate(kept);
            number += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, g1, g2};
    use ark_ec::{
        CurveGroup, PrimeGroup,
        short_weierstrass::{Affine, Projective, SWCurveConfig},
    };
    use ark_ff::AdditiveGroup;
    use formats::points::LemPoint;

    use super::*;
    use crate::sums::with_backend;

    /// Few different points and targets of very uneven size: equal, opposite and vanishing sums.
    fn agrees<P: SWCurveConfig<ScalarField = Fr>, B: Backend>(n_items: u32, n_targets: u32)
    where
        Affine<P>: LemPoint,
    {
        let sources: Vec<Affine<P>> = (0..40_u64)
            .map(|k| (Projective::<P>::generator() * Fr::from(k)).into_affine())
            .collect();
        let mut bytes = Vec::new();
        for source in &sources {
            source.append_lem(&mut bytes);
        }
        let mut shard = Shard::<B>::new(usize::try_from(n_targets).unwrap());
        let mut points = vec![B::INFINITY; sources.len()];
        shard.backend().import(&bytes, &mut points).unwrap();
        let mut expected = vec![Projective::<P>::ZERO; usize::try_from(n_targets).unwrap()];
        let mut state = 5_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        for _ in 0..2 {
            let mut items = Vec::new();
            for _ in 0..n_items {
                let target = if random() % 3 == 0 {
                    0
                } else {
                    random() % n_targets
                };
                let (source, minus) = (random() % 40, random() % 2 == 0);
                let point = sources[index(source)];
                let point = if minus { -point } else { point };
                expected[index(target)] += point;
                items.push(Item::new(target, source, minus));
            }
            shard.add(&[&points], items);
        }
        let mut found = Vec::new();
        let sums = shard.sums().unwrap().to_vec();
        shard.backend().export(&sums, &mut found);
        let mut wanted = Vec::new();
        for sum in Projective::normalize_batch(&expected) {
            sum.append_lem(&mut wanted);
        }
        assert!(found == wanted);
    }

    fn misplaced<B: Backend>() {
        let points = [B::INFINITY; 2];
        for (target, source) in [(0, 2), (2, 0)] {
            let item = Item::new(target, source, false);
            for items in [vec![item], vec![item; 3]] {
                let mut shard = Shard::<B>::with_sides(2, 2);
                shard.add(&[&points, &points], items);
                let position = 2;
                assert_eq!(shard.side(1).err(), Some(PositionError { position }));
            }
        }
        // As many runs of points as sides.
        let mut shard = Shard::<B>::with_sides(2, 2);
        let item = Item::new(0, 0, false);
        shard.add(&[&points], [item]);
        assert!(shard.sums().is_err());
    }

    #[test]
    fn r18_sums_that_lack_a_point_are_not_given_out() {
        use ark_bn254::G1Affine;
        misplaced::<crate::sums::Portable<g1::Config>>();
        misplaced::<crate::sums::VectorG1>();
        let two = vec![0; 2 * G1Affine::BYTES];
        let one = vec![0; G1Affine::BYTES];
        for (left, right) in [(&two, &one), (&one, &two)] {
            let refused = crate::sums::differences::<g1::Config>(left, right);
            assert_eq!(refused.map_err(|bad| bad.index), Err(1));
        }
    }

    #[test]
    fn sums_are_those_of_the_library_in_both_groups() {
        for (items, targets) in [(0, 1), (1, 1), (900, 7), (5000, 3000), (40_000, 5)] {
            with_backend!(g1::Config, agrees(items, targets));
            agrees::<g1::Config, crate::sums::Portable<g1::Config>>(items.min(900), targets);
            with_backend!(g2::Config, agrees(items.min(5000), targets));
        }
    }
}
