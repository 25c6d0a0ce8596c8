//! The canonical texts that are hashed and attested: spec, source bundle, manifest, receipts, verifier contract.

pub mod solidity;
pub mod sources;
