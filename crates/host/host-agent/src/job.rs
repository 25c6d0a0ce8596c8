//! The job as this host understands it, checked before anything is done.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use formats::digest::{HashingWriter, Sha256Digest};
use local_beacon::LocalChain;
use manifest::InitialSpec;
use manifest::spec::{BeaconChain, CircuitSpec, Phase1Family, RawSpec, Spec};
use protocol::pb;
use protocol::pb::ptau_source::Source as PtauSource;

use crate::error::AgentError;
use crate::report::Reporter;
use crate::story::Config;

/// Where the powers of tau come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PtauChoice {
    /// A file, or a folder of published files.
    Path(PathBuf),
    /// A URL; `{NN}` is replaced by the two-digit power.
    Url(String),
    /// SIMULATION: made here, of known tau.
    Development,
    /// The published locations.
    Published,
}

/// Where beacons come from.
pub enum BeaconChoice {
    /// drand, through these relays.
    Relays(Vec<String>),
    /// SIMULATION: a chain with its key here.
    Local(LocalChain),
}

/// One job.
pub struct Task {
    /// What the requester asked for.
    pub spec: Spec,
    /// The source bundle, or the r1cs.
    pub circuit: PathBuf,
    /// The initial key, if it was handed in.
    pub initial: Option<PathBuf>,
    /// Powers of tau.
    pub ptau: PtauChoice,
    /// Beacons.
    pub beacon: BeaconChoice,
}

impl Task {
    /// Whether the circuit was given compiled.
    pub fn is_compiled(&self) -> bool {
        matches!(self.spec.circuit, CircuitSpec::R1cs { .. })
    }
}

/// Reads the job and copies its inputs into the work folder.
pub fn read(config: &Config, reporter: &Reporter) -> Result<Task, AgentError> {
    let job = reporter.run().job()?.ok_or(AgentError::NoJob)?;
    let spec = RawSpec(job.spec.to_vec()).validate()?;
    let ptau = ptau_choice(job.ptau, spec.phase1_family)?;
    let beacon = beacon_choice(&job.local_beacon_seed, job.drand_relays, &spec)?;
    let circuit = copy_circuit(&config.work, reporter, &spec)?;
    let initial = copy_initial(&config.work, reporter, &spec)?;
    Ok(Task {
        spec,
        circuit,
        initial,
        ptau,
        beacon,
    })
}

fn ptau_choice(
    source: Option<pb::PtauSource>,
    family: Phase1Family,
) -> Result<PtauChoice, AgentError> {
    let choice = match source.and_then(|source| source.source) {
        Some(PtauSource::Path(path)) => PtauChoice::Path(path.into()),
        Some(PtauSource::Url(url)) => PtauChoice::Url(url),
        Some(PtauSource::Development(true)) => PtauChoice::Development,
        Some(PtauSource::Published(true)) => PtauChoice::Published,
        _ => {
            return Err(AgentError::Job {
                what: "it names no powers of tau",
            });
        }
    };
    if (choice == PtauChoice::Development) == (family == Phase1Family::Development) {
        Ok(choice)
    } else {
        Err(AgentError::Job {
            what: "source and family of the powers of tau contradict each other",
        })
    }
}

fn beacon_choice(
    seed: &[u8],
    relays: Vec<String>,
    spec: &Spec,
) -> Result<BeaconChoice, AgentError> {
    if spec.beacon.chain != BeaconChain::Local {
        return if !seed.is_empty() {
            Err(AgentError::Job {
                what: "a seed of a local beacon, but the spec names drand",
            })
        } else if relays.is_empty() {
            Ok(BeaconChoice::Relays(
                crate::relay::PUBLIC_RELAYS.map(str::to_owned).to_vec(),
            ))
        } else {
            Ok(BeaconChoice::Relays(relays))
        };
    }
    let seed = seed.try_into().map_err(|_| AgentError::Job {
        what: "the seed of the local beacon is not 32 bytes",
    })?;
    let chain = LocalChain::from_seed(seed, spec.beacon.genesis_s, spec.beacon.period_s)?;
    if chain.chain_info().hash() == &spec.beacon.chain_hash {
        Ok(BeaconChoice::Local(chain))
    } else {
        Err(AgentError::Job {
            what: "the local beacon's seed gives another chain than the spec names",
        })
    }
}

fn copy_circuit(work: &Path, reporter: &Reporter, spec: &Spec) -> Result<PathBuf, AgentError> {
    let path = work.join("circuit.in");
    let got = copy(&path, |out| reporter.run().read_circuit(out))?;
    let expected = spec.circuit.sha256();
    if expected == got {
        Ok(path)
    } else {
        Err(AgentError::CircuitDigest {
            expected: expected.to_string(),
            got: got.to_string(),
        })
    }
}

/// The key that the spec names; `None` if it is made here.
fn copy_initial(
    work: &Path,
    reporter: &Reporter,
    spec: &Spec,
) -> Result<Option<PathBuf>, AgentError> {
    let InitialSpec::Chain { sha256: expected } = spec.initial else {
        return Ok(None);
    };
    let path = work.join("initial.zkey");
    let got = copy(&path, |out| reporter.run().read_initial(out))?;
    if expected == got {
        Ok(Some(path))
    } else {
        Err(AgentError::InitialDigest {
            expected: expected.to_string(),
            got: got.to_string(),
        })
    }
}

/// Writes a file of the work folder; gives its SHA-256.
fn copy(
    path: &Path,
    read: impl FnOnce(&mut dyn Write) -> Result<u64, cloud::StoreError>,
) -> Result<Sha256Digest, AgentError> {
    let failed = |source| AgentError::File {
        action: "write",
        path: path.into(),
        source,
    };
    let mut out = HashingWriter::new(BufWriter::new(File::create(path).map_err(failed)?));
    read(&mut out)?;
    out.flush().map_err(failed)?;
    Ok(out.finish().1.sha256)
}
