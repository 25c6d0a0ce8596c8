//! Groups of vectors of the quadratic extension u² = −1, as the coordinates of G2: what `additions`
//! works with. Products are Karatsuba's, three of the base field.

#![expect(
    clippy::needless_range_loop,
    clippy::indexing_slicing,
    reason = "constant indices into arrays of constant length, several in step, as in the formulas"
)]
#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

use ark_bn254::{Fq, g2};
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ff::Field as _;

use crate::coordinates::{Coordinates, Lanes};
use crate::field::{Field, GROUP, GROUP_LANES, Group, constant};
use crate::packed;
use crate::points::G2Point;
use crate::register::{LANES, Register, work};

/// Both components in the form of `F`.
#[derive(Clone, Copy)]
pub(crate) struct Quadratic<F>([Group<F>; 2]);

work!(Multiply<'a, F: Field> {
    out: &'a mut Quadratic<F>,
    a: &'a Quadratic<F>,
    b: &'a Quadratic<F>,
} -> (), product(out, a, b));

work!(Square<'a, F: Field> {
    out: &'a mut Quadratic<F>,
    a: &'a Quadratic<F>,
} -> (), squared(out, a));

/// (a₀ + a₁u)(b₀ + b₁u) with three products.
#[inline(always)]
fn product<F: Field>(out: &mut Quadratic<F>, a: &Quadratic<F>, b: &Quadratic<F>) {
    let [out0, out1] = &mut out.0;
    let mut low = *out0;
    let mut high = *out0;
    F::multiply(&mut low, &a.0[0], &b.0[0]);
    F::multiply(&mut high, &a.0[1], &b.0[1]);
    let (mut left, mut right) = (low, low);
    for i in 0..GROUP {
        left[i] = a.0[0][i].add(&a.0[1][i]).single();
        right[i] = b.0[0][i].add(&b.0[1][i]);
    }
    F::multiply(out1, &left, &right);
    for i in 0..GROUP {
        out0[i] = low[i].reduced([&high[i]], 2);
        out1[i] = out1[i].reduced([&low[i], &high[i]], 4);
    }
}

/// (a₀ + a₁)(a₀ − a₁) + 2a₀a₁u
#[inline(always)]
fn squared<F: Field>(out: &mut Quadratic<F>, a: &Quadratic<F>) {
    let [out0, out1] = &mut out.0;
    let (mut sum, mut difference) = (*out0, *out0);
    for i in 0..GROUP {
        sum[i] = a.0[0][i].add(&a.0[1][i]).single();
        difference[i] = a.0[0][i].sub(&a.0[1][i]);
    }
    F::multiply(out0, &sum, &difference);
    for i in 0..GROUP {
        sum[i] = a.0[0][i].add(&a.0[0][i]);
    }
    F::multiply(out1, &sum, &a.0[1]);
}

impl<F: Field> Coordinates for Quadratic<F> {
    type Field = F;
    type Point = G2Point;

    fn one(witness: &F) -> Self {
        Self([[constant(witness, Fq::ONE); GROUP], [witness.zero(); GROUP]])
    }

    #[inline(always)]
    fn gather(points: &[&Self::Point; GROUP_LANES], x: &mut Self, y: &mut Self) {
        let witness = x.0[0][0];
        for (i, points) in points.as_chunks::<LANES>().0.iter().enumerate() {
            (x.0[0][i], x.0[1][i]) = packed::unpack(&witness, points.map(|G2Point([x, _])| x));
            (y.0[0][i], y.0[1][i]) = packed::unpack(&witness, points.map(|G2Point([_, y])| y));
        }
    }

    #[inline(always)]
    fn gather_x(points: &[&Self::Point; GROUP_LANES], x: &mut Self) {
        let witness = x.0[0][0];
        for (i, points) in points.as_chunks::<LANES>().0.iter().enumerate() {
            (x.0[0][i], x.0[1][i]) = packed::unpack(&witness, points.map(|G2Point([x, _])| x));
        }
    }

