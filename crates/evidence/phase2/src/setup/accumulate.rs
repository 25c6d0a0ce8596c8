//! Sums of multiples of points, a few sums for each signal of a range.

use std::ops::Range;

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use formats::points::LemPoint;
use rayon::prelude::*;
use vector::{Addition, PositionError, Summand};

use super::eisenstein::{self, Digit};
use super::signed::Signed;
use crate::sums::{Backend, BadPoint, Item, Shard, with_backend};

/// `value · base[row]` belongs to a sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    /// Index of the base point in its batch.
    pub(super) row: u32,
    /// Which sum: the signal, counted from the start of the range, times the sums of a signal, plus
    /// the place among them.
    pub(super) target: u32,
    pub(super) value: Signed,
}

impl Term {
    /// The items of a term that is not long, given where 2^k times its base is.
    fn items(&self, source: impl Fn(u32) -> u32) -> impl Iterator<Item = Item> {
        let (target, negative) = (self.target, self.value.is_negative());
        let one = self.value.is_one().then_some((0, false));
        let digits = (!self.value.is_one()).then(|| self.value.digits());
        one.into_iter()
            .chain(digits.into_iter().flatten())
            .map(move |(power, minus)| Item {
                target,
                source: source(power),
                minus: minus != negative,
            })
    }
}

/// The sums of a range of signals, whatever adds their points.
pub(super) trait SignalSums: Send {
    /// Adds the terms, whose rows index the points of `bases`, file form, each checked; rows are in
    /// ascending order.
    fn add(&mut self, bases: &[u8], terms: &[Term]) -> Result<(), BadPoint>;

    /// The sums at one place of `count` signals in file form; none where something was not added.
    fn export(
        &mut self,
        place: usize,
        first: usize,
        count: usize,
    ) -> Result<Vec<u8>, PositionError>;
}

/// Some sums for each of `length` signals, all of them infinity.
pub(super) fn signal_sums<P>(length: usize, per_signal: usize) -> Box<dyn SignalSums>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    with_backend!(P, boxed(length, per_signal))
}

fn boxed<P, B: Backend + 'static>(length: usize, per_signal: usize) -> Box<dyn SignalSums>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    let width = <Affine<P> as LemPoint>::BYTES;
    Box::new(Sharded::<B>::new(length, per_signal, width))
}

/// Signals of a block. Threads take blocks in turn: terms that follow each other belong to signals that are near
/// each other, and all threads should have a share of them.
const BLOCK: usize = 64;

/// Signals are split among the threads; so are the bases whose multiples are needed.
struct Sharded<B: Backend> {
    /// Bytes of a point.
    width: usize,
    /// Signals.
    length: usize,
    /// Sums of a signal.
    per_signal: usize,
    shards: Vec<Shard<B>>,
}

/// Bases with their doublings, and what of them is added in each shard.
struct Part<B: Backend> {
    points: Vec<B::Point>,
    items: Vec<Vec<Item>>,
    /// Something that is missing among them.
    misplaced: Option<PositionError>,
}

impl<B: Backend> Sharded<B> {
    fn new(length: usize, per_signal: usize, width: usize) -> Self {
        let blocks = length.div_ceil(BLOCK);
        let count = blocks.min(rayon::current_num_threads().max(1));
        let missing = blocks * BLOCK - length;
        let shards = (0..count)
            .filter_map(|number| {
                let own = (blocks - number).div_ceil(count) * BLOCK;
                let has_last = (blocks - 1) % count == number;
                let signals = own - if has_last { missing } else { 0 };
                Shard::new(signals.saturating_mul(per_signal))
            })
            .collect();
        Self {
            width,
            length,
            per_signal,
            shards,
        }
    }
}

