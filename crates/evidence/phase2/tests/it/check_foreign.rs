//! Every key of others in the folder of foreign files, judged as its index says.

use formats::binfile::BinfileError;
use formats::curve::Curve;
use formats::points::{PointError, PointsError};
use formats::progress::NoProgress;
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::source::FileSource;
use formats::zkey::{ZKey, ZKeyError, ZKeySection};
use phase2::check::{
    CheckError, CircuitHashRule, KeyPoint, KeyReport, check_beacon, check_chain,
    check_contribution, check_initial_key, check_key,
};
use testkit::shared_data;

const KEY: [u8; 32] = [0x5a; 32];

fn source(name: &str) -> Option<FileSource> {
    Some(FileSource::open(shared_data(name)?).unwrap())
}

fn zkey(name: &str) -> Option<ZKey<FileSource>> {
    Some(ZKey::open(source(name)?).unwrap())
}

/// The whole check, opening included.
fn judge(zkey: &str, r1cs: &str, ptau: &str) -> Option<Result<KeyReport, CheckError>> {
    let r1cs = R1cs::open(source(&format!("zkey/{r1cs}"))?).unwrap();
    let ptau = Ptau::open(source(&format!("ptau/{ptau}"))?).unwrap();
    let zkey = match ZKey::open(source(&format!("zkey/{zkey}"))?) {
        Ok(zkey) => zkey,
        Err(error) => return Some(Err(error.into())),
    };
    Some(check_key(&r1cs, &ptau, &zkey, &KEY, &NoProgress))
}

/// Keys with contributions that are what they say: contributions, beacons, rule of the hash.
#[test]
fn good_keys_of_others_are_accepted() {
    for (zkey, r1cs, ptau, contributions, beacons, rule) in [
        (
            "pp_commitment.zkey",
            "pp_commitment.r1cs",
            "ppot_0080_11.ptau",
            514,
            1,
            CircuitHashRule::Current,
        ),
        (
            "pp_ragequit_00513.zkey",
            "pp_commitment.r1cs",
            "ppot_0080_11.ptau",
            513,
            0,
            CircuitHashRule::Current,
        ),
        (
            "unirep_epochKeyLite.zkey",
            "unirep_epochKeyLite.r1cs",
            "powersOfTau28_hez_final_09.ptau",
            4118,
            1,
            CircuitHashRule::Current,
        ),
        (
            "p0tion/circuit_0001.zkey",
            "p0tion/circuit.r1cs",
            "powersOfTau28_hez_final_02.ptau",
            1,
            0,
            CircuitHashRule::Before07,
        ),
        (
            "p0tion/circuit_final.zkey",
            "p0tion/circuit.r1cs",
            "powersOfTau28_hez_final_02.ptau",
            2,
            1,
            CircuitHashRule::Before07,
        ),
        (
            "storyform_b_1.zkey",
            "storyform_b.r1cs",
            "powersOfTau28_hez_final_11.ptau",
            1,
            0,
            CircuitHashRule::Before07,
        ),
        (
            "tampered/poseidon2_final.zkey",
            "tampered/poseidon2.r1cs",
            "powersOfTau28_hez_final_08.ptau",
            3,
            1,
            CircuitHashRule::Current,
        ),
        (
            "tampered/poseidon2_0002.zkey",
            "tampered/poseidon2.r1cs",
            "powersOfTau28_hez_final_08.ptau",
            2,
            0,
            CircuitHashRule::Current,
        ),
    ] {
        let Some(result) = judge(zkey, r1cs, ptau) else {
            continue;
        };
        let report = result.unwrap_or_else(|e| panic!("{zkey}: {e}"));
        assert_eq!(report.circuit_hash_rule, rule, "{zkey}");
        let all = &report.chain.contributions;
        assert_eq!(all.len(), contributions, "{zkey}");
        assert_eq!(
            all.iter().filter(|c| c.beacon.is_some()).count(),
            beacons,
            "{zkey}"
        );
        assert_eq!(report.chain.ends_with_beacon(), beacons == 1, "{zkey}");
    }
}

