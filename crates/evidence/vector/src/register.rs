//! What the arithmetic asks of a vector unit: eight lanes of 64 bits, and one of two ways to multiply.
//!
//! A value of a [`Register`] type exists only where the processor has the type's features: the only
//! way to a first one is [`Register::detect`], and every other comes from one that exists. That is the
//! argument of every call of an intrinsic in the modules below.
//!
//! Functions over registers are inlined into [`Register::call`], which is compiled for the features;
//! by themselves they would be calls to single instructions.

#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(test)]
mod model;
pub(crate) mod plain;

/// Elements side by side.
pub(crate) const LANES: usize = 8;

/// Eight lanes of 64 bits. Integer arithmetic is modulo 2^64. Bit l of a mask belongs to lane l.
pub(crate) trait Register: Copy + Send + 'static {
    /// Zero, where the processor has the features.
    fn detect() -> Option<Self>;

    /// Runs `work` in a function of its own that is compiled for the features.
    fn call<W: Work>(self, work: W) -> W::Output;

    /// Has the memory of a value on its way into the nearest cache. Changes nothing else.
    #[inline(always)]
    fn fetch<T>(self, _: &T) {}

    /// The same bits in every lane; `self` only stands for the features.
    fn splat(self, bits: u64) -> Self;

    fn load(self, lanes: &[u64; LANES]) -> Self;
    fn store(self) -> [u64; LANES];

    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn shift_left<const BITS: u32>(self) -> Self;
    /// Zeros come in from above.
    fn shift_right<const BITS: u32>(self) -> Self;

    /// The lanes that are the same in both.
    fn equal(self, other: Self) -> u8;
    /// The lanes whose top bit is set.
    fn top_bits(self) -> u8;
    /// `self` in the lanes of the mask, `other` elsewhere.
    fn select(self, mask: u8, other: Self) -> Self;

    /// Lane l becomes lane l + 4, l + 2 or l + 1, modulo eight.
    fn rotated(self, by: Rotation) -> Self;
    /// The transpose of an 8 × 8 matrix, one row a register.
    fn transposed(rows: [Self; LANES]) -> [Self; LANES];

    /// The first half of it: the first four words of each row.
    #[inline(always)]
    fn transposed_half(rows: [Self; LANES]) -> [Self; LANES / 2] {
        let [a, b, c, d, ..] = Self::transposed(rows);
        [a, b, c, d]
    }
}

/// Something to run in a function that is compiled for a processor's features. A closure would do, but
/// nothing makes the compiler inline one, and uninlined it is compiled without the features.
pub(crate) trait Work {
    type Output;

    /// Always inlined.
    fn run(self) -> Self::Output;
}

/// `work!(Name<'a, F: Field> { field: Type, … } -> Output, expression)`: a type whose values are calls of
/// an inlined function.
macro_rules! work {
    (
        $name:ident<$life:lifetime, $generic:ident: $bound:path>
        { $($field:ident: $type:ty),* $(,)? } -> $output:ty, $run:expr
    ) => {
        struct $name<$life, $generic: $bound> {
            $($field: $type),*
        }

        impl<$life, $generic: $bound> $crate::register::Work for $name<$life, $generic> {
            type Output = $output;

            #[inline(always)]
            fn run(self) -> $output {
                let Self { $($field),* } = self;
                $run
            }
        }
    };
}
pub(crate) use work;

/// How far lanes move.
#[derive(Clone, Copy)]
pub(crate) enum Rotation {
    Four,
    Two,
    One,
}

impl Rotation {
    pub(crate) fn lanes(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Two => 2,
            Self::One => 1,
        }
    }
}

/// A table that two registers hold.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Sixteen(pub(crate) [[u64; LANES]; 2]);

/// Products of 52-bit integers, low and high half apart (AVX-512 IFMA).
pub(crate) trait IntegerProducts: Register {
    /// `self` + the low 52 bits of a·b, of the low 52 bits of both.
    fn add_low(self, a: Self, b: Self) -> Self;
    /// `self` + a·b / 2^52, rounded down.
    fn add_high(self, a: Self, b: Self) -> Self;
    /// Of each lane the entry of the table that its low four bits are the number of. No address depends on it.
    fn nth(self, table: &Sixteen) -> Self;
    /// Shifted right by 52 as signed numbers.
    fn signed_carry(self) -> Self;
}

/// Double-precision arithmetic, rounded to nearest even.
pub(crate) trait FloatProducts: Register {
    /// Independent multiplications that are worked on together: as many as the registers hold.
    const TOGETHER: usize;

    /// The same number, which the compiler does not use before it has `other`: the order in which the work is
    /// written down. Without it all products are made first and wait on the stack.
    #[inline(always)]
    fn after(self, _other: Self) -> Self {
        self
    }

    /// `self`·b + c with one rounding.
    fn fused(self, b: Self, c: Self) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    /// (`self` & mask) | bits
    fn spliced(self, mask: Self, bits: Self) -> Self;

    /// The same number in every lane.
    #[inline(always)]
    fn number(self, value: f64) -> Self {
        self.splat(value.to_bits())
    }
}
