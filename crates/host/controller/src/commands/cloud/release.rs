//! A release: what a machine in the cloud is started from, checked before anything is made.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use attestation::PcrPolicy;
use cloud::Architecture;
use eif::RawEif;
use formats::digest::{Sha256Digest, hash_source};
use formats::source::FileSource;
use infra::host_config::Pcrs;
use saga::Input;
use verify::RawExpected;
use verify::expected::MAX_FILE;

use crate::error::CliError;
use crate::work::WorkDisplay;

/// Checksums of the folder, as `sha256sum` writes them.
const SUMS: &str = "SHA256SUMS";
/// Measurements of the image.
const MEASUREMENTS: &str = "pcr-values.json";
/// The enclave image.
const IMAGE: &str = "ceremony.eif";
/// The program of the machine.
const HOST_AGENT: &str = "host-agent";
/// Longest list of checksums taken, bytes.
const MAX_SUMS: u64 = 64 << 10;
/// Inputs of the machine with their names in the release.
const FILES: [(&str, &str); 4] = [
    ("host-agent", HOST_AGENT),
    ("enclave.eif", IMAGE),
    ("circom.wasm", circom::MODULE_FILE),
    ("solc.wasm", "solc.wasm"),
];

/// A release that was checked.
#[derive(Debug)]
pub(super) struct Release {
    /// Its folder, absolute: a run may be resumed from elsewhere.
    pub(super) folder: PathBuf,
    /// Inputs of the machine.
    pub(super) inputs: Vec<Input>,
    /// SHA-256 of each, by its name among the inputs.
    pub(super) sha256: BTreeMap<String, [u8; 32]>,
    /// What the enclave image measures.
    pub(super) pcrs: Pcrs,
    /// Size of the enclave image.
    pub(super) image_bytes: u64,
    /// Bytes of all inputs.
    pub(super) bytes: u64,
    /// Processor that programs and image are made for.
    pub(super) architecture: Architecture,
}

impl Release {
    /// Every file that is needed has the SHA-256 of the list, the compilers are the pinned ones, and the image
    /// measures what the release says. Whether its publisher said so is asked by `--pcrs`.
    pub(super) fn open(folder: &Path, work: &WorkDisplay<'_>) -> Result<Self, CliError> {
        let folder = folder.canonicalize().map_err(|source| CliError::File {
            action: "read",
            path: folder.into(),
            source,
        })?;
        let refused = |what: String| CliError::Release {
            path: folder.clone(),
            what,
        };
        let sums = sums(&folder)?;
        let mut inputs = Vec::new();
        let mut sha256 = BTreeMap::new();
        let mut bytes = 0_u64;
        for (name, file) in FILES {
            let path = folder.join(file);
            let failed = |source| CliError::File {
                action: "read",
                path: path.clone(),
                source,
            };
            let source = FileSource::open(&path).map_err(failed)?;
            let got = hash_source(&source, work).map_err(failed)?.sha256;
            let listed = sums
                .get(file)
                .ok_or_else(|| refused(format!("{SUMS} does not list {file}")))?;
            if got.to_string() != *listed {
                return Err(refused(format!(
                    "{file} has SHA-256 {got}, {SUMS} says {listed}"
                )));
            }
            pinned(file, &got).map_err(refused)?;
            bytes = bytes.saturating_add(formats::source::Source::len(&source));
            sha256.insert(name.to_owned(), *got.as_bytes());
            inputs.push(Input {
                name: name.to_owned(),
                path,
            });
        }
        let image = read(&folder.join(IMAGE), u64::MAX)?;
        let pcrs = measure(&folder.join(IMAGE), &image)?;
        let said = read(
            &folder.join(MEASUREMENTS),
            u64::try_from(MAX_FILE).unwrap_or(u64::MAX),
        )?;
        let said = RawExpected(&said)
            .unsigned()
            .map_err(|source| CliError::Expected {
                path: folder.join(MEASUREMENTS),
                source,
            })?;
        if said.policy() != policy(pcrs) {
            return Err(refused(format!(
                "{IMAGE} does not measure what {MEASUREMENTS} says"
            )));
        }
        let architecture = machine_of(&read_start(&folder.join(HOST_AGENT))?)
            .ok_or_else(|| refused(format!("{HOST_AGENT} is no program for x86-64 or arm64")))?;
        if image_architecture(&image) != architecture {
            return Err(refused(format!(
                "{HOST_AGENT} and {IMAGE} are for different processors"
            )));
        }
        Ok(Self {
            image_bytes: u64::try_from(image.len()).unwrap_or(u64::MAX),
            folder,
            inputs,
            sha256,
            pcrs,
            bytes,
            architecture,
        })
    }
}

/// The policy that demands this image.
pub(super) fn policy([pcr0, pcr1, pcr2]: Pcrs) -> PcrPolicy {
    PcrPolicy::image(pcr0, pcr1, pcr2)
}

fn measure(path: &Path, image: &[u8]) -> Result<Pcrs, CliError> {
    let image = RawEif(image).validate().map_err(|source| CliError::Image {
        path: path.into(),
        source,
    })?;
    let pcrs = image.pcrs();
    Ok([pcrs.pcr0, pcrs.pcr1, pcrs.pcr2])
}

/// The compilers are part of the ceremony: others than the pinned ones are refused by the enclave, after an hour.
fn pinned(file: &str, got: &Sha256Digest) -> Result<(), String> {
    let expected = match file {
        circom::MODULE_FILE => circom::MODULE_SHA256.to_owned(),
        "solc.wasm" => hex::encode(solc::unpack::SOLC_WASM_SHA256),
        _ => return Ok(()),
    };
    if got.to_string() == expected {
        Ok(())
    } else {
        Err(format!("{file} is not the compiler of this version"))
    }
}

/// Names and digests of the list; lines of another form are left out, and so are not found.
fn sums(folder: &Path) -> Result<BTreeMap<String, String>, CliError> {
    let text = read(&folder.join(SUMS), MAX_SUMS)?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().filter_map(|line| {
        let (digest, name) = line.split_once(' ')?;
        let name = name.strip_prefix([' ', '*'])?;
        Some((name.to_owned(), digest.to_owned()))
    });
    Ok(lines.collect())
}

/// Processor of an ELF program, from its header.
fn machine_of(start: &[u8]) -> Option<Architecture> {
    if start.get(..4)? != b"\x7fELF" {
        return None;
    }
    match start.get(18..20)? {
        [0x3e, 0] => Some(Architecture::X86_64),
        [0xb7, 0] => Some(Architecture::Arm64),
        _ => None,
    }
}

/// Bit 0 of an image's flags: aarch64 (`eif::layout`).
fn image_architecture(image: &[u8]) -> Architecture {
    if image.get(7).is_some_and(|flags| flags & 1 == 1) {
        Architecture::Arm64
    } else {
        Architecture::X86_64
    }
}

fn read_start(path: &Path) -> Result<Vec<u8>, CliError> {
    read(path, 64)
}

/// The first bytes of a file, `limit` at most.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, CliError> {
    let failed = |source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_for_which_processor_it_is() {
        let mut start = *b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00";
        assert_eq!(machine_of(&start), Some(Architecture::X86_64));
        start[18] = 0xb7;
        assert_eq!(machine_of(&start), Some(Architecture::Arm64));
        start[18] = 0x28;
        assert_eq!(machine_of(&start), None);
        assert_eq!(machine_of(b"#!/bin/sh\n"), None);
        assert_eq!(machine_of(b"\x7fELF"), None);
    }
}
