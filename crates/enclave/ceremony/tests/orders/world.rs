//! Everything a ceremony is fed with, made once and for real: a small circuit, its keys, a
//! SIMULATED security module and a local beacon. Evidence can be minted by its own check only, so
//! each command mints its own anew.

use std::io::Cursor;
use std::sync::LazyLock;

use attestation::{PcrPolicy, RawDocument, Statement, UnixMillis};
use ceremony::circuit::CircuitCounts;
use ceremony::command::{AttestationDocument, Contribution};
use ceremony::outputs::record;
use ceremony::{
    Boot, Ceremony, CheckOutcome, Command, CommandKind, CompiledCircuit, Compilers, FinalKey,
    Phase1File, SelfCheck, Stage,
};
use ceremony::{InitialKey, InitialVerified};
use contribute::entropy::{OperatingSystem, Sources};
use drand::{Chain, Round, round_for, round_time_ms};
use formats::digest::Sha256Digest;
use formats::progress::NoProgress;
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::zkey::{BeaconParams, ZKey};
use local_beacon::LocalChain;
use manifest::receipt::Records;
use manifest::spec::{BeaconSpec, CircuitSpec, CurveName, Phase1Family, SpecFields};
use manifest::{AgentMode, ArtifactKind, Spec};
use phase2::check::{check_beacon, check_contribution, check_initial_key};
use phase2::setup::{SetupOptions, new_initial_key};
use simulation::document::{MapForm, payload};
use simulation::{FixedClock, SimulatedNsm};

/// Time of the first document.
const ATTESTED_MS: u64 = 1_790_000_000_000;
const MARGIN_MS: u64 = 3000;
const CHALLENGE: [u8; 32] = [8; 32];
const PCRS: [[u8; 48]; 3] = [[1; 48], [2; 48], [3; 48]];

/// The one thing that is wrong with what a command carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Another circuit, too small a ptau, an outdated circuit hash, a document over something else,
    /// a certificate less, a beacon of the next round.
    Content,
    /// A document of a time before the round was due.
    Early,
}

struct World {
    security: SimulatedNsm,
    chain: LocalChain,
    round: Round,
    round_time_ms: u64,
    r1cs: Vec<u8>,
    ptau: Vec<u8>,
    initial: Vec<u8>,
    contributed: Vec<u8>,
    beacon: BeaconParams,
    finished: Vec<u8>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

impl World {
    fn new() -> Self {
        let clock = FixedClock(UnixMillis(ATTESTED_MS));
        let chain = LocalChain::from_seed([5; 32], ATTESTED_MS / 1000 - 100, 1).unwrap();
        let round = round_for(chain.chain_info(), ATTESTED_MS, MARGIN_MS).unwrap();
        let randomness = chain.sign(round).validate(chain.chain_info()).unwrap();
        let beacon = BeaconParams::new(10, randomness.randomness()).unwrap();

        let r1cs = testkit::small_r1cs(2);
        let ptau = testkit::development_ptau(3);
        let mut initial = Cursor::new(Vec::new());
        new_initial_key(
            &R1cs::open(r1cs.as_slice()).unwrap(),
            &Ptau::open(ptau.as_slice()).unwrap(),
            &mut initial,
            &SetupOptions::default(),
            &NoProgress,
        )
        .unwrap();
        let initial = initial.into_inner();
        let mut contributed = Vec::new();
        let mut sources = Sources {
            module: &mut OperatingSystem,
            system: &mut OperatingSystem,
            requester: &[],
            context: b"test",
        };
        let before = ZKey::open(initial.as_slice()).unwrap();
        contribute::contribute(&before, &mut sources, None, &mut contributed, &NoProgress).unwrap();
        let mut finished = Vec::new();
        let before = ZKey::open(contributed.as_slice()).unwrap();
        phase2::beacon::apply_beacon(&before, &beacon, None, &mut finished, &NoProgress).unwrap();
        Self {
            security: SimulatedNsm::new(PCRS, clock).unwrap(),
            round,
            round_time_ms: round_time_ms(chain.chain_info(), round).unwrap(),
            chain,
            r1cs,
            ptau,
            initial,
            contributed,
            beacon,
            finished,
        }
    }
}

pub(crate) fn boot() -> Boot {
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
        anchor: WORLD.security.anchor(),
        pcrs: PcrPolicy::unpinned(),
    }
}

