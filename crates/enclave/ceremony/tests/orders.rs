//! Random orders of commands: no stage is reached but by its own command with what it demands.
//!
//! Evidence from the other crates cannot be made up here, so the model walks as far as evidence of
//! this crate leads (`Phase1Ready`); the agent's tests go the whole way with real keys.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use attestation::{Anchor, PcrPolicy};
use ceremony::circuit::CircuitCounts;
use ceremony::command::AttestationDocument;
use ceremony::outputs::record;
use ceremony::{
    Boot, Ceremony, CeremonyError, CheckOutcome, Command, CommandKind, CompiledCircuit, Compilers,
    Phase1File, SelfCheck, Stage,
};
use drand::{Chain, ChainInfo, QUICKNET};
use formats::digest::Sha256Digest;
use manifest::spec::{BeaconSpec, CircuitSpec, CurveName, Phase1Family, SpecFields};
use manifest::{AgentMode, ArtifactKind, Spec};
use proptest::prelude::*;

const R1CS: &[u8] = b"an r1cs";
const PTAU: &[u8] = b"a ptau";

fn boot() -> Boot {
    Boot {
        mode: AgentMode::Simulation,
        agent_version: "0.1.0".to_owned(),
        self_checks: vec![SelfCheck {
            name: "nsm-random",
            outcome: CheckOutcome::Simulated,
            seen: "not an enclave".to_owned(),
        }],
        compilers: Compilers {
            circom: Sha256Digest::new([1; 32]),
            solc: Sha256Digest::new([2; 32]),
        },
        anchor: Anchor::AwsNitroG1,
        pcrs: PcrPolicy::unpinned(),
    }
}

fn fields() -> SpecFields {
    SpecFields {
        beacon: BeaconSpec::new(&Chain::Quicknet, 60_000),
        circuit: CircuitSpec::R1cs {
            sha256: Sha256Digest::of(R1CS),
        },
        compiler_solc: Sha256Digest::new([2; 32]),
        contribution_name: "test".to_owned(),
        curve: CurveName::Bn128,
        phase1_family: Phase1Family::Development,
        requester_nonce: [7; 32],
    }
}

fn spec() -> Spec {
    fields().validate().unwrap()
}

fn circuit(bytes: &[u8]) -> CompiledCircuit {
    CompiledCircuit {
        sources: None,
        r1cs: record(ArtifactKind::R1cs, bytes),
        counts: CircuitCounts {
            constraints: 5,
            wires: 9,
            outputs: 1,
            public_inputs: 1,
            private_inputs: 2,
        },
    }
}

fn ptau(power: u32) -> Phase1File {
    Phase1File {
        record: record(ArtifactKind::Ptau, PTAU),
        power,
    }
}

fn document() -> AttestationDocument {
    AttestationDocument {
        bytes: b"not a document".to_vec(),
        record: record(ArtifactKind::Attestation1, b"not a document"),
    }
}

/// A ceremony in a stage that this crate's evidence reaches.
fn reach(stage: Stage) -> Ceremony {
    let mut ceremony = Ceremony::new(boot());
    let way = [
        (Stage::Opened, Command::Open(Box::new(spec()))),
        (
            Stage::Compiled,
            Command::CompileCircuit(Box::new(circuit(R1CS))),
        ),
        (Stage::Phase1Ready, Command::CheckPhase1(ptau(3))),
    ];
    for (next, command) in way {
        if ceremony.stage() == stage {
            break;
        }
        let step = ceremony.advance(command);
        assert_eq!(step.outcome.unwrap(), next);
        ceremony = step.ceremony;
    }
    assert_eq!(ceremony.stage(), stage);
    ceremony
}

fn refusal(stage: Stage, command: Command) -> (CeremonyError, Stage) {
    let step = reach(stage).advance(command);
    (step.outcome.unwrap_err(), step.ceremony.stage())
}

#[derive(Debug, Clone, Copy)]
enum Asked {
    Open,
    Compile { right: bool },
    Ptau { power: u32 },
    Attest,
    Certificates,
    Seal,
    Fail,
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        4 => Just(Asked::Open),
        4 => proptest::bool::weighted(0.9).prop_map(|right| Asked::Compile { right }),
        4 => (2..5_u32).prop_map(|power| Asked::Ptau { power }),
        1 => Just(Asked::Attest),
        1 => Just(Asked::Certificates),
        1 => Just(Asked::Seal),
        1 => Just(Asked::Fail),
    ]
}

