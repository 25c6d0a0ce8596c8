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
    clippy::indexing_slicing,
    reason = "constant indices into arrays of five limbs, checked by the compiler"
)]

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask, _mm512_loadu_si512,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mullo_epi64, _mm512_or_si512,
    _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srai_epi64, _mm512_srli_epi64,
    _mm512_storeu_si512, _mm512_sub_epi64,
};

use crate::limbs::{LIMBS, MASK, MODULUS, NEGATIVE_INVERSE, modulus_times};

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
        let (a, b) = (&self.0, &other.0);
        let zero = _mm512_setzero_si512();
        let q = MODULUS.map(|limb| broadcast(limb));
        let n = broadcast(NEGATIVE_INVERSE);
        let mut t = [zero; LIMBS];
        for limb in a {
            for j in 0..LIMBS {
                t[j] = _mm512_madd52lo_epu64(t[j], *limb, b[j]);
            }
            let m = _mm512_madd52lo_epu64(zero, t[0], n);
            for j in 0..LIMBS {
                t[j] = _mm512_madd52lo_epu64(t[j], m, q[j]);
            }
            // t[0] is now a multiple of 2^52: drop it and move down by one limb.
            let carry = _mm512_srli_epi64::<52>(t[0]);
            t = [_mm512_add_epi64(t[1], carry), t[2], t[3], t[4], zero];
            for j in 0..LIMBS {
                t[j] = _mm512_madd52hi_epu64(t[j], *limb, b[j]);
                t[j] = _mm512_madd52hi_epu64(t[j], m, q[j]);
            }
        }
        Self(carried_unsigned(t))
    }

    /// Montgomery square, as [`Self::mul`] with itself.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub(crate) fn square(&self) -> Self {
        let a = &self.0;
        let zero = _mm512_setzero_si512();
        let mut t = [zero; 2 * LIMBS];
        // Products of different limbs stand twice in the square: add them up once, then double.
        for i in 0..LIMBS {
            for j in i + 1..LIMBS {
                t[i + j] = _mm512_madd52lo_epu64(t[i + j], a[i], a[j]);
                t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a[i], a[j]);
            }
        }
        for limb in &mut t {
            *limb = _mm512_add_epi64(*limb, *limb);
        }
        for i in 0..LIMBS {
            t[2 * i] = _mm512_madd52lo_epu64(t[2 * i], a[i], a[i]);
            t[2 * i + 1] = _mm512_madd52hi_epu64(t[2 * i + 1], a[i], a[i]);
        }
        Self(reduced_product(t))
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
        Self(carried(combine(&self.0, 1, &[&other.0], &modulus_times(2))))
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
        let mut t = combine(&self.0, scale, &minus.map(|v| &v.0), offset);
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
fn combine(
    a: &[__m512i; LIMBS],
    scale: usize,
    minus: &[&[__m512i; LIMBS]],
    offset: &[u64; LIMBS],
) -> [__m512i; LIMBS] {
    let mut t = [_mm512_setzero_si512(); LIMBS];
    for (i, limb) in t.iter_mut().enumerate() {
        *limb = broadcast(offset[i]);
        for _ in 0..scale {
            *limb = _mm512_add_epi64(*limb, a[i]);
        }
        for b in minus {
            *limb = _mm512_sub_epi64(*limb, b[i]);
        }
    }
    t
}

/// Montgomery reduction of a ten-limb product.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn reduced_product(mut t: [__m512i; 2 * LIMBS]) -> [__m512i; LIMBS] {
    let zero = _mm512_setzero_si512();
    let q = MODULUS.map(|limb| broadcast(limb));
    let n = broadcast(NEGATIVE_INVERSE);
    for i in 0..LIMBS {
        let m = _mm512_madd52lo_epu64(zero, t[i], n);
        for j in 0..LIMBS {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], m, q[j]);
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], m, q[j]);
        }
        t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srli_epi64::<52>(t[i]));
    }
    carried_unsigned([t[5], t[6], t[7], t[8], t[9]])
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