pub(crate) fn fields() -> SpecFields {
    SpecFields {
        beacon: BeaconSpec::new(&Chain::Local(WORLD.chain.chain_info().clone()), MARGIN_MS),
        circuit: CircuitSpec::R1cs {
            sha256: Sha256Digest::of(&WORLD.r1cs),
        },
        compiler_solc: Sha256Digest::new([2; 32]),
        contribution_name: "test".to_owned(),
        curve: CurveName::Bn128,
        initial: manifest::InitialSpec::Fresh,
        phase1_family: Phase1Family::Development,
        requester_nonce: [7; 32],
    }
}

pub(crate) fn spec() -> Spec {
    fields().validate().unwrap()
}

/// The circuit with a record of `bytes` in its r1cs's place.
pub(crate) fn circuit(bytes: Option<&[u8]>) -> CompiledCircuit {
    let header = *R1cs::open(WORLD.r1cs.as_slice()).unwrap().header();
    CompiledCircuit {
        sources: None,
        r1cs: record(ArtifactKind::R1cs, bytes.unwrap_or(&WORLD.r1cs)),
        counts: CircuitCounts {
            constraints: header.n_constraints,
            wires: header.n_wires,
            outputs: header.n_outputs,
            public_inputs: header.n_public_inputs,
            private_inputs: header.n_private_inputs,
        },
    }
}

/// The ptau's record with a power that may not be its own; the circuit needs 3.
pub(crate) fn ptau(power: u32) -> Phase1File {
    Phase1File {
        record: record(ArtifactKind::Ptau, &WORLD.ptau),
        power,
    }
}

fn initial_key(key: &[u8]) -> InitialKey {
    InitialKey {
        record: record(ArtifactKind::InitialZkey, key),
        verified: InitialVerified::Fresh(
            check_initial_key(
                &R1cs::open(WORLD.r1cs.as_slice()).unwrap(),
                &Ptau::open(WORLD.ptau.as_slice()).unwrap(),
                &ZKey::open(key).unwrap(),
                &CHALLENGE,
                &NoProgress,
            )
            .unwrap(),
        ),
    }
}

fn contribution() -> Contribution {
    let initial = ZKey::open(WORLD.initial.as_slice()).unwrap();
    let contributed = ZKey::open(WORLD.contributed.as_slice()).unwrap();
    Contribution {
        record: record(ArtifactKind::ContributionZkey, &WORLD.contributed),
        verified: check_contribution(&initial, &contributed, &CHALLENGE, &NoProgress).unwrap(),
    }
}

/// The final key with the token of a beacon of `round`.
fn final_key(round: Round) -> FinalKey {
    let before = ZKey::open(WORLD.contributed.as_slice()).unwrap();
    let after = ZKey::open(WORLD.finished.as_slice()).unwrap();
    let chain = WORLD.chain.chain_info();
    let beacon = WORLD.chain.sign(round).validate(chain).unwrap();
    let records = [
        ArtifactKind::Beacon,
        ArtifactKind::FinalZkey,
        ArtifactKind::VerificationKey,
        ArtifactKind::VerifierSol,
        ArtifactKind::VerifierInput,
        ArtifactKind::VerifierCreation,
        ArtifactKind::VerifierRuntime,
    ];
    FinalKey {
        beacon: beacon.matching(chain, round).unwrap(),
        verified: check_beacon(&before, &after, &WORLD.beacon, &CHALLENGE, &NoProgress).unwrap(),
        // The machine judges what is there; whether it is right is the evidence's matter.
        records: Records::from(records.map(|kind| (kind, record(kind, kind.name().as_bytes())))),
        runtime_keccak256: [6; 32],
    }
}

fn document(
    kind: ArtifactKind,
    nonce: &[u8; 32],
    statement: &Statement,
    time_ms: u64,
) -> AttestationDocument {
    let security = &WORLD.security;
    let mut fields = security
        .fields(Some(nonce), Some(&statement.user_data()), None)
        .unwrap();
    fields.timestamp = time_ms;
    let bytes = security
        .sign(&payload(&fields.entries(), MapForm::default()))
        .unwrap();
    let record = record(kind, &bytes);
    AttestationDocument { bytes, record }
}

