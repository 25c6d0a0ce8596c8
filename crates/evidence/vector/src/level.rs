//! The ways to multiply that this crate knows, and which of them a processor has.

use std::sync::OnceLock;

use crate::additions::{Adder, Memory};
use crate::group::Block;
use crate::kernel::Multiplier;
use crate::ladder::{Climber, Rungs};
use crate::measure::{self, Operation};
use crate::points::{G1Point, G2Point};
use crate::prime::Prime;
use crate::quadratic::Quadratic;
use crate::register::{Register, plain::Plain};
#[cfg(target_arch = "x86_64")]
use crate::register::{avx2::Avx2, avx512::Avx512, avx512::Ifma};
use crate::uncompressed::{Factor, Rows};

/// A set of features that this processor has, and the arithmetic made for it. A value is evidence of the
/// features: there is none of a level that the processor lacks.
///
/// Another processor's vector unit is one more implementation of the crate's `FloatProducts`, and one
/// more level.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Level {
    /// AVX-512 F, DQ and IFMA: 52-bit integer products, eight at a time.
    #[cfg(target_arch = "x86_64")]
    Ifma(Ifma),
    /// AVX-512 F and DQ: products in double precision, eight at a time.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// AVX2 and FMA: products in double precision, four at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// No vector unit: 64-bit integer products in safe code, one at a time. Every processor has it.
    Plain(Plain),
    /// Plain code for what the instructions of `Ifma` do.
    #[cfg(test)]
    IntegerModel(Plain),
    /// Plain code for what the instructions of `Avx512` and `Avx2` do, with a check of every result.
    #[cfg(test)]
    FloatModel(Plain),
}

/// See [`Level::choose`].
static CHOSEN: OnceLock<Level> = OnceLock::new();

/// Calls a generic function with the zero of a level's field.
macro_rules! with_field {
    ($level:expr, $zero:ident => $work:expr) => {
        match $level {
            #[cfg(target_arch = "x86_64")]
            $crate::Level::Ifma(register) => {
                let $zero =
                    <$crate::field::ifma::Integers<_> as $crate::field::Field>::of(register);
                $work
            }
            #[cfg(target_arch = "x86_64")]
            $crate::Level::Avx512(register) => {
                let $zero = <$crate::field::float::Floats<_> as $crate::field::Field>::of(register);
                $work
            }
            #[cfg(target_arch = "x86_64")]
            $crate::Level::Avx2(register) => {
                let $zero = <$crate::field::float::Floats<_> as $crate::field::Field>::of(register);
                $work
            }
            $crate::Level::Plain(register) => {
                let $zero = <$crate::field::words::Words as $crate::field::Field>::of(register);
                $work
            }
            #[cfg(test)]
            $crate::Level::IntegerModel(register) => {
                let $zero =
                    <$crate::field::ifma::Integers<_> as $crate::field::Field>::of(register);
                $work
            }
            #[cfg(test)]
            $crate::Level::FloatModel(register) => {
                let $zero = <$crate::field::float::Floats<_> as $crate::field::Field>::of(register);
                $work
            }
        }
    };
}
#[cfg(test)]
pub(crate) use with_field;

impl Level {
    /// Every level that this processor has, the fastest one first.
    pub fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let found = [
            Ifma::detect().map(Self::Ifma),
            Avx512::detect().map(Self::Avx512),
            Avx2::detect().map(Self::Avx2),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let found: [Option<Self>; 0] = [];
        found.into_iter().flatten().chain([Self::PLAIN])
    }

    const PLAIN: Self = Self::Plain(Plain::ZERO);

    /// The fastest level that this processor has, or the one that was chosen.
    #[must_use]
    pub fn best() -> Self {
        let fastest = || Self::all().next().unwrap_or(Self::PLAIN);
        CHOSEN.get().copied().unwrap_or_else(fastest)
    }

    /// For benchmarks: makes this the level of all that the process computes from now on. Returns whether it
    /// is; a second choice comes too late. Results do not depend on it.
    #[must_use]
    pub fn choose(self) -> bool {
        CHOSEN.set(self).is_ok()
    }

    /// Its name, as programs print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Ifma(_) => "AVX-512 IFMA",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "AVX2",
            Self::Plain(_) => "no vector unit",
            #[cfg(test)]
            Self::IntegerModel(_) => "model of AVX-512 IFMA",
            #[cfg(test)]
            Self::FloatModel(_) => "model of AVX-512 and AVX2",
        }
    }

    /// For benchmarks: runs at least `count` field operations by vectors and says how many. The second number
    /// only stands for the results.
    #[must_use]
    pub fn run(self, operation: Operation, count: usize) -> (usize, u64) {
        with_field!(self, zero => measure::run(zero, operation, count))
    }

    pub(crate) fn multiplier(self, vectors: usize) -> Box<dyn Multiplier> {
        with_field!(self, zero => Box::new(Block::new(zero, vectors)))
    }

    pub(crate) fn first_group(self) -> Box<dyn Adder<G1Point>> {
        with_field!(self, zero => Box::new(Memory::<Prime<_>>::new(zero)))
    }

    pub(crate) fn climber(self) -> Box<dyn Climber> {
        with_field!(self, zero => Box::new(Rungs::new(zero)))
    }

    pub(crate) fn uncompressed(self) -> Box<dyn Rows> {
        with_field!(self, zero => Box::new(Factor::new(zero)))
    }

    pub(crate) fn second_group(self) -> Box<dyn Adder<G2Point>> {
        with_field!(self, zero => Box::new(Memory::<Quadratic<_>>::new(zero)))
    }
}
