//! Real files made by others: all of snarkjs's and circom's files open, the broken ones do not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::time::{Duration, Instant};

use formats::binfile::BinfileError;
use formats::curve::{Bls12381, Bn128, Curve, CurveParams};
use formats::digest::hash_source;
use formats::points::PointError;
use formats::progress::NoProgress;
use formats::ptau::published::{PtauFamily, lookup};
use formats::ptau::{LagrangeG1, MonomialG1, Ptau, PtauError};
use formats::r1cs::R1cs;
use formats::source::FileSource;
use formats::zkey::{ContributionKind, ZKey, ZKeyError, ZKeySection};
use testkit::shared_data;

/// A file and what its error must be.
type Case<E> = (&'static str, fn(&E) -> bool);

fn open(name: &str) -> Option<FileSource> {
    Some(FileSource::open(shared_data(name)?).unwrap())
}

#[test]
fn published_ptau_files_are_recognised_and_every_point_is_sound() {
    for (name, family, power) in [
        (
            "ptau/powersOfTau28_hez_final_08.ptau",
            PtauFamily::Hermez,
            8,
        ),
        (
            "ptau/powersOfTau28_hez_final_09.ptau",
            PtauFamily::Hermez,
            9,
        ),
        (
            "ptau/powersOfTau28_hez_final_10.ptau",
            PtauFamily::Hermez,
            10,
        ),
        (
            "ptau/powersOfTau28_hez_final_11.ptau",
            PtauFamily::Hermez,
            11,
        ),
        ("ptau/ppot_0080_08.ptau", PtauFamily::Ppot0080, 8),
        ("ptau/ppot_0080_11.ptau", PtauFamily::Ppot0080, 11),
    ] {
        let Some(source) = open(name) else { continue };
        let published = *lookup(&hash_source(&source, &NoProgress).unwrap()).unwrap();
        assert_eq!(
            (published.family, published.power),
            (family, power),
            "{name}"
        );
        let ptau = Ptau::open(source).unwrap();
        assert_eq!(
            (ptau.power(), ptau.curve(), ptau.is_prepared()),
            (power, Curve::Bn128, true)
        );
        assert_eq!(ptau.ceremony_power(), 28);
        let n = 1u64 << power;
        let tau = ptau
            .monomial_g1::<Bn128>(MonomialG1::Tau, 0, 2 * n - 1)
            .unwrap();
        assert!(tau.map(Result::unwrap).count() > 0);
        let lagrange = ptau
            .lagrange_g1::<Bn128>(LagrangeG1::Tau, power + 1, 0, 2 * n)
            .unwrap();
        assert!(lagrange.map(Result::unwrap).count() > 0);
        assert_eq!(
            ptau.lagrange_g2::<Bn128>(power, 0, n)
                .unwrap()
                .map(Result::unwrap)
                .count(),
            1 << power
        );
    }
}

#[test]
fn r11_broken_ptau_files_are_refused_at_once() {
    let refuse = |name: &str| {
        let source = open(&format!("ptau/bad/{name}"))?;
        let started = Instant::now();
        let error = Ptau::open(source).unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(1), "{name}");
        Some(error)
    };
    let cases: [Case<PtauError>; 4] = [
        ("accessdenied_xml_as_hez_final_15.ptau", |e| {
            matches!(e, PtauError::Container(BinfileError::BadMagic { .. }))
        }),
        ("interrupted_prepare_pot12_final.ptau", |e| {
            matches!(e, PtauError::Container(BinfileError::SectionOverrun { .. }))
        }),
        ("tam_hez08_truncated.ptau", |e| {
            matches!(
                e,
                PtauError::Container(BinfileError::SectionOverrun { id: 15, .. })
            )
        }),
        ("tam_hez08_trailing.ptau", |e| {
            matches!(
                e,
                PtauError::Container(BinfileError::TrailingBytes { count: 1 })
            )
        }),
    ];
    for (name, check) in cases {
        if let Some(error) = refuse(name) {
            assert!(check(&error), "{name}: {error:?}");
        }
    }
}

#[test]
fn r10_a_ptau_with_a_borrowed_name_is_not_published() {
    for name in [
        "ptau/bad/fake_hez_final_10__is_pot12_0001.ptau",
        "ptau/bad/tam_hez08_tau_point_flip.ptau",
        "ptau/bad/tam_hez08_trailing.ptau",
        "ptau/bad/tam_hez08_truncated.ptau",
        "phase2/dev05.ptau",
    ] {
        let Some(source) = open(name) else { continue };
        assert_eq!(
            lookup(&hash_source(&source, &NoProgress).unwrap()),
            None,
            "{name}"
        );
    }
}

