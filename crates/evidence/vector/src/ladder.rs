//! Many points of G1 times the powers of θ = 1 − ω, ω being the curve's endomorphism φ(x, y) = (βx, y).
//!
//! θ has norm 3 in Z[ω]: a step up, P − φ(P), is worth 1.58 bits of a scalar's 254 and costs no more than
//! a doubling, which is worth two. Digits to the base θ are the six units ±1, ±ω, ±ω², whose multiples
//! of a point are free; see `setup::eisenstein` of the crate `phase2`.
//!
//! With slope λ = 2/(1 − β) · y/x: x' = λ² − x − βx = λ² + β²x, y' = λ(x − x') − y. No step is exceptional: x is zero
//! for points of order three only, and there are none.

#![expect(
    clippy::indexing_slicing,
    reason = "constant indices into arrays of constant length, several in step, as in the formulas"
)]
#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

use ark_bn254::Fq;
use ark_ff::Field as _;

use crate::field::{Field, GROUP, GROUP_LANES, Group, constant};
use crate::group::{beta, try_invert_group};
use crate::level::Level;
use crate::packed::{Row, pack, pack_beside, unpack, unpack_beside};
use crate::points::G1Point;
use crate::register::{LANES, Register, work};

/// Working memory for one thread.
pub struct G1Ladder {
    memory: Box<dyn Climber>,
}

impl G1Ladder {
    /// At this level.
    #[must_use]
    pub fn new(level: Level) -> Self {
        let memory = level.climber();
        Self { memory }
    }

    /// Appends θ·P for all points, then θ²·P for all points, and so on: `steps` runs. The points are those of
    /// an adder of the same level.
    pub fn climb(&mut self, bases: &[G1Point], steps: usize, rungs: &mut Vec<G1Point>) {
        let count = bases.len();
        if count == 0 {
            return;
        }
        let start = rungs.len();
        rungs.resize(start + count * steps, G1Point::INFINITY);
        self.memory.load(bases);
        for rung in rungs[start..].chunks_exact_mut(count) {
            self.memory.step(rung);
        }
    }

    /// Writes the images (βx, y) of points of an adder of the same level and the images of these, (β²x, y); what
    /// is longer of the three is left alone.
    pub fn images(&self, points: &[G1Point], images: &mut [G1Point], second: &mut [G1Point]) {
        let count = points.len().min(images.len()).min(second.len());
        self.memory
            .images(&points[..count], &mut images[..count], &mut second[..count]);
    }
}

/// What ladders do, whatever the field's form.
pub(crate) trait Climber: Send {
    /// Takes the points that the ladder starts from.
    fn load(&mut self, bases: &[G1Point]);

    /// One step; the points go to a slice as long as that of the bases.
    fn step(&mut self, rung: &mut [G1Point]);

    /// Images of points, and those of the images: three slices of one length.
    fn images(&self, points: &[G1Point], images: &mut [G1Point], second: &mut [G1Point]);
}

/// The running points.
pub(crate) struct Rungs<F: Field> {
    x: Vec<Group<F>>,
    y: Vec<Group<F>>,
    prefixes: Vec<Group<F>>,
    one: Group<F>,
    beta: Group<F>,
    beta_squared: Group<F>,
    /// 2/(1 − β)
    factor: Group<F>,
}

work!(Load<'a, F: Field> {
    rungs: &'a mut Rungs<F>, bases: &'a [G1Point],
} -> (), rungs.load_inlined(bases));

work!(Step<'a, F: Field> {
    rungs: &'a mut Rungs<F>, out: &'a mut [G1Point],
} -> (), rungs.step_inlined(out));

work!(MapPoints<'a, F: Field> {
    rungs: &'a Rungs<F>,
    points: &'a [G1Point],
    images: &'a mut [G1Point],
    second: &'a mut [G1Point],
} -> (), rungs.images_inlined(points, images, second));

impl<F: Field> Climber for Rungs<F> {
    fn load(&mut self, bases: &[G1Point]) {
        self.one[0].register().call(Load { rungs: self, bases });
    }

    fn step(&mut self, rung: &mut [G1Point]) {
        self.one[0].register().call(Step {
            rungs: self,
            out: rung,
        });
    }

    fn images(&self, points: &[G1Point], images: &mut [G1Point], second: &mut [G1Point]) {
        let groups = points
            .chunks(GROUP_LANES)
            .zip(images.chunks_mut(GROUP_LANES))
            .zip(second.chunks_mut(GROUP_LANES));
        for ((points, images), second) in groups {
            self.one[0].register().call(MapPoints {
                rungs: self,
                points,
                images,
                second,
            });
        }
    }
}

