//! The ceremony spec: what the requester asked for, fixed before anything runs.
//!
//! The SHA-256 of its text is the [`CeremonyId`], which both attestations carry.

mod options;

use std::collections::BTreeMap;
use std::fmt;

use drand::{Chain, ChainInfo, DrandError};
use formats::digest::Sha256Digest;
use thiserror::Error;

use crate::artifact::TaggedSha256;
use crate::canonical::{
    CanonicalError, Entries, PercentText, Spelling, percent_encode, spelt, word,
};
use crate::predecessor::{InitialSpec, set_initial, take_initial};
use crate::sources::{MAX_LIBRARIES, SourcePath};

pub use options::{CircomOptions, OptionsError, Simplification};

/// First line of a spec.
pub const MAGIC: &str = "attested-ceremony spec v1";
/// Most bytes of a spec: 64 library paths and a main path of 512 bytes, percent-encoded, leave half of it free.
pub const MAX_SPEC_BYTES: usize = 256 * 1024;
/// The only iteration exponent in use: the beacon is not known beforehand, so delay adds nothing.
pub const BEACON_ITERATIONS_EXP: u8 = 10;
/// Most bytes of a contribution's name.
pub const MAX_NAME_BYTES: usize = 64;
/// Longest margin taken: one day.
const MAX_MARGIN_MS: u64 = 24 * 60 * 60 * 1000;

/// Why a spec is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The text breaks the grammar or has wrong keys or types.
    #[error("spec is not canonical")]
    Canonical(#[from] CanonicalError),
    /// A value outside its range or set.
    #[error("spec value `{key}` is out of range: expected {expected}")]
    Range {
        /// The key.
        key: &'static str,
        /// What is taken.
        expected: &'static str,
    },
    /// A key that `circuit.input` rules out, or that it demands and is missing.
    #[error("spec key `{key}` does not go with `circuit.input {input}`")]
    Input {
        /// The key.
        key: &'static str,
        /// The value of `circuit.input`.
        input: &'static str,
    },
    /// Library numbers are not 0, 1, 2, … without a gap.
    #[error("library {expected} is missing in the spec's list of libraries")]
    LibraryGap {
        /// The first number that is missing.
        expected: usize,
    },
    /// A pinned chain named with other parameters than the pinned ones.
    #[error("parameters of beacon chain `{chain}` are not the pinned ones")]
    ChainNotPinned {
        /// The chain.
        chain: BeaconChain,
    },
    /// The parameters do not make a drand chain.
    #[error("beacon parameters do not make a chain")]
    Chain(#[from] DrandError),
}

impl SpecError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Canonical(error) => error.code(),
            Self::Range { .. } => "spec_range",
            Self::Input { .. } => "spec_input",
            Self::LibraryGap { .. } => "spec_library_gap",
            Self::ChainNotPinned { .. } => "spec_chain_not_pinned",
            Self::Chain(error) => error.code(),
        }
    }
}

/// SHA-256 of the spec's text: identity of one ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CeremonyId(pub Sha256Digest);

impl fmt::Display for CeremonyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Spelling for CeremonyId {
    const EXPECTED: &'static str = "64 lower-case hex digits";
    fn read(value: &str) -> Option<Self> {
        <[u8; 32]>::read(value).map(|bytes| Self(Sha256Digest::new(bytes)))
    }
}

word! {
    /// Which beacon chain the ceremony waits for.
    BeaconChain, "`quicknet`, `default` or `local`",
    /// drand's unchained 3-second chain.
    Quicknet = "quicknet",
    /// drand's chained 30-second chain.
    Default = "default",
    /// SIMULATION: a chain whose key is on the same machine.
    Local = "local",
}

word! {
    /// Which phase 1 the key rests on.
    Phase1Family, "`hermez`, `ppot_0080` or `development`",
    /// powersOfTau28_hez_final_NN.ptau.
    Hermez = "hermez",
    /// ppot_0080_NN.ptau.
    Ppot0080 = "ppot_0080",
    /// SIMULATION: a ptau whose tau is known to everybody.
    Development = "development",
}

