//! A block of affine points of BN254's G1 that go through a chain together.
//!
//! Each step needs one field inversion per point; all points of the block share one, by prefix
//! products (Montgomery's trick). The products run in [`GROUP`] interleaved sequences, and all other
//! arithmetic on [`GROUP`] vectors at a time, so that the multiplier does not wait for itself.
//!
//! Coordinates are single values in the sense of [`Field`]; running points and tables are reduced, but
//! for what came in. Every product has one factor that is a single value.

#![expect(
    clippy::needless_range_loop,
    reason = "one index runs over several arrays, as in the formulas"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "all arrays of a block have the block's length"
)]
#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

mod table;

use ark_bn254::Fq;
use ark_ec::{scalar_mul::glv::GLVConfig, short_weierstrass::SWCurveConfig};
use ark_ff::{BigInt, Field as _};

use self::table::Choice;
use crate::chain::{Chain, Step, TABLE_SIZE, Table};
use crate::field::{Field, GROUP, Group, constant, erase, from_file, inverse_of_equal, to_file};
use crate::limbs::ONE_HALF;
use crate::packed::{Row, pack, unpack};
use crate::register::{LANES, Register, Rotation, work};

/// β of the endomorphism φ(x, y) = (βx, y), which multiplies by the λ of the library's [`GLVConfig`].
pub(crate) fn beta() -> Fq {
    <ark_bn254::g1::Config as GLVConfig>::ENDO_COEFFS
        .first()
        .copied()
        .unwrap_or(Fq::ONE)
}

/// Working memory: `x`, `y` the running points, `tables` the multiples of P that a chain's table has.
pub(crate) struct Block<F: Field> {
    x: Vec<Group<F>>,
    y: Vec<Group<F>>,
    tables: Vec<Points<F>>,
    denominators: Vec<Group<F>>,
    /// The products of all denominators before a group; one more than there are groups.
    prefixes: Vec<Group<F>>,
    slopes: Vec<Group<F>>,
    /// Inverses of the products of the denominators that are still to be used.
    inverses: Group<F>,
    /// A denominator was zero: some point was not of prime order, or the chain is not for this group.
    degenerate: bool,
    constants: Constants<F>,
}

/// Groups that hold nothing from one group of points to the next. A step erases them at its end.
type Scratch<F> = [Group<F>; 3];

/// Columns of coordinates x and y.
type Points<F> = (Vec<Group<F>>, Vec<Group<F>>);

/// Constants in vector form.
#[derive(Clone, Copy)]
struct Constants<F> {
    zero: F,
    one: Group<F>,
    beta: Group<F>,
    minus_two: Group<F>,
    three_halves: Group<F>,
    from_file: F,
    to_file: F,
}

work!(Set<'a, F: Field> {
    block: &'a mut Block<F>, v: usize, rows: &'a [Row; LANES],
} -> u8, block.set_inlined(v, rows));

work!(OnCurve<'a, F: Field> {
    block: &'a mut Block<F>, vectors: usize,
} -> bool, block.on_curve_inlined(vectors));

work!(Get<'a, F: Field> {
    block: &'a mut Block<F>, v: usize,
} -> [Row; LANES], block.get_inlined(v));

work!(Start<'a, F: Field> {
    block: &'a mut Block<F>, choice: &'a Choice, groups: usize,
} -> (), block.start_inlined(choice, groups));

work!(Double<'a, F: Field> {
    block: &'a mut Block<F>, groups: usize,
} -> (), block.double_inlined(groups));

work!(Add<'a, F: Field> {
    block: &'a mut Block<F>, choice: &'a Choice, groups: usize,
} -> (), block.add_inlined(choice, groups));

work!(DoubleAdd<'a, F: Field> {
    block: &'a mut Block<F>, choice: &'a Choice, groups: usize,
} -> (), block.double_add_inlined(choice, groups));

/// The steps as functions of their own, compiled for the processor's features.
impl<F: Field> Block<F> {
    fn features(&self) -> F::Register {
        self.constants.zero.register()
    }

