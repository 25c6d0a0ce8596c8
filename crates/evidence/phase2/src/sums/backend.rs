//! Points in a form that can be added many at a time: the library's, or for BN254 that of the crate `vector`.

use std::marker::PhantomData;

use ark_ec::{
    AffineRepr, CurveGroup,
    short_weierstrass::{Affine, Projective, SWCurveConfig},
};
use formats::points::{LemPoint, PointError};
use rayon::prelude::*;
use vector::{Addition, PositionError, Summand};

use crate::positions::index;

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

    /// Whether [`Self::image`] and [`Self::climb`] work: on BN254's G1.
    const ENDOMORPHISM: bool;

    fn new() -> Self;

    fn is_infinity(point: &Self::Point) -> bool;

    fn negated(point: Self::Point) -> Self::Point;

    /// λ times a point, λ being that of the curve's `GLVConfig`.
    fn image(point: Self::Point) -> Self::Point;

    /// As [`Self::image`], for each place of `images`, and again for each place of `second`.
    fn images(
        &mut self,
        points: &[Self::Point],
        images: &mut [Self::Point],
        second: &mut [Self::Point],
    ) {
        for ((point, image), second) in points.iter().zip(images).zip(second) {
            *image = Self::image(*point);
            *second = Self::image(*image);
        }
    }

    /// Appends θ times the bases, θ² times the bases, and so on for so many steps; θ = 1 − λ.
    fn climb(&mut self, bases: &[Self::Point], steps: usize, points: &mut Vec<Self::Point>);

    /// Reads points in file form, each checked for canonical coordinates and the curve equation. Where it
    /// fails, the slice holds anything.
    fn import(&mut self, bytes: &[u8], points: &mut [Self::Point]) -> Result<(), BadPoint>;

    /// Appends points in file form.
    fn export(&self, points: &[Self::Point], bytes: &mut Vec<u8>);

    /// Appends points from file form in U form, checked for canonical coordinates only.
    fn append_u(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), PointError>;

    /// Additions within the slices that are independent: what takes a sum takes no other one and is no
    /// summand of another addition. Sums go to `points`; `others` is only read. Where a position is beyond its
    /// slice, which is a bug, the points hold anything.
    fn add(
        &mut self,
        points: &mut [Self::Point],
        others: &[Self::Point],
        additions: &[Addition],
    ) -> Result<(), PositionError>;
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

    const ENDOMORPHISM: bool = false;

    fn new() -> Self {
        Self { curve: PhantomData }
    }

    fn is_infinity(point: &Self::Point) -> bool {
        point.is_zero()
    }

    fn negated(point: Self::Point) -> Self::Point {
        -point
    }

    fn image(point: Self::Point) -> Self::Point {
        point
    }

    fn climb(&mut self, _: &[Self::Point], _: usize, _: &mut Vec<Self::Point>) {}

    fn import(&mut self, bytes: &[u8], points: &mut [Self::Point]) -> Result<(), BadPoint> {
        let bytes = bytes.chunks(<Affine<P> as LemPoint>::BYTES);
        for (index, (point, bytes)) in points.iter_mut().zip(bytes).enumerate() {
            *point = Affine::from_lem(bytes).map_err(|source| BadPoint { index, source })?;
        }
        Ok(())
    }

    fn export(&self, points: &[Self::Point], bytes: &mut Vec<u8>) {
        for point in points {
            point.append_lem(bytes);
        }
    }

    fn append_u(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), PointError> {
        bytes
            .chunks(<Affine<P> as LemPoint>::BYTES)
            .try_for_each(|point| Affine::<P>::lem_to_u(point, out))
    }

    fn add(
        &mut self,
        points: &mut [Self::Point],
        others: &[Self::Point],
        additions: &[Addition],
    ) -> Result<(), PositionError> {
        /// Sums that share an inversion.
        const BLOCK: usize = 1024;
        for block in additions.chunks(BLOCK) {
            let point = |summand: Summand| {
                let slice = if summand.is_other() { others } else { &*points };
                let position = summand.position();
                let point = *slice
                    .get(index(position))
                    .ok_or(PositionError { position })?;
                Ok(if summand.is_minus() { -point } else { point })
            };
            let sums = block
                .iter()
                .map(|addition| Ok(point(addition.left)?.into_group() + point(addition.right)?))
                .collect::<Result<Vec<Projective<P>>, PositionError>>()?;
            let sums = Projective::normalize_batch(&sums);
            for (addition, sum) in block.iter().zip(sums) {
                let position = addition.to;
                let point = points.get_mut(index(position));
                *point.ok_or(PositionError { position })? = sum;
            }
        }
        Ok(())
    }
}

