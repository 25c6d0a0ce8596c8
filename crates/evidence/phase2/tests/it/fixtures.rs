//! The whole of phase 2 on files that the project makes itself: runs on a plain clone.

use std::io::Cursor;

use ark_bn254::Bn254;
use ark_ec::{AffineRepr, pairing::Pairing};
use formats::{
    curve::Bn128,
    progress::{NoProgress, ProgressSink, Unit},
    ptau::Ptau,
    r1cs::R1cs,
    zkey::{BeaconParams, ContributionKind, ZKey, ZKeySection},
};
use phase2::{
    beacon::{apply_beacon, undo_beacon},
    contribution::{ContributionError, ContributionKey, Secrecy, apply},
    setup::{SetupError, SetupOptions, new_initial_key},
};
use testkit::{development_ptau, small_r1cs};

type Key = ZKey<Vec<u8>>;

fn initial(constraints: u32, power: u32, memory_bytes: u64) -> Result<Vec<u8>, SetupError> {
    let r1cs = R1cs::open(small_r1cs(constraints)).unwrap();
    let ptau = Ptau::open(development_ptau(power)).unwrap();
    let options = SetupOptions {
        memory_bytes,
        threads: None,
    };
    let mut out = Cursor::new(Vec::new());
    new_initial_key(&r1cs, &ptau, &mut out, &options, &NoProgress)?;
    Ok(out.into_inner())
}

fn contributed(before: &Key, seed: u8) -> Vec<u8> {
    let key = ContributionKey::<Bn128>::from_seed(&[seed; 32]);
    let kind = ContributionKind::Ordinary;
    let mut out = Vec::new();
    apply(
        before,
        &key,
        Secrecy::Secret,
        kind,
        None,
        &mut out,
        &NoProgress,
    )
    .unwrap();
    out
}

#[test]
fn memory_does_not_change_the_bytes() {
    // 1400 wires: two passes of 1000 signals, or one.
    assert!(initial(1400, 11, 0).unwrap() == initial(1400, 11, 1 << 30).unwrap());
}

#[test]
fn r11_the_ptau_must_be_large_enough_at_the_edge() {
    // With one output and one public input: 6 constraints fill 2^3, which takes the next power.
    assert!(initial(5, 3, 1 << 28).is_ok());
    assert!(matches!(
        initial(6, 3, 1 << 28),
        Err(SetupError::PtauTooSmall { needed: 4, got: 3 })
    ));
    assert!(initial(6, 4, 1 << 28).is_ok());
}

#[test]
fn points_that_depend_on_delta_are_divided_by_it() {
    let before = ZKey::open(initial(9, 4, 1 << 28).unwrap()).unwrap();
    let after = ZKey::open(contributed(&before, 1)).unwrap();
    let delta2 = after.key_points::<Bn128>().unwrap().delta2;
    let g2 = before.key_points::<Bn128>().unwrap().delta2;
    for section in [ZKeySection::C, ZKeySection::H] {
        let old = before.g1_points::<Bn128>(section).unwrap();
        let new = after.g1_points::<Bn128>(section).unwrap();
        for (old, new) in old.zip(new) {
            let (old, new) = (old.unwrap(), new.unwrap());
            assert_eq!(Bn254::pairing(old, g2), Bn254::pairing(new, delta2));
            assert_eq!(old.is_zero(), new.is_zero());
        }
    }
    for section in [
        ZKeySection::Ic,
        ZKeySection::Coefficients,
        ZKeySection::A,
        ZKeySection::B1,
        ZKeySection::B2,
    ] {
        let bytes = |key: &Key| {
            let mut reader = key.section_bytes(section).unwrap();
            let mut bytes = vec![0; usize::try_from(reader.remaining()).unwrap()];
            reader.read_exact(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(bytes(&before), bytes(&after), "{section:?}");
    }
}

#[test]
fn r34_a_beacon_is_undone_byte_for_byte() {
    let initial = ZKey::open(initial(9, 4, 1 << 28).unwrap()).unwrap();
    let first = contributed(&initial, 1);
    let second = contributed(&ZKey::open(first).unwrap(), 2);
    let before = ZKey::open(second.clone()).unwrap();
    let beacon = BeaconParams::new(10, b"a public value").unwrap();
    let mut last = Vec::new();
    apply_beacon(&before, &beacon, None, &mut last, &NoProgress).unwrap();

    let mut undone = Vec::new();
    let report = undo_beacon(&ZKey::open(last.clone()).unwrap(), &mut undone, &NoProgress).unwrap();
    assert!(undone == second);
    assert_eq!((report.beacon, report.contributions_left), (beacon, 2));

    // Another value or another number of iterations in the record: not this beacon.
    let at = last
        .windows(14)
        .position(|bytes| bytes == b"a public value")
        .unwrap();
    for (offset, byte) in [(at, b'b'), (at - 3, 11)] {
        let mut changed = last.clone();
        changed[offset] = byte;
        assert!(matches!(
            undo_beacon(&ZKey::open(changed).unwrap(), &mut Vec::new(), &NoProgress),
            Err(ContributionError::BeaconMismatch)
        ));
    }
}

#[test]
fn secret_and_public_sequences_give_the_same_key() {
    let before = ZKey::open(initial(40, 6, 1 << 28).unwrap()).unwrap();
    let key = ContributionKey::<Bn128>::from_seed(&[5; 32]);
    let [secret, public] = [Secrecy::Secret, Secrecy::Public].map(|secrecy| {
        let kind = ContributionKind::Ordinary;
        let mut out = Vec::new();
        apply(&before, &key, secrecy, kind, None, &mut out, &NoProgress).unwrap();
        out
    });
    assert!(secret == public);
}

/// From 2^15 on snarkjs hashes one point too many, here from beyond a section of the ptau. The digest
/// is the one that snarkjs 0.7.6 gave for these two files, whose key was equal byte for byte.
#[test]
fn the_circuit_hash_of_a_large_domain_equals_the_one_of_snarkjs() {
    let key = ZKey::open(initial(20_000, 15, 1 << 28).unwrap()).unwrap();
    assert_eq!(
        key.circuit_hash().to_string(),
        "6b67d123d2a31622b9c0d35e0bde8d72df3a0dfed2aadda9f5f7e5bdfbc521a4\
         91c6fc7c97192708597e2d7cf50feae1adca1b97ce765dd6dbcc48a99a81a795"
    );
}

struct Cancel;

impl ProgressSink for Cancel {
    fn step(&self, _: &'static str, _: Unit, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn is_cancelled(&self) -> bool {
        true
    }
}

#[test]
fn cancelling_stops_the_work() {
    let before = ZKey::open(initial(9, 4, 1 << 28).unwrap()).unwrap();
    let key = ContributionKey::<Bn128>::from_seed(&[5; 32]);
    let kind = ContributionKind::Ordinary;
    let result = apply(
        &before,
        &key,
        Secrecy::Secret,
        kind,
        None,
        &mut Vec::new(),
        &Cancel,
    );
    assert!(matches!(result, Err(ContributionError::Cancelled)));
    let r1cs = R1cs::open(small_r1cs(9)).unwrap();
    let ptau = Ptau::open(development_ptau(4)).unwrap();
    let mut out = Cursor::new(Vec::new());
    assert!(matches!(
        new_initial_key(&r1cs, &ptau, &mut out, &SetupOptions::default(), &Cancel),
        Err(SetupError::Cancelled)
    ));
}
