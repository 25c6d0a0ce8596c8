//! Eight elements of BN254's base field side by side, in Montgomery form with R = 2^260.
//!
//! An element is five limbs of 52 bits; limb i of all eight elements is one 512-bit register.
//! Values are kept below 2q or a small multiple of q, never fully reduced in between: with
//! 2^260 > 84 q, the product of a < s·q and b < t·q with s·t ≤ 84 comes out below 2q.
//!
//! Every function here runs only where the features named in its attribute are present; the border
//! is `kernel.rs`.
#![expect(
    unsafe_code,
    reason = "vector loads and stores of plain integer arrays"
)]
#![expect(
    clippy::needless_range_loop,
    reason = "one index runs over several arrays, as in the formulas"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "constant indices into arrays of five limbs, checked by the compiler"
)]

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_alignr_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask,
    _mm512_cmplt_epi64_mask, _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mask_mov_epi64, _mm512_mullo_epi64, _mm512_or_si512, _mm512_set1_epi64,
    _mm512_setzero_si512, _mm512_srai_epi64, _mm512_srli_epi64, _mm512_storeu_si512,
    _mm512_sub_epi64,
};

use crate::limbs::{LIMBS, MASK, MODULUS, NEGATIVE_INVERSE, modulus_times};
use crate::packed::{narrow, widen};

/// Elements per vector.
pub(crate) const LANES: usize = 8;

/// Eight field elements. Limbs are normalised: each below 2^52.
#[derive(Clone, Copy)]
pub(crate) struct Fq8([__m512i; LIMBS]);

/// Floor(2^260 / q): estimates how often q goes into a value from its top limb.
const QUOTIENT: u64 = 84;

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn broadcast(v: u64) -> __m512i {
    _mm512_set1_epi64(v.cast_signed())
}

impl Fq8 {
    /// Eight times the same element, given by its limbs.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn splat(limbs: [u64; LIMBS]) -> Self {
        Self(limbs.map(|limb| broadcast(limb)))
    }

    /// From limbs by lane: `lanes[i][l]` is limb i of element l.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn load(lanes: &[[u64; LANES]; LIMBS]) -> Self {
        // SAFETY: each source is an array of eight u64, exactly the 64 bytes read; unaligned loads.
        Self([0, 1, 2, 3, 4].map(|i| unsafe { _mm512_loadu_si512(lanes[i].as_ptr().cast()) }))
    }

    /// From four registers of 64-bit words; values below 2^256.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn from_words(words: [__m512i; 4]) -> Self {
        Self(narrow(words))
    }

    /// To four registers of 64-bit words; values below 2^256.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn words(&self) -> [__m512i; 4] {
        widen(&self.0)
    }

    /// Fully reduced, for a value below 2q.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn canonical(&self) -> Self {
        let mut t = self.0;
        for (limb, q) in t.iter_mut().zip(MODULUS) {
            *limb = _mm512_sub_epi64(*limb, broadcast(q));
        }
        let t = carried(t);
        let below = _mm512_cmplt_epi64_mask(t[LIMBS - 1], _mm512_setzero_si512());
        Self::select(below, self, &Self(t))
    }

    /// The lanes whose value is below q.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn canonical_lanes(&self) -> u8 {
        let mut t = self.0;
        for (limb, q) in t.iter_mut().zip(MODULUS) {
            *limb = _mm512_sub_epi64(*limb, broadcast(q));
        }
        _mm512_cmplt_epi64_mask(carried(t)[LIMBS - 1], _mm512_setzero_si512())
    }

    /// The lanes in which the limbs are the same.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn equal_lanes(&self, other: &Self) -> u8 {
        let mut equal = u8::MAX;
        for (a, b) in self.0.into_iter().zip(other.0) {
            equal &= _mm512_cmpeq_epi64_mask(a, b);
        }
        equal
    }

    /// `one` in the lanes of the mask, `other` elsewhere.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn select(mask: u8, one: &Self, other: &Self) -> Self {
        let mut t = other.0;
        for (limb, one) in t.iter_mut().zip(one.0) {
            *limb = _mm512_mask_mov_epi64(*limb, mask, one);
        }
        Self(t)
    }

    /// Overwrites the element; the compiler may not leave it out.
    pub(crate) fn zeroize(&mut self) {
        // SAFETY: the pointer comes from an exclusive reference, and all-zero bits are a valid value
        // of a vector of integers.
        unsafe { core::ptr::write_volatile(self, core::mem::zeroed()) };
    }

    /// To limbs by lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn store(&self) -> [[u64; LANES]; LIMBS] {
        let mut lanes = [[0; LANES]; LIMBS];
        for (lane, limb) in lanes.iter_mut().zip(self.0) {
            // SAFETY: the target is an array of eight u64, exactly the 64 bytes written.
            unsafe { _mm512_storeu_si512(lane.as_mut_ptr().cast(), limb) };
        }
        lanes
    }

    /// Montgomery product a·b/2^260, below 2q when a·b ≤ 84 q².
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        let [product] = products([self], [other]);
        product
    }

    /// Montgomery square, as [`Self::mul`] with itself.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn square(&self) -> Self {
        let [square] = squares([self]);
        square
    }

    /// a + b; the bounds add up.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn add(&self, other: &Self) -> Self {
        let mut t = self.0;
        for (limb, b) in t.iter_mut().zip(other.0) {
            *limb = _mm512_add_epi64(*limb, b);
        }
        Self(carried_unsigned(t))
    }

    /// a − b + 2q for b ≤ 2q: below (bound of a) + 2q.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        Self(carried(combine(self, 1, &[other], &modulus_times(2))))
    }

    /// a·`scale` − Σ `minus` + `offset`, brought below 2q.
    ///
    /// The value must lie in [q, 16q), or in [0, 16q) when nothing is subtracted: the estimate is made
    /// before borrows are carried, so the top limb must not be able to come out negative.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn reduced<const N: usize>(
        &self,
        scale: usize,
        minus: [&Self; N],
        offset: &[u64; LIMBS],
    ) -> Self {
        let mut t = combine(self, scale, &minus, offset);
        let quotient =
            _mm512_madd52hi_epu64(_mm512_setzero_si512(), t[LIMBS - 1], broadcast(QUOTIENT));
        for (limb, q) in t.iter_mut().zip(MODULUS) {
            *limb = _mm512_sub_epi64(*limb, _mm512_mullo_epi64(quotient, broadcast(q)));
        }
        Self(carried(t))
    }

    /// Itself where `bits` is all ones, zero where it is all zeros.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn masked(&self, bits: u64) -> Self {
        let mask = broadcast(bits);
        Self(self.0.map(|limb| _mm512_and_si512(limb, mask)))
    }

    /// The elements moved round by `N` lanes.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn rotated<const N: i32>(&self) -> Self {
        let mut t = self.0;
        for limb in &mut t {
            *limb = _mm512_alignr_epi64::<N>(*limb, *limb);
        }
        Self(t)
    }

    /// Bit by bit or.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn or(&self, other: &Self) -> Self {
        let mut t = self.0;
        for (limb, b) in t.iter_mut().zip(other.0) {
            *limb = _mm512_or_si512(*limb, b);
        }
        Self(t)
    }

    /// Bit l is set where element l is 0 mod q. The values must be below 2q.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn zero_lanes(&self) -> u8 {
        let mut zero = u8::MAX;
        let mut modulus = u8::MAX;
        for (limb, q) in self.0.into_iter().zip(MODULUS) {
            zero &= _mm512_cmpeq_epi64_mask(limb, _mm512_setzero_si512());
            modulus &= _mm512_cmpeq_epi64_mask(limb, broadcast(q));
        }
        zero | modulus
    }
}