mod vectorised {
    use vector::{G1Ladder, G1Point, G2Point, Level, PointFault, Uncompressed};

    use super::{Addition, Backend, BadPoint, PointError, PositionError};

    macro_rules! backend {
        ($name:ident, $adder:ident, $point:ident, $uncompressed:ident, $ladder:ty) => {
            /// BN254's points at the processor's fastest level.
            pub(crate) struct $name {
                adder: vector::$adder,
                ladder: $ladder,
            }

            impl Backend for $name {
                type Point = vector::$point;

                const INFINITY: Self::Point = vector::$point::INFINITY;

                const ENDOMORPHISM: bool = <$ladder as Ladder<$point>>::WORKS;

                fn new() -> Self {
                    let level = Level::best();
                    Self {
                        adder: vector::$adder::new(level),
                        ladder: <$ladder as Ladder<$point>>::new(level),
                    }
                }

                fn is_infinity(point: &Self::Point) -> bool {
                    point.is_infinity()
                }

                fn negated(point: Self::Point) -> Self::Point {
                    point.negated()
                }

                fn image(point: Self::Point) -> Self::Point {
                    <$ladder as Ladder<$point>>::image(point)
                }

                fn images(
                    &mut self,
                    points: &[Self::Point],
                    images: &mut [Self::Point],
                    second: &mut [Self::Point],
                ) {
                    Ladder::images(&self.ladder, points, images, second);
                }

                fn climb(
                    &mut self,
                    bases: &[Self::Point],
                    steps: usize,
                    points: &mut Vec<Self::Point>,
                ) {
                    Ladder::climb(&mut self.ladder, bases, steps, points);
                }

                fn import(
                    &mut self,
                    bytes: &[u8],
                    points: &mut [Self::Point],
                ) -> Result<(), BadPoint> {
                    self.adder
                        .import_into(bytes, points)
                        .map_err(|fault| bad_point(&fault, vector::$point::BYTES, bytes.len()))
                }

                fn export(&self, points: &[Self::Point], bytes: &mut Vec<u8>) {
                    self.adder.export(points, bytes);
                }

                fn append_u(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), PointError> {
                    let uncompressed = Uncompressed::new(Level::best());
                    uncompressed.$uncompressed(bytes, out).map_err(|fault| {
                        bad_point(&fault, vector::$point::BYTES, bytes.len()).source
                    })
                }

                fn add(
                    &mut self,
                    points: &mut [Self::Point],
                    others: &[Self::Point],
                    additions: &[Addition],
                ) -> Result<(), PositionError> {
                    self.adder.add(points, others, additions)
                }
            }
        };
    }

    backend!(VectorG1, G1Adder, G1Point, append_g1, G1Ladder);
    backend!(VectorG2, G2Adder, G2Point, append_g2, ());

    fn bad_point(fault: &PointFault, expected: usize, got: usize) -> BadPoint {
        let (index, source) = match fault {
            PointFault::NotCanonical { index } => (*index, PointError::NotCanonical),
            PointFault::OffCurve { index } => (*index, PointError::NotOnCurve),
            _ => (0, PointError::WrongLength { expected, got }),
        };
        BadPoint { index, source }
    }

    /// What the endomorphism of a group is used for.
    trait Ladder<P>: Sized {
        const WORKS: bool;
        fn new(level: Level) -> Self;
        fn image(point: P) -> P;
        fn images(&self, points: &[P], images: &mut [P], second: &mut [P]);
        fn climb(&mut self, bases: &[P], steps: usize, points: &mut Vec<P>);
    }

