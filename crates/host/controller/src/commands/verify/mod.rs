//! `controller verify`: the checklist of `crates/evidence/verify`, shown.

mod compilers;
mod sequence;
mod show;
mod snarkjs;
mod trust;

use std::path::{Path, PathBuf};

use formats::source::{FileSource, Source};
use manifest::{ArtifactKind, Manifest, RawManifest, Spec};
use verify::{CircuitCompiler, ContractCompiler, VerifyOptions, verify_bundle};

use self::compilers::{LentCircom, LentSolc};
pub(super) use self::trust::{from_file, measured};
use super::ceremony::parse_nonce;
use crate::cli::{Depth, Referee, VerifyArgs};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::programs::find_modules;
use crate::work::WorkDisplay;

pub(super) use sequence::links;

/// A manifest has a line for each source file, of which there are at most 10,000.
const MANIFEST_LIMIT: u64 = 64 << 20;

/// Verifies the bundle that was named, or all of a folder of bundles.
pub(super) fn run(args: &VerifyArgs, printer: &Printer) -> Result<Exit, CliError> {
    if !args.bundle.is_dir() {
        let source = std::io::Error::from(std::io::ErrorKind::NotADirectory);
        return Err(CliError::File {
            action: "read",
            path: args.bundle.clone(),
            source,
        });
    }
    match sequence::count(&args.bundle)? {
        None => one(args, &args.bundle, printer),
        Some(count) => sequence::run(args, count, printer),
    }
}

/// Whether the folder is one of bundles in sequence.
pub(super) fn holds_several(bundle: &Path) -> Result<bool, CliError> {
    Ok(bundle.is_dir() && sequence::count(bundle)?.is_some())
}

fn one(args: &VerifyArgs, bundle: &Path, printer: &Printer) -> Result<Exit, CliError> {
    let scratch = Scratch::new()?;
    let ptau = ptau(args, bundle, &scratch)?;
    let opened = ptau.as_deref().map(open).transpose()?;
    let full = args.depth == Depth::Full;
    let modules = if full {
        Some(find_modules(args.modules.as_deref())?)
    } else {
        None
    };
    let circom = modules.as_deref().map(LentCircom::load).transpose()?;
    let solc = modules.as_deref().map(LentSolc::load).transpose()?;
    let ptau_source = opened.as_ref().map(|source| -> &dyn Source { source });
    let circuit_compiler = circom.as_ref().map(|lent| -> &dyn CircuitCompiler { lent });
    let contract_compiler = solc.as_ref().map(|lent| -> &dyn ContractCompiler { lent });
    let work = WorkDisplay::new(printer);
    let options = VerifyOptions {
        trust: trust::from_args(args)?,
        depth: depth(args.depth),
        nonce: args.nonce.as_deref().map(parse_nonce).transpose()?,
        source: args.source.clone(),
        ptau: ptau_source,
        circuit_compiler,
        contract_compiler,
        challenge_key: challenge_key()?,
        progress: &work,
    };
    let report = verify_bundle(bundle, &options);
    work.finish();
    let exit = show::report(&report, printer);
    match args.with {
        None => Ok(exit),
        Some(Referee::Snarkjs) => {
            let ptau = ptau.ok_or_else(|| CliError::Usage {
                what: "--with snarkjs needs --ptau".to_owned(),
                hint: Some("snarkjs checks the key against the powers of tau"),
            })?;
            snarkjs::agrees(bundle, &ptau, exit, printer)
        }
    }
}

/// Verifies what `run` has just made, as the ceremony that was asked for.
pub(super) fn after_run(
    bundle: &Path,
    spec: &Spec,
    trust: verify::Trust,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let work = WorkDisplay::new(printer);
    let options = VerifyOptions {
        trust,
        depth: verify::Depth::Artifacts,
        nonce: Some(spec.requester_nonce),
        source: None,
        ptau: None,
        circuit_compiler: None,
        contract_compiler: None,
        challenge_key: challenge_key()?,
        progress: &work,
    };
    let report = verify_bundle(bundle, &options);
    work.finish();
    Ok(show::report(&report, printer))
}

fn depth(depth: Depth) -> verify::Depth {
    match depth {
        Depth::Attestation => verify::Depth::Attestation,
        Depth::Artifacts => verify::Depth::Artifacts,
        Depth::Full => verify::Depth::Full,
    }
}

fn challenge_key() -> Result<[u8; 32], CliError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(CliError::Randomness)?;
    Ok(key)
}

/// The file that was named, or for `dev` a development file of the power in the manifest.
fn ptau(args: &VerifyArgs, bundle: &Path, scratch: &Scratch) -> Result<Option<PathBuf>, CliError> {
    match &args.ptau {
        Some(word) if word.as_os_str() == "dev" => {
            let power = power_in_manifest(bundle)?;
            let path = scratch.path("development.ptau");
            let failed = |source| CliError::File {
                action: "write",
                path: path.clone(),
                source,
            };
            let file = std::fs::File::create(&path).map_err(failed)?;
            let mut out = std::io::BufWriter::with_capacity(1 << 20, file);
            devptau::write(power, &mut out, &formats::progress::NoProgress)?;
            std::io::Write::flush(&mut out).map_err(failed)?;
            Ok(Some(path))
        }
        other => Ok(other.clone()),
    }
}

fn power_in_manifest(bundle: &Path) -> Result<u32, CliError> {
    Ok(manifest(bundle)?.phase1.power)
}

/// The manifest of a bundle, as far as its form goes.
pub(super) fn manifest(bundle: &Path) -> Result<Manifest, CliError> {
    let path = bundle.join(ArtifactKind::Manifest.name());
    let failed = |source| CliError::File {
        action: "read",
        path: path.clone(),
        source,
    };
    if std::fs::metadata(&path).map_err(failed)?.len() > MANIFEST_LIMIT {
        return Err(failed(std::io::Error::from(
            std::io::ErrorKind::FileTooLarge,
        )));
    }
    let text = std::fs::read(&path).map_err(failed)?;
    Ok(RawManifest(text).validate()?)
}

fn open(path: &Path) -> Result<FileSource, CliError> {
    FileSource::open(path).map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })
}

/// A folder for files of one command; removed at its end.
pub(super) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(super) fn new() -> Result<Self, CliError> {
        tempfile::Builder::new()
            .prefix("ceremony-verify-")
            .tempdir()
            .map(Self)
            .map_err(|source| CliError::File {
                action: "create a folder in",
                path: std::env::temp_dir(),
                source,
            })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
