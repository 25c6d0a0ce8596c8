//! Single changes of the certificate chain: each has its own error.
use crate::common::{Forge, NOW};
use attestation::{AttestationError, CertificateFlaw, UnixMillis};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use std::time::Duration;

const REGIONAL: usize = 1;
const ZONAL: usize = 2;
const INSTANCE: usize = 3;
const LEAF: usize = 4;

fn flaw(at: usize, flaw: CertificateFlaw) -> AttestationError {
    AttestationError::Certificate { at, flaw }
}

#[test]
fn the_unchanged_chain_passes() {
    let forge = Forge::new();
    let verified = forge.validate(forge.document(|_| {})).unwrap();
    assert_eq!(verified.chain(), forge.chain);
}

#[test]
fn r03_each_single_change_of_a_certificate_is_refused() {
    type Edit = fn(&mut Vec<CertificateParams>);
    let cases: [(&str, Edit, AttestationError); 19] = [
        (
            "leaf is a CA",
            |plan| {
                plan[LEAF].is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            },
            flaw(LEAF, CertificateFlaw::LeafIsCa),
        ),
        (
            "leaf without basic constraints",
            |plan| plan[LEAF].is_ca = IsCa::NoCa,
            flaw(LEAF, CertificateFlaw::BasicConstraintsMissing),
        ),
        (
            "leaf without key usage",
            |plan| plan[LEAF].custom_extensions.clear(),
            flaw(LEAF, CertificateFlaw::KeyUsage),
        ),
        (
            "leaf for encipherment only",
            |plan| {
                plan[LEAF].custom_extensions.clear();
                plan[LEAF].key_usages = vec![KeyUsagePurpose::KeyEncipherment];
            },
            flaw(LEAF, CertificateFlaw::KeyUsage),
        ),
        (
            "leaf may sign certificates",
            |plan| {
                plan[LEAF].custom_extensions.clear();
                plan[LEAF].key_usages = vec![
                    KeyUsagePurpose::DigitalSignature,
                    KeyUsagePurpose::KeyCertSign,
                ];
            },
            flaw(LEAF, CertificateFlaw::KeyUsage),
        ),
        (
            "leaf with an extended key usage",
            |plan| plan[LEAF].extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning],
            flaw(LEAF, CertificateFlaw::ExtendedKeyUsage),
        ),
        (
            "leaf of another module",
            |plan| {
                rename(
                    &mut plan[LEAF],
                    &["i-00000000000000000-enc0000000000000001.simulated"],
                )
            },
            flaw(LEAF, CertificateFlaw::ModuleName),
        ),
        (
            "leaf whose name only begins like the module id",
            |plan| {
                rename(
                    &mut plan[LEAF],
                    &["i-00000000000000000-enc00000000000000001.simulated"],
                )
            },
            flaw(LEAF, CertificateFlaw::ModuleName),
        ),
        (
            "leaf without a common name",
            |plan| rename(&mut plan[LEAF], &[]),
            flaw(LEAF, CertificateFlaw::ModuleName),
        ),
        (
            "instance certificate may not sign certificates",
            |plan| plan[INSTANCE].key_usages = vec![KeyUsagePurpose::DigitalSignature],
            flaw(INSTANCE, CertificateFlaw::KeyUsage),
        ),
        (
            "instance certificate without key usage",
            |plan| plan[INSTANCE].key_usages.clear(),
            flaw(INSTANCE, CertificateFlaw::KeyUsage),
        ),
        (
            "instance certificate is no CA",
            |plan| plan[INSTANCE].is_ca = IsCa::ExplicitNoCa,
            flaw(INSTANCE, CertificateFlaw::NotCa),
        ),
        (
            "zonal certificate without basic constraints",
            |plan| plan[ZONAL].is_ca = IsCa::NoCa,
            flaw(ZONAL, CertificateFlaw::BasicConstraintsMissing),
        ),
        (
            "zonal certificate without path length",
            |plan| plan[ZONAL].is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            flaw(ZONAL, CertificateFlaw::PathLengthMissing),
        ),
        (
            "zonal certificate with path length 0",
            |plan| plan[ZONAL].is_ca = IsCa::Ca(BasicConstraints::Constrained(0)),
            flaw(ZONAL, CertificateFlaw::PathLengthExceeded),
        ),
        (
            "regional certificate with path length 1",
            |plan| plan[REGIONAL].is_ca = IsCa::Ca(BasicConstraints::Constrained(1)),
            flaw(REGIONAL, CertificateFlaw::PathLengthExceeded),
        ),
        (
            "unknown critical extension",
            |plan| {
                let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                extension.set_criticality(true);
                plan[REGIONAL].custom_extensions = vec![extension];
            },
            flaw(REGIONAL, CertificateFlaw::UnknownCriticalExtension),
        ),
        (
            "an extension twice",
            |plan| {
                let extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                plan[INSTANCE].custom_extensions = vec![extension.clone(), extension];
            },
            flaw(INSTANCE, CertificateFlaw::DuplicateExtension),
        ),
        (
            "authority key id of another key",
            |plan| {
                let id = [[0x30, 0x16, 0x80, 0x14].as_slice(), &[0; 20]].concat();
                plan[LEAF]
                    .custom_extensions
                    .push(CustomExtension::from_oid_content(&[2, 5, 29, 35], id));
            },
            flaw(LEAF, CertificateFlaw::KeyId),
        ),
    ];
    for (name, edit, expected) in cases {
        let forge = Forge::with_plan(edit);
        let refused = forge.validate(forge.document(|_| {})).unwrap_err();
        assert_eq!(refused, expected, "{name}");
    }
}

