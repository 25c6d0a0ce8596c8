//! A document from bytes to belief.

use crate::{
    chain,
    cose::Envelope,
    error::AttestationError,
    payload::{ModuleId, Payload, PcrValue, UnixMillis},
    policy::{PcrPolicy, debug_register},
    root::{Anchor, AnchorKind},
    signature::verifies_fixed,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The bytes of an attestation document, not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawDocument(pub Vec<u8>);

impl RawDocument {
    /// Checks everything that can be checked about the document alone.
    ///
    /// # Errors
    /// [`AttestationError`] names the first thing that does not hold, in the order of the crate's
    /// description.
    pub fn validate(
        &self,
        anchor: &Anchor,
        policy: &PcrPolicy,
    ) -> Result<VerifiedDocument, AttestationError> {
        let envelope = Envelope::parse(&self.0).map_err(AttestationError::Envelope)?;
        let payload = Payload::parse(envelope.payload)?;
        if anchor.kind() == AnchorKind::AwsNitroG1 && payload.module_id.is_simulated() {
            return Err(AttestationError::SimulatedUnderAws);
        }
        let chain = payload.chain();
        let key = chain::verify(&chain, anchor, payload.timestamp, &payload.module_id)?;
        if !verifies_fixed(&key, &envelope.signed_bytes(), envelope.signature) {
            return Err(AttestationError::SignatureInvalid);
        }
        policy.check(&payload.module_id, &payload.pcrs)?;
        Ok(VerifiedDocument {
            anchor: anchor.kind(),
            payload_sha256: Sha256::digest(envelope.payload).into(),
            chain: chain.into_iter().map(<[u8]>::to_vec).collect(),
            module_id: payload.module_id,
            time: payload.timestamp,
            pcrs: payload.pcrs,
            public_key: payload.public_key.map(<[u8]>::to_vec),
            user_data: payload.user_data.map(<[u8]>::to_vec),
            nonce: payload.nonce.map(<[u8]>::to_vec),
        })
    }

    /// The certificates as they stand in the document, root first, leaf last. Nothing is verified:
    /// for the host, which hands them back to the enclave.
    ///
    /// # Errors
    /// The document is not well-formed.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, AttestationError> {
        let envelope = Envelope::parse(&self.0).map_err(AttestationError::Envelope)?;
        let payload = Payload::parse(envelope.payload)?;
        Ok(payload.chain().into_iter().map(<[u8]>::to_vec).collect())
    }
}

/// A document whose chain, signature and measurements hold.
///
/// Only [`RawDocument::validate`] makes one:
///
/// ```compile_fail,E0451
/// fn forge(real: attestation::VerifiedDocument) -> attestation::VerifiedDocument {
///     attestation::VerifiedDocument { time: attestation::UnixMillis(0), ..real }
/// }
/// ```
#[derive(Debug)]
pub struct VerifiedDocument {
    anchor: AnchorKind,
    payload_sha256: [u8; 32],
    chain: Vec<Vec<u8>>,
    module_id: ModuleId,
    time: UnixMillis,
    pcrs: BTreeMap<u8, PcrValue>,
    public_key: Option<Vec<u8>>,
    user_data: Option<Vec<u8>>,
    nonce: Option<Vec<u8>>,
}

impl VerifiedDocument {
    /// The kind of root it chains to. [`AnchorKind::Simulated`] is no evidence about hardware.
    pub fn anchor(&self) -> AnchorKind {
        self.anchor
    }

    /// Identity of what was signed. The hash of the whole file is none: an ECDSA signature has two spellings.
    pub fn payload_sha256(&self) -> &[u8; 32] {
        &self.payload_sha256
    }

    /// DER certificates, root first, leaf last.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The enclave.
    pub fn module_id(&self) -> &ModuleId {
        &self.module_id
    }

    /// When the module signed.
    pub fn time(&self) -> UnixMillis {
        self.time
    }

    /// As [`Self::time`].
    pub fn timestamp(&self) -> UnixMillis {
        self.time
    }

    /// Measurements by index.
    pub fn pcrs(&self) -> &BTreeMap<u8, PcrValue> {
        &self.pcrs
    }

    /// Whether the enclave ran in debug mode; only a policy that allows it lets this be true.
    pub fn is_debug(&self) -> bool {
        debug_register(&self.pcrs).is_some()
    }

    /// Key the enclave attested, if any.
    pub fn public_key(&self) -> Option<&[u8]> {
        self.public_key.as_deref()
    }

    /// User data, if any.
    pub fn user_data(&self) -> Option<&[u8]> {
        self.user_data.as_deref()
    }

    /// Nonce, if any.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }
}
