//! Single changes of what a document says, signed again: each has its own error.
use crate::common::{Forge, NOW};
use attestation::{AttestationError, Field, FieldFlaw, PcrPolicy, RawDocument};
use simulation::document::{Entry, Fields, MapForm, item};

type Edit = Box<dyn Fn(&mut Vec<Entry>)>;

#[test]
fn documents_in_every_spelling_of_the_module_pass() {
    let forge = Forge::new();
    for form in [MapForm::Indefinite, MapForm::Definite] {
        forge.validate(forge.document_of(form, |_| {})).unwrap();
        // Absent optional fields may be missing altogether.
        let bytes = forge.document_of(form, |entries| {
            entries.retain(|(key, _)| !["nonce", "user_data", "public_key"].contains(key));
        });
        assert_eq!(forge.validate(bytes).unwrap().nonce(), None);
    }
    let verified = forge
        .validate(forge.document(|fields| fields.nonce = Some(vec![])))
        .unwrap();
    assert_eq!(verified.nonce(), Some([].as_slice()));
}

#[test]
fn r03_each_single_field_mutation_is_refused() {
    let forge = Forge::new();
    let mut cases = 0;
    for (name, edit, expected) in encodings()
        .into_iter()
        .chain(limits())
        .chain(duplicates_and_gaps())
    {
        let refused = forge.validate(forge.document_of(MapForm::Indefinite, edit));
        assert_eq!(without_offset(refused.unwrap_err()), expected, "{name}");
        cases += 1;
    }
    assert!(cases >= 45, "{cases} cases");
}

/// Values of another type or spelling.
fn encodings() -> Vec<(String, Edit, AttestationError)> {
    let typed = |field: Field, value: &[u8]| {
        let value = value.to_vec();
        let edit: Edit = Box::new(move |entries| value_of(entries, field).clone_from(&value));
        (field, edit)
    };
    let cases = [
        ("null module id", typed(Field::ModuleId, &[0xf6])),
        ("module id of bytes", typed(Field::ModuleId, &[0x41, b'i'])),
        ("null digest", typed(Field::Digest, &[0xf6])),
        (
            "float time",
            typed(Field::Timestamp, &[0xfb, 0x42, 0x79, 0, 0, 0, 0, 0, 0]),
        ),
        ("negative time", typed(Field::Timestamp, &[0x20])),
        ("time as text", typed(Field::Timestamp, &[0x61, b'1'])),
        ("pcrs as array", typed(Field::Pcrs, &[0x80])),
        ("indefinite pcrs", typed(Field::Pcrs, &[0xbf, 0xff])),
        ("null certificate", typed(Field::Certificate, &[0xf6])),
        ("null bundle", typed(Field::Cabundle, &[0xf6])),
        ("indefinite bundle", typed(Field::Cabundle, &[0x9f, 0xff])),
        ("nonce as text", typed(Field::Nonce, &[0x61, b'n'])),
        (
            "indefinite nonce",
            typed(Field::Nonce, &[0x5f, 0x41, 0x01, 0xff]),
        ),
        ("undefined user data", typed(Field::UserData, &[0xf7])),
        ("public key as a number", typed(Field::PublicKey, &[0x01])),
    ];
    cases
        .into_iter()
        .map(|(name, (field, edit))| {
            (
                name.to_owned(),
                edit,
                field_error(field, FieldFlaw::Type { at: 0 }),
            )
        })
        .collect()
}

