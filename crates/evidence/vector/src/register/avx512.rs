//! AVX-512: one 512-bit register. [`Ifma`] adds the 52-bit products.

#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]
#![expect(
    unsafe_code,
    reason = "intrinsics; why each call is sound is said in the parent module and at `detect`"
)]

use core::arch::x86_64::{
    __m512d, __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_add_epi64, _mm512_add_pd,
    _mm512_alignr_epi64, _mm512_and_si512, _mm512_castpd_si512, _mm512_castsi512_pd,
    _mm512_cmpeq_epi64_mask, _mm512_fmadd_pd, _mm512_loadu_si512, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_mask_mov_epi64, _mm512_movepi64_mask, _mm512_or_si512,
    _mm512_permutex2var_epi64, _mm512_set1_epi64, _mm512_setr_epi64, _mm512_setzero_si512,
    _mm512_shuffle_i64x2, _mm512_sllv_epi64, _mm512_srai_epi64, _mm512_srlv_epi64,
    _mm512_storeu_si512, _mm512_sub_epi64, _mm512_sub_pd, _mm512_ternarylogic_epi64,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use super::{FloatProducts, IntegerProducts, LANES, Register, Rotation, Sixteen, Work};

/// A register of a processor with AVX-512 F and DQ.
#[derive(Clone, Copy)]
pub struct Avx512(__m512i);

/// A register of a processor that has IFMA as well.
#[derive(Clone, Copy)]
pub struct Ifma(__m512i);

macro_rules! register {
    ($name:ident, $enabled:literal, $($feature:tt),*) => {
        impl Register for $name {
            fn detect() -> Option<Self> {
                if $(std::arch::is_x86_feature_detected!($feature))&&* {
                    // SAFETY: the features have just been seen. This is the only place where a
                    // value comes from anything but a value.
                    return Some(unsafe { Self(_mm512_setzero_si512()) });
                }
                None
            }

            #[inline(always)]
            fn call<W: Work>(self, work: W) -> W::Output {
                #[target_feature(enable = $enabled)]
                #[inline(never)]
                fn compiled<W: Work>(work: W) -> W::Output {
                    work.run()
                }
                // SAFETY: `self` exists, so the processor has the features.
                unsafe { compiled(work) }
            }

            #[inline(always)]
            fn fetch<T>(self, value: &T) {
                // SAFETY: a hint: it neither reads nor writes as far as the program sees, and never faults.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(value).cast()) };
            }

            #[inline(always)]
            fn splat(self, bits: u64) -> Self {
                // SAFETY: `self` exists.
                unsafe { Self(_mm512_set1_epi64(bits.cast_signed())) }
            }

            #[inline(always)]
            fn load(self, lanes: &[u64; LANES]) -> Self {
                // SAFETY: `self` exists; the source is exactly the 64 bytes read; unaligned.
                unsafe { Self(_mm512_loadu_si512(lanes.as_ptr().cast())) }
            }

            #[inline(always)]
            fn store(self) -> [u64; LANES] {
                let mut lanes = [0; LANES];
                // SAFETY: `self` exists; the target is exactly the 64 bytes written; unaligned.
                unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), self.0) };
                lanes
            }

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: `self` exists.
                unsafe { Self(_mm512_add_epi64(self.0, other.0)) }
            }

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                // SAFETY: `self` exists.
                unsafe { Self(_mm512_sub_epi64(self.0, other.0)) }
            }

            #[inline(always)]
            fn and(self, other: Self) -> Self {
                // SAFETY: `self` exists.
                unsafe { Self(_mm512_and_si512(self.0, other.0)) }
            }

            #[inline(always)]
            fn or(self, other: Self) -> Self {
                // SAFETY: `self` exists.
                unsafe { Self(_mm512_or_si512(self.0, other.0)) }
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                // SAFETY: `self` exists.
                unsafe { Self(_mm512_xor_si512(self.0, other.0)) }
            }

            #[inline(always)]
            fn shift_left<const BITS: u32>(self) -> Self {
                // SAFETY: `self` exists. A constant count becomes an immediate.
                unsafe { Self(_mm512_sllv_epi64(self.0, _mm512_set1_epi64(i64::from(BITS)))) }
            }

            #[inline(always)]
            fn shift_right<const BITS: u32>(self) -> Self {
                // SAFETY: `self` exists. A constant count becomes an immediate.
                unsafe { Self(_mm512_srlv_epi64(self.0, _mm512_set1_epi64(i64::from(BITS)))) }
            }

            #[inline(always)]
            fn equal(self, other: Self) -> u8 {
                // SAFETY: `self` exists.
                unsafe { _mm512_cmpeq_epi64_mask(self.0, other.0) }
            }

            #[inline(always)]
            fn top_bits(self) -> u8 {
                // SAFETY: `self` exists.
                unsafe { _mm512_movepi64_mask(self.0) }
            }

            #[inline(always)]
            fn select(self, mask: u8, other: Self) -> Self {
                // SAFETY: `self` exists.
                unsafe { Self(_mm512_mask_mov_epi64(other.0, mask, self.0)) }
            }

            #[inline(always)]
            fn rotated(self, by: Rotation) -> Self {
                // SAFETY: `self` exists.
                unsafe {
                    Self(match by {
                        Rotation::Four => _mm512_alignr_epi64::<4>(self.0, self.0),
                        Rotation::Two => _mm512_alignr_epi64::<2>(self.0, self.0),
                        Rotation::One => _mm512_alignr_epi64::<1>(self.0, self.0),
                    })
                }
            }

            #[inline(always)]
            fn transposed(rows: [Self; LANES]) -> [Self; LANES] {
                // SAFETY: rows exist.
                unsafe {
                    let [a, b, c, d, e, f, g, h] = rows;
                    let rows = [a.0, b.0, c.0, d.0, e.0, f.0, g.0, h.0];
                    let [a, b, c, d, e, f, g, h] = transposed(&rows);
                    [
                        Self(a), Self(b), Self(c), Self(d), Self(e), Self(f), Self(g), Self(h),
                    ]
                }
            }

            #[inline(always)]
            fn transposed_half(rows: [Self; LANES]) -> [Self; LANES / 2] {
                // SAFETY: rows exist.
                unsafe {
                    let [a, b, c, d, e, f, g, h] = rows;
                    let rows = [a.0, b.0, c.0, d.0, e.0, f.0, g.0, h.0];
                    transposed_half(&rows).map(Self)
                }
            }
        }
    };
}