/// Document 1: what it must be about does not depend on the stage of `ceremony`.
fn first_document(flaw: Option<Flaw>) -> AttestationDocument {
    let nonce = match flaw {
        None => Sha256Digest::of(&WORLD.contributed),
        Some(_) => Sha256Digest::of(&WORLD.initial),
    };
    let statement = Statement::Contribution {
        ceremony_id: *spec().id().0.as_bytes(),
    };
    let kind = ArtifactKind::Attestation1;
    document(kind, nonce.as_bytes(), &statement, ATTESTED_MS)
}

fn second_document(ceremony: &Ceremony, flaw: Option<Flaw>) -> AttestationDocument {
    let nonce = match (ceremony, flaw) {
        (Ceremony::Finalized(stage), None | Some(Flaw::Early)) => stage.manifest().sha256(),
        _ => Sha256Digest::of(b"no manifest"),
    };
    let time_ms = match flaw {
        Some(Flaw::Early) => WORLD.round_time_ms - 1,
        _ => WORLD.round_time_ms,
    };
    let statement = Statement::Manifest {
        ceremony_id: *spec().id().0.as_bytes(),
    };
    let kind = ArtifactKind::Attestation2;
    document(kind, nonce.as_bytes(), &statement, time_ms)
}

/// The certificates of the module: the same in every document of this clock.
fn certificates(flaw: Option<Flaw>) -> Vec<Vec<u8>> {
    let mut certificates = RawDocument(first_document(None).bytes)
        .certificates()
        .unwrap();
    if flaw.is_some() {
        certificates.pop();
    }
    certificates
}

/// A command for `ceremony` to judge, right but for the flaw.
pub(crate) fn command(ceremony: &Ceremony, kind: CommandKind, flaw: Option<Flaw>) -> Command {
    match kind {
        CommandKind::Open => {
            let mut fields = fields();
            if flaw.is_some() {
                fields.compiler_solc = Sha256Digest::new([3; 32]);
            }
            Command::Open(Box::new(fields.validate().unwrap()))
        }
        CommandKind::CompileCircuit => {
            let other = flaw.map(|_| b"another r1cs".as_slice());
            Command::CompileCircuit(Box::new(circuit(other)))
        }
        CommandKind::CheckPhase1 => Command::CheckPhase1(ptau(if flaw.is_some() { 2 } else { 3 })),
        CommandKind::CheckInitialKey => Command::CheckInitialKey(match flaw {
            None => initial_key(&WORLD.initial),
            Some(_) => initial_key(&testkit::outdated_initial_key(&WORLD.initial, &WORLD.ptau)),
        }),
        CommandKind::Contribute => Command::Contribute(contribution()),
        CommandKind::AttestContribution => Command::AttestContribution(first_document(flaw)),
        CommandKind::SubmitCertificates => Command::SubmitCertificates(certificates(flaw)),
        CommandKind::ApplyBeacon => {
            let next = u64::from(flaw.is_some());
            let round = Round::new(WORLD.round.get() + next).unwrap();
            Command::ApplyBeacon(Box::new(final_key(round)))
        }
        CommandKind::Seal => Command::Seal(second_document(ceremony, flaw)),
    }
}

/// The commands, in the order in which they are right.
pub(crate) const IN_ORDER: [(CommandKind, Stage); 9] = [
    (CommandKind::Open, Stage::Opened),
    (CommandKind::CompileCircuit, Stage::Compiled),
    (CommandKind::CheckPhase1, Stage::Phase1Ready),
    (CommandKind::CheckInitialKey, Stage::InitialReady),
    (CommandKind::Contribute, Stage::Contributed),
    (CommandKind::AttestContribution, Stage::Committed),
    (CommandKind::SubmitCertificates, Stage::RoundAssigned),
    (CommandKind::ApplyBeacon, Stage::Finalized),
    (CommandKind::Seal, Stage::Sealed),
];

/// A ceremony in `stage`, reached by right commands.
pub(crate) fn reach(stage: Stage) -> Ceremony {
    let mut ceremony = Ceremony::new(boot());
    for (kind, next) in IN_ORDER {
        if ceremony.stage() == stage {
            break;
        }
        let right = command(&ceremony, kind, None);
        let step = ceremony.advance(right);
        assert_eq!(step.outcome.unwrap(), next);
        ceremony = step.ceremony;
    }
    assert_eq!(ceremony.stage(), stage);
    ceremony
}