word! {
    /// The curve of the key.
    CurveName, "`bn128`",
    /// BN254, in the trade called bn128.
    Bn128 = "bn128",
}

word! {
    /// What the requester handed in.
    CircuitInput, "`sources` or `r1cs`",
    /// Sources, compiled inside the enclave.
    Sources = "sources",
    /// A compiled circuit: the r1cs is attested, its sources are not.
    R1cs = "r1cs",
}

/// Parameters of the beacon, all of them part of the ceremony id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeaconSpec {
    /// Which chain.
    pub chain: BeaconChain,
    /// drand chain hash.
    pub chain_hash: [u8; 32],
    /// Seconds since the Unix epoch of round 1.
    pub genesis_s: u64,
    /// Seconds between rounds.
    pub period_s: u64,
    /// log2 of the SHA-256 iterations; always [`BEACON_ITERATIONS_EXP`].
    pub iterations_exp: u8,
    /// Least milliseconds between the attested commitment and the round.
    pub margin_ms: u64,
    /// Compressed group key: 48 bytes (G1) or 96 bytes (G2).
    pub public_key: Vec<u8>,
}

impl BeaconSpec {
    /// The values of a chain, for a new spec.
    pub fn new(chain: &Chain, margin_ms: u64) -> Self {
        let info = chain.info();
        Self {
            chain: match chain {
                Chain::Quicknet => BeaconChain::Quicknet,
                Chain::Default => BeaconChain::Default,
                Chain::Local(_) => BeaconChain::Local,
            },
            chain_hash: *info.hash(),
            genesis_s: info.genesis_s(),
            period_s: info.period_s(),
            iterations_exp: BEACON_ITERATIONS_EXP,
            margin_ms,
            public_key: info.public_key().as_bytes().to_vec(),
        }
    }

    /// The chain; refuses other parameters than the pinned ones, and for the local chain a hash that
    /// does not follow from its parameters.
    fn chain(&self) -> Result<Chain, SpecError> {
        let chain = match self.chain {
            BeaconChain::Quicknet => Chain::Quicknet,
            BeaconChain::Default => Chain::Default,
            BeaconChain::Local => Chain::Local(ChainInfo::local(
                &self.public_key,
                self.genesis_s,
                self.period_s,
            )?),
        };
        if Self::new(&chain, self.margin_ms) == *self {
            Ok(chain)
        } else {
            Err(SpecError::ChainNotPinned { chain: self.chain })
        }
    }
}

/// The circuit that the ceremony is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CircuitSpec {
    /// Compiled inside the enclave.
    Sources {
        /// SHA-256 of the source bundle, `docs/formats/sources.md`.
        sha256: Sha256Digest,
        /// Main file inside the bundle.
        main: SourcePath,
        /// Library folders inside the bundle, in the order of the `-l` flags.
        libraries: Vec<SourcePath>,
        /// Compiler options, for example `--O1 --prime bn128`.
        options: CircomOptions,
        /// SHA-256 of circom's WebAssembly module.
        compiler: Sha256Digest,
    },
    /// Given compiled.
    R1cs {
        /// SHA-256 of the r1cs.
        sha256: Sha256Digest,
    },
}

impl CircuitSpec {
    /// Which of the two.
    pub fn input(&self) -> CircuitInput {
        match self {
            Self::Sources { .. } => CircuitInput::Sources,
            Self::R1cs { .. } => CircuitInput::R1cs,
        }
    }

    /// SHA-256 of what was handed in.
    pub fn sha256(&self) -> Sha256Digest {
        match self {
            Self::Sources { sha256, .. } | Self::R1cs { sha256 } => *sha256,
        }
    }
}

impl Spelling for SourcePath {
    const EXPECTED: &'static str = "a percent-encoded path inside the source bundle";
    fn read(value: &str) -> Option<Self> {
        Self::decode(value).ok()
    }
}

