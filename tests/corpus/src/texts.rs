//! The canonical texts: each has one spelling, so what is accepted must be written back the same.

use std::sync::LazyLock;

use formats::digest::Sha256Digest;
use manifest::receipt::ReceiptError;
use manifest::solidity::FieldElement;
use manifest::sources::{RawSourceBundle, SourcePath};
use manifest::spec::{CircomOptions, CircuitInput};
use manifest::{BeaconJson, CeremonyId, RawManifest, RawReceipts, RawSpec};

use crate::{Accepted, Verdict};

/// The spec of the corpus's receipts.
const SPEC: &[u8] = include_bytes!("../../vectors/spec/accepted-sources.txt");

static CEREMONY: LazyLock<CeremonyId> = LazyLock::new(|| CeremonyId(Sha256Digest::of(SPEC)));

pub(crate) fn spec(bytes: &[u8]) -> Verdict {
    RawSpec(bytes.to_vec())
        .validate()
        .map(|spec| Accepted::Written(spec.text().to_vec()))
        .map_err(|error| error.code().to_owned())
}

pub(crate) fn manifest(bytes: &[u8]) -> Verdict {
    RawManifest(bytes.to_vec())
        .validate()
        .map(|manifest| Accepted::Written(manifest.text().to_vec()))
        .map_err(|error| error.code().to_owned())
}

/// Receipts of the ceremony of `spec/accepted-sources.txt`.
pub(crate) fn receipts(bytes: &[u8]) -> Verdict {
    RawReceipts(bytes.to_vec())
        .validate(*CEREMONY, CircuitInput::Sources)
        .map(|chain| Accepted::Written(chain.to_bytes()))
        .map_err(|error| match error {
            ReceiptError::Canonical { source, .. } => source.code().to_owned(),
            error => error.code().to_owned(),
        })
}

pub(crate) fn beacon_json(bytes: &[u8]) -> Verdict {
    BeaconJson::parse(bytes)
        .map(|beacon| Accepted::Written(beacon.to_bytes()))
        .map_err(|error| error.code().to_owned())
}

pub(crate) fn sources(bytes: &[u8]) -> Verdict {
    RawSourceBundle(bytes)
        .validate()
        .map(|bundle| Accepted::Written(bundle.encode()))
        .map_err(|error| error.code().to_owned())
}

/// A path as it stands in a bundle's header.
pub(crate) fn source_path(bytes: &[u8]) -> Verdict {
    SourcePath::decode(text(bytes)?)
        .map(|path| Accepted::Written(path.encode().into_bytes()))
        .map_err(|_| "path".to_owned())
}

pub(crate) fn circom_options(bytes: &[u8]) -> Verdict {
    text(bytes)?
        .parse::<CircomOptions>()
        .map(|options| Accepted::Written(options.to_string().into_bytes()))
        .map_err(|error| error.code().to_owned())
}

/// A field element as a verification key's JSON spells it.
pub(crate) fn decimal_field(bytes: &[u8]) -> Verdict {
    FieldElement::from_decimal(text(bytes)?)
        .map(|_| Accepted::Read)
        .map_err(|error| error.code().to_owned())
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "not_utf8".to_owned())
}
