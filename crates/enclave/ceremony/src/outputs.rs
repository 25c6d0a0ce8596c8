//! From the finished key to the manifest: everything the bundle will claim, gathered from the
//! stages' evidence.

use std::collections::BTreeMap;

use drand::BeaconMatchesRound;
use formats::digest::DigestState;
use manifest::manifest::{
    BeaconFacts, ContributionFacts, ManifestBuilder, SelfCheck as ManifestCheck, SelfCheckResult,
};
use manifest::receipt::Records;
use manifest::spec::CircuitInput;
use manifest::{ArtifactKind, ArtifactRecord, Manifest, ReceiptChain};
use phase2::check::FinalKeyVerified;

use crate::boot::{Boot, CheckOutcome};
use crate::error::CeremonyError;
use crate::stages::RoundAssigned;

/// What the agent hands in after it applied the beacon.
#[derive(Debug)]
pub struct FinalKey {
    /// From [`RoundAssigned::judge_beacon`]; the work was done with its randomness.
    pub beacon: BeaconMatchesRound,
    /// From the check of final.zkey.
    pub verified: FinalKeyVerified,
    /// `beacon.json`, and `final.zkey` with everything exported from it.
    pub records: Records,
    /// Keccak-256 of the contract's runtime code.
    pub runtime_keccak256: [u8; 32],
}

/// The manifest of a ceremony whose beacon has been applied. `receipts` is the whole chain, with
/// the receipt of that stage.
pub(crate) fn manifest(
    before: &RoundAssigned,
    key: &FinalKey,
    receipts: &ReceiptChain,
) -> Result<Manifest, CeremonyError> {
    let open = before.opened();
    let mut artifacts = key.records.clone();
    artifacts.insert(
        ArtifactKind::Receipts,
        record(ArtifactKind::Receipts, &receipts.to_bytes()),
    );
    artifacts.insert(ArtifactKind::Attestation1, before.document().record.clone());
    let circuit = before.circuit();
    for kind in shipped_circuit(open.spec().circuit.input()) {
        if let Some(record) = circuit.records().get(kind) {
            artifacts.insert(*kind, record.clone());
        }
    }
    let builder = ManifestBuilder {
        agent_mode: open.boot().mode,
        agent_version: open.boot().agent_version.clone(),
        artifacts,
        beacon: BeaconFacts {
            randomness: *key.beacon.randomness(),
            round: key.beacon.round().get(),
            round_time_ms: before.round_time_ms(),
        },
        circuit: *circuit.facts(),
        runtime_keccak256: key.runtime_keccak256,
        contribution: ContributionFacts {
            attested_time_ms: before.attested_time_ms(),
            hash: before.contribution().verified.hash(),
            beacon_hash: key.verified.hash(),
        },
        initial_zkey: before.initial().record.clone(),
        ptau: before.phase1().record().clone(),
        contribution_zkey: before.contribution().record.clone(),
        phase1: before.phase1().facts(),
        predecessors: before.initial().verified.predecessors(),
        receipts_head: receipts.head(),
        self_checks: self_checks(open.boot()),
        sources: circuit.sources().clone(),
        spec: open.spec().clone(),
        circuit_hash: before.initial().verified.circuit_hash(),
    };
    Ok(builder.build()?)
}

/// The record of an artifact that is small enough to be in memory.
pub fn record(kind: ArtifactKind, bytes: &[u8]) -> ArtifactRecord {
    let mut state = DigestState::default();
    state.update(bytes);
    ArtifactRecord::new(kind, &state.finish())
}

fn shipped_circuit(input: CircuitInput) -> &'static [ArtifactKind] {
    match input {
        CircuitInput::Sources => &[ArtifactKind::R1cs, ArtifactKind::WitnessWasm],
        CircuitInput::R1cs => &[ArtifactKind::R1cs],
    }
}

/// A failed check never gets here: it keeps the ceremony from being opened.
fn self_checks(boot: &Boot) -> BTreeMap<String, ManifestCheck> {
    boot.self_checks
        .iter()
        .filter_map(|check| {
            let result = match check.outcome {
                CheckOutcome::Passed => SelfCheckResult::Passed,
                CheckOutcome::Simulated => SelfCheckResult::Simulated,
                CheckOutcome::Failed => return None,
            };
            let seen = check.seen.clone();
            Some((check.name.to_owned(), ManifestCheck { result, seen }))
        })
        .collect()
}
