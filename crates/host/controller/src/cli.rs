//! What can be typed. Only argument types live here; what they mean is in `commands`.

mod cloud;
mod doctor;
mod publish;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

pub use self::cloud::{
    DestroyArgs, ExtendArgs, FetchArgs, InCloudArgs, OneRunArgs, Provider, ReapArgs, ResumeArgs,
    RunRef, RunsArgs, StateArgs, StatusArgs, TrustArgs,
};
pub use self::doctor::DoctorArgs;
pub use self::publish::PublishArgs;

/// Attested phase-2 ceremonies: from a circom file to a proving key that anyone can verify offline
#[derive(Debug, Parser)]
#[command(name = "controller", version, max_term_width = 100, after_long_help = EXIT_CODES)]
pub struct Cli {
    /// What is said and how
    #[command(flatten)]
    pub output: OutputArgs,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done, verified
  1    checked, and it is false
  2    wrong usage
  3    could not check or complete
  4    cloud resources exist or may exist that cost money; they were named
  5    holds under simulation trust only: proves nothing about a production key
  130  interrupted";

/// How results and progress are shown.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    /// Write JSON objects to standard output, one a line (docs/cli.md)
    #[arg(long, global = true)]
    pub json: bool,
    /// Show errors and results only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show what the services report; twice for more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// No progress displays, plain lines instead
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a ceremony and verify its bundle
    #[command(after_long_help = RUN_EXAMPLES)]
    Run(Box<RunArgs>),
    /// Tell what a ceremony of a circuit takes, before anything runs: sizes, memory, time, cost
    Plan(PlanArgs),
    /// Look whether this machine and the account have what a run needs; change nothing
    Doctor(DoctorArgs),
    /// Follow a run in the cloud
    Attach(OneRunArgs),
    /// Say where a run in the cloud stands
    Status(StatusArgs),
    /// Bring the bundle of a complete run home and verify it; leave the cloud as it is
    Fetch(FetchArgs),
    /// Take a run in the cloud over, on any machine, and bring it to its end
    Resume(ResumeArgs),
    /// Give a run in the cloud a later deadline
    Extend(ExtendArgs),
    /// Stop a run in the cloud and remove it
    Abort(OneRunArgs),
    /// Remove everything of a run from the cloud, and prove that it is gone
    Destroy(DestroyArgs),
    /// Remove whatever has outlived its deadline, by its tags
    Reap(ReapArgs),
    /// List the runs that this machine or the account knows
    Runs(RunsArgs),
    /// Verify the bundle of a ceremony, offline
    #[command(after_long_help = VERIFY_EXAMPLES)]
    Verify(Box<VerifyArgs>),
    /// Publish a verified bundle: to a bucket, a folder, or as the files of a release
    #[command(after_long_help = publish::EXAMPLES)]
    Publish(Box<PublishArgs>),
    /// Check a Groth16 key made by anyone: was phase 2 really done?
    #[command(after_long_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Show what a single file holds: r1cs, ptau, zkey, attestation document, drand round, enclave
    /// image, manifest
    Inspect(InspectArgs),
    /// Compute PCR0, PCR1 and PCR2 of an enclave image
    Pcrs(PcrsArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

const RUN_EXAMPLES: &str = "\
Examples:
  A complete ceremony on this machine, everything simulated:
    controller run circuit.circom -l node_modules --local --ptau dev --out bundle

  A ceremony in a Nitro Enclave, on a machine that is made for it and removed after it:
    controller run circuit.circom --cloud aws --region eu-central-1 --release release --max-usd 5 --out bundle

  The same with a real phase 1 and the drand beacon:
    controller run circuit.circom --local --ptau ~/ptau --beacon quicknet --out bundle

  One more contribution to a key that people have contributed to:
    controller run circuit.circom --local --ptau ~/ptau --initial circuit_0007.zkey --out bundle";

const VERIFY_EXAMPLES: &str = "\
Examples:
  A production bundle, with the measurements of a release:
    controller verify bundle --pcrs pcr-values.json --pcrs-key release.pub

  A bundle of a simulated ceremony (exit code 5 if everything holds):
    controller verify bundle --trust simulation

  The bundles of several enclaves in sequence, and that each continues the one before:
    controller verify bundles --pcrs pcr-values.json --pcrs-key release.pub

  Everything, including the circuit's compilation and the key against phase 1:
    controller verify bundle --pcrs pcr-values.json --pcrs-key release.pub \\
        --depth full --ptau powersOfTau28_hez_final_12.ptau";

const CHECK_EXAMPLES: &str = "\
Examples:
  controller check circuit_final.zkey
  controller check circuit_final.zkey --r1cs circuit.r1cs --ptau powersOfTau28_hez_final_12.ptau
  controller check verification_key.json
  controller check verifier.sol";

/// Arguments of `run`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "three of them are circom's flags, of which one can be given"
)]
pub struct RunArgs {
    /// Main circuit file (.circom), or a compiled circuit (.r1cs)
    #[arg(value_hint = ValueHint::FilePath)]
    pub circuit: PathBuf,
    /// Folder to look for included files in, as circom's -l; can be repeated
    #[arg(short = 'l', long = "library", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub libraries: Vec<PathBuf>,
    /// Run the three services on this machine. SIMULATION: no enclave protects the secret
    #[arg(long)]
    pub local: bool,
    /// Folder to create for the bundle
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub out: PathBuf,
    /// Powers of tau: a file, a folder of published files, an https URL ("{NN}" is replaced by the
    /// power), "published", or "dev" for a development file of known tau (SIMULATION)
    /// [default in the cloud: published]
    #[arg(long, value_name = "FILE|DIR|URL|published|dev")]
    pub ptau: Option<String>,
    /// Which published family the powers of tau are of
    #[arg(long, value_enum, value_name = "FAMILY")]
    pub family: Option<Family>,
    /// circom: no simplification
    #[arg(long = "O0", group = "optimisation")]
    pub o0: bool,
    /// circom: simplify signals (circom's default)
    #[arg(long = "O1", group = "optimisation")]
    pub o1: bool,
    /// circom: full simplification
    #[arg(long = "O2", group = "optimisation")]
    pub o2: bool,
    /// Randomness beacon; "local" is a SIMULATION with its own key
    /// [default: local with --local, quicknet in the cloud]
    #[arg(long, value_enum, value_name = "CHAIN")]
    pub beacon: Option<BeaconChain>,
    /// Seconds between the attested contribution and the beacon round
    /// [default: 30 for quicknet, 60 for default, 3 for local]
    #[arg(long, value_name = "SECONDS")]
    pub margin: Option<u32>,
    /// Relay to ask for the drand round; can be repeated [default: the public relays]
    #[arg(long = "relay", value_name = "URL", value_hint = ValueHint::Url)]
    pub relays: Vec<String>,
    /// Key with contributions to add to, made by anyone, snarkjs too [default: a fresh key]
    #[arg(long, value_name = "KEY.zkey", value_hint = ValueHint::FilePath)]
    pub initial: Option<PathBuf>,
    /// So many ceremonies in sequence, each adding to the key of the one before; --out gets a
    /// bundle of each: 1, 2, …
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub enclaves: u16,
    /// Name written into the contribution record (nothing authenticates it)
    #[arg(long, default_value = "attested ceremony", value_name = "TEXT")]
    pub name: String,
    /// Requester's nonce, 32 bytes in hex [default: drawn]
    #[arg(long, value_name = "HEX")]
    pub nonce: Option<String>,
    /// Folder for the run's records and intermediate files, kept afterwards
    /// [default: beside --out, removed after success]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub store: Option<PathBuf>,
    /// The programs and modules of the services
    #[command(flatten)]
    pub programs: ProgramArgs,
    /// What goes for a run in the cloud
    #[command(flatten)]
    pub in_cloud: InCloudArgs,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Main circuit file (.circom), which is compiled, or a compiled circuit (.r1cs)
    #[arg(value_hint = ValueHint::FilePath)]
    pub circuit: PathBuf,
    /// Folder to look for included files in, as circom's -l; can be repeated
    #[arg(short = 'l', long = "library", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub libraries: Vec<PathBuf>,
    /// circom: no simplification
    #[arg(long = "O0", group = "simplification")]
    pub o0: bool,
    /// circom: simplify signals (circom's default)
    #[arg(long = "O1", group = "simplification")]
    pub o1: bool,
    /// circom: full simplification
    #[arg(long = "O2", group = "simplification")]
    pub o2: bool,
    /// Folder of circom.wasm [default: modules beside the programs]
    #[arg(long, env = "CEREMONY_MODULES", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub modules: Option<PathBuf>,
}