    /// Takes vector `v` of points from rows in the form of files, canonical coordinates.
    /// Returns the lanes that are on the curve.
    pub(crate) fn set(&mut self, v: usize, rows: &[Row; LANES]) -> u8 {
        self.features().call(Set {
            block: self,
            v,
            rows,
        })
    }

    /// Whether the running points are on the curve: they are, unless the machine miscalculates.
    pub(crate) fn on_curve(&mut self, vectors: usize) -> bool {
        self.features().call(OnCurve {
            block: self,
            vectors,
        })
    }

    /// Vector `v` of the running points in the form of files.
    pub(crate) fn get(&mut self, v: usize) -> [Row; LANES] {
        self.features().call(Get { block: self, v })
    }

    fn start(&mut self, choice: &Choice, groups: usize) {
        self.features().call(Start {
            block: self,
            choice,
            groups,
        });
    }

    fn double(&mut self, groups: usize) {
        self.features().call(Double {
            block: self,
            groups,
        });
    }

    fn add(&mut self, choice: &Choice, groups: usize) {
        self.features().call(Add {
            block: self,
            choice,
            groups,
        });
    }

    fn double_add(&mut self, choice: &Choice, groups: usize) {
        self.features().call(DoubleAdd {
            block: self,
            choice,
            groups,
        });
    }
}

/// A vector's number as the place of its group and its place in the group.
fn place(v: usize) -> (usize, usize) {
    (v / GROUP, v % GROUP)
}

impl<F: Field> Block<F> {
    /// For at least so many vectors.
    pub(crate) fn new(zero: F, vectors: usize) -> Self {
        let column = || vec![[zero; GROUP]; vectors.div_ceil(GROUP)];
        Self {
            x: column(),
            y: column(),
            tables: (0..TABLE_SIZE).map(|_| (column(), column())).collect(),
            denominators: column(),
            prefixes: vec![[zero; GROUP]; vectors.div_ceil(GROUP) + 1],
            slopes: column(),
            inverses: [zero; GROUP],
            degenerate: false,
            constants: Constants {
                zero,
                one: [constant(&zero, Fq::ONE); GROUP],
                beta: [constant(&zero, beta()); GROUP],
                minus_two: [constant(&zero, -Fq::from(2_u64)); GROUP],
                three_halves: [constant(&zero, Fq::from(3_u64) * Fq::new(BigInt(ONE_HALF))); GROUP],
                from_file: from_file(&zero),
                to_file: to_file(&zero),
            },
        }
    }

    /// Number of vectors of eight points.
    pub(crate) fn vectors(&self) -> usize {
        self.x.len() * GROUP
    }

    #[inline(always)]
    fn set_inlined(&mut self, v: usize, rows: &[Row; LANES]) -> u8 {
        let (x, y) = unpack(&self.constants.zero, rows.each_ref());
        let (x, y) = (
            x.mul(&self.constants.from_file),
            y.mul(&self.constants.from_file),
        );
        let (g, i) = place(v);
        self.tables[0].0[g][i] = x;
        self.tables[0].1[g][i] = y;
        on_curve(&x, &y)
    }

    #[inline(always)]
    fn on_curve_inlined(&mut self, vectors: usize) -> bool {
        let mut all = u8::MAX;
        for v in 0..vectors {
            let (g, i) = place(v);
            all &= on_curve(&self.x[g][i], &self.y[g][i]);
        }
        all == u8::MAX
    }

    #[inline(always)]
    fn get_inlined(&mut self, v: usize) -> [Row; LANES] {
        let (g, i) = place(v);
        let factor = &self.constants.to_file;
        pack(&self.x[g][i].mul(factor), &self.y[g][i].mul(factor))
    }

