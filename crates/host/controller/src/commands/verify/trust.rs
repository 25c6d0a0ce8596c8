//! Whose documents are believed, and of which enclave.

use std::path::Path;

use attestation::PcrPolicy;
use serde_json::Value;

use crate::cli::{Trust, VerifyArgs};
use crate::error::CliError;

/// PCRs 0, 1 and 2, where given.
type Pcrs = [Option<[u8; 48]>; 3];

pub(super) fn from_args(args: &VerifyArgs) -> Result<verify::Trust, CliError> {
    let typed = [&args.pcr0, &args.pcr1, &args.pcr2];
    match args.trust {
        Trust::Aws => {
            if args.simulated_root.is_some() {
                return Err(usage("--simulated-root needs --trust simulation"));
            }
            let mut pcrs: Pcrs = [None; 3];
            for (slot, text) in pcrs.iter_mut().zip(typed) {
                *slot = text.as_deref().map(pcr).transpose()?;
            }
            if let Some(path) = &args.pcrs {
                pcrs = read(path)?;
            }
            let policy = (0_u8..).zip(pcrs).fold(
                PcrPolicy::unpinned(),
                |policy, (index, value)| match value {
                    Some(value) => policy.expecting(index, value),
                    None => policy,
                },
            );
            Ok(verify::Trust::Aws { pcrs: policy })
        }
        Trust::Simulation => {
            if args.pcrs.is_some() || typed.iter().any(|text| text.is_some()) {
                return Err(usage(
                    "expected PCRs are for --trust aws: a simulated image has none",
                ));
            }
            let root = args.simulated_root.as_deref().map(read_root).transpose()?;
            Ok(verify::Trust::Simulation { root })
        }
    }
}

fn read_root(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })
}

/// The JSON that nitro-cli prints: PCR0, PCR1 and PCR2, inside `Measurements` or not.
fn read(path: &Path) -> Result<Pcrs, CliError> {
    let text = std::fs::read(path).map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })?;
    let value: Value =
        serde_json::from_slice(&text).map_err(|_| usage("the file of --pcrs is not JSON"))?;
    let inner = value.get("Measurements").unwrap_or(&value);
    let one = |name| match inner.get(name).and_then(Value::as_str) {
        Some(text) => pcr(text).map(Some),
        None => Err(usage("the file of --pcrs has not PCR0, PCR1 and PCR2")),
    };
    Ok([one("PCR0")?, one("PCR1")?, one("PCR2")?])
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
