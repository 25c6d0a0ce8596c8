//! Five limbs of 52 bits, Montgomery form with R = 2^260, multiplied by AVX-512 IFMA.
//!
//! Limb i of all eight elements is one register. Limbs are carried after every operation: below 2^52.
//! Values are below 2q or a small multiple of q (double values, and differences of products, below 4q), never
//! fully reduced in between: with 2^260 > 84 q, the product of a < s·q and b < t·q with s·t ≤ 84 comes out below 2q.
//!
//! N. Drucker, S. Gueron, *Fast modular squaring with AVX512IFMA*, eprint 2018/335.
#![expect(
    clippy::needless_range_loop,
    clippy::indexing_slicing,
    reason = "constant indices into arrays of five limbs, several in step, as in the formulas"
)]
#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

use ark_bn254::Fq;
use ark_ff::BigInt;

use super::limbwise::limb_by_limb;
use super::{Field, GROUP, Group};
use crate::limbs::{
    LIMBS, MASK, MODULUS, MODULUS_64, NEGATIVE_INVERSE, modulus_times, shifted_down, split,
};
use crate::register::{IntegerProducts, LANES, Rotation, Sixteen, work};

/// Eight field elements.
#[derive(Clone, Copy)]
pub(crate) struct Integers<V>([V; LIMBS]);

/// By c and limb: (c − k)·q for k below 16, limb by limb.
static EXCESSES: [[Sixteen; LIMBS]; 16] = {
    let mut out = [[Sixteen([[0; LANES]; 2]); LIMBS]; 16];
    let (mut c, mut offset) = (0, 0_u64);
    while c < out.len() {
        let mut i = 0;
        while i < LIMBS {
            let (mut k, mut factor) = (0, offset);
            while k < 2 * LANES {
                out[c][i].0[k / LANES][k % LANES] = MODULUS[i].wrapping_mul(factor);
                factor = factor.wrapping_sub(1);
                k += 1;
            }
            i += 1;
        }
        offset += 1;
        c += 1;
    }
    out
};

/// Limbs that [`divided`] takes away at once.
const AT_ONCE: usize = 3;

/// 2^(−52), 2^(−104), 2^(−156) modulo q.
const POWERS: [[u64; LIMBS]; AT_ONCE] = {
    let mut out = [[0; LIMBS]; AT_ONCE];
    let (mut power, mut i) = ([1, 0, 0, 0, 0], 0);
    while i < AT_ONCE {
        power = shifted_down(power);
        out[i] = power;
        i += 1;
    }
    out
};

/// Floor(2^260 / q): estimates how often q goes into a value from its top limb.
const QUOTIENT: u64 = 84;

impl<V: IntegerProducts> Field for Integers<V> {
    const FACTOR: Fq = Fq::new(BigInt([16, 0, 0, 0]));

    limb_by_limb!();

    #[inline(always)]
    fn integer(&self, words: [u64; 4]) -> Self {
        let limbs = split(words);
        let mut t = self.0;
        for i in 0..LIMBS {
            t[i] = t[i].splat(limbs[i]);
        }
        Self(t)
    }

    #[inline(always)]
    fn from_words(w: [V; 4]) -> Self {
        let mask = w[0].splat(MASK);
        Self([
            w[0].and(mask),
            w[0].shift_right::<52>()
                .or(w[1].shift_left::<12>())
                .and(mask),
            w[1].shift_right::<40>()
                .or(w[2].shift_left::<24>())
                .and(mask),
            w[2].shift_right::<28>()
                .or(w[3].shift_left::<36>())
                .and(mask),
            w[3].shift_right::<16>(),
        ])
    }

    #[inline(always)]
    fn words(&self) -> [V; 4] {
        let l = self.canonical().0;
        [
            l[0].or(l[1].shift_left::<52>()),
            l[1].shift_right::<12>().or(l[2].shift_left::<40>()),
            l[2].shift_right::<24>().or(l[3].shift_left::<28>()),
            l[3].shift_right::<36>().or(l[4].shift_left::<16>()),
        ]
    }

    /// Below 2q when a·b ≤ 84 q².
    #[inline(always)]
    fn product(&self, other: &Self) -> Self {
        let [out] = products([self], [other]);
        out
    }

    #[inline(always)]
    fn squared(&self) -> Self {
        let [out] = squares([self]);
        out
    }

    #[inline(always)]
    fn products(out: &mut Group<Self>, a: &Group<Self>, b: &Group<Self>) {
        for i in (0..GROUP).step_by(2) {
            [out[i], out[i + 1]] = products([&a[i], &a[i + 1]], [&b[i], &b[i + 1]]);
        }
    }

