//! A block of affine points of BN254's G1 that go through a chain together.
//!
//! Coordinates are below 2q. Each step needs one field inversion per point; all points of the block
//! share one, by prefix products (Montgomery's trick). The products run in [`GROUP`] interleaved
//! sequences, and all other arithmetic on [`GROUP`] vectors at a time, so that the multiplier does not
//! wait for itself.

#![expect(
    clippy::needless_range_loop,
    reason = "one index runs over several arrays, as in the formulas"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "all arrays of a block have the block's length"
)]

use crate::chain::{Chain, Step, TABLE_SIZE, Term};
use crate::field::{Fq8, GROUP, Group, LANES, multiply, square};
use crate::invert::invert;
use crate::limbs::{LIMBS, MODULUS_64, join, less, modulus_times, split};
use ark_bn254::Fq;
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ff::{BigInt, Field, PrimeField};
use zeroize::Zeroize;

/// β of the endomorphism φ(x, y) = (βx, y), which multiplies by the λ of the library's [`GLVConfig`].
fn beta() -> Fq {
    <ark_bn254::g1::Config as GLVConfig>::ENDO_COEFFS
        .first()
        .copied()
        .unwrap_or(Fq::ONE)
}

/// The constant of the curve equation y² = x³ + 3 in Montgomery form with R = 2^260, which is the
/// library's form of 16 times the constant.
const CURVE_B_LIMBS: [u64; LIMBS] = split(Fq::new(BigInt([3 * 16, 0, 0, 0])).0.0);

/// Working memory: `x`, `y` the running points, `tables[k]` the multiples (2k+1)·P.
pub(crate) struct Block {
    x: Vec<Group>,
    y: Vec<Group>,
    tables: Vec<(Vec<Group>, Vec<Group>)>,
    denominators: Vec<Group>,
    prefixes: Vec<Group>,
    slopes: Vec<Group>,
    /// Inverses of the products of the denominators that are still to be used.
    inverses: Group,
    /// A denominator was zero: some point was not of prime order, or the chain is not for this group.
    degenerate: bool,
}

/// Which multiple of the table a step takes.
struct Choice {
    /// The row where it may be told by the address that is read.
    row: Option<usize>,
    /// For each row all ones if it is the chosen one: where the row must not be told.
    masks: [u64; TABLE_SIZE],
    /// All ones for minus.
    negative: u64,
    endomorphism: bool,
}

impl Choice {
    fn new(term: Term, secret: bool) -> Self {
        let wanted = usize::from(term.index);
        let mut masks = [0; TABLE_SIZE];
        for (row, mask) in masks.iter_mut().enumerate() {
            // All ones for the wanted row, without a branch.
            let difference = std::hint::black_box(row ^ wanted);
            *mask = u64::from(difference == 0).wrapping_neg();
        }
        Self {
            row: (!secret).then_some(wanted),
            masks,
            negative: u64::from(term.negative).wrapping_neg(),
            endomorphism: term.endomorphism,
        }
    }

    fn row(row: usize) -> Self {
        Self {
            row: Some(row),
            masks: [0; TABLE_SIZE],
            negative: 0,
            endomorphism: false,
        }
    }

    /// The vector of the chosen row.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn read<'a>(&self, vector: impl Fn(usize) -> &'a Fq8) -> Fq8 {
        if let Some(row) = self.row {
            return *vector(row);
        }
        let mut chosen = Fq8::splat([0; LIMBS]);
        for (row, mask) in self.masks.iter().enumerate() {
            chosen = chosen.or(&vector(row).masked(*mask));
        }
        chosen
    }
}

impl Drop for Choice {
    fn drop(&mut self) {
        self.masks.zeroize();
        self.negative.zeroize();
    }
}

/// Constants of the group in vector form.
struct Constants {
    one: Group,
    beta: Group,
}

impl Constants {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new() -> Self {
        Self {
            one: [Fq8::splat(montgomery(Fq::from(1_u64))); GROUP],
            beta: [Fq8::splat(montgomery(beta())); GROUP],
        }
    }
}

