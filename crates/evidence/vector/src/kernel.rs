//! Points times a chain's scalar: bytes in, bytes out.

use crate::chain::Chain;
use crate::field::Field;
use crate::group::Block;
use crate::level::Level;
use crate::packed::Row;
use crate::register::LANES;

/// A point that must not be multiplied.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PointFault {
    /// A coordinate is not below the field's modulus.
    #[error("point {index}: coordinate not below the modulus")]
    NotCanonical {
        /// Position in the slice that was given.
        index: usize,
    },
    /// Not a point of the curve.
    #[error("point {index}: not on the curve")]
    OffCurve {
        /// Position in the slice that was given.
        index: usize,
    },
    /// An addition met an exceptional case: the chain does not fit points of this group.
    #[error("the chain meets an exceptional case of point addition")]
    Exceptional,
    /// A result is not on the curve: the machine miscalculates.
    #[error("the product is not on the curve: this machine miscalculates")]
    WrongResult,
    /// The slice is not a whole number of points.
    #[error(
        "{length} bytes are not a whole number of points of {} bytes",
        POINT_BYTES
    )]
    Length {
        /// Bytes given.
        length: usize,
    },
}

/// Bytes of a G1 point in a zkey: x, y, little-endian Montgomery limbs (R = 2^256).
pub const POINT_BYTES: usize = 64;

/// Working memory for one thread, and the only way to run a chain.
pub struct Kernel {
    block: Box<dyn Multiplier>,
}

/// A block of points, whatever the field's form.
pub(crate) trait Multiplier: Send {
    /// Points that it holds.
    fn capacity(&self) -> usize;

    /// Multiplies at most so many points; `first` is the position of the first one for errors.
    fn apply(&mut self, chain: &Chain, points: &mut [u8], first: usize) -> Result<(), PointFault>;
}

/// (1, 2), the generator: stands in for the point at infinity, whose result is infinity again.
const GENERATOR: Row = {
    let [a, b, c, d] = ark_bn254::g1::G1_GENERATOR_X.0.0;
    let [e, f, g, h] = ark_bn254::g1::G1_GENERATOR_Y.0.0;
    Row([a, b, c, d, e, f, g, h])
};

impl Kernel {
    /// Memory for `points` points at a time, rounded up to whole vectors, at this level.
    #[must_use]
    pub fn new(level: Level, points: usize) -> Self {
        let block = level.multiplier(points.div_ceil(LANES).max(1));
        Self { block }
    }

    /// Multiplies every point of `points` (64 bytes each, as in a zkey) in place by the chain's
    /// scalar. Infinity (64 zero bytes) stays infinity.
    ///
    /// # Errors
    /// A coordinate that is not canonical, a point off the curve, or a chain that does not fit the
    /// group: then nothing of the block it stands in has been multiplied. BN254's G1 has prime
    /// order, so no subgroup check is needed. Results are checked for the curve equation too.
    pub fn apply(&mut self, chain: &Chain, points: &mut [u8]) -> Result<(), PointFault> {
        if !points.len().is_multiple_of(POINT_BYTES) {
            return Err(PointFault::Length {
                length: points.len(),
            });
        }
        let capacity = self.block.capacity();
        for (number, block) in points.chunks_mut(capacity * POINT_BYTES).enumerate() {
            self.block.apply(chain, block, number * capacity)?;
        }
        Ok(())
    }
}

impl<F: Field> Multiplier for Block<F> {
    fn capacity(&self) -> usize {
        self.vectors() * LANES
    }

    fn apply(&mut self, chain: &Chain, points: &mut [u8], first: usize) -> Result<(), PointFault> {
        let count = points.len() / POINT_BYTES;
        let vectors = count.div_ceil(LANES);
        let mut infinity = vec![0_u8; vectors];
        let groups = points.chunks(LANES * POINT_BYTES).enumerate();
        for ((v, group), infinity) in groups.zip(&mut infinity) {
            let mut rows = [GENERATOR; LANES];
            *infinity = u8::MAX;
            for (lane, (row, bytes)) in rows.iter_mut().zip(group.as_chunks().0).enumerate() {
                let point = Row::from_bytes(bytes);
                if point == Row::ZERO {
                    continue;
                }
                if !point.is_canonical() {
                    return Err(PointFault::NotCanonical {
                        index: first + v * LANES + lane,
                    });
                }
                *row = point;
                *infinity &= !(1 << lane);
            }
            let on_curve = self.set(v, &rows);
            if let Some(lane) = (0..LANES).find(|lane| on_curve & (1 << lane) == 0) {
                return Err(PointFault::OffCurve {
                    index: first + v * LANES + lane,
                });
            }
        }
        if !self.run(chain, vectors) {
            return Err(PointFault::Exceptional);
        }
        if !self.on_curve(vectors) {
            return Err(PointFault::WrongResult);
        }
        let groups = points.chunks_mut(LANES * POINT_BYTES).enumerate();
        for ((v, group), infinity) in groups.zip(infinity) {
            let results = self.get(v);
            for (lane, (point, row)) in group.as_chunks_mut().0.iter_mut().zip(results).enumerate()
            {
                if infinity & (1 << lane) == 0 {
                    *point = row.bytes();
                }
            }
        }
        Ok(())
    }
}
