//! Groups of vectors of the base field, as the coordinates of G1: what `additions` works with.

#![expect(
    clippy::needless_range_loop,
    clippy::indexing_slicing,
    reason = "constant indices into arrays of constant length, several in step, as in the formulas"
)]
#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

use ark_bn254::{Fq, g1};
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ff::Field as _;

use crate::coordinates::{Coordinates, Lanes};
use crate::field::{Field, GROUP, GROUP_LANES, Group, constant};
use crate::packed;
use crate::points::G1Point;
use crate::register::LANES;

/// The prime field's elements in the form of `F`.
#[derive(Clone, Copy)]
pub(crate) struct Prime<F>(Group<F>);

impl<F: Field> Coordinates for Prime<F> {
    type Field = F;
    type Point = G1Point;

    fn one(witness: &F) -> Self {
        Self([constant(witness, Fq::ONE); GROUP])
    }

    #[inline(always)]
    fn gather(points: &[&Self::Point; GROUP_LANES], x: &mut Self, y: &mut Self) {
        let witness = x.0[0];
        for (i, points) in points.as_chunks::<LANES>().0.iter().enumerate() {
            (x.0[i], y.0[i]) = packed::unpack(&witness, points.map(|G1Point([row])| row));
        }
    }

    #[inline(always)]
    fn gather_x(points: &[&Self::Point; GROUP_LANES], x: &mut Self) {
        let witness = x.0[0];
        for (i, points) in points.as_chunks::<LANES>().0.iter().enumerate() {
            x.0[i] = packed::unpack_first(&witness, points.map(|G1Point([row])| row));
        }
    }

    #[inline(always)]
    fn scatter(x: &Self, y: &Self, points: &mut [Self::Point; GROUP_LANES]) {
        for (i, points) in points.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            for (point, row) in points.iter_mut().zip(packed::pack(&x.0[i], &y.0[i])) {
                *point = G1Point([row]);
            }
        }
    }

    #[inline(always)]
    fn multiply(out: &mut Self, a: &Self, b: &Self) {
        F::multiply(&mut out.0, &a.0, &b.0);
    }

    #[inline(always)]
    fn square(out: &mut Self, a: &Self) {
        F::square_all(&mut out.0, &a.0);
    }

    #[inline(always)]
    fn subtract(out: &mut Self, a: &Self, b: &Self) {
        for i in 0..GROUP {
            out.0[i] = a.0[i].sub(&b.0[i]);
        }
    }

    #[inline(always)]
    fn add(out: &mut Self, a: &Self, b: &Self) {
        for i in 0..GROUP {
            out.0[i] = a.0[i].add(&b.0[i]);
        }
    }

    #[inline(always)]
    fn subtract_both(out: &mut Self, a: &Self, b: &Self, c: &Self) {
        for i in 0..GROUP {
            out.0[i] = a.0[i].reduced([&b.0[i], &c.0[i]], 2);
        }
    }

    #[inline(always)]
    fn subtract_reduced(out: &mut Self, a: &Self, b: &Self) {
        for i in 0..GROUP {
            out.0[i] = a.0[i].reduced([&b.0[i]], 2);
        }
    }

    #[inline(always)]
    fn negate(a: &mut Self, mask: Lanes) {
        for i in 0..GROUP {
            a.0[i] = F::select(mask[i], &a.0[i].negated(), &a.0[i]);
        }
    }

    #[inline(always)]
    fn single(a: &mut Self) {
        for a in &mut a.0 {
            *a = a.single();
        }
    }

    #[inline(always)]
    fn scale(out: &mut Self, a: &Self, factor: &Group<F>) {
        F::multiply(&mut out.0, &a.0, factor);
    }

    #[inline(always)]
    fn equal_lanes(a: &Self, b: &Self) -> Lanes {
        let mut lanes = [0; GROUP];
        for i in 0..GROUP {
            lanes[i] = a.0[i].equal_lanes(&b.0[i]);
        }
        lanes
    }

    #[inline(always)]
    fn zero_lanes(a: &Self) -> Lanes {
        let mut lanes = [0; GROUP];
        for i in 0..GROUP {
            lanes[i] = a.0[i].zero_lanes();
        }
        lanes
    }

    #[inline(always)]
    fn curve_lanes(x: &Self, y: &Self) -> Lanes {
        let b = constant(&x.0[0], g1::Config::COEFF_B);
        let (mut cube, mut square) = (*x, *x);
        F::square_all(&mut square.0, &x.0);
        F::multiply(&mut cube.0, &square.0, &x.0);
        F::square_all(&mut square.0, &y.0);
        let mut lanes = [0; GROUP];
        for i in 0..GROUP {
            lanes[i] = square.0[i].reduced([&cube.0[i], &b], 4).zero_lanes();
        }
        lanes
    }

    #[inline(always)]
    fn replace(out: &mut Self, mask: Lanes, one: &Self) {
        for i in 0..GROUP {
            out.0[i] = F::select(mask[i], &one.0[i], &out.0[i]);
        }
    }

    #[inline(always)]
    fn norm(out: &mut Group<F>, a: &Self) {
        *out = a.0;
    }

    #[inline(always)]
    fn norm_of_difference(out: &mut Group<F>, a: &Self, b: &Self, _: &mut Self) {
        for i in 0..GROUP {
            out[i] = a.0[i].sub(&b.0[i]);
        }
    }

    #[inline(always)]
    fn quotient(out: &mut Self, a: &Self, _: &Self, inverse: &Group<F>, _: &mut Self) {
        F::multiply(&mut out.0, &a.0, inverse);
    }
}
