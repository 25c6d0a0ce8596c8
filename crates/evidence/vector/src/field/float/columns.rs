//! Products and squares, column by column, with Montgomery's reduction between.
#![expect(
    clippy::needless_range_loop,
    clippy::indexing_slicing,
    reason = "constant indices into arrays of constant length, several in step, as in the formulas"
)]
#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

use std::cmp::Ordering;

use super::Floats;
use super::radix::{
    BITS, HALF, HIGH, LOW, MASK, MODULUS, NEGATIVE_INVERSE, ONE_LOW, POSITIVE, POSITIVE_CARRY,
    integer,
};
use crate::limbs::LIMBS;
use crate::register::FloatProducts;

/// How many halves of products a column takes.
#[derive(Clone, Copy)]
struct Counts {
    low: [u64; 2 * LIMBS],
    high: [u64; 2 * LIMBS],
}

impl Counts {
    const fn one(&mut self, column: usize) {
        self.low[column] += 1;
        self.high[column + 1] += 1;
    }

    /// What columns start with: takes off the bits of C and D, and prepares each column for the way
    /// its digit is taken off (see `taken`), or the last one for its conversion.
    const fn start(&self) -> [u64; 2 * LIMBS] {
        let mut start = [0_u64; 2 * LIMBS];
        let mut k = 0;
        while k < 2 * LIMBS {
            let low = LOW.to_bits().wrapping_mul(self.low[k]);
            let high = HIGH.to_bits().wrapping_mul(self.high[k]);
            let carried = if k > 0 { POSITIVE_CARRY } else { 0 };
            let added = if k + 1 < 2 * LIMBS {
                POSITIVE + HALF
            } else {
                LOW.to_bits()
            };
            start[k] = added
                .wrapping_sub(low)
                .wrapping_sub(high)
                .wrapping_sub(carried);
            k += 1;
        }
        start
    }
}

/// Starts of the columns of a product, after the additions of [`products`].
const PRODUCT_START: [u64; 2 * LIMBS] = {
    let mut counts = Counts {
        low: [0; 2 * LIMBS],
        high: [0; 2 * LIMBS],
    };
    let mut k = 0;
    while k < LIMBS {
        counts.one(k); // a₀·bₖ
        counts.high[k + 1] += 1; // the rest of m·q₀
        let mut j = 1;
        while j < LIMBS {
            counts.one(k + j);
            j += 1;
        }
        if k + 1 < LIMBS {
            counts.one(k + LIMBS); // aₖ₊₁·b₄
        }
        k += 1;
    }
    counts.start()
};

/// Starts of the columns of a square, after the additions of [`squares`].
const SQUARE_START: [u64; 2 * LIMBS] = {
    let mut counts = Counts {
        low: [0; 2 * LIMBS],
        high: [0; 2 * LIMBS],
    };
    counts.one(0);
    let mut k = 0;
    while k < LIMBS {
        counts.high[k + 1] += 1;
        let mut j = 1;
        while j < LIMBS {
            counts.one(k + j);
            j += 1;
        }
        k += 1;
    }
    counts.start()
};

/// For the digit u = −2^50 alone, m·q₀ lies between two multiples of 2^51 at the same distance. Rounding takes
/// the even one, and that is u + m·q₀ for this modulus: u·(−q⁻¹) is such a tie itself, so m = s·2^50 with a sign
/// s, and (s·q₀ − 1)/2 is even.
const TIE: () = {
    let inverse = integer(NEGATIVE_INVERSE);
    // −inverse / 2, rounded to even: what is left is m.
    let down = (-inverse - 1) / 2;
    let even = if down % 2 == 0 { down } else { down + 1 };
    let sign = -inverse - 2 * even;
    assert!(sign == 1 || sign == -1);
    assert!((sign * integer(MODULUS[0]) - 1) % 4 == 0);
};

/// Constants in registers.
#[derive(Clone, Copy)]
struct Constants<V> {
    high: V,
    low: V,
    high_low: V,
    mask: V,
    one_low: V,
    one_low_half: V,
    negative_inverse: V,
    modulus: [V; LIMBS],
}

