//! The manifest: the list that the second attestation covers.

mod error;

use std::collections::BTreeMap;

use formats::digest::{Blake2b512Digest, Sha256Digest};

use crate::artifact::{ArtifactKind, ArtifactRecord, TaggedBlake2b512, TaggedSha256};
use crate::canonical::{CanonicalError, Entries, Spelling, spelt, word};
use crate::predecessor::{
    InitialSpec, MAX_PREDECESSORS, Predecessor, set_predecessors, take_predecessors,
};
use crate::receipt::Records;
use crate::sources::{MAX_FILES, SourcePath};
use crate::spec::{BeaconChain, CeremonyId, CircuitInput, Phase1Family, Spec};

pub use error::ManifestError;

/// First line of a manifest.
pub const MAGIC: &str = "attested-ceremony manifest v1";
/// Most bytes of a manifest: 10,000 source files with percent-encoded paths of 512 bytes.
pub const MAX_MANIFEST_BYTES: usize = 20 * 1024 * 1024;

word! {
    /// What kind of enclave agent made the bundle.
    AgentMode, "`production` or `simulation`",
    /// Nitro Security Module, pinned root, drand only.
    Production = "production",
    /// SIMULATION: at least one part is simulated.
    Simulation = "simulation",
}

word! {
    /// How a self-check of the agent ended. A failed one stops the ceremony, so it cannot stand here.
    SelfCheckResult, "`passed` or `simulated`",
    /// The check was made and passed.
    Passed = "passed",
    /// SIMULATION: the part that would be checked is simulated.
    Simulated = "simulated",
}

/// One self-check of the agent, made before the ceremony was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfCheck {
    /// How it ended.
    pub result: SelfCheckResult,
    /// What was seen: printable ASCII, not empty.
    pub seen: String,
}

impl std::fmt::Display for SelfCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.result, self.seen)
    }
}

impl Spelling for SelfCheck {
    const EXPECTED: &'static str = "`passed` or `simulated`, a space and what was seen";
    fn read(value: &str) -> Option<Self> {
        let (result, seen) = value.split_once(' ')?;
        if seen.is_empty() || seen.starts_with(' ') {
            return None;
        }
        Some(Self {
            result: SelfCheckResult::read(result)?,
            seen: seen.to_owned(),
        })
    }
}

/// Size and SHA-256 of one source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceRecord {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub sha256: Sha256Digest,
}

/// Numbers of the r1cs and the power of its domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitFacts {
    /// Constraints.
    pub constraints: u32,
    /// Wires, the constant one included.
    pub wires: u32,
    /// Public outputs.
    pub outputs: u32,
    /// Public inputs.
    pub public_inputs: u32,
    /// Private inputs.
    pub private_inputs: u32,
    /// log2 of the domain.
    pub power: u32,
}

/// The beacon that was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeaconFacts {
    /// SHA-256 of the round's signature.
    pub randomness: [u8; 32],
    /// The round.
    pub round: u64,
    /// Its publication time, milliseconds since the Unix epoch.
    pub round_time_ms: u64,
}

/// The contribution and the beacon as the final key records them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContributionFacts {
    /// Timestamp of document 1, milliseconds since the Unix epoch.
    pub attested_time_ms: u64,
    /// Contribution hash of the enclave's contribution, as snarkjs prints it.
    pub hash: Blake2b512Digest,
    /// Contribution hash of the beacon step.
    pub beacon_hash: Blake2b512Digest,
}

/// The phase 1 that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase1Facts {
    /// Its family.
    pub family: Phase1Family,
    /// log2 of its size.
    pub power: u32,
}

/// The values of a manifest, to be checked by [`ManifestBuilder::build`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestBuilder {
    /// Kind of agent.
    pub agent_mode: AgentMode,
    /// Semantic version of the agent.
    pub agent_version: String,
    /// What the bundle ships: exactly [`ArtifactKind::LISTED`], for `circuit.input r1cs` without the wasm.
    pub artifacts: Records,
    /// The beacon.
    pub beacon: BeaconFacts,
    /// The circuit.
    pub circuit: CircuitFacts,
    /// Keccak-256 of the contract's runtime code.
    pub runtime_keccak256: [u8; 32],
    /// The contribution.
    pub contribution: ContributionFacts,
    /// The initial key: used, not shipped.
    pub initial_zkey: ArtifactRecord,
    /// The ptau: used, not shipped.
    pub ptau: ArtifactRecord,
    /// 0001.zkey: not shipped, `verify` rebuilds it.
    pub contribution_zkey: ArtifactRecord,
    /// The phase 1.
    pub phase1: Phase1Facts,
    /// The contributions in the initial key; none of a fresh one.
    pub predecessors: Vec<Predecessor>,
    /// SHA-256 of the last receipt.
    pub receipts_head: Sha256Digest,
    /// Self-checks by name, `[a-z0-9_.-]+`.
    pub self_checks: BTreeMap<String, SelfCheck>,
    /// Source files by path inside the bundle; empty for `circuit.input r1cs`.
    pub sources: BTreeMap<SourcePath, SourceRecord>,
    /// The spec.
    pub spec: Spec,
    /// csHash of the key.
    pub circuit_hash: Blake2b512Digest,
}

