//! Points in a form that can be added many at a time: the library's, or the vector unit's.

use std::marker::PhantomData;

use ark_ec::{
    AffineRepr, CurveGroup,
    short_weierstrass::{Affine, Projective, SWCurveConfig},
};
use formats::points::{LemPoint, PointError};
use rayon::prelude::*;

/// `points[left] += points[right]`
#[derive(Clone, Copy)]
pub(crate) struct Addition {
    pub(crate) left: u32,
    pub(crate) right: u32,
}

/// A point that is malformed, and its place in the bytes that were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadPoint {
    pub(crate) index: usize,
    pub(crate) source: PointError,
}

/// One group's points and how to add them. A value is working memory for one thread.
pub(crate) trait Backend: Send + Sized {
    type Point: Copy + Send + Sync;

    const INFINITY: Self::Point;

    /// `None` where this backend does not work: another curve or processor.
    fn new() -> Option<Self>;

    fn is_infinity(point: &Self::Point) -> bool;

    fn negated(point: Self::Point) -> Self::Point;

    /// Reads points in file form, each checked for canonical coordinates and the curve equation.
    fn import(&mut self, bytes: &[u8]) -> Result<Vec<Self::Point>, BadPoint>;

    /// Appends points in file form.
    fn export(&self, points: &[Self::Point], bytes: &mut Vec<u8>);

    /// Independent additions, all positions different and within the slice.
    fn add(&mut self, points: &mut [Self::Point], additions: &[Addition]);
}

/// The library's arithmetic, on any curve.
pub(crate) struct Portable<P> {
    curve: PhantomData<P>,
}

