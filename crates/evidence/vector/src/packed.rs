//! Points at rest: canonical coordinates in four 64-bit limbs, Montgomery form with R = 2^260, and the
//! way from eight of them to vectors and back.

#![expect(
    unsafe_code,
    reason = "vector loads and stores of plain integer arrays"
)]
use core::arch::x86_64::{
    __m512i, _mm512_and_si512, _mm512_loadu_si512, _mm512_or_si512, _mm512_set1_epi64,
    _mm512_shuffle_i64x2, _mm512_slli_epi64, _mm512_srli_epi64, _mm512_storeu_si512,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

use crate::field::{Fq8, LANES};
use crate::limbs::{MASK, MODULUS_64};

/// Two coordinates in one row of eight words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(align(64))]
pub(crate) struct Row(pub(crate) [u64; 8]);

impl Row {
    pub(crate) const ZERO: Self = Self([0; 8]);
}

/// Negates the first coordinate of a row.
pub(crate) fn negate_first(row: &mut Row) {
    let [a, b, c, d, ..] = &mut row.0;
    negate([a, b, c, d]);
}

/// Negates the second coordinate of a row.
pub(crate) fn negate_second(row: &mut Row) {
    let [.., a, b, c, d] = &mut row.0;
    negate([a, b, c, d]);
}

/// q − v for a canonical v that is not zero, zero for zero.
fn negate(v: [&mut u64; 4]) {
    if v.iter().all(|limb| **limb == 0) {
        return;
    }
    let mut borrow = false;
    for (limb, q) in v.into_iter().zip(MODULUS_64) {
        let (difference, first) = q.overflowing_sub(*limb);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        *limb = difference;
        borrow = first || second;
    }
}

/// The first and the second coordinate of eight rows.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn unpack(rows: [&Row; LANES]) -> (Fq8, Fq8) {
    let mut r = [_mm512_set1_epi64(0); LANES];
    for (register, row) in r.iter_mut().zip(rows) {
        // SAFETY: a row is eight u64, exactly the 64 bytes read; unaligned loads.
        *register = unsafe { _mm512_loadu_si512(row.0.as_ptr().cast()) };
    }
    let [a, b, c, d, e, f, g, h] = transposed(&r);
    (Fq8::from_words([a, b, c, d]), Fq8::from_words([e, f, g, h]))
}

/// The way back, for canonical coordinates.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn pack(first: &Fq8, second: &Fq8) -> [Row; LANES] {
    let [a, b, c, d] = first.words();
    let [e, f, g, h] = second.words();
    let columns = transposed(&[a, b, c, d, e, f, g, h]);
    let mut rows = [Row::ZERO; LANES];
    for (row, register) in rows.iter_mut().zip(columns) {
        // SAFETY: a row is eight u64, exactly the 64 bytes written.
        unsafe { _mm512_storeu_si512(row.0.as_mut_ptr().cast(), register) };
    }
    rows
}

/// The transpose of an 8 × 8 matrix of words, one row a register.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn transposed(r: &[__m512i; LANES]) -> [__m512i; LANES] {
    // Pairs of rows: even columns, odd columns.
    let even = [
        _mm512_unpacklo_epi64(r[0], r[1]),
        _mm512_unpacklo_epi64(r[2], r[3]),
        _mm512_unpacklo_epi64(r[4], r[5]),
        _mm512_unpacklo_epi64(r[6], r[7]),
    ];
    let odd = [
        _mm512_unpackhi_epi64(r[0], r[1]),
        _mm512_unpackhi_epi64(r[2], r[3]),
        _mm512_unpackhi_epi64(r[4], r[5]),
        _mm512_unpackhi_epi64(r[6], r[7]),
    ];
    let [c0, c2, c4, c6] = quarters(even);
    let [c1, c3, c5, c7] = quarters(odd);
    [c0, c1, c2, c3, c4, c5, c6, c7]
}

/// Register k of the result holds quarter k of each input.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn quarters(r: [__m512i; 4]) -> [__m512i; 4] {
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    let low_even = _mm512_shuffle_i64x2::<EVEN>(r[0], r[1]);
    let low_odd = _mm512_shuffle_i64x2::<ODD>(r[0], r[1]);
    let high_even = _mm512_shuffle_i64x2::<EVEN>(r[2], r[3]);
    let high_odd = _mm512_shuffle_i64x2::<ODD>(r[2], r[3]);
    [
        _mm512_shuffle_i64x2::<EVEN>(low_even, high_even),
        _mm512_shuffle_i64x2::<EVEN>(low_odd, high_odd),
        _mm512_shuffle_i64x2::<ODD>(low_even, high_even),
        _mm512_shuffle_i64x2::<ODD>(low_odd, high_odd),
    ]
}

/// Radix 2^64 to radix 2^52.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn narrow(w: [__m512i; 4]) -> [__m512i; 5] {
    let mask = _mm512_set1_epi64(MASK.cast_signed());
    [
        _mm512_and_si512(w[0], mask),
        _mm512_and_si512(
            _mm512_or_si512(_mm512_srli_epi64::<52>(w[0]), _mm512_slli_epi64::<12>(w[1])),
            mask,
        ),
        _mm512_and_si512(
            _mm512_or_si512(_mm512_srli_epi64::<40>(w[1]), _mm512_slli_epi64::<24>(w[2])),
            mask,
        ),
        _mm512_and_si512(
            _mm512_or_si512(_mm512_srli_epi64::<28>(w[2]), _mm512_slli_epi64::<36>(w[3])),
            mask,
        ),
        _mm512_srli_epi64::<16>(w[3]),
    ]
}

/// Radix 2^52 to radix 2^64. Limbs must be normalised and the value below 2^256.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub(crate) fn widen(l: &[__m512i; 5]) -> [__m512i; 4] {
    [
        _mm512_or_si512(l[0], _mm512_slli_epi64::<52>(l[1])),
        _mm512_or_si512(_mm512_srli_epi64::<12>(l[1]), _mm512_slli_epi64::<40>(l[2])),
        _mm512_or_si512(_mm512_srli_epi64::<24>(l[2]), _mm512_slli_epi64::<28>(l[3])),
        _mm512_or_si512(_mm512_srli_epi64::<36>(l[3]), _mm512_slli_epi64::<16>(l[4])),
    ]
}
