//! Groups of vectors of the base field, as the coordinates of G1: what `additions!` works with.

#![expect(
    clippy::indexing_slicing,
    reason = "constant indices into arrays of constant length"
)]

use ark_bn254::Fq;
use ark_ff::Field;

use crate::field::{Fq8, GROUP, Group, LANES, multiply as products, square as squares};
use crate::group::{montgomery, on_curve};
use crate::limbs::modulus_times;
use crate::packed::{self, Row};

/// [`GROUP`] vectors of elements.
pub(crate) type Elements = Group;

/// Rows of a point.
pub(crate) const ROWS: usize = 1;

/// A point at rest.
pub(crate) type Point = [Row; ROWS];

/// Whether lanes do something, for each vector of a group.
pub(crate) type Lanes = [u8; GROUP];

/// The opposite of a point at rest.
pub(crate) fn negate(point: &mut Point) {
    packed::negate_second(&mut point[0]);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn one() -> Elements {
    [Fq8::splat(montgomery(Fq::ONE)); GROUP]
}

/// Coordinates of a group of points.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn gather(points: &[&Point; GROUP * LANES], x: &mut Elements, y: &mut Elements) {
    for (i, points) in points.as_chunks::<LANES>().0.iter().enumerate() {
        let [a, b, c, d, e, f, g, h] = points;
        (x[i], y[i]) = packed::unpack([&a[0], &b[0], &c[0], &d[0], &e[0], &f[0], &g[0], &h[0]]);
    }
}

/// Points of canonical coordinates.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn scatter(x: &Elements, y: &Elements, points: &mut [Point; GROUP * LANES]) {
    for (i, points) in points.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        for (point, row) in points.iter_mut().zip(packed::pack(&x[i], &y[i])) {
            *point = [row];
        }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn multiply(out: &mut Elements, a: &Elements, b: &Elements) {
    products(out, a, b);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn square(out: &mut Elements, a: &Elements) {
    squares(out, a);
}

/// a − b + 2q
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn subtract(out: &mut Elements, a: &Elements, b: &Elements) {
    for i in 0..GROUP {
        out[i] = a[i].sub(&b[i]);
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn add(out: &mut Elements, a: &Elements, b: &Elements) {
    for i in 0..GROUP {
        out[i] = a[i].add(&b[i]);
    }
}

/// a − b − c below 2q, for canonical b and c and a below 2q.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn subtract_both(out: &mut Elements, a: &Elements, b: &Elements, c: &Elements) {
    for i in 0..GROUP {
        out[i] = a[i].reduced(1, [&b[i], &c[i]], &modulus_times(3));
    }
}

/// Canonical a − b for canonical b and a below 2q.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn subtract_canonical(out: &mut Elements, a: &Elements, b: &Elements) {
    for i in 0..GROUP {
        out[i] = a[i].reduced(1, [&b[i]], &modulus_times(2)).canonical();
    }
}

/// Fully reduced, for values below 2q.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn canonical(a: &mut Elements) {
    for a in a {
        *a = a.canonical();
    }
}

/// Fully reduced product with an integer in radix 2^52, in place.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn scale(a: &mut Elements, factor: &Fq8) {
    for a in a {
        *a = a.mul(factor).canonical();
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn canonical_lanes(a: &Elements) -> Lanes {
    let mut lanes = [0; GROUP];
    for (lanes, a) in lanes.iter_mut().zip(a) {
        *lanes = a.canonical_lanes();
    }
    lanes
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn equal_lanes(a: &Elements, b: &Elements) -> Lanes {
    let mut lanes = [0; GROUP];
    for i in 0..GROUP {
        lanes[i] = a[i].equal_lanes(&b[i]);
    }
    lanes
}

/// The lanes that are zero, of canonical values.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn zero_lanes(a: &Elements) -> Lanes {
    let mut lanes = [0; GROUP];
    for (lanes, a) in lanes.iter_mut().zip(a) {
        *lanes = a.zero_lanes();
    }
    lanes
}

/// The lanes whose coordinates, below 2q, are on the curve.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn curve_lanes(x: &Elements, y: &Elements) -> Lanes {
    let mut lanes = [0; GROUP];
    for i in 0..GROUP {
        lanes[i] = on_curve(&x[i], &y[i]);
    }
    lanes
}

/// `out` becomes `one` in the lanes of the mask.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn replace(out: &mut Elements, mask: Lanes, one: &Elements) {
    for i in 0..GROUP {
        out[i] = Fq8::select(mask[i], &one[i], &out[i]);
    }
}

/// An element of the prime field that is zero only for zero, for a shared inversion.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn norm(out: &mut Group, a: &Elements) {
    *out = *a;
}

/// 1/a from a and 1/norm(a).
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn over_norm(out: &mut Elements, _a: &Elements, inverse: &Group) {
    *out = *inverse;
}