/// A manifest whose parts fit together and whose text is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    fields: ManifestBuilder,
    text: Vec<u8>,
}

impl std::ops::Deref for Manifest {
    type Target = ManifestBuilder;
    fn deref(&self) -> &ManifestBuilder {
        &self.fields
    }
}

impl Manifest {
    /// The canonical text, as it is hashed and attested.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// SHA-256 of the text: the nonce of the second attestation.
    pub fn sha256(&self) -> Sha256Digest {
        Sha256Digest::of(&self.text)
    }

    /// The record of an artifact, shipped or not.
    pub fn record(&self, kind: ArtifactKind) -> Option<&ArtifactRecord> {
        match kind {
            ArtifactKind::InitialZkey => Some(&self.fields.initial_zkey),
            ArtifactKind::Ptau => Some(&self.fields.ptau),
            ArtifactKind::ContributionZkey => Some(&self.fields.contribution_zkey),
            shipped => self.fields.artifacts.get(&shipped),
        }
    }

    /// True when any part is simulated.
    pub fn is_simulation(&self) -> bool {
        self.fields.agent_mode == AgentMode::Simulation
    }
}

/// Bytes that claim to be a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawManifest(pub Vec<u8>);

impl RawManifest {
    /// Parses the text and checks that its parts fit together.
    pub fn validate(&self) -> Result<Manifest, ManifestError> {
        let mut entries = Entries::parse(&self.0, MAGIC, MAX_MANIFEST_BYTES)?;
        let id: CeremonyId = entries.take_as("ceremony.id")?;
        let builder = ManifestBuilder::take(&mut entries)?;
        entries.finish()?;
        let expected = builder.spec.id();
        if id != expected {
            return Err(ManifestError::CeremonyId { expected, got: id });
        }
        builder.build()
    }
}

impl ManifestBuilder {
    /// Checks that the parts fit together and fixes the text.
    pub fn build(self) -> Result<Manifest, ManifestError> {
        self.check_records()?;
        self.check_sources()?;
        self.check_phase1()?;
        self.check_initial()?;
        self.check_mode()?;
        self.check_words()?;
        let text = self.entries().write(MAGIC)?;
        if text.len() > MAX_MANIFEST_BYTES {
            let (limit, got) = (MAX_MANIFEST_BYTES, text.len());
            return Err(CanonicalError::TooLong { limit, got }.into());
        }
        Ok(Manifest { fields: self, text })
    }

    fn check_records(&self) -> Result<(), ManifestError> {
        let input = self.spec.circuit.input();
        let listed = |kind: ArtifactKind| {
            kind != ArtifactKind::WitnessWasm || input == CircuitInput::Sources
        };
        for kind in ArtifactKind::LISTED
            .into_iter()
            .filter(|kind| listed(*kind))
        {
            if !self.artifacts.contains_key(&kind) {
                return Err(ManifestError::ArtifactMissing { kind });
            }
        }
        for &kind in self.artifacts.keys() {
            if !ArtifactKind::LISTED.contains(&kind) || !listed(kind) {
                return Err(ManifestError::ArtifactUnexpected { kind });
            }
        }
        let unshipped = [
            (ArtifactKind::InitialZkey, &self.initial_zkey),
            (ArtifactKind::Ptau, &self.ptau),
            (ArtifactKind::ContributionZkey, &self.contribution_zkey),
        ];
        let shipped = self.artifacts.iter().map(|(kind, record)| (*kind, record));
        for (kind, record) in shipped.chain(unshipped) {
            if !record.fits(kind) {
                return Err(ManifestError::ArtifactDigests { kind });
            }
        }
        Ok(())
    }

    fn check_sources(&self) -> Result<(), ManifestError> {
        let input = self.spec.circuit.input();
        let got = self.sources.len();
        let fits = match input {
            CircuitInput::Sources => (1..=MAX_FILES).contains(&got),
            CircuitInput::R1cs => got == 0,
        };
        if !fits {
            return Err(ManifestError::SourceCount { got, input });
        }
        let r1cs = self
            .artifacts
            .get(&ArtifactKind::R1cs)
            .map(|record| record.sha256);
        if input == CircuitInput::R1cs && r1cs != Some(self.spec.circuit.sha256()) {
            return Err(ManifestError::R1csNotAsSpecified);
        }
        Ok(())
    }

