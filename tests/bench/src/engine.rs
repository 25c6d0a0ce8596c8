//! One step of our engine, as a process of its own.

use std::{
    fs::File,
    io::{BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use formats::{
    curve::Bn128,
    progress::NoProgress,
    ptau::Ptau,
    r1cs::R1cs,
    source::FileSource,
    zkey::{BeaconParams, ContributionKind, ZKey},
};
use phase2::{
    beacon, check,
    contribution::{self, ContributionKey, Secrecy},
    setup::{self, SetupOptions},
};

use crate::error::BenchError;

/// What the table measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// The initial key.
    New,
    /// A contribution with a fresh secret.
    Contribute,
    /// The beacon's contribution.
    Beacon,
    /// A finished key against circuit and ptau.
    Verify,
}

impl Step {
    pub(crate) const ALL: [Self; 4] = [Self::New, Self::Contribute, Self::Beacon, Self::Verify];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Contribute => "contribute",
            Self::Beacon => "beacon",
            Self::Verify => "verify",
        }
    }
}

/// The beacon of all programs, and its iterations as a power of two.
pub(crate) const BEACON: [u8; 32] = [0x5a; 32];
/// See [`BEACON`].
pub(crate) const BEACON_EXPONENT: u8 = 10;

/// `memory_bytes` is for the initial key.
pub(crate) fn run(step: Step, files: &[PathBuf], memory_bytes: u64) -> Result<(), BenchError> {
    match (step, files) {
        (Step::New, [r1cs, ptau, out]) => new(r1cs, ptau, out, memory_bytes),
        (Step::Contribute, [input, out]) => contribute(input, out),
        (Step::Beacon, [input, out]) => apply_beacon(input, out),
        (Step::Verify, [r1cs, ptau, key]) => verify(r1cs, ptau, key),
        (Step::New | Step::Verify, _) => Err(BenchError::Files {
            expected: 3,
            got: files.len(),
        }),
        (Step::Contribute | Step::Beacon, _) => Err(BenchError::Files {
            expected: 2,
            got: files.len(),
        }),
    }
}

fn open(path: &Path) -> Result<FileSource, BenchError> {
    FileSource::open(path).map_err(BenchError::io(path.to_string_lossy()))
}

fn create(path: &Path) -> Result<File, BenchError> {
    File::create(path).map_err(BenchError::io(path.to_string_lossy()))
}

fn new(r1cs: &Path, ptau: &Path, out: &Path, memory_bytes: u64) -> Result<(), BenchError> {
    let r1cs = R1cs::open(open(r1cs)?).map_err(BenchError::engine)?;
    let ptau = Ptau::open(open(ptau)?).map_err(BenchError::engine)?;
    let options = SetupOptions {
        memory_bytes,
        ..SetupOptions::default()
    };
    setup::new_initial_key(&r1cs, &ptau, &mut create(out)?, &options, &NoProgress)
        .map(drop)
        .map_err(BenchError::engine)
}

/// What the enclave does with a secret, with the operating system's randomness as the seed.
fn contribute(input: &Path, out: &Path) -> Result<(), BenchError> {
    let previous = ZKey::open(open(input)?).map_err(BenchError::engine)?;
    let key = ContributionKey::<Bn128>::from_seed(&random()?);
    let mut out = BufWriter::new(create(out)?);
    contribution::apply(
        &previous,
        &key,
        Secrecy::Secret,
        ContributionKind::Ordinary,
        None,
        &mut out,
        &NoProgress,
    )
    .map_err(BenchError::engine)?;
    out.flush().map_err(BenchError::io("write the key"))
}

fn apply_beacon(input: &Path, out: &Path) -> Result<(), BenchError> {
    let previous = ZKey::open(open(input)?).map_err(BenchError::engine)?;
    let params = BeaconParams::new(BEACON_EXPONENT, &BEACON).map_err(BenchError::engine)?;
    let mut out = BufWriter::new(create(out)?);
    beacon::apply_beacon(&previous, &params, None, &mut out, &NoProgress)
        .map_err(BenchError::engine)?;
    out.flush().map_err(BenchError::io("write the key"))
}

fn verify(r1cs: &Path, ptau: &Path, key: &Path) -> Result<(), BenchError> {
    let r1cs = R1cs::open(open(r1cs)?).map_err(BenchError::engine)?;
    let ptau = Ptau::open(open(ptau)?).map_err(BenchError::engine)?;
    let key = ZKey::open(open(key)?).map_err(BenchError::engine)?;
    let report = check::check_key(&r1cs, &ptau, &key, &random()?, &NoProgress)
        .map_err(BenchError::engine)?;
    anstream::println!("{} contributions", report.chain.contributions.len());
    Ok(())
}

/// The verification key of a key.
pub(crate) fn export(key: &Path, out: &Path) -> Result<(), BenchError> {
    let key = ZKey::open(open(key)?).map_err(BenchError::engine)?;
    let json = phase2::export::verification_key_json(&key).map_err(BenchError::engine)?;
    std::fs::write(out, json).map_err(BenchError::io(out.to_string_lossy()))
}

fn random() -> Result<[u8; 32], BenchError> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut device| device.read_exact(&mut bytes))
        .map_err(BenchError::io("read /dev/urandom"))?;
    Ok(bytes)
}
