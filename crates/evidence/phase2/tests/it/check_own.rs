//! The checks on keys that the project makes itself: a plain clone tests every path.

use std::io::Cursor;
use std::time::{Duration, Instant};

use ark_bn254::{G1Affine, G2Affine};
use ark_ec::AffineRepr;
use formats::binfile::SectionTable;
use formats::curve::Bn128;
use formats::points::LemPoint;
use formats::progress::NoProgress;
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::zkey::{
    BeaconParams, ContributionKind, ContributionName, MAGIC, ZKey, ZKeyError, ZKeySection,
};
use phase2::beacon::apply_beacon;
use phase2::check::{
    CheckError, CircuitHashRule, KeyPoint, Method, check_beacon, check_chain, check_contribution,
    check_initial_key, check_initial_key_by, check_key, check_key_by,
};
use phase2::contribution::{ContributionKey, Secrecy, apply};
use phase2::setup::{SetupOptions, new_initial_key};
use testkit::{development_ptau, small_r1cs};

const KEY: [u8; 32] = [0xa5; 32];
const NAME: &[u8] = b"someone";

/// A whole ceremony: circuit, powers of tau, and the keys of its three steps.
struct Ceremony {
    r1cs: R1cs<Vec<u8>>,
    ptau: Ptau<Vec<u8>>,
    initial: Vec<u8>,
    contributed: Vec<u8>,
    last: Vec<u8>,
    beacon: BeaconParams,
}

impl Ceremony {
    fn new() -> Self {
        Self::of(6, 4)
    }

    /// Of a circuit of so many constraints, with a ptau of this power.
    fn of(constraints: u32, power: u32) -> Self {
        let r1cs = R1cs::open(small_r1cs(constraints)).unwrap();
        let ptau = Ptau::open(development_ptau(power)).unwrap();
        let initial = recomputed(&r1cs, &ptau);
        let contributed = contribute(&initial, &[3; 32]);
        let beacon = BeaconParams::new(10, &[1, 2, 3]).unwrap();
        let mut last = Vec::new();
        let previous = ZKey::open(contributed.clone()).unwrap();
        apply_beacon(&previous, &beacon, None, &mut last, &NoProgress).unwrap();
        Self {
            r1cs,
            ptau,
            initial,
            contributed,
            last,
            beacon,
        }
    }

    /// By both methods, which must say the same.
    fn check_initial(&self, zkey: Vec<u8>) -> Result<(), CheckError> {
        let zkey = ZKey::open(zkey)?;
        let by = |method| {
            let (r1cs, ptau) = (&self.r1cs, &self.ptau);
            check_initial_key_by(r1cs, ptau, &zkey, &KEY, &NoProgress, method).map(drop)
        };
        same(by(Some(Method::Recompute)), &by(Some(Method::Combine)))
    }

    /// By both methods, which must say the same.
    fn check(&self, zkey: Vec<u8>) -> Result<(), CheckError> {
        let zkey = ZKey::open(zkey)?;
        let by = |method| {
            let (r1cs, ptau) = (&self.r1cs, &self.ptau);
            check_key_by(r1cs, ptau, &zkey, &KEY, &NoProgress, method).map(drop)
        };
        same(by(Some(Method::Recompute)), &by(Some(Method::Combine)))
    }
}

/// The one result of both methods.
fn same(
    recomputed: Result<(), CheckError>,
    combined: &Result<(), CheckError>,
) -> Result<(), CheckError> {
    assert_eq!(
        format!("{recomputed:?}"),
        format!("{combined:?}"),
        "computed anew, and combined"
    );
    recomputed
}

/// The initial key computed from circuit and powers of tau: the referee of the random checks.
fn recomputed(r1cs: &R1cs<Vec<u8>>, ptau: &Ptau<Vec<u8>>) -> Vec<u8> {
    let mut key = Cursor::new(Vec::new());
    new_initial_key(r1cs, ptau, &mut key, &SetupOptions::default(), &NoProgress).unwrap();
    key.into_inner()
}

fn contribute(previous: &[u8], seed: &[u8; 32]) -> Vec<u8> {
    let previous = ZKey::open(previous.to_vec()).unwrap();
    let key = ContributionKey::<Bn128>::from_seed(seed);
    let name = ContributionName::new(NAME).unwrap();
    let mut out = Vec::new();
    let kind = ContributionKind::Ordinary;
    apply(
        &previous,
        &key,
        Secrecy::Secret,
        kind,
        name,
        &mut out,
        &NoProgress,
    )
    .unwrap();
    out
}

