//! The document's bytes, written by hand in the order and spelling of the real module.

use attestation::PcrValue;
use minicbor::Encoder;
use p384::{
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::DecodePrivateKey,
};
use std::collections::BTreeMap;

/// How the payload's map announces its length. Modules wrote definite maps until about November
/// 2025, indefinite ones since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapForm {
    /// `bf … ff`.
    #[default]
    Indefinite,
    /// `a9 …`.
    Definite,
}

/// What a document says.
#[derive(Clone, Debug)]
pub struct Fields {
    /// `i-…-enc…`.
    pub module_id: String,
    /// Unix milliseconds.
    pub timestamp: u64,
    /// Registers by index.
    pub pcrs: BTreeMap<u8, PcrValue>,
    /// DER, root first, leaf last.
    pub chain: Vec<Vec<u8>>,
    /// Public key.
    pub public_key: Option<Vec<u8>>,
    /// User data.
    pub user_data: Option<Vec<u8>>,
    /// Nonce.
    pub nonce: Option<Vec<u8>>,
}

/// A key of the map and its encoded value.
pub type Entry = (&'static str, Vec<u8>);

impl Fields {
    /// The nine entries in the module's order, absent optional fields as null.
    pub fn entries(&self) -> Vec<Entry> {
        let (leaf, bundle) = self
            .chain
            .split_last()
            .map_or((Vec::new(), Vec::new()), |(leaf, bundle)| {
                (leaf.clone(), bundle.to_vec())
            });
        let optional = |value: &Option<Vec<u8>>| match value {
            Some(bytes) => item(|e| e.bytes(bytes).is_ok()),
            None => item(|e| e.null().is_ok()),
        };
        vec![
            ("module_id", item(|e| e.str(&self.module_id).is_ok())),
            ("digest", item(|e| e.str("SHA384").is_ok())),
            ("timestamp", item(|e| e.u64(self.timestamp).is_ok())),
            ("pcrs", self.pcr_map()),
            ("certificate", item(|e| e.bytes(&leaf).is_ok())),
            (
                "cabundle",
                item(|e| {
                    e.array(length(bundle.len())).is_ok()
                        && bundle.iter().all(|der| e.bytes(der).is_ok())
                }),
            ),
            ("public_key", optional(&self.public_key)),
            ("user_data", optional(&self.user_data)),
            ("nonce", optional(&self.nonce)),
        ]
    }

    fn pcr_map(&self) -> Vec<u8> {
        item(|e| {
            e.map(length(self.pcrs.len())).is_ok()
                && self
                    .pcrs
                    .iter()
                    .all(|(index, value)| e.u8(*index).is_ok_and(|e| e.bytes(value).is_ok()))
        })
    }
}

/// Encodes one item. Writing to memory can not fail.
pub fn item(write: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = write(&mut Encoder::new(&mut bytes));
    debug_assert!(written, "writing to memory");
    bytes
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The payload of these entries.
pub fn payload(entries: &[Entry], form: MapForm) -> Vec<u8> {
    let mut bytes = match form {
        MapForm::Indefinite => vec![0xbf],
        MapForm::Definite => item(|e| e.map(length(entries.len())).is_ok()),
    };
    for (key, value) in entries {
        bytes.extend(item(|e| e.str(key).is_ok()));
        bytes.extend_from_slice(value);
    }
    if form == MapForm::Indefinite {
        bytes.push(0xff);
    }
    bytes
}

/// The whole document: the payload in an untagged COSE_Sign1 envelope, signed with ES384.
///
/// `None` when the key is not one on P-384, or the payload is longer than the envelope can say.
pub fn sign(payload: &[u8], leaf_key_pkcs8: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(payload.len()).ok()?.to_be_bytes();
    let key = SigningKey::from_pkcs8_der(leaf_key_pkcs8).ok()?;
    let signed = [
        b"\x84\x6aSignature1\x44\xa1\x01\x38\x22\x40\x59".as_slice(),
        &length,
        payload,
    ]
    .concat();
    let signature: Signature = key.sign(&signed);
    Some(
        [
            b"\x84\x44\xa1\x01\x38\x22\xa0\x59".as_slice(),
            &length,
            payload,
            b"\x58\x60",
            &signature.to_bytes(),
        ]
        .concat(),
    )
}