    fn check_phase1(&self) -> Result<(), ManifestError> {
        let (expected, got) = (self.spec.phase1_family, self.phase1.family);
        if expected != got {
            return Err(ManifestError::Phase1Family { expected, got });
        }
        let circuit = &self.circuit;
        let expected = formats::power::required_power(
            circuit.constraints,
            circuit.public_inputs,
            circuit.outputs,
        );
        if circuit.power != expected {
            return Err(ManifestError::Power {
                expected,
                got: circuit.power,
            });
        }
        if self.phase1.power < expected {
            return Err(ManifestError::Phase1Power {
                needed: expected,
                got: self.phase1.power,
            });
        }
        Ok(())
    }

    fn check_initial(&self) -> Result<(), ManifestError> {
        let got = self.predecessors.len();
        let fits = match self.spec.initial {
            InitialSpec::Fresh => got == 0,
            InitialSpec::Chain { .. } => (1..=MAX_PREDECESSORS).contains(&got),
        };
        if !fits {
            return Err(ManifestError::PredecessorCount { got });
        }
        match self.spec.initial {
            InitialSpec::Chain { sha256 } if sha256 != self.initial_zkey.sha256 => {
                Err(ManifestError::InitialNotAsSpecified)
            }
            _ => Ok(()),
        }
    }

    fn check_mode(&self) -> Result<(), ManifestError> {
        if self.agent_mode == AgentMode::Simulation {
            return Ok(());
        }
        let simulated = |part: String| Err(ManifestError::SimulatedPart { part });
        if self.spec.beacon.chain == BeaconChain::Local {
            return simulated("beacon.chain".to_owned());
        }
        if self.phase1.family == Phase1Family::Development {
            return simulated("phase1.family".to_owned());
        }
        for (name, check) in &self.self_checks {
            if check.result == SelfCheckResult::Simulated {
                return simulated(format!("self_check.{name}"));
            }
        }
        Ok(())
    }

    fn check_words(&self) -> Result<(), ManifestError> {
        if !is_semantic_version(&self.agent_version) {
            let expected = "MAJOR.MINOR.PATCH with an optional -PRERELEASE";
            return Err(ManifestError::Value {
                key: "agent.version",
                expected,
            });
        }
        if self
            .self_checks
            .values()
            .any(|check| check.seen.is_empty() || check.seen.starts_with(' '))
        {
            return Err(ManifestError::Value {
                key: "self_check",
                expected: SelfCheck::EXPECTED,
            });
        }
        Ok(())
    }

    fn entries(&self) -> Entries {
        let mut entries = Entries::new();
        entries.set("agent.mode", self.agent_mode);
        entries.set("agent.version", &self.agent_version);
        for (kind, record) in &self.artifacts {
            entries.set(format!("artifact.{kind}"), record);
        }
        entries.set("beacon.randomness", hex::encode(self.beacon.randomness));
        entries.set("beacon.round", self.beacon.round);
        entries.set("beacon.round_time_ms", self.beacon.round_time_ms);
        entries.set("ceremony.id", self.spec.id());
        entries.set("circuit.constraints", self.circuit.constraints);
        entries.set("circuit.outputs", self.circuit.outputs);
        entries.set("circuit.power", self.circuit.power);
        entries.set("circuit.private_inputs", self.circuit.private_inputs);
        entries.set("circuit.public_inputs", self.circuit.public_inputs);
        entries.set("circuit.wires", self.circuit.wires);
        entries.set(
            "contract.runtime_keccak256",
            hex::encode(self.runtime_keccak256),
        );
        entries.set(
            "contribution.attested_time_ms",
            self.contribution.attested_time_ms,
        );
        entries.set(
            "contribution.beacon_hash",
            TaggedBlake2b512(self.contribution.beacon_hash),
        );
        entries.set(
            "contribution.hash",
            TaggedBlake2b512(self.contribution.hash),
        );
        entries.set("input.initial.zkey", &self.initial_zkey);
        entries.set("input.ptau", &self.ptau);
        entries.set("intermediate.contribution.zkey", &self.contribution_zkey);
        entries.set("phase1.family", self.phase1.family);
        entries.set("phase1.power", self.phase1.power);
        set_predecessors(&mut entries, &self.predecessors);
        entries.set("receipts.head", TaggedSha256(self.receipts_head));
        for (name, check) in &self.self_checks {
            entries.set(format!("self_check.{name}"), check);
        }
        for (path, source) in &self.sources {
            let key = format!("source.{}", path.encode());
            entries.set(
                key,
                format!("{} {}", source.size, TaggedSha256(source.sha256)),
            );
        }
        for (key, value) in self.spec.entries().iter() {
            entries.set(format!("spec.{key}"), value);
        }
        entries.set("zkey.circuit_hash", TaggedBlake2b512(self.circuit_hash));
        entries
    }