#[test]
fn r03_a_key_on_another_curve_is_refused() {
    for at in [INSTANCE, LEAF] {
        let forge = Forge::with(
            |_| {},
            |keys| keys[at] = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
        );
        // A document signed with some P-384 key: the chain is refused before the signature matters.
        let payload = simulation::document::payload(
            &forge.fields().entries(),
            simulation::document::MapForm::Indefinite,
        );
        let refused = forge.validate(Forge::new().sign(&payload)).unwrap_err();
        assert_eq!(refused, flaw(at, CertificateFlaw::Key));
    }
}

#[test]
fn r03_each_change_of_the_bundle_is_refused() {
    let forge = Forge::new();
    let refused = |edit: fn(&mut Vec<Vec<u8>>)| {
        let bytes = forge.document(|fields| edit(&mut fields.chain));
        forge.validate(bytes).unwrap_err()
    };
    assert!(matches!(
        refused(|chain| chain[..4].reverse()),
        AttestationError::NotThePinnedRoot { .. }
    ));
    assert!(matches!(
        refused(|chain| drop(chain.remove(0))),
        AttestationError::NotThePinnedRoot { .. }
    ));
    assert_eq!(
        refused(|chain| chain.insert(1, chain[0].clone())),
        flaw(1, CertificateFlaw::Duplicate)
    );
    assert_eq!(
        refused(|chain| chain.swap(1, 2)),
        flaw(1, CertificateFlaw::Issuer)
    );
    assert_eq!(
        refused(|chain| drop(chain.remove(2))),
        flaw(2, CertificateFlaw::Issuer)
    );
    assert_eq!(
        refused(|chain| chain[4] = chain[3].clone()),
        flaw(4, CertificateFlaw::Duplicate)
    );
    assert_eq!(
        refused(|chain| chain[2].push(0)),
        flaw(2, CertificateFlaw::Trailing)
    );
    assert_eq!(
        refused(|chain| {
            chain[2].pop();
        }),
        flaw(2, CertificateFlaw::Malformed)
    );
    assert_eq!(
        refused(|chain| chain[2] = b"no certificate".to_vec()),
        flaw(2, CertificateFlaw::Malformed)
    );
    assert_eq!(
        refused(|chain| *chain[1].last_mut().unwrap() ^= 1),
        flaw(1, CertificateFlaw::Signature)
    );
    // ecdsa-with-SHA384 becomes ecdsa-with-SHA256, inside and outside.
    assert_eq!(
        refused(|chain| replace(
            &mut chain[1],
            b"\x2a\x86\x48\xce\x3d\x04\x03\x03",
            b"\x2a\x86\x48\xce\x3d\x04\x03\x02"
        )),
        flaw(1, CertificateFlaw::Algorithm)
    );
    // Version 3 becomes 2.
    assert_eq!(
        refused(|chain| replace(
            &mut chain[1],
            b"\xa0\x03\x02\x01\x02",
            b"\xa0\x03\x02\x01\x01"
        )),
        flaw(1, CertificateFlaw::Version)
    );
}

