//! Replays `tests/vectors/` of this crate's parsers: a file's name begins with `accepted` or with the
//! code of the error that it must give. Every file also seeds a run of deterministic mutations.

use std::fs;
use std::path::Path;

use crate::beacon_json::{BeaconJson, BeaconJsonError};
use crate::canonical::CanonicalError;
use crate::fixtures::spec_fields;
use crate::manifest::{ManifestError, RawManifest};
use crate::receipt::{RawReceipts, ReceiptError};
use crate::spec::{CircuitInput, RawSpec, SpecError};

/// Parses; gives back the text as it would be written, or the error's code.
type Judge = fn(&[u8]) -> Result<Vec<u8>, &'static str>;

fn spec(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let parsed = RawSpec(bytes.to_vec()).validate();
    parsed
        .map(|spec| spec.text().to_vec())
        .map_err(|error: SpecError| error.code())
}

fn manifest(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let parsed = RawManifest(bytes.to_vec()).validate();
    parsed
        .map(|manifest| manifest.text().to_vec())
        .map_err(|error: ManifestError| error.code())
}

fn receipts(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let input = CircuitInput::Sources;
    let id = spec_fields(input).validate().unwrap().id();
    let parsed = RawReceipts(bytes.to_vec()).validate(id, input);
    parsed
        .map(|chain| chain.to_bytes())
        .map_err(|error| match error {
            ReceiptError::Canonical { source, .. } => CanonicalError::code(&source),
            error => error.code(),
        })
}

fn beacon_json(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let parsed = BeaconJson::parse(bytes);
    parsed
        .map(|beacon| beacon.to_bytes())
        .map_err(|error: BeaconJsonError| error.code())
}

const JUDGES: [(&str, Judge); 4] = [
    ("spec", spec),
    ("manifest", manifest),
    ("receipts", receipts),
    ("beacon_json", beacon_json),
];

fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../tests/vectors")
        .join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn each_file_is_judged_by_its_name() {
    for (folder, judge) in JUDGES {
        let files = corpus(folder);
        assert!(files.len() >= 5, "{folder}");
        for (name, bytes) in files {
            let (expected, _) = name.split_once('-').unwrap();
            match judge(&bytes) {
                Ok(written) => {
                    assert_eq!(expected, "accepted", "{folder}/{name}");
                    assert_eq!(written, bytes, "{folder}/{name}");
                }
                Err(code) => assert_eq!(expected, code, "{folder}/{name}"),
            }
        }
    }
}

#[test]
fn mutations_never_panic_and_what_is_accepted_has_one_spelling() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 8).unwrap()
    };
    for (folder, judge) in JUDGES {
        for (name, seed) in corpus(folder) {
            for _ in 0..200 {
                let mut bytes = seed.clone();
                for _ in 0..=next() % 2 {
                    let at = next() % bytes.len();
                    match next() % 4 {
                        0 => bytes[at] ^= 1 << (next() % 8),
                        1 => drop(bytes.remove(at)),
                        2 => bytes.insert(at, b" \n%.0a~\xff"[next() % 8]),
                        _ => bytes.truncate(at + 1),
                    }
                }
                if let Ok(written) = judge(&bytes) {
                    assert_eq!(written, bytes, "{folder}/{name}");
                }
            }
        }
    }
}
