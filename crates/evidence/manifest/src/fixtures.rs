//! Valid values for the tests of this crate.

use std::collections::BTreeMap;

use formats::digest::{Blake2b512Digest, Sha256Digest};

use crate::artifact::{ArtifactKind, ArtifactRecord};
use crate::manifest::{
    AgentMode, BeaconFacts, CircuitFacts, ContributionFacts, ManifestBuilder, Phase1Facts,
    SelfCheck, SelfCheckResult, SourceRecord,
};
use crate::predecessor::InitialSpec;
use crate::receipt::{ReceiptChain, ReceiptStage, Records};
use crate::sources::SourcePath;
use crate::spec::{
    BeaconChain, BeaconSpec, CircomOptions, CircuitInput, CircuitSpec, CurveName, Phase1Family,
    SpecFields,
};

pub(crate) fn digest(byte: u8) -> Sha256Digest {
    Sha256Digest::new([byte; 32])
}

pub(crate) fn path(plain: &str) -> SourcePath {
    SourcePath::new(plain).unwrap()
}

pub(crate) fn record(kind: ArtifactKind) -> ArtifactRecord {
    let name = kind.name().as_bytes();
    ArtifactRecord {
        size: u64::try_from(name.len()).unwrap(),
        sha256: Sha256Digest::of(name),
        blake2b512: kind.has_blake2b().then(|| Blake2b512Digest::of(name)),
    }
}

pub(crate) fn records(kinds: &[ArtifactKind]) -> Records {
    kinds.iter().map(|kind| (*kind, record(*kind))).collect()
}

pub(crate) fn spec_fields(input: CircuitInput) -> SpecFields {
    let chain = &drand::QUICKNET;
    SpecFields {
        beacon: BeaconSpec {
            chain: BeaconChain::Quicknet,
            chain_hash: *chain.hash(),
            genesis_s: chain.genesis_s(),
            period_s: chain.period_s(),
            iterations_exp: 10,
            margin_ms: 60_000,
            public_key: chain.public_key().as_bytes().to_vec(),
        },
        circuit: match input {
            CircuitInput::Sources => CircuitSpec::Sources {
                sha256: record(ArtifactKind::CircuitBundle).sha256,
                main: path("circuit/main.circom"),
                libraries: vec![path("lib0"), path("lib1/my lib")],
                options: CircomOptions::default(),
                compiler: digest(0xc1),
            },
            CircuitInput::R1cs => CircuitSpec::R1cs {
                sha256: record(ArtifactKind::R1cs).sha256,
            },
        },
        compiler_solc: digest(0xc2),
        contribution_name: "attested: caf\u{e9}".to_owned(),
        curve: CurveName::Bn128,
        initial: InitialSpec::Fresh,
        phase1_family: Phase1Family::Hermez,
        requester_nonce: [0x77; 32],
    }
}

pub(crate) fn receipts(input: CircuitInput) -> ReceiptChain {
    let id = spec_fields(input).validate().unwrap().id();
    let mut chain = ReceiptChain::new(id, input);
    for stage in ReceiptStage::ALL {
        chain
            .append(
                stage,
                records(stage.inputs(input)),
                records(stage.outputs(input)),
            )
            .unwrap();
    }
    chain
}

pub(crate) fn builder(input: CircuitInput) -> ManifestBuilder {
    let mut artifacts = records(&ArtifactKind::LISTED);
    let mut sources = BTreeMap::new();
    match input {
        CircuitInput::Sources => {
            for (file, size) in [("circuit/main.circom", 300), ("lib1/my lib/a.circom", 4)] {
                sources.insert(
                    path(file),
                    SourceRecord {
                        size,
                        sha256: digest(0x50),
                    },
                );
            }
        }
        CircuitInput::R1cs => {
            artifacts.remove(&ArtifactKind::WitnessWasm);
        }
    }
    let passed = SelfCheck {
        result: SelfCheckResult::Passed,
        seen: "nsm-hwrng".to_owned(),
    };
    ManifestBuilder {
        agent_mode: AgentMode::Production,
        agent_version: "0.1.0".to_owned(),
        artifacts,
        beacon: BeaconFacts {
            randomness: [0xbe; 32],
            round: 1_000,
            round_time_ms: 1_692_806_364_000,
        },
        circuit: CircuitFacts {
            constraints: 1000,
            wires: 1005,
            outputs: 1,
            public_inputs: 2,
            private_inputs: 3,
            power: 10,
        },
        runtime_keccak256: [0xee; 32],
        contribution: ContributionFacts {
            attested_time_ms: 1_692_806_302_000,
            hash: Blake2b512Digest::new([0x11; 64]),
            beacon_hash: Blake2b512Digest::new([0x22; 64]),
        },
        initial_zkey: record(ArtifactKind::InitialZkey),
        ptau: record(ArtifactKind::Ptau),
        contribution_zkey: record(ArtifactKind::ContributionZkey),
        phase1: Phase1Facts {
            family: Phase1Family::Hermez,
            power: 10,
        },
        predecessors: Vec::new(),
        receipts_head: receipts(input).head(),
        self_checks: BTreeMap::from([("rng-current".to_owned(), passed)]),
        sources,
        spec: spec_fields(input).validate().unwrap(),
        circuit_hash: Blake2b512Digest::new([0x33; 64]),
    }
}