impl Block {
    /// For at least so many vectors.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn new(vectors: usize) -> Self {
        let zero = [Fq8::splat([0; LIMBS]); GROUP];
        let column = || vec![zero; vectors.div_ceil(GROUP)];
        Self {
            x: column(),
            y: column(),
            tables: (0..TABLE_SIZE).map(|_| (column(), column())).collect(),
            denominators: column(),
            prefixes: column(),
            slopes: column(),
            inverses: zero,
            degenerate: false,
        }
    }

    /// Number of vectors of eight points.
    pub(crate) fn vectors(&self) -> usize {
        self.x.len() * GROUP
    }

    /// Takes vector `v` of points from limbs in Montgomery form with R = 2^260, values below 16q.
    /// Returns the lanes that are on the curve.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn set(
        &mut self,
        v: usize,
        x: &[[u64; LANES]; LIMBS],
        y: &[[u64; LANES]; LIMBS],
    ) -> u8 {
        let none = [0; LIMBS];
        let x = Fq8::load(x).reduced(1, [], &none);
        let y = Fq8::load(y).reduced(1, [], &none);
        self.tables[0].0[v / GROUP][v % GROUP] = x;
        self.tables[0].1[v / GROUP][v % GROUP] = y;
        on_curve(&x, &y)
    }

    /// Whether the running points are on the curve: they are, unless the machine miscalculates.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn on_curve(&self, vectors: usize) -> bool {
        let mut all = u8::MAX;
        for v in 0..vectors {
            let (x, y) = (self.x[v / GROUP][v % GROUP], self.y[v / GROUP][v % GROUP]);
            all &= on_curve(&x, &y);
        }
        all == u8::MAX
    }

    /// Vector `v` of the running points as canonical 64-bit limbs in Montgomery form with R = 2^256.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn get(&self, v: usize) -> [([u64; 4], [u64; 4]); LANES] {
        // Montgomery product with the plain integer 2^256 turns R = 2^260 into R = 2^256.
        let factor = Fq8::splat([0, 0, 0, 0, 1 << 48]);
        let x = self.x[v / GROUP][v % GROUP].mul(&factor).store();
        let y = self.y[v / GROUP][v % GROUP].mul(&factor).store();
        let mut points = [([0; 4], [0; 4]); LANES];
        for (lane, point) in points.iter_mut().enumerate() {
            *point = (canonical(&x, lane), canonical(&y, lane));
        }
        points
    }

    /// Runs the chain over the first `vectors` vectors. `false` if an addition met an exceptional
    /// case: then the running points are meaningless.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[must_use]
    pub(crate) fn run(&mut self, chain: &Chain, vectors: usize) -> bool {
        let groups = self.fill_up(vectors);
        let constants = Constants::new();
        self.degenerate = false;
        self.build_table(&constants, groups);
        let mut started = false;
        for step in chain.steps() {
            match step {
                Step::Double => self.double(&constants, groups),
                Step::Add(term) => {
                    let choice = Choice::new(*term, chain.is_secret());
                    if started {
                        self.add(&constants, &choice, groups);
                    } else {
                        self.start(&constants, &choice, groups);
                        started = true;
                    }
                }
                Step::DoubleAdd(term) => {
                    let choice = Choice::new(*term, chain.is_secret());
                    self.double_add(&constants, &choice, groups);
                }
            }
        }
        !self.degenerate
    }

    /// Repeats the first vector up to a whole number of groups, which is returned.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn fill_up(&mut self, vectors: usize) -> usize {
        let (xs, ys) = &mut self.tables[0];
        let (x, y) = (xs[0][0], ys[0][0]);
        for v in vectors..vectors.next_multiple_of(GROUP) {
            xs[v / GROUP][v % GROUP] = x;
            ys[v / GROUP][v % GROUP] = y;
        }
        vectors.div_ceil(GROUP)
    }

    /// The odd multiples 3P … 15P from P: R ← 2P once, then T[k+1] = T[k] + 2P.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn build_table(&mut self, constants: &Constants, groups: usize) {
        self.x[..groups].copy_from_slice(&self.tables[0].0[..groups]);
        self.y[..groups].copy_from_slice(&self.tables[0].1[..groups]);
        self.double(constants, groups);
        let twice = (self.x.clone(), self.y.clone());
        for k in 1..TABLE_SIZE {
            // R = 2P and T[k-1] are different points for a prime order above 2·15.
            self.add(constants, &Choice::row(k - 1), groups);
            self.tables[k].0[..groups].copy_from_slice(&self.x[..groups]);
            self.tables[k].1[..groups].copy_from_slice(&self.y[..groups]);
            self.x[..groups].copy_from_slice(&twice.0[..groups]);
            self.y[..groups].copy_from_slice(&twice.1[..groups]);
        }
    }

    /// x of the chosen multiple for group `g`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn chosen_x(&self, out: &mut Group, constants: &Constants, choice: &Choice, g: usize) {
        for i in 0..GROUP {
            out[i] = choice.read(|row| &self.tables[row].0[g][i]);
        }
        if choice.endomorphism {
            let chosen = *out;
            multiply(out, &chosen, &constants.beta);
        }
    }

    /// y of the chosen multiple, its sign applied, for vector `i` of group `g`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn chosen_y(&self, choice: &Choice, g: usize, i: usize) -> Fq8 {
        let y = choice.read(|row| &self.tables[row].1[g][i]);
        let minus = Fq8::splat([0; LIMBS]).reduced(1, [&y], &modulus_times(3));
        y.masked(!choice.negative)
            .or(&minus.masked(choice.negative))
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn start(&mut self, constants: &Constants, choice: &Choice, groups: usize) {
        let mut x = constants.one;
        for g in 0..groups {
            self.chosen_x(&mut x, constants, choice, g);
            self.x[g] = x;
            for i in 0..GROUP {
                self.y[g][i] = self.chosen_y(choice, g, i);
            }
        }
    }

    /// R ← 2R: λ = 3x²/2y, x' = λ² − 2x, y' = λ(x − x') − y.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn double(&mut self, constants: &Constants, groups: usize) {
        let mut products = constants.one;
        for g in 0..groups {
            for (denominator, y) in self.denominators[g].iter_mut().zip(&self.y[g]) {
                *denominator = y.add(y);
            }
            self.extend(&mut products, g);
        }
        self.invert(constants, &products);
        let (mut inverses, mut squares, mut run) = (products, products, products);
        for g in (0..groups).rev() {
            self.next_inverses(&mut inverses, g);
            square(&mut squares, &self.x[g]);
            for square in &mut squares {
                *square = square.add(square).add(square);
            }
            multiply(&mut self.slopes[g], &squares, &inverses);
            square(&mut squares, &self.slopes[g]);
            let (xs, ys) = (&mut self.x[g], &mut self.y[g]);
            for i in 0..GROUP {
                let x3 = squares[i].reduced(1, [&xs[i], &xs[i]], &modulus_times(5));
                run[i] = xs[i].sub(&x3);
                xs[i] = x3;
            }
            multiply(&mut squares, &self.slopes[g], &run);
            for i in 0..GROUP {
                ys[i] = squares[i].reduced(1, [&ys[i]], &modulus_times(3));
            }
        }
    }

    /// R ← R + T: λ = (yT − y)/(xT − x), x' = λ² − x − xT, y' = λ(x − x') − y.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn add(&mut self, constants: &Constants, choice: &Choice, groups: usize) {
        self.chord_denominators(constants, choice, groups);
        let mut inverses = self.inverses;
        for g in (0..groups).rev() {
            self.next_inverses(&mut inverses, g);
            self.chord_slope(choice, &inverses, g);
            self.third_point(g);
        }
    }

    /// R ← (R + T) + R. The sum's y is never needed: with its slope λ₁ and its x₁, the second slope
    /// is λ₂ = −λ₁ − 2y/(x₁ − x); then x' = λ₂² − x − x₁, y' = λ₂(x − x') − y.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn double_add(&mut self, constants: &Constants, choice: &Choice, groups: usize) {
        self.chord_denominators(constants, choice, groups);
        let mut inverses = self.inverses;
        let mut squares = self.inverses;
        for g in (0..groups).rev() {
            self.next_inverses(&mut inverses, g);
            self.chord_slope(choice, &inverses, g);
            square(&mut squares, &self.slopes[g]);
            for i in 0..GROUP {
                let x = self.x[g][i];
                let sum_x = third_x(&squares[i], &x, &self.denominators[g][i]);
                self.denominators[g][i] = sum_x.sub(&x);
            }
        }
        let mut products = constants.one;
        for g in 0..groups {
            self.extend(&mut products, g);
        }
        self.invert(constants, &products);
        let zero = Fq8::splat([0; LIMBS]);
        let mut twice = products;
        for g in (0..groups).rev() {
            self.next_inverses(&mut inverses, g);
            for (twice, y) in twice.iter_mut().zip(&self.y[g]) {
                *twice = y.add(y);
            }
            multiply(&mut squares, &twice, &inverses);
            for (slope, quotient) in self.slopes[g].iter_mut().zip(&squares) {
                *slope = zero.reduced(1, [quotient, slope], &modulus_times(5));
            }
            self.third_point(g);
        }
    }

    /// xT − x for all groups, and the inverses of their products.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn chord_denominators(&mut self, constants: &Constants, choice: &Choice, groups: usize) {
        let mut products = constants.one;
        let mut chosen = constants.one;
        for g in 0..groups {
            self.chosen_x(&mut chosen, constants, choice, g);
            for i in 0..GROUP {
                self.denominators[g][i] = chosen[i].sub(&self.x[g][i]);
            }
            self.extend(&mut products, g);
        }
        self.invert(constants, &products);
    }

    /// λ = (yT − y)/(xT − x)
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn chord_slope(&mut self, choice: &Choice, inverses: &Group, g: usize) {
        let mut rise = *inverses;
        for i in 0..GROUP {
            rise[i] = self.chosen_y(choice, g, i).sub(&self.y[g][i]);
        }
        multiply(&mut self.slopes[g], &rise, inverses);
    }

    /// x' = λ² − x − x₂, y' = λ(x − x') − y, with λ in `slopes` and x₂ − x in `denominators`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn third_point(&mut self, g: usize) {
        let mut squares = self.inverses;
        let mut run = self.inverses;
        square(&mut squares, &self.slopes[g]);
        for i in 0..GROUP {
            let x = self.x[g][i];
            let x3 = third_x(&squares[i], &x, &self.denominators[g][i]);
            run[i] = x.sub(&x3);
            self.x[g][i] = x3;
        }
        multiply(&mut squares, &self.slopes[g], &run);
        for (y, rise) in self.y[g].iter_mut().zip(&squares) {
            *y = rise.reduced(1, [y], &modulus_times(3));
        }
    }

    /// Multiplies the denominators of group `g` to the products; keeps the products before.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn extend(&mut self, products: &mut Group, g: usize) {
        self.prefixes[g] = *products;
        multiply(products, &self.prefixes[g], &self.denominators[g]);
    }

    /// Inverts the products of all denominators.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn invert(&mut self, constants: &Constants, products: &Group) {
        let inverses = try_invert_group(products);
        self.degenerate |= inverses.is_none();
        self.inverses = inverses.unwrap_or(constants.one);
    }

    /// The inverses of group `g`'s denominators; groups must come in descending order.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn next_inverses(&mut self, inverses: &mut Group, g: usize) {
        multiply(inverses, &self.inverses, &self.prefixes[g]);
        let before = self.inverses;
        multiply(&mut self.inverses, &before, &self.denominators[g]);
    }
}

