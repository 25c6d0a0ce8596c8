//! From what was typed to what is asked for: the spec, the job and the circuit's bytes.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use circom::{CircomOptions, Simplification};
use drand::Chain;
use formats::curve::Curve;
use formats::digest::{Sha256Digest, hash_source};
use formats::progress::NoProgress;
use formats::ptau::published::{self, PtauFamily};
use formats::r1cs::R1cs;
use formats::source::FileSource;
use formats::zkey::ZKey;
use local_beacon::LocalChain;
use manifest::InitialSpec;
use manifest::sources::SourceBundle;
use manifest::spec::{self, BeaconSpec, CircuitSpec, CurveName, Phase1Family, Spec, SpecFields};
use protocol::pb;
use protocol::pb::ptau_source::Source as PtauSource;

use crate::cli::{BeaconChain, Family, RunArgs};
use crate::error::CliError;

/// What the host-agent is given.
pub(in crate::commands) struct Request {
    pub(in crate::commands) spec: Spec,
    pub(in crate::commands) job: pb::Job,
    pub(in crate::commands) circuit: CircuitBytes,
    /// The key to add to; `None`: a fresh one.
    pub(in crate::commands) initial: Option<PathBuf>,
}

/// The circuit as it goes into the store.
pub(in crate::commands) enum CircuitBytes {
    /// Sources.
    Sources(SourceBundle),
    /// A compiled circuit.
    R1cs(PathBuf),
}

/// Where the ceremony takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Where {
    /// On this machine, simulated.
    Here,
    /// On a machine in the cloud; whether parts of it may be simulated.
    Cloud {
        /// They may.
        simulation: bool,
    },
}

impl Request {
    /// Reads the circuit and settles every choice.
    pub(in crate::commands) fn from_args(
        args: &RunArgs,
        initial: Option<&Path>,
        place: Where,
    ) -> Result<Self, CliError> {
        let (ptau, family) = ptau(args, place)?;
        let (beacon, seed) = beacon(args, place)?;
        let (circuit_spec, circuit) = circuit(args)?;
        let spec = SpecFields {
            beacon,
            circuit: circuit_spec,
            compiler_solc: Sha256Digest::new(solc::unpack::SOLC_WASM_SHA256),
            contribution_name: args.name.clone(),
            curve: CurveName::Bn128,
            initial: initial.map_or(Ok(InitialSpec::Fresh), initial_key)?,
            phase1_family: family,
            requester_nonce: nonce(args.nonce.as_deref())?,
        }
        .validate()?;
        let job = pb::Job {
            spec: spec.text().to_vec().into(),
            ptau: Some(pb::PtauSource { source: Some(ptau) }),
            local_beacon_seed: seed.map_or_else(Vec::new, |seed| seed.to_vec()).into(),
            drand_relays: args.relays.clone(),
        };
        Ok(Self {
            spec,
            job,
            circuit,
            initial: initial.map(Path::to_owned),
        })
    }
}

/// Names the key by its digest; one without contributions is made anew, not handed in.
fn initial_key(path: &Path) -> Result<InitialSpec, CliError> {
    let source = FileSource::open(path).map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })?;
    let key = ZKey::open(&source)?;
    if key.n_contributions() == 0 {
        return Err(usage(
            "--initial is a key with contributions, this one has none",
            Some("leave --initial away: a fresh key is made from circuit and powers of tau"),
        ));
    }
    let hashed = hash_source(&source, &NoProgress).map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })?;
    Ok(InitialSpec::Chain {
        sha256: hashed.sha256,
    })
}

