//! Receipts: one per stage, each naming the one before, so that the log of stages is a hash chain.

use std::collections::{BTreeMap, BTreeSet};

use formats::digest::Sha256Digest;
use thiserror::Error;

use crate::artifact::{ArtifactKind, ArtifactRecord, TaggedSha256};
use crate::canonical::{CanonicalError, Entries, spelt, word};
use crate::spec::{CeremonyId, CircuitInput};

/// First line of a receipt.
pub const MAGIC: &str = "attested-ceremony receipt v1";
/// Most bytes of one receipt: it names at most eight artifacts.
pub const MAX_RECEIPT_BYTES: usize = 16 * 1024;
/// `previous` of the first receipt.
pub const NO_PREVIOUS: Sha256Digest = Sha256Digest::new([0; 32]);

/// Why receipts are refused. Receipts are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The text of a receipt breaks the grammar or has wrong keys or types.
    #[error("receipt {index} is not canonical")]
    Canonical {
        /// Which receipt.
        index: usize,
        /// What is wrong.
        source: CanonicalError,
    },
    /// A receipt of another stage than the one that comes next.
    #[error("receipt {index} is of stage {got}, not of stage {expected}")]
    Stage {
        /// Which receipt.
        index: usize,
        /// The stage that comes here.
        expected: ReceiptStage,
        /// The stage that the receipt names.
        got: ReceiptStage,
    },
    /// Fewer receipts than stages.
    #[error("chain of {got} receipts, {expected} expected")]
    Length {
        /// Number of stages.
        expected: usize,
        /// Number of receipts.
        got: usize,
    },
    /// A receipt of another ceremony.
    #[error("receipt {index} is of another ceremony")]
    Ceremony {
        /// Which receipt.
        index: usize,
    },
    /// `previous` is not the digest of the receipt before.
    #[error("receipt {index} does not name the receipt before it")]
    Previous {
        /// Which receipt.
        index: usize,
    },
    /// Inputs or outputs are not those of the stage.
    #[error("receipt {index} of stage {stage} does not name the artifacts of that stage")]
    Artifacts {
        /// Which receipt.
        index: usize,
        /// The stage.
        stage: ReceiptStage,
    },
    /// The file does not end each receipt with one empty line.
    #[error("file of receipts does not end with an empty line")]
    Framing,
}

impl ReceiptError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Canonical { .. } => "receipt_canonical",
            Self::Stage { .. } => "receipt_stage",
            Self::Length { .. } => "receipt_length",
            Self::Ceremony { .. } => "receipt_ceremony",
            Self::Previous { .. } => "receipt_previous",
            Self::Artifacts { .. } => "receipt_artifacts",
            Self::Framing => "receipt_framing",
        }
    }
}

word! {
    /// The stages that leave a receipt in the bundle, in their order.
    ReceiptStage, "a stage's name",
    /// The spec was fixed.
    Opened = "opened",
    /// The circuit was compiled, or taken as r1cs.
    Compiled = "compiled",
    /// The ptau's digest was found in the pinned table.
    Phase1Ready = "phase1-ready",
    /// The initial key was checked against r1cs and ptau.
    InitialReady = "initial-ready",
    /// The secret was drawn, used and erased.
    Contributed = "contributed",
    /// The contribution was attested.
    Committed = "committed",
    /// The beacon round was assigned.
    RoundAssigned = "round-assigned",
    /// The beacon was applied and the outputs were made.
    Finalized = "finalized",
}

impl ReceiptStage {
    /// The stages in order.
    pub const ALL: [Self; 8] = [
        Self::Opened,
        Self::Compiled,
        Self::Phase1Ready,
        Self::InitialReady,
        Self::Contributed,
        Self::Committed,
        Self::RoundAssigned,
        Self::Finalized,
    ];