/// Where a section's bytes begin.
fn offset(zkey: &[u8], section: ZKeySection) -> usize {
    let table = SectionTable::read(zkey, MAGIC, 1).unwrap();
    usize::try_from(table.get(section.id()).unwrap().offset).unwrap()
}

fn replaced(zkey: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = zkey.to_vec();
    assert_ne!(
        &bytes[at..at + with.len()],
        with,
        "the change changes nothing"
    );
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

fn lem<P: LemPoint>(point: &P) -> Vec<u8> {
    let mut out = Vec::new();
    point.append_lem(&mut out);
    out
}

/// A point that is on the curve, in the group, and in no key here.
fn other_g1() -> Vec<u8> {
    lem(&G1Affine::from(
        G1Affine::generator() * ark_bn254::Fr::from(0x1234_5678u64),
    ))
}

fn other_g2() -> Vec<u8> {
    lem(&G2Affine::from(
        G2Affine::generator() * ark_bn254::Fr::from(0x1234_5678u64),
    ))
}

#[test]
fn a_whole_ceremony_is_accepted() {
    let ceremony = Ceremony::new();
    let open = |bytes: &Vec<u8>| ZKey::open(bytes.clone()).unwrap();
    let (initial, contributed, last) = (
        open(&ceremony.initial),
        open(&ceremony.contributed),
        open(&ceremony.last),
    );
    let verified =
        check_initial_key(&ceremony.r1cs, &ceremony.ptau, &initial, &KEY, &NoProgress).unwrap();
    assert_eq!(verified.circuit_hash_rule(), CircuitHashRule::Current);
    let first = check_contribution(&initial, &contributed, &KEY, &NoProgress).unwrap();
    let second = check_beacon(&contributed, &last, &ceremony.beacon, &KEY, &NoProgress).unwrap();
    let report = check_key(&ceremony.r1cs, &ceremony.ptau, &last, &KEY, &NoProgress).unwrap();
    let hashes: Vec<_> = report.chain.contributions.iter().map(|c| c.hash).collect();
    assert_eq!(hashes, [first.hash(), second.hash()]);
    assert!(report.chain.ends_with_beacon());
    assert_eq!(check_chain(&last, &KEY, &NoProgress).unwrap(), report.chain);
}

#[test]
fn r12_one_other_point_in_any_section_of_the_initial_key_is_refused() {
    let ceremony = Ceremony::new();
    for section in [
        ZKeySection::Ic,
        ZKeySection::A,
        ZKeySection::B1,
        ZKeySection::B2,
        ZKeySection::C,
        ZKeySection::H,
    ] {
        let point = if section == ZKeySection::B2 {
            other_g2()
        } else {
            other_g1()
        };
        let n = ZKey::open(ceremony.initial.clone())
            .unwrap()
            .n_points(section);
        for index in [0, n - 1] {
            let at =
                offset(&ceremony.initial, section) + usize::try_from(index).unwrap() * point.len();
            let error = ceremony
                .check_initial(replaced(&ceremony.initial, at, &point))
                .unwrap_err();
            assert!(
                matches!(error, CheckError::SectionMismatch { section: s } if s == section),
                "point {index} of {}: {error:?}",
                section.name()
            );
        }
    }
    let at = offset(&ceremony.initial, ZKeySection::Contributions);
    let hash_flip = replaced(&ceremony.initial, at, &[!ceremony.initial[at]]);
    let error = ceremony.check_initial(hash_flip).unwrap_err();
    assert!(
        matches!(error, CheckError::WrongCircuitHash { .. }),
        "{error:?}"
    );
    let at = offset(&ceremony.initial, ZKeySection::Coefficients) + 4 + 12;
    let flipped = replaced(&ceremony.initial, at, &[ceremony.initial[at] ^ 1]);
    let error = ceremony.check_initial(flipped).unwrap_err();
    assert!(
        matches!(error, CheckError::CoefficientMismatch { index: 0 }),
        "{error:?}"
    );
    let error = ceremony
        .check_initial(ceremony.contributed.clone())
        .unwrap_err();
    assert!(
        matches!(error, CheckError::UnexpectedContributions { got: 1 }),
        "{error:?}"
    );
}

/// The combinations and the byte-for-byte recomputation agree, on the key and on every change of it:
/// one point of every section at positions all over it, of the initial key and of the finished one.
#[test]
fn r12_the_combination_refuses_what_a_recomputation_would() {
    let ceremony = Ceremony::of(300, 9);
    assert_eq!(recomputed(&ceremony.r1cs, &ceremony.ptau), ceremony.initial);
    ceremony.check_initial(ceremony.initial.clone()).unwrap();
    ceremony.check(ceremony.last.clone()).unwrap();
    let mut state = 1_u64;
    for section in [
        ZKeySection::Ic,
        ZKeySection::A,
        ZKeySection::B1,
        ZKeySection::B2,
        ZKeySection::C,
        ZKeySection::H,
    ] {
        let point = if section == ZKeySection::B2 {
            other_g2()
        } else {
            other_g1()
        };
        let n = ZKey::open(ceremony.initial.clone())
            .unwrap()
            .n_points(section);
        for _ in 0..4 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let index = usize::try_from((state >> 33) % n).unwrap();
            let at = |key: &[u8]| offset(key, section) + index * point.len();
            let initial = replaced(&ceremony.initial, at(&ceremony.initial), &point);
            assert_ne!(recomputed(&ceremony.r1cs, &ceremony.ptau), initial);
            let last = replaced(&ceremony.last, at(&ceremony.last), &point);
            for error in [ceremony.check_initial(initial), ceremony.check(last)] {
                assert!(
                    matches!(error, Err(CheckError::SectionMismatch { section: s }) if s == section),
                    "point {index} of {}: {error:?}",
                    section.name()
                );
            }
        }
    }
}