impl<F: Field> Rungs<F> {
    pub(crate) fn new(zero: F) -> Self {
        // β is a cube root of one, and not one.
        let factor = (Fq::ONE - beta()).inverse().unwrap_or_default();
        Self {
            x: Vec::new(),
            y: Vec::new(),
            prefixes: Vec::new(),
            one: [constant(&zero, Fq::ONE); GROUP],
            beta: [constant(&zero, beta()); GROUP],
            beta_squared: [constant(&zero, beta() * beta()); GROUP],
            factor: [constant(&zero, factor + factor); GROUP],
        }
    }

    /// In the place of infinity, and where a last group is not full, runs (1, 0), for which the formulas hold
    /// as well and x stays a power of β.
    #[inline(always)]
    fn load_inlined(&mut self, bases: &[G1Point]) {
        let (one, zero) = (self.one[0], self.one[0].zero());
        self.x.clear();
        self.y.clear();
        for bases in bases.chunks(GROUP_LANES) {
            let mut rows = [&Row::ZERO; GROUP_LANES];
            for (row, G1Point([base])) in rows.iter_mut().zip(bases) {
                *row = base;
            }
            let (mut xs, mut ys) = (self.one, [zero; GROUP]);
            for (i, rows) in rows.as_chunks::<LANES>().0.iter().enumerate() {
                let (x, y) = unpack(&one, *rows);
                xs[i] = F::select(x.zero_lanes(), &one, &x);
                ys[i] = y;
            }
            self.x.push(xs);
            self.y.push(ys);
        }
        self.prefixes.resize(self.x.len(), self.one);
    }

    /// At most a group. 1 + β + β² = 0, so x + βx + β²x = 0.
    #[inline(always)]
    fn images_inlined(&self, points: &[G1Point], images: &mut [G1Point], second: &mut [G1Point]) {
        let mut rows = [&Row::ZERO; GROUP_LANES];
        for (row, G1Point([point])) in rows.iter_mut().zip(points) {
            *row = point;
        }
        let (mut x, mut image) = (self.one, self.one);
        let mut y = [[self.one[0].register(); LANES / 2]; GROUP];
        for (i, rows) in rows.as_chunks::<LANES>().0.iter().enumerate() {
            (x[i], y[i]) = unpack_beside(&self.one[0], *rows);
        }
        F::multiply(&mut image, &x, &self.beta);
        let outs = images.chunks_mut(LANES).zip(second.chunks_mut(LANES));
        for (i, (images, second)) in outs.enumerate() {
            let other = x[i].zero().reduced([&x[i], &image[i]], 3);
            for (image, row) in images.iter_mut().zip(pack_beside(&image[i], y[i])) {
                *image = G1Point([row]);
            }
            for (second, row) in second.iter_mut().zip(pack_beside(&other, y[i])) {
                *second = G1Point([row]);
            }
        }
    }

    #[inline(always)]
    fn step_inlined(&mut self, out: &mut [G1Point]) {
        let Self {
            x,
            y,
            prefixes,
            one,
            beta_squared,
            factor,
            ..
        } = self;
        let mut product = *one;
        for (x, prefix) in x.iter().zip(prefixes.iter_mut()) {
            *prefix = product;
            F::multiply(&mut product, x, prefix);
        }
        // No x is zero; without an inverse the points would not be on the curve.
        let total = try_invert_group(&product).unwrap_or(product);
        let mut inverse = total;
        F::multiply(&mut inverse, &total, factor);
        let (mut own, mut slope, mut square, mut image) = (total, total, total, total);
        let groups = x.iter_mut().zip(y).zip(prefixes.iter());
        for (((x, y), prefix), out) in groups.zip(out.chunks_mut(GROUP_LANES)).rev() {
            F::multiply(&mut own, &inverse, prefix);
            let before = inverse;
            F::multiply(&mut inverse, x, &before);
            F::multiply(&mut slope, y, &own);
            F::square_all(&mut square, &slope);
            F::multiply(&mut image, x, beta_squared);
            for i in 0..GROUP {
                let third = square[i].add(&image[i]).reduced([], 0);
                own[i] = x[i].sub(&third);
                x[i] = third;
            }
            F::multiply(&mut square, &own, &slope);
            for i in 0..GROUP {
                y[i] = square[i].reduced([&y[i]], 2);
            }
            for (i, out) in out.chunks_mut(LANES).enumerate() {
                let infinity = y[i].zero_lanes();
                for (lane, (out, row)) in out.iter_mut().zip(pack(&x[i], &y[i])).enumerate() {
                    *out = G1Point([row]);
                    if infinity & (1 << lane) != 0 {
                        *out = G1Point::INFINITY;
                    }
                }
            }
        }
    }
}
