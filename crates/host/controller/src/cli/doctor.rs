//! What can be typed about looking for trouble.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{CloudArgs, StateArgs};

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Look at this machine only
    #[arg(long, conflicts_with_all = ["region", "profile", "to", "try_bucket"])]
    pub local: bool,
    /// Also look at a place to publish in
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    pub to: Option<String>,
    /// Also make a bucket as a run does, write into it, read it, and remove it
    #[arg(long)]
    pub try_bucket: bool,
    /// Room that this folder must have, GiB (`controller plan` says what a circuit takes)
    #[arg(long, value_name = "GIB", default_value_t = 10)]
    pub disk: u32,
    /// Folder of circom.wasm and solc.wasm [default: modules beside the programs]
    #[arg(long, env = "CEREMONY_MODULES", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub modules: Option<PathBuf>,
    /// Which credentials, and where
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// What is kept here
    #[command(flatten)]
    pub state: StateArgs,
}