impl<V: FloatProducts> Constants<V> {
    #[inline(always)]
    fn new(witness: V) -> Self {
        const { TIE };
        let mut modulus = [witness; LIMBS];
        for i in 0..LIMBS {
            modulus[i] = witness.number(MODULUS[i]);
        }
        Self {
            high: witness.number(HIGH),
            low: witness.number(LOW),
            high_low: witness.number(HIGH + LOW),
            mask: witness.splat(MASK),
            one_low: witness.number(ONE_LOW),
            one_low_half: witness.splat(ONE_LOW.to_bits() + HALF),
            negative_inverse: witness.number(NEGATIVE_INVERSE),
            modulus,
        }
    }

    /// Adds x·y to column k.
    #[inline(always)]
    fn one(&self, t: &mut [V; 2 * LIMBS], k: usize, x: V, y: V) {
        let h = x.fused(y, self.high);
        t[k] = t[k].add(x.fused(y, self.high_low.minus(h)));
        t[k + 1] = t[k + 1].add(h);
    }

    /// Adds x·y + z·w to column k.
    #[inline(always)]
    fn two(&self, t: &mut [V; 2 * LIMBS], k: usize, [x, y]: [V; 2], [z, w]: [V; 2]) {
        let g = x.fused(y, self.high);
        let h = z.fused(w, g);
        let first = x.fused(y, self.high_low.minus(g));
        let second = z.fused(w, g.minus(h));
        t[k] = t[k].add(first.plus(second));
        t[k + 1] = t[k + 1].add(h);
    }

    /// The digit of column k, between −2^50 and 2^50 − 1; the rest is carried. The column started with
    /// [`POSITIVE`] and [`HALF`] added.
    #[inline(always)]
    fn taken(&self, t: &mut [V; 2 * LIMBS], k: usize) -> V {
        t[k + 1] = t[k + 1].add(t[k].shift_right::<BITS>());
        t[k].spliced(self.mask, self.one_low)
            .minus(self.one_low_half)
    }

    /// One step of Montgomery's reduction: the multiple m of q that makes column k vanish modulo
    /// 2^51, |m| ≤ 2^50, its lowest product added. With the column's digit u, u + m·q₀ is a multiple of
    /// 2^51: m·q₀ / 2^51 rounded to nearest, for |u| is below half of 2^51 or u is −2^50 (see [`TIE`]).
    #[inline(always)]
    fn factor(&self, t: &mut [V; 2 * LIMBS], k: usize) -> V {
        let u = self.taken(t, k);
        let h = u.fused(self.negative_inverse, self.high);
        let m = u.fused(self.negative_inverse, self.high.minus(h));
        t[k + 1] = t[k + 1].add(m.fused(self.modulus[0], self.high));
        m
    }

    /// The upper five columns as digits.
    #[inline(always)]
    fn finish(&self, t: &mut [V; 2 * LIMBS]) -> Floats<V> {
        let mut out = [self.high; LIMBS];
        for i in 0..LIMBS - 1 {
            out[i] = self.taken(t, LIMBS + i);
        }
        out[LIMBS - 1] = t[2 * LIMBS - 1].minus(self.low);
        Floats(out)
    }
}

#[inline(always)]
fn started<V: FloatProducts>(witness: V, start: &[u64; 2 * LIMBS]) -> [V; 2 * LIMBS] {
    let mut t = [witness; 2 * LIMBS];
    for k in 0..2 * LIMBS {
        t[k] = witness.splat(start[k]);
    }
    t
}