/// a·`scale` − Σ `minus` + offset, limb by limb; limbs may come out negative.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn combine(a: &Fq8, scale: usize, minus: &[&Fq8], offset: &[u64; LIMBS]) -> [__m512i; LIMBS] {
    let mut t = [_mm512_setzero_si512(); LIMBS];
    for (i, limb) in t.iter_mut().enumerate() {
        *limb = broadcast(offset[i]);
        for _ in 0..scale {
            *limb = _mm512_add_epi64(*limb, a.0[i]);
        }
        for b in minus {
            *limb = _mm512_sub_epi64(*limb, b.0[i]);
        }
    }
    t
}

/// `W` independent products, as [`Fq8::mul`], their instructions interleaved: the multiplier's latency
/// is several times its throughput.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn products<const W: usize>(a: [&Fq8; W], b: [&Fq8; W]) -> [Fq8; W] {
    let zero = _mm512_setzero_si512();
    let mut t = [[zero; LIMBS]; W];
    for i in 0..LIMBS {
        for j in 0..LIMBS {
            for w in 0..W {
                t[w][j] = _mm512_madd52lo_epu64(t[w][j], a[w].0[i], b[w].0[j]);
            }
        }
        let mut m = [zero; W];
        let mut carry = [zero; W];
        for w in 0..W {
            (m[w], carry[w]) = reduction_factors(t[w][0]);
        }
        for w in 0..W {
            t[w] = [t[w][1], t[w][2], t[w][3], t[w][4], zero];
        }
        for j in 0..LIMBS {
            for w in 0..W {
                t[w][j] = _mm512_madd52hi_epu64(t[w][j], a[w].0[i], b[w].0[j]);
            }
        }
        for w in 0..W {
            t[w][0] = _mm512_add_epi64(t[w][0], carry[w]);
        }
        for j in 0..LIMBS {
            for w in 0..W {
                if j + 1 < LIMBS {
                    t[w][j] = _mm512_madd52lo_epu64(t[w][j], m[w], broadcast(MODULUS[j + 1]));
                }
                t[w][j] = _mm512_madd52hi_epu64(t[w][j], m[w], broadcast(MODULUS[j]));
            }
        }
    }
    let mut out = [Fq8([zero; LIMBS]); W];
    for w in 0..W {
        out[w] = Fq8(carried_unsigned(t[w]));
    }
    out
}