/// The other programs, what they load, and what they may take.
#[derive(Debug, Clone, Args)]
pub struct ProgramArgs {
    /// Folder of circom.wasm and solc.wasm [default: modules beside the programs]
    #[arg(long, env = "CEREMONY_MODULES", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub modules: Option<PathBuf>,
    /// The host-agent program [default: beside this one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub host_agent: Option<PathBuf>,
    /// Memory for making the initial key, MiB: less means more passes over circuit and powers of tau
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(64..))]
    pub memory: u32,
    /// What stands in for the enclave in local runs
    #[arg(long, value_enum, value_name = "KIND", default_value_t = LocalEnclave::Simulated)]
    pub enclave: LocalEnclave,
    /// The program of that kind [default: enclave-agent-simulated or enclave-emulator beside this one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub enclave_agent: Option<PathBuf>,
}

/// Stand-ins for an enclave on one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LocalEnclave {
    /// A process of this machine
    Simulated,
    /// The development image, booted in an emulator (docs/image.md)
    Emulator,
}

/// Published phase-1 families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Family {
    /// Perpetual powers of tau, response 54: powersOfTau28_hez_final_NN.ptau
    Hermez,
    /// Perpetual powers of tau, response 80: ppot_0080_NN.ptau
    #[value(name = "ppot_0080")]
    Ppot0080,
}

