//! Contributions, beacons and exports against files that snarkjs wrote.

use formats::{
    curve::{Bls12381, Bn128},
    progress::NoProgress,
    source::FileSource,
    zkey::{ContributionKind, ContributionName, ZKey},
};
use phase2::{
    EngineCurve,
    beacon::{apply_beacon, undo_beacon},
    contribution::{ContributionError, ContributionKey, Secrecy, apply},
    export::verification_key_json,
    transcript::contribution_hash,
};
use testkit::shared_data;

fn open(name: &str) -> Option<(ZKey<FileSource>, Vec<u8>)> {
    let path = shared_data(name)?;
    let zkey = ZKey::open(FileSource::open(&path).unwrap()).unwrap();
    Some((zkey, std::fs::read(path).unwrap()))
}

/// snarkjs's seed: BLAKE2b-512 over 64 random bytes and the entropy text, first half.
fn pinned_seed() -> [u8; 32] {
    let mut input: Vec<u8> = (0..64).collect();
    input.extend_from_slice("some entropy é".as_bytes());
    let digest = formats::digest::Blake2b512Digest::of(&input);
    digest.as_bytes()[..32].try_into().unwrap()
}

#[test]
fn a_contribution_equals_the_one_of_snarkjs() {
    let (Some((before, _)), Some((_, golden))) =
        (open("phase2/three.0.zkey"), open("phase2/three.fix.zkey"))
    else {
        return;
    };
    for secrecy in [Secrecy::Secret, Secrecy::Public] {
        let key = ContributionKey::<Bn128>::from_seed(&pinned_seed());
        let name = ContributionName::new(b"n1").unwrap();
        let mut out = Vec::new();
        let kind = ContributionKind::Ordinary;
        let summary = apply(&before, &key, secrecy, kind, name, &mut out, &NoProgress).unwrap();
        assert!(out == golden);
        assert_eq!(summary.size, u64::try_from(out.len()).unwrap());
        let after = ZKey::open(out).unwrap();
        let record = after
            .contributions::<Bn128>()
            .unwrap()
            .last()
            .unwrap()
            .unwrap();
        assert_eq!(summary.hash, contribution_hash(&record));
        assert_eq!(summary.n_contributions, 1);
    }
}

fn beacon_both_ways<C: EngineCurve>(before: &str, after: &str) {
    let (Some((before, before_bytes)), Some((after, after_bytes))) = (open(before), open(after))
    else {
        return;
    };
    let record = after.contributions::<C>().unwrap().last().unwrap().unwrap();
    let ContributionKind::Beacon(beacon) = &record.kind else {
        panic!("the golden file ends with a beacon");
    };
    let mut out = Vec::new();
    let summary =
        apply_beacon(&before, beacon, record.name.clone(), &mut out, &NoProgress).unwrap();
    assert!(out == after_bytes);
    assert_eq!(summary.hash, contribution_hash(&record));

    let mut out = Vec::new();
    let undone = undo_beacon(&after, &mut out, &NoProgress).unwrap();
    assert_eq!(undone.beacon, *beacon);
    assert_eq!(undone.contributions_left, before.n_contributions());
    if before.n_contributions() > 0 {
        assert!(out == before_bytes);
    }
}

#[test]
fn r34_a_beacon_equals_the_one_of_snarkjs_and_is_undone() {
    beacon_both_ways::<Bn128>(
        "zkey/tampered/poseidon2_0002.zkey",
        "zkey/tampered/poseidon2_final.zkey",
    );
    beacon_both_ways::<Bn128>(
        "zkey/p0tion/circuit_0001.zkey",
        "zkey/p0tion/circuit_final.zkey",
    );
    beacon_both_ways::<Bls12381>("phase2/bls/three.0.zkey", "phase2/bls/three.b.zkey");
}

#[test]
fn only_a_beacon_is_undone() {
    let Some((zkey, _)) = open("zkey/tampered/poseidon2_0002.zkey") else {
        return;
    };
    assert!(matches!(
        undo_beacon(&zkey, &mut Vec::new(), &NoProgress),
        Err(ContributionError::LastIsNoBeacon)
    ));
    let Some((zkey, _)) = open("zkey/tampered/tam_t17_beacon_hash_flip.zkey") else {
        return;
    };
    assert!(matches!(
        undo_beacon(&zkey, &mut Vec::new(), &NoProgress),
        Err(ContributionError::BeaconMismatch)
    ));
}

#[test]
fn r27_the_same_key_twice_is_refused() {
    let Some((zkey, _)) = open("phase2/three.fix.zkey") else {
        return;
    };
    let key = ContributionKey::<Bn128>::from_seed(&pinned_seed());
    let kind = ContributionKind::Ordinary;
    let result = apply(
        &zkey,
        &key,
        Secrecy::Secret,
        kind,
        None,
        &mut Vec::new(),
        &NoProgress,
    );
    assert!(matches!(
        result,
        Err(ContributionError::ReusedKey { index: 0 })
    ));
}

#[test]
fn r18_an_off_curve_point_is_never_multiplied() {
    let Some((zkey, _)) = open("zkey/tampered/tam_t25_L_off_curve.zkey") else {
        return;
    };
    let key = ContributionKey::<Bn128>::from_seed(&pinned_seed());
    let kind = ContributionKind::Ordinary;
    let result = apply(
        &zkey,
        &key,
        Secrecy::Secret,
        kind,
        None,
        &mut Vec::new(),
        &NoProgress,
    );
    assert!(matches!(result, Err(ContributionError::Points(_))));
}

#[test]
fn verification_keys_equal_those_of_snarkjs() {
    for (zkey, golden) in [
        ("phase2/three.1.zkey", "phase2/three.vk.json"),
        ("phase2/bls/three.b.zkey", "phase2/bls/vk.json"),
    ] {
        let (Some((zkey, _)), Some(golden)) = (open(zkey), shared_data(golden)) else {
            continue;
        };
        let golden = std::fs::read_to_string(golden).unwrap();
        assert_eq!(verification_key_json(&zkey).unwrap(), golden);
    }
}
