//! Sums of multiples of points, a few sums for each signal of a range.

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use formats::points::LemPoint;
use rayon::prelude::*;
use vector::PositionError;

use super::part::Part;
use super::terms::Terms;
use crate::positions::{index, position};
use crate::sums::{Backend, BadPoint, Item, Shard, with_backend};

/// The sums of a range of signals, whatever adds their points.
pub(super) trait SignalSums: Send {
    /// Adds the terms, whose rows index the points of `bases`, file form, each checked; rows are in
    /// ascending order.
    fn add(&mut self, bases: &[u8], terms: &Terms) -> Result<(), BadPoint>;

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

impl<B: Backend> Sharded<B> {
    fn new(length: usize, per_signal: usize, width: usize) -> Self {
        let blocks = length.div_ceil(BLOCK);
        let count = blocks.min(rayon::current_num_threads().max(1));
        let missing = blocks * BLOCK - length;
        let shards: Vec<Shard<B>> = (0..count)
            .map(|number| {
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
    fn add(&mut self, bases: &[u8], terms: &Terms) -> Result<(), BadPoint> {
        let rows = bases.len() / self.width.max(1);
        let share = rows.div_ceil(self.shards.len().max(1)).max(1);
        let split = Split {
            shards: position(self.shards.len()).max(1),
            per_signal: position(self.per_signal),
        };
        let (terms, others) = (terms.as_slice(), terms.others());
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
                let backend = shard.backend();
                let part = Part::new(backend, bytes, self.width, first_row, own, others, split);
                part.map_err(|bad| BadPoint {
                    index: first + bad.index,
                    ..bad
                })
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
        let (per_signal, n_shards, width) = (self.per_signal, self.shards.len(), self.width);
        let end = first.saturating_add(count).min(self.length);
        let blocks = first / BLOCK..end.div_ceil(BLOCK);
        // The signals of the range in a block, counted from the block's first.
        let within = |block: usize| {
            let start = block * BLOCK;
            first.max(start) - start..end.min(start + BLOCK) - start
        };
        let lacking = |block: usize| PositionError {
            position: position(block * BLOCK),
        };
        if place >= per_signal {
            return Err(lacking(0));
        }
        let parts: Vec<Vec<u8>> = self
            .shards
            .par_iter_mut()
            .enumerate()
            .map(|(number, shard)| {
                let sums = shard.sums()?;
                let mut exported = Vec::with_capacity(count.div_ceil(n_shards) + 2 * BLOCK);
                for block in blocks.clone().filter(|block| block % n_shards == number) {
                    let start = block / n_shards * BLOCK;
                    let range = within(block);
                    let own = (start + range.start) * per_signal..(start + range.end) * per_signal;
                    let own = sums.get(own).ok_or(lacking(block))?;
                    if per_signal == 1 {
                        exported.extend_from_slice(own);
                    } else {
                        exported.extend(own.iter().skip(place).step_by(per_signal));
                    }
                }
                let mut bytes = Vec::new();
                shard.backend().export(&exported, &mut bytes);
                Ok(bytes)
            })
            .collect::<Result<_, PositionError>>()?;
        let mut rest: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let mut bytes = Vec::with_capacity(end.saturating_sub(first).saturating_mul(width));
        for block in blocks {
            let rest = rest.get_mut(block % n_shards).ok_or(lacking(block))?;
            let own = rest.split_at_checked(within(block).len() * width);
            let (own, others) = own.ok_or(lacking(block))?;
            bytes.extend_from_slice(own);
            *rest = others;
        }
        Ok(bytes)
    }
}

/// How signals are split among shards.
#[derive(Clone, Copy)]
pub(super) struct Split {
    shards: u32,
    /// Sums of a signal.
    per_signal: u32,
}

impl Split {
    /// The shard of a signal's sum, and its place there.
    pub(super) fn of(self, signal: u32, place: u32) -> (usize, u32) {
        const SIGNALS: u32 = 1 << BLOCK.ilog2();
        let block = signal / SIGNALS;
        let (turn, shard) = (block / self.shards, block % self.shards);
        let own = turn * SIGNALS + signal % SIGNALS;
        (index(shard), own * self.per_signal + place)
    }

    /// A list for each shard, with room for a share of so many items.
    pub(super) fn lists(self, items: usize) -> Vec<Vec<Item>> {
        let shards = index(self.shards);
        vec![Vec::with_capacity(items / shards.max(1)); shards]
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, G1Affine, G1Projective, g1};
    use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
    use ark_ff::{AdditiveGroup, Field, PrimeField};
    use formats::points::{LemField, PointError};

    use super::*;
    use crate::setup::signed::Signed;

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

    /// Rows, signals, places and values.
    fn terms(list: impl IntoIterator<Item = (u32, u32, u32, Fr)>) -> Terms {
        let mut terms = Terms::default();
        for (row, signal, place, value) in list {
            let mut canonical = Vec::new();
            value.append_canonical_le(&mut canonical);
            let value = Signed::of::<Fr>(&canonical.try_into().unwrap()).unwrap();
            terms.push(row, signal, place, &value);
        }
        terms
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
        let mut list = Vec::new();
        for (row, base) in (0..).zip(&bases) {
            for (i, coefficient) in (0..).zip(&coefficients) {
                let target = (row * 3 + i * 5) % 8;
                expected[index(target)] += *base * *coefficient;
                list.push((row, target / 2, target % 2, *coefficient));
            }
        }
        let own = terms(list);
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
            sums.add(&bytes(&bases), &own).unwrap();
            assert!(sums.export(0, 0, 4).unwrap() == at(0));
            // In pieces that cut through the shards.
            let pieces = [
                sums.export(1, 0, 1).unwrap(),
                sums.export(1, 1, 2).unwrap(),
                sums.export(1, 3, 9).unwrap(),
            ];
            assert!(pieces.concat() == at(1));
            assert!(sums.export(2, 0, 4).is_err());
            // A signal that is none.
            sums.add(&bytes(&bases), &terms([(0, 4, 0, Fr::from(1))]))
                .unwrap();
            let missed = [0, 2].map(|first| sums.export(0, first, 2).is_err());
            assert!(missed.contains(&true));
        }
    }

    #[test]
    fn signals_of_many_blocks_come_out_in_their_order() {
        let signals = 3 * BLOCK + 7;
        let base = G1Affine::generator();
        let own = terms((0..position(signals)).map(|signal| (0, signal, 0, Fr::from(signal))));
        let expected: Vec<G1Affine> = (0..position(signals))
            .map(|signal| (base * Fr::from(signal)).into_affine())
            .collect();
        let expected = bytes(&expected);
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let mut sums = signal_sums::<g1::Config>(signals, 1);
                sums.add(&bytes(&[base]), &own).unwrap();
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
        let own = terms([(4, 0, 0, Fr::from(1))]);
        assert_eq!(
            sums.add(&bytes, &own),
            Err(BadPoint {
                index: 4,
                source: PointError::NotOnCurve
            })
        );
    }
}
