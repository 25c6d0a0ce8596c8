//! The payload: a CBOR map (RFC 8949) of nine known fields, definite or indefinite in length.
//!
//! Limits are those of AWS's documentation ("Verifying the root of trust", syntactical validation);
//! where its text and its CDDL differ (512 and 1024 bytes for user data and nonce), the text's. PCRs
//! are 48 bytes, since the only digest is SHA384. Absent optional fields may be missing or null.

use crate::error::{AttestationError, FieldFlaw};
use minicbor::{Decoder, data::Type};
use std::{collections::BTreeMap, fmt};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Value of a platform configuration register: SHA-384.
pub type PcrValue = [u8; 48];

/// Most PCRs a module has; indices are 0 to 31.
pub const PCR_COUNT: u8 = 32;
const MAX_CERTIFICATE: usize = 1024;
const MAX_BUNDLE: usize = 8;
const MAX_PUBLIC_KEY: usize = 1024;
const MAX_USER_DATA: usize = 512;
/// 9999-12-31, where X.509 times end.
const MAX_TIME_MS: u64 = 253_402_300_799_999;

/// The fields of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are AWS's")]
pub enum Field {
    ModuleId,
    Digest,
    Timestamp,
    Pcrs,
    Certificate,
    Cabundle,
    PublicKey,
    UserData,
    Nonce,
}

impl Field {
    const ALL: [Self; 9] = [
        Self::ModuleId,
        Self::Digest,
        Self::Timestamp,
        Self::Pcrs,
        Self::Certificate,
        Self::Cabundle,
        Self::PublicKey,
        Self::UserData,
        Self::Nonce,
    ];

    /// Key in the map.
    pub fn name(self) -> &'static str {
        match self {
            Self::ModuleId => "module_id",
            Self::Digest => "digest",
            Self::Timestamp => "timestamp",
            Self::Pcrs => "pcrs",
            Self::Certificate => "certificate",
            Self::Cabundle => "cabundle",
            Self::PublicKey => "public_key",
            Self::UserData => "user_data",
            Self::Nonce => "nonce",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Id of an enclave: `i-`, 8 to 17 hex digits, `-enc`, 16 hex digits. The form tells an enclave's
/// document from those of other AWS products under the same root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleId(String);

impl ModuleId {
    /// The id that simulated modules carry.
    pub const SIMULATED: &'static str = "i-00000000000000000-enc0000000000000000";

    /// # Errors
    /// [`FieldFlaw::ModuleId`].
    pub fn parse(text: &str) -> Result<Self, FieldFlaw> {
        let hex = |digits: &str| {
            digits
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let (instance, enclave) = text
            .strip_prefix("i-")
            .and_then(|rest| rest.split_once("-enc"))
            .ok_or(FieldFlaw::ModuleId)?;
        let well_formed = (8..=17).contains(&instance.len())
            && hex(instance)
            && enclave.len() == 16
            && hex(enclave);
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(FieldFlaw::ModuleId)
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parent instance's id, `i-…`.
    pub fn instance_id(&self) -> &str {
        self.0
            .split_once("-enc")
            .map_or(self.0.as_str(), |(id, _)| id)
    }

    /// Whether a simulated module wrote it.
    pub fn is_simulated(&self) -> bool {
        self.0 == Self::SIMULATED
    }
}

impl fmt::Display for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A well-formed payload. Nothing is verified yet.
#[derive(Debug)]
pub struct Payload<'a> {
    /// Who wrote the document.
    pub module_id: ModuleId,
    /// When.
    pub timestamp: UnixMillis,
    /// Measurements by index; 0, 1, 2 and 4 are present.
    pub pcrs: BTreeMap<u8, PcrValue>,
    /// Leaf certificate, DER.
    pub certificate: &'a [u8],
    /// Root first, the leaf's issuer last, DER.
    pub cabundle: Vec<&'a [u8]>,
    /// 1 to 1024 bytes.
    pub public_key: Option<&'a [u8]>,
    /// At most 512 bytes.
    pub user_data: Option<&'a [u8]>,
    /// At most 512 bytes.
    pub nonce: Option<&'a [u8]>,
}

impl<'a> Payload<'a> {
    /// # Errors
    /// Anything that a module would not write, see [`AttestationError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, AttestationError> {
        let mut decoder = Decoder::new(bytes);
        let mut fields = Fields::default();
        let definite = map_length(&mut decoder)?;
        let mut read = 0_u64;
        loop {
            if definite == Some(read) {
                break;
            }
            if definite.is_none() && is_break(&decoder)? {
                break_item(&mut decoder);
                break;
            }
            fields.read(&mut decoder)?;
            read = read.saturating_add(1);
        }
        match bytes.len().saturating_sub(decoder.position()) {
            0 => fields.complete(),
            count => Err(AttestationError::PayloadTrailing { count }),
        }
    }

    /// Certificates, root first, leaf last.
    pub fn chain(&self) -> Vec<&'a [u8]> {
        let mut chain = self.cabundle.clone();
        chain.push(self.certificate);
        chain
    }
}

#[derive(Default)]
struct Fields<'a> {
    seen: Vec<Field>,
    module_id: Option<ModuleId>,
    timestamp: Option<UnixMillis>,
    pcrs: Option<BTreeMap<u8, PcrValue>>,
    certificate: Option<&'a [u8]>,
    cabundle: Option<Vec<&'a [u8]>>,
    public_key: Option<&'a [u8]>,
    user_data: Option<&'a [u8]>,
    nonce: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// One key and its value.
    fn read(&mut self, decoder: &mut Decoder<'a>) -> Result<(), AttestationError> {
        let at = decoder.position();
        let key = decoder
            .str()
            .map_err(|_| AttestationError::PayloadCbor { at })?;
        let field = Field::ALL
            .into_iter()
            .find(|field| field.name() == key)
            .ok_or(AttestationError::UnknownField)?;
        if self.seen.contains(&field) {
            return Err(AttestationError::DuplicateField(field));
        }
        self.seen.push(field);
        self.value(field, decoder)
            .map_err(|flaw| AttestationError::field(field, flaw))
    }