    #[inline(always)]
    fn squares(out: &mut Group<Self>, a: &Group<Self>) {
        for i in (0..GROUP).step_by(2) {
            [out[i], out[i + 1]] = squares([&a[i], &a[i + 1]]);
        }
    }

    /// Side by side: the common factor is read once, and need not be kept.
    #[inline(always)]
    fn multiply_both(
        out: &mut Group<Self>,
        factor: &mut Group<Self>,
        a: &Group<Self>,
        b: &Group<Self>,
    ) {
        a[0].register().call(MultiplyBoth { out, factor, a, b });
    }

    /// The bounds add up.
    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        let mut t = self.0;
        for i in 0..LIMBS {
            t[i] = t[i].add(other.0[i]);
        }
        Self(carried_unsigned(t))
    }

    /// a − b + 2q for b ≤ 2q: below (bound of a) + 2q.
    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        Self(carried(self.combined(&[other], &modulus_times(2))))
    }

    #[inline(always)]
    fn negated(&self) -> Self {
        self.zero().reduced([self], 2)
    }

    #[inline(always)]
    fn single(&self) -> Self {
        *self
    }

    /// −a is the complement of a plus one, limb by limb. With 2q or 4q added the difference is below 4q.
    #[inline(always)]
    fn signed_difference(&self, negative: u64, other: &Self) -> Self {
        let mask = self.register().splat(negative);
        let factor = 2 + (2 & negative);
        let mut t = self.0;
        for i in 0..LIMBS {
            let offset = (MODULUS[i] * factor).wrapping_sub(negative);
            t[i] = t[i].xor(mask).sub(other.0[i]).add(mask.splat(offset));
        }
        Self(carried(t))
    }

    #[inline(always)]
    fn sub_single(&self, other: &Self) -> Self {
        self.sub(other)
    }

    /// Below 2q. The value with (bound + 1)·q added lies in [q, 16q): the estimate is made before
    /// borrows are carried, so the top limb must not be able to come out negative.
    #[inline(always)]
    fn reduced<const N: usize>(&self, minus: [&Self; N], bound: u8) -> Self {
        let mut t = self.0;
        for i in 0..LIMBS {
            for b in minus {
                t[i] = t[i].sub(b.0[i]);
            }
        }
        let offset = bound + 1;
        let zero = self.register().splat(0);
        let top = t[LIMBS - 1].add(zero.splat(u64::from(offset) * MODULUS[LIMBS - 1]));
        let quotient = zero.add_high(top, zero.splat(QUOTIENT));
        for (t, multiples) in t.iter_mut().zip(&EXCESSES[usize::from(offset)]) {
            *t = t.add(quotient.nth(multiples));
        }
        Self(carried(t))
    }

    /// 0 or q: the values are below 2q.
    #[inline(always)]
    fn zero_lanes(&self) -> u8 {
        self.equal_lanes(&self.zero()) | self.equal_lanes(&self.integer(MODULUS_64))
    }
}

work!(MultiplyBoth<'a, V: IntegerProducts> {
    out: &'a mut Group<Integers<V>>, factor: &'a mut Group<Integers<V>>,
    a: &'a Group<Integers<V>>, b: &'a Group<Integers<V>>,
} -> (), {
    for i in 0..GROUP {
        [out[i], factor[i]] = products([&factor[i], &factor[i]], [&a[i], &b[i]]);
    }
});

impl<V: IntegerProducts> Integers<V> {
    /// Fully reduced, for a value below 2q.
    #[inline(always)]
    fn canonical(&self) -> Self {
        let mut t = self.0;
        for i in 0..LIMBS {
            t[i] = t[i].sub(self.register().splat(MODULUS[i]));
        }
        let t = carried(t);
        Self::select(t[LIMBS - 1].top_bits(), self, &Self(t))
    }

    /// a − Σ `minus` + offset, limb by limb; limbs may come out negative.
    #[inline(always)]
    fn combined(&self, minus: &[&Self], offset: &[u64; LIMBS]) -> [V; LIMBS] {
        let mut t = self.0;
        for i in 0..LIMBS {
            t[i] = t[i].add(t[i].splat(offset[i]));
            for b in minus {
                t[i] = t[i].sub(b.0[i]);
            }
        }
        t
    }
}

/// `W` independent products, as [`Field::mul`], their instructions interleaved: the multiplier's
/// latency is several times its throughput.
#[inline(always)]
fn products<V: IntegerProducts, const W: usize>(
    a: [&Integers<V>; W],
    b: [&Integers<V>; W],
) -> [Integers<V>; W] {
    let zero = a[0].register().splat(0);
    let mut t = [[zero; 2 * LIMBS]; W];
    for i in 0..LIMBS {
        for j in 0..LIMBS {
            for w in 0..W {
                let (x, y) = (a[w].0[i], b[w].0[j]);
                t[w][i + j] = t[w][i + j].add_low(x, y);
                t[w][i + j + 1] = t[w][i + j + 1].add_high(x, y);
            }
        }
    }
    divided(t)
}

