use crate::payload::{Field, UnixMillis};
use thiserror::Error;

/// Why a document was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AttestationError {
    /// The envelope is not the one spelling of COSE_Sign1 that the module writes.
    #[error("not an attestation document: {0}")]
    Envelope(EnvelopeFlaw),
    /// The payload is not one map of text keys.
    #[error("the payload is not a well-formed CBOR map (at byte {at})")]
    PayloadCbor {
        /// Offset in the payload.
        at: usize,
    },
    /// Bytes after the payload's map.
    #[error("{count} bytes follow the payload's map")]
    PayloadTrailing {
        /// How many.
        count: usize,
    },
    /// A key that enclave documents do not have (other AWS products do).
    #[error("the payload has an unknown field")]
    UnknownField,
    /// A key twice.
    #[error("the payload has the field {0} twice")]
    DuplicateField(Field),
    /// A mandatory key is absent.
    #[error("the payload lacks the field {0}")]
    MissingField(Field),
    /// A field's value is out of its limits.
    #[error("field {field}: {flaw}")]
    Field {
        /// Which.
        field: Field,
        /// What is wrong.
        flaw: FieldFlaw,
    },
    /// The simulated module's id or name under AWS's root.
    #[error("a simulated document can not be verified under the root of AWS")]
    SimulatedUnderAws,
    /// The first certificate of the bundle is not the pinned root, byte for byte.
    #[error("the certificate bundle does not begin with the pinned root (sha256 {got})")]
    NotThePinnedRoot {
        /// SHA-256 of the bundle's first certificate, hex.
        got: String,
    },
    /// A certificate breaks a rule of the chain.
    #[error("certificate {at} of the chain (0 is the root): {flaw}")]
    Certificate {
        /// Position, root first, leaf last.
        at: usize,
        /// What is wrong.
        flaw: CertificateFlaw,
    },
    /// The second engine disagrees.
    #[error("rustls-webpki refuses the chain: {0}")]
    SecondEngine(webpki::Error),
    /// The document's own signature does not verify under the leaf's key.
    #[error("the document's signature does not verify under its certificate")]
    SignatureInvalid,
    /// PCR4 is the hash of the instance id that the module id begins with.
    #[error("pcr4 is not the measurement of the instance that the module id names")]
    Pcr4Mismatch,
    /// PCR0, PCR1 or PCR2 is zero: an enclave in debug mode, whose memory the host can read.
    #[error("pcr{index} is zero: the enclave ran in debug mode")]
    DebugMode {
        /// 0, 1 or 2.
        index: u8,
    },
    /// A measurement other than the expected one.
    #[error("pcr{index} is {got}, expected {expected}")]
    PcrMismatch {
        /// Register.
        index: u8,
        /// Hex.
        expected: String,
        /// Hex, or `absent`.
        got: String,
    },
    /// The document is about another kind of thing.
    #[error("the document's user data is not a statement of kind {expected}")]
    StatementKind {
        /// `boot`, `contribution` or `manifest`.
        expected: &'static str,
    },
    /// The document is of another ceremony.
    #[error("the document is of ceremony {got}, expected {expected}")]
    CeremonyMismatch {
        /// Hex.
        expected: String,
        /// Hex.
        got: String,
    },
    /// The document is about other bytes.
    #[error("the document's nonce is {got}, expected {expected}")]
    NonceMismatch {
        /// Hex.
        expected: String,
        /// Hex, or `absent`.
        got: String,
    },
    /// Two documents of one ceremony must come from one enclave.
    #[error("the two documents do not come from one enclave: {what} differs")]
    OtherEnclave {
        /// `module_id`, `pcrs` or `anchor`.
        what: &'static str,
    },
    /// The second document is older than what it is built on.
    #[error("the document was signed at {got} ms, before {earliest} ms")]
    TooEarly {
        /// Earliest time possible.
        earliest: UnixMillis,
        /// Signed time.
        got: UnixMillis,
    },
}

/// What is wrong with the COSE_Sign1 envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnvelopeFlaw {
    /// Longer than any document can be.
    #[error("{got} bytes, at most {max} are possible")]
    TooLong {
        /// Limit.
        max: usize,
        /// Seen.
        got: usize,
    },
    /// Ends early.
    #[error("ends after {got} bytes, {expected} are needed")]
    Truncated {
        /// Needed.
        expected: usize,
        /// Seen.
        got: usize,
    },
    /// A CBOR tag in front. The module writes none, and one document has one spelling.
    #[error("has a CBOR tag in front")]
    Tagged,
    /// Not an array of four.
    #[error("not a CBOR array of four")]
    NotFourParts,
    /// The protected header is not exactly `{1: -35}` (ECDSA with SHA-384).
    #[error("the protected header is not that of ES384")]
    ProtectedHeader,
    /// The unprotected header, which nothing signs, is not empty.
    #[error("the unprotected header is not empty")]
    UnprotectedHeader,
    /// The payload is not a byte string with a length of two bytes.
    #[error("the payload is not a byte string of 256 to 16384 bytes")]
    Payload,
    /// The signature is not a byte string of 96 bytes.
    #[error("the signature is not a byte string of 96 bytes")]
    Signature,
    /// Something follows.
    #[error("{count} bytes follow the document")]
    Trailing {
        /// How many.
        count: usize,
    },
}

