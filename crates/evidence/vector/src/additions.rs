//! Many independent additions of affine points, complete: equal points, opposite points and infinity
//! give what they should, lane by lane. A block of additions shares one inversion.

#![expect(
    unsafe_code,
    reason = "calls into functions that need processor features"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "all columns of a block have the block's length; positions are checked at the border"
)]

use crate::kernel::{PointFault, available};
use crate::packed::Row;

/// Groups of vectors in a block: 2048 additions share an inversion.
const GROUPS: usize = 64;

/// `left` ← `left` + `right`, both positions in one slice of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition {
    /// Position of the first summand and of the sum.
    pub left: u32,
    /// Position of the second summand.
    pub right: u32,
}

macro_rules! additions {
    ($adder:ident, $point:ident, $field:ident, $group:literal) => {
        #[doc = concat!("A point of ", $group, " at rest, in the working form of this crate.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $point(crate::$field::Point);

        impl $point {
            /// The point at infinity.
            pub const INFINITY: Self = Self([Row::ZERO; crate::$field::ROWS]);

            /// Bytes of a point in a file: coordinates in little-endian Montgomery limbs, R = 2^256.
            pub const BYTES: usize = 64 * crate::$field::ROWS;

            /// Whether this is the point at infinity.
            #[must_use]
            pub fn is_infinity(&self) -> bool {
                *self == Self::INFINITY
            }

            /// The opposite point.
            #[must_use]
            pub fn negated(mut self) -> Self {
                crate::$field::negate(&mut self.0);
                self
            }
        }

        #[doc = concat!("Working memory for additions in ", $group, ".")]
        ///
        /// A value exists only where the processor has the features: that is the argument of every
        /// call across the feature border.
        pub struct $adder {
            memory: $field::Memory,
        }

        impl $adder {
            /// `None` where the processor lacks a feature.
            #[must_use]
            pub fn new() -> Option<Self> {
                if !available() {
                    return None;
                }
                // SAFETY: available() has just seen every feature.
                let memory = unsafe { $field::Memory::new() };
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
                for block in additions.chunks(GROUPS * $field::GROUP_LANES) {
                    // SAFETY: self exists, so the features are present (see `new`).
                    unsafe { self.memory.add(points, block) };
                }
                Ok(())
            }

            /// Reads points in file form. Each is checked: canonical coordinates, on the curve.
            ///
            /// # Errors
            /// The first point that is not; a byte string that is not whole points.
            pub fn import(&mut self, bytes: &[u8]) -> Result<Vec<$point>, PointFault> {
                if !bytes.len().is_multiple_of($point::BYTES) {
                    return Err(PointFault::Length {
                        length: bytes.len(),
                    });
                }
                let mut points = Vec::with_capacity(bytes.len() / $point::BYTES);
                for chunk in bytes.chunks($field::GROUP_LANES * $point::BYTES) {
                    // SAFETY: as in `add`.
                    unsafe { $field::import(chunk, &mut points)? };
                }
                Ok(points)
            }

            /// Appends points in file form.
            pub fn export(&self, points: &[$point], bytes: &mut Vec<u8>) {
                bytes.reserve(points.len() * $point::BYTES);
                for chunk in points.chunks($field::GROUP_LANES) {
                    // SAFETY: as in `add`.
                    unsafe { $field::export(chunk, bytes) };
                }
            }
        }

        mod $field {
            use super::{Addition, GROUPS, $point};
            use crate::field::{Fq8, GROUP, Group, LANES, multiply as products};
            use crate::group::{montgomery, try_invert_group};
            use crate::kernel::PointFault;
            use crate::packed::Row;
            use crate::$field::{
                Elements, Lanes, add, canonical, canonical_lanes, curve_lanes, equal_lanes, gather,
                multiply, one, over_norm, replace, scale, scatter, square, subtract, subtract_both,
                subtract_canonical, zero_lanes,
            };

            /// Points of a group of vectors.
            pub(super) const GROUP_LANES: usize = GROUP * LANES;

            pub(super) struct Memory {
                work: Work,
                norms: Vec<Group>,
                prefixes: Vec<Group>,
            }

            /// One group of additions.
            struct Work {
                x: Elements,
                y: Elements,
                other_x: Elements,
                other_y: Elements,
                rise: Elements,
                run: Elements,
                slope: Elements,
                third_x: Elements,
                /// Lanes where the sum is (x, y) as it stands.
                copied: Lanes,
                /// Lanes where the sum is infinity.
                none: Lanes,
            }

            impl Memory {
                #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
                pub(super) fn new() -> Self {
                    let one = one();
                    let column = || vec![crate::prime::one(); GROUPS];
                    Self {
                        work: Work {
                            x: one,
                            y: one,
                            other_x: one,
                            other_y: one,
                            rise: one,
                            run: one,
                            slope: one,
                            third_x: one,
                            copied: [0; GROUP],
                            none: [0; GROUP],
                        },
                        norms: column(),
                        prefixes: column(),
                    }
                }

                /// At most a block of additions, their positions within the slice. Summands are
                /// gathered in both passes: that is cheaper than keeping them in between.
                #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
                pub(super) fn add(&mut self, points: &mut [$point], additions: &[Addition]) {
                    let Self {
                        work,
                        norms,
                        prefixes,
                    } = self;
                    let mut product = crate::prime::one();
                    for (group, (norm, prefix)) in additions
                        .chunks(GROUP_LANES)
                        .zip(norms.iter_mut().zip(prefixes.iter_mut()))
                    {
                        work.prepare(points, group);
                        crate::$field::norm(norm, &work.run);
                        *prefix = product;
                        products(&mut product, prefix, norm);
                    }
                    // No denominator is zero (see `prepare`), so there is an inverse; without one the
                    // sums would not be on the curve.
                    let mut inverse = try_invert_group(&product).unwrap_or(product);
                    let mut own = inverse;
                    let mut sums = [$point::INFINITY.0; GROUP_LANES];
                    for (g, group) in additions.chunks(GROUP_LANES).enumerate().rev() {
                        products(&mut own, &inverse, &prefixes[g]);
                        let before = inverse;
                        products(&mut inverse, &before, &norms[g]);
                        work.prepare(points, group);
                        work.finish(&own, &mut sums);
                        for (addition, sum) in group.iter().zip(&sums) {
                            points[position(addition.left)] = $point(*sum);
                        }
                    }
                }
            }

            fn position(index: u32) -> usize {
                // Checked at the border to be below a slice's length.
                usize::try_from(index).unwrap_or(usize::MAX)
            }

            impl Work {
                /// Numerator and denominator of each slope. Missing additions of a last group repeat
                /// its first.
                #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
                #[inline]
                fn prepare(&mut self, points: &[$point], group: &[Addition]) {
                    let Some(first) = group.first() else {
                        return;
                    };
                    let mut left = [&points[position(first.left)].0; GROUP_LANES];
                    let mut right = [&points[position(first.right)].0; GROUP_LANES];
                    for ((left, right), addition) in left.iter_mut().zip(&mut right).zip(group) {
                        *left = &points[position(addition.left)].0;
                        *right = &points[position(addition.right)].0;
                    }
                    gather(&left, &mut self.x, &mut self.y);
                    gather(&right, &mut self.other_x, &mut self.other_y);
                    subtract(&mut self.run, &self.other_x, &self.x);
                    subtract(&mut self.rise, &self.other_y, &self.y);
                    self.copied = [0; GROUP];
                    self.none = [0; GROUP];
                    // Only infinity has a zero y: the groups have no point of order two.
                    let same_x = equal_lanes(&self.x, &self.other_x);
                    let left_infinity = zero_lanes(&self.y);
                    let right_infinity = zero_lanes(&self.other_y);
                    if [same_x, left_infinity, right_infinity] != [[0; GROUP]; 3] {
                        let same_y = equal_lanes(&self.y, &self.other_y);
                        self.exceptional([same_x, same_y, left_infinity, right_infinity]);
                    }
                }

                #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
                #[inline(never)]
                fn exceptional(&mut self, exceptions: [Lanes; 4]) {
                    let [same_x, same_y, left_infinity, right_infinity] = exceptions;
                    let mut tangent = [0; GROUP];
                    let mut replaced = [0; GROUP];
                    for i in 0..GROUP {
                        self.copied[i] = left_infinity[i] | right_infinity[i];
                        tangent[i] = same_x[i] & same_y[i] & !self.copied[i];
                        self.none[i] = same_x[i] & !same_y[i] & !self.copied[i];
                        replaced[i] = self.copied[i] | self.none[i];
                    }
                    // λ = 3x²/2y
                    let mut squares = self.x;
                    let mut numerator = self.x;
                    square(&mut squares, &self.x);
                    add(&mut numerator, &squares, &squares);
                    let twice = numerator;
                    add(&mut numerator, &twice, &squares);
                    replace(&mut self.rise, tangent, &numerator);
                    let mut denominator = self.y;
                    add(&mut denominator, &self.y, &self.y);
                    replace(&mut self.run, tangent, &denominator);
                    replace(&mut self.run, replaced, &one());
                    replace(&mut self.x, left_infinity, &self.other_x);
                    replace(&mut self.y, left_infinity, &self.other_y);
                }

                /// λ² − x − x₂, λ(x − x') − y
                #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
                #[inline]
                fn finish(
                    &mut self,
                    inverse: &Group,
                    sums: &mut [crate::$field::Point; GROUP_LANES],
                ) {
                    let (slope, third_x) = (&mut self.slope, &mut self.third_x);
                    // Each of these is used up before it takes the next value.
                    let third_y = &mut self.other_y;
                    over_norm(third_x, &self.run, inverse);
                    multiply(slope, &self.rise, third_x);
                    square(&mut self.rise, slope);
                    subtract_both(third_x, &self.rise, &self.x, &self.other_x);
                    subtract(&mut self.rise, &self.x, third_x);
                    multiply(&mut self.run, slope, &self.rise);
                    subtract_canonical(third_y, &self.run, &self.y);
                    canonical(third_x);
                    if self.copied != [0; GROUP] {
                        replace(third_x, self.copied, &self.x);
                        replace(third_y, self.copied, &self.y);
                    }
                    scatter(third_x, third_y, sums);
                    if self.none == [0; GROUP] {
                        return;
                    }
                    for (sum, lane) in sums.iter_mut().zip(0..) {
                        if self.none[lane / LANES] & (1 << (lane % LANES)) != 0 {
                            *sum = $point::INFINITY.0;
                        }
                    }
                }
            }

            /// At most a group of points.
            #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
            pub(super) fn import(bytes: &[u8], points: &mut Vec<$point>) -> Result<(), PointFault> {
                let mut rows = [$point::INFINITY.0; GROUP_LANES];
                let count = bytes.len() / $point::BYTES;
                for (point, bytes) in rows.iter_mut().zip(bytes.chunks_exact($point::BYTES)) {
                    for (row, bytes) in point.iter_mut().zip(bytes.as_chunks::<64>().0) {
                        for (word, bytes) in row.0.iter_mut().zip(bytes.as_chunks::<8>().0) {
                            *word = u64::from_le_bytes(*bytes);
                        }
                    }
                }
                let (mut x, mut y) = (one(), one());
                let mut refs = [&rows[0]; GROUP_LANES];
                for (reference, row) in refs.iter_mut().zip(&rows) {
                    *reference = row;
                }
                gather(&refs, &mut x, &mut y);
                let canonical = (canonical_lanes(&x), canonical_lanes(&y));
                // From R = 2^256 to R = 2^260: the Montgomery product with 2^264.
                let factor = Fq8::splat(montgomery(ark_bn254::Fq::from(16_u64)));
                scale(&mut x, &factor);
                scale(&mut y, &factor);
                let on_curve = curve_lanes(&x, &y);
                scatter(&x, &y, &mut rows);
                for (lane, row) in rows.iter().enumerate().take(count) {
                    let (v, bit) = (lane / LANES, 1 << (lane % LANES));
                    let index = points.len();
                    if canonical.0[v] & canonical.1[v] & bit == 0 {
                        return Err(PointFault::NotCanonical { index });
                    }
                    if on_curve[v] & bit == 0 && *row != $point::INFINITY.0 {
                        return Err(PointFault::OffCurve { index });
                    }
                    points.push($point(*row));
                }
                Ok(())
            }

            /// At most a group of points.
            #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
            pub(super) fn export(points: &[$point], bytes: &mut Vec<u8>) {
                let mut refs = [&$point::INFINITY.0; GROUP_LANES];
                for (reference, point) in refs.iter_mut().zip(points) {
                    *reference = &point.0;
                }
                let (mut x, mut y) = (one(), one());
                gather(&refs, &mut x, &mut y);
                // From R = 2^260 to R = 2^256: the Montgomery product with 2^256.
                let factor = Fq8::splat([0, 0, 0, 0, 1 << 48]);
                scale(&mut x, &factor);
                scale(&mut y, &factor);
                let mut rows = [$point::INFINITY.0; GROUP_LANES];
                scatter(&x, &y, &mut rows);
                for point in rows.iter().take(points.len()) {
                    for word in point.iter().flat_map(|Row(words)| words) {
                        bytes.extend_from_slice(&word.to_le_bytes());
                    }
                }
            }
        }
    };
}

/// A position beyond the slice of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("position {position} is beyond the points")]
pub struct PositionError {
    /// The position.
    pub position: u32,
}

additions!(G1Adder, G1Point, prime, "G1");
additions!(G2Adder, G2Point, quadratic, "G2");