/// Values out of the limits.
fn limits() -> Vec<(String, Edit, AttestationError)> {
    let mut cases: Vec<(String, Edit, AttestationError)> = Vec::new();
    let mut case = |name: &str, field: Field, flaw: FieldFlaw, value: Vec<u8>| {
        let edit: Edit = Box::new(move |entries| value_of(entries, field).clone_from(&value));
        cases.push((name.to_owned(), edit, field_error(field, flaw)));
    };
    let bytes = |length: usize| item(|e| e.bytes(&vec![1; length]).is_ok());
    let text = |text: &str| item(|e| e.str(text).is_ok());
    let length = |min, max, got| FieldFlaw::Length { min, max, got };

    for id in [
        "",
        "i-00000000000000000",
        "i-00000000000000000-enc",
        "i-00000000000000000-enc000000000000000",
        "i-0000000-enc0000000000000000",
        "i-000000000000000000-enc0000000000000000",
        "i-0000000000000000G-enc0000000000000000",
        "m-00000000000000000-enc0000000000000000",
        "i-00000000000000000-enc0000000000000000 ",
        "i-00000000000000000-tpm0000000000000000",
    ] {
        case(
            &format!("module id {id:?}"),
            Field::ModuleId,
            FieldFlaw::ModuleId,
            text(id),
        );
    }
    for digest in ["SHA512", "SHA256", "sha384", ""] {
        case(digest, Field::Digest, FieldFlaw::Digest, text(digest));
    }
    case("time 0", Field::Timestamp, FieldFlaw::Time, vec![0]);
    case(
        "time beyond X.509",
        Field::Timestamp,
        FieldFlaw::Time,
        item(|e| e.u64(253_402_300_800_000).is_ok()),
    );
    case(
        "no certificate",
        Field::Certificate,
        length(1, 1024, 0),
        bytes(0),
    );
    case(
        "long certificate",
        Field::Certificate,
        length(1, 1024, 1025),
        bytes(1025),
    );
    case("empty bundle", Field::Cabundle, length(2, 8, 0), vec![0x80]);
    case(
        "bundle of one",
        Field::Cabundle,
        length(2, 8, 1),
        vec![0x81, 0x41, 0x01],
    );
    case(
        "bundle of nine",
        Field::Cabundle,
        length(2, 8, 9),
        vec![0x89],
    );
    case(
        "bundle of 2^64 - 1",
        Field::Cabundle,
        length(2, 8, u64::MAX),
        vec![0x9b, 255, 255, 255, 255, 255, 255, 255, 255],
    );
    case("long nonce", Field::Nonce, length(0, 512, 513), bytes(513));
    case(
        "long user data",
        Field::UserData,
        length(0, 512, 513),
        bytes(513),
    );
    case(
        "empty public key",
        Field::PublicKey,
        length(1, 1024, 0),
        bytes(0),
    );
    case(
        "long public key",
        Field::PublicKey,
        length(1, 1024, 1025),
        bytes(1025),
    );

    let registers = |pairs: Vec<(u64, usize)>| {
        item(|e| {
            e.map(pairs.len().try_into().unwrap()).is_ok()
                && pairs.iter().all(|(index, size)| {
                    e.u64(*index)
                        .is_ok_and(|e| e.bytes(&vec![1; *size]).is_ok())
                })
        })
    };
    let dense = |count: u64| (0..count).map(|index| (index, 48)).collect::<Vec<_>>();
    case("no pcrs", Field::Pcrs, length(1, 32, 0), registers(vec![]));
    case(
        "33 pcrs",
        Field::Pcrs,
        length(1, 32, 33),
        registers(dense(33)),
    );
    case(
        "2^64 - 1 pcrs",
        Field::Pcrs,
        length(1, 32, u64::MAX),
        vec![0xbb, 255, 255, 255, 255, 255, 255, 255, 255],
    );
    let with = |extra: (u64, usize)| [dense(5), vec![extra]].concat();
    case(
        "pcr32",
        Field::Pcrs,
        FieldFlaw::PcrIndex { got: 32 },
        registers(with((32, 48))),
    );
    case(
        "pcr256",
        Field::Pcrs,
        FieldFlaw::PcrIndex { got: 256 },
        registers(with((256, 48))),
    );
    case(
        "pcr1 twice",
        Field::Pcrs,
        FieldFlaw::DuplicatePcr { index: 1 },
        registers(with((1, 48))),
    );
    case(
        "short pcr",
        Field::Pcrs,
        length(48, 48, 32),
        registers(with((7, 32))),
    );
    case(
        "long pcr",
        Field::Pcrs,
        length(48, 48, 64),
        registers(with((7, 64))),
    );
    for gap in [0_u8, 1, 2, 4] {
        let mut pairs = dense(16);
        pairs.remove(usize::from(gap));
        case(
            &format!("without pcr{gap}"),
            Field::Pcrs,
            FieldFlaw::MissingPcr { index: gap },
            registers(pairs),
        );
    }
    cases
}

