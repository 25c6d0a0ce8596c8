//! Several sums of points times scalars over the same points, in buckets that stay the same size for
//! any number of points (Pippenger's method, signed digits).

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField};
use formats::points::LemPoint;
use rayon::prelude::*;

use super::{
    backend::{Backend, BadPoint, with_backend},
    shard::{Item, Shard},
};

/// A scalar of at most 254 bits with its sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scalar {
    negative: bool,
    limbs: [u64; 4],
}

impl Scalar {
    /// Sign and size of the representative of least absolute value: short for small coefficients.
    pub(crate) fn of<F: PrimeField<BigInt = BigInt<4>>>(value: F) -> Self {
        let size = value.into_bigint();
        if size > F::MODULUS_MINUS_ONE_DIV_TWO {
            Self {
                negative: true,
                limbs: (-value).into_bigint().0,
            }
        } else {
            Self {
                negative: false,
                limbs: size.0,
            }
        }
    }
}

impl From<u128> for Scalar {
    fn from(value: u128) -> Self {
        let limb = |value: u128| u64::try_from(value & u128::from(u64::MAX)).unwrap_or(0);
        Self {
            negative: false,
            limbs: [limb(value), limb(value >> 64), 0, 0],
        }
    }
}

/// How scalars are cut into digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    bits: u32,
    count: u32,
}

impl Windows {
    /// For scalars below 2^`scalar_bits` and about `n_points` points, digits of at most `most` bits.
    pub(crate) fn new(scalar_bits: u32, n_points: u64, most: u32) -> Self {
        let fitting = match n_points {
            0..0x80 => 4,
            0x80..0x800 => 7,
            0x800..0x8000 => 9,
            0x8000..0x8_0000 => 12,
            _ => 13,
        };
        let bits = fitting.min(most).max(2);
        // One bit more for the sign of the topmost digit.
        let count = (scalar_bits + 1).div_ceil(bits);
        Self { bits, count }
    }

    /// Digits run from −2^(bits−1) to 2^(bits−1) − 1; their sizes have a bucket each.
    fn buckets(self) -> u32 {
        1 << (self.bits - 1)
    }

    /// Half of the range at every position: added to a scalar, it makes all digits non-negative.
    fn offset(self) -> [u64; 5] {
        let mut offset = [0; 5];
        for window in 0..self.count {
            let bit = window * self.bits + self.bits - 1;
            if let Some(limb) = offset.get_mut(place(bit / 64)) {
                *limb |= 1 << (bit % 64);
            }
        }
        offset
    }

    /// Digit of a scalar to which the offset has been added, sign and size.
    fn digit(self, shifted: &[u64; 5], window: u32) -> (bool, u32) {
        let bit = window * self.bits;
        let word = |index: u32| shifted.get(place(index)).copied().unwrap_or(0);
        let low = word(bit / 64) >> (bit % 64);
        let high = match bit % 64 {
            0 => 0,
            used => word(bit / 64 + 1) << (64 - used),
        };
        let raw = (low | high) & ((1 << self.bits) - 1);
        let raw = u32::try_from(raw).unwrap_or(0);
        (raw < self.buckets(), raw.abs_diff(self.buckets()))
    }
}