    impl Ladder<G1Point> for G1Ladder {
        const WORKS: bool = true;

        fn new(level: Level) -> Self {
            G1Ladder::new(level)
        }

        fn image(point: G1Point) -> G1Point {
            point.image()
        }

        fn images(&self, points: &[G1Point], images: &mut [G1Point], second: &mut [G1Point]) {
            G1Ladder::images(self, points, images, second);
        }

        fn climb(&mut self, bases: &[G1Point], steps: usize, points: &mut Vec<G1Point>) {
            self.climb(bases, steps, points);
        }
    }

    /// None: a point of the curve outside the subgroup is not multiplied by λ.
    impl Ladder<G2Point> for () {
        const WORKS: bool = false;

        fn new(_: Level) -> Self {}

        fn image(point: G2Point) -> G2Point {
            point
        }

        fn images(&self, _: &[G2Point], _: &mut [G2Point], _: &mut [G2Point]) {}

        fn climb(&mut self, _: &[G2Point], _: usize, _: &mut Vec<G2Point>) {}
    }
}

pub(crate) use vectorised::{VectorG1, VectorG2};

/// Calls a generic function with the fastest backend for a curve.
macro_rules! with_backend {
    ($curve:ty, $function:ident ( $($argument:expr),* )) => {{
        let curve = std::any::TypeId::of::<$curve>();
        if curve == std::any::TypeId::of::<ark_bn254::g1::Config>() {
            $function::<$curve, crate::sums::VectorG1>($($argument),*)
        } else if curve == std::any::TypeId::of::<ark_bn254::g2::Config>() {
            $function::<$curve, crate::sums::VectorG2>($($argument),*)
        } else {
            $function::<$curve, crate::sums::Portable<$curve>>($($argument),*)
        }
    }};
}
pub(crate) use with_backend;

/// Whether the backend for a curve has its endomorphism.
pub(crate) fn has_endomorphism<P>() -> bool
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    with_backend!(P, endomorphism_with(PhantomData))
}

fn endomorphism_with<P, B: Backend>(_: PhantomData<P>) -> bool {
    B::ENDOMORPHISM
}

/// Appends points from file form in U form, checked for canonical coordinates only.
pub(crate) fn append_u<P>(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), PointError>
where
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    with_backend!(P, append_u_with(PhantomData, bytes, out))
}

fn append_u_with<P, B: Backend>(
    _: PhantomData<P>,
    bytes: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), PointError> {
    B::append_u(bytes, out)
}

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
            let mut backend = B::new();
            let mut points = vec![B::INFINITY; bytes.len() / width];
            backend.import(bytes, &mut points).map_err(|bad| BadPoint {
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
    let mut backend = B::new();
    let width = <Affine<P> as LemPoint>::BYTES;
    let count = left.len() / width;
    // Runs of different lengths: the first point that has no partner.
    let unpaired = || BadPoint {
        index: count.min(right.len() / width),
        source: PointError::WrongLength {
            expected: left.len(),
            got: right.len(),
        },
    };
    let positions = u32::try_from(count).map_err(|_| unpaired())?;
    if left.len() != right.len() {
        return Err(unpaired());
    }
    let mut points = vec![B::INFINITY; count];
    backend.import(left, &mut points)?;
    let mut subtrahends = vec![B::INFINITY; right.len() / width];
    backend
        .import(right, &mut subtrahends)
        .map_err(|bad| BadPoint {
            index: count + bad.index,
            ..bad
        })?;
    let additions: Vec<Addition> = (0..positions)
        .map(|to| Addition {
            left: Summand::own(to),
            right: Summand::other(to).signed(true),
            to,
        })
        .collect();
    backend
        .add(&mut points, &subtrahends, &additions)
        .map_err(|_| unpaired())?;
    let mut bytes = Vec::new();
    backend.export(&points, &mut bytes);
    Ok(bytes)
}
