//! Sums of multiples of points, one sum per signal, for a range of signals.

use std::ops::Range;

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{BigInt, BigInteger};
use formats::points::LemPoint;
use rayon::prelude::*;

use crate::{
    rescale::Scalar,
    sums::{Addition, Backend, BadPoint, Item, Shard, with_backend},
};

/// `± size · base[row]` belongs to the sum of `signal`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    /// Index of the base point in its chunk.
    pub(super) row: u32,
    /// Signal, counted from the start of the range.
    signal: u32,
    negative: bool,
    size: BigInt<4>,
}

impl Term {
    /// With the coefficient's representative of least absolute value: circuits are full of small
    /// negative coefficients.
    pub(super) fn new<F: Scalar>(row: u32, signal: u32, coefficient: F) -> Self {
        let size = coefficient.into_bigint();
        let negative = size > F::MODULUS_MINUS_ONE_DIV_TWO;
        Self {
            row,
            signal,
            negative,
            size: if negative {
                (-coefficient).into_bigint()
            } else {
                size
            },
        }
    }

    /// Doublings of the base that the term needs.
    pub(super) fn doublings(&self) -> u32 {
        // The non-adjacent form can be one digit longer than the number.
        if self.size == BigInt::one() || self.size.is_zero() {
            0
        } else {
            self.size.num_bits()
        }
    }

    /// The digits other than zero of the non-adjacent form: position, and whether it is −1. They are
    /// where 3h and h differ, moved down by one.
    fn digits(&self) -> impl Iterator<Item = (u32, bool)> + use<> {
        let size = self.size;
        let mut triple = size;
        // No overflow: the size is below r/2, which is below 2^254.
        triple.mul2();
        triple.add_with_carry(&size);
        (1..u32::try_from(BigInt::<4>::NUM_LIMBS * 64).unwrap_or(0)).filter_map(move |bit| {
            let at = usize::try_from(bit).unwrap_or(usize::MAX);
            let (plus, minus) = (triple.get_bit(at), size.get_bit(at));
            (plus != minus).then_some((bit - 1, minus))
        })
    }

    /// The items of the term, given where 2^k times its base is.
    fn items(&self, source: impl Fn(u32) -> u32) -> impl Iterator<Item = Item> {
        let (target, negative) = (self.signal, self.negative);
        let simple = self.doublings() == 0;
        let one = (simple && !self.size.is_zero()).then_some((0, false));
        let digits = (!simple).then(|| self.digits()).into_iter().flatten();
        one.into_iter()
            .chain(digits)
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

    /// The sums of `count` signals in file form.
    fn export(&mut self, first: usize, count: usize) -> Vec<u8>;
}

/// Sums of all signals of a range, all of them infinity.
pub(super) fn signal_sums<P>(range: &Range<u64>) -> Box<dyn SignalSums>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    let length = range.end.saturating_sub(range.start);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    with_backend!(P, boxed(length))
}

fn boxed<P, B: Backend + 'static>(length: usize) -> Box<dyn SignalSums>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    Box::new(Sharded::<B>::new(length, <Affine<P> as LemPoint>::BYTES))
}

/// Signals are split among the threads; so are the bases whose multiples are needed.
struct Sharded<B: Backend> {
    /// Bytes of a point.
    width: usize,
    /// Signals of a shard; the last may have fewer.
    per_shard: usize,
    shards: Vec<Shard<B>>,
}

/// Bases with their doublings, and what they are added to.
struct Part<B: Backend> {
    points: Vec<B::Point>,
    items: Vec<Item>,
}

impl<B: Backend> Sharded<B> {
    fn new(length: usize, width: usize) -> Self {
        let threads = rayon::current_num_threads().max(1);
        let per_shard = length.div_ceil(threads).max(1);
        let shards = (0..length)
            .step_by(per_shard)
            .filter_map(|start| Shard::new(per_shard.min(length - start)))
            .collect();
        Self {
            width,
            per_shard,
            shards,
        }
    }
}

impl<B: Backend> SignalSums for Sharded<B> {
    fn add(&mut self, bases: &[u8], terms: &[Term]) -> Result<(), BadPoint> {
        let rows = bases.len() / self.width.max(1);
        let share = rows.div_ceil(self.shards.len().max(1)).max(1);
        let parts: Vec<Part<B>> = self
            .shards
            .par_iter_mut()
            .zip(bases.par_chunks(share * self.width))
            .enumerate()
            .map(|(part, (shard, bytes))| {
                let first = part * share;
                let starts = |row: usize| terms.partition_point(|term| index(term.row) < row);
                let own = terms.get(starts(first)..starts(first + share));
                let first_row = u32::try_from(first).unwrap_or(u32::MAX);
                Part::new(shard.backend(), bytes, first_row, own.unwrap_or_default()).map_err(
                    |bad| BadPoint {
                        index: first + bad.index,
                        ..bad
                    },
                )
            })
            .collect::<Result<_, _>>()?;
        let per_shard = self.per_shard;
        self.shards
            .par_iter_mut()
            .enumerate()
            .for_each(|(number, shard)| {
                let start = u32::try_from(number * per_shard).unwrap_or(u32::MAX);
                let end = u32::try_from((number + 1) * per_shard).unwrap_or(u32::MAX);
                for part in &parts {
                    let own = part
                        .items
                        .iter()
                        .filter(|item| (start..end).contains(&item.target))
                        .map(|item| Item {
                            target: item.target - start,
                            ..*item
                        });
                    shard.add(&part.points, own);
                }
            });
        Ok(())
    }

