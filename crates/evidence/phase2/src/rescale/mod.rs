//! Points times one scalar: the bulk of a contribution and of a beacon.
//!
//! A [`Schedule`] holds the steps for one scalar; a [`Rescaler`] runs them over blocks of points on
//! all threads of the current pool.

mod decompose;
mod kernel;
mod schedule;
mod select;
mod vectorised;

use ark_ec::{
    scalar_mul::glv::GLVConfig,
    short_weierstrass::{Affine, SWCurveConfig},
};
use formats::points::Coordinate;
use rayon::prelude::*;

pub use decompose::Scalar;
pub use kernel::DegeneratePoint;
use kernel::{BLOCK_POINTS, PointKernel, PortableKernel};
pub use schedule::{Schedule, ScheduleError};
pub use select::Select;
use vectorised::VectorKernel;

/// Multiplies points of G1 by one scalar, fixed when it is made.
///
/// Input points must be on the curve and in the prime-order group. The reader of the points checks
/// the curve equation; on a curve with a cofactor the caller checks the subgroup.
pub struct Rescaler {
    schedule: Schedule,
    /// The same steps for the vector kernel, where there is one.
    chain: Option<vector::Chain>,
}

impl Rescaler {
    /// For a secret scalar: the same sequence of operations whatever its value.
    pub fn secret<C: GLVConfig<ScalarField: Scalar>>(
        scalar: &C::ScalarField,
    ) -> Result<Self, ScheduleError> {
        let schedule = Schedule::regular::<C>(scalar)?;
        let chain = vectorised::chain::<C>(&schedule);
        Ok(Self { schedule, chain })
    }

    /// For a public scalar.
    pub fn public<C: GLVConfig<ScalarField: Scalar>>(
        scalar: &C::ScalarField,
    ) -> Result<Self, ScheduleError> {
        let schedule = Schedule::sparse::<C>(scalar)?;
        let chain = vectorised::chain::<C>(&schedule);
        Ok(Self { schedule, chain })
    }

    /// Replaces every point by its multiple, infinity by itself.
    pub fn multiply<C>(&self, points: &mut [Affine<C>]) -> Result<(), DegeneratePoint>
    where
        C: GLVConfig<BaseField: Select + Coordinate>,
    {
        points.par_chunks_mut(BLOCK_POINTS).try_for_each_init(
            || self.kernel::<C>(),
            |kernel, block| kernel.multiply(&self.schedule, block),
        )
    }

    /// Working memory for one thread.
    fn kernel<C>(&self) -> Box<dyn PointKernel<C> + '_>
    where
        C: GLVConfig<BaseField: Select + Coordinate>,
    {
        match self.chain.as_ref().and_then(VectorKernel::new) {
            Some(kernel) => Box::new(kernel),
            None => Box::new(PortableKernel::with_endomorphism::<C>()),
        }
    }
}

/// One point times a secret scalar, in either group, with the regular schedule.
pub fn multiply_secret<C>(
    point: &Affine<C>,
    scalar: &C::ScalarField,
) -> Result<Affine<C>, SecretMultiplicationError>
where
    C: SWCurveConfig<ScalarField: Scalar, BaseField: Select>,
{
    let schedule = Schedule::regular_whole(scalar)?;
    let mut block = [*point];
    PortableKernel::without_endomorphism().multiply(&schedule, &mut block)?;
    let [product] = block;
    Ok(product)
}

/// Why a point was not multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretMultiplicationError {
    /// The scalar has no schedule.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The point is not of the group.
    #[error(transparent)]
    Point(#[from] DegeneratePoint),
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, G1Affine, G1Projective, g1};
    use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
    use ark_ff::Field;

    use super::*;

    /// Both kernels on several blocks with a part of one at the end, infinity among the points.
    #[test]
    fn the_vector_kernel_agrees_with_the_portable_one() {
        if !vector::available() {
            testkit::skipped("this processor has no AVX-512 IFMA");
            return;
        }
        let step = G1Projective::generator();
        let mut points: Vec<G1Projective> = Vec::new();
        for _ in 0..BLOCK_POINTS + 37 {
            points.push(points.last().map_or(step, |last| *last + step));
        }
        let mut points = G1Projective::normalize_batch(&points);
        points[5] = G1Affine::zero();
        let scalar = Fr::from(0x1234_5678_u64).inverse().unwrap();
        for rescaler in [
            Rescaler::secret::<g1::Config>(&scalar).unwrap(),
            Rescaler::public::<g1::Config>(&scalar).unwrap(),
        ] {
            assert!(rescaler.chain.is_some());
            let mut fast = points.clone();
            rescaler.multiply(&mut fast).unwrap();
            let portable = Rescaler {
                chain: None,
                ..rescaler
            };
            let mut slow = points.clone();
            portable.multiply(&mut slow).unwrap();
            assert!(fast == slow);
            assert_eq!(fast[7], (points[7] * scalar).into_affine());
        }
    }
}