register!(Avx512, "avx512f,avx512dq", "avx512f", "avx512dq");
register!(
    Ifma,
    "avx512f,avx512dq,avx512ifma",
    "avx512f",
    "avx512dq",
    "avx512ifma"
);

impl IntegerProducts for Ifma {
    #[inline(always)]
    fn add_low(self, a: Self, b: Self) -> Self {
        // SAFETY: `self` exists.
        unsafe { Self(_mm512_madd52lo_epu64(self.0, a.0, b.0)) }
    }

    #[inline(always)]
    fn add_high(self, a: Self, b: Self) -> Self {
        // SAFETY: `self` exists.
        unsafe { Self(_mm512_madd52hi_epu64(self.0, a.0, b.0)) }
    }

    #[inline(always)]
    fn nth(self, table: &Sixteen) -> Self {
        let Sixteen([first, second]) = table;
        let (first, second) = (self.load(first), self.load(second));
        // SAFETY: `self` exists.
        unsafe { Self(_mm512_permutex2var_epi64(first.0, self.0, second.0)) }
    }

    #[inline(always)]
    fn signed_carry(self) -> Self {
        // SAFETY: `self` exists.
        unsafe { Self(_mm512_srai_epi64::<52>(self.0)) }
    }
}

impl Avx512 {
    #[inline(always)]
    fn numbers(self) -> __m512d {
        // SAFETY: `self` exists.
        unsafe { _mm512_castsi512_pd(self.0) }
    }
}

impl FloatProducts for Avx512 {
    const TOGETHER: usize = 2;

    #[inline(always)]
    fn after(self, other: Self) -> Self {
        // SAFETY: `self` exists.
        unsafe { Self(ordered(self.0, other.0)) }
    }

    #[inline(always)]
    fn fused(self, b: Self, c: Self) -> Self {
        // SAFETY: `self` exists.
        unsafe {
            Self(_mm512_castpd_si512(_mm512_fmadd_pd(
                self.numbers(),
                b.numbers(),
                c.numbers(),
            )))
        }
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        // SAFETY: `self` exists.
        unsafe {
            Self(_mm512_castpd_si512(_mm512_add_pd(
                self.numbers(),
                other.numbers(),
            )))
        }
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        // SAFETY: `self` exists.
        unsafe {
            Self(_mm512_castpd_si512(_mm512_sub_pd(
                self.numbers(),
                other.numbers(),
            )))
        }
    }