    /// Runs the chain over the first `vectors` vectors. `false` if an addition met an exceptional
    /// case: then the running points are meaningless.
    #[must_use]
    pub(crate) fn run(&mut self, chain: &Chain, vectors: usize) -> bool {
        let groups = self.fill_up(vectors);
        self.degenerate = false;
        match chain.table() {
            Table::Odd => self.build_odd_table(groups),
            Table::Joint => self.build_joint_table(groups),
        }
        let mut started = false;
        for step in chain.steps() {
            match step {
                Step::Double => self.double(groups),
                Step::Add(term) => {
                    let choice = Choice::new(*term, chain.is_secret());
                    if started {
                        self.add(&choice, groups);
                    } else {
                        self.start(&choice, groups);
                        started = true;
                    }
                }
                Step::DoubleAdd(term) => {
                    self.double_add(&Choice::new(*term, chain.is_secret()), groups);
                }
            }
        }
        !self.degenerate
    }

    /// Repeats the first vector up to a whole number of groups, which is returned.
    fn fill_up(&mut self, vectors: usize) -> usize {
        let (xs, ys) = &mut self.tables[0];
        let (x, y) = (xs[0][0], ys[0][0]);
        for v in vectors..vectors.next_multiple_of(GROUP) {
            let (g, i) = place(v);
            xs[g][i] = x;
            ys[g][i] = y;
        }
        vectors.div_ceil(GROUP)
    }

    /// R ← a column of points.
    fn set_running(&mut self, points: &Points<F>, groups: usize) {
        self.x[..groups].copy_from_slice(&points.0[..groups]);
        self.y[..groups].copy_from_slice(&points.1[..groups]);
    }

    /// A row of the table ← R.
    fn keep_running(&mut self, row: usize, groups: usize) {
        self.tables[row].0[..groups].copy_from_slice(&self.x[..groups]);
        self.tables[row].1[..groups].copy_from_slice(&self.y[..groups]);
    }

    /// x of the chosen multiple for group `g`.
    #[inline(always)]
    fn chosen_x(&self, out: &mut Group<F>, choice: &Choice, g: usize) {
        for i in 0..GROUP {
            out[i] = choice.read(&self.constants.zero, |row| &self.tables[row].0[g][i]);
        }
        if choice.endomorphism {
            let chosen = *out;
            F::multiply(out, &chosen, &self.constants.beta);
        }
    }

    /// y of the chosen multiple, its sign applied, less `y`, for vector `i` of group `g`.
    #[inline(always)]
    fn chosen_rise(&self, choice: &Choice, g: usize, i: usize, y: &F) -> F {
        choice
            .read(&self.constants.zero, |row| &self.tables[row].1[g][i])
            .signed_difference(choice.negative, y)
    }

    #[inline(always)]
    fn start_inlined(&mut self, choice: &Choice, groups: usize) {
        let mut x = self.constants.one;
        for g in 0..groups {
            self.chosen_x(&mut x, choice, g);
            self.x[g] = x;
            for i in 0..GROUP {
                self.y[g][i] = self
                    .chosen_rise(choice, g, i, &self.constants.zero)
                    .reduced([], 0);
            }
        }
    }

    /// R ← 2R: λ = 3x²/2y, x' = λ² − 2x, y' = λ(x − x') − y. The inverses are those of y times 3/2, which the
    /// one inverse of all takes care of.
    #[inline(always)]
    fn double_inlined(&mut self, groups: usize) {
        self.prefixes[0] = self.constants.one;
        for g in 0..groups {
            extend(&mut self.prefixes, g, &self.y[g]);
        }
        self.invert(groups);
        self.scale_inverses(|constants| &constants.three_halves);
        let [mut inverses, mut squares, mut run] = self.scratch();
        for g in (0..groups).rev() {
            let rest = &mut self.inverses;
            F::multiply_both(&mut inverses, rest, &self.prefixes[g], &self.y[g]);
            F::square_all(&mut squares, &self.x[g]);
            F::multiply(&mut self.slopes[g], &squares, &inverses);
            F::square_all(&mut squares, &self.slopes[g]);
            let (xs, ys) = (&mut self.x[g], &mut self.y[g]);
            for i in 0..GROUP {
                let x3 = squares[i].reduced([&xs[i], &xs[i]], 4);
                run[i] = xs[i].sub(&x3);
                xs[i] = x3;
            }
            F::multiply(&mut squares, &self.slopes[g], &run);
            for i in 0..GROUP {
                ys[i] = squares[i].reduced([&ys[i]], 2);
            }
        }
        for group in [&mut inverses, &mut squares, &mut run] {
            erase(group);
        }
    }

