//! A secret scalar's steps for the vector kernel: both halves in windows of two bits, one addition a window.
//!
//! Each half has one digit of ±1 and ±3 a window, by the recoding of `schedule.rs`; the kernel's table
//! holds all sums of both digits up to the sign (Straus, with the regular digits of Joye and Tunstall).
//! Against windows of four bits that are added one by one, 64 operations of addition stay 64, but all are fused
//! with a doubling, and the endomorphism is applied to two multiples instead of once a window.

use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ff::AdditiveGroup;
use vector::{Chain, Step, Table, Term};
use zeroize::Zeroizing;

use super::{
    decompose::{Scalar, odd_halves},
    schedule::{ScheduleError, fixed_windows, incomplete_sum},
};

/// Windows of two bits for a half scalar (below 2^128).
const WINDOWS: usize = 64;
const WINDOW_BITS: u32 = 2;

/// Digits of both halves, most significant window first.
struct Digits(Zeroizing<Vec<[i8; 2]>>);

/// The chain of a secret scalar.
pub(super) fn chain<C: GLVConfig<ScalarField: Scalar>>(
    scalar: &C::ScalarField,
) -> Result<Chain, ScheduleError> {
    let digits = Digits::of::<C>(scalar)?;
    digits.check::<C>(scalar)?;
    // Never grows, so no copy of the digits is left behind.
    let mut steps = Vec::with_capacity(2 * WINDOWS);
    for (window, digits) in digits.0.iter().enumerate() {
        if window == 0 {
            steps.push(Step::Add(term(*digits)));
        } else {
            steps.extend([Step::Double, Step::DoubleAdd(term(*digits))]);
        }
    }
    Chain::over(Table::Joint, steps, true).map_err(|_| ScheduleError::Recoding)
}

/// The sum of a multiple and an image, as the kernel's table has it.
fn term([first, second]: [i8; 2]) -> Term {
    let differ = u8::from((first ^ second).is_negative());
    Term {
        index: first.unsigned_abs() >> 1 | second.unsigned_abs() >> 1 << 1 | differ << 2,
        negative: first.is_negative(),
        endomorphism: false,
    }
}

impl Digits {
    fn of<C: GLVConfig<ScalarField: Scalar>>(
        scalar: &C::ScalarField,
    ) -> Result<Self, ScheduleError> {
        let (first, second) = odd_halves::<C>(scalar);
        let first = fixed_windows(&first, WINDOWS, WINDOW_BITS)?;
        let second = fixed_windows(&second, WINDOWS, WINDOW_BITS)?;
        let mut digits = Zeroizing::new(Vec::with_capacity(WINDOWS));
        digits.extend(first.iter().zip(second.iter()).rev().map(|(a, b)| [*a, *b]));
        Ok(Self(digits))
    }

    /// Runs the steps on scalars, as `Schedule::checked` does and for the same reason.
    fn check<C: GLVConfig<ScalarField: Scalar>>(
        &self,
        scalar: &C::ScalarField,
    ) -> Result<(), ScheduleError> {
        let value = |digit: i8| {
            let size = C::ScalarField::from(u64::from(digit.unsigned_abs()));
            if digit.is_negative() { -size } else { size }
        };
        let mut running = C::ScalarField::ZERO;
        for (window, [first, second]) in self.0.iter().enumerate() {
            let added = value(*first) + value(*second) * C::LAMBDA;
            running = if window == 0 {
                added
            } else {
                let twice = running.double();
                incomplete_sum(incomplete_sum(twice, added)?, twice)?
            };
            if running == C::ScalarField::ZERO {
                return Err(ScheduleError::Exceptional);
            }
        }
        if running == *scalar {
            Ok(())
        } else {
            Err(ScheduleError::Recoding)
        }
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, g1};
    use ark_ff::Field;

    use super::*;

    #[test]
    fn r25_every_secret_scalar_has_the_same_shape() {
        let mut scalar = Fr::from(0x1234_5678_9abc_u64);
        for _ in 0..200 {
            scalar = scalar.square() + Fr::from(7);
            let digits = Digits::of::<g1::Config>(&scalar).unwrap();
            assert_eq!(digits.0.len(), WINDOWS);
            assert!(
                digits
                    .0
                    .as_flattened()
                    .iter()
                    .all(|digit| matches!(digit, -3 | -1 | 1 | 3))
            );
            chain::<g1::Config>(&scalar).unwrap();
        }
        assert!(chain::<g1::Config>(&Fr::ZERO).is_err());
    }

    #[test]
    fn digits_that_are_not_the_scalar_are_refused() {
        let scalar = Fr::from(0x1234_5678_9abc_u64).inverse().unwrap();
        let mut digits = Digits::of::<g1::Config>(&scalar).unwrap();
        digits.check::<g1::Config>(&scalar).unwrap();
        digits.0[5][1] = -digits.0[5][1];
        assert_eq!(
            digits.check::<g1::Config>(&scalar),
            Err(ScheduleError::Recoding)
        );
    }

    #[test]
    fn terms_are_rows_of_the_table() {
        let row = |first, second| {
            let term = term([first, second]);
            (term.index, term.negative)
        };
        assert_eq!(row(1, 1), (0, false));
        assert_eq!(row(-3, -1), (1, true));
        assert_eq!(row(1, -3), (6, false));
        assert_eq!(row(-3, 3), (7, true));
    }
}
