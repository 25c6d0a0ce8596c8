//! The vector kernel, where curve and processor have it: BN254 and AVX-512 IFMA.

use std::any::TypeId;

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use formats::points::LemPoint;
use vector::{Chain, Kernel, Term};

use super::{
    kernel::{BLOCK_POINTS, DegeneratePoint, PointKernel},
    schedule::{Digit, Schedule, Step},
};

/// The vector form of a schedule; `None` for another curve or processor.
pub(super) fn chain<C: SWCurveConfig>(schedule: &Schedule) -> Option<Chain> {
    if TypeId::of::<C>() != TypeId::of::<ark_bn254::g1::Config>() || !vector::available() {
        return None;
    }
    let steps = schedule
        .steps
        .iter()
        .map(|step| match step {
            Step::Start(digit) | Step::Add(digit) => vector::Step::Add(term(*digit)),
            Step::Double => vector::Step::Double,
            Step::DoubleAdd(digit) => vector::Step::DoubleAdd(term(*digit)),
        })
        .collect();
    Chain::new(steps, schedule.secret).ok()
}

fn term(digit: Digit) -> Term {
    Term {
        index: digit.value.unsigned_abs() / 2,
        negative: digit.value.is_negative(),
        endomorphism: digit.endomorphism,
    }
}

/// The vector kernel with the chain that it runs.
pub(super) struct VectorKernel<'a> {
    chain: &'a Chain,
    kernel: Kernel,
    bytes: Vec<u8>,
}

impl<'a> VectorKernel<'a> {
    /// `None` where the processor lacks a feature.
    pub(super) fn new(chain: &'a Chain) -> Option<Self> {
        Some(Self {
            chain,
            kernel: Kernel::new(BLOCK_POINTS)?,
            bytes: Vec::new(),
        })
    }
}

impl<C: SWCurveConfig> PointKernel<C> for VectorKernel<'_>
where
    Affine<C>: LemPoint,
{
    /// Every result is read back as a point of the curve, so a fault of the vector code cannot pass
    /// for a point.
    fn multiply(
        &mut self,
        _schedule: &Schedule,
        points: &mut [Affine<C>],
    ) -> Result<(), DegeneratePoint> {
        self.bytes.clear();
        for point in points.iter() {
            point.append_lem(&mut self.bytes);
        }
        self.kernel
            .apply(self.chain, &mut self.bytes)
            .map_err(|_| DegeneratePoint)?;
        let products = self.bytes.chunks(Affine::<C>::BYTES);
        for (point, product) in points.iter_mut().zip(products) {
            *point = Affine::from_lem(product).map_err(|_| DegeneratePoint)?;
        }
        Ok(())
    }
}