/// Beacon chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BeaconChain {
    /// drand quicknet: a round every 3 seconds
    Quicknet,
    /// drand default: a round every 30 seconds
    Default,
    /// A chain of this run, with its own key. SIMULATION
    Local,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Folder of the bundle, or of bundles 1, 2, … in sequence
    #[arg(value_hint = ValueHint::DirPath)]
    pub bundle: PathBuf,
    /// Whose attestation documents are believed
    #[arg(long, value_enum, default_value_t = Trust::Aws)]
    pub trust: Trust,
    /// Root certificate (DER) of the simulated module [default: the one in the documents]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub simulated_root: Option<PathBuf>,
    /// Expected PCR0, 48 bytes in hex
    #[arg(long, value_name = "HEX", conflicts_with = "pcrs")]
    pub pcr0: Option<String>,
    /// Expected PCR1
    #[arg(long, value_name = "HEX", conflicts_with = "pcrs")]
    pub pcr1: Option<String>,
    /// Expected PCR2
    #[arg(long, value_name = "HEX", conflicts_with = "pcrs")]
    pub pcr2: Option<String>,
    /// Expected PCRs from a file
    #[command(flatten)]
    pub pcr_file: PcrFileArgs,
    /// How much to check
    #[arg(long, value_enum, default_value_t = Depth::Artifacts)]
    pub depth: Depth,
    /// The requester's nonce that the ceremony must carry, 32 bytes in hex
    #[arg(long, value_name = "HEX")]
    pub nonce: Option<String>,
    /// Folder of the circuit's sources to compare with the bundled ones
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub source: Option<PathBuf>,
    /// The powers of tau the key was made from, for --depth full
    #[arg(long, value_name = "FILE|dev")]
    pub ptau: Option<PathBuf>,
    /// Ask another program as well
    #[arg(long, value_enum, value_name = "PROGRAM")]
    pub with: Option<Referee>,
    /// Folder of circom.wasm and solc.wasm, for --depth full [default: modules beside the programs]
    #[arg(long, env = "CEREMONY_MODULES", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub modules: Option<PathBuf>,
}

/// A file of expected measurements, and who vouches for it.
#[derive(Debug, Args)]
pub struct PcrFileArgs {
    /// JSON file with the expected PCR0, PCR1 and PCR2 of a release, signed with minisign
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub pcrs: Option<PathBuf>,
    /// Its signature [default: the file's name with .minisig]
    #[arg(long, value_name = "FILE", requires = "pcrs", value_hint = ValueHint::FilePath)]
    pub pcrs_signature: Option<PathBuf>,
    /// Public key of its signer: minisign's base64, or a file with it. None is built in yet
    #[arg(long, value_name = "KEY", requires = "pcrs")]
    pub pcrs_key: Option<String>,
    /// Believe the file without a signature: your own choice, and the checklist says so
    #[arg(long, requires = "pcrs", conflicts_with_all = ["pcrs_signature", "pcrs_key"])]
    pub pcrs_unsigned: bool,
}

/// Trust anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Trust {
    /// The AWS Nitro root certificate
    Aws,
    /// A simulated root: proves nothing about a production key
    Simulation,
}

/// Depths of `verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Depth {
    /// The documents, the manifest and the beacon, from small files only
    Attestation,
    /// Also every artifact: digests, keys, contract, beacon undone
    Artifacts,
    /// Also compile the circuit again and check the key against r1cs and ptau
    Full,
}

/// Foreign referees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Referee {
    /// `snarkjs zkey verify` (needs node and --ptau)
    Snarkjs,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A Groth16 key made by anyone: a zkey, a verification key (JSON), a Solidity verifier, or a
    /// verifier's code (hex, or JSON with deployedBytecode)
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The circuit the key is for
    #[arg(long, value_name = "FILE", requires = "ptau", value_hint = ValueHint::FilePath)]
    pub r1cs: Option<PathBuf>,
    /// The powers of tau the key was made from
    #[arg(long, value_name = "FILE", requires = "r1cs", value_hint = ValueHint::FilePath)]
    pub ptau: Option<PathBuf>,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The file
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// Arguments of `pcrs`.
#[derive(Debug, Args)]
pub struct PcrsArgs {
    /// The enclave image (.eif)
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Which credentials, and where.
#[derive(Debug, Clone, Default, Args)]
pub struct CloudArgs {
    /// AWS region [default: AWS_REGION, then the profile's]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Profile in the files of the AWS command line [default: AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}
