//! What additions ask of a group's coordinates: [`GROUP`] vectors of elements at a time.
//!
//! The words *single*, *double* and *reduced* are those of [`Field`].

#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

use crate::field::{Field, GROUP, GROUP_LANES, Group};
use crate::packed::Row;
use crate::register::Register;

/// A point's coordinates at rest: canonical, in the Montgomery form of the field that works on them.
pub(crate) trait AtRest: Copy + PartialEq {
    const INFINITY: Self;
    /// Bytes in a file.
    const BYTES: usize;

    fn rows(&self) -> &[Row];
    fn rows_mut(&mut self) -> &mut [Row];

    /// Has its rows on their way into the nearest cache.
    #[inline(always)]
    fn fetch<R: Register>(&self, features: R) {
        for row in self.rows() {
            features.fetch(row);
        }
    }
}

/// Whether lanes do something, for each vector of a group.
pub(crate) type Lanes = [u8; GROUP];

pub(crate) trait Coordinates: Copy + Send {
    type Field: Field;
    type Point: AtRest;

    fn one(witness: &Self::Field) -> Self;

    /// Coordinates of a group of points.
    fn gather(points: &[&Self::Point; GROUP_LANES], x: &mut Self, y: &mut Self);
    /// The first of them alone.
    fn gather_x(points: &[&Self::Point; GROUP_LANES], x: &mut Self);
    /// Points of single coordinates, which are fully reduced.
    fn scatter(x: &Self, y: &Self, points: &mut [Self::Point; GROUP_LANES]);

    /// A product of a double and a single value.
    fn multiply(out: &mut Self, double: &Self, single: &Self);
    /// The square of a single value.
    fn square(out: &mut Self, a: &Self);
    fn subtract(out: &mut Self, a: &Self, b: &Self);
    fn add(out: &mut Self, a: &Self, b: &Self);
    /// a − b − c reduced, for fully reduced b and c.
    fn subtract_both(out: &mut Self, a: &Self, b: &Self, c: &Self);
    /// a − b reduced, for a b that is fully reduced or made by [`Self::negate`].
    fn subtract_reduced(out: &mut Self, a: &Self, b: &Self);
    /// Turns gathered values into their opposites in the lanes of the mask; those are single values.
    fn negate(a: &mut Self, mask: Lanes);
    /// Makes a double value a single one.
    fn single(a: &mut Self);
    /// Product with an element of the prime field, the same in every vector, of a single value.
    fn scale(out: &mut Self, a: &Self, factor: &Group<Self::Field>);

    /// The lanes in which two gathered values are the same.
    fn equal_lanes(a: &Self, b: &Self) -> Lanes;
    /// The lanes that are zero, of a gathered or reduced value.
    fn zero_lanes(a: &Self) -> Lanes;
    /// The lanes whose coordinates, single values, are on the curve.
    fn curve_lanes(x: &Self, y: &Self) -> Lanes;
    /// `out` becomes `one` in the lanes of the mask.
    fn replace(out: &mut Self, mask: Lanes, one: &Self);

    /// An element of the prime field, as a double value, that is zero only for zero, from a double value.
    fn norm(out: &mut Group<Self::Field>, a: &Self);
    /// The norm of a − b, as [`Self::norm`]; `work` is overwritten.
    fn norm_of_difference(out: &mut Group<Self::Field>, a: &Self, b: &Self, work: &mut Self);
    /// a/b as a product, from a double value a, b and 1/norm(b); `work` is overwritten.
    fn quotient(out: &mut Self, a: &Self, b: &Self, inverse: &Group<Self::Field>, work: &mut Self);
}
