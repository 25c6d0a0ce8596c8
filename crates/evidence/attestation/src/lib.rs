//! AWS Nitro attestation documents: strict parsing, chain to a pinned root, evidence.
//!
//! [`RawDocument::validate`] is the one way in. It reads, in this order,
//!
//! 1. [`cose`]: the COSE_Sign1 envelope, which has one spelling;
//! 2. [`payload`]: the nine known fields, each once, within their limits;
//! 3. [`chain`]: the certificates, in order from the pinned root ([`root`]), at the document's own time,
//!    walked by our code and again by rustls-webpki: both must accept;
//! 4. [`signature`]: ECDSA P-384, by ring and by p384: both must accept;
//! 5. [`policy`]: module id, PCR4, debug mode, expected PCRs.
//!
//! A [`VerifiedDocument`] says that the module signed these fields at this time. What the document
//! is *about* is a [`statement`]; the tokens [`ContributionAttested`] and [`ManifestAttested`] are
//! minted there. [`nsm`] is the device that writes documents.
//!
//! The same code judges documents of AWS hardware and SIMULATED ones: the root is a parameter and
//! its kind stays visible ([`VerifiedDocument::anchor`]). `docs/formats/attestation.md` has the rules.

pub mod certificate;
pub mod chain;
pub mod cose;
mod document;
mod error;
pub mod nsm;
pub mod payload;
pub mod policy;
pub mod root;
pub mod signature;
pub mod statement;

pub use document::{RawDocument, VerifiedDocument};
pub use error::{AttestationError, CertificateFlaw, EnvelopeFlaw, FieldFlaw};
pub use nsm::{ModuleDescription, NsmError, PcrState, SecurityModule};
pub use payload::{Field, ModuleId, PcrValue, UnixMillis};
pub use policy::PcrPolicy;
pub use root::{Anchor, AnchorKind};
pub use statement::{ContributionAttested, ManifestAttested, Statement};