    #[inline(always)]
    fn scatter(x: &Self, y: &Self, points: &mut [Self::Point; GROUP_LANES]) {
        for (i, points) in points.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let xs = packed::pack(&x.0[0][i], &x.0[1][i]);
            let ys = packed::pack(&y.0[0][i], &y.0[1][i]);
            for (point, (x, y)) in points.iter_mut().zip(xs.into_iter().zip(ys)) {
                *point = G2Point([x, y]);
            }
        }
    }

    #[inline(always)]
    fn multiply(out: &mut Self, a: &Self, b: &Self) {
        a.0[0][0].register().call(Multiply { out, a, b });
    }

    #[inline(always)]
    fn square(out: &mut Self, a: &Self) {
        a.0[0][0].register().call(Square { out, a });
    }

    #[inline(always)]
    fn subtract(out: &mut Self, a: &Self, b: &Self) {
        for c in 0..2 {
            for i in 0..GROUP {
                out.0[c][i] = a.0[c][i].sub(&b.0[c][i]);
            }
        }
    }

    #[inline(always)]
    fn add(out: &mut Self, a: &Self, b: &Self) {
        for c in 0..2 {
            for i in 0..GROUP {
                out.0[c][i] = a.0[c][i].add(&b.0[c][i]);
            }
        }
    }

    #[inline(always)]
    fn subtract_both(out: &mut Self, a: &Self, b: &Self, c: &Self) {
        for k in 0..2 {
            for i in 0..GROUP {
                out.0[k][i] = a.0[k][i].reduced([&b.0[k][i], &c.0[k][i]], 2);
            }
        }
    }

    #[inline(always)]
    fn subtract_reduced(out: &mut Self, a: &Self, b: &Self) {
        for k in 0..2 {
            for i in 0..GROUP {
                out.0[k][i] = a.0[k][i].reduced([&b.0[k][i]], 2);
            }
        }
    }

    #[inline(always)]
    fn negate(a: &mut Self, mask: Lanes) {
        for a in &mut a.0 {
            for i in 0..GROUP {
                a[i] = F::select(mask[i], &a[i].negated(), &a[i]);
            }
        }
    }

    #[inline(always)]
    fn single(a: &mut Self) {
        for a in a.0.iter_mut().flatten() {
            *a = a.single();
        }
    }

    #[inline(always)]
    fn scale(out: &mut Self, a: &Self, factor: &Group<F>) {
        for c in 0..2 {
            F::multiply(&mut out.0[c], &a.0[c], factor);
        }
    }

    #[inline(always)]
    fn equal_lanes(a: &Self, b: &Self) -> Lanes {
        let mut lanes = [0; GROUP];
        for i in 0..GROUP {
            lanes[i] = a.0[0][i].equal_lanes(&b.0[0][i]) & a.0[1][i].equal_lanes(&b.0[1][i]);
        }
        lanes
    }

    #[inline(always)]
    fn zero_lanes(a: &Self) -> Lanes {
        let mut lanes = [0; GROUP];
        for i in 0..GROUP {
            lanes[i] = a.0[0][i].zero_lanes() & a.0[1][i].zero_lanes();
        }
        lanes
    }

    #[inline(always)]
    fn curve_lanes(x: &Self, y: &Self) -> Lanes {
        let (mut cube, mut left) = (*x, *x);
        Self::square(&mut left, x);
        Self::multiply(&mut cube, &left, x);
        Self::square(&mut left, y);
        let constants = [g2::Config::COEFF_B.c0, g2::Config::COEFF_B.c1];
        let mut lanes = [u8::MAX; GROUP];
        for k in 0..2 {
            let b = constant(&x.0[0][0], constants[k]);
            for i in 0..GROUP {
                let difference = left.0[k][i].reduced([&cube.0[k][i], &b], 4);
                lanes[i] &= difference.zero_lanes();
            }
        }
        lanes
    }

    #[inline(always)]
    fn replace(out: &mut Self, mask: Lanes, one: &Self) {
        for k in 0..2 {
            for i in 0..GROUP {
                out.0[k][i] = F::select(mask[i], &one.0[k][i], &out.0[k][i]);
            }
        }
    }

    /// a₀² + a₁²
    #[inline(always)]
    fn norm(out: &mut Group<F>, a: &Self) {
        let (mut first, mut second) = (a.0[0], a.0[1]);
        for i in 0..GROUP {
            first[i] = first[i].single();
            second[i] = second[i].single();
        }
        F::square_all(out, &first);
        F::square_all(&mut first, &second);
        for i in 0..GROUP {
            out[i] = out[i].add(&first[i]);
        }
    }

    #[inline(always)]
    fn norm_of_difference(out: &mut Group<F>, a: &Self, b: &Self, work: &mut Self) {
        Self::subtract(work, a, b);
        Self::norm(out, work);
    }

    /// a times the conjugate of b over its norm.
    #[inline(always)]
    fn quotient(out: &mut Self, a: &Self, b: &Self, inverse: &Group<F>, work: &mut Self) {
        let [work0, work1] = &mut work.0;
        F::multiply(work0, &b.0[0], inverse);
        let mut minus = *work0;
        for (minus, b) in minus.iter_mut().zip(&b.0[1]) {
            *minus = b.zero().reduced([b], 3);
        }
        F::multiply(work1, &minus, inverse);
        Self::multiply(out, a, work);
    }
}
