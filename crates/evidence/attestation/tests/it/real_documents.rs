//! Every document of the folder of foreign data, judged as its index says.
use attestation::{
    Anchor, AnchorKind, AttestationError, CertificateFlaw, EnvelopeFlaw, Field, FieldFlaw,
    PcrPolicy, RawDocument,
};
use serde_json::Value;

fn index() -> Option<Value> {
    let path = testkit::shared_data("nitro/index.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn document(file: &str) -> RawDocument {
    RawDocument(std::fs::read(testkit::shared_data(&format!("nitro/{file}")).unwrap()).unwrap())
}

#[test]
fn r04_real_documents_verify_years_later_and_hold_what_the_index_says() {
    let Some(index) = index() else { return };
    let mut genuine = 0;
    for entry in index["documents"].as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        if entry["result"] != "PASS" {
            continue;
        }
        genuine += 1;
        let policy = PcrPolicy::unpinned().allowing_debug();
        let verified = document(file)
            .validate(&Anchor::AwsNitroG1, &policy)
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(verified.anchor(), AnchorKind::AwsNitroG1);
        assert_eq!(
            verified.module_id().as_str(),
            entry["module_id"].as_str().unwrap()
        );
        assert_eq!(verified.time().0, entry["timestamp_ms"].as_u64().unwrap());
        assert_eq!(verified.is_debug(), entry["pcr012_zero"].as_bool().unwrap());
        assert_eq!(
            verified.pcrs().len(),
            usize::try_from(entry["n_pcrs"].as_u64().unwrap()).unwrap()
        );
        for (number, value) in verified.pcrs() {
            match entry["pcrs"][number.to_string()].as_str() {
                Some(expected) => assert_eq!(hex::encode(value), expected),
                None => assert_eq!(*value, [0; 48]),
            }
        }
        for (got, name) in [
            (verified.nonce(), "nonce"),
            (verified.user_data(), "user_data"),
            (verified.public_key(), "public_key"),
        ] {
            assert_eq!(
                got.map(as_indexed).as_deref(),
                entry[name].as_str(),
                "{file} {name}"
            );
        }
    }
    assert_eq!(genuine, 14);
}

#[test]
fn r02_real_debug_documents_are_refused_and_production_ones_pass() {
    let Some(index) = index() else { return };
    let mut debug = 0;
    for entry in index["documents"].as_array().unwrap() {
        if entry["result"] != "PASS" {
            continue;
        }
        let outcome = document(entry["file"].as_str().unwrap())
            .validate(&Anchor::AwsNitroG1, &PcrPolicy::unpinned());
        if entry["pcr012_zero"] == true {
            debug += 1;
            assert_eq!(
                outcome.unwrap_err(),
                AttestationError::DebugMode { index: 0 }
            );
        } else {
            assert!(!outcome.unwrap().is_debug());
        }
    }
    assert_eq!(debug, 5);
}

#[test]
fn r03_documents_the_index_fails_are_refused_with_their_own_error() {
    let Some(index) = index() else { return };
    let mut failed = 0;
    for entry in index["documents"].as_array().unwrap() {
        if entry["result"] == "PASS" {
            continue;
        }
        failed += 1;
        let file = entry["file"].as_str().unwrap();
        let expected = match file {
            "7df2cdc016ae8928.cbor" => AttestationError::SignatureInvalid,
            // Its bundle is one certificate, a root of its own.
            "d8032479f7cb7ef7.cbor" => cabundle_of_one(),
            "nitro_validator_published_corrupt.cbor" => {
                AttestationError::Envelope(EnvelopeFlaw::Signature)
            }
            other => panic!("{other} is not known here"),
        };
        let refused = document(file).validate(&Anchor::AwsNitroG1, &PcrPolicy::unpinned());
        assert_eq!(refused.unwrap_err(), expected, "{file}");
    }
    assert_eq!(failed, 3);
}

fn cabundle_of_one() -> AttestationError {
    AttestationError::Field {
        field: Field::Cabundle,
        flaw: FieldFlaw::Length {
            min: 2,
            max: 8,
            got: 1,
        },
    }
}

