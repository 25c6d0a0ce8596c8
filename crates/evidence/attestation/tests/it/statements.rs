//! Documents as evidence: about the right bytes, of the right ceremony, from one enclave, in order.
use crate::common::{Forge, NOW};
use attestation::{
    AttestationError, ContributionAttested, ManifestAttested, PcrPolicy, RawDocument, Statement,
    UnixMillis, VerifiedDocument,
};
use rcgen::{DistinguishedName, DnType};

const ID: [u8; 32] = [0xaa; 32];
const KEY: [u8; 32] = [0x01; 32];
const MANIFEST: [u8; 32] = [0x02; 32];
const ROUND_TIME: u64 = NOW.0 + 61_000;
const LATER: u64 = NOW.0 + 90_000;

fn contribution(ceremony_id: [u8; 32]) -> Statement {
    Statement::Contribution { ceremony_id }
}

fn manifest(ceremony_id: [u8; 32]) -> Statement {
    Statement::Manifest { ceremony_id }
}

fn document(forge: &Forge, statement: Statement, nonce: [u8; 32], time: u64) -> VerifiedDocument {
    let bytes = forge.document(|fields| {
        fields.user_data = Some(statement.user_data());
        fields.nonce = Some(nonce.to_vec());
        fields.timestamp = time;
    });
    forge.validate(bytes).unwrap()
}

fn first(forge: &Forge) -> ContributionAttested {
    ContributionAttested::mint(&document(forge, contribution(ID), KEY, NOW.0), &KEY, &ID).unwrap()
}

#[test]
fn both_documents_of_one_ceremony_become_evidence() {
    let forge = Forge::new();
    let one = first(&forge);
    assert_eq!(one.time(), NOW);
    let two = document(&forge, manifest(ID), MANIFEST, LATER);
    let two = ManifestAttested::mint(&two, &MANIFEST, &ID, &one, ROUND_TIME).unwrap();
    assert_eq!(two.time(), UnixMillis(LATER));
    let boot = document(&forge, Statement::Boot, KEY, NOW.0);
    Statement::Boot.check(&boot, &KEY).unwrap();
}

#[test]
fn user_data_has_the_specified_bytes() {
    assert_eq!(Statement::Boot.user_data(), b"attested-ceremony/v1/boot");
    assert_eq!(
        contribution(ID).user_data(),
        [b"attested-ceremony/v1/contribution\0".as_slice(), &ID].concat()
    );
    assert_eq!(
        manifest(ID).user_data(),
        [b"attested-ceremony/v1/manifest\0".as_slice(), &ID].concat()
    );
}

#[test]
fn r08_no_document_stands_in_anothers_place() {
    let forge = Forge::new();
    let one = first(&forge);
    // All with the nonce and the id that the place wants: only the kind is wrong.
    for statement in [Statement::Boot, manifest(ID)] {
        let wrong = document(&forge, statement, KEY, NOW.0);
        assert_eq!(
            ContributionAttested::mint(&wrong, &KEY, &ID).unwrap_err(),
            AttestationError::StatementKind {
                expected: "contribution"
            }
        );
    }
    for statement in [Statement::Boot, contribution(ID)] {
        let wrong = document(&forge, statement, MANIFEST, LATER);
        assert_eq!(
            ManifestAttested::mint(&wrong, &MANIFEST, &ID, &one, ROUND_TIME).unwrap_err(),
            AttestationError::StatementKind {
                expected: "manifest"
            }
        );
    }
    for statement in [contribution(ID), manifest(ID)] {
        let wrong = document(&forge, statement, KEY, NOW.0);
        assert_eq!(
            Statement::Boot.check(&wrong, &KEY).unwrap_err(),
            AttestationError::StatementKind { expected: "boot" }
        );
    }
}

#[test]
fn r08_user_data_of_another_length_is_no_statement() {
    let forge = Forge::new();
    let genuine = contribution(ID).user_data();
    for data in [
        None,
        Some(vec![]),
        Some(genuine[..genuine.len() - 1].to_vec()),
        Some([genuine.clone(), vec![0]].concat()),
        Some(genuine[1..].to_vec()),
    ] {
        let bytes = forge.document(|fields| {
            fields.user_data.clone_from(&data);
            fields.nonce = Some(KEY.to_vec());
        });
        let wrong = forge.validate(bytes).unwrap();
        assert_eq!(
            ContributionAttested::mint(&wrong, &KEY, &ID).unwrap_err(),
            AttestationError::StatementKind {
                expected: "contribution"
            }
        );
    }
}