/// What is wrong with a field of the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FieldFlaw {
    /// Wrong CBOR type, or an indefinite length.
    #[error("wrong type (at byte {at})")]
    Type {
        /// Offset in the payload.
        at: usize,
    },
    /// Bytes, characters or entries out of range.
    #[error("has length {got}, allowed are {min} to {max}")]
    Length {
        /// Least.
        min: usize,
        /// Most.
        max: usize,
        /// Seen.
        got: u64,
    },
    /// Not `SHA384`.
    #[error("is not SHA384")]
    Digest,
    /// Zero or beyond any certificate.
    #[error("is no time")]
    Time,
    /// Not `i-…-enc…`: another product, or none.
    #[error("is not the id of an enclave")]
    ModuleId,
    /// A PCR index above 31.
    #[error("has the pcr index {got}, at most 31 is possible")]
    PcrIndex {
        /// Seen.
        got: u64,
    },
    /// A PCR twice.
    #[error("has pcr{index} twice")]
    DuplicatePcr {
        /// Register.
        index: u8,
    },
    /// PCR0, PCR1, PCR2 and PCR4 must be there.
    #[error("lacks pcr{index}")]
    MissingPcr {
        /// Register.
        index: u8,
    },
}

/// What is wrong with a certificate, or between it and its issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertificateFlaw {
    /// Not a DER certificate.
    #[error("not a DER certificate")]
    Malformed,
    /// Bytes after it.
    #[error("bytes follow the certificate")]
    Trailing,
    /// Not X.509 version 3.
    #[error("not version 3")]
    Version,
    /// Not ecdsa-with-SHA384 without parameters, inside and outside.
    #[error("not signed with ecdsa-with-SHA384")]
    Algorithm,
    /// The key is not an uncompressed point on P-384.
    #[error("the key is not on P-384")]
    Key,
    /// Not valid at the document's time.
    #[error("not valid at the document's time")]
    Expired,
    /// The issuer is not the certificate before it.
    #[error("not issued by the certificate before it")]
    Issuer,
    /// Authority key id and the parent's subject key id differ.
    #[error("the authority key id is not the parent's key id")]
    KeyId,
    /// The same certificate twice.
    #[error("twice in the chain")]
    Duplicate,
    /// The signature does not verify under the parent's key.
    #[error("the signature does not verify under the certificate before it")]
    Signature,
    /// An extension twice.
    #[error("an extension twice")]
    DuplicateExtension,
    /// An extension that is malformed.
    #[error("a malformed extension")]
    MalformedExtension,
    /// A critical extension this code does not know.
    #[error("an unknown critical extension")]
    UnknownCriticalExtension,
    /// Extended key usage: enclave certificates have none.
    #[error("has an extended key usage")]
    ExtendedKeyUsage,
    /// No basic constraints.
    #[error("has no basic constraints")]
    BasicConstraintsMissing,
    /// A certificate in the middle that is no CA, or whose basic constraints are not critical.
    #[error("not a CA")]
    NotCa,
    /// The leaf is a CA, or has a path length.
    #[error("the leaf is a CA")]
    LeafIsCa,
    /// Intermediate without a path length.
    #[error("has no path length")]
    PathLengthMissing,
    /// More CAs follow than the path length allows.
    #[error("more CAs follow than its path length allows")]
    PathLengthExceeded,
    /// keyCertSign missing in a CA; digitalSignature missing, or keyCertSign set, in the leaf.
    #[error("wrong key usage")]
    KeyUsage,
    /// The leaf's common name does not begin with the module id.
    #[error("the leaf was not issued to the document's module")]
    ModuleName,
}

impl AttestationError {
    pub(crate) fn field(field: Field, flaw: FieldFlaw) -> Self {
        Self::Field { field, flaw }
    }

    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Envelope(_) => "attestation_envelope",
            Self::PayloadCbor { .. } | Self::PayloadTrailing { .. } => "attestation_payload",
            Self::UnknownField => "attestation_unknown_field",
            Self::DuplicateField(_) => "attestation_duplicate_field",
            Self::MissingField(_) => "attestation_missing_field",
            Self::Field { .. } => "attestation_field",
            Self::SimulatedUnderAws => "attestation_simulated",
            Self::NotThePinnedRoot { .. } => "attestation_root",
            Self::Certificate { .. } => "attestation_certificate",
            Self::SecondEngine(_) => "attestation_second_engine",
            Self::SignatureInvalid => "attestation_signature",
            Self::Pcr4Mismatch => "attestation_pcr4",
            Self::DebugMode { .. } => "attestation_debug_mode",
            Self::PcrMismatch { .. } => "attestation_pcr",
            Self::StatementKind { .. } => "attestation_statement_kind",
            Self::CeremonyMismatch { .. } => "attestation_ceremony",
            Self::NonceMismatch { .. } => "attestation_nonce",
            Self::OtherEnclave { .. } => "attestation_other_enclave",
            Self::TooEarly { .. } => "attestation_too_early",
        }
    }

    /// What a user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::DebugMode { .. } => {
                Some("start the enclave without debug mode: its documents are worth nothing")
            }
            Self::PcrMismatch { .. } => {
                Some("the document is of another image: rebuild the image from its tag and compare")
            }
            Self::SimulatedUnderAws => {
                Some("a simulated bundle is verified with --trust simulation and proves nothing")
            }
            Self::NotThePinnedRoot { .. } => {
                Some("a simulated document needs the root its module wrote at start")
            }
            _ => None,
        }
    }
}
