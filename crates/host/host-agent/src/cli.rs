//! What can be typed.

use std::path::PathBuf;

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};

/// Runs one job of a run store: prepares the inputs, feeds the enclave, brings the artifacts back
#[derive(Debug, Parser)]
#[command(
    name = "host-agent",
    version,
    max_term_width = 100,
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// Something else than running a job
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The job
    #[command(flatten)]
    pub job: Option<Job>,
}

/// Something else than running a job.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sets memory and processors of this machine aside for the enclave; once, after boot, as root
    Reserve {
        /// The machine's host.json
        #[arg(long, value_name = "FILE")]
        host_config: PathBuf,
    },
}

/// One job of a run store.
#[derive(Debug, Args)]
pub struct Job {
    /// The run store: a folder, or a bucket in the region and with the credentials of the environment
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX")]
    pub store: String,
    /// Name of the run
    #[arg(long, value_name = "ID")]
    pub run: String,
    /// Folder for intermediate files
    #[arg(long, value_name = "DIR")]
    pub work: PathBuf,
    /// Folder of circom.wasm and solc.wasm
    #[arg(long, value_name = "DIR")]
    pub modules: PathBuf,
    /// Start this enclave-agent program and talk to it over a Unix socket
    #[arg(long, value_name = "FILE", required_unless_present_any = ["enclave", "eif"])]
    pub enclave_agent: Option<PathBuf>,
    /// Talk to a running enclave: unix:PATH, vsock:CID:PORT or hybrid:PATH:PORT
    #[arg(long, value_name = "ADDRESS", conflicts_with = "enclave_agent")]
    pub enclave: Option<String>,
    /// Start this image as a Nitro Enclave, of the size and measurements that host.json says
    #[arg(long, value_name = "FILE", conflicts_with_all = ["enclave_agent", "enclave"], requires = "host_config")]
    pub eif: Option<PathBuf>,
    /// The machine's host.json
    #[arg(long, value_name = "FILE")]
    pub host_config: Option<PathBuf>,
    /// The nitro-cli program
    #[arg(long, value_name = "FILE", default_value = "nitro-cli")]
    pub nitro_cli: PathBuf,
    /// Folder for downloaded powers of tau
    #[arg(long, value_name = "DIR")]
    pub ptau_cache: Option<PathBuf>,
    /// Memory for making the initial key, MiB [default: what host.json says, or 256]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u32>,
    /// Seconds to keep asking relays for the beacon round
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    pub beacon_patience: u64,
    /// End when standard input closes: whoever started this is gone
    #[arg(long)]
    pub stop_on_stdin_close: bool,
    /// Write a heartbeat into the run's status every so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub heartbeat: Option<u64>,
    /// End at the time in this file, seconds since 1970; the file may change
    #[arg(long, value_name = "FILE")]
    pub deadline_file: Option<PathBuf>,
    /// Log to this file as well, a JSON object per line
    #[arg(long, value_name = "FILE")]
    pub log_json: Option<PathBuf>,
    /// Answer GET /metrics (Prometheus) [address, if none is named: 127.0.0.1:9464]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:9464")]
    pub metrics: Option<SocketAddr>,
    /// Log more; can be repeated
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}