/// The lanes whose coordinates, below 2q, satisfy y² = x³ + 3.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn on_curve(x: &Fq8, y: &Fq8) -> u8 {
    let b = Fq8::splat(CURVE_B_LIMBS);
    let cube = x.square().mul(x);
    y.square()
        .reduced(1, [&cube, &b], &modulus_times(5))
        .zero_lanes()
}

/// λ² − x − x₂ for the denominator x₂ − x, which is below 4q: with 2x it makes up x + x₂.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn third_x(square: &Fq8, x: &Fq8, denominator: &Fq8) -> Fq8 {
    square.reduced(1, [denominator, x, x], &modulus_times(9))
}

impl Drop for Block {
    /// The running points, and with them every intermediate multiple, are erased.
    fn drop(&mut self) {
        for column in [
            &mut self.x,
            &mut self.y,
            &mut self.denominators,
            &mut self.prefixes,
            &mut self.slopes,
        ] {
            erase(column);
        }
        for (x, y) in &mut self.tables {
            erase(x);
            erase(y);
        }
        self.inverses.iter_mut().for_each(Fq8::zeroize);
    }
}

fn erase(column: &mut [Group]) {
    for vector in column.iter_mut().flatten() {
        vector.zeroize();
    }
}

/// Inverts all elements of a group with one inversion, as a tree; `None` if one of them is zero.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn try_invert_group(products: &Group) -> Option<Group> {
    let [a, b, c, d] = products;
    let (ab, cd) = (a.mul(b), c.mul(d));
    let inverse = invert_lanes(&ab.mul(&cd))?;
    let (of_ab, of_cd) = (inverse.mul(&cd), inverse.mul(&ab));
    Some([of_ab.mul(b), of_ab.mul(a), of_cd.mul(d), of_cd.mul(c)])
}