#[test]
fn r06_r07_a_document_of_another_ceremony_is_refused() {
    let forge = Forge::new();
    let other = [0xbb; 32];
    let expected = AttestationError::CeremonyMismatch {
        expected: hex::encode(ID),
        got: hex::encode(other),
    };
    let wrong = document(&forge, contribution(other), KEY, NOW.0);
    assert_eq!(
        ContributionAttested::mint(&wrong, &KEY, &ID).unwrap_err(),
        expected
    );
    let wrong = document(&forge, manifest(other), MANIFEST, LATER);
    assert_eq!(
        ManifestAttested::mint(&wrong, &MANIFEST, &ID, &first(&forge), ROUND_TIME).unwrap_err(),
        expected
    );
}

#[test]
fn a_document_about_other_bytes_is_refused() {
    let forge = Forge::new();
    let wrong = document(&forge, contribution(ID), [3; 32], NOW.0);
    assert_eq!(
        ContributionAttested::mint(&wrong, &KEY, &ID).unwrap_err(),
        AttestationError::NonceMismatch {
            expected: hex::encode(KEY),
            got: hex::encode([3; 32]),
        }
    );
    let bytes = forge.document(|fields| {
        fields.user_data = Some(contribution(ID).user_data());
        fields.nonce = None;
    });
    assert_eq!(
        ContributionAttested::mint(&forge.validate(bytes).unwrap(), &KEY, &ID).unwrap_err(),
        AttestationError::NonceMismatch {
            expected: hex::encode(KEY),
            got: "absent".to_owned(),
        }
    );
}

#[test]
fn r07_documents_of_two_enclaves_are_refused_even_for_one_ceremony() {
    let forge = Forge::new();
    let one = first(&forge);
    let differs = |second: &VerifiedDocument| {
        ManifestAttested::mint(second, &MANIFEST, &ID, &one, ROUND_TIME).unwrap_err()
    };

    let bytes = forge.document(|fields| {
        fields.user_data = Some(manifest(ID).user_data());
        fields.nonce = Some(MANIFEST.to_vec());
        fields.timestamp = LATER;
        fields.pcrs.insert(0, [0x77; 48]);
    });
    let other_image = forge.validate(bytes).unwrap();
    assert_eq!(
        differs(&other_image),
        AttestationError::OtherEnclave { what: "pcrs" }
    );

    let id = "i-00000000000000000-enc0000000000000001";
    let other = Forge::with_plan(|plan| {
        plan[4].distinguished_name = DistinguishedName::new();
        plan[4]
            .distinguished_name
            .push(DnType::CommonName, format!("{id}.simulated"));
    });
    let bytes = other.document(|fields| {
        fields.module_id = id.to_owned();
        fields.user_data = Some(manifest(ID).user_data());
        fields.nonce = Some(MANIFEST.to_vec());
        fields.timestamp = LATER;
    });
    let other_module = RawDocument(bytes)
        .validate(&other.anchor(), &PcrPolicy::unpinned())
        .unwrap();
    assert_eq!(
        differs(&other_module),
        AttestationError::OtherEnclave { what: "module_id" }
    );
}

#[test]
fn r05_the_second_document_is_not_older_than_the_round_or_the_first() {
    let forge = Forge::new();
    let one = first(&forge);
    let mint = |time: u64, round_time: u64| {
        let two = document(&forge, manifest(ID), MANIFEST, time);
        ManifestAttested::mint(&two, &MANIFEST, &ID, &one, round_time).map(|token| token.time())
    };
    assert_eq!(mint(ROUND_TIME, ROUND_TIME), Ok(UnixMillis(ROUND_TIME)));
    assert_eq!(
        mint(ROUND_TIME - 1, ROUND_TIME),
        Err(AttestationError::TooEarly {
            earliest: UnixMillis(ROUND_TIME),
            got: UnixMillis(ROUND_TIME - 1),
        })
    );
    assert_eq!(
        mint(NOW.0 - 1, 0),
        Err(AttestationError::TooEarly {
            earliest: NOW,
            got: UnixMillis(NOW.0 - 1),
        })
    );
}
