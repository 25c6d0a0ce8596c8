//! One inversion in BN254's base field by a fixed sequence of operations.
//!
//! D. Bernstein, B.-Y. Yang, *Fast constant-time gcd computation and modular inversion*, CHES 2019,
//! with the starting value δ = 1/2, for which P. Wuille's computation bounds the steps of 256-bit
//! operands by 590. Steps go in batches of 60 on the low words alone; each batch gives a matrix that
//! is applied to the full numbers. A fraction of the cost of a power by q − 2.

use ark_bn254::{Fq, FqConfig};
use ark_ff::{BigInt, Field, MontConfig};

use crate::limbs::MODULUS_64;

/// Steps of a batch, and bits of a limb.
const BITS: u32 = 60;
/// 600 steps, at least the 590 that are needed.
const BATCHES: usize = 10;
const LOW: i64 = (1 << BITS) - 1;

/// A signed number in radix 2^60: all limbs but the top one are in [0, 2^60).
type Wide = [i64; 5];

const MODULUS: Wide = wide(MODULUS_64);
/// q⁻¹ mod 2^60.
const INVERSE: i64 = inverse(MODULUS_64[0]);
/// 2^512 in Montgomery form: turns the plain inverse of a Montgomery form into a Montgomery form.
const CORRECTION: Fq = Fq::new(<FqConfig as MontConfig<4>>::R2);

/// 2^60 times the transition matrix of a batch.
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// The inverse; `None` for zero.
pub(crate) fn invert(value: Fq) -> Option<Fq> {
    let inverse = Fq::new_unchecked(BigInt(invert_integer(value.0.0))) * CORRECTION;
    // Also the proof that the steps were enough.
    (inverse * value == Fq::ONE).then_some(inverse)
}

/// The inverse modulo q of an integer below q; zero for zero.
fn invert_integer(value: [u64; 4]) -> [u64; 4] {
    let (mut f, mut g) = (MODULUS, wide(value));
    // f ≡ d·value and g ≡ e·value modulo q, up to the factor 2^60 of each batch that is divided out.
    let (mut d, mut e): (Wide, Wide) = ([0; 5], [1, 0, 0, 0, 0]);
    let mut minus_delta = -1;
    for _ in 0..BATCHES {
        let matrix = batch(&mut minus_delta, low(&f), low(&g));
        (f, g) = transformed(&matrix, &f, &g);
        (d, e) = transformed_modulo(&matrix, &d, &e);
    }
    // g is 0 and f is ±1 now.
    canonical(d, top(&f) >> 63)
}

/// 60 division steps on the low words. `minus_delta` is −(δ + 1/2).
fn batch(minus_delta: &mut i64, mut f: i64, mut g: i64) -> Matrix {
    let a = half(minus_delta, &mut f, &mut g);
    let b = half(minus_delta, &mut f, &mut g);
    let sum = |x: i64, y: i64, z: i64, w: i64| x.wrapping_mul(y).wrapping_add(z.wrapping_mul(w));
    Matrix {
        u: sum(b.u, a.u, b.v, a.q),
        v: sum(b.u, a.v, b.v, a.r),
        q: sum(b.q, a.u, b.r, a.q),
        r: sum(b.q, a.v, b.r, a.r),
    }
}

/// 30 division steps. Both entries of a row, at most 2^30 in size, share a word: u + 2^32·v.
fn half(minus_delta: &mut i64, f: &mut i64, g: &mut i64) -> Matrix {
    let (mut upper, mut lower) = (1_i64, 1_i64 << 32);
    for _ in 0..BITS / 2 {
        // All ones where δ > 0; where g is odd; where f and g change places.
        let positive = *minus_delta >> 63;
        let odd = (*g & 1).wrapping_neg();
        let swap = positive & odd;
        let negated = |value: i64| (value ^ positive).wrapping_sub(positive);
        let swapped = |value: i64, other: i64| value ^ ((value ^ other) & swap);
        (*f, *g) = (swapped(*f, *g), g.wrapping_add(negated(*f) & odd));
        (upper, lower) = (
            swapped(upper, lower),
            lower.wrapping_add(negated(upper) & odd),
        );
        *minus_delta = (*minus_delta ^ swap).wrapping_sub(1);
        *g >>= 1;
        upper = upper.wrapping_shl(1);
    }
    let first = |row: i64| row.wrapping_shl(32) >> 32;
    let second = |row: i64| row.wrapping_sub(first(row)) >> 32;
    Matrix {
        u: first(upper),
        v: second(upper),
        q: first(lower),
        r: second(lower),
    }
}

/// (u·f + v·g, q·f + r·g) / 2^60, exact.
fn transformed(matrix: &Matrix, f: &Wide, g: &Wide) -> (Wide, Wide) {
    (
        combined(matrix.u, matrix.v, f, g, 0),
        combined(matrix.q, matrix.r, f, g, 0),
    )
}