/// Inverts eight elements with one inversion; `None` if one of them is zero.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn invert_lanes(v: &Fq8) -> Option<Fq8> {
    // Products of two, four and all eight lanes, in every lane.
    let opposite = v.rotated::<4>();
    let two = v.mul(&opposite);
    let other_two = two.rotated::<2>();
    let four = two.mul(&other_two);
    let other_four = four.rotated::<1>();
    let all = element(&four.mul(&other_four).store(), 0);
    // element() reads a·2^260 as the library's form of 16a; its inverse is short by 2^4 twice.
    let inverse = Fq8::splat(split((invert(all)? * Fq::from(1_u64 << 8)).0.0));
    // 1/all times all other lanes.
    Some(inverse.mul(&opposite.mul(&other_two).mul(&other_four)))
}

/// Element `lane` as the library's type, its raw Montgomery limbs taken as they are.
fn element(lanes: &[[u64; LANES]; LIMBS], lane: usize) -> Fq {
    Fq::new_unchecked(BigInt(canonical(lanes, lane)))
}

/// Element `lane` fully reduced, in 64-bit limbs. The value must be below 2q.
fn canonical(lanes: &[[u64; LANES]; LIMBS], lane: usize) -> [u64; 4] {
    let value = join([
        lanes[0][lane],
        lanes[1][lane],
        lanes[2][lane],
        lanes[3][lane],
        lanes[4][lane],
    ]);
    if less(&value, &MODULUS_64) {
        value
    } else {
        minus_modulus(value)
    }
}

fn minus_modulus(value: [u64; 4]) -> [u64; 4] {
    let mut result = [0; 4];
    let mut borrow = false;
    for (limb, (v, q)) in result.iter_mut().zip(value.into_iter().zip(MODULUS_64)) {
        let (difference, first) = v.overflowing_sub(q);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        *limb = difference;
        borrow = first || second;
    }
    result
}

/// Limbs in radix 2^52 of an element in Montgomery form with R = 2^260.
pub(crate) fn montgomery(value: Fq) -> [u64; LIMBS] {
    split((value * Fq::from(16_u64)).0.0)
}

/// The modulus must fit the bounds that the field functions count on.
const _: () = assert!(<Fq as PrimeField>::MODULUS_BIT_SIZE == 254);