/// The values of a spec, to be checked by [`SpecFields::validate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecFields {
    /// Beacon chain and margin.
    pub beacon: BeaconSpec,
    /// The circuit.
    pub circuit: CircuitSpec,
    /// SHA-256 of solc's WebAssembly module.
    pub compiler_solc: Sha256Digest,
    /// Name written into the contribution record: 1 to 64 bytes of UTF-8.
    pub contribution_name: String,
    /// The curve.
    pub curve: CurveName,
    /// The key that the enclave contributes to.
    pub initial: InitialSpec,
    /// Which phase 1.
    pub phase1_family: Phase1Family,
    /// Drawn by the requester: makes the id unique.
    pub requester_nonce: [u8; 32],
}

/// A ceremony spec whose values are in range and whose text is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    fields: SpecFields,
    chain: Chain,
    text: Vec<u8>,
    id: CeremonyId,
}

impl std::ops::Deref for Spec {
    type Target = SpecFields;
    fn deref(&self) -> &SpecFields {
        &self.fields
    }
}

impl Spec {
    /// The canonical text, as it is hashed.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// SHA-256 of the text.
    pub fn id(&self) -> CeremonyId {
        self.id
    }

    /// The beacon chain: a pinned one, or the local one that the spec describes.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// True when the spec asks for any simulated part.
    pub fn is_simulation(&self) -> bool {
        self.fields.beacon.chain == BeaconChain::Local
            || self.fields.phase1_family == Phase1Family::Development
    }

    /// The lines of the text.
    pub(crate) fn entries(&self) -> Entries {
        self.fields.entries()
    }

    /// Reads the lines of a spec.
    pub(crate) fn from_entries(mut entries: Entries) -> Result<Self, SpecError> {
        let fields = SpecFields::take(&mut entries)?;
        entries.finish()?;
        fields.validate()
    }
}

/// Bytes that claim to be a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawSpec(pub Vec<u8>);

impl RawSpec {
    /// Parses the text and checks its values.
    pub fn validate(&self) -> Result<Spec, SpecError> {
        Spec::from_entries(Entries::parse(&self.0, MAGIC, MAX_SPEC_BYTES)?)
    }
}

impl SpecFields {
    /// Checks the values and fixes the text.
    pub fn validate(self) -> Result<Spec, SpecError> {
        self.check_beacon()?;
        let chain = self.beacon.chain()?;
        self.check_circuit()?;
        if self.contribution_name.is_empty() || self.contribution_name.len() > MAX_NAME_BYTES {
            return Err(SpecError::Range {
                key: "contribution.name",
                expected: "1 to 64 bytes",
            });
        }
        if self.contribution_name.chars().any(char::is_control) {
            return Err(SpecError::Range {
                key: "contribution.name",
                expected: "no control characters",
            });
        }
        let text = self.entries().write(MAGIC)?;
        let id = CeremonyId(Sha256Digest::of(&text));
        Ok(Spec {
            fields: self,
            chain,
            text,
            id,
        })
    }

    fn check_beacon(&self) -> Result<(), SpecError> {
        let beacon = &self.beacon;
        let range = |key, expected| Err(SpecError::Range { key, expected });
        if beacon.iterations_exp != BEACON_ITERATIONS_EXP {
            return range("beacon.iterations_exp", "10");
        }
        if beacon.period_s == 0 || beacon.period_s > 3600 {
            return range("beacon.period_s", "1 to 3600");
        }
        if beacon.genesis_s > u64::from(u32::MAX) {
            return range("beacon.genesis_s", "at most 2^32 - 1");
        }
        if beacon.margin_ms == 0 || beacon.margin_ms > MAX_MARGIN_MS {
            return range("beacon.margin_ms", "1 to 86400000");
        }
        if !matches!(beacon.public_key.len(), 48 | 96) {
            return range("beacon.public_key", "48 or 96 bytes");
        }
        Ok(())
    }

    fn check_circuit(&self) -> Result<(), SpecError> {
        match &self.circuit {
            CircuitSpec::Sources { libraries, .. } if libraries.len() > MAX_LIBRARIES => {
                Err(SpecError::Range {
                    key: "circuit.library",
                    expected: "at most 64 libraries",
                })
            }
            _ => Ok(()),
        }
    }

