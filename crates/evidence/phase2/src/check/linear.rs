//! Random linear combinations of points, in buckets that stay the same size for any number of
//! points.
//!
//! A coefficient is cut into digits; each digit position has its own buckets, and every point is
//! added to one bucket per position. The sum of one position (before it is shifted) is itself a
//! random combination with independent digits. On a group with a cofactor whose prime factors all
//! exceed the digits' range, one point outside the prime-order subgroup leaves that sum inside only
//! for one value of its digit: testing the sums of all positions finds it with probability
//! 1 - 2^-128, for a handful of subgroup tests in all.

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, PrimeField};
use formats::points::{LemPoint, PointError};
use formats::zkey::ZKeySection;
use rayon::prelude::*;
use vector::PositionError;

use super::error::CheckError;
use crate::sums::{
    BadPoint, BadSide, BucketSums, Scalar, Windows, bucket_sums, has_endomorphism, total,
};

const COEFFICIENT_BITS: u32 = 128;
/// Digits are not longer than this on a group without subgroup test.
const MOST_DIGIT_BITS: u32 = 13;

/// Why there is no sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSum {
    /// Some point is not in the subgroup of prime order.
    OutsideSubgroup,
    /// A point was not added: a bug.
    Misplaced(PositionError),
}

impl NoSum {
    /// The error of a check of these points.
    pub(super) fn in_section(self, section: ZKeySection) -> CheckError {
        match self {
            Self::OutsideSubgroup => CheckError::OutsideSubgroup { section },
            Self::Misplaced(position) => CheckError::Misplaced(position),
        }
    }
}

impl From<PositionError> for NoSum {
    fn from(misplaced: PositionError) -> Self {
        Self::Misplaced(misplaced)
    }
}

/// How points outside the prime-order subgroup are found (`CurveParams::G2_SUBGROUP_DIGIT_BITS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SubgroupTest {
    /// There are none.
    None,
    /// Each point is tested.
    EachPoint,
    /// The sum of each digit position is tested.
    DigitSums,
}

/// Sums of points times 128-bit coefficients: one, or several sides with the same coefficients.
pub(super) struct LinearCombination<P: SWCurveConfig> {
    windows: Windows,
    test: SubgroupTest,
    buckets: Box<dyn BucketSums<P>>,
}

impl<P: SWCurveConfig> LinearCombination<P>
where
    Affine<P>: LemPoint,
{
    /// For about `n_points` points of a curve whose subgroup can be tested on digits of at most
    /// `subgroup_digit_bits`.
    pub(super) fn new(n_points: u64, subgroup_digit_bits: Option<u32>) -> Self {
        Self::with_sides(1, n_points, subgroup_digit_bits)
    }

    /// As [`Self::new`], with several sides. Subgroups are tested on the first one. Each coefficient
    /// stands for a scalar that is its own alone and the same on all sides, not always for itself.
    pub(super) fn with_sides(
        sides: usize,
        n_points: u64,
        subgroup_digit_bits: Option<u32>,
    ) -> Self {
        let (most, test) = match subgroup_digit_bits {
            None => (MOST_DIGIT_BITS, SubgroupTest::None),
            Some(0) => (MOST_DIGIT_BITS, SubgroupTest::EachPoint),
            Some(most) => (most.min(MOST_DIGIT_BITS), SubgroupTest::DigitSums),
        };
        // Where sides are only compared with each other, coefficients may stand for any scalars.
        let windows = if sides > 1 && test == SubgroupTest::None && has_endomorphism::<P>() {
            Windows::units(n_points)
        } else {
            Windows::new(COEFFICIENT_BITS, n_points, most)
        };
        Self {
            windows,
            test,
            buckets: bucket_sums(1, sides, windows),
        }
    }

    /// Adds points in file form, each times its coefficient. The first bad one is named by its place
    /// in `bytes`: malformed, off the curve or, where each point is tested, outside the subgroup.
    pub(super) fn add(
        &mut self,
        bytes: &[u8],
        coefficients: &[u128],
    ) -> Result<(), (usize, PointError)> {
        self.add_sides(&[bytes], coefficients)
            .map_err(|bad| (bad.point.index, bad.point.source))
    }

    /// As [`Self::add`], for each side.
    pub(super) fn add_sides(
        &mut self,
        sides: &[&[u8]],
        coefficients: &[u128],
    ) -> Result<(), BadSide> {
        let scalars: Vec<Scalar> = coefficients.iter().map(|c| Scalar::from(*c)).collect();
        self.buckets.add(sides, &[(0, &scalars)])?;
        if let (SubgroupTest::EachPoint, Some(tested)) = (self.test, sides.first()) {
            let outside = tested
                .par_chunks(<Affine<P> as LemPoint>::BYTES)
                .position_first(|bytes| Affine::<P>::from_lem_in_subgroup(bytes).is_err());
            if let Some(index) = outside {
                let source = PointError::NotInSubgroup;
                let point = BadPoint { index, source };
                return Err(BadSide { side: 0, point });
            }
        }
        Ok(())
    }

    /// The sum of the only side. Fails when a point was not in the subgroup of prime order.
    pub(super) fn finish(self) -> Result<Projective<P>, NoSum> {
        Ok(self.finish_sides()?.pop().unwrap_or_default())
    }

    /// The sums of all sides.
    pub(super) fn finish_sides(self) -> Result<Vec<Projective<P>>, NoSum> {
        let mut sides = Vec::new();
        for mut sums in self.buckets.window_sums()? {
            let sums = sums.pop().unwrap_or_default();
            if self.test == SubgroupTest::DigitSums && sides.is_empty() {
                let sums = Projective::normalize_batch(&sums);
                if !sums
                    .par_iter()
                    .all(Affine::is_in_correct_subgroup_assuming_on_curve)
                {
                    return Err(NoSum::OutsideSubgroup);
                }
            }
            sides.push(total(self.windows, &sums));
        }
        Ok(sides)
    }
}