impl<B: Backend> SignalSums for Sharded<B> {
    fn add(&mut self, bases: &[u8], terms: &[Term]) -> Result<(), BadPoint> {
        let rows = bases.len() / self.width.max(1);
        let share = rows.div_ceil(self.shards.len().max(1)).max(1);
        let split = Split {
            shards: position(self.shards.len()).max(1),
            targets: position(BLOCK.saturating_mul(self.per_signal)).max(1),
        };
        let parts: Vec<Part<B>> = self
            .shards
            .par_iter_mut()
            .zip(bases.par_chunks(share * self.width))
            .enumerate()
            .map(|(part, (shard, bytes))| {
                let first = part * share;
                let starts = |row: usize| terms.partition_point(|term| index(term.row) < row);
                let own = terms.get(starts(first)..starts(first + share));
                let (first_row, own) = (position(first), own.unwrap_or_default());
                Part::new(shard.backend(), bytes, self.width, first_row, own, split).map_err(
                    |bad| BadPoint {
                        index: first + bad.index,
                        ..bad
                    },
                )
            })
            .collect::<Result<_, _>>()?;
        self.shards
            .par_iter_mut()
            .enumerate()
            .for_each(|(number, shard)| {
                for part in &parts {
                    if let Some(misplaced) = part.misplaced {
                        shard.give_up(misplaced);
                    }
                    let own = part.items.get(number).map(Vec::as_slice);
                    shard.add(&[&part.points], own.unwrap_or_default().iter().copied());
                }
            });
        Ok(())
    }

    fn export(
        &mut self,
        place: usize,
        first: usize,
        count: usize,
    ) -> Result<Vec<u8>, PositionError> {
        let per_signal = self.per_signal.max(1);
        let (n_shards, width) = (self.shards.len().max(1), self.width);
        let end = first.saturating_add(count).min(self.length);
        let blocks = first / BLOCK..end.div_ceil(BLOCK);
        // The signals of the range in a block, counted from the block's first.
        let within = |block: usize| {
            let start = block * BLOCK;
            first.max(start) - start..end.min(start + BLOCK) - start
        };
        let parts: Vec<Vec<u8>> = self
            .shards
            .par_iter_mut()
            .enumerate()
            .map(|(number, shard)| {
                let sums = shard.sums()?;
                let mut exported = Vec::with_capacity(count.div_ceil(n_shards) + 2 * BLOCK);
                for block in blocks.clone().filter(|block| block % n_shards == number) {
                    let start = block / n_shards * BLOCK;
                    let own = sums.chunks(per_signal).skip(start);
                    let range = within(block);
                    let own = own.take(range.end).skip(range.start);
                    exported.extend(own.filter_map(|own| own.get(place)).copied());
                }
                let mut bytes = Vec::new();
                shard.backend().export(&exported, &mut bytes);
                Ok(bytes)
            })
            .collect::<Result<_, PositionError>>()?;
        let mut rest: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let mut bytes = Vec::with_capacity(end.saturating_sub(first).saturating_mul(width));
        for block in blocks {
            let length = within(block).len() * width;
            if let Some(rest) = rest.get_mut(block % n_shards)
                && let Some((own, others)) = rest.split_at_checked(length)
            {
                bytes.extend_from_slice(own);
                *rest = others;
            }
        }
        Ok(bytes)
    }
}

/// How targets are split among shards.
#[derive(Clone, Copy)]
struct Split {
    shards: u32,
    /// Targets of a block.
    targets: u32,
}

impl Split {
    /// The shard of a target, and its place there.
    fn of(self, target: u32) -> (usize, u32) {
        let block = target / self.targets;
        let (turn, shard) = (block / self.shards, block % self.shards);
        let place = turn * self.targets + target % self.targets;
        (index(shard), place)
    }
}

/// Where the multiples of a row's base stand that its terms need.
struct Row<'a> {
    base: u32,
    terms: &'a [Term],
    /// Its doublings: 2^k times the base is at `start + k - 1`.
    start: u32,
    doublings: u32,
    /// Its place among the bases that long coefficients multiply.
    climber: Option<u32>,
}

