//! The steps of a verification and what became of each.

use std::fmt;

use manifest::ArtifactKind;

use crate::failure::Failure;

/// A step. The order is the order of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepId {
    /// The manifest is canonical and its parts fit together.
    Manifest,
    /// The spec hashes to the ceremony id.
    CeremonyId,
    /// The folder holds exactly the files of the bundle.
    Folder,
    /// The ceremony is the one that the requester asked for.
    Nonce,
    /// No simulated part, unless simulation is trusted.
    Mode,
    /// Document 2 is genuine and covers the manifest.
    Attestation2,
    /// Document 1 is genuine and covers the contribution.
    Attestation1,
    /// Both documents come from an enclave with the expected measurements, not in debug mode.
    Measurements,
    /// Both documents come from the same enclave.
    SameEnclave,
    /// The margin is long enough.
    Margin,
    /// The round is the one that document 1's time assigns.
    Round,
    /// The beacon is genuine.
    Beacon,
    /// Contribution, margin, round, manifest: in this order of time.
    TimeOrder,
    /// The stages' receipts form one chain to the manifest's head.
    Receipts,
    /// An artifact has the size and digests of the manifest.
    Artifact(ArtifactKind),
    /// The bundled sources are those that the spec names.
    Sources,
    /// The bundled sources are those in the folder that the caller gave.
    GivenSources,
    /// The r1cs has the manifest's counts.
    R1cs,
    /// Phase 1 is a published ceremony, or marked as development.
    Phase1,
    /// final.zkey has the circuit's shape and the manifest's circuit hash.
    KeyHeader,
    /// final.zkey has the enclave's contribution and the beacon, and no other.
    Contributions,
    /// The beacon in final.zkey is the verified one.
    BeaconRecord,
    /// Without the beacon, final.zkey is the file that document 1 covers.
    BeaconUndo,
    /// verification_key.json is final.zkey's.
    VerificationKey,
    /// verifier.sol is final.zkey's.
    VerifierSource,
    /// verifier.input.json is verifier.sol's.
    VerifierInput,
    /// The runtime code ends the creation code and has the manifest's Keccak-256.
    RuntimeCode,
    /// The circuit compiles to the same r1cs and witness generator.
    Recompile,
    /// final.zkey belongs to r1cs and ptau.
    KeyAgainstCircuit,
    /// The contract compiles to the same code.
    RecompileContract,
    /// report.html is the function of the rest that it must be.
    ReportPage,
    /// SHA256SUMS is the function of the rest that it must be.
    Sums,
}

impl StepId {
    /// Every step, in order. `Artifact` once for each listed kind.
    pub fn all() -> Vec<Self> {
        use StepId as S;
        let before = [
            S::Manifest,
            S::CeremonyId,
            S::Folder,
            S::Nonce,
            S::Mode,
            S::Attestation2,
            S::Attestation1,
            S::Measurements,
            S::SameEnclave,
            S::Margin,
            S::Round,
            S::Beacon,
            S::TimeOrder,
            S::Receipts,
        ];
        let after = [
            S::Sources,
            S::GivenSources,
            S::R1cs,
            S::Phase1,
            S::KeyHeader,
            S::Contributions,
            S::BeaconRecord,
            S::BeaconUndo,
            S::VerificationKey,
            S::VerifierSource,
            S::VerifierInput,
            S::RuntimeCode,
            S::Recompile,
            S::KeyAgainstCircuit,
            S::RecompileContract,
            S::ReportPage,
            S::Sums,
        ];
        let artifacts = ArtifactKind::LISTED.into_iter().map(S::Artifact);
        before.into_iter().chain(artifacts).chain(after).collect()
    }

    /// Stable name for machines.
    pub fn name(self) -> String {
        let name = match self {
            Self::Manifest => "manifest",
            Self::CeremonyId => "ceremony_id",
            Self::Folder => "folder",
            Self::Nonce => "nonce",
            Self::Mode => "mode",
            Self::Attestation2 => "attestation_2",
            Self::Attestation1 => "attestation_1",
            Self::Measurements => "measurements",
            Self::SameEnclave => "same_enclave",
            Self::Margin => "margin",
            Self::Round => "round",
            Self::Beacon => "beacon",
            Self::TimeOrder => "time_order",
            Self::Receipts => "receipts",
            Self::Artifact(kind) => return format!("artifact:{kind}"),
            Self::Sources => "sources",
            Self::GivenSources => "given_sources",
            Self::R1cs => "r1cs",
            Self::Phase1 => "phase1",
            Self::KeyHeader => "key_header",
            Self::Contributions => "contributions",
            Self::BeaconRecord => "beacon_record",
            Self::BeaconUndo => "beacon_undo",
            Self::VerificationKey => "verification_key",
            Self::VerifierSource => "verifier_source",
            Self::VerifierInput => "verifier_input",
            Self::RuntimeCode => "runtime_code",
            Self::Recompile => "recompile",
            Self::KeyAgainstCircuit => "key_against_circuit",
            Self::RecompileContract => "recompile_contract",
            Self::ReportPage => "report_page",
            Self::Sums => "sums",
        };
        name.to_owned()
    }