    /// The artifacts that a stage's receipt names as `input.`: exactly these.
    pub fn inputs(self, input: CircuitInput) -> &'static [ArtifactKind] {
        match (self, input) {
            (Self::Compiled, CircuitInput::Sources) => &[ArtifactKind::CircuitBundle],
            (Self::Compiled, CircuitInput::R1cs) => &[ArtifactKind::R1cs],
            (Self::Phase1Ready, _) => &[ArtifactKind::Ptau],
            (Self::InitialReady, _) => &[ArtifactKind::InitialZkey],
            (Self::Finalized, _) => &[ArtifactKind::Beacon],
            _ => &[],
        }
    }

    /// The artifacts that a stage's receipt names as `output.`: exactly these.
    pub fn outputs(self, input: CircuitInput) -> &'static [ArtifactKind] {
        match (self, input) {
            (Self::Compiled, CircuitInput::Sources) => {
                &[ArtifactKind::R1cs, ArtifactKind::WitnessWasm]
            }
            (Self::Contributed, _) => &[ArtifactKind::ContributionZkey],
            (Self::Committed, _) => &[ArtifactKind::Attestation1],
            (Self::Finalized, _) => &[
                ArtifactKind::FinalZkey,
                ArtifactKind::VerificationKey,
                ArtifactKind::VerifierSol,
                ArtifactKind::VerifierInput,
                ArtifactKind::VerifierCreation,
                ArtifactKind::VerifierRuntime,
            ],
            _ => &[],
        }
    }
}

/// Artifacts with their records, by kind.
pub type Records = BTreeMap<ArtifactKind, ArtifactRecord>;

/// One stage's receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The ceremony.
    pub ceremony: CeremonyId,
    /// The stage that was reached.
    pub stage: ReceiptStage,
    /// What the stage read.
    pub inputs: Records,
    /// What the stage made.
    pub outputs: Records,
    /// SHA-256 of the text of the receipt before; [`NO_PREVIOUS`] for the first.
    pub previous: Sha256Digest,
}

impl Receipt {
    /// The canonical text, without the empty line that ends it in the file.
    fn text(&self) -> Result<Vec<u8>, CanonicalError> {
        let mut entries = Entries::new();
        entries.set("ceremony", self.ceremony);
        for (direction, records) in [("input", &self.inputs), ("output", &self.outputs)] {
            for (kind, record) in records {
                entries.set(format!("{direction}.{kind}"), record);
            }
        }
        entries.set("previous", TaggedSha256(self.previous));
        entries.set("stage", self.stage);
        entries.write(MAGIC)
    }

    fn parse(text: &[u8]) -> Result<Self, CanonicalError> {
        let mut entries = Entries::parse(text, MAGIC, MAX_RECEIPT_BYTES)?;
        let TaggedSha256(previous) = entries.take_as("previous")?;
        let receipt = Self {
            ceremony: entries.take_as("ceremony")?,
            stage: entries.take_as("stage")?,
            inputs: take_records(&mut entries, "input.")?,
            outputs: take_records(&mut entries, "output.")?,
            previous,
        };
        entries.finish()?;
        Ok(receipt)
    }

    fn names_artifacts_of_stage(&self, input: CircuitInput) -> bool {
        let exact = |records: &Records, kinds: &[ArtifactKind]| {
            let expected: BTreeSet<_> = kinds.iter().collect();
            records.keys().collect::<BTreeSet<_>>() == expected
                && records.iter().all(|(kind, record)| record.fits(*kind))
        };
        exact(&self.inputs, self.stage.inputs(input))
            && exact(&self.outputs, self.stage.outputs(input))
    }
}

fn take_records(entries: &mut Entries, prefix: &str) -> Result<Records, CanonicalError> {
    let mut records = Records::new();
    for (name, value) in entries.take_prefixed(prefix) {
        let key = format!("{prefix}{name}");
        let kind = ArtifactKind::from_name(&name)
            .ok_or_else(|| CanonicalError::Unknown { key: key.clone() })?;
        records.insert(kind, spelt(&key, &value)?);
    }
    Ok(records)
}

/// Receipts of one ceremony in the order of their stages, each naming the one before.
///
/// It grows only by [`ReceiptChain::append`], which takes the next stage and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptChain {
    ceremony: CeremonyId,
    input: CircuitInput,
    receipts: Vec<Receipt>,
    texts: Vec<Vec<u8>>,
}

