//! Batches of additions against the library's arithmetic, in both groups, exceptional cases among them.

use super::levels;
use crate::{Addition, G1Adder, G1Point, G2Adder, G2Point, PointFault, PositionError, Summand};
use ark_bn254::{Fq, Fq2, Fr, G1Projective, G2Projective};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::PrimeField;
use proptest::prelude::*;

/// Coordinates as files hold them.
pub(super) trait File {
    fn bytes(&self) -> Vec<u8>;
}

impl File for Fq {
    fn bytes(&self) -> Vec<u8> {
        self.0
            .0
            .iter()
            .flat_map(|limb| limb.to_le_bytes())
            .collect()
    }
}

impl File for Fq2 {
    fn bytes(&self) -> Vec<u8> {
        [self.c0.bytes(), self.c1.bytes()].concat()
    }
}

pub(super) fn bytes<P: SWCurveConfig<BaseField: File>>(
    points: &[Affine<P>],
    width: usize,
) -> Vec<u8> {
    points
        .iter()
        .flat_map(|point| match point.xy() {
            Some((x, y)) => [x.bytes(), y.bytes()].concat(),
            None => vec![0; width],
        })
        .collect()
}

/// Small multiples, so that sums meet equal and opposite points often.
pub(super) fn points<P: SWCurveConfig<ScalarField = Fr>>(multiples: &[i64]) -> Vec<Affine<P>> {
    multiples
        .iter()
        .map(|k| {
            let point = Projective::<P>::generator() * Fr::from(k.unsigned_abs());
            if *k < 0 { -point } else { point }.into_affine()
        })
        .collect()
}

fn pairs(count: usize) -> Vec<Addition> {
    (0..u32::try_from(count / 2).unwrap())
        .map(|i| Addition {
            left: Summand::own(2 * i),
            right: Summand::own(2 * i + 1),
            to: 2 * i,
        })
        .collect()
}