impl<B: Backend> Part<B> {
    /// `terms` are those of the bases given, in order; their rows begin at `first_row`.
    fn new(
        backend: &mut B,
        bytes: &[u8],
        width: usize,
        first_row: u32,
        terms: &[Term],
        split: Split,
    ) -> Result<Self, BadPoint> {
        let mut points = vec![B::INFINITY; bytes.len() / width.max(1)];
        backend.import(bytes, &mut points)?;
        let mut rows = Vec::new();
        let mut climbers = Vec::new();
        let mut end = position(points.len());
        for terms in terms.chunk_by(|a, b| a.row == b.row) {
            let base = terms.first().map_or(0, |term| term.row - first_row);
            let short = terms.iter().filter(|term| !is_long::<B>(term));
            let doublings = short.map(|term| term.value.doublings()).max().unwrap_or(0);
            let climber = terms.iter().any(is_long::<B>).then(|| {
                climbers.extend(points.get(index(base)).copied());
                position(climbers.len()).saturating_sub(1)
            });
            rows.push(Row {
                base,
                terms,
                start: end,
                doublings,
                climber,
            });
            end += doublings;
        }
        points.resize(index(end), B::INFINITY);
        let mut misplaced = double(backend, &mut points, &rows).err();
        let ladder = Ladder::new(backend, &climbers, terms, &mut points);

        let shards = index(split.shards);
        let mut items = vec![Vec::with_capacity(terms.len() / shards.max(1)); shards];
        let mut long = ladder.long.iter();
        for row in &rows {
            let double = |power: u32| match power {
                0 => row.base,
                power => row.start + power - 1,
            };
            for term in row.terms {
                let (shard, target) = split.of(term.target);
                let Some(items) = items.get_mut(shard) else {
                    misplaced = Some(PositionError {
                        position: term.target,
                    });
                    continue;
                };
                if let (true, Some(climber)) = (is_long::<B>(term), row.climber) {
                    let digits = long.next().and_then(|own| ladder.digits.get(own.clone()));
                    let Some(digits) = digits.filter(|digits| !digits.is_empty()) else {
                        misplaced = Some(PositionError { position: climber });
                        continue;
                    };
                    for digit in digits {
                        items.push(Item {
                            target,
                            source: ladder.source::<B>(&mut points, row.base, climber, digit),
                            minus: digit.minus != term.value.is_negative(),
                        });
                    }
                } else {
                    items.extend(term.items(double).map(|item| Item { target, ..item }));
                }
            }
        }
        Ok(Self {
            points,
            items,
            misplaced,
        })
    }
}

/// Whether a term's digits are to the base θ.
fn is_long<B: Backend>(term: &Term) -> bool {
    B::ENDOMORPHISM && term.value.is_long()
}

