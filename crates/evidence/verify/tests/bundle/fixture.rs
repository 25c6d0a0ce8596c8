//! Makes complete SIMULATED bundles, genuine or with one lie that is attested all the same.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use attestation::{RawDocument, Statement, UnixMillis};
use drand::{Chain, Round, round_for, round_time_ms};
use formats::curve::Bn128;
use formats::digest::{DigestState, FileDigests, Sha256Digest};
use formats::progress::NoProgress;
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::zkey::{BeaconParams, ContributionKind, ContributionName, ZKey};
use local_beacon::LocalChain;
use manifest::manifest::{
    AgentMode, BeaconFacts, CircuitFacts, ContributionFacts, Phase1Facts, SelfCheck,
    SelfCheckResult, SourceRecord,
};
use manifest::receipt::Records;
use manifest::solidity::{VerifierKey, keccak256, standard_json, verifier_source};
use manifest::sources::{SourceBundle, SourcePath};
use manifest::spec::{
    BeaconSpec, CircomOptions, CircuitInput, CircuitSpec, CurveName, Phase1Family,
};
use manifest::{
    ArtifactKind, ArtifactRecord, BeaconJson, InitialSpec, ManifestBuilder, Predecessor,
    PredecessorKind, ReceiptChain, ReceiptStage, Spec, SpecFields, report, sums,
};
use phase2::beacon::apply_beacon;
use phase2::check::{ContributionReport, check_chain};
use phase2::contribution::{ContributionKey, Secrecy, apply};
use phase2::export::VerificationKey;
use phase2::setup::{SetupOptions, new_initial_key};
use simulation::document::{Fields, MapForm, payload};
use simulation::{Clock, SimulatedNsm};
use verify::{Depth, Report, Trust, VerifyOptions, verify_bundle};

/// When document 1 is signed, Unix milliseconds: half a second off any round.
pub(crate) const T1: u64 = 1_700_000_100_500;
const GENESIS_S: u64 = 1_700_000_000;
const PERIOD_S: u64 = 3;
pub(crate) const CONSTRAINTS: u32 = 6;
pub(crate) const POWER: u32 = 4;

/// What a made bundle does differently. Each field is one lie; by default there is none.
#[derive(Clone, Copy)]
pub(crate) struct Knobs {
    pub(crate) input: CircuitInput,
    pub(crate) spec: fn(&mut SpecFields),
    /// Changes the r1cs that is bundled, not the one that the key is made for.
    pub(crate) bundled_r1cs: fn(&mut Vec<u8>),
    /// The 0000.zkey that is contributed to, from the right one.
    pub(crate) initial_key: fn(&[u8]) -> Vec<u8>,
    pub(crate) statement_1: fn(Statement) -> Statement,
    pub(crate) statement_2: fn(Statement) -> Statement,
    pub(crate) fields_1: fn(&mut Fields),
    pub(crate) fields_2: fn(&mut Fields),
    /// Rounds added to the assigned one.
    pub(crate) later_rounds: u64,
    pub(crate) iterations_exp: u8,
    /// Changes the value that the beacon step takes, not the beacon.
    pub(crate) beacon_value: fn(&mut [u8; 32]),
    pub(crate) beacon_json: fn(&mut BeaconJson),
    pub(crate) name_in_file: Option<&'static str>,
    /// Contributions made before the beacon.
    pub(crate) contributions: u8,
    /// Contributions that the initial key has already; the last one is a beacon if there are two.
    pub(crate) predecessors: u8,
    pub(crate) runtime: fn(&mut Vec<u8>),
    pub(crate) verification_key: fn(&mut String),
    pub(crate) verifier_source: fn(&mut String),
    pub(crate) verifier_input: fn(&mut String),
    pub(crate) receipts: fn(ReceiptStage, &mut Records),
    pub(crate) manifest: fn(&mut ManifestBuilder),
    /// Milliseconds between the round and document 2.
    pub(crate) seal_delay_ms: i64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            input: CircuitInput::Sources,
            spec: |_| {},
            bundled_r1cs: |_| {},
            initial_key: <[u8]>::to_vec,
            statement_1: |statement| statement,
            statement_2: |statement| statement,
            fields_1: |_| {},
            fields_2: |_| {},
            later_rounds: 0,
            iterations_exp: 10,
            beacon_value: |_| {},
            beacon_json: |_| {},
            name_in_file: None,
            contributions: 1,
            predecessors: 0,
            runtime: |_| {},
            verification_key: |_| {},
            verifier_source: |_| {},
            verifier_input: |_| {},
            receipts: |_, _| {},
            manifest: |_| {},
            seal_delay_ms: 1_000,
        }
    }
}