/// `W` independent products, as `Field::mul`, their instructions interleaved.
#[inline(always)]
pub(super) fn products<V: FloatProducts, const W: usize>(
    a: [&Floats<V>; W],
    b: [&Floats<V>; W],
) -> [Floats<V>; W] {
    let witness = a[0].0[0];
    let c = Constants::new(witness);
    let mut t = [started(witness, &PRODUCT_START); W];
    for j in 0..LIMBS {
        for w in 0..W {
            c.one(&mut t[w], j, a[w].0[0], b[w].0[j]);
        }
    }
    let mut m = [c.high; W];
    for w in 0..W {
        m[w] = c.factor(&mut t[w], 0);
    }
    // Written out, so that each step has its columns as constants.
    m = product_step(&c, &mut t, a, b, m, 0);
    m = product_step(&c, &mut t, a, b, m, 1);
    m = product_step(&c, &mut t, a, b, m, 2);
    m = product_step(&c, &mut t, a, b, m, 3);
    product_step(&c, &mut t, a, b, m, 4);
    let mut out = [*a[0]; W];
    for w in 0..W {
        out[w] = c.finish(&mut t[w]);
    }
    out
}

/// Adds the multiple m of q at column k, and the products with digit k + 1 of a. Gives the next multiple, which
/// depends on the first column alone.
#[inline(always)]
fn product_step<V: FloatProducts, const W: usize>(
    c: &Constants<V>,
    t: &mut [[V; 2 * LIMBS]; W],
    a: [&Floats<V>; W],
    b: [&Floats<V>; W],
    m: [V; W],
    k: usize,
) -> [V; W] {
    let mut next = m;
    let mut digits = m;
    if k + 1 < LIMBS {
        for w in 0..W {
            digits[w] = a[w].0[k + 1].after(m[w]);
        }
    }
    for j in 1..LIMBS {
        for w in 0..W {
            if k + 1 < LIMBS {
                let product = [digits[w], b[w].0[j - 1]];
                c.two(&mut t[w], k + j, product, [m[w], c.modulus[j]]);
            } else {
                c.one(&mut t[w], k + j, m[w], c.modulus[j]);
            }
        }
        if j == 1 && k + 1 < LIMBS {
            for w in 0..W {
                next[w] = c.factor(&mut t[w], k + 1);
            }
        }
    }
    if k + 1 < LIMBS {
        for w in 0..W {
            c.one(&mut t[w], k + LIMBS, digits[w], b[w].0[LIMBS - 1]);
        }
    }
    next
}

/// Reduces column k; adds the products of digit k of a with itself and the digits above it.
#[inline(always)]
fn square_step<V: FloatProducts, const W: usize>(
    c: &Constants<V>,
    t: &mut [[V; 2 * LIMBS]; W],
    a: [&Floats<V>; W],
    twice: &[[V; LIMBS]; W],
    k: usize,
) {
    let mut m = [c.high; W];
    for w in 0..W {
        m[w] = c.factor(&mut t[w], k);
    }
    for j in 1..LIMBS {
        for w in 0..W {
            let x = a[w].0[k];
            let reduction = [m[w], c.modulus[j]];
            match j.cmp(&k) {
                Ordering::Greater => c.two(&mut t[w], k + j, [x, twice[w][j]], reduction),
                Ordering::Equal => c.two(&mut t[w], k + j, [x, x], reduction),
                Ordering::Less => c.one(&mut t[w], k + j, m[w], c.modulus[j]),
            }
        }
    }
}

/// `W` independent squares.
#[inline(always)]
pub(super) fn squares<V: FloatProducts, const W: usize>(a: [&Floats<V>; W]) -> [Floats<V>; W] {
    let witness = a[0].0[0];
    let c = Constants::new(witness);
    let mut t = [started(witness, &SQUARE_START); W];
    // Products of different digits stand twice in the square.
    let mut twice = [[witness; LIMBS]; W];
    for w in 0..W {
        for j in 1..LIMBS {
            twice[w][j] = a[w].0[j].plus(a[w].0[j]);
        }
        c.one(&mut t[w], 0, a[w].0[0], a[w].0[0]);
    }
    square_step(&c, &mut t, a, &twice, 0);
    square_step(&c, &mut t, a, &twice, 1);
    square_step(&c, &mut t, a, &twice, 2);
    square_step(&c, &mut t, a, &twice, 3);
    square_step(&c, &mut t, a, &twice, 4);
    let mut out = [*a[0]; W];
    for w in 0..W {
        out[w] = c.finish(&mut t[w]);
    }
    out
}
