//! One certificate: the fields the chain needs, under a closed list of forms (RFC 5280).

use crate::{error::CertificateFlaw, signature::PublicKey};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{ParsedExtension, X509Extension},
    oid_registry::{OID_SIG_ECDSA_WITH_SHA384, Oid},
    prelude::FromDer,
    x509::{AlgorithmIdentifier, X509Version},
};

/// DER of a SubjectPublicKeyInfo for an uncompressed P-384 point, up to the point.
const P384_SPKI_PREFIX: [u8; 23] = [
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
];

/// A parsed certificate. Its signature is checked by the chain.
#[derive(Debug)]
pub struct Certificate<'a> {
    /// The whole DER.
    pub der: &'a [u8],
    /// The signed part.
    pub(crate) signed: &'a [u8],
    pub(crate) signature: Vec<u8>,
    /// DER of the issuer's name.
    pub(crate) issuer: Vec<u8>,
    /// DER of the subject's name.
    pub(crate) subject: Vec<u8>,
    /// The only common name of the subject, if it has exactly one.
    pub(crate) common_name: Option<String>,
    /// Unix seconds, inclusive.
    pub(crate) not_before: i64,
    /// Unix seconds, inclusive.
    pub(crate) not_after: i64,
    pub(crate) key: PublicKey,
    pub(crate) extensions: Extensions,
}

/// The extensions that are read. Each at most once.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) subject_key_id: Option<Vec<u8>>,
    pub(crate) authority_key_id: Option<Vec<u8>>,
    pub(crate) extended_key_usage: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct BasicConstraints {
    pub(crate) critical: bool,
    pub(crate) ca: bool,
    pub(crate) path_length: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyUsage {
    pub(crate) digital_signature: bool,
    pub(crate) cert_sign: bool,
}

impl<'a> Certificate<'a> {
    /// # Errors
    /// [`CertificateFlaw`]: not DER, trailing bytes, version, algorithm, key, extensions.
    pub fn parse(der: &'a [u8]) -> Result<Self, CertificateFlaw> {
        let (rest, parsed) =
            X509Certificate::from_der(der).map_err(|_| CertificateFlaw::Malformed)?;
        if !rest.is_empty() {
            return Err(CertificateFlaw::Trailing);
        }
        let signed = &parsed.tbs_certificate;
        if signed.version() != X509Version::V3 {
            return Err(CertificateFlaw::Version);
        }
        check_algorithm(&parsed.signature_algorithm)?;
        check_algorithm(&signed.signature)?;
        if parsed.signature_value.unused_bits != 0 {
            return Err(CertificateFlaw::Malformed);
        }
        let mut names = signed.subject().iter_common_name();
        let common_name = match (names.next(), names.next()) {
            (Some(name), None) => name.as_str().ok().map(str::to_owned),
            _ => None,
        };
        Ok(Self {
            der,
            signed: signed_bytes(der).ok_or(CertificateFlaw::Malformed)?,
            signature: parsed.signature_value.data.to_vec(),
            issuer: signed.issuer().as_raw().to_vec(),
            subject: signed.subject().as_raw().to_vec(),
            common_name,
            not_before: signed.validity().not_before.timestamp(),
            not_after: signed.validity().not_after.timestamp(),
            key: public_key(signed.public_key().raw)?,
            extensions: Extensions::read(signed.extensions())?,
        })
    }
}

fn check_algorithm(algorithm: &AlgorithmIdentifier<'_>) -> Result<(), CertificateFlaw> {
    if algorithm.algorithm == OID_SIG_ECDSA_WITH_SHA384 && algorithm.parameters.is_none() {
        Ok(())
    } else {
        Err(CertificateFlaw::Algorithm)
    }
}

fn public_key(info: &[u8]) -> Result<PublicKey, CertificateFlaw> {
    let point = info
        .strip_prefix(&P384_SPKI_PREFIX)
        .ok_or(CertificateFlaw::Key)?;
    let key: PublicKey = point.try_into().map_err(|_| CertificateFlaw::Key)?;
    if key.first() == Some(&4) {
        Ok(key)
    } else {
        Err(CertificateFlaw::Key)
    }
}

/// The to-be-signed SEQUENCE inside the outer SEQUENCE, both with a length in two bytes or less.
fn signed_bytes(der: &[u8]) -> Option<&[u8]> {
    let (_, body) = split_sequence(der)?;
    let (length, _) = split_sequence(body)?;
    body.get(..length)
}

/// Length of the whole first SEQUENCE and its content.
fn split_sequence(der: &[u8]) -> Option<(usize, &[u8])> {
    let (header, length) = match *der.first_chunk::<4>()? {
        [0x30, 0x82, high, low] => (4, usize::from(u16::from_be_bytes([high, low]))),
        [0x30, 0x81, length, _] => (3, usize::from(length)),
        [0x30, length @ 0..=0x7f, ..] => (2, usize::from(length)),
        _ => return None,
    };
    let end = length.checked_add(header)?;
    Some((end, der.get(header..end)?))
}

impl Extensions {
    fn read(extensions: &[X509Extension<'_>]) -> Result<Self, CertificateFlaw> {
        let mut seen: Vec<&Oid<'_>> = Vec::new();
        let mut read = Self::default();
        for extension in extensions {
            if seen.contains(&&extension.oid) {
                return Err(CertificateFlaw::DuplicateExtension);
            }
            seen.push(&extension.oid);
            read.take(extension)?;
        }
        Ok(read)
    }

    fn take(&mut self, extension: &X509Extension<'_>) -> Result<(), CertificateFlaw> {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) => {
                self.basic_constraints = Some(BasicConstraints {
                    critical: extension.critical,
                    ca: constraints.ca,
                    path_length: constraints.path_len_constraint,
                });
            }
            ParsedExtension::KeyUsage(usage) => {
                self.key_usage = Some(KeyUsage {
                    digital_signature: usage.digital_signature(),
                    cert_sign: usage.key_cert_sign(),
                });
            }
            ParsedExtension::SubjectKeyIdentifier(id) => self.subject_key_id = Some(id.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                self.authority_key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            ParsedExtension::ExtendedKeyUsage(_) => self.extended_key_usage = true,
            ParsedExtension::ParseError { .. } => return Err(CertificateFlaw::MalformedExtension),
            _ if extension.critical => return Err(CertificateFlaw::UnknownCriticalExtension),
            // Not critical and without meaning here: CRL distribution points (AWS says: no CRL check).
            _ => {}
        }
        Ok(())
    }
}
