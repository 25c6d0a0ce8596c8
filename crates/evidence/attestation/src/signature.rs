//! ECDSA on P-384 with SHA-384 (FIPS 186-5), by two implementations that must agree.
//!
//! `(r, n − s)` verifies wherever `(r, s)` does, and genuine modules write both halves of the range:
//! so the bytes of a document are not unique, and their hash is no identity.

use p384::ecdsa::{DerSignature, Signature, VerifyingKey, signature::Verifier};
use ring::signature::{ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};

/// A public key: uncompressed SEC1 point, `04 ‖ x ‖ y`.
pub type PublicKey = [u8; 97];

/// Whether `signature` (`r ‖ s`) signs `message`, as COSE writes signatures.
pub fn verifies_fixed(key: &PublicKey, message: &[u8], signature: &[u8; 96]) -> bool {
    let by_ring = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key)
        .verify(message, signature)
        .is_ok();
    let by_p384 = || {
        let key = VerifyingKey::from_sec1_bytes(key).ok()?;
        key.verify(message, &Signature::from_slice(signature).ok()?)
            .ok()
    };
    by_ring && by_p384().is_some()
}

/// Whether `signature` (a DER SEQUENCE of two INTEGERs) signs `message`, as X.509 writes signatures.
pub fn verifies_der(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let by_ring = UnparsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, key)
        .verify(message, signature)
        .is_ok();
    let by_p384 = || {
        let key = VerifyingKey::from_sec1_bytes(key).ok()?;
        key.verify(message, &DerSignature::from_bytes(signature).ok()?)
            .ok()
    };
    by_ring && by_p384().is_some()
}
