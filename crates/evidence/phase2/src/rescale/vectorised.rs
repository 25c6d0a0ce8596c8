//! The vector kernel, where curve and processor have it: BN254 and AVX-512 IFMA.

use std::any::TypeId;

use ark_ec::short_weierstrass::SWCurveConfig;
use formats::points::PointError;
use vector::{Chain, PointFault, Term};

use super::{
    RescaleError,
    kernel::DegeneratePoint,
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
