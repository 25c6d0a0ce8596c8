//! What a ceremony reads and makes: kinds, file names, sizes and digests.

use std::fmt;

use formats::digest::{Blake2b512Digest, FileDigests, Sha256Digest};

use crate::canonical::Spelling;

/// What a byte stream is. A peer names an artifact by kind, never by file name or path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArtifactKind {
    /// The circuit's sources as one byte string, `docs/formats/sources.md`; unpacked as `circuit/`.
    CircuitBundle,
    /// The compiled circuit.
    R1cs,
    /// The witness generator.
    WitnessWasm,
    /// Powers of tau, phase 1.
    Ptau,
    /// The key before any contribution, 0000.zkey.
    InitialZkey,
    /// The key after the enclave's contribution, 0001.zkey.
    ContributionZkey,
    /// The key after the beacon.
    FinalZkey,
    /// verification_key.json.
    VerificationKey,
    /// The verifier contract's source.
    VerifierSol,
    /// The standard JSON input of solc.
    VerifierInput,
    /// Contract creation code, lower-case hex.
    VerifierCreation,
    /// Contract runtime code, lower-case hex.
    VerifierRuntime,
    /// Attestation document over 0001.zkey.
    Attestation1,
    /// Attestation document over the manifest.
    Attestation2,
    /// The drand round that was applied.
    Beacon,
    /// The manifest.
    Manifest,
    /// The chain of receipts.
    Receipts,
}

impl ArtifactKind {
    /// Every kind, in the order of the protocol.
    pub const ALL: [Self; 17] = [
        Self::CircuitBundle,
        Self::R1cs,
        Self::WitnessWasm,
        Self::Ptau,
        Self::InitialZkey,
        Self::ContributionZkey,
        Self::FinalZkey,
        Self::VerificationKey,
        Self::VerifierSol,
        Self::VerifierInput,
        Self::VerifierCreation,
        Self::VerifierRuntime,
        Self::Attestation1,
        Self::Attestation2,
        Self::Beacon,
        Self::Manifest,
        Self::Receipts,
    ];

    /// The kinds that have an `artifact.FILE` line in the manifest, in the order of the bundle's list.
    /// `WitnessWasm` is left out when the circuit was given compiled.
    pub const LISTED: [Self; 11] = [
        Self::R1cs,
        Self::WitnessWasm,
        Self::FinalZkey,
        Self::VerificationKey,
        Self::VerifierSol,
        Self::VerifierInput,
        Self::VerifierCreation,
        Self::VerifierRuntime,
        Self::Attestation1,
        Self::Beacon,
        Self::Receipts,
    ];

    /// The name that canonical texts use; for shipped artifacts also the file name in the bundle.
    pub fn name(self) -> &'static str {
        match self {
            Self::CircuitBundle => "circuit.bundle",
            Self::R1cs => "circuit.r1cs",
            Self::WitnessWasm => "circuit.wasm",
            Self::Ptau => "ptau",
            Self::InitialZkey => "initial.zkey",
            Self::ContributionZkey => "contribution.zkey",
            Self::FinalZkey => "final.zkey",
            Self::VerificationKey => "verification_key.json",
            Self::VerifierSol => "verifier.sol",
            Self::VerifierInput => "verifier.input.json",
            Self::VerifierCreation => "verifier.creation.hex",
            Self::VerifierRuntime => "verifier.runtime.hex",
            Self::Attestation1 => "attestation-1.cbor",
            Self::Attestation2 => "attestation-2.cbor",
            Self::Beacon => "beacon.json",
            Self::Manifest => "manifest",
            Self::Receipts => "receipts",
        }
    }

    /// The file name in the bundle; `None` for what is not shipped as one file.
    pub fn file_name(self) -> Option<&'static str> {
        match self {
            Self::CircuitBundle | Self::Ptau | Self::InitialZkey | Self::ContributionZkey => None,
            shipped => Some(shipped.name()),
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// True where the trade publishes BLAKE2b-512 (`b2sum`): ptau and zkeys.
    pub fn has_blake2b(self) -> bool {
        matches!(
            self,
            Self::Ptau | Self::InitialZkey | Self::ContributionZkey | Self::FinalZkey
        )
    }
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Size and digests of one artifact, written `SIZE sha256:HEX[ blake2b512:HEX]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactRecord {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub sha256: Sha256Digest,
    /// BLAKE2b-512 of the bytes, for the kinds that [`ArtifactKind::has_blake2b`].
    pub blake2b512: Option<Blake2b512Digest>,
}

impl ArtifactRecord {
    /// The record of a file of this kind.
    pub fn new(kind: ArtifactKind, digests: &FileDigests) -> Self {
        Self {
            size: digests.size,
            sha256: digests.sha256,
            blake2b512: kind.has_blake2b().then_some(digests.blake2b512),
        }
    }

    /// True when the digests are there that the kind demands, and no others.
    pub fn fits(&self, kind: ArtifactKind) -> bool {
        self.blake2b512.is_some() == kind.has_blake2b()
    }
}

impl fmt::Display for ArtifactRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sha256:{}", self.size, self.sha256)?;
        match &self.blake2b512 {
            Some(digest) => write!(f, " blake2b512:{digest}"),
            None => Ok(()),
        }
    }
}

impl Spelling for ArtifactRecord {
    const EXPECTED: &'static str = "`SIZE sha256:HEX` or `SIZE sha256:HEX blake2b512:HEX`";
    fn read(value: &str) -> Option<Self> {
        let mut parts = value.split(' ');
        let size = Spelling::read(parts.next()?)?;
        let TaggedSha256(sha256) = Spelling::read(parts.next()?)?;
        let blake2b512 = match parts.next() {
            Some(part) => {
                let TaggedBlake2b512(digest) = Spelling::read(part)?;
                Some(digest)
            }
            None => None,
        };
        parts.next().is_none().then_some(Self {
            size,
            sha256,
            blake2b512,
        })
    }
}

macro_rules! tagged {
    ($(#[$doc:meta])* $name:ident, $digest:ty, $tag:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub $digest);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($tag, ":{}"), self.0)
            }
        }

        impl Spelling for $name {
            const EXPECTED: &'static str = $expected;
            fn read(value: &str) -> Option<Self> {
                let digest = value.strip_prefix(concat!($tag, ":"))?.parse().ok()?;
                Some(Self(digest))
            }
        }
    };
}

tagged!(
    /// A SHA-256 digest spelt `sha256:HEX`.
    TaggedSha256,
    Sha256Digest,
    "sha256",
    "`sha256:` and 64 lower-case hex digits"
);
tagged!(
    /// A BLAKE2b-512 digest spelt `blake2b512:HEX`.
    TaggedBlake2b512,
    Blake2b512Digest,
    "blake2b512",
    "`blake2b512:` and 128 lower-case hex digits"
);
