//! What can be typed about runs in the cloud.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{CloudArgs, PcrFileArgs, Trust};

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
    /// Whose attestation documents are believed
    #[arg(long, value_enum, default_value_t = Trust::Aws)]
    pub trust: Trust,
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
