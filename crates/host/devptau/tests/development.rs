//! The written file against the relations that any ptau has to satisfy.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing};
use ark_ff::{AdditiveGroup, FftField, Field};
use devptau::{DevPtauError, KnownSecrets, MAX_POWER, file_size, write};
use formats::{binfile::SectionTable, points::LemPoint, progress::NoProgress};

fn made(power: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(power, &mut bytes, &NoProgress).unwrap();
    bytes
}

fn points<P: LemPoint>(file: &[u8], table: &SectionTable, id: u32) -> Vec<P> {
    let section = table.get(id).unwrap();
    let start = usize::try_from(section.offset).unwrap();
    let end = start + usize::try_from(section.size).unwrap();
    file[start..end]
        .chunks(P::BYTES)
        .map(|bytes| P::from_lem(bytes).unwrap())
        .collect()
}

#[test]
fn size_and_order_of_sections() {
    for power in 1..=6 {
        let file = made(power);
        assert_eq!(
            u64::try_from(file.len()).unwrap(),
            file_size(power).unwrap()
        );
        let table = SectionTable::read(&file, *b"ptau", 1).unwrap();
        let ids: Vec<u32> = table.sections().iter().map(|section| section.id).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15]);
        assert_eq!(table.trailing_bytes(), 0);
    }
    // The size of the other generator's power-5 file.
    assert_eq!(file_size(5).unwrap(), 36_800);
}

#[test]
fn two_runs_give_the_same_bytes() {
    assert_eq!(made(4), made(4));
}

#[test]
fn powers_are_powers_of_the_published_tau() {
    let file = made(4);
    let table = SectionTable::read(&file, *b"ptau", 1).unwrap();
    let KnownSecrets { tau, alpha, beta } = KnownSecrets::published();
    let tau_g1: Vec<G1Affine> = points(&file, &table, 2);
    assert_eq!(tau_g1.len(), 31);
    let tau_g2: Vec<G2Affine> = points(&file, &table, 3);
    let alpha_g1: Vec<G1Affine> = points(&file, &table, 4);
    let beta_g1: Vec<G1Affine> = points(&file, &table, 5);
    let beta_g2: Vec<G2Affine> = points(&file, &table, 6);
    for (i, point) in (0_u64..).zip(&tau_g1) {
        assert_eq!(*point, (G1Affine::generator() * tau.pow([i])).into_affine());
    }
    for (i, point) in (0_u64..).zip(&tau_g2) {
        assert_eq!(*point, (G2Affine::generator() * tau.pow([i])).into_affine());
    }
    assert_eq!(alpha_g1[3], (tau_g1[3] * alpha).into_affine());
    assert_eq!(beta_g1[15], (tau_g1[15] * beta).into_affine());
    assert_eq!(
        Bn254::pairing(beta_g1[0], G2Affine::generator()),
        Bn254::pairing(G1Affine::generator(), beta_g2[0])
    );
}

/// Σ ω^(i·e) L_i = tau^e for every power of every domain.
#[test]
fn lagrange_blocks_interpolate_the_powers() {
    let power = 3;
    let file = made(power);
    let table = SectionTable::read(&file, *b"ptau", 1).unwrap();
    let tau_g1: Vec<G1Affine> = points(&file, &table, 2);
    let tau_g2: Vec<G2Affine> = points(&file, &table, 3);
    let lagrange: Vec<G1Affine> = points(&file, &table, 12);
    let lagrange_g2: Vec<G2Affine> = points(&file, &table, 13);
    let beta_g1: Vec<G1Affine> = points(&file, &table, 5);
    let lagrange_beta: Vec<G1Affine> = points(&file, &table, 15);
    for k in 0..=power + 1 {
        let size = 1_usize << k;
        let block = size - 1..2 * size - 1;
        for e in 0..size {
            let weight = |i: u64| {
                Fr::get_root_of_unity(1 << k)
                    .unwrap()
                    .pow([i * u64::try_from(e).unwrap()])
            };
            let sum: G1Projective = (0_u64..)
                .zip(&lagrange[block.clone()])
                .map(|(i, point)| *point * weight(i))
                .sum();
            if k == power + 1 && e == size - 1 {
                assert_eq!(sum, G1Projective::ZERO, "the top block lacks the top power");
                continue;
            }
            assert_eq!(sum.into_affine(), tau_g1[e]);
            if k <= power {
                let sum: G2Projective = (0_u64..)
                    .zip(&lagrange_g2[block.clone()])
                    .map(|(i, point)| *point * weight(i))
                    .sum();
                assert_eq!(sum.into_affine(), tau_g2[e]);
                let sum: G1Projective = (0_u64..)
                    .zip(&lagrange_beta[block.clone()])
                    .map(|(i, point)| *point * weight(i))
                    .sum();
                assert_eq!(sum.into_affine(), beta_g1[e]);
            }
        }
    }
}

#[test]
fn powers_out_of_range_are_refused() {
    for power in [0, MAX_POWER + 1, u32::MAX] {
        assert!(matches!(
            write(power, &mut Vec::new(), &NoProgress),
            Err(DevPtauError::PowerOutOfRange { .. })
        ));
    }
}