/// One bit anywhere in coefficients and points: malformed, off the curve, or another record, and the
/// same to both methods.
#[test]
fn r12_any_flipped_bit_of_coefficients_and_points_is_refused_alike() {
    let ceremony = Ceremony::of(40, 6);
    let mut state = 7_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    for section in [
        ZKeySection::Coefficients,
        ZKeySection::Ic,
        ZKeySection::A,
        ZKeySection::B1,
        ZKeySection::B2,
        ZKeySection::C,
        ZKeySection::H,
    ] {
        let flipped = |key: &[u8], place: u64, bit: u64| {
            let table = SectionTable::read(key, MAGIC, 1).unwrap();
            let found = table.get(section.id()).unwrap();
            // Section 4 begins with its count, whose change no reader gets past.
            let skip = if section == ZKeySection::Coefficients {
                4
            } else {
                0
            };
            let at = usize::try_from(found.offset + skip + place % (found.size - skip)).unwrap();
            replaced(key, at, &[key[at] ^ (1 << (bit % 8))])
        };
        for _ in 0..6 {
            let (place, bit) = (random(), random());
            let initial = ceremony.check_initial(flipped(&ceremony.initial, place, bit));
            let last = ceremony.check(flipped(&ceremony.last, place, bit));
            assert!(
                initial.is_err(),
                "bit {bit} of {place} in {}",
                section.name()
            );
            assert!(last.is_err(), "bit {bit} of {place} in {}", section.name());
        }
    }
}

#[test]
fn r12_another_single_point_in_the_header_is_refused() {
    let ceremony = Ceremony::new();
    let first = offset(&ceremony.initial, ZKeySection::Header) + 4 + 32 + 4 + 32 + 12;
    let (g1, g2) = (other_g1(), other_g2());
    for (at, point, expected) in [
        (0, &g1, KeyPoint::Alpha1),
        (64, &g1, KeyPoint::Beta1),
        (128, &g2, KeyPoint::Beta2),
        (384, &g1, KeyPoint::Delta1),
        (448, &g2, KeyPoint::Delta2),
    ] {
        let error = ceremony
            .check_initial(replaced(&ceremony.initial, first + at, point))
            .unwrap_err();
        assert!(
            matches!(error, CheckError::WrongPoint { point } if point == expected),
            "{error:?}"
        );
    }
    let error = ceremony
        .check_initial(replaced(&ceremony.initial, first + 256, &g2))
        .unwrap_err();
    assert!(matches!(error, CheckError::GammaNotGenerator), "{error:?}");
    for (at, size, expected) in [
        (0, 64, KeyPoint::Alpha1),
        (64, 64, KeyPoint::Beta1),
        (256, 128, KeyPoint::Gamma2),
    ] {
        let bytes = replaced(
            &ceremony.last,
            first_of(&ceremony.last) + at,
            &vec![0; size],
        );
        let error = check_chain(&ZKey::open(bytes).unwrap(), &KEY, &NoProgress).unwrap_err();
        assert!(
            matches!(error, CheckError::Infinity { point } if point == expected),
            "{error:?}"
        );
    }
}

fn first_of(zkey: &[u8]) -> usize {
    offset(zkey, ZKeySection::Header) + 4 + 32 + 4 + 32 + 12
}