    fn value(&mut self, field: Field, decoder: &mut Decoder<'a>) -> Result<(), FieldFlaw> {
        match field {
            Field::ModuleId => self.module_id = Some(module_id(decoder)?),
            Field::Digest => digest(decoder)?,
            Field::Timestamp => self.timestamp = Some(timestamp(decoder)?),
            Field::Pcrs => self.pcrs = Some(pcrs(decoder)?),
            Field::Certificate => self.certificate = Some(bytes(decoder, 1, MAX_CERTIFICATE)?),
            Field::Cabundle => self.cabundle = Some(cabundle(decoder)?),
            Field::PublicKey => self.public_key = optional(decoder, 1, MAX_PUBLIC_KEY)?,
            Field::UserData => self.user_data = optional(decoder, 0, MAX_USER_DATA)?,
            Field::Nonce => self.nonce = optional(decoder, 0, MAX_USER_DATA)?,
        }
        Ok(())
    }

    fn complete(self) -> Result<Payload<'a>, AttestationError> {
        let missing = AttestationError::MissingField;
        if !self.seen.contains(&Field::Digest) {
            return Err(missing(Field::Digest));
        }
        Ok(Payload {
            module_id: self.module_id.ok_or(missing(Field::ModuleId))?,
            timestamp: self.timestamp.ok_or(missing(Field::Timestamp))?,
            pcrs: self.pcrs.ok_or(missing(Field::Pcrs))?,
            certificate: self.certificate.ok_or(missing(Field::Certificate))?,
            cabundle: self.cabundle.ok_or(missing(Field::Cabundle))?,
            public_key: self.public_key,
            user_data: self.user_data,
            nonce: self.nonce,
        })
    }
}

/// Entries of the map, `None` when indefinite.
fn map_length(decoder: &mut Decoder<'_>) -> Result<Option<u64>, AttestationError> {
    decoder
        .map()
        .map_err(|_| AttestationError::PayloadCbor { at: 0 })
}