    #[inline(always)]
    fn spliced(self, mask: Self, bits: Self) -> Self {
        const AND_OR: i32 = 0b1110_1010;
        // SAFETY: `self` exists.
        unsafe { Self(_mm512_ternarylogic_epi64::<AND_OR>(self.0, mask.0, bits.0)) }
    }
}

/// The first register, which the compiler believes to depend on the second.
#[target_feature(enable = "avx512f")]
#[inline]
fn ordered(mut own: __m512i, other: __m512i) -> __m512i {
    // SAFETY: there is no instruction in it.
    unsafe {
        core::arch::asm!(
            "/* {0} {1} */",
            inout(zmm_reg) own,
            in(zmm_reg) other,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    own
}

/// The transpose of an 8 × 8 matrix of words, one row a register.
#[target_feature(enable = "avx512f")]
#[inline]
fn transposed(r: &[__m512i; LANES]) -> [__m512i; LANES] {
    let [a, b, c, d, e, f, g, h] = *r;
    // Pairs of rows: even columns, odd columns.
    let even = [
        _mm512_unpacklo_epi64(a, b),
        _mm512_unpacklo_epi64(c, d),
        _mm512_unpacklo_epi64(e, f),
        _mm512_unpacklo_epi64(g, h),
    ];
    let odd = [
        _mm512_unpackhi_epi64(a, b),
        _mm512_unpackhi_epi64(c, d),
        _mm512_unpackhi_epi64(e, f),
        _mm512_unpackhi_epi64(g, h),
    ];
    let [c0, c2, c4, c6] = quarters(even);
    let [c1, c3, c5, c7] = quarters(odd);
    [c0, c1, c2, c3, c4, c5, c6, c7]
}

/// The first four columns of the same. Row i shares a register with row i + 4.
#[target_feature(enable = "avx512f")]
#[inline]
fn transposed_half(r: &[__m512i; LANES]) -> [__m512i; LANES / 2] {
    const FIRST_HALVES: i32 = 0b01_00_01_00;
    let [a, b, c, d, e, f, g, h] = *r;
    let rows = [
        _mm512_shuffle_i64x2::<FIRST_HALVES>(a, e),
        _mm512_shuffle_i64x2::<FIRST_HALVES>(b, f),
        _mm512_shuffle_i64x2::<FIRST_HALVES>(c, g),
        _mm512_shuffle_i64x2::<FIRST_HALVES>(d, h),
    ];
    let [ae, bf, cg, dh] = rows;
    // Columns 0 and 2, then 1 and 3, of two rows each, in pairs.
    let (even, other_even) = (_mm512_unpacklo_epi64(ae, bf), _mm512_unpacklo_epi64(cg, dh));
    let (odd, other_odd) = (_mm512_unpackhi_epi64(ae, bf), _mm512_unpackhi_epi64(cg, dh));
    let first = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
    let second = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    [
        _mm512_permutex2var_epi64(even, first, other_even),
        _mm512_permutex2var_epi64(odd, first, other_odd),
        _mm512_permutex2var_epi64(even, second, other_even),
        _mm512_permutex2var_epi64(odd, second, other_odd),
    ]
}

/// Register k of the result holds quarter k of each input.
#[target_feature(enable = "avx512f")]
#[inline]
fn quarters(r: [__m512i; 4]) -> [__m512i; 4] {
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    let [a, b, c, d] = r;
    let low_even = _mm512_shuffle_i64x2::<EVEN>(a, b);
    let low_odd = _mm512_shuffle_i64x2::<ODD>(a, b);
    let high_even = _mm512_shuffle_i64x2::<EVEN>(c, d);
    let high_odd = _mm512_shuffle_i64x2::<ODD>(c, d);
    [
        _mm512_shuffle_i64x2::<EVEN>(low_even, high_even),
        _mm512_shuffle_i64x2::<EVEN>(low_odd, high_odd),
        _mm512_shuffle_i64x2::<ODD>(low_even, high_even),
        _mm512_shuffle_i64x2::<ODD>(low_odd, high_odd),
    ]
}
