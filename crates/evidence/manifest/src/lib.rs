//! The canonical texts that are hashed and attested: spec, source bundle, manifest, receipts, verifier contract.
//!
//! Formats: `docs/formats/manifest.md`. Every text has one spelling, and every reader here refuses
//! what its writer would not write.

pub mod artifact;
pub mod beacon_json;
pub mod canonical;
pub mod manifest;
pub mod predecessor;
pub mod receipt;
pub mod report;
pub mod solidity;
pub mod sources;
pub mod spec;
pub mod sums;

#[cfg(test)]
mod fixtures;

pub use artifact::{ArtifactKind, ArtifactRecord};
pub use beacon_json::{BeaconJson, BeaconJsonError};
pub use canonical::CanonicalError;
pub use manifest::{AgentMode, Manifest, ManifestBuilder, ManifestError, RawManifest};
pub use predecessor::{InitialSpec, Predecessor, PredecessorKind};
pub use receipt::{RawReceipts, Receipt, ReceiptChain, ReceiptError, ReceiptStage};
pub use spec::{CeremonyId, RawSpec, Spec, SpecError, SpecFields};
