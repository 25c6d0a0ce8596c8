//! Points times one scalar: the bulk of a contribution and of a beacon.
//!
//! A [`Schedule`] holds the steps for one scalar; a [`Rescaler`] runs them over blocks of points on
//! all threads of the current pool.

mod decompose;
mod joint;
mod kernel;
mod schedule;
mod select;
mod vectorised;

use std::sync::{Mutex, PoisonError};

use ark_ec::{
    scalar_mul::glv::GLVConfig,
    short_weierstrass::{Affine, SWCurveConfig},
};
use formats::points::{Coordinate, LemPoint, PointError};
use rayon::prelude::*;

pub use decompose::Scalar;
pub(crate) use decompose::short_halves;
pub use kernel::DegeneratePoint;
use kernel::{BLOCK_POINTS, PortableKernel};
pub use schedule::{Schedule, ScheduleError};
pub use select::Select;

/// Multiplies points of G1 by one scalar, fixed when it is made.
///
/// Points come and go in their file form. Each is checked before it is multiplied: multiplying a
/// point of another curve by a secret would give the secret away.
pub struct Rescaler {
    schedule: Schedule,
    /// Steps for the same scalar for the vector kernel, where it is for the curve.
    chain: Option<vector::Chain>,
    /// The vector kernel's working memory, kept from block to block.
    kernels: Mutex<Vec<vector::Kernel>>,
}

/// Why points were not multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RescaleError {
    /// A point that is malformed or not of the group.
    #[error("point {index}: {source}")]
    Point {
        /// Position in the slice that was given.
        index: usize,
        /// What is wrong with it.
        source: PointError,
    },
    /// See [`DegeneratePoint`].
    #[error(transparent)]
    Degenerate(#[from] DegeneratePoint),
    /// A product is not on the curve.
    #[error("a product is not on the curve: this machine miscalculates")]
    WrongResult,
}

impl Rescaler {
    /// For a secret scalar: the same sequence of operations whatever its value.
    pub fn secret<C: GLVConfig<ScalarField: Scalar>>(
        scalar: &C::ScalarField,
    ) -> Result<Self, ScheduleError> {
        let chain = vectorised::secret::<C>(scalar)?;
        Ok(Self::of(Schedule::regular::<C>(scalar)?, chain))
    }

    /// For a public scalar.
    pub fn public<C: GLVConfig<ScalarField: Scalar>>(
        scalar: &C::ScalarField,
    ) -> Result<Self, ScheduleError> {
        let schedule = Schedule::sparse::<C>(scalar)?;
        let chain = vectorised::public::<C>(&schedule);
        Ok(Self::of(schedule, chain))
    }

    fn of(schedule: Schedule, chain: Option<vector::Chain>) -> Self {
        Self {
            schedule,
            chain,
            kernels: Mutex::new(Vec::new()),
        }
    }

    /// Replaces every point by its multiple, infinity by itself. `points` are whole points in file
    /// form. After an error some of them may have been replaced.
    pub fn multiply<C>(&self, points: &mut [u8]) -> Result<(), RescaleError>
    where
        C: GLVConfig<BaseField: Select + Coordinate>,
    {
        let block = BLOCK_POINTS * Affine::<C>::BYTES;
        points
            .par_chunks_mut(block)
            .enumerate()
            .try_for_each(|(number, points)| {
                self.multiply_block::<C>(points)
                    .map_err(|error| match error {
                        RescaleError::Point { index, source } => RescaleError::Point {
                            index: number * BLOCK_POINTS + index,
                            source,
                        },
                        other => other,
                    })
            })
    }

    fn multiply_block<C>(&self, points: &mut [u8]) -> Result<(), RescaleError>
    where
        C: GLVConfig<BaseField: Select + Coordinate>,
    {
        if let Some(chain) = &self.chain {
            let kept = self.kernels().pop();
            let best = || vector::Kernel::new(vector::Level::best(), BLOCK_POINTS);
            let mut kernel = kept.unwrap_or_else(best);
            let result = kernel.apply(chain, points);
            self.kernels().push(kernel);
            return result.map_err(|fault| vectorised::fault(&fault));
        }
        let mut block = points
            .chunks(Affine::<C>::BYTES)
            .map(Affine::<C>::from_lem_in_subgroup)
            .enumerate()
            .map(|(index, point)| point.map_err(|source| RescaleError::Point { index, source }))
            .collect::<Result<Vec<_>, _>>()?;
        PortableKernel::with_endomorphism::<C>().multiply(&self.schedule, &mut block)?;
        let mut bytes = Vec::with_capacity(points.len());
        for point in &block {
            point.append_lem(&mut bytes);
        }
        points.copy_from_slice(&bytes);
        Ok(())
    }

    fn kernels(&self) -> std::sync::MutexGuard<'_, Vec<vector::Kernel>> {
        // A kernel holds nothing from one block to the next: one left by a panic is as good as any.
        self.kernels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The processor features that BN254's points are computed with.
#[must_use]
pub fn level() -> &'static str {
    vector::Level::best().name()
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
        let step = G1Projective::generator();
        let mut points: Vec<G1Projective> = Vec::new();
        for _ in 0..BLOCK_POINTS + 37 {
            points.push(points.last().map_or(step, |last| *last + step));
        }
        let mut points = G1Projective::normalize_batch(&points);
        points[5] = G1Affine::zero();
        let mut bytes = Vec::new();
        for point in &points {
            point.append_lem(&mut bytes);
        }
        let scalar = Fr::from(0x1234_5678_u64).inverse().unwrap();
        for rescaler in [
            Rescaler::secret::<g1::Config>(&scalar).unwrap(),
            Rescaler::public::<g1::Config>(&scalar).unwrap(),
        ] {
            assert!(rescaler.chain.is_some());
            let mut fast = bytes.clone();
            rescaler.multiply::<g1::Config>(&mut fast).unwrap();
            let portable = Rescaler {
                chain: None,
                ..rescaler
            };
            let mut slow = bytes.clone();
            portable.multiply::<g1::Config>(&mut slow).unwrap();
            assert!(fast == slow);
            assert_eq!(
                G1Affine::from_lem(&fast[7 * 64..8 * 64]),
                Ok((points[7] * scalar).into_affine())
            );
        }
    }

    #[test]
    fn r18_both_kernels_name_the_point_that_is_off_the_curve() {
        let scalar = Fr::from(77_u64).inverse().unwrap();
        let mut bytes = Vec::new();
        for _ in 0..BLOCK_POINTS + 9 {
            G1Affine::generator().append_lem(&mut bytes);
        }
        let bad = BLOCK_POINTS + 4;
        bytes[bad * 64] ^= 1;
        let rescaler = Rescaler::secret::<g1::Config>(&scalar).unwrap();
        let portable = Rescaler {
            chain: None,
            ..Rescaler::secret::<g1::Config>(&scalar).unwrap()
        };
        for rescaler in [rescaler, portable] {
            let error = rescaler.multiply::<g1::Config>(&mut bytes.clone());
            let expected = RescaleError::Point {
                index: bad,
                source: PointError::NotOnCurve,
            };
            assert_eq!(error, Err(expected));
        }
    }
}
