//! The sequence of point operations for one scalar, computed once and run over all points.
//!
//! Two recodings. `regular` is for the secret: fixed windows of four bits with non-zero digits
//! (Joye and Tunstall, AFRICACRYPT 2009), so that the sequence of operations is the same for every
//! scalar and only digit values differ. `sparse` is for the public beacon: width-5 non-adjacent
//! form, fewer additions. The vector kernel has a third one of its own (`joint.rs`).

use std::collections::VecDeque;

use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ff::{BigInteger, Field};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::decompose::{Scalar, Signed, halves, low_limb, odd_halves};

/// Odd multiples that digits choose from: 1, 3, …, 15.
pub(super) const TABLE_ROWS: usize = 8;
/// Windows of four bits for a half scalar (below 2^128) and for a whole one.
const HALF_WINDOWS: usize = 32;
const WHOLE_WINDOWS: usize = 64;
const WINDOW_BITS: u32 = 4;
/// Doublings of a window but for the last one, which is fused with an addition.
const DOUBLINGS: usize = 3;

/// An odd multiple of the base point, or of its image under the endomorphism.
#[derive(Zeroize, Clone, Copy)]
pub(super) struct Digit {
    pub(super) endomorphism: bool,
    /// Odd, -15 to 15.
    pub(super) value: i8,
}

/// One operation on the running point R.
#[derive(Zeroize, Clone, Copy)]
pub(super) enum Step {
    /// R = digit
    Start(Digit),
    /// R = 2R
    Double,
    /// R = R + digit
    Add(Digit),
    /// R = 2R + digit
    DoubleAdd(Digit),
}

/// The operations for one scalar. Erased when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Schedule {
    pub(super) steps: Vec<Step>,
    /// Digits are looked up by reading the whole table.
    pub(super) secret: bool,
    pub(super) endomorphism: bool,
}

/// Why a scalar has no schedule. Random scalars have one but with negligible probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A multiple that incomplete addition formulas cannot reach.
    #[error("the scalar meets an exceptional case of point addition")]
    Exceptional,
    /// The recoded digits do not add up to the scalar.
    #[error("the recoded scalar differs from the scalar")]
    Recoding,
}

impl Schedule {
    /// For a secret scalar, on a curve with an endomorphism.
    pub fn regular<C: GLVConfig>(scalar: &C::ScalarField) -> Result<Self, ScheduleError>
    where
        C::ScalarField: Scalar,
    {
        let (first, second) = odd_halves::<C>(scalar);
        let chains = [
            (false, fixed_windows(&first, HALF_WINDOWS, WINDOW_BITS)?),
            (true, fixed_windows(&second, HALF_WINDOWS, WINDOW_BITS)?),
        ];
        let schedule = Self {
            steps: regular_steps(&chains),
            secret: true,
            endomorphism: true,
        };
        schedule.checked::<C::ScalarField>(scalar, &C::LAMBDA)
    }

    /// For a secret scalar, without an endomorphism.
    pub fn regular_whole<F: Scalar>(scalar: &F) -> Result<Self, ScheduleError> {
        let digits = fixed_windows(&Signed::odd(scalar), WHOLE_WINDOWS, WINDOW_BITS)?;
        let schedule = Self {
            steps: regular_steps(&[(false, digits)]),
            secret: true,
            endomorphism: false,
        };
        schedule.checked(scalar, &F::ZERO)
    }

    /// For a public scalar, on a curve with an endomorphism.
    pub fn sparse<C: GLVConfig>(scalar: &C::ScalarField) -> Result<Self, ScheduleError>
    where
        C::ScalarField: Scalar,
    {
        let (first, second) = halves::<C>(scalar);
        let schedule = Self {
            steps: sparse_steps(&non_adjacent_form(&first)?, &non_adjacent_form(&second)?),
            secret: false,
            endomorphism: true,
        };
        schedule.checked::<C::ScalarField>(scalar, &C::LAMBDA)
    }

    /// Runs the steps on scalars: they must give the scalar, and must never add a point to itself
    /// or to its negative, nor reach infinity. Whether they do depends on the scalar alone, since
    /// every input point has the order r.
    fn checked<F: Scalar>(self, scalar: &F, lambda: &F) -> Result<Self, ScheduleError> {
        let multiple = |digit: &Digit| {
            let size = F::from(u64::from(digit.value.unsigned_abs()));
            let signed = if digit.value < 0 { -size } else { size };
            if digit.endomorphism {
                signed * lambda
            } else {
                signed
            }
        };
        let mut running = F::ZERO;
        for step in &self.steps {
            running = match step {
                Step::Start(digit) => multiple(digit),
                Step::Double => running.double(),
                Step::Add(digit) => incomplete_sum(running, multiple(digit))?,
                Step::DoubleAdd(digit) => {
                    let sum = incomplete_sum(running, multiple(digit))?;
                    incomplete_sum(sum, running)?
                }
            };
            if running.is_zero() {
                return Err(ScheduleError::Exceptional);
            }
        }
        if running.is_zero() {
            Err(ScheduleError::Exceptional)
        } else if running == *scalar {
            Ok(self)
        } else {
            Err(ScheduleError::Recoding)
        }
    }
}

pub(super) fn incomplete_sum<F: Field>(left: F, right: F) -> Result<F, ScheduleError> {
    if left == right || left == -right {
        return Err(ScheduleError::Exceptional);
    }
    Ok(left + right)
}

