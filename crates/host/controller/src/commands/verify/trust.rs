//! Whose documents are believed, and of which enclave.

use std::path::{Path, PathBuf};

use attestation::PcrPolicy;
use verify::expected::{MAX_FILE, MAX_SIGNATURE, RELEASE_KEY};
use verify::{Expected, Origin, RawExpected};

use crate::cli::{PcrFileArgs, Trust, VerifyArgs};
use crate::error::CliError;

pub(super) fn from_args(args: &VerifyArgs) -> Result<verify::Trust, CliError> {
    let typed = [&args.pcr0, &args.pcr1, &args.pcr2];
    match args.trust {
        Trust::Aws => {
            if args.simulated_root.is_some() {
                return Err(usage("--simulated-root needs --trust simulation"));
            }
            if let Some(path) = &args.pcr_file.pcrs {
                let expected = from_file(path, &args.pcr_file)?;
                return Ok(verify::Trust::Aws {
                    pcrs: expected.policy(),
                    origin: expected.origin().clone(),
                });
            }
            let mut policy = PcrPolicy::unpinned();
            for (index, text) in (0_u8..).zip(typed) {
                if let Some(text) = text {
                    policy = policy.expecting(index, pcr(text)?);
                }
            }
            Ok(verify::Trust::Aws {
                pcrs: policy,
                origin: Origin::Caller,
            })
        }
        Trust::Simulation => {
            if args.pcr_file.pcrs.is_some() || typed.iter().any(|text| text.is_some()) {
                return Err(usage(
                    "expected PCRs are for --trust aws: a simulated image has none",
                ));
            }
            let root = args.simulated_root.as_deref().map(read_root).transpose()?;
            Ok(verify::Trust::Simulation { root })
        }
    }
}

/// The file's measurements: signed, or the caller's own choice in so many words.
pub(in crate::commands) fn from_file(
    path: &Path,
    args: &PcrFileArgs,
) -> Result<Expected, CliError> {
    let file = read(path, MAX_FILE)?;
    let raw = RawExpected(&file);
    let refused = |source| CliError::Expected {
        path: path.into(),
        source,
    };
    if args.pcrs_unsigned {
        return raw.unsigned().map_err(refused);
    }
    let key = match (&args.pcrs_key, RELEASE_KEY) {
        (Some(given), _) => key(given)?,
        (None, Some(built_in)) => built_in.to_owned(),
        (None, None) => {
            return Err(CliError::Usage {
                what: "--pcrs needs --pcrs-key: no release key is built into this version".into(),
                hint: Some(
                    "give the publisher's minisign key; or, for a file that you made or compared yourself, --pcrs-unsigned",
                ),
            });
        }
    };
    let beside = || {
        let mut name = path.as_os_str().to_owned();
        name.push(".minisig");
        PathBuf::from(name)
    };
    let signature = args.pcrs_signature.clone().unwrap_or_else(beside);
    if !signature.exists() {
        return Err(CliError::Unsigned { path: path.into() });
    }
    let signature = read(&signature, MAX_SIGNATURE)?;
    raw.signed(&String::from_utf8_lossy(&signature), &key)
        .map_err(refused)
}

/// Trust in AWS's documents, of an enclave that measures what the caller chose.
pub(in crate::commands) fn measured(pcrs: [[u8; 48]; 3]) -> verify::Trust {
    let pinned = (0_u8..).zip(pcrs);
    verify::Trust::Aws {
        pcrs: pinned.fold(PcrPolicy::unpinned(), |policy, (index, value)| {
            policy.expecting(index, value)
        }),
        origin: Origin::Caller,
    }
}

/// A minisign key as it is typed, or the file that holds it.
fn key(given: &str) -> Result<String, CliError> {
    let path = Path::new(given);
    if !path.is_file() {
        return Ok(given.to_owned());
    }
    let bytes = read(path, MAX_SIGNATURE)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The whole file, or one byte more than `limit`.
fn read(path: &Path, limit: usize) -> Result<Vec<u8>, CliError> {
    let failed = |source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, limit), &mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

fn read_root(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })
}

fn pcr(text: &str) -> Result<[u8; 48], CliError> {
    let mut value = [0; 48];
    match hex::decode_to_slice(text, &mut value) {
        Ok(()) => Ok(value),
        Err(_) => Err(usage("a PCR is not 48 bytes in hex")),
    }
}

fn usage(what: &str) -> CliError {
    CliError::Usage {
        what: what.to_owned(),
        hint: None,
    }
}
