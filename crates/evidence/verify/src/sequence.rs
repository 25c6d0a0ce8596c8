//! Several ceremonies in sequence: that each continues the key of the one before.

use manifest::{ArtifactKind, InitialSpec, Manifest, Predecessor, PredecessorKind};
use thiserror::Error;

/// Why a bundle does not continue the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Its initial key is another file than the final key before.
    #[error("the initial key is {got}, the final key before has sha256 {expected}")]
    InitialKey {
        /// SHA-256 of final.zkey of the bundle before.
        expected: String,
        /// What the spec names.
        got: String,
    },
    /// Both are about different files.
    #[error("{kind} is not the same as in the bundle before")]
    Differs {
        /// Which file.
        kind: ArtifactKind,
    },
    /// It names other contributions than the key before has.
    #[error("the contributions before the enclave's are not those of the final key before")]
    Predecessors,
    /// A simulated ceremony between others would pass for one of them, or the reverse.
    #[error("one of the two bundles is a simulation, the other is not")]
    Mode,
}

impl LinkError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InitialKey { .. } => "verify_link_initial_key",
            Self::Differs { .. } => "verify_link_differs",
            Self::Predecessors => "verify_link_predecessors",
            Self::Mode => "verify_link_mode",
        }
    }
}

/// Judges whether the ceremony of `after` continued the final key of `before`. Each bundle must have been
/// verified by itself: this compares what their manifests say.
pub fn check_link(before: &Manifest, after: &Manifest) -> Result<(), LinkError> {
    let expected = before
        .record(ArtifactKind::FinalZkey)
        .map(|record| record.sha256);
    let got = match after.spec.initial {
        InitialSpec::Fresh => None,
        InitialSpec::Chain { sha256 } => Some(sha256),
    };
    if expected != got || got.is_none() {
        let text = |digest: Option<formats::digest::Sha256Digest>, none: &str| {
            digest.map_or_else(|| none.to_owned(), |digest| digest.to_string())
        };
        return Err(LinkError::InitialKey {
            expected: text(expected, "none"),
            got: text(got, "a fresh one"),
        });
    }
    for kind in [ArtifactKind::R1cs, ArtifactKind::Ptau] {
        if before.record(kind) != after.record(kind) {
            return Err(LinkError::Differs { kind });
        }
    }
    if before.is_simulation() != after.is_simulation() {
        return Err(LinkError::Mode);
    }
    if after.predecessors == left_by(before) {
        Ok(())
    } else {
        Err(LinkError::Predecessors)
    }
}

/// The contributions of a ceremony's final key.
fn left_by(manifest: &Manifest) -> Vec<Predecessor> {
    let facts = &manifest.contribution;
    let mut all = manifest.predecessors.clone();
    all.push(Predecessor {
        hash: facts.hash,
        kind: PredecessorKind::Contribution,
        unauthenticated_name: manifest.spec.contribution_name.as_bytes().to_vec(),
    });
    all.push(Predecessor {
        hash: facts.beacon_hash,
        kind: PredecessorKind::Beacon,
        unauthenticated_name: Vec::new(),
    });
    all
}