/// Additions per point of a sum of about `n_points` points with 128-bit coefficients.
pub(super) fn coefficient_digits(n_points: u64) -> u64 {
    Windows::new(COEFFICIENT_BITS, n_points, MOST_DIGIT_BITS)
        .count()
        .into()
}

/// A point times a 128-bit coefficient.
pub(super) fn times<P: SWCurveConfig>(point: &Affine<P>, coefficient: u128) -> Projective<P> {
    let scalar = P::ScalarField::from(coefficient).into_bigint();
    point.mul_bigint(trimmed(scalar.as_ref(), scalar.num_bits()))
}

fn trimmed(limbs: &[u64], bits: u32) -> &[u64] {
    let n = usize::try_from(bits.div_ceil(64)).unwrap_or(limbs.len());
    limbs.get(..n).unwrap_or(limbs)
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, G1Affine, G2Affine, g1, g2};
    use formats::curve::{Bn128, CurveParams};

    use super::*;

    fn bytes<P: SWCurveConfig>(points: &[Affine<P>]) -> Vec<u8>
    where
        Affine<P>: LemPoint,
    {
        let mut bytes = Vec::new();
        for point in points {
            point.append_lem(&mut bytes);
        }
        bytes
    }
    use crate::check::challenge::{Challenges, Purpose};

    fn multiples<P: SWCurveConfig>(n: u64) -> Vec<Affine<P>> {
        (0..n)
            .map(|i| (Affine::<P>::generator() * P::ScalarField::from(i)).into_affine())
            .collect()
    }

    #[test]
    fn the_sum_is_that_of_scalar_multiplication() {
        for n in [0u64, 1, 3, 70] {
            for claimed in [n, 0x1000, 0x10_0000] {
                let points = multiples::<g1::Config>(n);
                let coefficients = Challenges::new(&[5; 32]).run(Purpose::A, 0, points.len());
                let mut sum = LinearCombination::new(claimed, None);
                let (first, rest) = points.split_at(points.len() / 2);
                let (c_first, c_rest) = coefficients.split_at(first.len());
                sum.add(&bytes(first), c_first).unwrap();
                sum.add(&bytes(rest), c_rest).unwrap();
                let expected: Projective<g1::Config> = points
                    .iter()
                    .zip(&coefficients)
                    .map(|(p, c)| *p * Fr::from(*c))
                    .sum();
                assert_eq!(sum.finish().unwrap(), expected, "{n} points");
            }
        }
        let g = G1Affine::generator();
        assert_eq!(times(&g, u128::MAX), g * Fr::from(u128::MAX));
    }

    /// On the curve, of order 10069 times r or worse: not in the subgroup.
    fn outside() -> G2Affine {
        (1u64..=64)
            .filter_map(|x| G2Affine::get_point_from_x_unchecked(x.into(), false))
            .find(|p| !p.is_in_correct_subgroup_assuming_on_curve())
            .unwrap()
    }

    #[test]
    fn r18_one_point_outside_the_subgroup_is_found() {
        for n in [1u64, 300] {
            let mut points = multiples::<g2::Config>(n);
            let coefficients = Challenges::new(&[6; 32]).run(Purpose::B, 0, points.len());
            let check = |points: &[G2Affine]| {
                let digit_bits = Bn128::G2_SUBGROUP_DIGIT_BITS;
                let mut sum = LinearCombination::<g2::Config>::new(n, digit_bits);
                sum.add(&bytes(points), &coefficients).unwrap();
                sum.finish().map(drop)
            };
            assert_eq!(check(&points), Ok(()));
            // Only the part of smallest order: r and all other factors multiplied away.
            let small = outside().mul_bigint(Fr::MODULUS).into_affine();
            let last = points.len() - 1;
            points[last] = (points[last] + small).into_affine();
            assert_eq!(check(&points), Err(NoSum::OutsideSubgroup));
        }
    }

    #[test]
    fn r18_small_cofactors_are_tested_point_by_point() {
        let point = (1u64..=64)
            .filter_map(|x| ark_bls12_381::G1Affine::get_point_from_x_unchecked(x.into(), false))
            .find(|p| !p.is_in_correct_subgroup_assuming_on_curve())
            .unwrap();
        let digit_bits = formats::curve::Bls12381::G1_SUBGROUP_DIGIT_BITS;
        let mut sum = LinearCombination::<ark_bls12_381::g1::Config>::new(1, digit_bits);
        let good = ark_bls12_381::G1Affine::generator();
        assert_eq!(
            sum.add(&bytes(&[good, point]), &[1, 1]),
            Err((1, PointError::NotInSubgroup))
        );
    }
}