/// `W` independent squares.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn squares<const W: usize>(a: [&Fq8; W]) -> [Fq8; W] {
    let zero = _mm512_setzero_si512();
    let mut t = [[zero; 2 * LIMBS]; W];
    // Products of different limbs stand twice in the square: add them up once, then double.
    for i in 0..LIMBS {
        for j in i + 1..LIMBS {
            for w in 0..W {
                let (x, y) = (a[w].0[i], a[w].0[j]);
                t[w][i + j] = _mm512_madd52lo_epu64(t[w][i + j], x, y);
                t[w][i + j + 1] = _mm512_madd52hi_epu64(t[w][i + j + 1], x, y);
            }
        }
    }
    for t in &mut t {
        for limb in t {
            *limb = _mm512_add_epi64(*limb, *limb);
        }
    }
    for i in 0..LIMBS {
        for w in 0..W {
            let x = a[w].0[i];
            t[w][2 * i] = _mm512_madd52lo_epu64(t[w][2 * i], x, x);
            t[w][2 * i + 1] = _mm512_madd52hi_epu64(t[w][2 * i + 1], x, x);
        }
    }
    for i in 0..LIMBS {
        let mut m = [zero; W];
        let mut carry = [zero; W];
        for w in 0..W {
            (m[w], carry[w]) = reduction_factors(t[w][i]);
        }
        for w in 0..W {
            t[w][i + 1] = _mm512_add_epi64(t[w][i + 1], carry[w]);
        }
        for j in 0..LIMBS {
            for w in 0..W {
                if j > 0 {
                    t[w][i + j] = _mm512_madd52lo_epu64(t[w][i + j], m[w], broadcast(MODULUS[j]));
                }
                t[w][i + j + 1] =
                    _mm512_madd52hi_epu64(t[w][i + j + 1], m[w], broadcast(MODULUS[j]));
            }
        }
    }
    let mut out = [Fq8([zero; LIMBS]); W];
    for (out, t) in out.iter_mut().zip(&t) {
        *out = Fq8(carried_unsigned([t[5], t[6], t[7], t[8], t[9]]));
    }
    out
}

/// One step of Montgomery's reduction: the multiple m of q that makes the lowest limb t vanish modulo
/// 2^52, and what the vanished limb carries. The low half of m·q₀ is −t mod 2^52, so t plus it is t
/// rounded up to a multiple of 2^52: no product is needed for the carry.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn reduction_factors(lowest: __m512i) -> (__m512i, __m512i) {
    let zero = _mm512_setzero_si512();
    let m = _mm512_madd52lo_epu64(zero, lowest, broadcast(NEGATIVE_INVERSE));
    let carry = _mm512_srli_epi64::<52>(_mm512_add_epi64(lowest, broadcast(MASK)));
    (m, carry)
}

/// Vectors that are worked on together.
pub(crate) const GROUP: usize = 4;

/// [`GROUP`] vectors.
pub(crate) type Group = [Fq8; GROUP];

/// [`GROUP`] products. Not inlined: the code of a step stays small enough for the instruction cache.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline(never)]
pub(crate) fn multiply(out: &mut Group, a: &Group, b: &Group) {
    for i in [0, 2] {
        let [first, second] = products([&a[i], &a[i + 1]], [&b[i], &b[i + 1]]);
        out[i] = first;
        out[i + 1] = second;
    }
}

/// [`GROUP`] squares.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline(never)]
pub(crate) fn square(out: &mut Group, a: &Group) {
    for i in [0, 2] {
        let [first, second] = squares([&a[i], &a[i + 1]]);
        out[i] = first;
        out[i + 1] = second;
    }
}

/// Carries limbs that are below 2^63 into limbs below 2^52.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn carried_unsigned(mut t: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
    let mask = broadcast(MASK);
    for i in 0..LIMBS - 1 {
        t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srli_epi64::<52>(t[i]));
        t[i] = _mm512_and_si512(t[i], mask);
    }
    t
}

/// Carries signed limbs; the value as a whole must not be negative.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn carried(mut t: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
    let mask = broadcast(MASK);
    for i in 0..LIMBS - 1 {
        t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srai_epi64::<52>(t[i]));
        t[i] = _mm512_and_si512(t[i], mask);
    }
    t
}
