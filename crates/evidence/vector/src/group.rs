//! A block of affine points of BN254's G1 that go through a chain together.
//!
//! Coordinates are below 2q. Each step needs one field inversion per point; all points of the block
//! share one, by prefix products (Montgomery's trick). The products run in [`STRIDE`] interleaved
//! sequences so that the multiplier does not wait for itself.

#![expect(
    clippy::indexing_slicing,
    reason = "all arrays of a block have the block's length"
)]

use crate::chain::{Chain, Step, TABLE_SIZE, Term};
use crate::field::{Fq8, LANES};
use crate::limbs::{LIMBS, MODULUS_64, join, less, modulus_times, split};
use ark_bn254::Fq;
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};

/// Interleaved sequences of prefix products.
const STRIDE: usize = 4;

/// β of the endomorphism φ(x, y) = (βx, y), which multiplies by the λ of the library's [`GLVConfig`].
fn beta() -> Fq {
    <ark_bn254::g1::Config as GLVConfig>::ENDO_COEFFS
        .first()
        .copied()
        .unwrap_or(Fq::ONE)
}

/// x³ + 3 in the curve equation, as a multiple of one in Montgomery form.
const CURVE_B: u64 = 3;

/// Working memory: `x`, `y` the running points, `tables[k]` the multiples (2k+1)·P.
pub(crate) struct Block {
    x: Vec<Fq8>,
    y: Vec<Fq8>,
    tables: Vec<(Vec<Fq8>, Vec<Fq8>)>,
    denominators: Vec<Fq8>,
    prefixes: Vec<Fq8>,
    slopes: Vec<Fq8>,
    /// A denominator was zero: some point was not of prime order, or the chain is not for this group.
    degenerate: bool,
}

/// Which multiple of the table a step takes.
struct Choice {
    row: usize,
    /// All ones for minus.
    negative: u64,
    endomorphism: bool,
    /// Read every row.
    secret: bool,
}

impl Choice {
    fn new(term: Term, secret: bool) -> Self {
        Self {
            row: usize::from(term.index),
            negative: u64::from(term.negative).wrapping_neg(),
            endomorphism: term.endomorphism,
            secret,
        }
    }

    fn row(row: usize) -> Self {
        Self {
            row,
            negative: 0,
            endomorphism: false,
            secret: false,
        }
    }

    /// The vector of the chosen row.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn read<'a>(&self, vector: impl Fn(usize) -> &'a Fq8) -> Fq8 {
        if !self.secret {
            return *vector(self.row);
        }
        let mut chosen = Fq8::splat([0; LIMBS]);
        for row in 0..TABLE_SIZE {
            // All ones for the wanted row, without a branch.
            let difference = std::hint::black_box(row ^ self.row);
            let mask = u64::from(difference == 0).wrapping_neg();
            chosen = chosen.or(&vector(row).masked(mask));
        }
        chosen
    }
}

/// Constants of the group in vector form.
struct Constants {
    one: Fq8,
    beta: Fq8,
}

impl Constants {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new() -> Self {
        Self {
            one: Fq8::splat(montgomery(Fq::from(1_u64))),
            beta: Fq8::splat(montgomery(beta())),
        }
    }
}

impl Block {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn new(vectors: usize) -> Self {
        let zero = Fq8::splat([0; LIMBS]);
        let column = || vec![zero; vectors];
        Self {
            x: column(),
            y: column(),
            tables: (0..TABLE_SIZE).map(|_| (column(), column())).collect(),
            denominators: column(),
            prefixes: column(),
            slopes: column(),
            degenerate: false,
        }
    }

    /// Number of vectors of eight points.
    pub(crate) fn vectors(&self) -> usize {
        self.x.len()
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
        let b = Fq8::splat(montgomery(Fq::from(CURVE_B)));
        let cube = x.square().mul(&x);
        let difference = y.square().reduced(1, [&cube, &b], &modulus_times(5));
        self.tables[0].0[v] = x;
        self.tables[0].1[v] = y;
        difference.zero_lanes()
    }