/// The same modulo q. Values stay in (−2q, q).
fn transformed_modulo(matrix: &Matrix, d: &Wide, e: &Wide) -> (Wide, Wide) {
    let negative = (top(d) >> 63, top(e) >> 63);
    let row = |a: i64, b: i64| {
        // The multiple of q that makes the sum divisible by 2^60, after one that makes up for signs.
        let signs = (a & negative.0).wrapping_add(b & negative.1);
        let sum = a.wrapping_mul(low(d)).wrapping_add(b.wrapping_mul(low(e)));
        let exact = INVERSE.wrapping_mul(sum).wrapping_add(signs) & LOW;
        combined(a, b, d, e, signs.wrapping_sub(exact))
    };
    (row(matrix.u, matrix.v), row(matrix.q, matrix.r))
}

/// (a·x + b·y + c·q) / 2^60, which must be exact.
fn combined(a: i64, b: i64, x: &Wide, y: &Wide, c: i64) -> Wide {
    let product = |a: i64, b: i64| i128::from(a).wrapping_mul(i128::from(b));
    let mut out = [0; 5];
    let mut sum = 0_i128;
    // The lowest limb of the sum is zero: limbs move down by one.
    let limbs = x.iter().zip(y).zip(&MODULUS).enumerate();
    for (i, ((x, y), q)) in limbs {
        sum = sum
            .wrapping_add(product(a, *x))
            .wrapping_add(product(b, *y))
            .wrapping_add(product(c, *q));
        if let Some(limb) = i.checked_sub(1).and_then(|i| out.get_mut(i)) {
            *limb = truncated(sum) & LOW;
        }
        sum >>= BITS;
    }
    let [.., top] = &mut out;
    *top = truncated(sum);
    out
}

/// ±d modulo q, minus where `sign` is all ones, for d in (−2q, q).
fn canonical(d: Wide, sign: i64) -> [u64; 4] {
    let d = plus_modulus(d, top(&d) >> 63);
    let d = carried(d.map(|limb| (limb ^ sign).wrapping_sub(sign)));
    let d = plus_modulus(d, top(&d) >> 63);
    let [a, b, c, d, e] = d.map(i64::cast_unsigned);
    [
        a | (b << 60),
        (b >> 4) | (c << 56),
        (c >> 8) | (d << 52),
        (d >> 12) | (e << 48),
    ]
}

/// Adds q where `mask` is all ones.
fn plus_modulus(mut d: Wide, mask: i64) -> Wide {
    for (limb, q) in d.iter_mut().zip(&MODULUS) {
        *limb = limb.wrapping_add(q & mask);
    }
    carried(d)
}

fn carried(mut d: Wide) -> Wide {
    let mut carry = 0_i64;
    let [rest @ .., top] = &mut d;
    for limb in rest {
        let sum = limb.wrapping_add(carry);
        *limb = sum & LOW;
        carry = sum >> BITS;
    }
    *top = top.wrapping_add(carry);
    d
}

fn low(value: &Wide) -> i64 {
    let [low, ..] = value;
    *low
}

fn top(value: &Wide) -> i64 {
    let [.., top] = value;
    *top
}

/// The low 64 bits.
fn truncated(value: i128) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = value.to_le_bytes();
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}

const fn wide(v: [u64; 4]) -> Wide {
    let low = LOW.cast_unsigned();
    [
        (v[0] & low).cast_signed(),
        (((v[0] >> 60) | (v[1] << 4)) & low).cast_signed(),
        (((v[1] >> 56) | (v[2] << 8)) & low).cast_signed(),
        (((v[2] >> 52) | (v[3] << 12)) & low).cast_signed(),
        (v[3] >> 48).cast_signed(),
    ]
}

const fn inverse(q: u64) -> i64 {
    // Newton's iteration doubles the number of correct bits; q is its own inverse to 3 bits.
    let mut inverse = q;
    let mut round = 0;
    while round < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(q.wrapping_mul(inverse)));
        round += 1;
    }
    inverse.cast_signed() & LOW
}

#[cfg(test)]
mod tests {
    use ark_ff::AdditiveGroup;

    use super::*;

    #[test]
    fn agrees_with_the_library() {
        let mut value = Fq::from(3);
        for _ in 0..500 {
            assert_eq!(invert(value), value.inverse());
            assert_eq!(invert(-value), (-value).inverse());
            value = value.square() + Fq::from(5);
        }
        for small in 1..50_u64 {
            let raw = Fq::new_unchecked(BigInt([small, 0, 0, 0]));
            for value in [raw, -raw, Fq::from(small), -Fq::from(small)] {
                assert_eq!(invert(value), value.inverse());
            }
        }
        assert_eq!(invert(Fq::ZERO), None);
    }
}