/// What must happen, told independently of the machine.
fn model(stage: Stage, asked: Asked) -> Stage {
    match (stage, asked) {
        (Stage::Booted, Asked::Open) => Stage::Opened,
        (Stage::Opened, Asked::Compile { right: true }) => Stage::Compiled,
        (Stage::Compiled, Asked::Ptau { power: 3.. }) => Stage::Phase1Ready,
        (Stage::Failed, _)
        | (_, Asked::Fail)
        | (Stage::Opened, Asked::Compile { right: false })
        | (Stage::Compiled, Asked::Ptau { power: ..3 }) => Stage::Failed,
        (same, _) => same,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r16_every_order_of_commands_follows_the_model(orders in prop::collection::vec(asked(), 0..12)) {
        let mut ceremony = Ceremony::new(boot());
        let mut receipts = 0;
        for asked in orders {
            let before = ceremony.stage();
            let expected = model(before, asked);
            let command = match asked {
                Asked::Fail => {
                    ceremony = ceremony.fail("test", "asked to".to_owned());
                    prop_assert_eq!(ceremony.stage(), Stage::Failed);
                    continue;
                }
                Asked::Open => Command::Open(Box::new(spec())),
                Asked::Compile { right } => {
                    Command::CompileCircuit(Box::new(circuit(if right { R1CS } else { b"other" })))
                }
                Asked::Ptau { power } => Command::CheckPhase1(ptau(power)),
                Asked::Attest => Command::AttestContribution(document()),
                Asked::Certificates => Command::SubmitCertificates(vec![]),
                Asked::Seal => Command::Seal(document()),
            };
            let kind = command.kind();
            let expects = ceremony.expects(kind).is_ok();
            let step = ceremony.advance(command);
            ceremony = step.ceremony;
            prop_assert_eq!(ceremony.stage(), expected);
            match step.outcome {
                Ok(reached) => {
                    prop_assert!(expects);
                    prop_assert_eq!(reached, expected);
                    receipts += 1;
                    prop_assert_eq!(ceremony.opened().unwrap().receipts().receipts().len(), receipts);
                }
                Err(CeremonyError::WrongStage { stage, command, .. }) => {
                    prop_assert!(!expects);
                    prop_assert_eq!(stage, before);
                    prop_assert_eq!(command, kind);
                    prop_assert_eq!(ceremony.stage(), before);
                }
                Err(error) => prop_assert_eq!(error.ends_ceremony(), ceremony.stage() == Stage::Failed),
            }
        }
    }
}

#[test]
fn a_failed_ceremony_keeps_its_first_reason_and_its_id() {
    let id = spec().id();
    let failed = reach(Stage::Opened)
        .fail("first", "the reason".to_owned())
        .fail("second", "another".to_owned());
    let Ceremony::Failed(state) = &failed else {
        panic!("not failed")
    };
    assert_eq!((state.code(), state.message()), ("first", "the reason"));
    assert_eq!(state.last(), Stage::Opened);
    assert_eq!(failed.id(), Some(id));
}

#[test]
fn a_failed_self_check_keeps_the_ceremony_closed() {
    for (mode, outcome) in [
        (AgentMode::Simulation, CheckOutcome::Failed),
        (AgentMode::Production, CheckOutcome::Failed),
        (AgentMode::Production, CheckOutcome::Simulated),
    ] {
        let mut boot = boot();
        boot.mode = mode;
        boot.self_checks[0].outcome = outcome;
        let step = Ceremony::new(boot).advance(Command::Open(Box::new(spec())));
        assert!(matches!(
            step.outcome,
            Err(CeremonyError::SelfCheck {
                name: "nsm-random",
                ..
            })
        ));
        assert_eq!(step.ceremony.stage(), Stage::Booted);
    }
}

#[test]
fn no_self_checks_are_no_passed_self_checks() {
    let mut boot = boot();
    boot.self_checks.clear();
    let step = Ceremony::new(boot).advance(Command::Open(Box::new(spec())));
    assert!(matches!(step.outcome, Err(CeremonyError::NoSelfChecks)));
}

#[test]
fn production_refuses_a_development_ptau_and_a_local_beacon() {
    let mut boot_production = boot();
    boot_production.mode = AgentMode::Production;
    boot_production.self_checks[0].outcome = CheckOutcome::Passed;
    let step = Ceremony::new(boot_production).advance(Command::Open(Box::new(spec())));
    assert!(matches!(step.outcome, Err(CeremonyError::SimulationAsked)));

    let mut local = fields();
    local.phase1_family = Phase1Family::Hermez;
    let key = QUICKNET.public_key().as_bytes();
    let chain = Chain::Local(ChainInfo::local(key, 1_700_000_000, 1).unwrap());
    local.beacon = BeaconSpec::new(&chain, 3000);
    let mut boot_production = boot();
    boot_production.mode = AgentMode::Production;
    boot_production.self_checks[0].outcome = CheckOutcome::Passed;
    let step =
        Ceremony::new(boot_production).advance(Command::Open(Box::new(local.validate().unwrap())));
    assert!(matches!(step.outcome, Err(CeremonyError::SimulationAsked)));
}

#[test]
fn another_compiler_is_refused() {
    let mut other = fields();
    other.compiler_solc = Sha256Digest::new([3; 32]);
    let step = Ceremony::new(boot()).advance(Command::Open(Box::new(other.validate().unwrap())));
    assert!(matches!(
        step.outcome,
        Err(CeremonyError::Compiler {
            compiler: "solc",
            ..
        })
    ));
}

#[test]
fn r13_another_circuit_ends_the_ceremony() {
    let (error, stage) = refusal(
        Stage::Opened,
        Command::CompileCircuit(Box::new(circuit(b"another r1cs"))),
    );
    assert!(matches!(error, CeremonyError::CircuitDigest { .. }));
    assert_eq!(stage, Stage::Failed);
}

#[test]
fn a_circuit_without_constraints_ends_the_ceremony() {
    let mut empty = circuit(R1CS);
    empty.counts.constraints = 0;
    let (error, stage) = refusal(Stage::Opened, Command::CompileCircuit(Box::new(empty)));
    assert!(matches!(error, CeremonyError::NoConstraints));
    assert_eq!(stage, Stage::Failed);
}

#[test]
fn r11_a_ptau_too_small_for_the_circuit_ends_the_ceremony() {
    let (error, stage) = refusal(Stage::Compiled, Command::CheckPhase1(ptau(2)));
    assert!(matches!(
        error,
        CeremonyError::Phase1Power {
            expected: 3,
            got: 2
        }
    ));
    assert_eq!(stage, Stage::Failed);
}

#[test]
fn r10_a_ptau_that_is_not_published_ends_the_ceremony() {
    let mut published = fields();
    published.phase1_family = Phase1Family::Hermez;
    let ceremony = Ceremony::new(boot())
        .advance(Command::Open(Box::new(published.validate().unwrap())))
        .ceremony
        .advance(Command::CompileCircuit(Box::new(circuit(R1CS))))
        .ceremony;
    let step = ceremony.advance(Command::CheckPhase1(ptau(8)));
    let error = step.outcome.unwrap_err();
    assert!(matches!(error, CeremonyError::Phase1Unknown { .. }));
    assert_eq!(error.code(), "ptau_hash");
    assert_eq!(step.ceremony.stage(), Stage::Failed);
}

#[test]
fn every_command_names_the_stage_it_follows() {
    let kinds = [
        CommandKind::Open,
        CommandKind::CompileCircuit,
        CommandKind::CheckPhase1,
        CommandKind::CheckInitialKey,
        CommandKind::Contribute,
        CommandKind::AttestContribution,
        CommandKind::SubmitCertificates,
        CommandKind::ApplyBeacon,
        CommandKind::Seal,
    ];
    let stages: Vec<Stage> = kinds.into_iter().map(Stage::before).collect();
    assert!(stages.is_sorted());
    for kind in kinds {
        for stage in [
            Stage::Booted,
            Stage::Opened,
            Stage::Compiled,
            Stage::Phase1Ready,
        ] {
            assert_eq!(
                reach(stage).expects(kind).is_ok(),
                Stage::before(kind) == stage
            );
        }
    }
}