/// The doublings of all rows, step by step.
fn double<B: Backend>(
    backend: &mut B,
    points: &mut [B::Point],
    rows: &[Row<'_>],
) -> Result<(), PositionError> {
    let longest = rows.iter().map(|row| row.doublings).max().unwrap_or(0);
    let mut additions = Vec::new();
    for step in 0..longest {
        additions.clear();
        for row in rows.iter().filter(|row| step < row.doublings) {
            let before = match step {
                0 => row.base,
                step => row.start + step - 1,
            };
            additions.push(Addition {
                left: Summand::own(before),
                right: Summand::own(before),
                to: row.start + step,
            });
        }
        backend.add(points, &[], &additions)?;
    }
    Ok(())
}

/// The digits of long coefficients, and the powers of θ times their bases.
struct Ladder {
    digits: Vec<Digit>,
    /// The digits of each long coefficient, in the order of the terms.
    long: Vec<Range<usize>>,
    /// θ^k times base i is at `start + (k - 1)·bases + i`.
    start: u32,
    bases: u32,
}

impl Ladder {
    fn new<B: Backend>(
        backend: &mut B,
        climbers: &[B::Point],
        terms: &[Term],
        points: &mut Vec<B::Point>,
    ) -> Self {
        let mut digits = Vec::new();
        let mut long = Vec::new();
        for term in terms.iter().filter(|term| is_long::<B>(term)) {
            let start = digits.len();
            // Any number has digits: coefficients are below the order. One without would be missed.
            if eisenstein::digits(term.value.size(), &mut digits).is_none() {
                digits.truncate(start);
            }
            long.push(start..digits.len());
        }
        let start = position(points.len());
        let steps = digits.iter().map(|digit| digit.position).max();
        backend.climb(climbers, index(steps.unwrap_or(0)), points);
        Self {
            digits,
            long,
            start,
            bases: position(climbers.len()),
        }
    }

    /// Where a digit's multiple of a base stands. Images are made as they are needed.
    fn source<B: Backend>(
        &self,
        points: &mut Vec<B::Point>,
        base: u32,
        climber: u32,
        digit: &Digit,
    ) -> u32 {
        let source = match digit.position {
            0 => base,
            power => self.start + (power - 1) * self.bases + climber,
        };
        if digit.image == 0 {
            return source;
        }
        let mut point = points.get(index(source)).copied().unwrap_or(B::INFINITY);
        for _ in 0..digit.image {
            point = B::image(point);
        }
        points.push(point);
        position(points.len()).saturating_sub(1)
    }
}

fn index(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, G1Affine, G1Projective, g1};
    use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
    use ark_ff::{AdditiveGroup, Field, PrimeField};
    use formats::points::{LemField, PointError};

    use super::*;

    fn bytes(points: &[G1Affine]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for point in points {
            point.append_lem(&mut bytes);
        }
        bytes
    }

    fn bases() -> Vec<G1Affine> {
        (1..=5_u64)
            .map(|i| (G1Projective::generator() * Fr::from(i * 31)).into_affine())
            .chain([G1Affine::identity()])
            .collect()
    }

    fn term(row: u32, target: u32, value: Fr) -> Term {
        let mut canonical = Vec::new();
        value.append_canonical_le(&mut canonical);
        let value = Signed::of::<Fr>(&canonical.try_into().unwrap()).unwrap();
        Term { row, target, value }
    }

    #[test]
    fn sums_agree_with_the_library() {
        let bases = bases();
        let coefficients = [
            Fr::from(0),
            Fr::from(1),
            -Fr::from(1),
            Fr::from(2),
            -Fr::from(6),
            Fr::from(1_u64 << 40),
            Fr::from(3).inverse().unwrap(),
            -Fr::from(2_u64).pow([200]),
            Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO),
            -Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO),
        ];
        // Four signals with two sums each.
        let mut expected = vec![G1Projective::ZERO; 8];
        let mut terms = Vec::new();
        for (row, base) in (0..).zip(&bases) {
            for (i, coefficient) in (0..).zip(&coefficients) {
                let target = (row * 3 + i * 5) % 8;
                expected[index(target)] += *base * *coefficient;
                terms.push(term(row, target, *coefficient));
            }
        }
        let expected = G1Projective::normalize_batch(&expected);
        let at = |place: usize| {
            let own: Vec<G1Affine> = expected.iter().skip(place).step_by(2).copied().collect();
            bytes(&own)
        };
        for backend in [
            signal_sums::<g1::Config>(4, 2),
            boxed::<g1::Config, crate::sums::Portable<g1::Config>>(4, 2),
        ] {
            let mut sums = backend;
            sums.add(&bytes(&bases), &terms).unwrap();
            assert!(sums.export(0, 0, 4).unwrap() == at(0));
            // In pieces that cut through the shards.
            let pieces = [
                sums.export(1, 0, 1).unwrap(),
                sums.export(1, 1, 2).unwrap(),
                sums.export(1, 3, 9).unwrap(),
            ];
            assert!(pieces.concat() == at(1));
            // A target that no signal has.
            sums.add(&bytes(&bases), &[term(0, 8, Fr::from(1))])
                .unwrap();
            let missed = [0, 2].map(|first| sums.export(0, first, 2).is_err());
            assert!(missed.contains(&true));
        }
    }

    #[test]
    fn signals_of_many_blocks_come_out_in_their_order() {
        let signals = 3 * BLOCK + 7;
        let base = G1Affine::generator();
        let terms: Vec<Term> = (0..position(signals))
            .map(|signal| term(0, signal, Fr::from(signal)))
            .collect();
        let expected: Vec<G1Affine> = (0..position(signals))
            .map(|signal| (base * Fr::from(signal)).into_affine())
            .collect();
        let expected = bytes(&expected);
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let mut sums = signal_sums::<g1::Config>(signals, 1);
                sums.add(&bytes(&[base]), &terms).unwrap();
                for (first, count) in [(0, signals), (0, 64), (60, 10), (63, 130), (192, 99)] {
                    let end = signals.min(first + count);
                    let wanted = &expected[first * 64..end * 64];
                    assert!(sums.export(0, first, count).unwrap() == wanted);
                }
                assert!(sums.export(0, signals, 1).unwrap().is_empty());
            });
        }
    }

    #[test]
    fn r18_a_base_off_the_curve_is_named() {
        let mut sums = signal_sums::<g1::Config>(4, 1);
        let mut bytes = bytes(&bases());
        bytes[4 * 64] ^= 1;
        let terms = [term(4, 0, Fr::from(1))];
        assert_eq!(
            sums.add(&bytes, &terms),
            Err(BadPoint {
                index: 4,
                source: PointError::NotOnCurve
            })
        );
    }
}
