//! The kernel against the library's arithmetic: the differential test that its unsafe code rests on.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code"
)]

use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{BigInt, PrimeField};
use proptest::prelude::*;
use vector::{Chain, Kernel, PointFault, Step, Term};

/// Root of λ² + λ + 1 that belongs to the kernel's β.
const LAMBDA: Fr = <ark_bn254::g1::Config as GLVConfig>::LAMBDA;

fn kernel(points: usize) -> Option<Kernel> {
    let kernel = Kernel::new(points);
    if kernel.is_none() {
        eprintln!("SKIPPED (this processor has no AVX-512 IFMA)");
    }
    kernel
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
fn scalar(steps: &[Step]) -> Fr {
    let value = |term: &Term| {
        let size = Fr::from(2 * u64::from(term.index) + 1);
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_chain_multiplies_as_the_library_does(steps in chain(), secret in any::<bool>(), count in 1_u64..60, block in 1_usize..70) {
        let steps = steps.0;
        if let Some(mut kernel) = kernel(block) {
            let mut points = sample(count);
            if count > 3 {
                points[2] = G1Affine::identity();
            }
            let mut data = bytes(&points);
            kernel.apply(&Chain::new(steps.clone(), secret).unwrap(), &mut data).unwrap();
            prop_assert!(data == expected(&points, scalar(&steps)));
        }
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
    if let Some(mut kernel) = kernel(32) {
        let mut data = bytes(&points);
        kernel
            .apply(&Chain::new(steps.clone(), true).unwrap(), &mut data)
            .unwrap();
        assert!(data == expected(&points, scalar(&steps)));
    }
}

#[test]
fn infinity_stays_infinity() {
    if let Some(mut kernel) = kernel(16) {
        let mut data = vec![0; 64 * 21];
        let chain = Chain::new(vec![Step::Add(term(0, false, false)), Step::Double], false);
        kernel.apply(&chain.unwrap(), &mut data).unwrap();
        assert_eq!(data, vec![0; 64 * 21]);
    }
}

#[test]
fn r18_a_point_off_the_curve_is_refused_and_named() {
    if let Some(mut kernel) = kernel(16) {
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
    if let Some(mut kernel) = kernel(16) {
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
    if let Some(mut kernel) = kernel(16) {
        let chain = Chain::new(vec![Step::Add(term(0, false, false))], false);
        assert_eq!(
            kernel.apply(&chain.unwrap(), &mut [0; 65]),
            Err(PointFault::Length { length: 65 })
        );
    }
}

#[test]
fn an_exceptional_addition_is_an_error() {
    if let Some(mut kernel) = kernel(16) {
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