    /// R ← R + T: λ = (yT − y)/(xT − x), x' = λ² − x − xT, y' = λ(x − x') − y.
    #[inline(always)]
    fn add_inlined(&mut self, choice: &Choice, groups: usize) {
        self.chord_denominators(choice, groups);
        let mut scratch = self.scratch();
        for g in (0..groups).rev() {
            self.chord_slope(choice, &mut scratch, g);
            self.third_point(&mut scratch, g);
        }
        erase(scratch.as_flattened_mut());
    }

    /// R ← (R + T) + R. The sum's y is never needed: with its slope λ₁ and its x₁, the second slope
    /// is λ₂ = −λ₁ − 2y/(x₁ − x); then x' = λ₂² − x − x₁, y' = λ₂(x − x') − y. The inverses are those of x₁ − x times
    /// −2.
    #[inline(always)]
    fn double_add_inlined(&mut self, choice: &Choice, groups: usize) {
        self.chord_denominators(choice, groups);
        let mut scratch = self.scratch();
        for g in (0..groups).rev() {
            self.chord_slope(choice, &mut scratch, g);
            let [squares, ..] = &mut scratch;
            F::square_all(squares, &self.slopes[g]);
            for i in 0..GROUP {
                let x = self.x[g][i];
                let sum_x = third_x(&squares[i], &x, &self.denominators[g][i]);
                self.denominators[g][i] = sum_x.sub(&x);
            }
        }
        for g in 0..groups {
            extend(&mut self.prefixes, g, &self.denominators[g]);
        }
        self.invert(groups);
        self.scale_inverses(|constants| &constants.minus_two);
        for g in (0..groups).rev() {
            let [inverses, quotients, _] = &mut scratch;
            self.next_inverses(inverses, g);
            F::multiply(quotients, &self.y[g], inverses);
            for (slope, quotient) in self.slopes[g].iter_mut().zip(quotients) {
                *slope = quotient.sub_single(slope);
            }
            self.third_point(&mut scratch, g);
        }
        erase(scratch.as_flattened_mut());
    }

    /// xT − x for all groups, and the inverses of their products.
    #[inline(always)]
    fn chord_denominators(&mut self, choice: &Choice, groups: usize) {
        let [mut chosen, ..] = self.scratch();
        self.prefixes[0] = self.constants.one;
        for g in 0..groups {
            self.chosen_x(&mut chosen, choice, g);
            for i in 0..GROUP {
                self.denominators[g][i] = chosen[i].sub(&self.x[g][i]);
            }
            extend(&mut self.prefixes, g, &self.denominators[g]);
        }
        erase(&mut chosen);
        self.invert(groups);
    }

    /// The inverses of a group's denominators, from those of the products up to it, which become those of the
    /// products before it.
    #[inline(always)]
    fn next_inverses(&mut self, inverses: &mut Group<F>, g: usize) {
        let rest = &mut self.inverses;
        F::multiply_both(inverses, rest, &self.prefixes[g], &self.denominators[g]);
    }

    /// Groups to write to.
    #[inline(always)]
    fn scratch(&self) -> Scratch<F> {
        [[self.constants.zero; GROUP]; 3]
    }

    /// λ = (yT − y)/(xT − x)
    #[inline(always)]
    fn chord_slope(&mut self, choice: &Choice, [inverses, rise, _]: &mut Scratch<F>, g: usize) {
        self.next_inverses(inverses, g);
        for i in 0..GROUP {
            rise[i] = self.chosen_rise(choice, g, i, &self.y[g][i]);
        }
        F::multiply(&mut self.slopes[g], rise, inverses);
    }

