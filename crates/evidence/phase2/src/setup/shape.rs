//! How much work a circuit is: counts of terms and of the additions that their coefficients take.

use formats::{
    curve::{Bls12381, Bn128, Curve, CurveParams},
    progress::{ProgressSink, Unit},
    r1cs::{Matrix, R1cs},
    source::Source,
};

use super::{error::SetupError, signed::Signed};
use crate::rescale::Scalar;

/// Bits of the coefficients with which a combination multiplies each signal.
const CHALLENGE_BITS: u64 = 128;
/// Bits of a digit of a scalar in a sum with buckets.
pub(crate) const SCALAR_DIGIT_BITS: u64 = 12;
/// Bits of a scalar.
const FIELD_BITS: u64 = 254;
/// Digits other than zero of a long coefficient to the base θ, and steps up of its base point, each as dear as a
/// doubling (see `eisenstein`).
const LONG_DIGITS: u64 = 64;
/// See [`LONG_DIGITS`].
const LONG_STEPS: u64 = 160;

/// Counts over all constraints, each for the linear combinations A, B and C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Terms.
    pub terms: [u64; 3],
    /// Additions with all coefficients to the base two: in G2, and in G1 without the endomorphism.
    pub base_two: Additions,
    /// Additions in G1 where long coefficients go to the base θ.
    pub with_endomorphism: Additions,
    /// Digits of the one scalar that a constraint's terms come to in a random combination.
    pub scalar_digits: [u64; 3],
}

/// What sums of a constraint's multiples take, each for the linear combinations A, B and C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Additions {
    /// Digits other than zero of the coefficients: one for a coefficient ±1.
    pub digits: [u64; 3],
    /// Doublings of a constraint's base point, for its largest coefficient.
    pub doublings: [u64; 3],
    /// Doublings of a base point that A and B share.
    pub doublings_a_b: u64,
}

impl Shape {
    /// Counts in one walk over the constraints.
    ///
    /// # Errors
    /// A malformed r1cs; the progress sink asked to stop.
    pub fn of<S: Source>(r1cs: &R1cs<S>, progress: &dyn ProgressSink) -> Result<Self, SetupError> {
        match r1cs.header().curve {
            Curve::Bn128 => Self::count::<Bn128, S>(r1cs, progress),
            Curve::Bls12381 => Self::count::<Bls12381, S>(r1cs, progress),
        }
    }

    fn count<C: CurveParams<Fr: Scalar>, S: Source>(
        r1cs: &R1cs<S>,
        progress: &dyn ProgressSink,
    ) -> Result<Self, SetupError> {
        /// Constraints between two looks at the progress sink.
        const EVERY: u32 = 1 << 10;
        let constraints = u64::from(r1cs.header().n_constraints);
        progress.step("measure circuit", Unit::Constraints, Some(constraints));
        let mut shape = Self::default();
        let mut rows = [Combination::default(); 3];
        let (mut constraint, mut seen) = (0, 0);
        let mut terms = r1cs.terms()?;
        while let Some(term) = terms.next_term()? {
            if term.constraint != constraint {
                shape.add(&std::mem::take(&mut rows));
                constraint = term.constraint;
                if constraint - seen >= EVERY {
                    progress.advance(u64::from(constraint - seen));
                    seen = constraint;
                    if progress.is_cancelled() {
                        return Err(SetupError::Cancelled);
                    }
                }
            }
            let value = Signed::of::<C::Fr>(&term.coefficient)?;
            let [a, b, c] = &mut rows;
            match term.matrix {
                Matrix::A => a.add(&value),
                Matrix::B => b.add(&value),
                Matrix::C => c.add(&value),
            }
        }
        shape.add(&rows);
        progress.advance(constraints.saturating_sub(seen.into()));
        Ok(shape)
    }

    fn add(&mut self, rows: &[Combination; 3]) {
        self.base_two.add(&rows.map(|row| row.base_two));
        self.with_endomorphism
            .add(&rows.map(|row| row.with_endomorphism));
        let totals = self.terms.iter_mut().zip(&mut self.scalar_digits);
        for ((terms, scalar_digits), row) in totals.zip(rows) {
            *terms += row.terms;
            *scalar_digits += row.scalar_digits();
        }
    }
}

