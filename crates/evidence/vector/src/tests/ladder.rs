//! Powers of θ times points, and images, against the library.

use super::additions::{bytes, points};
use super::levels;
use crate::{G1Adder, G1Ladder, G1Point};
use ark_bn254::{Fr, G1Projective, g1};
use ark_ec::{CurveGroup, scalar_mul::glv::GLVConfig};

#[test]
fn rungs_are_the_powers_of_theta() {
    let theta = Fr::from(1) - g1::Config::LAMBDA;
    for level in levels() {
        let mut adder = G1Adder::new(level);
        let mut ladder = G1Ladder::new(level);
        for count in [0_i64, 1, 32, 75] {
            let multiples: Vec<i64> = (0..count).map(|i| (i * 7) % 40 - 5).collect();
            let bases = points::<g1::Config>(&multiples);
            let file = bytes(&bases, G1Point::BYTES);
            let mut rungs = adder.import(&file).unwrap();
            let imported = rungs.clone();
            ladder.climb(&imported, 9, &mut rungs);
            let mut expected = bases.clone();
            let mut all = file;
            for _ in 0..9 {
                for point in &mut expected {
                    *point = (*point * theta).into_affine();
                }
                all.extend(bytes(&expected, G1Point::BYTES));
            }
            let mut found = Vec::new();
            adder.export(&rungs, &mut found);
            assert!(found == all, "{}", level.name());
        }
    }
}

#[test]
fn images_are_multiples_by_the_eigenvalue() {
    for level in levels() {
        let mut adder = G1Adder::new(level);
        let multiples: Vec<i64> = (0..39).map(|i| (i * 11) % 23 - 4).collect();
        let bases = points::<g1::Config>(&multiples);
        let imported = adder.import(&bytes(&bases, G1Point::BYTES)).unwrap();
        let images: Vec<G1Point> = imported.iter().copied().map(G1Point::image).collect();
        // What is longer is left alone.
        let rest = [imported[1]; 3];
        let mut together = vec![G1Point::INFINITY; images.len()];
        together.extend(rest);
        let mut again = together.clone();
        let ladder = G1Ladder::new(level);
        ladder.images(&imported, &mut together, &mut again);
        for longer in [&mut together, &mut again] {
            assert!(longer.split_off(images.len()) == rest, "{}", level.name());
        }
        assert!(together == images, "{}", level.name());
        let second: Vec<G1Point> = images.iter().copied().map(G1Point::image).collect();
        assert!(again == second, "{}", level.name());
        let expected: Vec<_> = bases
            .iter()
            .map(|point| *point * g1::Config::LAMBDA)
            .collect();
        let mut found = Vec::new();
        adder.export(&images, &mut found);
        assert!(found == bytes(&G1Projective::normalize_batch(&expected), G1Point::BYTES));
    }
}