    /// x' = λ² − x − x₂, y' = λ(x − x') − y, with λ in `slopes` and x₂ − x in `denominators`.
    #[inline(always)]
    fn third_point(&mut self, [squares, run, _]: &mut Scratch<F>, g: usize) {
        F::square_all(squares, &self.slopes[g]);
        for i in 0..GROUP {
            let x = self.x[g][i];
            let x3 = third_x(&squares[i], &x, &self.denominators[g][i]);
            run[i] = x.sub(&x3);
            self.x[g][i] = x3;
        }
        F::multiply(squares, &self.slopes[g], run);
        for (y, rise) in self.y[g].iter_mut().zip(squares) {
            *y = rise.reduced([y], 2);
        }
    }

    /// Inverts the products of all denominators.
    fn invert(&mut self, groups: usize) {
        let inverses = try_invert_group(&self.prefixes[groups]);
        self.degenerate |= inverses.is_none();
        self.inverses = inverses.unwrap_or(self.constants.one);
    }

    /// Multiplies all inverses that come of the inverted products by a factor.
    #[inline(always)]
    fn scale_inverses(&mut self, factor: impl Fn(&Constants<F>) -> &Group<F>) {
        let inverses = self.inverses;
        F::multiply(&mut self.inverses, &inverses, factor(&self.constants));
    }
}

/// The products up to a group, from those before it.
#[inline(always)]
fn extend<F: Field>(prefixes: &mut [Group<F>], g: usize, denominators: &Group<F>) {
    let (before, after) = prefixes.split_at_mut(g + 1);
    F::multiply(&mut after[0], &before[g], denominators);
}

/// The lanes whose coordinates, single values, satisfy y² = x³ + 3.
#[inline(always)]
fn on_curve<F: Field>(x: &F, y: &F) -> u8 {
    let b = constant(x, ark_bn254::g1::Config::COEFF_B);
    let cube = x.square().mul(x);
    y.square().reduced([&cube, &b], 4).zero_lanes()
}

/// λ² − x − x₂ for the denominator x₂ − x: with 2x it makes up x + x₂.
#[inline(always)]
fn third_x<F: Field>(square: &F, x: &F, denominator: &F) -> F {
    square.reduced([denominator, x, x], 8)
}

impl<F: Field> Drop for Block<F> {
    /// The running points, and with them every intermediate multiple, are erased.
    fn drop(&mut self) {
        for column in [
            &mut self.x,
            &mut self.y,
            &mut self.denominators,
            &mut self.prefixes,
            &mut self.slopes,
        ] {
            erase(column.as_flattened_mut());
        }
        for (x, y) in &mut self.tables {
            erase(x.as_flattened_mut());
            erase(y.as_flattened_mut());
        }
        erase(&mut self.inverses);
    }
}

/// Inverts all elements of a group with one inversion, as a tree; `None` if one of them is zero.
pub(crate) fn try_invert_group<F: Field>(products: &Group<F>) -> Option<Group<F>> {
    products[0].register().call(InvertGroup { products })
}

work!(InvertGroup<'a, F: Field> { products: &'a Group<F> } -> Option<Group<F>>, {
    let [a, b, c, d] = products;
    let (a, b, c, d) = (a.single(), b.single(), c.single(), d.single());
    let (ab, cd) = (a.mul(&b), c.mul(&d));
    let inverse = invert_lanes(&ab.mul(&cd))?;
    let (of_ab, of_cd) = (inverse.mul(&cd), inverse.mul(&ab));
    Some([of_ab.mul(&b), of_ab.mul(&a), of_cd.mul(&d), of_cd.mul(&c)])
});

/// Inverts eight elements with one inversion; `None` if one of them is zero.
#[inline(always)]
fn invert_lanes<F: Field>(v: &F) -> Option<F> {
    // Products of two, four and all eight lanes, in every lane.
    let opposite = v.rotated(Rotation::Four);
    let two = v.mul(&opposite);
    let other_two = two.rotated(Rotation::Two);
    let four = two.mul(&other_two);
    let other_four = four.rotated(Rotation::One);
    let inverse = inverse_of_equal(&four.mul(&other_four))?;
    // 1/all times all other lanes.
    Some(inverse.mul(&opposite.mul(&other_two).mul(&other_four)))
}