/// The files of a bundle in memory.
#[derive(Clone)]
pub(crate) struct Bundle {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) root: Vec<u8>,
}

impl Bundle {
    /// The bundle without any lie, made once.
    pub(crate) fn genuine() -> &'static Self {
        static GENUINE: OnceLock<Bundle> = OnceLock::new();
        GENUINE.get_or_init(|| make(&Knobs::default()))
    }

    pub(crate) fn write(&self, folder: &Path) {
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    /// Writes the bundle to a fresh folder and verifies it with the options that `change` leaves.
    pub(crate) fn verify<'a>(&self, change: impl FnOnce(&mut VerifyOptions<'a>)) -> Report {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        verify_folder(folder.path(), &self.root, change)
    }
}

pub(crate) fn verify_folder<'a>(
    folder: &Path,
    root: &[u8],
    change: impl FnOnce(&mut VerifyOptions<'a>),
) -> Report {
    let mut options = VerifyOptions {
        trust: Trust::Simulation {
            root: Some(root.to_vec()),
        },
        depth: Depth::Artifacts,
        nonce: None,
        source: None,
        ptau: None,
        circuit_compiler: None,
        contract_compiler: None,
        challenge_key: [0x5a; 32],
        progress: &NoProgress,
    };
    change(&mut options);
    verify_bundle(folder, &options)
}

#[derive(Clone)]
struct TestClock(Arc<AtomicU64>);

impl Clock for TestClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
}

fn digests(bytes: &[u8]) -> FileDigests {
    let mut state = DigestState::default();
    state.update(bytes);
    state.finish()
}

fn path(plain: &str) -> SourcePath {
    SourcePath::new(plain).unwrap()
}

/// Stand-in sources: nobody compiles them here.
pub(crate) fn sources() -> SourceBundle {
    SourceBundle::builder(path("circuit/main.circom"))
        .library(path("lib0"))
        .file(
            path("circuit/main.circom"),
            b"include \"gate.circom\";\n".to_vec(),
        )
        .file(path("circuit/sub/part.circom"), b"// part\n".to_vec())
        .file(path("lib0/gate.circom"), b"// gate\n".to_vec())
        .build()
        .unwrap()
}

fn spec_fields(knobs: &Knobs, chain: &Chain, r1cs: &[u8]) -> SpecFields {
    let circuit = match knobs.input {
        CircuitInput::Sources => CircuitSpec::Sources {
            sha256: sources().sha256(),
            main: path("circuit/main.circom"),
            libraries: vec![path("lib0")],
            options: CircomOptions::default(),
            compiler: Sha256Digest::new([0xc1; 32]),
        },
        CircuitInput::R1cs => CircuitSpec::R1cs {
            sha256: Sha256Digest::of(r1cs),
        },
    };
    SpecFields {
        beacon: BeaconSpec::new(chain, 3_000),
        circuit,
        compiler_solc: Sha256Digest::new([0xc2; 32]),
        contribution_name: "attested".to_owned(),
        curve: CurveName::Bn128,
        initial: InitialSpec::Fresh,
        phase1_family: Phase1Family::Development,
        requester_nonce: [0x77; 32],
    }
}

