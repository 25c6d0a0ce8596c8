//! Chains.

use super::levels;
use crate::{Chain, Kernel, Level, PointFault, Step, Table, Term};
use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{BigInt, PrimeField};
use proptest::prelude::*;

/// Root of λ² + λ + 1 that belongs to the kernel's β.
const LAMBDA: Fr = <ark_bn254::g1::Config as GLVConfig>::LAMBDA;

/// A kernel of each level and model.
fn kernels(points: usize) -> impl Iterator<Item = Kernel> {
    levels().map(move |level| Kernel::new(level, points))
}

/// A kernel of each level: the models are slow.
fn fast_kernels(points: usize) -> impl Iterator<Item = Kernel> {
    Level::all().map(move |level| Kernel::new(level, points))
}

fn bytes(points: &[G1Affine]) -> Vec<u8> {
    let mut out = Vec::new();
    for point in points {
        match point.xy() {
            None => out.extend([0; 64]),
            Some((x, y)) => {
                for limb in x.0.0.into_iter().chain(y.0.0) {
                    out.extend(limb.to_le_bytes());
                }
            }
        }
    }
    out
}

fn sample(count: u64) -> Vec<G1Affine> {
    let generator = G1Projective::generator();
    (0..count)
        .map(|i| (generator * Fr::from(i * i + 7 * i + 1)).into_affine())
        .collect()
}

/// The scalar that a chain multiplies by.
fn scalar(table: Table, steps: &[Step]) -> Fr {
    let value = |term: &Term| {
        let index = u64::from(term.index);
        let size = match table {
            Table::Odd => Fr::from(2 * index + 1),
            Table::Joint => {
                let second = LAMBDA * Fr::from(1 + 2 * (index >> 1 & 1));
                let second = if index >> 2 == 1 { -second } else { second };
                Fr::from(1 + 2 * (index & 1)) + second
            }
        };
        let size = if term.endomorphism {
            size * LAMBDA
        } else {
            size
        };
        if term.negative { -size } else { size }
    };
    steps.iter().fold(Fr::from(0_u64), |k, step| match step {
        Step::Double => k + k,
        Step::Add(term) => k + value(term),
        Step::DoubleAdd(term) => k + k + value(term),
    })
}

fn expected(points: &[G1Affine], k: Fr) -> Vec<u8> {
    let multiples: Vec<G1Affine> = points.iter().map(|p| (*p * k).into_affine()).collect();
    bytes(&multiples)
}

/// Chains of real scalars are secret, so `Step` has no `Debug`; the tests' own are not.
#[derive(Clone)]
struct Steps(Vec<Step>);

impl std::fmt::Debug for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let term = |t: &Term| (t.index, t.negative, t.endomorphism);
        let words = self.0.iter().map(|step| match step {
            Step::Double => "double".to_owned(),
            Step::Add(t) => format!("add {:?}", term(t)),
            Step::DoubleAdd(t) => format!("double-add {:?}", term(t)),
        });
        f.debug_list().entries(words).finish()
    }
}

fn term(index: u8, negative: bool, endomorphism: bool) -> Term {
    Term {
        index,
        negative,
        endomorphism,
    }
}

fn table() -> impl Strategy<Value = Table> {
    any::<bool>().prop_map(|joint| if joint { Table::Joint } else { Table::Odd })
}

/// Chains of the shape that scalars give: an addition, then doublings with additions among them.
fn chain() -> impl Strategy<Value = Steps> {
    let any_term = || (0_u8..8, any::<bool>(), any::<bool>());
    let window = (4_usize..6, any_term(), any_term()).prop_map(|(doublings, first, second)| {
        let mut steps = vec![Step::Double; doublings];
        steps.push(Step::DoubleAdd(term(first.0, first.1, first.2)));
        steps.push(Step::Add(term(second.0, second.1, second.2)));
        Steps(steps)
    });
    (any_term(), proptest::collection::vec(window, 3..33)).prop_map(|(first, windows)| {
        let mut steps = vec![Step::Add(term(first.0, first.1, first.2))];
        steps.extend(windows.into_iter().flat_map(|window| window.0));
        Steps(steps)
    })
}