impl Additions {
    fn add(&mut self, rows: &[Multiples; 3]) {
        let [a, b, _] = rows;
        self.doublings_a_b += a.together(*b).doublings();
        let totals = self.digits.iter_mut().zip(&mut self.doublings);
        for ((digits, doublings), row) in totals.zip(rows) {
            *digits += row.digits;
            *doublings += row.doublings();
        }
    }
}

/// Multiples of one base point.
#[derive(Clone, Copy, Default)]
struct Multiples {
    digits: u64,
    /// For the largest coefficient to the base two.
    doublings: u64,
    /// For those to the base θ.
    steps: u64,
}

impl Multiples {
    fn doublings(self) -> u64 {
        self.doublings + self.steps
    }

    fn together(self, other: Self) -> Self {
        Self {
            digits: self.digits + other.digits,
            doublings: self.doublings.max(other.doublings),
            steps: self.steps.max(other.steps),
        }
    }
}

/// One linear combination of a constraint.
#[derive(Clone, Copy, Default)]
struct Combination {
    terms: u64,
    base_two: Multiples,
    with_endomorphism: Multiples,
    /// Bits of the largest coefficient.
    bits: u64,
}

impl Combination {
    fn add(&mut self, value: &Signed) {
        let digits = if value.is_one() {
            1
        } else {
            value.digits().count()
        };
        let base_two = Multiples {
            digits: u64::try_from(digits).unwrap_or(u64::MAX),
            doublings: u64::from(value.doublings()),
            steps: 0,
        };
        let base_theta = Multiples {
            digits: LONG_DIGITS,
            doublings: 0,
            steps: LONG_STEPS,
        };
        let cheaper = if value.is_long() {
            base_theta
        } else {
            base_two
        };
        self.terms += 1;
        self.base_two = self.base_two.together(base_two);
        self.with_endomorphism = self.with_endomorphism.together(cheaper);
        self.bits = self.bits.max(u64::from(value.bits()));
    }

    fn scalar_digits(&self) -> u64 {
        let Some(carries) = self.terms.checked_ilog2() else {
            return 0;
        };
        let bits = CHALLENGE_BITS + self.bits + u64::from(carries);
        bits.min(FIELD_BITS).div_ceil(SCALAR_DIGIT_BITS)
    }
}

#[cfg(test)]
mod tests {
    use formats::progress::NoProgress;
    use testkit::small_r1cs;

    use super::*;

    #[test]
    fn a_chain_of_multiplications_has_one_term_everywhere() {
        let r1cs = R1cs::open(small_r1cs(20)).unwrap();
        let shape = Shape::of(&r1cs, &NoProgress).unwrap();
        let mut terms = [0; 3];
        let mut reader = r1cs.terms().unwrap();
        while let Some(term) = reader.next_term().unwrap() {
            let place = match term.matrix {
                Matrix::A => 0,
                Matrix::B => 1,
                Matrix::C => 2,
            };
            terms[place] += 1;
        }
        assert_eq!(shape.terms, terms);
        // Of C, some coefficients are zero.
        let [a, b, _] = shape.base_two.digits;
        assert!(a >= terms[0] && b >= terms[1]);
    }

    #[test]
    fn coefficients_cost_what_their_digits_do() {
        let mut row = Combination::default();
        // 7 = 8 - 1
        let mut seven = [0; 32];
        seven[0] = 7;
        row.add(&Signed::of::<ark_bn254::Fr>(&seven).unwrap());
        row.add(&Signed::ONE);
        let multiples = row.base_two;
        assert_eq!(
            (row.terms, multiples.digits, multiples.doublings()),
            (2, 3, 3)
        );
        assert_eq!(row.scalar_digits(), (128_u64 + 3 + 1).div_ceil(12));
        assert_eq!(Combination::default().scalar_digits(), 0);
        // Long ones share the steps of their base, beside the doublings of short ones.
        let long = Signed::of::<ark_bn254::Fr>(&[0x11; 32]).unwrap();
        row.add(&long);
        row.add(&long);
        let (two, theta) = (row.base_two, row.with_endomorphism);
        assert_eq!(
            two.digits,
            3 + 2 * u64::try_from(long.digits().count()).unwrap()
        );
        assert_eq!(two.doublings(), u64::from(long.doublings()));
        assert_eq!((theta.digits, theta.doublings()), (3 + 2 * 64, 3 + 160));
    }
}