fn circuit(args: &RunArgs) -> Result<(CircuitSpec, CircuitBytes), CliError> {
    let path = &args.circuit;
    let failed = |source| CliError::File {
        action: "read",
        path: path.clone(),
        source,
    };
    if path
        .extension()
        .is_some_and(|extension| extension == "r1cs")
    {
        if !args.libraries.is_empty() || args.o0 || args.o1 || args.o2 {
            return Err(usage("-l and --O… are for .circom files", None));
        }
        let source = FileSource::open(path).map_err(failed)?;
        // Of another prime there is no contract and no published phase 1.
        let curve = R1cs::open(&source)
            .map_err(|error| CliError::Circuit(Box::new(error.into())))?
            .header()
            .curve;
        if curve != Curve::Bn128 {
            return Err(usage(
                &format!("the circuit is over {curve}, ceremonies are over bn128 only"),
                Some(
                    "compile it with --prime bn128; docs/engine.md says what works over other primes",
                ),
            ));
        }
        let sha256 = hash_source(&source, &NoProgress).map_err(failed)?.sha256;
        return Ok((
            CircuitSpec::R1cs { sha256 },
            CircuitBytes::R1cs(path.clone()),
        ));
    }
    let bundle = circom::sources::collect(path, &args.libraries)?;
    let options = circom_options(args.o0, args.o2);
    let spec = CircuitSpec::Sources {
        sha256: bundle.sha256(),
        main: bundle.main().clone(),
        libraries: bundle.libraries().to_vec(),
        options,
        compiler: pinned(circom::MODULE_SHA256)?,
    };
    Ok((spec, CircuitBytes::Sources(bundle)))
}

/// circom's options by the flags that were typed.
pub(crate) fn circom_options(o0: bool, o2: bool) -> CircomOptions {
    let simplification = match (o0, o2) {
        (true, _) => Simplification::O0,
        (_, true) => Simplification::O2,
        (false, false) => Simplification::O1,
    };
    CircomOptions {
        simplification,
        ..CircomOptions::default()
    }
}

fn pinned(hex: &'static str) -> Result<Sha256Digest, CliError> {
    hex.parse()
        .map_err(|_| usage("a pinned module digest is not a digest", None))
}

fn ptau(args: &RunArgs, place: Where) -> Result<(PtauSource, Phase1Family), CliError> {
    let text = match (args.ptau.as_deref(), place) {
        (Some(text), _) => text,
        (None, Where::Cloud { .. }) => "published",
        (None, Where::Here) => {
            return Err(usage(
                "--ptau is needed",
                Some(
                    "--ptau dev for a simulation, --ptau FILE|DIR|URL or --ptau published for real powers of tau",
                ),
            ));
        }
    };
    if text == "dev" {
        no_part_simulated(place, "--ptau dev is a simulation")?;
        return match args.family {
            None => Ok((PtauSource::Development(true), Phase1Family::Development)),
            Some(_) => Err(usage("--family does not go with --ptau dev", None)),
        };
    }
    if text == "published" {
        // The other family's published locations have been closed.
        let family = args.family.map_or(Phase1Family::Ppot0080, phase1_family);
        return Ok((PtauSource::Published(true), family));
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        let family = named_family(args, text)?;
        return Ok((PtauSource::Url(text.to_owned()), family));
    }
    if place != Where::Here {
        return Err(usage(
            "the machine in the cloud cannot read a file of this one",
            Some("--ptau published, or an https URL"),
        ));
    }
    let path = Path::new(text);
    let absolute = path.canonicalize().map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })?;
    let family = if absolute.is_dir() {
        folder_family(args, &absolute)
    } else {
        file_family(args, &absolute)?
    };
    let absolute = absolute
        .to_str()
        .ok_or_else(|| usage("the path of --ptau is not UTF-8", None))?
        .to_owned();
    Ok((PtauSource::Path(absolute), family))
}

fn phase1_family(family: Family) -> Phase1Family {
    match family {
        Family::Hermez => Phase1Family::Hermez,
        Family::Ppot0080 => Phase1Family::Ppot0080,
    }
}

fn named_family(args: &RunArgs, name: &str) -> Result<Phase1Family, CliError> {
    match args.family {
        Some(family) => Ok(phase1_family(family)),
        None if name.contains("ppot_0080") => Ok(Phase1Family::Ppot0080),
        None if name.contains("hez_final") => Ok(Phase1Family::Hermez),
        None => Err(usage(
            "the name of the powers of tau does not tell their family",
            Some("add --family hermez or --family ppot_0080"),
        )),
    }
}