#[test]
fn r03_each_tampered_document_is_judged_as_the_index_says() {
    let Some(index) = index() else { return };
    let cases = index["tampered"].as_array().unwrap();
    assert_eq!(cases.len(), 25);
    for case in cases {
        let file = case["file"].as_str().unwrap();
        let outcome = document(file).validate(&Anchor::AwsNitroG1, &PcrPolicy::unpinned());
        match (case["expect"].as_str().unwrap(), expected(file)) {
            ("reject" | "policy", Some(error)) => assert_eq!(outcome.unwrap_err(), error, "{file}"),
            // The other half of the signature's range: genuine modules use both.
            ("policy", None) => drop(outcome.unwrap()),
            (expect, _) => panic!("{file}: {expect}"),
        }
    }
}

fn expected(file: &str) -> Option<AttestationError> {
    let case = file.rsplit('_').next_back().unwrap();
    assert_eq!(case, "tampered/open");
    let number = file.split('_').nth(1).unwrap();
    let envelope = |flaw| Some(AttestationError::Envelope(flaw));
    let certificate = |at, flaw| Some(AttestationError::Certificate { at, flaw });
    match number {
        "a01" | "a02" | "a03" | "a04" | "a16" => Some(AttestationError::SignatureInvalid),
        "a05" => Some(AttestationError::NotThePinnedRoot {
            got: foreign_root_sha256(file),
        }),
        "a06" => certificate(1, CertificateFlaw::Issuer),
        "a07" => certificate(2, CertificateFlaw::Issuer),
        "a08" => certificate(4, CertificateFlaw::Duplicate),
        "a09" | "a10" => envelope(EnvelopeFlaw::ProtectedHeader),
        "a11" => envelope(EnvelopeFlaw::Tagged),
        "a12" => envelope(EnvelopeFlaw::Trailing { count: 1 }),
        "a13" => envelope(EnvelopeFlaw::Truncated {
            expected: 4461,
            got: 4441,
        }),
        "a14" => envelope(EnvelopeFlaw::NotFourParts),
        "a15" | "a20" => envelope(EnvelopeFlaw::Payload),
        "a17" => None,
        "a18" | "a22" => envelope(EnvelopeFlaw::Signature),
        "a19" | "a21" => envelope(EnvelopeFlaw::UnprotectedHeader),
        "a23" => Some(AttestationError::Field {
            field: Field::Pcrs,
            flaw: FieldFlaw::Length {
                min: 1,
                max: 32,
                got: 0,
            },
        }),
        "a24" => Some(AttestationError::DuplicateField(Field::Timestamp)),
        "a25" => envelope(EnvelopeFlaw::Truncated {
            expected: 1,
            got: 0,
        }),
        other => panic!("{other} is not known here"),
    }
}

/// The index gives long values by length and hash.
fn as_indexed(bytes: &[u8]) -> String {
    use sha2::Digest;
    if bytes.len() > 128 {
        format!(
            "{} bytes sha256={}",
            bytes.len(),
            hex::encode(sha2::Sha256::digest(bytes))
        )
    } else {
        hex::encode(bytes)
    }
}

fn foreign_root_sha256(file: &str) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(
        &document(file).certificates().unwrap()[0],
    ))
}

#[test]
fn a_real_document_fails_under_a_simulated_root() {
    let Some(_) = index() else { return };
    let module = simulation::SimulatedNsm::new([[1; 48]; 3], simulation::SystemClock).unwrap();
    let refused =
        document("8ff485d8a838b3ca.cbor").validate(&module.anchor(), &PcrPolicy::unpinned());
    assert!(matches!(
        refused,
        Err(AttestationError::NotThePinnedRoot { .. })
    ));
}

#[test]
fn r03_sampled_bit_flips_and_prefixes_of_a_real_document_are_refused() {
    let Some(_) = index() else { return };
    let genuine = document("65ce3118757bd042.cbor").0;
    let refused = |bytes: Vec<u8>| {
        RawDocument(bytes)
            .validate(&Anchor::AwsNitroG1, &PcrPolicy::unpinned())
            .is_err()
    };
    for length in 0..genuine.len() {
        assert!(refused(genuine[..length].to_vec()), "prefix of {length}");
    }
    for bit in (0..genuine.len() * 8).step_by(61) {
        let mut flipped = genuine.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(refused(flipped), "bit {bit}");
    }
}
