//! The ways to multiply that this crate knows, and which of them a processor has.

use crate::additions::{Adder, Memory};
use crate::field::{float::Floats, ifma::Integers};
use crate::group::Block;
use crate::kernel::Multiplier;
use crate::ladder::{Climber, Rungs};
use crate::measure::{self, Operation};
use crate::points::{G1Point, G2Point};
use crate::prime::Prime;
use crate::quadratic::Quadratic;
#[cfg(test)]
use crate::register::model::Model;
#[cfg(target_arch = "x86_64")]
use crate::register::{avx2::Avx2, avx512::Avx512, avx512::Ifma};
use crate::uncompressed::{Factor, Rows};

/// A set of processor features, and the arithmetic made for it.
///
/// Another processor's vector unit is one more implementation of the crate's `FloatProducts`, and one
/// more level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Level {
    /// AVX-512 F, DQ and IFMA: 52-bit integer products, eight at a time.
    Ifma,
    /// AVX-512 F and DQ: products in double precision, eight at a time.
    Avx512,
    /// AVX2 and FMA: products in double precision, four at a time.
    Avx2,
    /// Plain code for what the instructions of `Ifma` do.
    #[cfg(test)]
    IntegerModel,
    /// Plain code for what the instructions of the other two do, with a check of every result.
    #[cfg(test)]
    FloatModel,
}

/// Calls a generic function with the field of a level, where this program can have it.
macro_rules! with_field {
    ($level:expr, $field:ident => $work:expr) => {
        match $level {
            #[cfg(target_arch = "x86_64")]
            Level::Ifma => {
                type $field = Integers<Ifma>;
                $work
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                type $field = Floats<Avx512>;
                $work
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => {
                type $field = Floats<Avx2>;
                $work
            }
            #[cfg(not(target_arch = "x86_64"))]
            Level::Ifma | Level::Avx512 | Level::Avx2 => None,
            #[cfg(test)]
            Level::IntegerModel => {
                type $field = Integers<Model>;
                $work
            }
            #[cfg(test)]
            Level::FloatModel => {
                type $field = Floats<Model>;
                $work
            }
        }
    };
}

impl Level {
    /// Every level of processors, the fastest one first.
    pub const ALL: [Self; 3] = [Self::Ifma, Self::Avx512, Self::Avx2];

    /// The fastest level that this processor has.
    #[must_use]
    pub fn best() -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.is_available())
    }

    /// Whether this processor has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        fn detected<F: crate::field::Field>() -> Option<()> {
            F::detect().map(drop)
        }
        with_field!(self, F => detected::<F>()).is_some()
    }

    /// Its name, as programs print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ifma => "AVX-512 IFMA",
            Self::Avx512 => "AVX-512",
            Self::Avx2 => "AVX2",
            #[cfg(test)]
            Self::IntegerModel => "model of AVX-512 IFMA",
            #[cfg(test)]
            Self::FloatModel => "model of AVX-512 and AVX2",
        }
    }

    /// For benchmarks: runs at least `count` field operations by vectors and says how many; `None`
    /// where the processor does not have the level. The second number only stands for the results.
    #[must_use]
    pub fn run(self, operation: Operation, count: usize) -> Option<(usize, u64)> {
        with_field!(self, F => measure::run::<F>(operation, count))
    }

    pub(crate) fn multiplier(self, vectors: usize) -> Option<Box<dyn Multiplier>> {
        with_field!(self, F => Some(Box::new(Block::<F>::new(vectors)?)))
    }

    pub(crate) fn first_group(self) -> Option<Box<dyn Adder<G1Point>>> {
        with_field!(self, F => Some(Box::new(Memory::<Prime<F>>::new()?)))
    }

    pub(crate) fn climber(self) -> Option<Box<dyn Climber>> {
        with_field!(self, F => Some(Box::new(Rungs::<F>::new()?)))
    }

    pub(crate) fn uncompressed(self) -> Option<Box<dyn Rows>> {
        with_field!(self, F => Some(Box::new(Factor::<F>::new()?)))
    }

    pub(crate) fn second_group(self) -> Option<Box<dyn Adder<G2Point>>> {
        with_field!(self, F => Some(Box::new(Memory::<Quadratic<F>>::new()?)))
    }
}
