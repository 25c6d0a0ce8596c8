//! Several sums of points times scalars over the same points, in buckets that stay the same size for
//! any number of points (Pippenger's method, signed digits).

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::AdditiveGroup;
use formats::points::{LemPoint, PointError};
use rayon::prelude::*;
use vector::PositionError;

use super::{
    backend::{Backend, BadPoint, with_backend},
    shard::{Item, Shard},
    windows::{Digit, Scalar, Windows},
};
use crate::positions::{index, position};

/// First window of a shard, first after it, and for each side the sums of their runs of buckets.
type ShardSums<P> = (u32, u32, Vec<Vec<Projective<P>>>);

/// Which sum, and the scalars of the points for it.
pub(crate) type Use<'a> = (u32, &'a [Scalar]);

/// A malformed point among those of one of the sides, which are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadSide {
    pub(crate) side: usize,
    pub(crate) point: BadPoint,
}

/// Sums under way, whatever adds their points. Each has one or more sides: runs of points that are
/// multiplied by the same scalars.
pub(crate) trait BucketSums<P: SWCurveConfig>: Send {
    /// Adds the points of each side in file form, each checked, times the scalars of each use. Sides of
    /// different lengths, or shorter than the scalars, are refused.
    fn add(&mut self, sides: &[&[u8]], uses: &[Use<'_>]) -> Result<(), BadSide>;

    /// For each side and sum the sums of its windows, lowest first: window w counts 2^(w·bits) times. No sums
    /// where a point was not added.
    fn window_sums(self: Box<Self>) -> Result<Vec<Vec<Vec<Projective<P>>>>, PositionError>;
}

/// `n_sums` sums with `sides` sides over BN254 or BLS12-381 points.
pub(crate) fn bucket_sums<P>(n_sums: u32, sides: usize, windows: Windows) -> Box<dyn BucketSums<P>>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    with_backend!(P, boxed(n_sums, sides, windows))
}

fn boxed<P, B: Backend + 'static>(
    n_sums: u32,
    sides: usize,
    windows: Windows,
) -> Box<dyn BucketSums<P>>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    Box::new(Buckets::<B>::new(n_sums, sides, windows))
}

/// The total of window sums.
pub(crate) fn total<P: SWCurveConfig>(windows: Windows, sums: &[Projective<P>]) -> Projective<P> {
    let mut total = Projective::ZERO;
    for sum in sums.iter().rev() {
        for _ in 0..windows.bits {
            total.double_in_place();
        }
        total += sum;
    }
    total
}

/// One shard a thread, each with some of the windows of every sum.
struct Buckets<B: Backend> {
    windows: Windows,
    n_sums: u32,
    sides: usize,
    shards: Vec<(u32, u32, Shard<B>)>,
    /// The points of each side that are being added: all of them, then their images, then those of these.
    points: Vec<Vec<B::Point>>,
    /// The digits of each use, one scalar after the other.
    digits: Vec<Vec<Digit>>,
}

impl<B: Backend> Buckets<B> {
    fn new(n_sums: u32, sides: usize, windows: Windows) -> Self {
        let threads = u32::try_from(rayon::current_num_threads()).unwrap_or(1);
        let width = windows.count.div_ceil(threads).max(1);
        let shards: Vec<_> = (0..windows.count)
            .step_by(index(width))
            .map(|first| {
                let end = windows.count.min(first + width);
                let targets = index(n_sums * (end - first) * windows.buckets());
                (first, end, Shard::with_sides(targets, sides))
            })
            .collect();
        Self {
            windows,
            n_sums,
            sides,
            shards,
            points: vec![Vec::new(); sides],
            digits: Vec::new(),
        }
    }

    /// Reads the points of one side, split among the shards.
    fn import(&mut self, side: usize, bytes: &[u8], width: usize) -> Result<(), BadPoint> {
        let Some(points) = self.points.get_mut(side) else {
            return Ok(());
        };
        let count = bytes.len() / width;
        let share = count.div_ceil(self.shards.len().max(1)).max(1);
        points.resize(count.saturating_mul(self.windows.images()), B::INFINITY);
        let (points, images) = points.split_at_mut(count);
        self.shards
            .par_iter_mut()
            .zip(bytes.par_chunks(share * width))
            .zip(points.par_chunks_mut(share))
            .enumerate()
            .try_for_each(|(part, (((_, _, shard), bytes), points))| {
                let imported = shard.backend().import(bytes, points);
                imported.map_err(|bad| BadPoint {
                    index: part * share + bad.index,
                    ..bad
                })
            })?;
        // Where digits have no images, neither slice has anything.
        let (first, second) = images.split_at_mut(images.len() / 2);
        self.shards
            .par_iter_mut()
            .zip(points.par_chunks(share))
            .zip(first.par_chunks_mut(share))
            .zip(second.par_chunks_mut(share))
            .for_each(|((((_, _, shard), points), first), second)| {
                shard.backend().images(points, first, second);
            });
        Ok(())
    }