    fn export(&mut self, first: usize, count: usize) -> Vec<u8> {
        let per_shard = self.per_shard;
        let end = first.saturating_add(count);
        let parts: Vec<Vec<u8>> = self
            .shards
            .par_iter_mut()
            .enumerate()
            .map(|(number, shard)| {
                let start = number * per_shard;
                let own = first.saturating_sub(start)..end.saturating_sub(start);
                let length = shard.sums().len();
                let own = own.start.min(length)..own.end.min(length);
                let mut bytes = Vec::new();
                let sums = shard.sums().get(own).unwrap_or_default().to_vec();
                shard.backend().export(&sums, &mut bytes);
                bytes
            })
            .collect();
        parts.concat()
    }
}

impl<B: Backend> Part<B> {
    /// `terms` are those of the bases given, in order; their rows begin at `first_row`.
    fn new(
        backend: &mut B,
        bytes: &[u8],
        first_row: u32,
        terms: &[Term],
    ) -> Result<Self, BadPoint> {
        let mut points = backend.import(bytes)?;
        let rows: Vec<&[Term]> = terms.chunk_by(|a, b| a.row == b.row).collect();
        let base = |row: &[Term]| row.first().map_or(0, |term| term.row - first_row);
        // Where the doublings of each row begin, and how many there are.
        let mut ladders = Vec::with_capacity(rows.len());
        let mut longest = 0;
        for row in &rows {
            let length = row.iter().map(Term::doublings).max().unwrap_or(0);
            let start = position(points.len());
            points.resize(points.len() + index(length), B::INFINITY);
            ladders.push((start, length));
            longest = longest.max(length);
        }
        let mut additions = Vec::new();
        for step in 0..longest {
            additions.clear();
            for ((start, length), row) in ladders.iter().zip(&rows) {
                if step >= *length {
                    continue;
                }
                let (left, right) = match step {
                    0 => (*start, base(row)),
                    step => (start + step, start + step - 1),
                };
                // 2R as R + R: the copy is what R is added to.
                let before = points.get(index(right)).copied();
                if let (Some(point), Some(before)) = (points.get_mut(index(left)), before) {
                    *point = before;
                    additions.push(Addition { left, right });
                }
            }
            backend.add(&mut points, &additions);
        }
        let mut items = Vec::with_capacity(terms.len());
        for ((start, _), row) in ladders.iter().zip(&rows) {
            let base = base(row);
            let source = |power: u32| match power {
                0 => base,
                power => start + power - 1,
            };
            for term in *row {
                items.extend(term.items(source));
            }
        }
        Ok(Self { points, items })
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
    use ark_ec::{CurveGroup, PrimeGroup};
    use ark_ff::{AdditiveGroup, Field, PrimeField};
    use formats::points::PointError;

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
        let mut expected = vec![G1Projective::ZERO; 4];
        let mut terms = Vec::new();
        for (row, base) in (0..).zip(&bases) {
            for (i, coefficient) in (0..).zip(&coefficients) {
                let signal = (row * 3 + i) % 4;
                expected[index(signal)] += *base * *coefficient;
                terms.push(Term::new(row, signal, *coefficient));
            }
        }
        let expected = bytes(&G1Projective::normalize_batch(&expected));
        for backend in [
            signal_sums::<g1::Config>(&(10..14)),
            boxed::<g1::Config, crate::sums::Portable<g1::Config>>(4),
        ] {
            let mut sums = backend;
            sums.add(&bytes(&bases), &terms).unwrap();
            assert!(sums.export(0, 4) == expected);
            // In pieces that cut through the shards.
            let pieces = [sums.export(0, 1), sums.export(1, 2), sums.export(3, 9)];
            assert!(pieces.concat() == expected);
        }
    }

    #[test]
    fn r18_a_base_off_the_curve_is_named() {
        let mut sums = signal_sums::<g1::Config>(&(0..4));
        let mut bytes = bytes(&bases());
        bytes[4 * 64] ^= 1;
        let terms = [Term::new(4, 0, Fr::from(1))];
        assert_eq!(
            sums.add(&bytes, &terms),
            Err(BadPoint {
                index: 4,
                source: PointError::NotOnCurve
            })
        );
    }
}
