//! The vector kernel, which is for one curve, BN254's G1.

use std::any::TypeId;

use ark_ec::{scalar_mul::glv::GLVConfig, short_weierstrass::SWCurveConfig};
use formats::points::PointError;
use vector::{Chain, PointFault, Term};

use super::{
    RescaleError,
    decompose::Scalar,
    joint,
    kernel::DegeneratePoint,
    schedule::{Digit, Schedule, ScheduleError, Step},
};

/// Whether there is a kernel for this curve.
fn applies<C: SWCurveConfig>() -> bool {
    TypeId::of::<C>() == TypeId::of::<ark_bn254::g1::Config>()
}

/// The chain of a secret scalar; `None` for another curve.
pub(super) fn secret<C: GLVConfig<ScalarField: Scalar>>(
    scalar: &C::ScalarField,
) -> Result<Option<Chain>, ScheduleError> {
    applies::<C>()
        .then(|| joint::chain::<C>(scalar))
        .transpose()
}

/// The vector form of a public scalar's schedule; `None` for another curve.
pub(super) fn public<C: SWCurveConfig>(schedule: &Schedule) -> Option<Chain> {
    if !applies::<C>() {
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
    Chain::new(steps, false).ok()
}

fn term(digit: Digit) -> Term {
    Term {
        index: digit.value.unsigned_abs() / 2,
        negative: digit.value.is_negative(),
        endomorphism: digit.endomorphism,
    }
}

/// The vector kernel's refusal as the rescaler's.
pub(super) fn fault(fault: &PointFault) -> RescaleError {
    match *fault {
        PointFault::NotCanonical { index } => RescaleError::Point {
            index,
            source: PointError::NotCanonical,
        },
        PointFault::OffCurve { index } => RescaleError::Point {
            index,
            source: PointError::NotOnCurve,
        },
        PointFault::WrongResult => RescaleError::WrongResult,
        _ => RescaleError::Degenerate(DegeneratePoint),
    }
}