    /// Vector `v` of the running points as canonical 64-bit limbs in Montgomery form with R = 2^256.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn get(&self, v: usize) -> [([u64; 4], [u64; 4]); LANES] {
        // Montgomery product with the plain integer 2^256 turns R = 2^260 into R = 2^256.
        let factor = Fq8::splat([0, 0, 0, 0, 1 << 48]);
        let x = self.x[v].mul(&factor).store();
        let y = self.y[v].mul(&factor).store();
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
        let constants = Constants::new();
        self.degenerate = false;
        self.build_table(&constants, vectors);
        let mut started = false;
        for step in chain.steps() {
            match step {
                Step::Double => self.double(&constants, vectors),
                Step::Add(term) => {
                    let choice = Choice::new(*term, chain.is_secret());
                    if started {
                        self.add(&constants, &choice, vectors);
                    } else {
                        self.start(&constants, &choice, vectors);
                        started = true;
                    }
                }
                Step::DoubleAdd(term) => {
                    let choice = Choice::new(*term, chain.is_secret());
                    self.double_add(&constants, &choice, vectors);
                }
            }
        }
        !self.degenerate
    }

    /// The odd multiples 3P … 15P from P: R ← 2P once, then T[k+1] = T[k] + 2P.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn build_table(&mut self, constants: &Constants, vectors: usize) {
        for v in 0..vectors {
            self.x[v] = self.tables[0].0[v];
            self.y[v] = self.tables[0].1[v];
        }
        self.double(constants, vectors);
        let twice = (self.x.clone(), self.y.clone());
        for k in 1..TABLE_SIZE {
            // R = 2P and T[k-1] are different points for a prime order above 2·15.
            self.add(constants, &Choice::row(k - 1), vectors);
            self.tables[k].0[..vectors].copy_from_slice(&self.x[..vectors]);
            self.tables[k].1[..vectors].copy_from_slice(&self.y[..vectors]);
            self.x[..vectors].copy_from_slice(&twice.0[..vectors]);
            self.y[..vectors].copy_from_slice(&twice.1[..vectors]);
        }
    }

    /// x of the chosen multiple.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn chosen_x(&self, constants: &Constants, choice: &Choice, v: usize) -> Fq8 {
        let x = choice.read(|row| &self.tables[row].0[v]);
        if choice.endomorphism {
            x.mul(&constants.beta)
        } else {
            x
        }
    }

    /// y of the chosen multiple, its sign applied.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn chosen_y(&self, choice: &Choice, v: usize) -> Fq8 {
        let y = choice.read(|row| &self.tables[row].1[v]);
        let minus = Fq8::splat([0; LIMBS]).reduced(1, [&y], &modulus_times(3));
        y.masked(!choice.negative)
            .or(&minus.masked(choice.negative))
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn start(&mut self, constants: &Constants, choice: &Choice, vectors: usize) {
        for v in 0..vectors {
            self.x[v] = self.chosen_x(constants, choice, v);
            self.y[v] = self.chosen_y(choice, v);
        }
    }

    /// R ← 2R: λ = 3x²/2y, x' = λ² − 2x, y' = λ(x − x') − y.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn double(&mut self, constants: &Constants, vectors: usize) {
        for v in 0..vectors {
            self.denominators[v] = self.y[v].add(&self.y[v]);
        }
        self.share_inversion(constants, vectors, |block, v, inverse| {
            let (x, y) = (block.x[v], block.y[v]);
            let square = x.square();
            let slope = square.add(&square).add(&square).mul(inverse);
            let x3 = slope.square().reduced(1, [&x, &x], &modulus_times(5));
            block.x[v] = x3;
            block.y[v] = slope.mul(&x.sub(&x3)).reduced(1, [&y], &modulus_times(3));
        });
    }

    /// R ← R + T: λ = (yT − y)/(xT − x), x' = λ² − x − xT, y' = λ(x − x') − y.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn add(&mut self, constants: &Constants, choice: &Choice, vectors: usize) {
        for v in 0..vectors {
            self.denominators[v] = self.chosen_x(constants, choice, v).sub(&self.x[v]);
        }
        self.share_inversion(constants, vectors, |block, v, inverse| {
            let (x, y) = (block.x[v], block.y[v]);
            let slope = block.chosen_y(choice, v).sub(&y).mul(inverse);
            // The denominator is xT − x, below 4q: with 2x it makes up x + xT.
            let run = block.denominators[v];
            let x3 = slope.square().reduced(1, [&run, &x, &x], &modulus_times(9));
            block.x[v] = x3;
            block.y[v] = slope.mul(&x.sub(&x3)).reduced(1, [&y], &modulus_times(3));
        });
    }

    /// R ← (R + T) + R. The sum's y is never needed: with its slope λ₁ and its x₁, the second slope
    /// is λ₂ = −λ₁ − 2y/(x₁ − x); then x' = λ₂² − x − x₁, y' = λ₂(x − x') − y.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn double_add(&mut self, constants: &Constants, choice: &Choice, vectors: usize) {
        for v in 0..vectors {
            self.denominators[v] = self.chosen_x(constants, choice, v).sub(&self.x[v]);
        }
        self.share_inversion(constants, vectors, |block, v, inverse| {
            let x = block.x[v];
            let slope = block.chosen_y(choice, v).sub(&block.y[v]).mul(inverse);
            let run = block.denominators[v];
            let sum_x = slope.square().reduced(1, [&run, &x, &x], &modulus_times(9));
            block.slopes[v] = slope;
            block.denominators[v] = sum_x.sub(&x);
        });
        self.share_inversion(constants, vectors, |block, v, inverse| {
            let (x, y) = (block.x[v], block.y[v]);
            let twice = y.add(&y).mul(inverse);
            let zero = Fq8::splat([0; LIMBS]);
            let slope = zero.reduced(1, [&twice, &block.slopes[v]], &modulus_times(5));
            let run = block.denominators[v];
            let x3 = slope.square().reduced(1, [&run, &x, &x], &modulus_times(9));
            block.x[v] = x3;
            block.y[v] = slope.mul(&x.sub(&x3)).reduced(1, [&y], &modulus_times(3));
        });
    }

    /// Calls `use_inverse(block, v, 1/denominators[v])` for every vector, last first.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn share_inversion(
        &mut self,
        constants: &Constants,
        vectors: usize,
        use_inverse: impl Fn(&mut Self, usize, &Fq8),
    ) {
        let mut products = [constants.one; STRIDE];
        for v in 0..vectors {
            let product = &mut products[v % STRIDE];
            self.prefixes[v] = *product;
            *product = product.mul(&self.denominators[v]);
        }
        // One inverse for all sequences: the same trick once more, over STRIDE vectors.
        let mut before = [constants.one; STRIDE];
        let mut total = constants.one;
        for (prefix, product) in before.iter_mut().zip(&products) {
            *prefix = total;
            total = total.mul(product);
        }
        let inverse = invert_lanes(&total);
        self.degenerate |= inverse.is_none();
        let mut inverse = inverse.unwrap_or(constants.one);
        for s in (0..STRIDE).rev() {
            let mine = inverse.mul(&before[s]);
            inverse = inverse.mul(&products[s]);
            products[s] = mine;
        }
        for v in (0..vectors).rev() {
            let product = &mut products[v % STRIDE];
            let mine = product.mul(&self.prefixes[v]);
            *product = product.mul(&self.denominators[v]);
            use_inverse(self, v, &mine);
        }
    }
}