#[test]
fn initial_keys_of_others_are_accepted() {
    for (name, r1cs, ptau, rule) in [
        (
            "p0tion/circuit_0000.zkey",
            "p0tion/circuit.r1cs",
            "powersOfTau28_hez_final_02.ptau",
            CircuitHashRule::Before07,
        ),
        (
            "p0tion/division_00000.zkey",
            "p0tion/circuit.r1cs",
            "powersOfTau28_hez_final_02.ptau",
            CircuitHashRule::Before07,
        ),
        (
            "p0tion/notcircuit_0000.zkey",
            "p0tion/notcircuit.r1cs",
            "powersOfTau28_hez_final_02.ptau",
            CircuitHashRule::Before07,
        ),
        (
            "storyform_b_0.zkey",
            "storyform_b.r1cs",
            "powersOfTau28_hez_final_11.ptau",
            CircuitHashRule::Before07,
        ),
        (
            "unirep_alpha4_epochKeyLite_0contrib.zkey",
            "unirep_alpha4_epochKeyLite.r1cs",
            "powersOfTau28_hez_final_10.ptau",
            CircuitHashRule::Before07,
        ),
        (
            "tampered/poseidon2_0000.zkey",
            "tampered/poseidon2.r1cs",
            "powersOfTau28_hez_final_08.ptau",
            CircuitHashRule::Current,
        ),
    ] {
        let Some(zkey) = zkey(&format!("zkey/{name}")) else {
            continue;
        };
        let r1cs = R1cs::open(source(&format!("zkey/{r1cs}")).unwrap()).unwrap();
        let ptau = Ptau::open(source(&format!("ptau/{ptau}")).unwrap()).unwrap();
        let verified = check_initial_key(&r1cs, &ptau, &zkey, &KEY, &NoProgress)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(verified.circuit_hash_rule(), rule, "{name}");
        assert_eq!(verified.circuit_hash(), zkey.circuit_hash());
        // snarkjs says "ZKey Ok!" to these.
        let error = check_key(&r1cs, &ptau, &zkey, &KEY, &NoProgress).unwrap_err();
        assert!(matches!(error, CheckError::NoContributions), "{name}");
        let error = check_chain(&zkey, &KEY, &NoProgress).unwrap_err();
        assert!(matches!(error, CheckError::NoContributions), "{name}");
    }
}

#[test]
fn keys_of_other_circuits_and_ceremonies_are_refused() {
    for (zkey, r1cs, ptau, check) in [
        refused(
            "p0tion/bad_circuit_0000.zkey",
            "p0tion/circuit.r1cs",
            "powersOfTau28_hez_final_02.ptau",
            |e| matches!(e, CheckError::ZKey(ZKeyError::Container(_))),
        ),
        refused(
            "co-snarks/multiplier2.zkey",
            "co-snarks/multiplier2.r1cs",
            "powersOfTau28_hez_final_11.ptau",
            |e| {
                matches!(
                    e,
                    CheckError::WrongPoint {
                        point: KeyPoint::Alpha1
                    }
                )
            },
        ),
        refused(
            "co-snarks/kyc.zkey",
            "co-snarks/kyc.r1cs",
            "powersOfTau28_hez_final_11.ptau",
            |e| {
                matches!(
                    e,
                    CheckError::WrongPoint {
                        point: KeyPoint::Alpha1
                    }
                )
            },
        ),
        refused(
            "co-snarks/kyc_bls12.zkey",
            "co-snarks/kyc_bls12.r1cs",
            "powersOfTau28_hez_final_11.ptau",
            |e| {
                matches!(
                    e,
                    CheckError::DifferentCurves {
                        zkey: Curve::Bls12381,
                        other: "ptau",
                        got: Curve::Bn128
                    }
                )
            },
        ),
        refused(
            "pp_commitment.zkey",
            "tampered/poseidon2.r1cs",
            "ppot_0080_11.ptau",
            |e| matches!(e, CheckError::CircuitMismatch { what: "wires", .. }),
        ),
        // The right circuit over the other family's powers of tau, and over a ptau that is too small.
        refused(
            "tampered/poseidon2_final.zkey",
            "tampered/poseidon2.r1cs",
            "ppot_0080_08.ptau",
            |e| {
                matches!(
                    e,
                    CheckError::WrongPoint {
                        point: KeyPoint::Alpha1
                    }
                )
            },
        ),
        refused(
            "pp_commitment.zkey",
            "pp_commitment.r1cs",
            "ppot_0080_08.ptau",
            |e| matches!(e, CheckError::PtauTooSmall { needed: 11, got: 8 }),
        ),
    ] {
        let Some(result) = judge(zkey, r1cs, ptau) else {
            continue;
        };
        let error = result.unwrap_err();
        assert!(check(&error), "{zkey}: {error:?}");
    }
    let Some(other) = zkey("zkey/p0tion/notcircuit_0000.zkey") else {
        return;
    };
    let r1cs = R1cs::open(source("zkey/p0tion/circuit.r1cs").unwrap()).unwrap();
    let ptau = Ptau::open(source("ptau/powersOfTau28_hez_final_02.ptau").unwrap()).unwrap();
    let error = check_initial_key(&r1cs, &ptau, &other, &KEY, &NoProgress).unwrap_err();
    assert!(matches!(
        error,
        CheckError::CircuitMismatch {
            what: "wires",
            expected: 6,
            got: 4
        }
    ));
}

