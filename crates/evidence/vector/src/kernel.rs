//! The border between plain code and vector code: bytes in, bytes out.

use crate::chain::Chain;

/// Whether this processor has AVX-512 F, DQ and IFMA.
#[must_use]
pub fn available() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512dq")
            && std::arch::is_x86_feature_detected!("avx512ifma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

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
///
/// A value exists only where the processor has the features: that is the argument of every call
/// across the feature border below.
pub struct Kernel {
    #[cfg(target_arch = "x86_64")]
    block: crate::group::Block,
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![expect(
        unsafe_code,
        reason = "calls into functions that need processor features"
    )]
    #![expect(
        clippy::indexing_slicing,
        reason = "indices below constant array lengths"
    )]

    use super::{Chain, Kernel, POINT_BYTES, PointFault, available};
    use crate::field::LANES;
    use crate::group::Block;
    use crate::limbs::{LIMBS, MODULUS_64, less, split_times_16};

    /// (1, 2), the generator: stands in for the point at infinity, whose result is infinity again.
    const GENERATOR: ([u64; 4], [u64; 4]) = (
        ark_bn254::g1::G1_GENERATOR_X.0.0,
        ark_bn254::g1::G1_GENERATOR_Y.0.0,
    );

    impl Kernel {
        /// Memory for `points` points at a time, rounded up to whole vectors. `None` where the
        /// processor lacks a feature.
        #[must_use]
        pub fn new(points: usize) -> Option<Self> {
            if !available() {
                return None;
            }
            // SAFETY: available() has just seen every feature that Block's functions are compiled for.
            let block = unsafe { Block::new(points.div_ceil(LANES).max(1)) };
            Some(Self { block })
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
            let capacity = self.block.vectors() * LANES;
            for (number, block) in points.chunks_mut(capacity * POINT_BYTES).enumerate() {
                self.apply_block(chain, block, number * capacity)?;
            }
            Ok(())
        }

        fn apply_block(
            &mut self,
            chain: &Chain,
            points: &mut [u8],
            first: usize,
        ) -> Result<(), PointFault> {
            let count = points.len() / POINT_BYTES;
            let vectors = count.div_ceil(LANES);
            let mut infinity = vec![0_u8; vectors];
            for (v, group) in points.chunks(LANES * POINT_BYTES).enumerate() {
                let mut x = [[0; LANES]; LIMBS];
                let mut y = [[0; LANES]; LIMBS];
                for lane in 0..LANES {
                    let point = group.chunks_exact(POINT_BYTES).nth(lane).map(coordinates);
                    let (px, py) = match point {
                        Some(([0, 0, 0, 0], [0, 0, 0, 0])) | None => {
                            infinity[v] |= 1 << lane;
                            GENERATOR
                        }
                        Some(point) => point,
                    };
                    if !less(&px, &MODULUS_64) || !less(&py, &MODULUS_64) {
                        return Err(PointFault::NotCanonical {
                            index: first + v * LANES + lane,
                        });
                    }
                    let (px, py) = (split_times_16(px), split_times_16(py));
                    for limb in 0..LIMBS {
                        x[limb][lane] = px[limb];
                        y[limb][lane] = py[limb];
                    }
                }
                // SAFETY: self exists, so the features are present (see `new`).
                let on_curve = unsafe { self.block.set(v, &x, &y) };
                if let Some(lane) = (0..LANES).find(|lane| on_curve & (1 << lane) == 0) {
                    return Err(PointFault::OffCurve {
                        index: first + v * LANES + lane,
                    });
                }
            }
            // SAFETY: as above.
            let sound = unsafe { self.block.run(chain, vectors) };
            if !sound {
                return Err(PointFault::Exceptional);
            }
            // SAFETY: as above.
            if !unsafe { self.block.on_curve(vectors) } {
                return Err(PointFault::WrongResult);
            }
            for (v, group) in points.chunks_mut(LANES * POINT_BYTES).enumerate() {
                // SAFETY: as above.
                let results = unsafe { self.block.get(v) };
                for (lane, (point, result)) in
                    group.chunks_exact_mut(POINT_BYTES).zip(results).enumerate()
                {
                    if infinity[v] & (1 << lane) == 0 {
                        let limbs = result.0.into_iter().chain(result.1);
                        for (bytes, limb) in point.chunks_exact_mut(8).zip(limbs) {
                            bytes.copy_from_slice(&limb.to_le_bytes());
                        }
                    }
                }
            }
            Ok(())
        }
    }

    fn coordinates(point: &[u8]) -> ([u64; 4], [u64; 4]) {
        let mut limbs = [0_u64; 8];
        for (limb, bytes) in limbs.iter_mut().zip(point.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        let [a, b, c, d, e, f, g, h] = limbs;
        ([a, b, c, d], [e, f, g, h])
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Kernel {
    /// There is no vector code for this processor.
    #[must_use]
    pub fn new(_points: usize) -> Option<Self> {
        None
    }

    /// Cannot be reached: no value of this type exists on this processor.
    ///
    /// # Errors
    /// Always.
    pub fn apply(&mut self, _chain: &Chain, points: &mut [u8]) -> Result<(), PointFault> {
        Err(PointFault::Length {
            length: points.len(),
        })
    }
}
