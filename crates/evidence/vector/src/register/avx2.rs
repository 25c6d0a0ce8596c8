//! AVX2 and FMA: two 256-bit registers, lanes 0 to 3 and 4 to 7.

#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]
#![expect(
    unsafe_code,
    reason = "intrinsics; why each call is sound is said in the parent module and at `detect`"
)]

use core::arch::x86_64::{
    __m256d, __m256i, _mm256_add_epi64, _mm256_add_pd, _mm256_and_si256, _mm256_blendv_epi8,
    _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_cmpeq_epi64, _mm256_fmadd_pd,
    _mm256_loadu_si256, _mm256_movemask_pd, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_set_epi64x, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_shuffle_pd,
    _mm256_sllv_epi64, _mm256_srlv_epi64, _mm256_storeu_si256, _mm256_sub_epi64, _mm256_sub_pd,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use super::{FloatProducts, LANES, Register, Rotation, Work};

/// Both halves of two registers through the same instruction. A function that takes a closure would not
/// surely be inlined.
macro_rules! each {
    ($instruction:ident, $one:expr, $other:expr) => {{
        let (one, other): (Avx2, Avx2) = ($one, $other);
        // SAFETY: `one` exists, so the processor has the features.
        unsafe { Avx2($instruction(one.0, other.0), $instruction(one.1, other.1)) }
    }};
}

/// The same for instructions on doubles.
macro_rules! each_number {
    ($instruction:ident, $($register:expr),*) => {
        // SAFETY: registers exist, so the processor has the features; casts are no instructions.
        unsafe {
            Avx2(
                _mm256_castpd_si256($instruction($(_mm256_castsi256_pd($register.0)),*)),
                _mm256_castpd_si256($instruction($(_mm256_castsi256_pd($register.1)),*)),
            )
        }
    };
}

/// A pair of registers of a processor with AVX2 and FMA.
#[derive(Clone, Copy)]
pub struct Avx2(__m256i, __m256i);

impl Avx2 {
    /// All ones in the lanes of the mask.
    #[inline(always)]
    fn spread(self, mask: u8) -> Self {
        // SAFETY: `self` exists. Bit l in lane l.
        let bit = unsafe {
            Self(
                _mm256_set_epi64x(8, 4, 2, 1),
                _mm256_set_epi64x(128, 64, 32, 16),
            )
        };
        each!(_mm256_cmpeq_epi64, self.splat(mask.into()).and(bit), bit)
    }
}

impl Register for Avx2 {
    fn detect() -> Option<Self> {
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            // SAFETY: the features have just been seen. This is the only place where a value comes
            // from anything but a value.
            return Some(unsafe { Self(_mm256_setzero_si256(), _mm256_setzero_si256()) });
        }
        None
    }

    #[inline(always)]
    fn call<W: Work>(self, work: W) -> W::Output {
        #[target_feature(enable = "avx2,fma")]
        #[inline(never)]
        fn compiled<W: Work>(work: W) -> W::Output {
            work.run()
        }
        // SAFETY: `self` exists, so the processor has the features.
        unsafe { compiled(work) }
    }

    #[inline(always)]
    fn splat(self, bits: u64) -> Self {
        // SAFETY: `self` exists.
        let half = unsafe { _mm256_set1_epi64x(bits.cast_signed()) };
        Self(half, half)
    }

    #[inline(always)]
    fn load(self, lanes: &[u64; LANES]) -> Self {
        let ([low, high], _) = lanes.as_chunks::<4>() else {
            return self;
        };
        // SAFETY: `self` exists; each source is exactly the 32 bytes read; unaligned.
        unsafe {
            Self(
                _mm256_loadu_si256(low.as_ptr().cast()),
                _mm256_loadu_si256(high.as_ptr().cast()),
            )
        }
    }

    #[inline(always)]
    fn store(self) -> [u64; LANES] {
        let mut lanes = [0; LANES];
        if let ([low, high], _) = lanes.as_chunks_mut::<4>() {
            // SAFETY: `self` exists; each target is exactly the 32 bytes written; unaligned.
            unsafe {
                _mm256_storeu_si256(low.as_mut_ptr().cast(), self.0);
                _mm256_storeu_si256(high.as_mut_ptr().cast(), self.1);
            }
        }
        lanes
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        each!(_mm256_add_epi64, self, other)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        each!(_mm256_sub_epi64, self, other)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        each!(_mm256_and_si256, self, other)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        each!(_mm256_or_si256, self, other)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        each!(_mm256_xor_si256, self, other)
    }

    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        // A constant count becomes an immediate.
        each!(_mm256_sllv_epi64, self, self.splat(BITS.into()))
    }

    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        // A constant count becomes an immediate.
        each!(_mm256_srlv_epi64, self, self.splat(BITS.into()))
    }

    #[inline(always)]
    fn equal(self, other: Self) -> u8 {
        each!(_mm256_cmpeq_epi64, self, other).top_bits()
    }

    #[inline(always)]
    fn top_bits(self) -> u8 {
        // SAFETY: `self` exists.
        let (low, high) = unsafe {
            (
                _mm256_movemask_pd(_mm256_castsi256_pd(self.0)),
                _mm256_movemask_pd(_mm256_castsi256_pd(self.1)),
            )
        };
        let ([low, ..], [high, ..]) = (low.to_le_bytes(), high.to_le_bytes());
        low | (high << 4)
    }

    #[inline(always)]
    fn select(self, mask: u8, other: Self) -> Self {
        let mask = self.spread(mask);
        // SAFETY: `self` exists.
        unsafe {
            Self(
                _mm256_blendv_epi8(other.0, self.0, mask.0),
                _mm256_blendv_epi8(other.1, self.1, mask.1),
            )
        }
    }

    #[inline(always)]
    fn rotated(self, by: Rotation) -> Self {
        /// The upper half of the first, then the lower half of the second.
        const ACROSS: i32 = 0x21;
        let Self(low, high) = self;
        // SAFETY: `self` exists.
        let two = unsafe {
            Self(
                _mm256_permute2x128_si256::<ACROSS>(low, high),
                _mm256_permute2x128_si256::<ACROSS>(high, low),
            )
        };
        match by {
            Rotation::Four => Self(high, low),
            Rotation::Two => two,
            Rotation::One => each_number!(shifted, self, two),
        }
    }

    #[inline(always)]
    fn transposed(rows: [Self; LANES]) -> [Self; LANES] {
        let [a, b, c, d, e, f, g, h] = rows;
        // SAFETY: rows exist. Four blocks of 4 × 4.
        unsafe {
            let [p0, p1, p2, p3] = block([a.0, b.0, c.0, d.0]);
            let [q0, q1, q2, q3] = block([e.0, f.0, g.0, h.0]);
            let [r0, r1, r2, r3] = block([a.1, b.1, c.1, d.1]);
            let [s0, s1, s2, s3] = block([e.1, f.1, g.1, h.1]);
            [
                Self(p0, q0),
                Self(p1, q1),
                Self(p2, q2),
                Self(p3, q3),
                Self(r0, s0),
                Self(r1, s1),
                Self(r2, s2),
                Self(r3, s3),
            ]
        }
    }
}

