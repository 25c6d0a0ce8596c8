//! What each stage refuses, with the exact reason.

use ceremony::{Ceremony, CeremonyError, CheckOutcome, Command, CommandKind, Phase1File, Stage};
use drand::{Chain, ChainInfo, DrandError, QUICKNET};
use formats::digest::{Blake2b512Digest, FileDigests, Sha256Digest};
use formats::ptau::published::{self, PtauFamily};
use manifest::spec::{BeaconSpec, Phase1Family};
use manifest::{AgentMode, ArtifactKind, ArtifactRecord};

use crate::world::{Flaw, boot, circuit, command, fields, ptau, reach, spec};

fn refusal(stage: Stage, command: Command) -> (CeremonyError, Stage) {
    let step = reach(stage).advance(command);
    (step.outcome.unwrap_err(), step.ceremony.stage())
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
    let mut development = fields();
    development.beacon = BeaconSpec::new(&Chain::Quicknet, 3000);
    let mut boot_production = boot();
    boot_production.mode = AgentMode::Production;
    boot_production.self_checks[0].outcome = CheckOutcome::Passed;
    let spec = development.validate().unwrap();
    let step = Ceremony::new(boot_production).advance(Command::Open(Box::new(spec)));
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
        Command::CompileCircuit(Box::new(circuit(Some(b"another r1cs")))),
    );
    assert!(matches!(error, CeremonyError::CircuitDigest { .. }));
    assert_eq!(stage, Stage::Failed);
}

#[test]
fn a_circuit_without_constraints_ends_the_ceremony() {
    let mut empty = circuit(None);
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

/// A ceremony that waits for a ptau of the family `hermez` and of power 3.
fn waiting_for_hermez() -> Ceremony {
    let mut published = fields();
    published.phase1_family = Phase1Family::Hermez;
    Ceremony::new(boot())
        .advance(Command::Open(Box::new(published.validate().unwrap())))
        .ceremony
        .advance(Command::CompileCircuit(Box::new(circuit(None))))
        .ceremony
}

/// The file that was published under this name, as its digests tell.
fn published_ptau(family: PtauFamily, power: u32) -> Phase1File {
    let entry = published::table()
        .iter()
        .find(|entry| entry.family == family && entry.power == power)
        .unwrap();
    let digests = FileDigests {
        size: entry.size,
        // Each family publishes one of the two.
        sha256: entry.sha256().unwrap_or(Sha256Digest::new([0; 32])),
        blake2b512: entry.blake2b512().unwrap_or(Blake2b512Digest::new([0; 64])),
    };
    Phase1File {
        record: ArtifactRecord::new(ArtifactKind::Ptau, &digests),
        power,
    }
}

fn phase1_refusal(file: Phase1File) -> CeremonyError {
    let step = waiting_for_hermez().advance(Command::CheckPhase1(file));
    assert_eq!(step.ceremony.stage(), Stage::Failed);
    step.outcome.unwrap_err()
}

#[test]
fn r10_a_ptau_that_is_not_published_ends_the_ceremony() {
    let error = phase1_refusal(ptau(8));
    assert!(matches!(error, CeremonyError::Phase1Unknown { .. }));
    assert_eq!(error.code(), "ptau_hash");
}

#[test]
fn r10_a_published_ptau_of_the_other_family_ends_the_ceremony() {
    let error = phase1_refusal(published_ptau(PtauFamily::Ppot0080, 8));
    assert!(matches!(
        error,
        CeremonyError::Phase1Family {
            expected: "hermez",
            got: "ppot_0080"
        }
    ));
    assert_eq!(error.code(), "ptau_family");
}

#[test]
fn r11_a_published_ptau_larger_than_the_smallest_that_fits_ends_the_ceremony() {
    let smallest = published::table()
        .iter()
        .filter(|entry| entry.family == PtauFamily::Hermez && entry.power >= 3)
        .map(|entry| entry.power)
        .min()
        .unwrap();
    let right = published_ptau(PtauFamily::Hermez, smallest);
    let step = waiting_for_hermez().advance(Command::CheckPhase1(right));
    assert_eq!(step.outcome.unwrap(), Stage::Phase1Ready);

    let error = phase1_refusal(published_ptau(PtauFamily::Hermez, smallest + 1));
    assert!(matches!(error, CeremonyError::Phase1Power { expected, got }
            if expected == smallest && got == smallest + 1));
    assert_eq!(error.code(), "ptau_power");
}

#[test]
fn r12_an_initial_key_by_the_outdated_hash_rule_ends_the_ceremony() {
    let ceremony = reach(Stage::Phase1Ready);
    let kind = CommandKind::CheckInitialKey;
    let outdated = command(&ceremony, kind, Some(Flaw::Content));
    let step = ceremony.advance(outdated);
    let error = step.outcome.unwrap_err();
    assert!(matches!(error, CeremonyError::InitialKeyRule));
    assert_eq!(error.code(), "initial_key_rule");
    assert_eq!(step.ceremony.stage(), Stage::Failed);
}

#[test]
fn the_token_of_another_round_moves_nothing() {
    let ceremony = reach(Stage::RoundAssigned);
    let next = command(&ceremony, CommandKind::ApplyBeacon, Some(Flaw::Content));
    let step = ceremony.advance(next);
    let error = step.outcome.unwrap_err();
    assert!(
        matches!(error, CeremonyError::Drand(DrandError::RoundMismatch { expected, got })
            if got == expected + 1)
    );
    assert_eq!(step.ceremony.stage(), Stage::RoundAssigned);
}