/// `W` independent squares.
#[inline(always)]
fn squares<V: IntegerProducts, const W: usize>(a: [&Integers<V>; W]) -> [Integers<V>; W] {
    let zero = a[0].register().splat(0);
    let mut t = [[zero; 2 * LIMBS]; W];
    // Products of different limbs stand twice in the square: add them up once, then double.
    for i in 0..LIMBS {
        for j in i + 1..LIMBS {
            for w in 0..W {
                let (x, y) = (a[w].0[i], a[w].0[j]);
                t[w][i + j] = t[w][i + j].add_low(x, y);
                t[w][i + j + 1] = t[w][i + j + 1].add_high(x, y);
            }
        }
    }
    for t in &mut t {
        for limb in t {
            *limb = limb.add(*limb);
        }
    }
    for i in 0..LIMBS {
        for w in 0..W {
            let x = a[w].0[i];
            t[w][2 * i] = t[w][2 * i].add_low(x, x);
            t[w][2 * i + 1] = t[w][2 * i + 1].add_high(x, x);
        }
    }
    divided(t)
}

/// Montgomery's reduction: t / 2^260 modulo q, below 2q for t up to 84 q².
///
/// The three lowest limbs go at once: 2^(52i) is 2^156 times a power 2^(52i − 156) that is a constant modulo q, so
/// none of these products waits for another. What they leave is below t / 2^156 + 3·2^52 q, which the two
/// steps after them make less than t / 2^260 + q + 3q / 2^52.
#[inline(always)]
fn divided<V: IntegerProducts, const W: usize>(mut t: [[V; 2 * LIMBS]; W]) -> [Integers<V>; W] {
    let zero = t[0][0].splat(0);
    for i in 0..AT_ONCE {
        for w in 0..W {
            t[w][i + 1] = t[w][i + 1].add(t[w][i].shift_right::<52>());
        }
        for j in 0..LIMBS {
            for w in 0..W {
                let (k, constant) = (AT_ONCE + j, zero.splat(POWERS[AT_ONCE - 1 - i][j]));
                t[w][k] = t[w][k].add_low(t[w][i], constant);
                t[w][k + 1] = t[w][k + 1].add_high(t[w][i], constant);
            }
        }
    }
    for i in AT_ONCE..LIMBS {
        let mut m = [zero; W];
        let mut carry = [zero; W];
        for w in 0..W {
            (m[w], carry[w]) = reduction_factors(t[w][i]);
        }
        for w in 0..W {
            t[w][i + 1] = t[w][i + 1].add(carry[w]);
        }
        for j in 0..LIMBS {
            for w in 0..W {
                let q = zero.splat(MODULUS[j]);
                if j > 0 {
                    t[w][i + j] = t[w][i + j].add_low(m[w], q);
                }
                t[w][i + j + 1] = t[w][i + j + 1].add_high(m[w], q);
            }
        }
    }
    let mut out = [Integers([zero; LIMBS]); W];
    for w in 0..W {
        let [.., a, b, c, d, e] = t[w];
        out[w] = Integers(carried_unsigned([a, b, c, d, e]));
    }
    out
}

/// One step of Montgomery's reduction: the multiple m of q that makes the lowest limb t vanish modulo
/// 2^52, and what the vanished limb carries. The low half of m·q₀ is −t mod 2^52, so t plus it is t
/// rounded up to a multiple of 2^52: no product is needed for the carry.
#[inline(always)]
fn reduction_factors<V: IntegerProducts>(lowest: V) -> (V, V) {
    let m = lowest
        .splat(0)
        .add_low(lowest, lowest.splat(NEGATIVE_INVERSE));
    let carry = lowest.add(lowest.splat(MASK)).shift_right::<52>();
    (m, carry)
}

/// Carries limbs that are below 2^63 into limbs below 2^52.
#[inline(always)]
fn carried_unsigned<V: IntegerProducts>(mut t: [V; LIMBS]) -> [V; LIMBS] {
    let mask = t[0].splat(MASK);
    for i in 0..LIMBS - 1 {
        t[i + 1] = t[i + 1].add(t[i].shift_right::<52>());
        t[i] = t[i].and(mask);
    }
    t
}

/// Carries signed limbs; the value as a whole must not be negative, or only its sign is looked at.
#[inline(always)]
fn carried<V: IntegerProducts>(mut t: [V; LIMBS]) -> [V; LIMBS] {
    let mask = t[0].splat(MASK);
    for i in 0..LIMBS - 1 {
        t[i + 1] = t[i + 1].add(t[i].signed_carry());
        t[i] = t[i].and(mask);
    }
    t
}
