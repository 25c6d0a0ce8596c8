//! BN254's points at rest, and working memory that adds them.

use crate::additions::{Adder, Addition, PositionError};
use crate::coordinates::AtRest;
use crate::group::beta;
use crate::kernel::PointFault;
use crate::level::Level;
use crate::packed::{Row, negate_first, negate_second, scale_first};

macro_rules! points {
    ($adder:ident, $point:ident, $rows:literal, $group:literal, $level:ident) => {
        #[doc = concat!("A point of ", $group, " at rest, in the working form of an adder's level.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $point(pub(crate) [Row; $rows]);

        impl $point {
            /// The point at infinity.
            pub const INFINITY: Self = Self([Row::ZERO; $rows]);

            /// Bytes of a point in a file: coordinates in little-endian Montgomery limbs, R = 2^256.
            pub const BYTES: usize = 64 * $rows;

            /// Whether this is the point at infinity.
            #[must_use]
            pub fn is_infinity(&self) -> bool {
                *self == Self::INFINITY
            }
        }

        impl AtRest for $point {
            const INFINITY: Self = Self::INFINITY;
            const BYTES: usize = Self::BYTES;

            fn rows(&self) -> &[Row] {
                &self.0
            }

            fn rows_mut(&mut self) -> &mut [Row] {
                &mut self.0
            }
        }

        #[doc = concat!("Working memory for additions in ", $group, ".")]
        ///
        /// Points that one adder has read may be given to another one of the same level only.
        pub struct $adder {
            memory: Box<dyn Adder<$point>>,
        }

        impl $adder {
            /// At this level.
            #[must_use]
            pub fn new(level: Level) -> Self {
                let memory = level.$level();
                Self { memory }
            }

            /// Runs additions whose sums go to `points`; `others` is only read. The order among them is
            /// not defined: a position that takes a sum must not take another one, nor be a summand of
            /// another addition.
            ///
            /// # Errors
            /// A position beyond its slice; then nothing has been added.
            pub fn add(
                &mut self,
                points: &mut [$point],
                others: &[$point],
                additions: &[Addition],
            ) -> Result<(), PositionError> {
                let check = |position: u32, slice: &[$point]| {
                    let inside = usize::try_from(position).is_ok_and(|at| at < slice.len());
                    inside.then_some(()).ok_or(PositionError { position })
                };
                for addition in additions {
                    for summand in [addition.left, addition.right] {
                        let slice = if summand.is_other() { others } else { &*points };
                        check(summand.position(), slice)?;
                    }
                    check(addition.to, points)?;
                }
                self.memory.add(points, others, additions);
                Ok(())
            }

            /// Reads points in file form. Each is checked: canonical coordinates, on the curve.
            ///
            /// # Errors
            /// The first point that is not; a byte string that is not whole points.
            pub fn import(&mut self, bytes: &[u8]) -> Result<Vec<$point>, PointFault> {
                let mut points = vec![$point::INFINITY; bytes.len() / $point::BYTES];
                self.import_into(bytes, &mut points)?;
                Ok(points)
            }

            /// As [`Self::import`], into a slice of exactly as many points. Where it fails, the slice
            /// holds anything.
            ///
            /// # Errors
            /// The same; a slice of another length.
            pub fn import_into(
                &mut self,
                bytes: &[u8],
                points: &mut [$point],
            ) -> Result<(), PointFault> {
                if points.len().checked_mul($point::BYTES) != Some(bytes.len()) {
                    return Err(PointFault::Length {
                        length: bytes.len(),
                    });
                }
                self.memory.import(bytes, points)
            }

            /// Appends points in file form.
            pub fn export(&self, points: &[$point], bytes: &mut Vec<u8>) {
                bytes.reserve(points.len() * $point::BYTES);
                self.memory.export(points, bytes);
            }
        }
    };
}

points!(G1Adder, G1Point, 1, "G1", first_group);
points!(G2Adder, G2Point, 2, "G2", second_group);

impl G1Point {
    /// (βx, y): the point times the λ of the library's `GLVConfig`.
    #[must_use]
    pub fn image(mut self) -> Self {
        let Self([row]) = &mut self;
        scale_first(row, beta());
        self
    }

    /// The opposite point.
    #[must_use]
    pub fn negated(mut self) -> Self {
        let Self([row]) = &mut self;
        negate_second(row);
        self
    }
}

impl G2Point {
    /// The opposite point.
    #[must_use]
    pub fn negated(mut self) -> Self {
        let Self([_, y]) = &mut self;
        negate_first(y);
        negate_second(y);
        self
    }
}