/// The family that has files in the folder; hermez if both have.
fn folder_family(args: &RunArgs, folder: &Path) -> Phase1Family {
    let holds = |family| {
        published::table()
            .iter()
            .any(|file| file.family == family && folder.join(file.file_name).is_file())
    };
    match args.family {
        Some(family) => phase1_family(family),
        None if !holds(PtauFamily::Hermez) && holds(PtauFamily::Ppot0080) => Phase1Family::Ppot0080,
        None => Phase1Family::Hermez,
    }
}

/// The family of a file: as typed, else by its size in the table, else by its name. Its digest is
/// checked by the host-agent and again by the enclave.
fn file_family(args: &RunArgs, path: &Path) -> Result<Phase1Family, CliError> {
    let failed = |source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    };
    if args.family.is_none() {
        let size = std::fs::metadata(path).map_err(failed)?.len();
        match published::table()
            .iter()
            .find(|file| file.size == size)
            .map(|file| file.family)
        {
            Some(PtauFamily::Hermez) => return Ok(Phase1Family::Hermez),
            Some(PtauFamily::Ppot0080) => return Ok(Phase1Family::Ppot0080),
            None => {}
        }
    }
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    // A file of unknown size and name is none of them; the host-agent will say what it is.
    Ok(named_family(args, name).unwrap_or(Phase1Family::Hermez))
}

/// Refuses a simulated part of a ceremony that is none.
fn no_part_simulated(place: Where, what: &str) -> Result<(), CliError> {
    match place {
        Where::Here | Where::Cloud { simulation: true } => Ok(()),
        Where::Cloud { simulation: false } => Err(usage(
            &format!("{what}, the ceremony is none"),
            Some(
                "leave it away; a ceremony that proves nothing is asked for with --trust simulation",
            ),
        )),
    }
}

fn beacon(args: &RunArgs, place: Where) -> Result<(BeaconSpec, Option<[u8; 32]>), CliError> {
    let choice = args.beacon.unwrap_or(match place {
        Where::Here => BeaconChain::Local,
        Where::Cloud { .. } => BeaconChain::Quicknet,
    });
    if choice == BeaconChain::Local {
        no_part_simulated(place, "--beacon local is a simulation")?;
    }
    let (chain, seed, margin_s) = match choice {
        BeaconChain::Quicknet => (Chain::Quicknet, None, 30),
        BeaconChain::Default => (Chain::Default, None, 60),
        BeaconChain::Local => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(CliError::Randomness)?;
            let local = LocalChain::from_seed(seed, now_s(), 1)?;
            (Chain::Local(local.chain_info().clone()), Some(seed), 3)
        }
    };
    let name = match choice {
        BeaconChain::Quicknet => spec::BeaconChain::Quicknet,
        BeaconChain::Default => spec::BeaconChain::Default,
        BeaconChain::Local => spec::BeaconChain::Local,
    };
    let info = chain.info();
    let beacon = BeaconSpec {
        chain: name,
        chain_hash: *info.hash(),
        genesis_s: info.genesis_s(),
        period_s: info.period_s(),
        iterations_exp: spec::BEACON_ITERATIONS_EXP,
        margin_ms: u64::from(args.margin.unwrap_or(margin_s)) * 1000,
        public_key: info.public_key().as_bytes().to_vec(),
    };
    Ok((beacon, seed))
}

/// The nonce that makes the ceremony id unique: as typed, or drawn.
fn nonce(typed: Option<&str>) -> Result<[u8; 32], CliError> {
    if let Some(text) = typed {
        return parse_nonce(text);
    }
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).map_err(CliError::Randomness)?;
    Ok(nonce)
}

/// 32 bytes in hex.
pub(crate) fn parse_nonce(text: &str) -> Result<[u8; 32], CliError> {
    let mut nonce = [0; 32];
    match hex::decode_to_slice(text, &mut nonce) {
        Ok(()) => Ok(nonce),
        Err(_) => Err(usage("--nonce is not 32 bytes in hex", None)),
    }
}

fn usage(what: &str, hint: Option<&'static str>) -> CliError {
    CliError::Usage {
        what: what.to_owned(),
        hint,
    }
}

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