macro_rules! agrees {
    ($adder:ident, $point:ident, $projective:ident, $multiples:expr) => {{
        for level in levels() {
            let mut adder = $adder::new(level);
            let input = points::<<$projective as CurveGroup>::Config>(&$multiples);
            let file = bytes(&input, $point::BYTES);
            let mut work = adder.import(&file).unwrap();
            let mut copy = Vec::new();
            adder.export(&work, &mut copy);
            prop_assert!(copy == file);
            let negated: Vec<_> = work.iter().map(|point| point.negated()).collect();
            let mut copy = Vec::new();
            adder.export(&negated, &mut copy);
            let opposite: Vec<_> = input.iter().map(|point| -*point).collect();
            prop_assert!(copy == bytes(&opposite, $point::BYTES));

            // Differences of every point and the one after it, in both slices and signs.
            let signed = |place: u32, minus: bool| {
                match place % 2 {
                    0 => Summand::own(place),
                    _ => Summand::other(place),
                }
                .signed(minus)
            };
            let count = u32::try_from(work.len()).unwrap();
            let mut sums = work.clone();
            sums.resize(2 * work.len(), $point::INFINITY);
            let differences: Vec<_> = (1..count)
                .map(|i| Addition {
                    left: signed(i - 1, i % 3 == 0),
                    right: signed(i, i % 3 != 0),
                    to: count + i,
                })
                .collect();
            adder.add(&mut sums, &work, &differences).unwrap();
            let expected: Vec<_> = (1..input.len())
                .map(|i| {
                    let difference = input[i - 1] - input[i];
                    let signed = if i % 3 == 0 { -difference } else { difference };
                    signed.into_affine()
                })
                .collect();
            let mut found = Vec::new();
            adder.export(&sums[(work.len() + 1).min(sums.len())..], &mut found);
            prop_assert!(found == bytes(&expected, $point::BYTES));

            adder.add(&mut work, &[], &pairs(input.len())).unwrap();
            let mut expected = input.clone();
            for pair in expected.chunks_exact_mut(2) {
                pair[0] = (pair[0] + pair[1]).into_affine();
            }
            let mut sums = Vec::new();
            adder.export(&work, &mut sums);
            prop_assert!(sums == bytes(&expected, $point::BYTES));
            for (sum, expected) in work.iter().zip(&expected) {
                prop_assert_eq!(sum.is_infinity(), expected.is_zero());
            }
        }
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn sums_in_g1_are_those_of_the_library(multiples in proptest::collection::vec(-6_i64..7, 0..200)) {
        agrees!(G1Adder, G1Point, G1Projective, multiples);
    }

    #[test]
    fn sums_in_g2_are_those_of_the_library(multiples in proptest::collection::vec(-6_i64..7, 0..200)) {
        agrees!(G2Adder, G2Point, G2Projective, multiples);
    }
}

/// More than one block, and different multiples: no exceptional case.
#[test]
fn long_runs_of_ordinary_additions_agree() {
    fn all() -> Result<(), TestCaseError> {
        let multiples: Vec<i64> = (0..4111).map(|i| 3 * i * i + 1).collect();
        agrees!(G1Adder, G1Point, G1Projective, multiples);
        agrees!(G2Adder, G2Point, G2Projective, multiples[..2200]);
        Ok(())
    }
    all().unwrap();
}

#[test]
fn r18_malformed_points_are_refused_and_named() {
    for level in levels() {
        let (mut g1, mut g2) = (G1Adder::new(level), G2Adder::new(level));
        let multiples: Vec<i64> = (1..80).collect();
        let first = bytes(&points::<ark_bn254::g1::Config>(&multiples), G1Point::BYTES);
        let second = bytes(&points::<ark_bn254::g2::Config>(&multiples), G2Point::BYTES);
        for index in [0, 7, 33, 78] {
            let off_curve = Some(PointFault::OffCurve { index });
            let mut bad = first.clone();
            bad[index * 64 + 32] ^= 1;
            assert_eq!(g1.import(&bad).err(), off_curve);
            for byte in [0, 32, 64, 96] {
                let mut bad = second.clone();
                bad[index * 128 + byte] ^= 1;
                assert_eq!(g2.import(&bad).err(), off_curve);
            }
            let modulus: Vec<u8> = Fq::MODULUS.0.iter().flat_map(|l| l.to_le_bytes()).collect();
            let not_canonical = Some(PointFault::NotCanonical { index });
            for coordinate in 0..2 {
                let mut bad = first.clone();
                let at = index * 64 + coordinate * 32;
                bad[at..at + 32].copy_from_slice(&modulus);
                assert_eq!(g1.import(&bad).err(), not_canonical);
            }
            for coordinate in 0..4 {
                let mut bad = second.clone();
                let at = index * 128 + coordinate * 32;
                bad[at..at + 32].copy_from_slice(&modulus);
                assert_eq!(g2.import(&bad).err(), not_canonical);
            }
        }
        assert_eq!(
            g1.import(&first[1..]).err(),
            Some(PointFault::Length {
                length: first.len() - 1
            })
        );
    }
}

#[test]
fn a_position_beyond_the_points_is_refused() {
    for level in levels() {
        let mut adder = G1Adder::new(level);
        let mut points = [G1Point::INFINITY; 3];
        for (left, right, to) in [(3, 0, 0), (0, 3, 0), (0, 0, 3)] {
            let [left, right] = [left, right].map(Summand::own);
            let addition = Addition { left, right, to };
            let result = adder.add(&mut points, &[], &[addition]);
            assert_eq!(result, Err(PositionError { position: 3 }));
        }
        let addition = Addition {
            left: Summand::own(0),
            right: Summand::other(1),
            to: 0,
        };
        let other = [G1Point::INFINITY];
        let result = adder.add(&mut points, &other, &[addition]);
        assert_eq!(result, Err(PositionError { position: 1 }));
        let mut short = [G1Point::INFINITY; 2];
        let refused = adder.import_into(&[0; 64], &mut short);
        assert_eq!(refused, Err(PointFault::Length { length: 64 }));
    }
}
