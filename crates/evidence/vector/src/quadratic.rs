//! Groups of vectors of the quadratic extension u² = −1, as the coordinates of G2: what `additions!`
//! works with. Products are Karatsuba's, three of the base field.

#![expect(
    clippy::indexing_slicing,
    reason = "constant indices into arrays of constant length"
)]

use ark_bn254::{Fq, g2};
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ff::Field;

use crate::field::{Fq8, GROUP, Group, LANES, multiply as products, square as squares};
use crate::group::montgomery;
use crate::limbs::{LIMBS, modulus_times};
use crate::packed::{self, Row};
pub(crate) use crate::prime::Lanes;

/// [`GROUP`] vectors of elements: both components.
pub(crate) type Elements = [Group; 2];

/// Rows of a point: x, y.
pub(crate) const ROWS: usize = 2;

/// A point at rest.
pub(crate) type Point = [Row; ROWS];

/// The opposite of a point at rest.
pub(crate) fn negate(point: &mut Point) {
    packed::negate_first(&mut point[1]);
    packed::negate_second(&mut point[1]);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn one() -> Elements {
    let zero = [Fq8::splat([0; LIMBS]); GROUP];
    [[Fq8::splat(montgomery(Fq::ONE)); GROUP], zero]
}

/// Coordinates of a group of points.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn gather(points: &[&Point; GROUP * LANES], x: &mut Elements, y: &mut Elements) {
    for (i, points) in points.as_chunks::<LANES>().0.iter().enumerate() {
        let [a, b, c, d, e, f, g, h] = points;
        (x[0][i], x[1][i]) =
            packed::unpack([&a[0], &b[0], &c[0], &d[0], &e[0], &f[0], &g[0], &h[0]]);
        (y[0][i], y[1][i]) =
            packed::unpack([&a[1], &b[1], &c[1], &d[1], &e[1], &f[1], &g[1], &h[1]]);
    }
}

/// Points of canonical coordinates.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn scatter(x: &Elements, y: &Elements, points: &mut [Point; GROUP * LANES]) {
    for (i, points) in points.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let xs = packed::pack(&x[0][i], &x[1][i]);
        let ys = packed::pack(&y[0][i], &y[1][i]);
        for (point, (x, y)) in points.iter_mut().zip(xs.into_iter().zip(ys)) {
            *point = [x, y];
        }
    }
}

/// Components below 2q, for sums of components a₀ + a₁ < s·q and b₀ + b₁ < t·q with s·t ≤ 84.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline(never)]
pub(crate) fn multiply(out: &mut Elements, a: &Elements, b: &Elements) {
    let [out0, out1] = out;
    let mut low = *out0;
    let mut high = *out0;
    products(&mut low, &a[0], &b[0]);
    products(&mut high, &a[1], &b[1]);
    let (mut left, mut right) = (low, low);
    for i in 0..GROUP {
        left[i] = a[0][i].add(&a[1][i]);
        right[i] = b[0][i].add(&b[1][i]);
    }
    products(out1, &left, &right);
    for i in 0..GROUP {
        out0[i] = low[i].reduced(1, [&high[i]], &modulus_times(3));
        out1[i] = out1[i].reduced(1, [&low[i], &high[i]], &modulus_times(5));
    }
}

/// Components below 2q, for components below 2q.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline(never)]
pub(crate) fn square(out: &mut Elements, a: &Elements) {
    let [out0, out1] = out;
    let (mut sum, mut difference) = (*out0, *out0);
    for i in 0..GROUP {
        sum[i] = a[0][i].add(&a[1][i]);
        difference[i] = a[0][i].sub(&a[1][i]);
    }
    products(out0, &sum, &difference);
    for i in 0..GROUP {
        sum[i] = a[0][i].add(&a[0][i]);
    }
    products(out1, &sum, &a[1]);
}

