//! Why a manifest is refused.

use thiserror::Error;

use crate::artifact::ArtifactKind;
use crate::canonical::CanonicalError;
use crate::spec::{CeremonyId, CircuitInput, Phase1Family, SpecError};

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The text breaks the grammar or has wrong keys or types.
    #[error("manifest is not canonical")]
    Canonical(#[from] CanonicalError),
    /// The `spec.` lines are not a spec.
    #[error("the manifest's spec is refused")]
    Spec(#[from] SpecError),
    /// `ceremony.id` is not the digest of the spec.
    #[error("ceremony id is {got}, but the spec hashes to {expected}")]
    CeremonyId {
        /// SHA-256 of the spec text.
        expected: CeremonyId,
        /// The id that the manifest names.
        got: CeremonyId,
    },
    /// An artifact that must be listed is not.
    #[error("artifact {kind} is not listed")]
    ArtifactMissing {
        /// The artifact.
        kind: ArtifactKind,
    },
    /// An artifact that cannot be listed is.
    #[error("artifact {kind} cannot be listed")]
    ArtifactUnexpected {
        /// The artifact.
        kind: ArtifactKind,
    },
    /// A record without BLAKE2b-512 where the kind has one, or with one where it has none.
    #[error("record of {kind} has the wrong set of digests")]
    ArtifactDigests {
        /// The artifact.
        kind: ArtifactKind,
    },
    /// A given r1cs is not the one that the spec names.
    #[error("the r1cs is not the one that the spec names")]
    R1csNotAsSpecified,
    /// Predecessors of a fresh key, none of a key with contributions, or too many.
    #[error("manifest lists {got} predecessors, which does not go with the spec's initial key")]
    PredecessorCount {
        /// Predecessors listed.
        got: usize,
    },
    /// The initial key is not the one that the spec names.
    #[error("the initial key is not the one that the spec names")]
    InitialNotAsSpecified,
    /// Sources listed for a compiled circuit, none for an uncompiled one, or too many.
    #[error("manifest lists {got} source files, which does not go with `circuit.input {input}`")]
    SourceCount {
        /// Files listed.
        got: usize,
        /// `circuit.input` of the spec.
        input: CircuitInput,
    },
    /// The phase 1 that was used is not of the family that the spec names.
    #[error("phase 1 is of family {got}, the spec names {expected}")]
    Phase1Family {
        /// Family of the spec.
        expected: Phase1Family,
        /// Family that was used.
        got: Phase1Family,
    },
    /// The domain does not follow from the circuit's counts.
    #[error("power of the domain is {got}, the circuit's counts demand {expected}")]
    Power {
        /// floor(log2(constraints + public inputs + outputs)) + 1.
        expected: u32,
        /// Power that the manifest names.
        got: u32,
    },
    /// The phase 1 is too small for the domain.
    #[error("phase 1 of power {got} is too small for a domain of power {needed}")]
    Phase1Power {
        /// Power of the domain.
        needed: u32,
        /// Power of the ptau.
        got: u32,
    },
    /// A production manifest that names a simulated part.
    #[error("a manifest of mode `production` names a simulated part: {part}")]
    SimulatedPart {
        /// The key that names it.
        part: String,
    },
    /// A value that cannot be written.
    #[error("value of `{key}` is not {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

impl ManifestError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Canonical(error) => error.code(),
            Self::Spec(error) => error.code(),
            Self::CeremonyId { .. } => "manifest_ceremony_id",
            Self::ArtifactMissing { .. } => "manifest_artifact_missing",
            Self::ArtifactUnexpected { .. } => "manifest_artifact_unexpected",
            Self::ArtifactDigests { .. } => "manifest_artifact_digests",
            Self::R1csNotAsSpecified => "manifest_r1cs",
            Self::PredecessorCount { .. } => "manifest_predecessor_count",
            Self::InitialNotAsSpecified => "manifest_initial",
            Self::SourceCount { .. } => "manifest_source_count",
            Self::Phase1Family { .. } => "manifest_phase1_family",
            Self::Power { .. } => "manifest_power",
            Self::Phase1Power { .. } => "manifest_phase1_power",
            Self::SimulatedPart { .. } => "manifest_simulated_part",
            Self::Value { .. } => "manifest_value",
        }
    }
}