#[test]
fn r12_one_other_point_in_the_final_key_is_refused() {
    let ceremony = Ceremony::new();
    for section in [
        ZKeySection::Ic,
        ZKeySection::A,
        ZKeySection::B1,
        ZKeySection::C,
        ZKeySection::H,
    ] {
        let at = offset(&ceremony.last, section);
        let error = ceremony
            .check(replaced(&ceremony.last, at, &other_g1()))
            .unwrap_err();
        assert!(
            matches!(error, CheckError::SectionMismatch { section: s } if s == section),
            "{error:?}"
        );
    }
    let at = offset(&ceremony.last, ZKeySection::B2);
    let error = ceremony
        .check(replaced(&ceremony.last, at, &other_g2()))
        .unwrap_err();
    assert!(
        matches!(
            error,
            CheckError::SectionMismatch {
                section: ZKeySection::B2
            }
        ),
        "{error:?}"
    );
    // A circuit hash that is not the circuit's leaves no transcript right.
    let at = offset(&ceremony.last, ZKeySection::Contributions);
    let error = ceremony
        .check(replaced(&ceremony.last, at, &[!ceremony.last[at]]))
        .unwrap_err();
    assert!(
        matches!(error, CheckError::WrongTranscript { index: 0 }),
        "{error:?}"
    );
}

/// Section 8 and 9 of another ceremony's key, and contributions of another one.
#[test]
fn a_contribution_that_does_not_fit_the_key_before_is_refused() {
    let ceremony = Ceremony::new();
    let open = |bytes: &[u8]| ZKey::open(bytes.to_vec()).unwrap();
    let initial = open(&ceremony.initial);
    let other = contribute(&ceremony.initial, &[4; 32]);
    for section in [ZKeySection::C, ZKeySection::H] {
        let (from, to) = (
            offset(&other, section),
            offset(&ceremony.contributed, section),
        );
        let mixed = open(&replaced(
            &ceremony.contributed,
            to,
            &other[from..from + 64],
        ));
        let error = check_contribution(&initial, &mixed, &KEY, &NoProgress).unwrap_err();
        assert!(
            matches!(error, CheckError::SectionRatio { section: s } if s == section),
            "{error:?}"
        );
    }
    for section in [ZKeySection::Ic, ZKeySection::A, ZKeySection::B1] {
        let at = offset(&ceremony.contributed, section);
        let changed = open(&replaced(&ceremony.contributed, at, &other_g1()));
        let error = check_contribution(&initial, &changed, &KEY, &NoProgress).unwrap_err();
        assert!(
            matches!(error, CheckError::SectionChanged { section: s } if s == section),
            "{error:?}"
        );
    }
    let error =
        check_contribution(&open(&other), &open(&ceremony.last), &KEY, &NoProgress).unwrap_err();
    assert!(matches!(error, CheckError::NotTheNext), "{error:?}");
    let beacon = BeaconParams::new(10, &[1, 2, 4]).unwrap();
    let error = check_beacon(
        &open(&ceremony.contributed),
        &open(&ceremony.last),
        &beacon,
        &KEY,
        &NoProgress,
    )
    .unwrap_err();
    assert!(
        matches!(error, CheckError::NotTheExpectedBeacon),
        "{error:?}"
    );
}

/// Offset of a field in the first contribution record.
fn record(zkey: &[u8], at: usize) -> usize {
    offset(zkey, ZKeySection::Contributions) + 64 + 4 + at
}

#[test]
fn each_field_of_a_contribution_is_checked() {
    let ceremony = Ceremony::new();
    let with = |at: usize, bytes: &[u8]| {
        let zkey = replaced(
            &ceremony.contributed,
            record(&ceremony.contributed, at),
            bytes,
        );
        check_chain(&ZKey::open(zkey).unwrap(), &KEY, &NoProgress).unwrap_err()
    };
    let (g1, g2) = (other_g1(), other_g2());
    assert!(matches!(
        with(0, &g1),
        CheckError::BadDeltaStep { index: 0 }
    ));
    assert!(matches!(
        with(0, &lem(&G1Affine::generator())),
        CheckError::DeltaUnchanged { index: 0 }
    ));
    assert!(matches!(
        with(64, &g1),
        CheckError::WrongTranscript { index: 0 }
    ));
    assert!(matches!(
        with(128, &g1),
        CheckError::WrongTranscript { index: 0 }
    ));
    assert!(matches!(
        with(192, &g2),
        CheckError::BadProofOfKnowledge { index: 0 }
    ));
    assert!(matches!(
        with(320, &[0; 64]),
        CheckError::WrongTranscript { index: 0 }
    ));
    for at in [0, 64, 128] {
        assert!(matches!(
            with(at, &[0; 64]),
            CheckError::ContributionAtInfinity { index: 0 }
        ));
    }
    assert!(matches!(
        with(192, &[0; 128]),
        CheckError::ContributionAtInfinity { index: 0 }
    ));
}