fn place(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// Sign of a scalar, and its size with the windows' offset added.
type Shifted = (bool, [u64; 5]);

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
    /// Adds the points of each side in file form, each checked, times the scalars of each use. All
    /// sides have the same number of points.
    fn add(&mut self, sides: &[&[u8]], uses: &[Use<'_>]) -> Result<(), BadSide>;

    /// For each side and sum the sums of its windows, lowest first: window w counts 2^(w·bits) times.
    fn window_sums(self: Box<Self>) -> Vec<Vec<Vec<Projective<P>>>>;
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
}

impl<B: Backend> Buckets<B> {
    fn new(n_sums: u32, sides: usize, windows: Windows) -> Self {
        let threads = u32::try_from(rayon::current_num_threads()).unwrap_or(1);
        let width = windows.count.div_ceil(threads).max(1);
        let shards = (0..windows.count)
            .step_by(place(width))
            .filter_map(|first| {
                let end = windows.count.min(first + width);
                let targets = place(n_sums * (end - first) * windows.buckets());
                Some((first, end, Shard::with_sides(targets, sides)?))
            })
            .collect();
        Self {
            windows,
            n_sums,
            sides,
            shards,
        }
    }

    /// Reads the points of one side, split among the shards.
    fn import(&mut self, bytes: &[u8], width: usize) -> Result<Vec<B::Point>, BadPoint> {
        let share = (bytes.len() / width)
            .div_ceil(self.shards.len().max(1))
            .max(1);
        let parts: Vec<Vec<B::Point>> = self
            .shards
            .par_iter_mut()
            .zip(bytes.par_chunks(share * width))
            .enumerate()
            .map(|(part, ((_, _, shard), bytes))| {
                shard.backend().import(bytes).map_err(|bad| BadPoint {
                    index: part * share + bad.index,
                    ..bad
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(parts.concat())
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
        let mut points = Vec::with_capacity(sides.len());
        for (side, bytes) in sides.iter().enumerate() {
            let imported = self.import(bytes, width);
            points.push(imported.map_err(|point| BadSide { side, point })?);
        }
        let points: Vec<&[B::Point]> = points.iter().map(Vec::as_slice).collect();
        let windows = self.windows;
        let offset = BigInt::new(windows.offset());
        let shifted: Vec<(u32, Vec<Shifted>)> = uses
            .par_iter()
            .map(|(sum, scalars)| {
                let shifted = scalars.iter().map(|scalar| {
                    let [a, b, c, d] = scalar.limbs;
                    let mut wide = BigInt::new([a, b, c, d, 0]);
                    wide.add_with_carry(&offset);
                    (scalar.negative, wide.0)
                });
                (*sum, shifted.collect())
            })
            .collect();
        self.shards.par_iter_mut().for_each(|(first, end, shard)| {
            let width = *end - *first;
            for (sum, scalars) in &shifted {
                for window in *first..*end {
                    let base = (sum * width + (window - *first)) * windows.buckets();
                    let items = (0_u32..).zip(scalars).filter_map(|(source, scalar)| {
                        let (minus, size) = windows.digit(&scalar.1, window);
                        Some(Item {
                            target: base + size.checked_sub(1)?,
                            source,
                            minus: minus != scalar.0,
                        })
                    });
                    shard.collect(&points, items);
                }
            }
            shard.flush(&points);
        });
        Ok(())
    }

    fn window_sums(self: Box<Self>) -> Vec<Vec<Vec<Projective<P>>>> {
        let (windows, sides, n_sums) = (self.windows, self.sides, self.n_sums);
        let parts: Vec<ShardSums<P>> = self
            .shards
            .into_par_iter()
            .map(|(first, end, shard)| {
                let sums = (0..sides).map(|side| weighted_runs::<P, B>(windows, &shard, side));
                (first, end, sums.collect())
            })
            .collect();
        let windows_of = |side: usize, sum: u32| {
            let runs = parts.iter().flat_map(move |(first, end, sides)| {
                let width = place(end - first);
                let runs = sides.get(side).map(Vec::as_slice).unwrap_or_default();
                runs.chunks(width).nth(place(sum)).unwrap_or_default()
            });
            runs.copied().collect()
        };
        (0..sides)
            .map(|side| (0..n_sums).map(|sum| windows_of(side, sum)).collect())
            .collect()
    }
}

/// For every run of buckets of a side the sum of (i + 1) times bucket i. With i + 1 = h·R + l that is
/// R · Σ h·row(h) + Σ l·column(l): rows and columns are plain sums, and few.
fn weighted_runs<P, B>(windows: Windows, shard: &Shard<B>, side: usize) -> Vec<Projective<P>>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
    B: Backend,
{
    let low_bits = windows.bits / 2;
    let row_length = 1_u32 << low_bits;
    let rows = (windows.buckets() >> low_bits) + 1;
    let width = rows + row_length;
    let buckets = shard.side(side);
    let runs = buckets.len() / place(windows.buckets()).max(1);
    let Some(mut sums) = Shard::<B>::new(runs * place(width)) else {
        return Vec::new();
    };
    // A run after the other: then all points that are added lie close together.
    for (base, run) in (0..)
        .step_by(place(width))
        .zip(buckets.chunks(place(windows.buckets())))
    {
        let finite = (0_u32..)
            .zip(run)
            .filter(|(_, point)| !B::is_infinity(point));
        let item = |target: u32, source| Item {
            target: base + target,
            source,
            minus: false,
        };
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
    let exported = sums.sums().to_vec();
    sums.backend().export(&exported, &mut bytes);
    let points: Vec<Affine<P>> = bytes
        .chunks(<Affine<P> as LemPoint>::BYTES)
        .map(|bytes| Affine::from_lem(bytes).unwrap_or(Affine::identity()))
        .collect();
    points
        .chunks(place(width))
        .map(|run| {
            let (rows, columns) = run.split_at(run.len().min(place(rows)));
            let mut high = weighted(rows);
            for _ in 0..low_bits {
                high.double_in_place();
            }
            high + weighted(columns)
        })
        .collect()
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