fn duplicates_and_gaps() -> Vec<(String, Edit, AttestationError)> {
    let mut cases: Vec<(String, Edit, AttestationError)> = Vec::new();
    let fields = [
        Field::ModuleId,
        Field::Digest,
        Field::Timestamp,
        Field::Pcrs,
        Field::Certificate,
        Field::Cabundle,
        Field::PublicKey,
        Field::UserData,
        Field::Nonce,
    ];
    for field in fields {
        let twice: Edit = Box::new(move |entries| {
            let again = entries
                .iter()
                .find(|(key, _)| *key == field.name())
                .unwrap()
                .clone();
            entries.push(again);
        });
        cases.push((
            format!("{field} twice"),
            twice,
            AttestationError::DuplicateField(field),
        ));
    }
    for field in &fields[..6] {
        let field = *field;
        let without: Edit =
            Box::new(move |entries| entries.retain(|(key, _)| *key != field.name()));
        cases.push((
            format!("without {field}"),
            without,
            AttestationError::MissingField(field),
        ));
    }
    for key in ["nitrotpm_pcrs", "extra", "Nonce", ""] {
        let unknown: Edit = Box::new(move |entries| entries.push((key, vec![0xf6])));
        cases.push((
            format!("unknown {key:?}"),
            unknown,
            AttestationError::UnknownField,
        ));
    }
    cases
}

#[test]
fn r03_a_payload_that_is_not_one_map_of_text_keys_is_refused() {
    let forge = Forge::new();
    let payload = simulation::document::payload(&forge.fields().entries(), MapForm::Definite);
    let refused = |payload: Vec<u8>| forge.validate(forge.sign(&payload)).unwrap_err();

    let mut array = payload.clone();
    array[0] = 0x89;
    assert_eq!(refused(array), AttestationError::PayloadCbor { at: 0 });
    let mut longer = payload.clone();
    longer[0] = 0xaa;
    assert_eq!(
        refused(longer),
        AttestationError::PayloadCbor { at: payload.len() }
    );
    let mut shorter = payload.clone();
    shorter[0] = 0xa8;
    assert!(matches!(
        refused(shorter),
        AttestationError::PayloadTrailing { .. }
    ));
    assert_eq!(
        refused([payload.clone(), vec![0]].concat()),
        AttestationError::PayloadTrailing { count: 1 }
    );
    let mut open = simulation::document::payload(&forge.fields().entries(), MapForm::Indefinite);
    open.pop();
    assert_eq!(
        refused(open.clone()),
        AttestationError::PayloadCbor { at: open.len() }
    );
    let mut number_key = payload;
    number_key[1] = 0x09;
    assert_eq!(refused(number_key), AttestationError::PayloadCbor { at: 1 });
}

#[test]
fn r02_a_zero_pcr0_pcr1_or_pcr2_is_debug_mode() {
    let forge = Forge::new();
    for index in [0_u8, 1, 2] {
        let bytes = forge.document(|fields| {
            fields.pcrs.insert(index, [0; 48]);
        });
        assert_eq!(
            forge.validate(bytes.clone()).unwrap_err(),
            AttestationError::DebugMode { index }
        );
        // Expecting zeros does not make debug mode acceptable.
        let zeros = PcrPolicy::unpinned().expecting(index, [0; 48]);
        assert_eq!(
            RawDocument(bytes.clone())
                .validate(&forge.anchor(), &zeros)
                .unwrap_err(),
            AttestationError::DebugMode { index }
        );
        let looking = PcrPolicy::unpinned().allowing_debug();
        assert!(
            RawDocument(bytes)
                .validate(&forge.anchor(), &looking)
                .unwrap()
                .is_debug()
        );
    }
    // PCR3 is zero whenever the host has no role.
    forge
        .validate(forge.document(|fields| {
            fields.pcrs.insert(3, [0; 48]);
        }))
        .unwrap();
}