impl Drop for Block {
    /// The running points, and with them every intermediate multiple, are erased.
    fn drop(&mut self) {
        for column in [
            &mut self.x,
            &mut self.y,
            &mut self.denominators,
            &mut self.prefixes,
        ] {
            erase(column);
        }
        for (x, y) in &mut self.tables {
            erase(x);
            erase(y);
        }
    }
}

fn erase(column: &mut [Fq8]) {
    for vector in column {
        vector.zeroize();
    }
}

/// Inverts eight elements with one inversion by the library; `None` if one of them is zero.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn invert_lanes(v: &Fq8) -> Option<Fq8> {
    let lanes = v.store();
    let mut elements = [Fq::ZERO; LANES];
    let mut prefixes = [Fq::ONE; LANES];
    let mut product = Fq::ONE;
    for lane in 0..LANES {
        elements[lane] = element(&lanes, lane);
        prefixes[lane] = product;
        product *= elements[lane];
    }
    if product == Fq::ZERO {
        return None;
    }
    // By Fermat, so that the time does not depend on the value; it costs what the library's own
    // inversion costs.
    let mut exponent = MODULUS_64;
    exponent[0] -= 2;
    let mut inverse = product.pow(exponent);
    let mut inverted = [[0; LANES]; LIMBS];
    for lane in (0..LANES).rev() {
        let mine = inverse * prefixes[lane];
        inverse *= elements[lane];
        // element() reads a·2^260 as the library's form of 16a; its inverse is short by 2^4 twice.
        let limbs = split((mine * Fq::from(1_u64 << 8)).0.0);
        for (row, limb) in inverted.iter_mut().zip(limbs) {
            row[lane] = limb;
        }
    }
    Some(Fq8::load(&inverted))
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
fn montgomery(value: Fq) -> [u64; LIMBS] {
    split((value * Fq::from(16_u64)).0.0)
}

/// The modulus must fit the bounds that the field functions count on.
const _: () = assert!(<Fq as PrimeField>::MODULUS_BIT_SIZE == 254);