/// The second lane of the first, then the first lane of the second, pair by pair.
#[target_feature(enable = "avx2")]
#[inline]
fn shifted(a: __m256d, b: __m256d) -> __m256d {
    _mm256_shuffle_pd::<0b0101>(a, b)
}

/// The transpose of a 4 × 4 matrix of words, one row a register.
#[target_feature(enable = "avx2")]
#[inline]
fn block([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    const LOWER: i32 = 0x20;
    const UPPER: i32 = 0x31;
    let (even_low, odd_low) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let (even_high, odd_high) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
    [
        _mm256_permute2x128_si256::<LOWER>(even_low, even_high),
        _mm256_permute2x128_si256::<LOWER>(odd_low, odd_high),
        _mm256_permute2x128_si256::<UPPER>(even_low, even_high),
        _mm256_permute2x128_si256::<UPPER>(odd_low, odd_high),
    ]
}

impl FloatProducts for Avx2 {
    const TOGETHER: usize = 1;

    #[inline(always)]
    fn fused(self, b: Self, c: Self) -> Self {
        each_number!(_mm256_fmadd_pd, self, b, c)
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        each_number!(_mm256_add_pd, self, other)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        each_number!(_mm256_sub_pd, self, other)
    }

    #[inline(always)]
    fn spliced(self, mask: Self, bits: Self) -> Self {
        self.and(mask).or(bits)
    }
}
