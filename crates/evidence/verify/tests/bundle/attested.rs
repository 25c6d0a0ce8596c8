//! One lie in an otherwise consistent bundle, attested as if it were true: what a wrong enclave or
//! a replayed document would give. Each is refused by the step that it belongs to, and by name.

use attestation::Statement;
use attestation::policy::instance_pcr;
use formats::digest::{Blake2b512Digest, Sha256Digest};
use manifest::spec::CircuitInput;
use manifest::{ArtifactKind, ReceiptStage};
use verify::{Depth, Report, Status, StepId, Trust, Verdict};

use crate::fixture::{Bundle, Knobs, POWER, make};

fn judge(name: &str, report: &Report, expected: &[(StepId, &str)]) {
    assert_eq!(report.verdict(), Verdict::False, "{name}: {report}");
    let got: Vec<_> = report
        .failures()
        .map(|step| match &step.status {
            Status::Failed(failure) => (step.id, failure.code()),
            _ => panic!("{name}"),
        })
        .collect();
    assert_eq!(got, expected, "{name}: {report}");
}

/// Exactly these steps fail, with these codes.
fn lie(name: &str, knobs: Knobs, expected: &[(StepId, &str)]) {
    judge(name, &make(&knobs).verify(|_| {}), expected);
}

fn knobs() -> Knobs {
    Knobs::default()
}

#[test]
fn r08_each_document_in_the_others_place() {
    let as_manifest = |statement: Statement| match statement {
        Statement::Contribution { ceremony_id } => Statement::Manifest { ceremony_id },
        other => other,
    };
    let as_contribution = |statement: Statement| match statement {
        Statement::Manifest { ceremony_id } => Statement::Contribution { ceremony_id },
        other => other,
    };
    lie(
        "document 1 as manifest statement",
        Knobs {
            statement_1: as_manifest,
            ..knobs()
        },
        &[(StepId::Attestation1, "attestation_statement_kind")],
    );
    lie(
        "document 2 as contribution statement",
        Knobs {
            statement_2: as_contribution,
            ..knobs()
        },
        &[(StepId::Attestation2, "attestation_statement_kind")],
    );
    lie(
        "document 1 as boot statement",
        Knobs {
            statement_1: |_| Statement::Boot,
            ..knobs()
        },
        &[(StepId::Attestation1, "attestation_statement_kind")],
    );
}

#[test]
fn r06_a_document_of_another_ceremony() {
    lie(
        "document 1",
        Knobs {
            statement_1: |_| Statement::Contribution {
                ceremony_id: [9; 32],
            },
            ..knobs()
        },
        &[(StepId::Attestation1, "attestation_ceremony")],
    );
    lie(
        "document 2",
        Knobs {
            statement_2: |_| Statement::Manifest {
                ceremony_id: [9; 32],
            },
            ..knobs()
        },
        &[(StepId::Attestation2, "attestation_ceremony")],
    );
}

#[test]
fn r02_a_debug_enclave() {
    lie(
        "PCR0 zero in document 1",
        Knobs {
            fields_1: |fields| {
                fields.pcrs.insert(0, [0; 48]);
            },
            ..knobs()
        },
        &[(StepId::Measurements, "attestation_debug_mode")],
    );
}

#[test]
fn r07_documents_of_two_enclaves() {
    let same = (StepId::SameEnclave, "attestation_other_enclave");
    let order = (StepId::TimeOrder, "attestation_other_enclave");
    lie(
        "another image signs document 2",
        Knobs {
            fields_2: |fields| {
                fields.pcrs.insert(0, [0xbb; 48]);
            },
            ..knobs()
        },
        &[same, order],
    );
    lie(
        "another role",
        Knobs {
            fields_2: |fields| {
                fields.pcrs.insert(3, [0xbb; 48]);
            },
            ..knobs()
        },
        &[same, order],
    );
    let report = make(&Knobs {
        fields_2: |fields| {
            fields.pcrs.insert(4, instance_pcr("i-00000000000000001"));
        },
        ..knobs()
    })
    .verify(|_| {});
    judge(
        "PCR4 of another instance",
        &report,
        &[(StepId::Attestation2, "attestation_pcr4")],
    );
}

#[test]
fn r05_times_out_of_order() {
    lie(
        "document 2 before the round",
        Knobs {
            seal_delay_ms: -1,
            ..knobs()
        },
        &[(StepId::TimeOrder, "attestation_too_early")],
    );
    let later: fn(&mut _) = |fields: &mut simulation::document::Fields| fields.timestamp += 3_000;
    lie(
        "document 1 a round later than the manifest says",
        Knobs {
            fields_1: later,
            ..knobs()
        },
        &[(StepId::Round, "verify_value")],
    );
    lie(
        "another attested time in the manifest",
        Knobs {
            manifest: |m| m.contribution.attested_time_ms += 1,
            ..knobs()
        },
        &[(StepId::Round, "verify_value")],
    );
    lie(
        "another round time in the manifest",
        Knobs {
            manifest: |m| m.beacon.round_time_ms += 1,
            ..knobs()
        },
        &[(StepId::TimeOrder, "verify_value")],
    );
}