impl ReceiptChain {
    /// No receipts yet.
    pub fn new(ceremony: CeremonyId, input: CircuitInput) -> Self {
        Self {
            ceremony,
            input,
            receipts: Vec::new(),
            texts: Vec::new(),
        }
    }

    /// Adds the receipt of the next stage and gives its text.
    ///
    /// Refuses any stage but the next, and any artifacts but those of [`ReceiptStage::inputs`] and
    /// [`ReceiptStage::outputs`].
    pub fn append(
        &mut self,
        stage: ReceiptStage,
        inputs: Records,
        outputs: Records,
    ) -> Result<&[u8], ReceiptError> {
        let receipt = Receipt {
            ceremony: self.ceremony,
            stage,
            inputs,
            outputs,
            previous: self.head(),
        };
        self.push(receipt)
    }

    /// SHA-256 of the last receipt's text, [`NO_PREVIOUS`] when there is none.
    pub fn head(&self) -> Sha256Digest {
        self.texts
            .last()
            .map_or(NO_PREVIOUS, |text| Sha256Digest::of(text))
    }

    /// The receipts in order.
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// True when every stage has its receipt.
    pub fn is_complete(&self) -> bool {
        self.receipts.len() == ReceiptStage::ALL.len()
    }

    /// The bytes of the file `receipts`: the texts in order, each ended by an empty line.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in &self.texts {
            bytes.extend_from_slice(text);
            bytes.push(b'\n');
        }
        bytes
    }

    fn push(&mut self, receipt: Receipt) -> Result<&[u8], ReceiptError> {
        let index = self.receipts.len();
        let length = ReceiptError::Length {
            expected: ReceiptStage::ALL.len(),
            got: index + 1,
        };
        let expected = *ReceiptStage::ALL.get(index).ok_or(length)?;
        let got = receipt.stage;
        if got != expected {
            return Err(ReceiptError::Stage {
                index,
                expected,
                got,
            });
        }
        if receipt.ceremony != self.ceremony {
            return Err(ReceiptError::Ceremony { index });
        }
        if receipt.previous != self.head() {
            return Err(ReceiptError::Previous { index });
        }
        if !receipt.names_artifacts_of_stage(self.input) {
            return Err(ReceiptError::Artifacts { index, stage: got });
        }
        let text = receipt
            .text()
            .map_err(|source| ReceiptError::Canonical { index, source })?;
        self.receipts.push(receipt);
        self.texts.push(text);
        Ok(self.texts.last().map(Vec::as_slice).unwrap_or_default())
    }
}

/// Bytes that claim to be the file `receipts` of a finished ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawReceipts(pub Vec<u8>);

impl RawReceipts {
    /// Most bytes of a file that can be valid.
    pub const MAX_BYTES: usize = MAX_RECEIPT_BYTES * ReceiptStage::ALL.len();

    /// Parses the receipts and checks that they are the whole chain of this ceremony.
    pub fn validate(
        &self,
        ceremony: CeremonyId,
        input: CircuitInput,
    ) -> Result<ReceiptChain, ReceiptError> {
        let mut chain = ReceiptChain::new(ceremony, input);
        let mut rest = self.0.as_slice();
        while !rest.is_empty() {
            let end = rest
                .windows(2)
                .take(MAX_RECEIPT_BYTES)
                .position(|pair| pair == b"\n\n")
                .ok_or(ReceiptError::Framing)?;
            // The first LF ends the last line of the receipt, the second is the empty line.
            let (text, tail) = rest
                .split_at_checked(end + 1)
                .ok_or(ReceiptError::Framing)?;
            let index = chain.receipts.len();
            let receipt =
                Receipt::parse(text).map_err(|source| ReceiptError::Canonical { index, source })?;
            chain.push(receipt)?;
            rest = tail.strip_prefix(b"\n").ok_or(ReceiptError::Framing)?;
        }
        if !chain.is_complete() {
            return Err(ReceiptError::Length {
                expected: ReceiptStage::ALL.len(),
                got: chain.receipts.len(),
            });
        }
        Ok(chain)
    }
}

#[cfg(test)]
mod tests;
