//! The certificate chain, from the pinned root to the leaf, at the document's own time.
//!
//! The bundle is taken as it stands: root first, each certificate issued by the one before it, leaf
//! last. There is no path search. The leaf lives three hours, so the verifier's clock would make
//! every archived document unverifiable; the time is the one the module signed.
//!
//! rustls-webpki judges the same chain independently. It does not look at key usage, order,
//! completeness, path lengths of intermediates or the leaf's key type; our walk does not trust its
//! own reading of DER alone. Both must accept.

use crate::{
    certificate::Certificate,
    error::{AttestationError, CertificateFlaw},
    payload::{ModuleId, UnixMillis},
    root::Anchor,
    signature::{PublicKey, verifies_der},
};
use rustls_pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha256};
use std::time::Duration;
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert, ring,
};

/// Checks the chain (root first, leaf last) and returns the leaf's key.
///
/// # Errors
/// The pinned root is not the first; a certificate breaks a rule; the second engine refuses.
pub fn verify(
    chain: &[&[u8]],
    anchor: &Anchor,
    time: UnixMillis,
    module: &ModuleId,
) -> Result<PublicKey, AttestationError> {
    let key = walk(chain, anchor, time, module)?;
    second_engine(chain, anchor, time)?;
    Ok(key)
}

fn walk(
    chain: &[&[u8]],
    anchor: &Anchor,
    time: UnixMillis,
    module: &ModuleId,
) -> Result<PublicKey, AttestationError> {
    let root = chain.first().copied().unwrap_or_default();
    if root != anchor.der() {
        return Err(AttestationError::NotThePinnedRoot {
            got: hex::encode(Sha256::digest(root)),
        });
    }
    let mut parsed: Vec<Certificate<'_>> = Vec::with_capacity(chain.len());
    for (at, der) in chain.iter().enumerate() {
        let flawed = |flaw| AttestationError::Certificate { at, flaw };
        let certificate = Certificate::parse(der).map_err(flawed)?;
        if parsed.iter().any(|earlier| earlier.der == *der) {
            return Err(flawed(CertificateFlaw::Duplicate));
        }
        // The root is its own parent.
        check_issued(&certificate, parsed.last().unwrap_or(&certificate), time).map_err(flawed)?;
        let role = match chain.len().saturating_sub(at) {
            1 => check_leaf(&certificate, module),
            // The leaf and this certificate itself are not CAs below it.
            left => check_ca(&certificate, left.saturating_sub(2), at == 0),
        };
        role.map_err(flawed)?;
        parsed.push(certificate);
    }
    parsed
        .last()
        .map(|leaf| leaf.key)
        .ok_or(AttestationError::SignatureInvalid)
}

/// What holds between any certificate and its issuer.
fn check_issued(
    certificate: &Certificate<'_>,
    parent: &Certificate<'_>,
    time: UnixMillis,
) -> Result<(), CertificateFlaw> {
    // Whole seconds, as certificates count: notAfter is valid to its end.
    let seconds = i64::try_from(time.0.div_euclid(1000)).map_err(|_| CertificateFlaw::Expired)?;
    if seconds < certificate.not_before || seconds > certificate.not_after {
        return Err(CertificateFlaw::Expired);
    }
    if certificate.issuer != parent.subject {
        return Err(CertificateFlaw::Issuer);
    }
    if let (Some(authority), Some(subject)) = (
        &certificate.extensions.authority_key_id,
        &parent.extensions.subject_key_id,
    ) && authority != subject
    {
        return Err(CertificateFlaw::KeyId);
    }
    if certificate.extensions.extended_key_usage {
        return Err(CertificateFlaw::ExtendedKeyUsage);
    }
    if verifies_der(&parent.key, certificate.signed, &certificate.signature) {
        Ok(())
    } else {
        Err(CertificateFlaw::Signature)
    }
}

fn check_ca(
    certificate: &Certificate<'_>,
    cas_below: usize,
    is_root: bool,
) -> Result<(), CertificateFlaw> {
    let constraints = certificate
        .extensions
        .basic_constraints
        .ok_or(CertificateFlaw::BasicConstraintsMissing)?;
    if !constraints.ca || !constraints.critical {
        return Err(CertificateFlaw::NotCa);
    }
    if !certificate
        .extensions
        .key_usage
        .is_some_and(|usage| usage.cert_sign)
    {
        return Err(CertificateFlaw::KeyUsage);
    }
    match constraints.path_length.map(usize::try_from) {
        None if is_root => Ok(()),
        None => Err(CertificateFlaw::PathLengthMissing),
        Some(Ok(length)) if length < cas_below => Err(CertificateFlaw::PathLengthExceeded),
        Some(_) => Ok(()),
    }
}

fn check_leaf(certificate: &Certificate<'_>, module: &ModuleId) -> Result<(), CertificateFlaw> {
    let constraints = certificate
        .extensions
        .basic_constraints
        .ok_or(CertificateFlaw::BasicConstraintsMissing)?;
    if constraints.ca || constraints.path_length.is_some() {
        return Err(CertificateFlaw::LeafIsCa);
    }
    let signs_only =
        |usage: crate::certificate::KeyUsage| usage.digital_signature && !usage.cert_sign;
    if !certificate.extensions.key_usage.is_some_and(signs_only) {
        return Err(CertificateFlaw::KeyUsage);
    }
    let issued_to_module = certificate
        .common_name
        .as_deref()
        .and_then(|name| name.strip_prefix(module.as_str()))
        .is_some_and(|rest| rest.starts_with('.'));
    if issued_to_module {
        Ok(())
    } else {
        Err(CertificateFlaw::ModuleName)
    }
}

fn second_engine(
    chain: &[&[u8]],
    anchor: &Anchor,
    time: UnixMillis,
) -> Result<(), AttestationError> {
    let refused = AttestationError::SecondEngine;
    let root = CertificateDer::from(anchor.der());
    let roots = [anchor_from_trusted_cert(&root).map_err(refused)?];
    let (leaf, bundle) = chain
        .split_last()
        .ok_or(AttestationError::SecondEngine(webpki::Error::UnknownIssuer))?;
    let leaf = CertificateDer::from(*leaf);
    let intermediates: Vec<_> = bundle
        .iter()
        .skip(1)
        .map(|der| CertificateDer::from(*der))
        .collect();
    EndEntityCert::try_from(&leaf)
        .map_err(refused)?
        .verify_for_usage(
            &[ring::ECDSA_P384_SHA384],
            &roots,
            &intermediates,
            UnixTime::since_unix_epoch(Duration::from_millis(time.0)),
            NoExtendedKeyUsage,
            None,
            None,
        )
        .map_err(refused)?;
    Ok(())
}

/// Enclave certificates have no extended key usage at all.
struct NoExtendedKeyUsage;

impl ExtendedKeyUsageValidator for NoExtendedKeyUsage {
    fn validate(&self, mut usages: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        match usages.next() {
            None => Ok(()),
            Some(Ok(_)) => Err(webpki::Error::ExtensionValueInvalid),
            Some(Err(error)) => Err(error),
        }
    }
}