#[test]
fn r29_a_round_that_was_not_assigned() {
    lie(
        "the next round",
        Knobs {
            later_rounds: 1,
            ..knobs()
        },
        &[
            (StepId::Round, "verify_value"),
            (StepId::Beacon, "drand_round_mismatch"),
            (StepId::TimeOrder, "verify_value"),
        ],
    );
}

#[test]
fn r30_a_beacon_that_is_not_genuine() {
    lie(
        "randomness of another signature",
        Knobs {
            beacon_json: |json| json.randomness[0] ^= 1,
            ..knobs()
        },
        &[(StepId::Beacon, "drand_randomness_mismatch")],
    );
    lie(
        "another round's number",
        Knobs {
            beacon_json: |json| json.round += 1,
            ..knobs()
        },
        &[(StepId::Beacon, "drand_signature_invalid")],
    );
    lie(
        "another chain's name",
        Knobs {
            beacon_json: |json| json.chain = manifest::spec::BeaconChain::Quicknet,
            ..knobs()
        },
        &[(StepId::Beacon, "verify_value")],
    );
    lie(
        "the point at infinity",
        Knobs {
            beacon_json: |json| {
                json.signature = vec![0; 48];
                json.signature[0] = 0xc0;
            },
            ..knobs()
        },
        &[(StepId::Beacon, "drand_signature_infinity")],
    );
    lie(
        "other randomness in the manifest",
        Knobs {
            manifest: |m| m.beacon.randomness[0] ^= 1,
            ..knobs()
        },
        &[
            (StepId::Beacon, "drand_randomness_mismatch"),
            (StepId::BeaconRecord, "verify_value"),
        ],
    );
}

#[test]
fn r34_a_beacon_misapplied() {
    lie(
        "more iterations",
        Knobs {
            iterations_exp: 11,
            ..knobs()
        },
        &[(StepId::BeaconRecord, "verify_value")],
    );
    lie(
        "reversed bytes",
        Knobs {
            beacon_value: |value| value.reverse(),
            ..knobs()
        },
        &[(StepId::BeaconRecord, "verify_value")],
    );
    lie(
        "another 0001.zkey in manifest and document",
        Knobs {
            manifest: |m| m.contribution_zkey.sha256 = Sha256Digest::new([1; 32]),
            ..knobs()
        },
        &[
            (StepId::Attestation1, "attestation_nonce"),
            (StepId::Receipts, "verify_value"),
            (StepId::BeaconUndo, "verify_value"),
        ],
    );
}

#[test]
fn r37_r39_contributions_are_known_by_their_hashes() {
    lie(
        "no contribution before the beacon",
        Knobs {
            contributions: 0,
            ..knobs()
        },
        &[
            (StepId::Contributions, "verify_contribution_count"),
            // What is left is an initial key, whose sections come back in another order.
            (StepId::BeaconUndo, "verify_value"),
        ],
    );
    lie(
        "two contributions",
        Knobs {
            contributions: 2,
            ..knobs()
        },
        &[(StepId::Contributions, "verify_contribution_count")],
    );
    lie(
        "another hash",
        Knobs {
            manifest: |m| m.contribution.hash = Blake2b512Digest::new([1; 64]),
            ..knobs()
        },
        &[(StepId::Contributions, "verify_value")],
    );
    lie(
        "another hash of the beacon",
        Knobs {
            manifest: |m| m.contribution.beacon_hash = Blake2b512Digest::new([1; 64]),
            ..knobs()
        },
        &[(StepId::Contributions, "verify_value")],
    );
    // The name is not hashed: it is shown as what it is, and nothing rests on it.
    let report = make(&Knobs {
        name_in_file: Some("somebody else"),
        ..knobs()
    })
    .verify(|_| {});
    assert_eq!(report.verdict(), Verdict::HoldsUnderSimulation, "{report}");
    assert!(
        report
            .to_string()
            .contains("(unauthenticated): somebody else"),
        "{report}"
    );
}

#[test]
fn counts_and_hashes_of_the_key() {
    lie(
        "circuit hash",
        Knobs {
            manifest: |m| m.circuit_hash = Blake2b512Digest::new([1; 64]),
            ..knobs()
        },
        &[(StepId::KeyHeader, "verify_value")],
    );
    lie(
        "wires",
        Knobs {
            manifest: |m| m.circuit.wires += 1,
            ..knobs()
        },
        &[
            (StepId::R1cs, "verify_value"),
            (StepId::KeyHeader, "verify_value"),
        ],
    );
    lie(
        "outputs for inputs",
        Knobs {
            manifest: |m| {
                m.circuit.outputs = 2;
                m.circuit.public_inputs = 0;
            },
            ..knobs()
        },
        &[(StepId::R1cs, "verify_value")],
    );
}