fn is_break(decoder: &Decoder<'_>) -> Result<bool, AttestationError> {
    let at = decoder.position();
    let kind = decoder
        .datatype()
        .map_err(|_| AttestationError::PayloadCbor { at })?;
    Ok(kind == Type::Break)
}

fn break_item(decoder: &mut Decoder<'_>) {
    decoder.set_position(decoder.position().saturating_add(1));
}

fn module_id(decoder: &mut Decoder<'_>) -> Result<ModuleId, FieldFlaw> {
    let at = decoder.position();
    ModuleId::parse(decoder.str().map_err(|_| FieldFlaw::Type { at })?)
}

fn digest(decoder: &mut Decoder<'_>) -> Result<(), FieldFlaw> {
    let at = decoder.position();
    match decoder.str().map_err(|_| FieldFlaw::Type { at })? {
        "SHA384" => Ok(()),
        _ => Err(FieldFlaw::Digest),
    }
}

fn timestamp(decoder: &mut Decoder<'_>) -> Result<UnixMillis, FieldFlaw> {
    let at = decoder.position();
    match decoder.u64().map_err(|_| FieldFlaw::Type { at })? {
        time @ 1..=MAX_TIME_MS => Ok(UnixMillis(time)),
        _ => Err(FieldFlaw::Time),
    }
}

fn pcrs(decoder: &mut Decoder<'_>) -> Result<BTreeMap<u8, PcrValue>, FieldFlaw> {
    let at = decoder.position();
    let count = decoder.map().ok().flatten().ok_or(FieldFlaw::Type { at })?;
    within(count, 1, usize::from(PCR_COUNT))?;
    let mut pcrs = BTreeMap::new();
    for _ in 0..count {
        let at = decoder.position();
        let index = decoder.u64().map_err(|_| FieldFlaw::Type { at })?;
        let index = u8::try_from(index)
            .ok()
            .filter(|index| *index < PCR_COUNT)
            .ok_or(FieldFlaw::PcrIndex { got: index })?;
        let value = bytes(decoder, 48, 48)?;
        let value = *value.first_chunk().ok_or(FieldFlaw::Type { at })?;
        if pcrs.insert(index, value).is_some() {
            return Err(FieldFlaw::DuplicatePcr { index });
        }
    }
    match [0, 1, 2, 4]
        .into_iter()
        .find(|index| !pcrs.contains_key(index))
    {
        Some(index) => Err(FieldFlaw::MissingPcr { index }),
        None => Ok(pcrs),
    }
}

fn cabundle<'a>(decoder: &mut Decoder<'a>) -> Result<Vec<&'a [u8]>, FieldFlaw> {
    let at = decoder.position();
    let count = decoder
        .array()
        .ok()
        .flatten()
        .ok_or(FieldFlaw::Type { at })?;
    within(count, 2, MAX_BUNDLE)?;
    (0..count)
        .map(|_| bytes(decoder, 1, MAX_CERTIFICATE))
        .collect()
}

fn optional<'a>(
    decoder: &mut Decoder<'a>,
    min: usize,
    max: usize,
) -> Result<Option<&'a [u8]>, FieldFlaw> {
    if matches!(decoder.datatype(), Ok(Type::Null)) {
        let at = decoder.position();
        decoder.null().map_err(|_| FieldFlaw::Type { at })?;
        return Ok(None);
    }
    bytes(decoder, min, max).map(Some)
}

/// A definite byte string.
fn bytes<'a>(decoder: &mut Decoder<'a>, min: usize, max: usize) -> Result<&'a [u8], FieldFlaw> {
    let at = decoder.position();
    let value = decoder.bytes().map_err(|_| FieldFlaw::Type { at })?;
    within(u64::try_from(value.len()).unwrap_or(u64::MAX), min, max)?;
    Ok(value)
}

fn within(got: u64, min: usize, max: usize) -> Result<(), FieldFlaw> {
    match usize::try_from(got) {
        Ok(length) if (min..=max).contains(&length) => Ok(()),
        _ => Err(FieldFlaw::Length { min, max, got }),
    }
}
