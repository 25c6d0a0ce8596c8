//! The form that is hashed, against the library.

use super::additions::{bytes, points};
use super::levels;
use crate::{G1Point, G2Point, PointFault, Uncompressed};
use ark_bn254::{Fq, g1, g2};
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, PrimeField};

fn big_endian(coordinate: &Fq) -> Vec<u8> {
    coordinate.into_bigint().to_bytes_be()
}

#[test]
fn coordinates_are_big_endian_integers() {
    for level in levels() {
        let uncompressed = Uncompressed::new(level);
        for count in [0_i64, 1, 4, 8, 13] {
            let multiples: Vec<i64> = (0..count).map(|i| i * 5 - 10).collect();
            let mut found = vec![7];
            let mut expected = vec![7];
            let first = points::<g1::Config>(&multiples);
            let file = bytes(&first, G1Point::BYTES);
            uncompressed.append_g1(&file, &mut found).unwrap();
            for point in &first {
                let infinity = [vec![0; 32], vec![0; 32]].concat();
                let own = [big_endian(&point.x), big_endian(&point.y)].concat();
                expected.extend(if point.is_zero() { infinity } else { own });
            }
            let second = points::<g2::Config>(&multiples);
            let file = bytes(&second, G2Point::BYTES);
            uncompressed.append_g2(&file, &mut found).unwrap();
            for point in &second {
                for coordinate in [point.x, point.y] {
                    if point.is_zero() {
                        expected.extend([0; 64]);
                    } else {
                        expected.extend(big_endian(&coordinate.c1));
                        expected.extend(big_endian(&coordinate.c0));
                    }
                }
            }
            assert!(found == expected, "{}", level.name());
        }
    }
}

#[test]
fn r18_what_is_not_canonical_is_named() {
    for level in levels() {
        let uncompressed = Uncompressed::new(level);
        let mut file = bytes(&points::<g2::Config>(&[1, 2, 3, 4, 5, 6]), G2Point::BYTES);
        let mut out = Vec::new();
        let length = file.len() - 64;
        assert_eq!(
            uncompressed.append_g2(&file[..length], &mut out),
            Err(PointFault::Length { length })
        );
        let last = file.len() - 32;
        file[last..].copy_from_slice(&Fq::MODULUS.to_bytes_le());
        assert_eq!(
            uncompressed.append_g2(&file, &mut out),
            Err(PointFault::NotCanonical { index: 5 })
        );
        assert_eq!(
            uncompressed.append_g1(&file, &mut out),
            Err(PointFault::NotCanonical { index: 11 })
        );
    }
}