/// a − b + 2q
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn subtract(out: &mut Elements, a: &Elements, b: &Elements) {
    for c in 0..2 {
        for i in 0..GROUP {
            out[c][i] = a[c][i].sub(&b[c][i]);
        }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn add(out: &mut Elements, a: &Elements, b: &Elements) {
    for c in 0..2 {
        for i in 0..GROUP {
            out[c][i] = a[c][i].add(&b[c][i]);
        }
    }
}

/// a − b − c below 2q, for canonical b and c and a below 2q.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn subtract_both(out: &mut Elements, a: &Elements, b: &Elements, c: &Elements) {
    for k in 0..2 {
        for i in 0..GROUP {
            out[k][i] = a[k][i].reduced(1, [&b[k][i], &c[k][i]], &modulus_times(3));
        }
    }
}

/// Canonical a − b for canonical b and a below 2q.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn subtract_canonical(out: &mut Elements, a: &Elements, b: &Elements) {
    for k in 0..2 {
        for i in 0..GROUP {
            out[k][i] = a[k][i]
                .reduced(1, [&b[k][i]], &modulus_times(2))
                .canonical();
        }
    }
}

/// Fully reduced, for values below 2q.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn canonical(a: &mut Elements) {
    for a in a.iter_mut().flatten() {
        *a = a.canonical();
    }
}

/// Fully reduced product with an integer in radix 2^52, in place.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn scale(a: &mut Elements, factor: &Fq8) {
    for a in a.iter_mut().flatten() {
        *a = a.mul(factor).canonical();
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn canonical_lanes(a: &Elements) -> Lanes {
    let mut lanes = [0; GROUP];
    for i in 0..GROUP {
        lanes[i] = a[0][i].canonical_lanes() & a[1][i].canonical_lanes();
    }
    lanes
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn equal_lanes(a: &Elements, b: &Elements) -> Lanes {
    let mut lanes = [0; GROUP];
    for i in 0..GROUP {
        lanes[i] = a[0][i].equal_lanes(&b[0][i]) & a[1][i].equal_lanes(&b[1][i]);
    }
    lanes
}

/// The lanes that are zero, of canonical values.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn zero_lanes(a: &Elements) -> Lanes {
    let mut lanes = [0; GROUP];
    for i in 0..GROUP {
        lanes[i] = a[0][i].zero_lanes() & a[1][i].zero_lanes();
    }
    lanes
}

/// The lanes whose coordinates, with components below 2q, are on the twist.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn curve_lanes(x: &Elements, y: &Elements) -> Lanes {
    let (mut cube, mut left) = (*x, *x);
    square(&mut left, x);
    multiply(&mut cube, &left, x);
    square(&mut left, y);
    let constant = [g2::Config::COEFF_B.c0, g2::Config::COEFF_B.c1].map(montgomery);
    let mut lanes = [u8::MAX; GROUP];
    for k in 0..2 {
        let b = Fq8::splat(constant[k]);
        for i in 0..GROUP {
            let difference = left[k][i].reduced(1, [&cube[k][i], &b], &modulus_times(5));
            lanes[i] &= difference.zero_lanes();
        }
    }
    lanes
}

/// `out` becomes `one` in the lanes of the mask.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn replace(out: &mut Elements, mask: Lanes, one: &Elements) {
    for k in 0..2 {
        for i in 0..GROUP {
            out[k][i] = Fq8::select(mask[i], &one[k][i], &out[k][i]);
        }
    }
}

/// a₀² + a₁², zero only for zero, for a shared inversion; components below 3q.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn norm(out: &mut Group, a: &Elements) {
    let mut other = *out;
    squares(out, &a[0]);
    squares(&mut other, &a[1]);
    for i in 0..GROUP {
        out[i] = out[i].add(&other[i]);
    }
}

/// 1/a from a and 1/norm(a): the conjugate over the norm.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn over_norm(out: &mut Elements, a: &Elements, inverse: &Group) {
    let [out0, out1] = out;
    products(out0, &a[0], inverse);
    let mut minus = *out0;
    for (minus, a) in minus.iter_mut().zip(&a[1]) {
        *minus = Fq8::splat([0; LIMBS]).reduced(1, [a], &modulus_times(4));
    }
    products(out1, &minus, inverse);
}