#[test]
fn expected_measurements_are_compared() {
    let forge = Forge::new();
    let document = RawDocument(forge.document(|_| {}));
    let image = PcrPolicy::image([1; 48], [2; 48], [3; 48]);
    assert!(image.pins_image());
    document.validate(&forge.anchor(), &image).unwrap();
    document
        .validate(&forge.anchor(), &image.clone().expecting(8, [9; 48]))
        .unwrap();
    for index in [0_u8, 1, 2, 3, 8, 31] {
        let policy = image.clone().expecting(index, [0xee; 48]);
        let refused = document.validate(&forge.anchor(), &policy).unwrap_err();
        assert!(
            matches!(refused, AttestationError::PcrMismatch { index: named, .. } if named == index),
            "{refused}"
        );
    }
}

#[test]
fn pcr4_must_measure_the_instance_of_the_module_id() {
    let forge = Forge::new();
    let bytes = forge.document(|fields| {
        fields.pcrs.insert(4, [5; 48]);
    });
    assert_eq!(
        forge.validate(bytes).unwrap_err(),
        AttestationError::Pcr4Mismatch
    );
}

#[test]
fn a_simulated_document_is_refused_under_the_root_of_aws() {
    let forge = Forge::new();
    let validate = |edit: fn(&mut Fields)| {
        RawDocument(forge.document(edit))
            .validate(&attestation::Anchor::AwsNitroG1, &PcrPolicy::unpinned())
            .unwrap_err()
    };
    assert_eq!(validate(|_| {}), AttestationError::SimulatedUnderAws);
    let other_id = |fields: &mut Fields| {
        fields.module_id = "i-0123456789abcdef0-enc0123456789abcdef".to_owned()
    };
    assert!(matches!(
        validate(other_id),
        AttestationError::NotThePinnedRoot { .. }
    ));
}

#[test]
fn r03_another_signature_or_signed_byte_is_refused() {
    let forge = Forge::new();
    let genuine = forge.document(|_| {});
    let split = genuine.len() - 96;
    let mut zero = genuine.clone();
    zero[split..].fill(0);
    assert_eq!(
        forge.validate(zero).unwrap_err(),
        AttestationError::SignatureInvalid
    );
    let mut flipped = genuine.clone();
    flipped[split + 5] ^= 1;
    assert_eq!(
        forge.validate(flipped).unwrap_err(),
        AttestationError::SignatureInvalid
    );

    // Signed by another key than the leaf's.
    let payload = simulation::document::payload(&forge.fields().entries(), MapForm::Indefinite);
    assert_eq!(
        forge.validate(Forge::new().sign(&payload)).unwrap_err(),
        AttestationError::SignatureInvalid
    );

    // (r, n - s) verifies too: the identity of a document is its payload, not its bytes.
    let (r, s) = p384::ecdsa::Signature::from_slice(&genuine[split..])
        .unwrap()
        .split_scalars();
    let other = p384::ecdsa::Signature::from_scalars(r, -*s).unwrap();
    let malleated = [&genuine[..split], &other.to_bytes()].concat();
    assert_ne!(malleated, genuine);
    assert_eq!(
        forge.validate(malleated).unwrap().payload_sha256(),
        forge.validate(genuine).unwrap().payload_sha256()
    );
}

#[test]
fn r03_every_prefix_and_sampled_bit_flips_are_refused() {
    let forge = Forge::new();
    let genuine = forge.document(|_| {});
    for length in 0..genuine.len() {
        let refused = forge.validate(genuine[..length].to_vec()).unwrap_err();
        assert!(
            matches!(refused, AttestationError::Envelope(_)),
            "prefix of {length}"
        );
    }
    for bit in (0..genuine.len() * 8).step_by(101) {
        let mut flipped = genuine.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(forge.validate(flipped).is_err(), "bit {bit}");
    }
    assert_eq!(forge.validate(genuine).unwrap().time(), NOW);
}

fn value_of(entries: &mut [Entry], field: Field) -> &mut Vec<u8> {
    &mut entries
        .iter_mut()
        .find(|(key, _)| *key == field.name())
        .unwrap()
        .1
}

fn field_error(field: Field, flaw: FieldFlaw) -> AttestationError {
    AttestationError::Field { field, flaw }
}

/// The offset of a wrong type depends on the lengths of certificates, which vary with their signatures.
fn without_offset(error: AttestationError) -> AttestationError {
    match error {
        AttestationError::Field {
            field,
            flaw: FieldFlaw::Type { .. },
        } => field_error(field, FieldFlaw::Type { at: 0 }),
        other => other,
    }
}
