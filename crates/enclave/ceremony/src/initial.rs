//! The key that the enclave contributes to: that it is of the kind that the spec names.

use formats::digest::Blake2b512Digest;
use manifest::predecessor::MAX_PREDECESSORS;
use manifest::{ArtifactRecord, InitialSpec, Predecessor, PredecessorKind};
use phase2::check::{CircuitHashRule, ContinuedKeyVerified, InitialKeyVerified};

use crate::error::CeremonyError;

/// The initial key and the evidence that it is right.
#[derive(Debug)]
pub struct InitialKey {
    /// The file.
    pub record: ArtifactRecord,
    /// From the check against r1cs and ptau.
    pub verified: InitialVerified,
}

/// Evidence about an initial key.
#[derive(Debug)]
pub enum InitialVerified {
    /// It has no contribution.
    Fresh(InitialKeyVerified),
    /// It has contributions, and they are right.
    Chain(ContinuedKeyVerified),
}

impl InitialVerified {
    /// The key's circuit hash.
    pub fn circuit_hash(&self) -> Blake2b512Digest {
        match self {
            Self::Fresh(verified) => verified.circuit_hash(),
            Self::Chain(verified) => verified.circuit_hash(),
        }
    }

    /// By which rule it was made.
    pub fn circuit_hash_rule(&self) -> CircuitHashRule {
        match self {
            Self::Fresh(verified) => verified.circuit_hash_rule(),
            Self::Chain(verified) => verified.circuit_hash_rule(),
        }
    }

    /// The contributions that it has, for the manifest.
    pub fn predecessors(&self) -> Vec<Predecessor> {
        let contributions = match self {
            Self::Fresh(_) => &[][..],
            Self::Chain(verified) => verified.contributions(),
        };
        contributions
            .iter()
            .map(|contribution| Predecessor {
                hash: contribution.hash,
                kind: match contribution.beacon {
                    None => PredecessorKind::Contribution,
                    Some(_) => PredecessorKind::Beacon,
                },
                unauthenticated_name: contribution
                    .unauthenticated_name
                    .as_ref()
                    .map_or_else(Vec::new, |name| name.as_bytes().to_vec()),
            })
            .collect()
    }
}

/// Judges by its digest whether a file is the one that the spec names; any fresh key is.
pub(crate) fn judge_record(
    spec: InitialSpec,
    record: &ArtifactRecord,
) -> Result<(), CeremonyError> {
    match spec {
        InitialSpec::Chain { sha256 } if sha256 != record.sha256 => {
            Err(CeremonyError::InitialKeyDigest {
                expected: sha256,
                got: record.sha256,
            })
        }
        _ => Ok(()),
    }
}

/// Judges the key with its evidence.
pub(crate) fn judge(spec: InitialSpec, key: &InitialKey) -> Result<(), CeremonyError> {
    judge_record(spec, &key.record)?;
    let got = key.verified.predecessors().len();
    let fits = match spec {
        InitialSpec::Fresh => got == 0,
        InitialSpec::Chain { .. } => (1..=MAX_PREDECESSORS).contains(&got),
    };
    if !fits {
        return Err(CeremonyError::Predecessors { got });
    }
    // One form only: other programs would compute another circuit hash for the old one.
    if key.verified.circuit_hash_rule() == CircuitHashRule::Current {
        Ok(())
    } else {
        Err(CeremonyError::InitialKeyRule)
    }
}
