//! What can be typed about runs in the cloud.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use cloud::{BucketName, TopicArn};
use saga::Usd;

use super::{CloudArgs, PcrFileArgs, Trust};

/// Where a ceremony runs, if not on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Provider {
    /// Amazon Web Services: a machine with a Nitro Enclave, made for the run and removed after it
    Aws,
}

/// Arguments of `run --cloud`.
#[derive(Debug, Args)]
#[command(next_help_heading = "In the cloud")]
pub struct InCloudArgs {
    /// Run in this cloud: makes what is needed, waits, fetches and verifies the bundle, removes everything
    #[arg(long, value_enum, value_name = "PROVIDER", conflicts_with_all = ["local", "store"])]
    pub cloud: Option<Provider>,
    /// Folder of a release (scripts/release): the enclave image and the programs of the machine
    #[arg(long, value_name = "DIR", requires = "cloud", value_hint = ValueHint::DirPath)]
    pub release: Option<PathBuf>,
    /// Instance type that may be taken; can be repeated, the preferred one first
    /// [default: the three cheapest that are large enough]
    #[arg(long = "instance-type", value_name = "TYPE", requires = "cloud")]
    pub instance_types: Vec<String>,
    /// The most that the run may cost: it is refused where more is expected, and ends before it costs more
    #[arg(long, value_name = "USD", requires = "cloud")]
    pub max_usd: Option<Usd>,
    /// The longest that the machine may run [default: three times what is expected, and half an hour]
    #[arg(long, value_name = "MINUTES", requires = "cloud", value_parser = clap::value_parser!(u16).range(1..=1440))]
    pub max_minutes: Option<u16>,
    /// Bucket of powers of tau in the same region, whose reader pays; asked first (infra/mirror.yaml)
    #[arg(long, value_name = "BUCKET", requires = "cloud")]
    pub ptau_mirror: Option<BucketName>,
    /// SNS topic, in the same region, that is told when the machine's heartbeat stops for 15 minutes
    #[arg(long, value_name = "ARN", requires = "cloud")]
    pub alarm_topic: Option<TopicArn>,
    /// Days after which objects end that nobody has removed
    #[arg(long, value_name = "DAYS", requires = "cloud", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub keep_days: u32,
    /// Make it without asking
    #[arg(long, requires = "cloud")]
    pub yes: bool,
    /// Which credentials, and where
    #[command(flatten)]
    pub account: CloudArgs,
    /// What is kept here
    #[command(flatten)]
    pub state: StateArgs,
    /// How the bundle is verified
    #[command(flatten)]
    pub trust: TrustArgs,
}

impl InCloudArgs {
    /// An option that other commands share, so that the parser does not ask for `--cloud` beside it: typed without it,
    /// it would do nothing.
    pub fn typed_in_vain(&self) -> Option<&'static str> {
        let typed = [
            ("--region", self.account.region.is_some()),
            ("--profile", self.account.profile.is_some()),
            ("--trust", self.trust.trust.is_some()),
            ("--pcrs", self.trust.pcr_file.pcrs.is_some()),
        ];
        let vain = typed
            .into_iter()
            .filter(|_| self.cloud.is_none())
            .find(|(_, typed)| *typed);
        vain.map(|(option, _)| option)
    }
}

/// Where this machine keeps plans and journals of runs in the cloud.
#[derive(Debug, Clone, Default, Args)]
pub struct StateArgs {
    /// Folder of plans and journals [default: ~/.local/state/attested-ceremony]
    #[arg(long, env = "CEREMONY_STATE", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub state: Option<PathBuf>,
}

/// A run in the cloud.
#[derive(Debug, Clone, Args)]
pub struct RunRef {
    /// The run's id
    pub run: String,
    /// Which credentials, and where
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// What is kept here
    #[command(flatten)]
    pub state: StateArgs,
}

/// Under which trust the bundle of a run is verified.
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// Whose attestation documents are believed [default: aws, or as the run was begun]
    #[arg(long, value_enum)]
    pub trust: Option<Trust>,
    /// What it must measure [default: as the image that the run was given on this machine]
    #[command(flatten)]
    pub pcr_file: PcrFileArgs,
}

/// Arguments of `attach` and `abort`.
#[derive(Debug, Args)]
pub struct OneRunArgs {
    /// The run
    #[command(flatten)]
    pub run: RunRef,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The run
    #[command(flatten)]
    pub run: RunRef,
    /// Look again until the run ends
    #[arg(long)]
    pub watch: bool,
}

/// Arguments of `fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// The run
    #[command(flatten)]
    pub run: RunRef,
    /// Folder to create for the bundle
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub out: PathBuf,
    /// How it is verified
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The run
    #[command(flatten)]
    pub run: RunRef,
    /// Folder to create for the bundle [default: as `run` was told on this machine]
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub out: Option<PathBuf>,
    /// How it is verified
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// Arguments of `extend`.
#[derive(Debug, Args)]
pub struct ExtendArgs {
    /// The run
    #[command(flatten)]
    pub run: RunRef,
    /// Minutes to add to the deadline
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u16).range(1..=1440))]
    pub minutes: u16,
}

/// Arguments of `destroy`.
#[derive(Debug, Args)]
pub struct DestroyArgs {
    /// The run
    #[command(flatten)]
    pub run: RunRef,
    /// Remove the bucket even if it holds results that were not verified here
    #[arg(long)]
    pub discard: bool,
}

/// Arguments of `reap`.
#[derive(Debug, Args)]
pub struct ReapArgs {
    /// Which credentials, and where
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// Look in every region of the account
    #[arg(long)]
    pub all_regions: bool,
}

/// Arguments of `runs`.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// Which credentials, and where
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// What is kept here
    #[command(flatten)]
    pub state: StateArgs,
}
