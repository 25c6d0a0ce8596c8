//! What a document of this product is about.
//!
//! | document | nonce | user data |
//! |---|---|---|
//! | boot | the caller's 32 bytes | `attested-ceremony/v1/boot` |
//! | 1, contribution | SHA-256(0001.zkey) | `attested-ceremony/v1/contribution` 00 ceremony id |
//! | 2, manifest | SHA-256(manifest) | `attested-ceremony/v1/manifest` 00 ceremony id |
//!
//! The three user data begin differently, so no document can stand in another's place.

use crate::{
    document::VerifiedDocument,
    error::AttestationError,
    payload::{ModuleId, PcrValue, UnixMillis},
    root::AnchorKind,
};
use std::collections::BTreeMap;

const BOOT: &[u8] = b"attested-ceremony/v1/boot";
const CONTRIBUTION: &[u8] = b"attested-ceremony/v1/contribution\0";
const MANIFEST: &[u8] = b"attested-ceremony/v1/manifest\0";

/// The kinds of statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// This enclave runs; the nonce is the caller's.
    Boot,
    /// This enclave made 0001.zkey; the nonce is its SHA-256.
    Contribution {
        /// SHA-256 of the spec.
        ceremony_id: [u8; 32],
    },
    /// This enclave wrote the manifest; the nonce is its SHA-256.
    Manifest {
        /// SHA-256 of the spec.
        ceremony_id: [u8; 32],
    },
}

impl Statement {
    /// The bytes that the document carries as user data.
    pub fn user_data(&self) -> Vec<u8> {
        match self {
            Self::Boot => BOOT.to_vec(),
            Self::Contribution { ceremony_id } => [CONTRIBUTION, ceremony_id].concat(),
            Self::Manifest { ceremony_id } => [MANIFEST, ceremony_id].concat(),
        }
    }

    /// Checks that a document makes this statement about `nonce`.
    ///
    /// # Errors
    /// Another kind, another ceremony, other bytes.
    pub fn check(
        &self,
        document: &VerifiedDocument,
        nonce: &[u8; 32],
    ) -> Result<(), AttestationError> {
        self.check_user_data(document.user_data().unwrap_or_default())?;
        if document.nonce() == Some(nonce.as_slice()) {
            return Ok(());
        }
        Err(AttestationError::NonceMismatch {
            expected: hex::encode(nonce),
            got: document
                .nonce()
                .map_or_else(|| "absent".to_owned(), hex::encode),
        })
    }

    fn check_user_data(&self, got: &[u8]) -> Result<(), AttestationError> {
        let (name, magic, id) = match self {
            Self::Boot => ("boot", BOOT, [].as_slice()),
            Self::Contribution { ceremony_id } => {
                ("contribution", CONTRIBUTION, ceremony_id.as_slice())
            }
            Self::Manifest { ceremony_id } => ("manifest", MANIFEST, ceremony_id.as_slice()),
        };
        let stated = got
            .strip_prefix(magic)
            .filter(|stated| stated.len() == id.len())
            .ok_or(AttestationError::StatementKind { expected: name })?;
        if stated == id {
            return Ok(());
        }
        Err(AttestationError::CeremonyMismatch {
            expected: hex::encode(id),
            got: hex::encode(stated),
        })
    }
}

/// Evidence: document 1, this enclave made this 0001.zkey for this ceremony, at this time.
///
/// Only [`ContributionAttested::mint`] makes one:
///
/// ```compile_fail,E0423
/// fn forge() -> attestation::ContributionAttested {
///     attestation::ContributionAttested(())
/// }
/// ```
///
/// ```compile_fail,E0451
/// fn forge(real: attestation::ContributionAttested) -> attestation::ContributionAttested {
///     attestation::ContributionAttested { time: attestation::UnixMillis(0), ..real }
/// }
/// ```
///
/// It cannot be used twice:
///
/// ```compile_fail,E0382
/// fn spend(_: attestation::ContributionAttested) {}
/// fn twice(token: attestation::ContributionAttested) {
///     spend(token);
///     spend(token);
/// }
/// ```
#[derive(Debug)]
pub struct ContributionAttested {
    time: UnixMillis,
    module_id: ModuleId,
    pcrs: BTreeMap<u8, PcrValue>,
    anchor: AnchorKind,
}

impl ContributionAttested {
    /// # Errors
    /// The document is no contribution statement, of another ceremony, or about another 0001.zkey.
    pub fn mint(
        document: &VerifiedDocument,
        contribution_sha256: &[u8; 32],
        ceremony_id: &[u8; 32],
    ) -> Result<Self, AttestationError> {
        Statement::Contribution {
            ceremony_id: *ceremony_id,
        }
        .check(document, contribution_sha256)?;
        Ok(Self {
            time: document.time(),
            module_id: document.module_id().clone(),
            pcrs: document.pcrs().clone(),
            anchor: document.anchor(),
        })
    }

    /// When the module signed: the time that assigns the beacon's round.
    pub fn time(&self) -> UnixMillis {
        self.time
    }

    /// As [`Self::time`], in milliseconds since the Unix epoch.
    pub fn time_ms(&self) -> u64 {
        self.time.0
    }
}

/// Evidence: document 2, the enclave of document 1 wrote this manifest, after the beacon's round.
///
/// Only [`ManifestAttested::mint`] makes one:
///
/// ```compile_fail,E0451
/// fn forge() -> attestation::ManifestAttested {
///     attestation::ManifestAttested { time: attestation::UnixMillis(0) }
/// }
/// ```
///
/// It cannot be used twice:
///
/// ```compile_fail,E0382
/// fn spend(_: attestation::ManifestAttested) {}
/// fn twice(token: attestation::ManifestAttested) {
///     spend(token);
///     spend(token);
/// }
/// ```
#[derive(Debug)]
pub struct ManifestAttested {
    time: UnixMillis,
}

impl ManifestAttested {
    /// `round_time_ms`: when the beacon's round was due, Unix milliseconds.
    ///
    /// # Errors
    /// The document is no manifest statement, of another ceremony, about another manifest, of
    /// another enclave than document 1, or signed before the round was due.
    pub fn mint(
        document: &VerifiedDocument,
        manifest_sha256: &[u8; 32],
        ceremony_id: &[u8; 32],
        first: &ContributionAttested,
        round_time_ms: u64,
    ) -> Result<Self, AttestationError> {
        Statement::Manifest {
            ceremony_id: *ceremony_id,
        }
        .check(document, manifest_sha256)?;
        let differs = |what| Err(AttestationError::OtherEnclave { what });
        if document.anchor() != first.anchor {
            return differs("anchor");
        }
        if *document.module_id() != first.module_id {
            return differs("module_id");
        }
        if *document.pcrs() != first.pcrs {
            return differs("pcrs");
        }
        let earliest = first.time.max(UnixMillis(round_time_ms));
        if document.time() < earliest {
            return Err(AttestationError::TooEarly {
                earliest,
                got: document.time(),
            });
        }
        Ok(Self {
            time: document.time(),
        })
    }

    /// When the module signed.
    pub fn time(&self) -> UnixMillis {
        self.time
    }
}
