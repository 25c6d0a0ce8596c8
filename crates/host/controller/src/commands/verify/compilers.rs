//! The pinned compilers, lent to the verifier for its full depth.

use std::fs::File;
use std::path::{Path, PathBuf};

use circom::{Circom, Limits, Outputs};
use formats::digest::{FileDigests, Sha256Digest, hash_source};
use formats::progress::NoProgress;
use formats::source::FileSource;
use manifest::solidity::StandardJson;
use manifest::sources::SourceBundle;
use manifest::spec::CircomOptions;
use solc::Solc;
use verify::{CircuitCompiler, CompiledCircuit, CompiledContract, ContractCompiler, EffectError};

use super::Scratch;
use crate::error::CliError;

/// circom, writing into a folder of its own.
pub(super) struct LentCircom {
    circom: Circom,
    module: Sha256Digest,
    scratch: Scratch,
}

impl LentCircom {
    pub(super) fn load(modules: &Path) -> Result<Self, CliError> {
        let module = circom::MODULE_SHA256
            .parse()
            .map_err(|_| CliError::Bundle {
                what: "circom's pinned digest is not a digest",
            })?;
        Ok(Self {
            circom: Circom::load(modules)?,
            module,
            scratch: Scratch::new()?,
        })
    }
}

impl CircuitCompiler for LentCircom {
    fn module(&self) -> Sha256Digest {
        self.module
    }

    fn compile(
        &self,
        sources: &SourceBundle,
        options: &CircomOptions,
    ) -> Result<CompiledCircuit, EffectError> {
        let (r1cs, wasm) = (
            self.scratch.path("circuit.r1cs"),
            self.scratch.path("circuit.wasm"),
        );
        let outputs = Outputs {
            r1cs: create(&r1cs)?,
            wasm: create(&wasm)?,
        };
        self.circom
            .compile(sources, options, &Limits::default(), outputs, &|| false)?;
        Ok(CompiledCircuit {
            r1cs: digests(r1cs)?,
            wasm: digests(wasm)?,
        })
    }
}

fn create(path: &Path) -> std::io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
}

fn digests(path: PathBuf) -> std::io::Result<FileDigests> {
    hash_source(&FileSource::open(path)?, &NoProgress)
}

/// solc.
pub(super) struct LentSolc(Solc);

impl LentSolc {
    pub(super) fn load(modules: &Path) -> Result<Self, CliError> {
        Ok(Self(Solc::load(modules)?))
    }
}

impl ContractCompiler for LentSolc {
    fn module(&self) -> Sha256Digest {
        Sha256Digest::new(solc::unpack::SOLC_WASM_SHA256)
    }

    fn compile(&self, input: &StandardJson) -> Result<CompiledContract, EffectError> {
        let compiled = self.0.compile_verifier(input)?;
        Ok(CompiledContract {
            creation: compiled.creation().to_vec(),
            runtime: compiled.runtime().to_vec(),
        })
    }
}