#[test]
fn delta_is_what_the_contributions_left() {
    let ceremony = Ceremony::new();
    let first = first_of(&ceremony.last);
    let alone =
        |zkey: Vec<u8>| check_chain(&ZKey::open(zkey).unwrap(), &KEY, &NoProgress).unwrap_err();
    let error = alone(replaced(&ceremony.last, first + 384, &other_g1()));
    assert!(matches!(error, CheckError::DeltaNotLast), "{error:?}");
    let error = alone(replaced(&ceremony.last, first + 448, &other_g2()));
    assert!(matches!(error, CheckError::DeltasDiffer), "{error:?}");
}

#[test]
fn r37_a_key_without_contributions_is_refused() {
    let ceremony = Ceremony::new();
    let zkey = ZKey::open(ceremony.initial.clone()).unwrap();
    let error = check_chain(&zkey, &KEY, &NoProgress).unwrap_err();
    assert!(matches!(error, CheckError::NoContributions), "{error:?}");
    let error = ceremony.check(ceremony.initial.clone()).unwrap_err();
    assert!(matches!(error, CheckError::NoContributions), "{error:?}");
}

#[test]
fn r39_a_changed_name_changes_no_hash_and_is_unauthenticated() {
    let ceremony = Ceremony::new();
    let report =
        |zkey: Vec<u8>| check_chain(&ZKey::open(zkey).unwrap(), &KEY, &NoProgress).unwrap();
    let name_at = record(&ceremony.contributed, 3 * 64 + 128 + 64 + 8 + 2);
    let renamed = report(replaced(&ceremony.contributed, name_at, b"SOMEONE"));
    let original = report(ceremony.contributed.clone());
    assert_eq!(
        renamed.contributions[0].hash,
        original.contributions[0].hash
    );
    let name = |r: &phase2::check::ChainReport| {
        r.contributions[0]
            .unauthenticated_name
            .clone()
            .unwrap()
            .to_text()
    };
    assert_eq!(
        (name(&original), name(&renamed)),
        ("someone".into(), "SOMEONE".into())
    );
}

#[test]
fn r19_more_beacon_iterations_than_are_computed_are_refused_at_once() {
    let ceremony = Ceremony::new();
    let zkey = ZKey::open(ceremony.last.clone()).unwrap();
    let last = zkey
        .contributions::<Bn128>()
        .unwrap()
        .last()
        .unwrap()
        .unwrap();
    let exponent_at = ceremony.last.len() - 6;
    assert_eq!(ceremony.last[exponent_at], 10, "{last:?}");
    for exponent in [31, 63] {
        let started = Instant::now();
        let error = ceremony
            .check(replaced(&ceremony.last, exponent_at, &[exponent]))
            .unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(1));
        assert!(
            matches!(error, CheckError::TooManyIterations { index: 1, exponent: e, .. } if e == exponent),
            "{error:?}"
        );
    }
    let error = ceremony
        .check(replaced(&ceremony.last, exponent_at, &[64]))
        .unwrap_err();
    assert!(
        matches!(
            error,
            CheckError::ZKey(ZKeyError::BeaconParams { index: 1, .. })
        ),
        "{error:?}"
    );
}

#[test]
fn r18_a_point_outside_the_subgroup_is_refused() {
    let ceremony = Ceremony::new();
    let outside = (1u64..=64)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(x.into(), false))
        .find(|p| !p.is_in_correct_subgroup_assuming_on_curve())
        .unwrap();
    let at = offset(&ceremony.last, ZKeySection::B2);
    let zkey = replaced(&ceremony.last, at, &lem(&outside));
    let error = ceremony.check(zkey.clone()).unwrap_err();
    assert!(
        matches!(
            error,
            CheckError::OutsideSubgroup {
                section: ZKeySection::B2
            }
        ),
        "{error:?}"
    );
    let error = check_chain(&ZKey::open(zkey).unwrap(), &KEY, &NoProgress).unwrap_err();
    assert!(
        matches!(
            error,
            CheckError::OutsideSubgroup {
                section: ZKeySection::B2
            }
        ),
        "{error:?}"
    );
}