/// 0000.zkey of the fixture's circuit, made once.
fn initial_key() -> &'static Vec<u8> {
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    KEY.get_or_init(|| {
        let r1cs = R1cs::open(testkit::small_r1cs(CONSTRAINTS)).unwrap();
        let ptau = Ptau::open(testkit::development_ptau(POWER)).unwrap();
        let mut out = Cursor::new(Vec::new());
        let options = SetupOptions {
            memory_bytes: 64 << 20,
            threads: None,
        };
        new_initial_key(&r1cs, &ptau, &mut out, &options, &NoProgress).unwrap();
        out.into_inner()
    })
}

fn contribute(before: Vec<u8>, seed: u8, name: &str) -> Vec<u8> {
    let before = ZKey::open(before).unwrap();
    let key = ContributionKey::<Bn128>::from_seed(&[seed; 32]);
    let name = ContributionName::new(name.as_bytes()).unwrap();
    let kind = ContributionKind::Ordinary;
    let mut out = Vec::new();
    apply(
        &before,
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

/// The initial key after so many contributions by others.
fn continued(predecessors: u8) -> Vec<u8> {
    let mut key = initial_key().clone();
    for number in 1..=predecessors {
        key = if number == 2 {
            let params = BeaconParams::new(10, b"a public value").unwrap();
            let mut out = Vec::new();
            let before = ZKey::open(key).unwrap();
            apply_beacon(&before, &params, None, &mut out, &NoProgress).unwrap();
            out
        } else {
            contribute(key, 100 + number, "Ann <b>")
        };
    }
    key
}

fn predecessors(reports: &[ContributionReport]) -> Vec<Predecessor> {
    let name = |report: &ContributionReport| {
        let name = report.unauthenticated_name.as_ref();
        name.map_or_else(Vec::new, |name| name.as_bytes().to_vec())
    };
    reports
        .iter()
        .map(|report| Predecessor {
            hash: report.hash,
            kind: match report.beacon {
                None => PredecessorKind::Contribution,
                Some(_) => PredecessorKind::Beacon,
            },
            unauthenticated_name: name(report),
        })
        .collect()
}

/// Runs a whole ceremony with the lies of `knobs` and puts the bundle together.
#[expect(clippy::too_many_lines, reason = "a whole ceremony, told in order")]
pub(crate) fn make(knobs: &Knobs) -> Bundle {
    let local = LocalChain::from_seed([7; 32], GENESIS_S, PERIOD_S).unwrap();
    let chain = Chain::Local(local.chain_info().clone());
    let time = Arc::new(AtomicU64::new(T1));
    let image = [[0xa0; 48], [0xa1; 48], [0xa2; 48]];
    let nsm = SimulatedNsm::new(image, TestClock(time.clone())).unwrap();
    let attest = |nonce: &Sha256Digest, statement: Statement, change: fn(&mut Fields)| {
        let data = statement.user_data();
        let mut fields = nsm
            .fields(Some(nonce.as_bytes()), Some(&data), None)
            .unwrap();
        change(&mut fields);
        nsm.sign(&payload(&fields.entries(), MapForm::Indefinite))
            .unwrap()
    };

    // The request.
    let mut r1cs = testkit::small_r1cs(CONSTRAINTS);
    (knobs.bundled_r1cs)(&mut r1cs);
    let mut fields = spec_fields(knobs, &chain, &r1cs);
    let initial_key = continued(knobs.predecessors);
    if knobs.predecessors > 0 {
        let sha256 = Sha256Digest::of(&initial_key);
        fields.initial = InitialSpec::Chain { sha256 };
    }
    (knobs.spec)(&mut fields);
    let spec: Spec = fields.validate().unwrap();
    let ceremony_id = *spec.id().0.as_bytes();

    // The contribution, and document 1 over it.
    let mut contribution_key = (knobs.initial_key)(&initial_key);
    for seed in 1..=knobs.contributions {
        let name = knobs.name_in_file.unwrap_or(&spec.contribution_name);
        contribution_key = contribute(contribution_key, seed, name);
    }
    let statement = (knobs.statement_1)(Statement::Contribution { ceremony_id });
    let attestation_1 = attest(
        &Sha256Digest::of(&contribution_key),
        statement,
        knobs.fields_1,
    );
    // The round that its time assigns, the beacon, and the final key.
    let info = local.chain_info();
    let assigned = round_for(info, T1, spec.beacon.margin_ms).unwrap();
    let round = Round::new(assigned.get() + knobs.later_rounds).unwrap();
    let raw = local.sign(round);
    let beacon = raw.validate(info).unwrap();
    let mut json = BeaconJson {
        chain: spec.beacon.chain,
        round: round.get(),
        randomness: *beacon.randomness(),
        signature: beacon.signature().to_vec(),
        previous_signature: None,
    };
    (knobs.beacon_json)(&mut json);
    let mut value = *beacon.randomness();
    (knobs.beacon_value)(&mut value);
    let params = BeaconParams::new(knobs.iterations_exp, &value).unwrap();
    let before = ZKey::open(contribution_key.clone()).unwrap();
    let mut final_key = Vec::new();
    apply_beacon(&before, &params, None, &mut final_key, &NoProgress).unwrap();

    // What follows from the final key.
    let key = ZKey::open(final_key.clone()).unwrap();
    let exported = VerificationKey::<Bn128>::from_zkey(&key).unwrap();
    let contract_key = VerifierKey::from_points(
        &exported.alpha1,
        &exported.beta2,
        &exported.gamma2,
        &exported.delta2,
        &exported.ic,
    )
    .unwrap();
    let mut verification_key = exported.to_json();
    (knobs.verification_key)(&mut verification_key);
    let mut source = verifier_source(&contract_key);
    (knobs.verifier_source)(&mut source);
    let mut input = standard_json(&source).as_str().to_owned();
    (knobs.verifier_input)(&mut input);
    let runtime = b"runtime code".to_vec();
    let creation = [b"creation ".as_slice(), &runtime].concat();
    let mut shipped_runtime = runtime.clone();
    (knobs.runtime)(&mut shipped_runtime);
    let chain_report = check_chain(&key, &[1; 32], &NoProgress).unwrap();
    let before_us = usize::from(knobs.predecessors);
    let hashes: Vec<_> = chain_report
        .contributions
        .iter()
        .map(|report| report.hash)
        .collect();

    // Files, receipts, manifest.
    let mut files: BTreeMap<ArtifactKind, Vec<u8>> = BTreeMap::from([
        (ArtifactKind::R1cs, r1cs.clone()),
        (ArtifactKind::FinalZkey, final_key),
        (ArtifactKind::VerificationKey, verification_key.into_bytes()),
        (ArtifactKind::VerifierSol, source.into_bytes()),
        (ArtifactKind::VerifierInput, input.into_bytes()),
        (
            ArtifactKind::VerifierCreation,
            hex::encode(creation).into_bytes(),
        ),
        (
            ArtifactKind::VerifierRuntime,
            hex::encode(&shipped_runtime).into_bytes(),
        ),
        (ArtifactKind::Attestation1, attestation_1.clone()),
        (ArtifactKind::Beacon, json.to_bytes()),
    ]);
    if knobs.input == CircuitInput::Sources {
        files.insert(ArtifactKind::WitnessWasm, b"witness generator".to_vec());
    }
    let mut unshipped = BTreeMap::from([
        (ArtifactKind::CircuitBundle, sources().encode()),
        (ArtifactKind::InitialZkey, initial_key),
        (ArtifactKind::ContributionZkey, contribution_key),
        (ArtifactKind::Ptau, testkit::development_ptau(POWER)),
    ]);
    unshipped.extend(files.clone());
    let record = |kind: ArtifactKind| ArtifactRecord::new(kind, &digests(&unshipped[&kind]));
    let mut receipts = ReceiptChain::new(spec.id(), knobs.input);
    for stage in ReceiptStage::ALL {
        let records = |kinds: &[ArtifactKind]| -> Records {
            kinds.iter().map(|kind| (*kind, record(*kind))).collect()
        };
        let mut inputs = records(stage.inputs(knobs.input));
        (knobs.receipts)(stage, &mut inputs);
        receipts
            .append(stage, inputs, records(stage.outputs(knobs.input)))
            .unwrap();
    }
    let mut artifacts: Records = files.keys().map(|kind| (*kind, record(*kind))).collect();
    let receipt_bytes = receipts.to_bytes();
    let receipt_record = ArtifactRecord::new(ArtifactKind::Receipts, &digests(&receipt_bytes));
    artifacts.insert(ArtifactKind::Receipts, receipt_record);
    files.insert(ArtifactKind::Receipts, receipt_bytes);
    let header = R1cs::open(testkit::small_r1cs(CONSTRAINTS)).unwrap();
    let header = header.header();
    let round_ms = round_time_ms(info, round).unwrap();
    let source_records = match knobs.input {
        CircuitInput::R1cs => BTreeMap::new(),
        CircuitInput::Sources => sources()
            .files()
            .iter()
            .map(|file| {
                let size = u64::try_from(file.content().len()).unwrap();
                let sha256 = file.sha256();
                (file.path().clone(), SourceRecord { size, sha256 })
            })
            .collect(),
    };
    let simulated = SelfCheck {
        result: SelfCheckResult::Simulated,
        seen: "no security module".to_owned(),
    };
    let mut builder = ManifestBuilder {
        agent_mode: AgentMode::Simulation,
        agent_version: "0.1.0".to_owned(),
        artifacts,
        beacon: BeaconFacts {
            randomness: *beacon.randomness(),
            round: round.get(),
            round_time_ms: round_ms,
        },
        circuit: CircuitFacts {
            constraints: header.n_constraints,
            wires: header.n_wires,
            outputs: header.n_outputs,
            public_inputs: header.n_public_inputs,
            private_inputs: header.n_private_inputs,
            power: header.power(),
        },
        runtime_keccak256: keccak256(&runtime),
        contribution: ContributionFacts {
            attested_time_ms: T1,
            hash: hashes[usize::from(knobs.predecessors).min(hashes.len() - 1)],
            beacon_hash: *hashes.last().unwrap(),
        },
        initial_zkey: record(ArtifactKind::InitialZkey),
        ptau: record(ArtifactKind::Ptau),
        contribution_zkey: record(ArtifactKind::ContributionZkey),
        phase1: Phase1Facts {
            family: spec.phase1_family,
            power: POWER,
        },
        predecessors: predecessors(&chain_report.contributions[..before_us]),
        receipts_head: receipts.head(),
        self_checks: BTreeMap::from([("rng-current".to_owned(), simulated)]),
        sources: source_records,
        spec,
        circuit_hash: key.circuit_hash(),
    };
    (knobs.manifest)(&mut builder);
    let manifest = builder.build().unwrap();

    // Document 2 over the manifest, and what follows from everything.
    let sealed_at = round_ms.checked_add_signed(knobs.seal_delay_ms).unwrap();
    time.store(sealed_at, Ordering::SeqCst);
    let statement = (knobs.statement_2)(Statement::Manifest { ceremony_id });
    let attestation_2 = attest(&manifest.sha256(), statement, knobs.fields_2);
    let page = report::render(&manifest, &attestation_1, &attestation_2).unwrap();
    let list = sums::render(&manifest, &attestation_2, page.as_bytes());
    let named = files
        .into_iter()
        .map(|(kind, bytes)| (kind.name().to_owned(), bytes));
    let mut files: BTreeMap<String, Vec<u8>> = named.collect();
    if knobs.input == CircuitInput::Sources {
        for file in sources().files() {
            files.insert(format!("circuit/{}", file.path()), file.content().to_vec());
        }
    }
    files.insert("manifest".to_owned(), manifest.text().to_vec());
    files.insert("attestation-2.cbor".to_owned(), attestation_2);
    files.insert("report.html".to_owned(), page.into_bytes());
    files.insert("SHA256SUMS".to_owned(), list.into_bytes());
    Bundle {
        files,
        root: nsm.root_der().to_vec(),
    }
}

/// The certificates in a document: the module's own root comes first.
pub(crate) fn root_in(document: &[u8]) -> Vec<u8> {
    RawDocument(document.to_vec())
        .certificates()
        .unwrap()
        .remove(0)
}