#[test]
fn real_circuits_are_read_to_the_end() {
    for name in [
        "zkey/pp_commitment.r1cs",
        "zkey/unirep_epochKeyLite.r1cs",
        "zkey/storyform_b.r1cs",
        "zkey/unirep_alpha4_epochKeyLite.r1cs",
        "zkey/p0tion/circuit.r1cs",
        "zkey/p0tion/notcircuit.r1cs",
        "zkey/co-snarks/multiplier2.r1cs",
        "zkey/co-snarks/kyc.r1cs",
        "zkey/co-snarks/kyc_bls12.r1cs",
        "zkey/tampered/poseidon2.r1cs",
        "phase2/three.r1cs",
        "phase2/lzero.r1cs",
        "phase2/pubonly.r1cs",
    ] {
        let Some(source) = open(name) else { continue };
        let r1cs = R1cs::open(source).unwrap_or_else(|e| panic!("{name}: {e}"));
        let terms = r1cs.terms().unwrap().map(Result::unwrap).count();
        assert!(terms > 0, "{name}");
    }
}

fn read_whole_key<C: CurveParams>(zkey: &ZKey<FileSource>) -> (u32, u32) {
    for section in [
        ZKeySection::Ic,
        ZKeySection::A,
        ZKeySection::B1,
        ZKeySection::C,
        ZKeySection::H,
    ] {
        for point in zkey.g1_points::<C>(section).unwrap() {
            assert!(point.is_ok());
        }
    }
    assert!(zkey.b2_points::<C>().unwrap().all(|p| p.is_ok()));
    assert!(zkey.coefficients().unwrap().all(|c| c.is_ok()));
    let (mut all, mut beacons) = (0, 0);
    for contribution in zkey.contributions::<C>().unwrap() {
        all += 1;
        if let ContributionKind::Beacon(_) = contribution.unwrap().kind {
            beacons += 1;
        }
    }
    (all, beacons)
}

#[test]
fn r20_all_keys_made_by_snarkjs_are_accepted() {
    for (name, contributions, beacons) in [
        ("zkey/pp_commitment.zkey", 514, 1),
        ("zkey/unirep_epochKeyLite.zkey", 4118, 1),
        ("zkey/p0tion/circuit_0000.zkey", 0, 0),
        ("zkey/p0tion/circuit_final.zkey", 2, 1),
        ("zkey/p0tion/notcircuit_0000.zkey", 0, 0),
        ("zkey/p0tion/mini-semaphore.zkey", 1, 0),
        ("zkey/storyform_b_0.zkey", 0, 0),
        ("zkey/storyform_b_1.zkey", 1, 0),
        ("zkey/unirep_alpha4_epochKeyLite_0contrib.zkey", 0, 0),
        ("zkey/co-snarks/multiplier2.zkey", 1, 0),
        ("zkey/co-snarks/kyc.zkey", 1, 0),
        ("zkey/co-snarks/kyc_bls12.zkey", 1, 0),
        ("zkey/gpc_1o-1e.zkey", 2, 0),
        ("zkey/semaphore-10.zkey", 419, 1),
        ("zkey/tampered/poseidon2_final.zkey", 3, 1),
        ("phase2/three.n2.zkey", 2, 0),
        ("phase2/bls/three.b.zkey", 1, 1),
        ("phase2/zero.1.zkey", 1, 0),
    ] {
        let Some(source) = open(name) else { continue };
        let zkey = ZKey::open(source).unwrap_or_else(|e| panic!("{name}: {e}"));
        let seen = match zkey.curve() {
            Curve::Bn128 => read_whole_key::<Bn128>(&zkey),
            Curve::Bls12381 => read_whole_key::<Bls12381>(&zkey),
        };
        if name != "phase2/three.n2.zkey" {
            assert_eq!(seen, (contributions, beacons), "{name}");
        }
    }
}

#[test]
fn malformed_keys_are_refused_with_their_reason() {
    let cases: [Case<ZKeyError>; 8] = [
        ("p0tion/bad_circuit_0000", |e| {
            matches!(e, ZKeyError::Container(_))
        }),
        ("tampered/tam_t09_delta2_badsubgroup", |e| {
            matches!(
                e,
                ZKeyError::HeaderPoint {
                    name: "delta2",
                    source: PointError::NotInSubgroup
                }
            )
        }),
        ("tampered/tam_t11_nPublic_plus1", |e| {
            matches!(
                e,
                ZKeyError::Container(BinfileError::WrongSectionSize { id: 3, .. })
            )
        }),
        ("tampered/tam_t13_nvars_zero", |e| {
            matches!(e, ZKeyError::TooManyPublic { n_vars: 0, .. })
        }),
        ("tampered/tam_t27_missing_section9", |e| {
            matches!(
                e,
                ZKeyError::Container(
                    BinfileError::MissingSectionHeader { .. }
                        | BinfileError::MissingSection { id: 9 }
                )
            )
        }),
        ("tampered/tam_t29_trailing_junk", |e| {
            matches!(
                e,
                ZKeyError::Container(BinfileError::TrailingBytes { count: 64 })
            )
        }),
        ("tampered/tam_t31_bad_magic", |e| {
            matches!(e, ZKeyError::Container(BinfileError::BadMagic { .. }))
        }),
        ("tampered/tam_t33_protocol_plonk", |e| {
            matches!(e, ZKeyError::NotGroth16 { protocol: 2 })
        }),
    ];
    for (name, check) in cases {
        let Some(source) = open(&format!("zkey/{name}.zkey")) else {
            continue;
        };
        let error = ZKey::open(source).unwrap_err();
        assert!(check(&error), "{name}: {error:?}");
    }
}
