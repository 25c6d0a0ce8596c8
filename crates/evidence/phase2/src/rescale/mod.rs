//! Points times one scalar: the bulk of a contribution and of a beacon.
//!
//! A [`Schedule`] holds the steps for one scalar; a [`Rescaler`] runs them over blocks of points on
//! all threads of the current pool.

mod decompose;
mod kernel;
mod schedule;
mod select;

use ark_ec::{
    scalar_mul::glv::GLVConfig,
    short_weierstrass::{Affine, SWCurveConfig},
};
use rayon::prelude::*;

pub use decompose::Scalar;
pub use kernel::DegeneratePoint;
use kernel::{BLOCK_POINTS, PointKernel, PortableKernel};
pub use schedule::{Schedule, ScheduleError};
pub use select::Select;

/// Multiplies points of G1 by one scalar, fixed when it is made.
///
/// Input points must be on the curve and in the prime-order group. The reader of the points checks
/// the curve equation; on a curve with a cofactor the caller checks the subgroup.
pub struct Rescaler {
    schedule: Schedule,
}

impl Rescaler {
    /// For a secret scalar: the same sequence of operations whatever its value.
    pub fn secret<C: GLVConfig<ScalarField: Scalar>>(
        scalar: &C::ScalarField,
    ) -> Result<Self, ScheduleError> {
        Ok(Self {
            schedule: Schedule::regular::<C>(scalar)?,
        })
    }

    /// For a public scalar.
    pub fn public<C: GLVConfig<ScalarField: Scalar>>(
        scalar: &C::ScalarField,
    ) -> Result<Self, ScheduleError> {
        Ok(Self {
            schedule: Schedule::sparse::<C>(scalar)?,
        })
    }

    /// Replaces every point by its multiple, infinity by itself.
    pub fn multiply<C>(&self, points: &mut [Affine<C>]) -> Result<(), DegeneratePoint>
    where
        C: GLVConfig<BaseField: Select>,
    {
        points
            .par_chunks_mut(BLOCK_POINTS)
            .try_for_each_init(PortableKernel::with_endomorphism::<C>, |kernel, block| {
                kernel.multiply(&self.schedule, block)
            })
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
