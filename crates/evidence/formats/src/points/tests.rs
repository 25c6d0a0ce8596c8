use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_ff::{BigInteger, One};

use super::*;
use crate::curve::Curve;

fn lem<P: LemPoint>(point: &P) -> Vec<u8> {
    let mut out = Vec::new();
    point.append_lem(&mut out);
    out
}

/// Puts an on-curve point outside the subgroup: G2 of BN254 has a huge cofactor, so the first
/// x with a square right-hand side will do.
fn outside_subgroup() -> G2Affine {
    (1u64..=64)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(x.into(), false))
        .find(|p| !p.is_in_correct_subgroup_assuming_on_curve())
        .unwrap()
}

#[test]
fn sizes() {
    assert_eq!(<G1Affine as LemPoint>::BYTES, Curve::Bn128.g1_bytes());
    assert_eq!(<G2Affine as LemPoint>::BYTES, Curve::Bn128.g2_bytes());
    assert_eq!(
        <ark_bls12_381::G1Affine as LemPoint>::BYTES,
        Curve::Bls12381.g1_bytes()
    );
    assert_eq!(
        <ark_bls12_381::G2Affine as LemPoint>::BYTES,
        Curve::Bls12381.g2_bytes()
    );
}

#[test]
fn the_generator_in_both_forms() {
    let g = G1Affine::generator();
    let mut u = Vec::new();
    g.append_u(&mut u);
    let mut expected = [0; 64];
    expected[31] = 1;
    expected[63] = 2;
    assert_eq!(u, expected);
    // The LEM form of 1 is R mod q.
    assert_eq!(lem(&g)[..8], Fq::one().0.0[0].to_le_bytes());
    assert_eq!(<G1Affine as LemPoint>::from_lem(&lem(&g)), Ok(g));
    let h = G2Affine::generator();
    let mut u = Vec::new();
    h.append_u(&mut u);
    assert_eq!(u[..32], h.x.c1.into_bigint().to_bytes_be());
    assert_eq!(G2Affine::from_lem_in_subgroup(&lem(&h)), Ok(h));
}

#[test]
fn infinity_is_all_zeros() {
    let mut u = Vec::new();
    LemPoint::append_u(&G1Affine::identity(), &mut u);
    assert_eq!(u, [0; 64]);
    assert_eq!(lem(&G2Affine::identity()), [0; 128]);
    assert!(
        <G2Affine as LemPoint>::from_lem(&[0; 128])
            .unwrap()
            .is_zero()
    );
}

#[test]
fn r18_bad_encodings_are_refused() {
    let good = lem(&G1Affine::generator());
    let modulus = Curve::Bn128.base_modulus();

    let mut not_canonical = good.clone();
    not_canonical[..32].copy_from_slice(&modulus);
    assert_eq!(
        <G1Affine as LemPoint>::from_lem(&not_canonical),
        Err(PointError::NotCanonical)
    );

    // x + q encodes the same x if it fits: it must not be taken for it.
    let mut y_plus_q = good.clone();
    let mut carry = 0u16;
    for (byte, q) in y_plus_q[32..].iter_mut().zip(&modulus) {
        let sum = u16::from(*byte) + u16::from(*q) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert_eq!(
        <G1Affine as LemPoint>::from_lem(&y_plus_q),
        Err(PointError::NotCanonical)
    );

    let mut off_curve = good.clone();
    off_curve[0] ^= 1;
    assert_eq!(
        <G1Affine as LemPoint>::from_lem(&off_curve),
        Err(PointError::NotOnCurve)
    );

    assert_eq!(
        <G1Affine as LemPoint>::from_lem(&good[..63]),
        Err(PointError::WrongLength {
            expected: 64,
            got: 63
        })
    );

    let outside = lem(&outside_subgroup());
    assert!(<G2Affine as LemPoint>::from_lem(&outside).is_ok());
    assert_eq!(
        G2Affine::from_lem_in_subgroup(&outside),
        Err(PointError::NotInSubgroup)
    );
}

#[test]
fn scalars_are_canonical() {
    let mut bytes = Vec::new();
    (-Fr::one()).append_canonical_le(&mut bytes);
    assert_eq!(Fr::from_canonical_le(&bytes), Some(-Fr::one()));
    assert_eq!(Fr::from_canonical_le(&Curve::Bn128.scalar_modulus()), None);
    assert_eq!(Fr::from_canonical_le(&bytes[..31]), None);
}

#[test]
fn a_reader_names_the_bad_point() {
    let mut bytes = vec![0xee; 5];
    for _ in 0..3 {
        bytes.extend(lem(&G1Affine::generator()));
    }
    bytes[5 + 2 * 64] ^= 1;
    let mut reader = PointReader::<_, G1Affine>::new(&bytes, 9, 5, 1, 2).unwrap();
    assert_eq!(reader.next().unwrap().unwrap(), G1Affine::generator());
    let error = reader.next().unwrap().unwrap_err();
    assert!(matches!(
        error,
        PointsError::Point {
            section: 9,
            index: 2,
            source: PointError::NotOnCurve
        }
    ));
    assert!(reader.next().is_none());
    let mut reader = PointReader::<_, G1Affine>::new(&bytes, 9, 5, 0, 3).unwrap();
    reader.skip_points(2).unwrap();
    assert_eq!(reader.remaining(), 1);
    assert!(reader.next().unwrap().is_err(), "the bad one");
    reader.skip_points(9).unwrap();
    assert!(reader.next().is_none());
    assert!(PointReader::<_, G1Affine>::new(&bytes, 9, 5, 1, 3).is_err());
    assert!(PointReader::<_, G1Affine>::new(&bytes, 9, 5, u64::MAX, 1).is_err());
}