    /// Cuts the scalars of each use.
    fn cut(&mut self, uses: &[Use<'_>]) {
        /// Scalars that a thread takes at a time.
        const SHARE: usize = 1 << 10;
        let windows = self.windows;
        let count = index(windows.count);
        self.digits.resize_with(uses.len(), Vec::new);
        for (digits, (_, scalars)) in self.digits.iter_mut().zip(uses) {
            digits.resize(scalars.len().saturating_mul(count), Digit::ZERO);
            digits
                .par_chunks_mut(SHARE.saturating_mul(count))
                .zip(scalars.par_chunks(SHARE))
                .for_each(|(digits, scalars)| {
                    for (digits, scalar) in digits.chunks_mut(count).zip(scalars) {
                        windows.cut(scalar, digits);
                    }
                });
        }
    }
}

impl<P, B> BucketSums<P> for Buckets<B>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
    B: Backend,
{
    fn add(&mut self, sides: &[&[u8]], uses: &[Use<'_>]) -> Result<(), BadSide> {
        let width = <Affine<P> as LemPoint>::BYTES;
        // A sum that lacks points on one side says nothing about the other.
        let longest = uses.iter().map(|(_, scalars)| scalars.len()).max();
        let count = sides.first().map_or(0, |bytes| bytes.len() / width);
        let count = count.max(longest.unwrap_or(0));
        for (side, bytes) in sides.iter().enumerate() {
            let (expected, got) = (count.saturating_mul(width), bytes.len());
            if got != expected {
                let source = PointError::WrongLength { expected, got };
                let point = BadPoint { index: 0, source };
                return Err(BadSide { side, point });
            }
            self.import(side, bytes, width)
                .map_err(|point| BadSide { side, point })?;
        }
        self.cut(uses);
        let count = position(count);
        let windows = self.windows;
        let points: Vec<&[B::Point]> = self.points.iter().map(Vec::as_slice).collect();
        let digits = &self.digits;
        self.shards.par_iter_mut().for_each(|(first, end, shard)| {
            let width = *end - *first;
            for ((sum, _), digits) in uses.iter().zip(digits) {
                for window in *first..*end {
                    let base = (sum * width + (window - *first)) * windows.buckets();
                    let own = digits.iter().skip(index(window));
                    let own = own.step_by(index(windows.count));
                    let items = (0_u32..).zip(own).filter_map(|(source, digit)| {
                        let target = base + digit.bucket()?;
                        let source = source + digit.image() * count;
                        Some(Item::new(target, source, digit.is_minus()))
                    });
                    shard.collect(&points, items);
                }
            }
            shard.flush(&points);
        });
        Ok(())
    }

    fn window_sums(self: Box<Self>) -> Result<Vec<Vec<Vec<Projective<P>>>>, PositionError> {
        let (windows, sides, n_sums) = (self.windows, self.sides, self.n_sums);
        let parts: Vec<ShardSums<P>> = self
            .shards
            .into_par_iter()
            .map(|(first, end, shard)| {
                let sums = (0..sides).map(|side| weighted_runs::<P, B>(windows, &shard, side));
                Ok((first, end, sums.collect::<Result<_, _>>()?))
            })
            .collect::<Result<_, PositionError>>()?;
        let windows_of = |side: usize, sum: u32| {
            let runs = parts.iter().flat_map(move |(first, end, sides)| {
                let width = index(end - first);
                let runs = sides.get(side).map(Vec::as_slice).unwrap_or_default();
                runs.chunks(width).nth(index(sum)).unwrap_or_default()
            });
            runs.copied().collect()
        };
        Ok((0..sides)
            .map(|side| (0..n_sums).map(|sum| windows_of(side, sum)).collect())
            .collect())
    }
}

/// For every run of buckets of a side the sum of (i + 1) times bucket i. With i + 1 = h·R + l that is
/// R · Σ h·row(h) + Σ l·column(l): rows and columns are plain sums, and few.
fn weighted_runs<P, B>(
    windows: Windows,
    shard: &Shard<B>,
    side: usize,
) -> Result<Vec<Projective<P>>, PositionError>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
    B: Backend,
{
    let low_bits = windows.bits / 2;
    let row_length = 1_u32 << low_bits;
    let rows = (windows.buckets() >> low_bits) + 1;
    let width = rows + row_length;
    let buckets = shard.side(side)?;
    let runs = buckets.len() / index(windows.buckets()).max(1);
    let mut sums = Shard::<B>::new(runs * index(width));
    // A run after the other: then all points that are added lie close together.
    for (base, run) in (0..)
        .step_by(index(width))
        .zip(buckets.chunks(index(windows.buckets())))
    {
        let finite = (0_u32..)
            .zip(run)
            .filter(|(_, point)| !B::is_infinity(point));
        let item = |target: u32, source| Item::new(base + target, source, false);
        let high = finite.clone().filter_map(|(source, _)| {
            let row = (source + 1) >> low_bits;
            (row > 0).then(|| item(row, source))
        });
        let low = finite.filter_map(|(source, _)| {
            let column = (source + 1) % row_length;
            (column > 0).then(|| item(rows + column, source))
        });
        sums.add(&[run], high.chain(low));
    }
    let mut bytes = Vec::new();
    let exported = sums.sums()?.to_vec();
    sums.backend().export(&exported, &mut bytes);
    let points: Vec<Affine<P>> = bytes
        .chunks(<Affine<P> as LemPoint>::BYTES)
        .map(|bytes| Affine::from_lem(bytes).unwrap_or(Affine::identity()))
        .collect();
    Ok(points
        .chunks(index(width))
        .map(|run| {
            let (rows, columns) = run.split_at(run.len().min(index(rows)));
            let mut high = weighted(rows);
            for _ in 0..low_bits {
                high.double_in_place();
            }
            high + weighted(columns)
        })
        .collect())
}

/// Sum over i of i times point i.
fn weighted<P: SWCurveConfig>(points: &[Affine<P>]) -> Projective<P> {
    let (mut running, mut total) = (Projective::ZERO, Projective::ZERO);
    for point in points.iter().skip(1).rev() {
        running += point;
        total += running;
    }
    total
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, g1};
    use ark_ec::{CurveGroup, PrimeGroup, scalar_mul::glv::GLVConfig};
    use ark_ff::Field;

    use super::*;

    /// The scalar that digits stand for.
    fn scalar(windows: Windows, number: u128) -> Fr {
        let mut digits = vec![Digit::ZERO; index(windows.count)];
        windows.cut(&Scalar::from(number), &mut digits);
        let digits = digits.iter().rev();
        digits.fold(Fr::ZERO, |sum, digit| {
            let bucket = digit.bucket().unwrap();
            assert!(bucket < windows.buckets());
            let value = Fr::from(bucket + 1) * g1::Config::LAMBDA.pow([digit.image().into()]);
            let value = if digit.is_minus() { -value } else { value };
            sum * Fr::from(2).pow([windows.bits.into()]) + value
        })
    }

    #[test]
    fn sums_with_units_are_those_of_the_library() {
        let numbers: Vec<u128> = (0..300_u32)
            .map(|i| u128::from(i).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
            .collect();
        let scalars: Vec<Scalar> = numbers.iter().copied().map(Scalar::from).collect();
        let side = |factor: u64| -> Vec<Affine<g1::Config>> {
            (0..300_u64)
                .map(|i| (Projective::generator() * Fr::from(i * factor % 41)).into_affine())
                .collect()
        };
        for n_points in [1, 5000, 100_000, 10_000_000] {
            let windows = Windows::units(n_points);
            let mut sums = bucket_sums::<g1::Config>(1, 2, windows);
            let sides = [side(1), side(3)];
            for range in [0..100, 100..300] {
                let bytes = sides.each_ref().map(|points| {
                    let mut bytes = Vec::new();
                    for point in points.get(range.clone()).unwrap() {
                        point.append_lem(&mut bytes);
                    }
                    bytes
                });
                let scalars = scalars.get(range.clone()).unwrap();
                sums.add(&bytes.each_ref().map(Vec::as_slice), &[(0, scalars)])
                    .unwrap();
            }
            for (found, points) in sums.window_sums().unwrap().iter().zip(&sides) {
                let expected: Projective<g1::Config> = points
                    .iter()
                    .zip(&numbers)
                    .map(|(point, number)| *point * scalar(windows, *number))
                    .sum();
                assert_eq!(total(windows, found.first().unwrap()), expected);
            }
        }
    }

    #[test]
    fn r18_sides_of_different_lengths_are_refused() {
        let scalars = [Scalar::from(5), Scalar::from(6)];
        let windows = Windows::new(128, 2, 13);
        let (two, one) = ([0_u8; 128], [0_u8; 64]);
        for (sides, side) in [([&two[..], &one[..]], 1), ([&one[..], &one[..]], 0)] {
            let mut sums = bucket_sums::<g1::Config>(1, 2, windows);
            let point = BadPoint {
                index: 0,
                source: PointError::WrongLength {
                    expected: 128,
                    got: 64,
                },
            };
            let refused = sums.add(&sides, &[(0, &scalars)]);
            assert_eq!(refused, Err(BadSide { side, point }));
        }
    }
}
