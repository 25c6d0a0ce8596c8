//! What the caller decides: whom to trust, how deep to look, and what it lends.

use std::path::PathBuf;

use attestation::PcrPolicy;
use formats::digest::{FileDigests, Sha256Digest};
use formats::progress::ProgressSink;
use formats::source::Source;
use manifest::solidity::StandardJson;
use manifest::sources::SourceBundle;
use manifest::spec::CircomOptions;

use crate::expected::Origin;

/// Whose signature counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Documents that chain to AWS's root, of an enclave with these measurements.
    ///
    /// A policy that does not pin PCR0, PCR1 and PCR2 cannot lead to [`crate::Verdict::Verified`]:
    /// anyone can run an enclave of their own.
    Aws {
        /// Expected measurements.
        pcrs: PcrPolicy,
        /// Who says that these are the ones to expect.
        origin: Origin,
    },
    /// SIMULATION: documents that chain to this root, or to the one that they carry themselves.
    Simulation {
        /// DER of the simulated root certificate.
        root: Option<Vec<u8>>,
    },
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Only the small files: seconds and a small fixed memory for any circuit.
    Attestation,
    /// Also every file's digest, the key's contributions and exports, and the beacon undone.
    Artifacts,
    /// Also compiles circuit and contract again and checks the key against r1cs and ptau.
    Full,
}

/// What a lent compiler says when it fails.
pub type EffectError = Box<dyn std::error::Error + Send + Sync>;

/// A circuit that was compiled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompiledCircuit {
    /// Digests of the r1cs.
    pub r1cs: FileDigests,
    /// Digests of the witness generator.
    pub wasm: FileDigests,
}

/// The circom compiler, lent by the caller.
pub trait CircuitCompiler {
    /// SHA-256 of the compiler's WebAssembly module.
    fn module(&self) -> Sha256Digest;
    /// Compiles the sources with the options of the spec.
    fn compile(
        &self,
        sources: &SourceBundle,
        options: &CircomOptions,
    ) -> Result<CompiledCircuit, EffectError>;
}

/// A contract that was compiled again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledContract {
    /// Creation code.
    pub creation: Vec<u8>,
    /// Runtime code.
    pub runtime: Vec<u8>,
}

/// The Solidity compiler, lent by the caller.
pub trait ContractCompiler {
    /// SHA-256 of the compiler's WebAssembly module.
    fn module(&self) -> Sha256Digest;
    /// Compiles the verifier contract.
    fn compile(&self, input: &StandardJson) -> Result<CompiledContract, EffectError>;
}

/// Everything [`crate::verify_bundle`] is told.
pub struct VerifyOptions<'a> {
    /// Whose signature counts.
    pub trust: Trust,
    /// How much is looked at.
    pub depth: Depth,
    /// The nonce that the requester drew, if the bundle must be of that very request.
    pub nonce: Option<[u8; 32]>,
    /// A folder with the sources that the bundle must be made of, laid out like the bundle's
    /// `circuit/` folder; files of the main tree may also lie there without their leading `circuit/`.
    pub source: Option<PathBuf>,
    /// The ptau, needed at [`Depth::Full`].
    pub ptau: Option<&'a dyn Source>,
    /// circom, needed at [`Depth::Full`] for bundles made from sources.
    pub circuit_compiler: Option<&'a dyn CircuitCompiler>,
    /// solc, needed at [`Depth::Full`].
    pub contract_compiler: Option<&'a dyn ContractCompiler>,
    /// 32 fresh random bytes for the checks by random linear combination, drawn after the bundle was
    /// received and used for this one call.
    pub challenge_key: [u8; 32],
    /// Told of progress; may cancel.
    pub progress: &'a dyn ProgressSink,
}

impl VerifyOptions<'_> {
    /// True when simulated evidence is accepted.
    pub fn is_simulation(&self) -> bool {
        matches!(self.trust, Trust::Simulation { .. })
    }

    /// A challenge key for one purpose.
    pub(crate) fn challenge(&self, purpose: &str) -> [u8; 32] {
        let seed = [self.challenge_key.as_slice(), purpose.as_bytes()].concat();
        *Sha256Digest::of(&seed).as_bytes()
    }
}