impl<P: SWCurveConfig> Backend for Portable<P>
where
    Affine<P>: LemPoint,
{
    type Point = Affine<P>;

    const INFINITY: Self::Point = Affine::identity();

    fn new() -> Option<Self> {
        Some(Self { curve: PhantomData })
    }

    fn is_infinity(point: &Self::Point) -> bool {
        point.is_zero()
    }

    fn negated(point: Self::Point) -> Self::Point {
        -point
    }

    fn import(&mut self, bytes: &[u8]) -> Result<Vec<Self::Point>, BadPoint> {
        bytes
            .chunks(<Affine<P> as LemPoint>::BYTES)
            .map(Affine::from_lem)
            .enumerate()
            .map(|(index, point)| point.map_err(|source| BadPoint { index, source }))
            .collect()
    }

    fn export(&self, points: &[Self::Point], bytes: &mut Vec<u8>) {
        for point in points {
            point.append_lem(bytes);
        }
    }

    fn add(&mut self, points: &mut [Self::Point], additions: &[Addition]) {
        /// Sums that share an inversion.
        const BLOCK: usize = 1024;
        let at = |index: u32| usize::try_from(index).unwrap_or(usize::MAX);
        for block in additions.chunks(BLOCK) {
            let sums: Vec<Projective<P>> = block
                .iter()
                .filter_map(|addition| {
                    let left = points.get(at(addition.left))?;
                    let right = points.get(at(addition.right))?;
                    Some(left.into_group() + right)
                })
                .collect();
            let sums = Projective::normalize_batch(&sums);
            for (addition, sum) in block.iter().zip(sums) {
                if let Some(point) = points.get_mut(at(addition.left)) {
                    *point = sum;
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod vectorised {
    use vector::PointFault;

    use super::{Addition, Backend, BadPoint, PointError};

    macro_rules! backend {
        ($name:ident, $adder:ident, $point:ident) => {
            /// BN254's points in the vector unit.
            pub(crate) struct $name {
                adder: vector::$adder,
                additions: Vec<vector::Addition>,
            }

            impl Backend for $name {
                type Point = vector::$point;

                const INFINITY: Self::Point = vector::$point::INFINITY;

                fn new() -> Option<Self> {
                    Some(Self {
                        adder: vector::$adder::new()?,
                        additions: Vec::new(),
                    })
                }

                fn is_infinity(point: &Self::Point) -> bool {
                    point.is_infinity()
                }

                fn negated(point: Self::Point) -> Self::Point {
                    point.negated()
                }

                fn import(&mut self, bytes: &[u8]) -> Result<Vec<Self::Point>, BadPoint> {
                    self.adder.import(bytes).map_err(|fault| {
                        let (index, source) = match fault {
                            PointFault::NotCanonical { index } => (index, PointError::NotCanonical),
                            PointFault::OffCurve { index } => (index, PointError::NotOnCurve),
                            _ => (
                                0,
                                PointError::WrongLength {
                                    expected: vector::$point::BYTES,
                                    got: bytes.len(),
                                },
                            ),
                        };
                        BadPoint { index, source }
                    })
                }

                fn export(&self, points: &[Self::Point], bytes: &mut Vec<u8>) {
                    self.adder.export(points, bytes);
                }

                fn add(&mut self, points: &mut [Self::Point], additions: &[Addition]) {
                    self.additions.clear();
                    self.additions
                        .extend(additions.iter().map(|addition| vector::Addition {
                            left: addition.left,
                            right: addition.right,
                        }));
                    // The positions are within the slice, as the trait demands; were they not, the
                    // sums would be missing and no check of them would hold.
                    if self.adder.add(points, &self.additions).is_err() {
                        points.fill(Self::INFINITY);
                    }
                }
            }
        };
    }

    backend!(VectorG1, G1Adder, G1Point);
    backend!(VectorG2, G2Adder, G2Point);
}

#[cfg(target_arch = "x86_64")]
pub(crate) use vectorised::{VectorG1, VectorG2};

/// Calls a generic function with the fastest backend for a curve.
macro_rules! with_backend {
    ($curve:ty, $function:ident ( $($argument:expr),* )) => {{
        #[cfg(target_arch = "x86_64")]
        {
            use std::any::TypeId;
            use crate::sums::{Backend, VectorG1, VectorG2};
            let curve = TypeId::of::<$curve>();
            if curve == TypeId::of::<ark_bn254::g1::Config>() && VectorG1::new().is_some() {
                $function::<$curve, VectorG1>($($argument),*)
            } else if curve == TypeId::of::<ark_bn254::g2::Config>() && VectorG2::new().is_some() {
                $function::<$curve, VectorG2>($($argument),*)
            } else {
                $function::<$curve, crate::sums::Portable<$curve>>($($argument),*)
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            $function::<$curve, crate::sums::Portable<$curve>>($($argument),*)
        }
    }};
}
pub(crate) use with_backend;

/// Checks points in file form: canonical coordinates, on the curve.
pub(crate) fn check_points<P>(bytes: &[u8]) -> Result<(), BadPoint>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    with_backend!(P, check_with(bytes))
}

fn check_with<P, B: Backend>(bytes: &[u8]) -> Result<(), BadPoint>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    /// Points of a block: each has working memory of its own.
    const BLOCK: usize = 1 << 12;
    let width = <Affine<P> as LemPoint>::BYTES;
    bytes
        .par_chunks(BLOCK * width)
        .enumerate()
        .try_for_each(|(number, bytes)| {
            let Some(mut backend) = B::new() else {
                return Portable::<P> { curve: PhantomData }.import(bytes).map(drop);
            };
            backend.import(bytes).map(drop).map_err(|bad| BadPoint {
                index: number * BLOCK + bad.index,
                ..bad
            })
        })
}

/// left − right for runs of points in file form, both checked; the index of a bad point counts
/// through `left`, then through `right`.
pub(crate) fn differences<P>(left: &[u8], right: &[u8]) -> Result<Vec<u8>, BadPoint>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    with_backend!(P, differences_with(left, right))
}

fn differences_with<P, B: Backend>(left: &[u8], right: &[u8]) -> Result<Vec<u8>, BadPoint>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    // The backend was chosen because it works here; the other one always does.
    let Some(mut backend) = B::new() else {
        return differences_with::<P, Portable<P>>(left, right);
    };
    let mut points = backend.import(left)?;
    let count = points.len();
    let subtrahends = backend.import(right).map_err(|bad| BadPoint {
        index: count + bad.index,
        ..bad
    })?;
    points.extend(subtrahends.into_iter().map(B::negated));
    let additions: Vec<Addition> = (0..u32::try_from(count).unwrap_or(0))
        .filter_map(|left| {
            let right = left.checked_add(u32::try_from(count).ok()?)?;
            Some(Addition { left, right })
        })
        .collect();
    backend.add(&mut points, &additions);
    let mut bytes = Vec::new();
    backend.export(points.get(..count).unwrap_or_default(), &mut bytes);
    Ok(bytes)
}