#[test]
fn r38_exports_that_are_not_the_keys() {
    lie(
        "verification key",
        Knobs {
            verification_key: |json| *json = json.replacen("\"1\"", "\"2\"", 1),
            ..knobs()
        },
        &[(StepId::VerificationKey, "verify_not_derived")],
    );
    lie(
        "contract source",
        Knobs {
            verifier_source: |text| text.push('\n'),
            ..knobs()
        },
        &[
            (StepId::VerifierSource, "verify_not_derived"),
            (StepId::VerifierInput, "verify_not_derived"),
        ],
    );
    lie(
        "compiler input",
        Knobs {
            verifier_input: |text| text.push(' '),
            ..knobs()
        },
        &[(StepId::VerifierInput, "verify_not_derived")],
    );
}

#[test]
fn r36_runtime_code_that_is_not_the_creation_codes() {
    lie(
        "one byte of the code",
        Knobs {
            runtime: |code| code[0] ^= 1,
            ..knobs()
        },
        &[(StepId::RuntimeCode, "verify_runtime_not_tail")],
    );
    lie(
        "another hash",
        Knobs {
            manifest: |m| m.runtime_keccak256[0] ^= 1,
            ..knobs()
        },
        &[(StepId::RuntimeCode, "verify_value")],
    );
    lie(
        "only the end of the code",
        Knobs {
            runtime: |code| {
                code.remove(0);
            },
            ..knobs()
        },
        &[(StepId::RuntimeCode, "verify_value")],
    );
}

#[test]
fn receipts_that_name_other_files() {
    lie(
        "another ptau",
        Knobs {
            receipts: |stage, records| {
                if stage == ReceiptStage::Phase1Ready {
                    records.get_mut(&ArtifactKind::Ptau).unwrap().size += 1;
                }
            },
            ..knobs()
        },
        &[(StepId::Receipts, "verify_value")],
    );
    lie(
        "other sources",
        Knobs {
            receipts: |stage, records| {
                if stage == ReceiptStage::Compiled {
                    let record = records.get_mut(&ArtifactKind::CircuitBundle).unwrap();
                    record.sha256 = Sha256Digest::new([1; 32]);
                }
            },
            ..knobs()
        },
        &[(StepId::Receipts, "verify_value")],
    );
    lie(
        "another head",
        Knobs {
            manifest: |m| m.receipts_head = Sha256Digest::new([1; 32]),
            ..knobs()
        },
        &[(StepId::Receipts, "verify_value")],
    );
}

#[test]
fn r13_sources_that_the_spec_does_not_name() {
    lie(
        "another bundle in the spec",
        Knobs {
            spec: |spec| {
                if let manifest::spec::CircuitSpec::Sources { sha256, .. } = &mut spec.circuit {
                    *sha256 = Sha256Digest::new([1; 32]);
                }
            },
            ..knobs()
        },
        &[
            (StepId::Receipts, "verify_value"),
            (StepId::Sources, "verify_value"),
        ],
    );
}

#[test]
fn r10_a_ptau_that_is_not_published() {
    lie(
        "a development ptau called hermez",
        Knobs {
            spec: |spec| spec.phase1_family = manifest::spec::Phase1Family::Hermez,
            ..knobs()
        },
        &[(StepId::Phase1, "verify_ptau_not_published")],
    );
}

#[test]
fn r12_a_key_of_another_circuit_is_found_at_full_depth() {
    // The first coefficient of the first constraint: after 24 bytes of file and section header come
    // the count of terms, the wire and the coefficient.
    let bundle = make(&Knobs {
        input: CircuitInput::R1cs,
        bundled_r1cs: |r1cs| r1cs[32] = 2,
        ..knobs()
    });
    assert_eq!(
        bundle.verify(|_| {}).verdict(),
        Verdict::HoldsUnderSimulation
    );
    let ptau = testkit::development_ptau(POWER);
    let report = bundle.verify(|options| {
        options.depth = Depth::Full;
        options.ptau = Some(&ptau);
    });
    let failures: Vec<_> = report.failures().map(|step| step.id).collect();
    assert_eq!(failures, [StepId::KeyAgainstCircuit], "{report}");
}

#[test]
fn r12_a_key_by_the_outdated_hash_rule_is_refused_at_full_depth() {
    // Old keys by it are genuine keys, but no enclave makes one.
    let bundle = make(&Knobs {
        initial_key: |key| testkit::outdated_initial_key(key, &testkit::development_ptau(POWER)),
        ..knobs()
    });
    let ptau = testkit::development_ptau(POWER);
    let report = bundle.verify(|options| {
        options.depth = Depth::Full;
        options.ptau = Some(&ptau);
    });
    judge(
        "outdated circuit hash",
        &report,
        &[(StepId::KeyAgainstCircuit, "verify_outdated_circuit_hash")],
    );
}

#[test]
fn another_simulated_root_does_not_count() {
    let other = make(&knobs());
    let trust = Trust::Simulation {
        root: Some(other.root.clone()),
    };
    let report = Bundle::genuine().verify(|options| options.trust = trust);
    let root = "attestation_root";
    judge(
        "root",
        &report,
        &[(StepId::Attestation2, root), (StepId::Attestation1, root)],
    );
}
