//! What moves a ceremony on: the work's result with its evidence, one command per stage.

use std::fmt;

use manifest::{ArtifactRecord, Spec};
use phase2::check::ContributionVerified;

use crate::circuit::CompiledCircuit;
use crate::initial::InitialKey;
use crate::outputs::FinalKey;
use crate::phase1::Phase1File;

/// A step of the ceremony that has been done, for the machine to judge.
#[derive(Debug)]
pub enum Command {
    /// A spec was received.
    Open(Box<Spec>),
    /// The circuit was compiled, or taken as r1cs.
    CompileCircuit(Box<CompiledCircuit>),
    /// The ptau was hashed and its structure checked.
    CheckPhase1(Phase1File),
    /// The initial key was checked against r1cs and ptau.
    CheckInitialKey(InitialKey),
    /// 0001.zkey was made, the secret erased, and the contribution checked.
    Contribute(Contribution),
    /// The security module signed a document over 0001.zkey.
    AttestContribution(AttestationDocument),
    /// The host returned the certificates of that document, root first.
    SubmitCertificates(Vec<Vec<u8>>),
    /// The beacon was applied, the final key checked, and everything exported.
    ApplyBeacon(Box<FinalKey>),
    /// The security module signed a document over the manifest.
    Seal(AttestationDocument),
}

/// 0001.zkey and the evidence that it continues 0000.zkey.
#[derive(Debug)]
pub struct Contribution {
    /// The file.
    pub record: ArtifactRecord,
    /// From the check against 0000.zkey.
    pub verified: ContributionVerified,
}

/// An attestation document as the security module gave it, and its record as a file.
#[derive(Debug, Clone)]
pub struct AttestationDocument {
    /// COSE_Sign1.
    pub bytes: Vec<u8>,
    /// The same bytes as an artifact.
    pub record: ArtifactRecord,
}

/// Which step a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandKind {
    /// [`Command::Open`].
    Open,
    /// [`Command::CompileCircuit`].
    CompileCircuit,
    /// [`Command::CheckPhase1`].
    CheckPhase1,
    /// [`Command::CheckInitialKey`].
    CheckInitialKey,
    /// [`Command::Contribute`].
    Contribute,
    /// [`Command::AttestContribution`].
    AttestContribution,
    /// [`Command::SubmitCertificates`].
    SubmitCertificates,
    /// [`Command::ApplyBeacon`].
    ApplyBeacon,
    /// [`Command::Seal`].
    Seal,
}

impl Command {
    /// Which step it is.
    pub fn kind(&self) -> CommandKind {
        match self {
            Self::Open(_) => CommandKind::Open,
            Self::CompileCircuit(_) => CommandKind::CompileCircuit,
            Self::CheckPhase1(_) => CommandKind::CheckPhase1,
            Self::CheckInitialKey(_) => CommandKind::CheckInitialKey,
            Self::Contribute(_) => CommandKind::Contribute,
            Self::AttestContribution(_) => CommandKind::AttestContribution,
            Self::SubmitCertificates(_) => CommandKind::SubmitCertificates,
            Self::ApplyBeacon(_) => CommandKind::ApplyBeacon,
            Self::Seal(_) => CommandKind::Seal,
        }
    }
}

impl fmt::Display for CommandKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::CompileCircuit => "CompileCircuit",
            Self::CheckPhase1 => "CheckPhase1",
            Self::CheckInitialKey => "CheckInitialKey",
            Self::Contribute => "Contribute",
            Self::AttestContribution => "AttestContribution",
            Self::SubmitCertificates => "SubmitCertificates",
            Self::ApplyBeacon => "ApplyBeacon",
            Self::Seal => "Seal",
        })
    }
}