    fn entries(&self) -> Entries {
        let mut entries = Entries::new();
        let beacon = &self.beacon;
        entries.set("beacon.chain", beacon.chain);
        entries.set("beacon.chain_hash", hex::encode(beacon.chain_hash));
        entries.set("beacon.genesis_s", beacon.genesis_s);
        entries.set("beacon.iterations_exp", beacon.iterations_exp);
        entries.set("beacon.margin_ms", beacon.margin_ms);
        entries.set("beacon.period_s", beacon.period_s);
        entries.set("beacon.public_key", hex::encode(&beacon.public_key));
        entries.set("circuit.input", self.circuit.input());
        entries.set("circuit.sha256", TaggedSha256(self.circuit.sha256()));
        if let CircuitSpec::Sources {
            main,
            libraries,
            options,
            compiler,
            ..
        } = &self.circuit
        {
            entries.set("circom.options", options);
            entries.set("circuit.main", main.encode());
            for (number, library) in libraries.iter().enumerate() {
                entries.set(format!("circuit.library.{number}"), library.encode());
            }
            entries.set("compiler.circom", TaggedSha256(*compiler));
        }
        entries.set("compiler.solc", TaggedSha256(self.compiler_solc));
        entries.set(
            "contribution.name",
            percent_encode(self.contribution_name.as_bytes()),
        );
        entries.set("curve", self.curve);
        set_initial(&mut entries, self.initial);
        entries.set("phase1.family", self.phase1_family);
        entries.set("requester.nonce", hex::encode(self.requester_nonce));
        entries
    }

    fn take(entries: &mut Entries) -> Result<Self, SpecError> {
        let beacon = BeaconSpec {
            chain: entries.take_as("beacon.chain")?,
            chain_hash: entries.take_as("beacon.chain_hash")?,
            genesis_s: entries.take_as("beacon.genesis_s")?,
            period_s: entries.take_as("beacon.period_s")?,
            iterations_exp: entries.take_as("beacon.iterations_exp")?,
            margin_ms: entries.take_as("beacon.margin_ms")?,
            public_key: entries.take_as("beacon.public_key")?,
        };
        let TaggedSha256(compiler_solc) = entries.take_as("compiler.solc")?;
        let PercentText(contribution_name) = entries.take_as("contribution.name")?;
        Ok(Self {
            beacon,
            circuit: take_circuit(entries)?,
            compiler_solc,
            contribution_name,
            curve: entries.take_as("curve")?,
            initial: take_initial(entries)?,
            phase1_family: entries.take_as("phase1.family")?,
            requester_nonce: entries.take_as("requester.nonce")?,
        })
    }
}

fn take_circuit(entries: &mut Entries) -> Result<CircuitSpec, SpecError> {
    let TaggedSha256(sha256) = entries.take_as("circuit.sha256")?;
    let libraries = take_libraries(entries.take_prefixed("circuit.library."))?;
    match entries.take_as("circuit.input")? {
        CircuitInput::Sources => {
            let main = entries.take_as("circuit.main")?;
            let TaggedSha256(compiler) = entries.take_as("compiler.circom")?;
            let options = entries.take_as("circom.options")?;
            Ok(CircuitSpec::Sources {
                sha256,
                main,
                libraries,
                options,
                compiler,
            })
        }
        CircuitInput::R1cs => {
            let input = CircuitInput::R1cs.as_str();
            if !libraries.is_empty() {
                return Err(SpecError::Input {
                    key: "circuit.library",
                    input,
                });
            }
            for key in ["circom.options", "circuit.main", "compiler.circom"] {
                if entries.take_optional(key).is_some() {
                    return Err(SpecError::Input { key, input });
                }
            }
            Ok(CircuitSpec::R1cs { sha256 })
        }
    }
}

/// Library lines by number: 0, 1, 2, … without a gap.
fn take_libraries(mut lines: BTreeMap<String, String>) -> Result<Vec<SourcePath>, SpecError> {
    let mut libraries = Vec::new();
    while !lines.is_empty() {
        let number = libraries.len().to_string();
        let value = lines.remove(&number).ok_or(SpecError::LibraryGap {
            expected: libraries.len(),
        })?;
        libraries.push(spelt(&format!("circuit.library.{number}"), &value)?);
    }
    Ok(libraries)
}

#[cfg(test)]
mod tests;