    fn take(entries: &mut Entries) -> Result<Self, ManifestError> {
        let spec = Spec::from_entries(Entries::from_lines(entries.take_prefixed("spec.")))?;
        let TaggedSha256(receipts_head) = entries.take_as("receipts.head")?;
        let TaggedBlake2b512(circuit_hash) = entries.take_as("zkey.circuit_hash")?;
        Ok(Self {
            agent_mode: entries.take_as("agent.mode")?,
            agent_version: entries.take("agent.version")?,
            artifacts: take_artifacts(entries)?,
            beacon: BeaconFacts {
                randomness: entries.take_as("beacon.randomness")?,
                round: entries.take_as("beacon.round")?,
                round_time_ms: entries.take_as("beacon.round_time_ms")?,
            },
            circuit: CircuitFacts {
                constraints: entries.take_as("circuit.constraints")?,
                wires: entries.take_as("circuit.wires")?,
                outputs: entries.take_as("circuit.outputs")?,
                public_inputs: entries.take_as("circuit.public_inputs")?,
                private_inputs: entries.take_as("circuit.private_inputs")?,
                power: entries.take_as("circuit.power")?,
            },
            runtime_keccak256: entries.take_as("contract.runtime_keccak256")?,
            contribution: take_contribution(entries)?,
            initial_zkey: entries.take_as("input.initial.zkey")?,
            ptau: entries.take_as("input.ptau")?,
            contribution_zkey: entries.take_as("intermediate.contribution.zkey")?,
            phase1: Phase1Facts {
                family: entries.take_as("phase1.family")?,
                power: entries.take_as("phase1.power")?,
            },
            predecessors: take_predecessors(entries)?,
            receipts_head,
            self_checks: take_self_checks(entries)?,
            sources: take_sources(entries)?,
            spec,
            circuit_hash,
        })
    }
}

fn take_artifacts(entries: &mut Entries) -> Result<Records, CanonicalError> {
    let mut records = Records::new();
    for (name, value) in entries.take_prefixed("artifact.") {
        let key = format!("artifact.{name}");
        let kind = ArtifactKind::from_name(&name)
            .ok_or_else(|| CanonicalError::Unknown { key: key.clone() })?;
        records.insert(kind, spelt(&key, &value)?);
    }
    Ok(records)
}

fn take_contribution(entries: &mut Entries) -> Result<ContributionFacts, CanonicalError> {
    let TaggedBlake2b512(hash) = entries.take_as("contribution.hash")?;
    let TaggedBlake2b512(beacon_hash) = entries.take_as("contribution.beacon_hash")?;
    let attested_time_ms = entries.take_as("contribution.attested_time_ms")?;
    Ok(ContributionFacts {
        attested_time_ms,
        hash,
        beacon_hash,
    })
}

fn take_self_checks(entries: &mut Entries) -> Result<BTreeMap<String, SelfCheck>, CanonicalError> {
    entries
        .take_prefixed("self_check.")
        .into_iter()
        .map(|(name, value)| {
            let check = spelt(&format!("self_check.{name}"), &value)?;
            Ok((name, check))
        })
        .collect()
}

fn take_sources(
    entries: &mut Entries,
) -> Result<BTreeMap<SourcePath, SourceRecord>, CanonicalError> {
    entries
        .take_prefixed("source.")
        .into_iter()
        .map(|(encoded, value)| {
            let key = format!("source.{encoded}");
            let path = spelt(&key, &encoded)?;
            let record: ArtifactRecord = spelt(&key, &value)?;
            if record.blake2b512.is_some() {
                return Err(CanonicalError::Type {
                    key,
                    expected: "`SIZE sha256:HEX`",
                });
            }
            Ok((
                path,
                SourceRecord {
                    size: record.size,
                    sha256: record.sha256,
                },
            ))
        })
        .collect()
}

/// `MAJOR.MINOR.PATCH` of decimal integers, then optionally `-` and `[a-z0-9.]+`.
fn is_semantic_version(version: &str) -> bool {
    let (numbers, prerelease) = match version.split_once('-') {
        Some((numbers, prerelease)) => (numbers, Some(prerelease)),
        None => (version, None),
    };
    let word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.'))
    };
    numbers.split('.').count() == 3
        && numbers.split('.').all(|number| u32::read(number).is_some())
        && prerelease.is_none_or(word)
}

#[cfg(test)]
mod tests;
