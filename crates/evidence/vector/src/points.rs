//! BN254's points at rest, and working memory that adds them.

use crate::additions::{Adder, Addition, PositionError};
use crate::coordinates::AtRest;
use crate::kernel::PointFault;
use crate::level::Level;
use crate::packed::{Row, negate_first, negate_second};

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
            /// At the fastest level; `None` where the processor has none.
            #[must_use]
            pub fn new() -> Option<Self> {
                Self::at(Level::best()?)
            }

            /// `None` where the processor does not have the level.
            #[must_use]
            pub fn at(level: Level) -> Option<Self> {
                let memory = level.$level()?;
                Some(Self { memory })
            }

            /// Runs additions on `points`. No position may occur twice in `additions`: the order
            /// among them is not defined.
            ///
            /// # Errors
            /// A position beyond the slice; then nothing has been added.
            pub fn add(
                &mut self,
                points: &mut [$point],
                additions: &[Addition],
            ) -> Result<(), PositionError> {
                for addition in additions {
                    for position in [addition.left, addition.right] {
                        if !usize::try_from(position).is_ok_and(|at| at < points.len()) {
                            return Err(PositionError { position });
                        }
                    }
                }
                self.memory.add(points, additions);
                Ok(())
            }

            /// Reads points in file form. Each is checked: canonical coordinates, on the curve.
            ///
            /// # Errors
            /// The first point that is not; a byte string that is not whole points.
            pub fn import(&mut self, bytes: &[u8]) -> Result<Vec<$point>, PointFault> {
                self.memory.import(bytes)
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