type Refused = (
    &'static str,
    &'static str,
    &'static str,
    fn(&CheckError) -> bool,
);

fn refused(
    zkey: &'static str,
    r1cs: &'static str,
    ptau: &'static str,
    check: fn(&CheckError) -> bool,
) -> Refused {
    (zkey, r1cs, ptau, check)
}

fn tampered(
    zkey: &'static str,
    check: fn(&CheckError) -> bool,
) -> (&'static str, fn(&CheckError) -> bool) {
    (zkey, check)
}

fn is_section(error: &CheckError, expected: ZKeySection) -> bool {
    matches!(error, CheckError::SectionMismatch { section } if *section == expected)
}

/// each tampered copy of one good key, with its own error.
#[test]
fn r12_each_tampered_key_is_refused_for_its_reason() {
    use CheckError as E;
    for (name, check) in [
        tampered("t01_swap_L", |e| is_section(e, ZKeySection::C)),
        tampered("t03_swap_A", |e| is_section(e, ZKeySection::A)),
        tampered("t05_B2_badsubgroup", |e| {
            matches!(
                e,
                E::OutsideSubgroup {
                    section: ZKeySection::B2
                }
            )
        }),
        tampered("t07_delta1_ne_delta2", |e| matches!(e, E::DeltaNotLast)),
        tampered("t09_delta2_badsubgroup", |e| {
            matches!(
                e,
                E::ZKey(ZKeyError::HeaderPoint {
                    name: "delta2",
                    source: PointError::NotInSubgroup
                })
            )
        }),
        tampered("t11_nPublic_plus1", |e| {
            matches!(
                e,
                E::ZKey(ZKeyError::Container(BinfileError::WrongSectionSize {
                    id: 3,
                    ..
                }))
            )
        }),
        tampered("t13_nvars_zero", |e| {
            matches!(e, E::ZKey(ZKeyError::TooManyPublic { n_vars: 0, .. }))
        }),
        tampered("t15_drop_first_contribution", |e| {
            matches!(e, E::WrongTranscript { index: 0 })
        }),
        tampered("t17_beacon_hash_flip", |e| {
            matches!(e, E::BeaconMismatch { index: 2 })
        }),
        tampered("t19_beacon_type_to_normal", |e| {
            matches!(e, E::ZKey(ZKeyError::RelabelledBeacon { index: 2 }))
        }),
        tampered("t21_transcript_flip", |e| {
            matches!(e, E::WrongTranscript { index: 1 })
        }),
        tampered("t23_coefficient_flip", |e| {
            matches!(e, E::CoefficientMismatch { index: 0 })
        }),
        tampered("t25_L_off_curve", |e| {
            matches!(
                e,
                E::Points(PointsError::Point {
                    section: 8,
                    source: PointError::NotOnCurve,
                    ..
                })
            )
        }),
        tampered("t27_missing_section9", |e| {
            matches!(
                e,
                E::ZKey(ZKeyError::Container(BinfileError::MissingSection { id: 9 }))
            )
        }),
        tampered("t29_trailing_junk", |e| {
            matches!(
                e,
                E::ZKey(ZKeyError::Container(BinfileError::TrailingBytes {
                    count: 64
                }))
            )
        }),
        tampered("t31_bad_magic", |e| {
            matches!(
                e,
                E::ZKey(ZKeyError::Container(BinfileError::BadMagic { .. }))
            )
        }),
        tampered("t33_protocol_plonk", |e| {
            matches!(e, E::ZKey(ZKeyError::NotGroth16 { protocol: 2 }))
        }),
        tampered("t35_H_all_infinity", |e| is_section(e, ZKeySection::H)),
        tampered("t37_B1_infinity", |e| is_section(e, ZKeySection::B1)),
    ] {
        let file = format!("tampered/tam_{name}.zkey");
        let Some(result) = judge(
            &file,
            "tampered/poseidon2.r1cs",
            "powersOfTau28_hez_final_08.ptau",
        ) else {
            continue;
        };
        let error = result.unwrap_err();
        assert!(check(&error), "{name}: {error:?}");
    }
}