    /// What the step shows, for people.
    pub fn title(self) -> String {
        let title = match self {
            Self::Manifest => "manifest is canonical and consistent",
            Self::CeremonyId => "ceremony id is the digest of the spec",
            Self::Folder => "folder holds exactly the bundle's files",
            Self::Nonce => "ceremony is the one that was asked for",
            Self::Mode => "mode of the enclave agent",
            Self::Attestation2 => "attestation 2 is genuine and covers the manifest",
            Self::Attestation1 => "attestation 1 is genuine and covers the contribution",
            Self::Measurements => "measurements of the enclave are the expected ones",
            Self::SameEnclave => "both attestations come from the same enclave",
            Self::Margin => "margin between commitment and beacon is long enough",
            Self::Round => "beacon round is the one that the attested time assigns",
            Self::Beacon => "beacon is genuine",
            Self::TimeOrder => "commitment, beacon and manifest came in this order",
            Self::Receipts => "receipts of all stages form one chain",
            Self::Artifact(kind) => return format!("{kind} is the attested file"),
            Self::Sources => "sources are those that the spec names",
            Self::GivenSources => "sources are those in the given folder",
            Self::R1cs => "r1cs has the manifest's counts",
            Self::Phase1 => "phase 1 is what the manifest names",
            Self::KeyHeader => "final.zkey has the circuit's shape",
            Self::Contributions => "contributions of final.zkey: the enclave's and the beacon",
            Self::BeaconRecord => "beacon in final.zkey is the verified one",
            Self::BeaconUndo => "final.zkey without its beacon is the attested contribution",
            Self::VerificationKey => "verification_key.json is final.zkey's",
            Self::VerifierSource => "verifier.sol is final.zkey's",
            Self::VerifierInput => "verifier.input.json is verifier.sol's",
            Self::RuntimeCode => "runtime code belongs to the creation code",
            Self::Recompile => "circuit compiles to the same r1cs",
            Self::KeyAgainstCircuit => "final.zkey belongs to r1cs and ptau",
            Self::RecompileContract => "contract compiles to the same code",
            Self::ReportPage => "report.html is as computed",
            Self::Sums => "SHA256SUMS is as computed",
        };
        title.to_owned()
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// Why a step was not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The depth leaves it out.
    Depth,
    /// The caller did not give what the step needs.
    NotGiven(&'static str),
    /// The bundle has nothing of this kind.
    DoesNotApply(&'static str),
    /// An earlier step did not pass.
    Blocked(StepId),
    /// A file could not be read: nothing is known.
    Unreadable(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Depth => f.write_str("left out at this depth"),
            Self::NotGiven(what) => write!(f, "{what} not given"),
            Self::DoesNotApply(why) => f.write_str(why),
            Self::Blocked(step) => write!(f, "step `{step}` did not pass"),
            Self::Unreadable(what) => write!(f, "could not be read: {what}"),
        }
    }
}

/// What became of a step.
#[derive(Debug)]
pub enum Status {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed(Failure),
    /// It was not looked at, or could not be.
    NotChecked(Why),
}

/// Something seen that a reader may want to compare, such as a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Why nothing is said about sources where there are none.
pub(crate) const GIVEN_COMPILED: &str =
    "the circuit was given compiled: the r1cs is attested, not the source it was made from";

/// Makes a fact.
pub(crate) fn fact(name: impl Into<String>, value: &impl ToString) -> Fact {
    Fact {
        name: name.into(),
        value: value.to_string(),
    }
}

/// One line of the checklist.
#[derive(Debug)]
pub struct Step {
    /// Which step.
    pub id: StepId,
    /// What became of it.
    pub status: Status,
    /// What was seen.
    pub facts: Vec<Fact>,
}

/// A step's outcome before it is written down: what was seen, or why it does not hold.
pub type Outcome = Result<Vec<Fact>, Failure>;

/// The steps that have an outcome. Each gets one; the first one counts.
#[derive(Debug, Default)]
pub struct Checklist {
    steps: Vec<Step>,
}

impl Checklist {
    /// No outcomes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes down an outcome; true when it passed. A failure to read is no verdict.
    pub(crate) fn record(&mut self, id: StepId, outcome: Outcome) -> bool {
        let (status, facts) = match outcome {
            Ok(facts) => (Status::Passed, facts),
            Err(failure) => match failure.unreadable() {
                Some(what) => (Status::NotChecked(Why::Unreadable(what)), Vec::new()),
                None => (Status::Failed(failure), Vec::new()),
            },
        };
        let passed = matches!(status, Status::Passed);
        self.push(Step { id, status, facts });
        passed
    }

    /// Writes down that a step was not checked.
    pub(crate) fn skip(&mut self, id: StepId, why: Why) {
        self.push(Step {
            id,
            status: Status::NotChecked(why),
            facts: Vec::new(),
        });
    }

    fn push(&mut self, step: Step) {
        if !self.steps.iter().any(|other| other.id == step.id) {
            self.steps.push(step);
        }
    }

    /// All steps in order. One that nobody wrote down was blocked by the first that did not pass; if
    /// there is none, it is missing from this program and fails.
    pub(crate) fn finish(mut self) -> Vec<Step> {
        let culprit = self
            .steps
            .iter()
            .find(|step| {
                matches!(
                    step.status,
                    Status::Failed(_) | Status::NotChecked(Why::Unreadable(_))
                )
            })
            .map(|step| step.id);
        for id in StepId::all() {
            let status = match culprit {
                Some(culprit) => Status::NotChecked(Why::Blocked(culprit)),
                None => Status::Failed(Failure::NotImplemented),
            };
            self.push(Step {
                id,
                status,
                facts: Vec::new(),
            });
        }
        self.steps.sort_by_key(|step| {
            StepId::all()
                .iter()
                .position(|id| *id == step.id)
                .unwrap_or(usize::MAX)
        });
        self.steps
    }
}