/// Odd digits of an odd number in windows of at most four bits, least significant first: its low bits,
/// one more than the window has, less 2^bits; then what is left over is odd again.
pub(super) fn fixed_windows(
    number: &Signed,
    windows: usize,
    bits: u32,
) -> Result<Zeroizing<Vec<i8>>, ScheduleError> {
    let middle = small(1 << bits)?;
    let mut rest = Zeroizing::new(number.magnitude);
    let mut digits = Zeroizing::new(Vec::with_capacity(windows));
    for _ in 1..windows {
        let low = small(low_limb(&rest) & ((2 << bits) - 1))?;
        digits.push(signed(low - middle, number.negative)?);
        *rest >>= bits + 1;
        *rest <<= 1;
        rest.add_with_carry(&1_u64.into());
    }
    let last = small(low_limb(&rest))?;
    if rest.num_bits() > bits || last & 1 == 0 {
        return Err(ScheduleError::Recoding);
    }
    digits.push(signed(last, number.negative)?);
    Ok(digits)
}

/// Width-5 non-adjacent form, least significant first: zeros or odd digits from -15 to 15.
fn non_adjacent_form(number: &Signed) -> Result<Vec<i8>, ScheduleError> {
    let mut rest = number.magnitude;
    let mut digits = Vec::with_capacity(136);
    while !rest.is_zero() {
        let mut digit = 0;
        if rest.is_odd() {
            let low = low_limb(&rest) & 31;
            digit = small(low)?;
            rest.sub_with_borrow(&low.into());
            if digit > 15 {
                digit -= 32;
                rest.add_with_carry(&32_u64.into());
            }
        }
        digits.push(signed(digit, number.negative)?);
        rest.div2();
    }
    Ok(digits)
}

fn small(value: u64) -> Result<i8, ScheduleError> {
    i8::try_from(value).map_err(|_| ScheduleError::Recoding)
}

/// The digit, negated where `negative` is 1, without a branch.
fn signed(digit: i8, negative: u64) -> Result<i8, ScheduleError> {
    let mask = small(negative)?.wrapping_neg();
    Ok((digit ^ mask).wrapping_sub(mask))
}

/// Most significant window first: three doublings, one fused with the first chain's digit, then
/// the other chain's digit.
fn regular_steps(chains: &[(bool, Zeroizing<Vec<i8>>)]) -> Vec<Step> {
    let windows = chains.first().map_or(0, |(_, digits)| digits.len());
    // Never grows, so no copy of the digits is left behind.
    let mut steps = Vec::with_capacity(windows * (DOUBLINGS + 1 + chains.len()));
    for window in (0..windows).rev() {
        for (chain, (endomorphism, digits)) in chains.iter().enumerate() {
            let digit = Digit {
                endomorphism: *endomorphism,
                value: digits.get(window).copied().unwrap_or_default(),
            };
            match (window + 1 == windows, chain) {
                (true, 0) => steps.push(Step::Start(digit)),
                (false, 0) => {
                    steps.extend([Step::Double; DOUBLINGS]);
                    steps.push(Step::DoubleAdd(digit));
                }
                _ => steps.push(Step::Add(digit)),
            }
        }
    }
    steps
}

fn sparse_steps(first: &[i8], second: &[i8]) -> Vec<Step> {
    let mut steps = Vec::new();
    for position in (0..first.len().max(second.len())).rev() {
        let mut due: VecDeque<Digit> = [(false, first), (true, second)]
            .into_iter()
            .map(|(endomorphism, digits)| Digit {
                endomorphism,
                value: digits.get(position).copied().unwrap_or_default(),
            })
            .filter(|digit| digit.value != 0)
            .collect();
        match (due.pop_front(), steps.is_empty()) {
            (None, true) => {}
            (None, false) => steps.push(Step::Double),
            (Some(digit), true) => steps.push(Step::Start(digit)),
            (Some(digit), false) => steps.push(Step::DoubleAdd(digit)),
        }
        steps.extend(due.into_iter().map(Step::Add));
    }
    steps
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, g1};
    use ark_ff::AdditiveGroup;

    use super::*;

    fn scalars() -> impl Iterator<Item = Fr> {
        std::iter::successors(Some(Fr::from(0x1234_5678_9abc_u64)), |k| {
            Some(k.square() + Fr::from(7))
        })
        .skip(3)
    }

    /// The part of a schedule that an observer of operations sees.
    fn shape(schedule: &Schedule) -> Vec<(u8, bool)> {
        schedule
            .steps
            .iter()
            .map(|step| match step {
                Step::Start(digit) => (0, digit.endomorphism),
                Step::Double => (1, false),
                Step::Add(digit) => (2, digit.endomorphism),
                Step::DoubleAdd(digit) => (3, digit.endomorphism),
            })
            .collect()
    }

    #[test]
    fn r25_every_secret_scalar_has_the_same_shape() {
        let first = shape(&Schedule::regular::<g1::Config>(&scalars().next().unwrap()).unwrap());
        let whole = shape(&Schedule::regular_whole(&scalars().next().unwrap()).unwrap());
        for scalar in scalars().take(200) {
            assert_eq!(
                shape(&Schedule::regular::<g1::Config>(&scalar).unwrap()),
                first
            );
            assert_eq!(shape(&Schedule::regular_whole(&scalar).unwrap()), whole);
        }
    }

    #[test]
    fn the_sparse_recoding_is_shorter() {
        for scalar in scalars().take(200) {
            let regular = Schedule::regular::<g1::Config>(&scalar).unwrap();
            let sparse = Schedule::sparse::<g1::Config>(&scalar).unwrap();
            assert!(sparse.steps.len() < regular.steps.len());
        }
    }

    #[test]
    fn zero_has_no_schedule() {
        assert!(Schedule::regular::<g1::Config>(&Fr::ZERO).is_err());
        assert!(Schedule::sparse::<g1::Config>(&Fr::ZERO).is_err());
    }
}