/// The index names no case that the tests above leave out.
#[test]
fn every_case_of_the_index_is_judged() {
    let Some(path) = shared_data("zkey/cases.json") else {
        return;
    };
    let cases: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let this_file = include_str!("check_foreign.rs");
    for case in cases.as_array().unwrap() {
        let name = case["zkey"].as_str().unwrap();
        let short = name
            .trim_start_matches("tampered/tam_")
            .trim_end_matches(".zkey");
        assert!(this_file.contains(short), "{name} is not judged");
    }
}

#[test]
fn keys_without_circuit_or_ptau_are_judged_alone() {
    for (name, contributions, beacon) in [
        ("zkey/gpc_1o-1e.zkey", 2, false),
        ("zkey/semaphore-10.zkey", 419, true),
        ("zkey/p0tion/mini-semaphore.zkey", 1, false),
        ("zkey/co-snarks/kyc_bls12.zkey", 1, false),
        ("phase2/bls/three.b.zkey", 1, true),
    ] {
        let Some(zkey) = zkey(name) else { continue };
        let report =
            check_chain(&zkey, &KEY, &NoProgress).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(report.contributions.len(), contributions, "{name}");
        assert_eq!(report.ends_with_beacon(), beacon, "{name}");
        assert_eq!(report.circuit_hash, zkey.circuit_hash());
    }
}

#[test]
fn each_key_of_a_ceremony_follows_the_one_before() {
    let open = |n: &str| zkey(&format!("zkey/tampered/poseidon2_{n}.zkey"));
    let (Some(k0), Some(k1), Some(k2), Some(last)) =
        (open("0000"), open("0001"), open("0002"), open("final"))
    else {
        return;
    };
    let first = check_contribution(&k0, &k1, &KEY, &NoProgress).unwrap();
    let second = check_contribution(&k1, &k2, &KEY, &NoProgress).unwrap();
    let report = check_chain(&last, &KEY, &NoProgress).unwrap();
    assert_eq!(report.contributions[0].hash, first.hash());
    assert_eq!(report.contributions[1].hash, second.hash());
    let beacon = report.contributions[2].beacon.clone().unwrap();
    assert_eq!(beacon.iterations_exp(), 10);
    let verified = check_beacon(&k2, &last, &beacon, &KEY, &NoProgress).unwrap();
    assert_eq!(report.contributions[2].hash, verified.hash());

    let refuse = |error: CheckError| error.code();
    assert_eq!(
        refuse(check_contribution(&k0, &k2, &KEY, &NoProgress).unwrap_err()),
        "check_not_the_next"
    );
    assert_eq!(
        refuse(check_contribution(&k1, &k1, &KEY, &NoProgress).unwrap_err()),
        "check_not_the_next"
    );
    assert_eq!(
        refuse(check_beacon(&k1, &k2, &beacon, &KEY, &NoProgress).unwrap_err()),
        "check_not_the_expected_beacon"
    );
    let swapped = open("0000").zip(zkey("zkey/tampered/tam_t01_swap_L.zkey"));
    let (_, swapped) = swapped.unwrap();
    let error = check_beacon(&k2, &swapped, &beacon, &KEY, &NoProgress).unwrap_err();
    assert!(matches!(
        error,
        CheckError::SectionRatio {
            section: ZKeySection::C
        }
    ));
    let changed = zkey("zkey/tampered/tam_t03_swap_A.zkey").unwrap();
    let error = check_beacon(&k2, &changed, &beacon, &KEY, &NoProgress).unwrap_err();
    assert!(matches!(
        error,
        CheckError::SectionChanged {
            section: ZKeySection::A
        }
    ));
}