#[test]
fn r03_certificates_of_another_chain_with_the_same_names_are_refused() {
    let (forge, other) = (Forge::new(), Forge::new());
    for at in 1..5 {
        let bytes = forge.document(|fields| fields.chain[at] = other.chain[at].clone());
        let refused = forge.validate(bytes).unwrap_err();
        // The key id differs first where the certificate carries the parent's.
        let expected = if at == LEAF {
            CertificateFlaw::Signature
        } else {
            CertificateFlaw::KeyId
        };
        assert_eq!(refused, flaw(at, expected));
    }
}

#[test]
fn r04_one_second_outside_any_certificates_window_is_refused() {
    let now_s = NOW.0 / 1000;
    let at_s = |seconds: u64| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    for at in 0..5 {
        let first = Forge::with_plan(|plan| plan[at].not_before = at_s(now_s));
        first.validate(first.document(|_| {})).unwrap();
        let last = Forge::with_plan(|plan| plan[at].not_after = at_s(now_s));
        last.validate(last.document(|_| {})).unwrap();

        let early = Forge::with_plan(|plan| plan[at].not_before = at_s(now_s + 1));
        let late = Forge::with_plan(|plan| plan[at].not_after = at_s(now_s - 1));
        for forge in [early, late] {
            let refused = forge.validate(forge.document(|_| {})).unwrap_err();
            assert_eq!(refused, flaw(at, CertificateFlaw::Expired));
        }
    }
}

#[test]
fn r04_the_signed_time_decides_not_the_verifiers_clock() {
    // A chain that ended years ago.
    let then = UnixMillis(1_500_000_000_000);
    let module = simulation::SimulatedNsm::new([[1; 48]; 3], simulation::FixedClock(then)).unwrap();
    let bytes = attestation::SecurityModule::attest(&module, None, None, None).unwrap();
    let verified = attestation::RawDocument(bytes)
        .validate(&module.anchor(), &attestation::PcrPolicy::unpinned())
        .unwrap();
    assert_eq!(verified.time(), then);

    // Its leaf lives three hours and three seconds.
    let forge = Forge::new();
    for (shift_ms, passes) in [
        (-1_000_i64, true),
        (-1_001, false),
        (10_802_999, true),
        (10_803_000, false),
    ] {
        let bytes = forge.document(|fields| {
            fields.timestamp = fields.timestamp.checked_add_signed(shift_ms).unwrap()
        });
        match forge.validate(bytes) {
            Ok(_) => assert!(passes, "{shift_ms}"),
            Err(refused) => {
                assert_eq!(refused, flaw(LEAF, CertificateFlaw::Expired), "{shift_ms}");
                assert!(!passes, "{shift_ms}");
            }
        }
    }
}

fn rename(params: &mut CertificateParams, names: &[&str]) {
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "SIMULATED - NOT AWS");
    for name in names {
        params.distinguished_name.push(DnType::CommonName, *name);
    }
}

fn replace(der: &mut [u8], from: &[u8], to: &[u8]) {
    let mut replaced = 0;
    for at in 0..=der.len() - from.len() {
        if der[at..].starts_with(from) {
            der[at..at + to.len()].copy_from_slice(to);
            replaced += 1;
        }
    }
    assert!(replaced > 0);
}