/// `count` points, one of them infinity if there are enough, in blocks of `block`.
fn agrees(
    kernels: impl Iterator<Item = Kernel>,
    table: Table,
    steps: &[Step],
    secret: bool,
    count: u64,
) {
    for mut kernel in kernels {
        let mut points = sample(count);
        if count > 3 {
            points[2] = G1Affine::identity();
        }
        let mut data = bytes(&points);
        let chain = Chain::over(table, steps.to_vec(), secret).unwrap();
        kernel.apply(&chain, &mut data).unwrap();
        assert!(data == expected(&points, scalar(table, steps)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_chain_multiplies_as_the_library_does(table in table(), steps in chain(), secret in any::<bool>(), count in 1_u64..60, block in 1_usize..70) {
        agrees(fast_kernels(block), table, &steps.0, secret, count);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn a_chain_multiplies_as_the_library_does_in_models(table in table(), steps in chain(), secret in any::<bool>()) {
        agrees(kernels(16), table, &steps.0, secret, 19);
    }
}

#[test]
fn extreme_coordinates_are_handled() {
    // Points with the smallest x, and their negatives: limbs near zero and near the modulus.
    let mut points = Vec::new();
    let mut x = 0_u64;
    while points.len() < 64 {
        if let Some(point) = G1Affine::get_point_from_x_unchecked(Fq::from(x), false) {
            points.push(point);
            points.push(-point);
        }
        if let Some(point) = G1Affine::get_point_from_x_unchecked(-Fq::from(x), true) {
            points.push(point);
        }
        // x whose Montgomery form is tiny, and that of q − 1 − tiny
        let raw = Fq::new_unchecked(BigInt([x, 0, 0, 0]));
        for x in [raw, -raw] {
            if let Some(point) = G1Affine::get_point_from_x_unchecked(x, true) {
                points.push(point);
            }
        }
        x += 1;
    }
    let steps = vec![
        Step::Add(term(3, true, false)),
        Step::Add(term(7, false, true)),
        Step::Double,
        Step::Double,
        Step::Add(term(0, true, true)),
    ];
    for mut kernel in kernels(32) {
        let mut data = bytes(&points);
        kernel
            .apply(&Chain::new(steps.clone(), true).unwrap(), &mut data)
            .unwrap();
        assert!(data == expected(&points, scalar(Table::Odd, &steps)));
    }
}

/// Every row of both tables, alone.
#[test]
fn tables_hold_what_they_say() {
    for table in [Table::Odd, Table::Joint] {
        for index in 0..8 {
            for (negative, endomorphism) in [(false, false), (true, false), (false, true)] {
                let steps = [Step::Add(term(index, negative, endomorphism))];
                agrees(kernels(8), table, &steps, index % 2 == 0, 9);
            }
        }
    }
}

#[test]
fn infinity_stays_infinity() {
    for mut kernel in kernels(16) {
        let mut data = vec![0; 64 * 21];
        let chain = Chain::new(vec![Step::Add(term(0, false, false)), Step::Double], false);
        kernel.apply(&chain.unwrap(), &mut data).unwrap();
        assert_eq!(data, vec![0; 64 * 21]);
    }
}

#[test]
fn r18_a_point_off_the_curve_is_refused_and_named() {
    for mut kernel in kernels(16) {
        for position in [0, 7, 8, 20, 40] {
            let points = sample(41);
            let mut data = bytes(&points);
            data[position * 64] ^= 1;
            let chain = Chain::new(vec![Step::Add(term(0, false, false))], false);
            let fault = kernel.apply(&chain.unwrap(), &mut data).unwrap_err();
            assert_eq!(fault, PointFault::OffCurve { index: position });
        }
    }
}

#[test]
fn r18_a_coordinate_that_is_not_canonical_is_refused_and_named() {
    for mut kernel in kernels(16) {
        let points = sample(20);
        for coordinate in [0, 32] {
            let mut data = bytes(&points);
            // v + q is the same element in another spelling; some v leave room for it below 2^256.
            let offset = 13 * 64 + coordinate;
            let value = &mut data[offset..offset + 32];
            let mut carry = 0_u128;
            for (limb, q) in value.chunks_exact_mut(8).zip(Fq::MODULUS.0) {
                let sum = u128::from(u64::from_le_bytes((&*limb).try_into().unwrap()))
                    + u128::from(q)
                    + carry;
                limb.copy_from_slice(
                    &u64::try_from(sum & u128::from(u64::MAX))
                        .unwrap()
                        .to_le_bytes(),
                );
                carry = sum >> 64;
            }
            assert_eq!(carry, 0);
            let chain = Chain::new(vec![Step::Add(term(0, false, false))], false);
            let fault = kernel.apply(&chain.unwrap(), &mut data).unwrap_err();
            assert_eq!(fault, PointFault::NotCanonical { index: 13 });
        }
    }
}

#[test]
fn a_broken_length_is_refused() {
    for mut kernel in kernels(16) {
        let chain = Chain::new(vec![Step::Add(term(0, false, false))], false);
        assert_eq!(
            kernel.apply(&chain.unwrap(), &mut [0; 65]),
            Err(PointFault::Length { length: 65 })
        );
    }
}

#[test]
fn an_exceptional_addition_is_an_error() {
    for mut kernel in kernels(16) {
        // P + P is a doubling, P − P is infinity: neither has a slope by the formula of addition.
        for negative in [false, true] {
            let steps = vec![
                Step::Add(term(0, false, false)),
                Step::Add(term(0, negative, false)),
            ];
            let mut data = bytes(&sample(20));
            let before = data.clone();
            let chain = Chain::new(steps, false).unwrap();
            assert_eq!(
                kernel.apply(&chain, &mut data),
                Err(PointFault::Exceptional)
            );
            assert_eq!(data, before);
        }
    }
}
