//! What can be typed.

use std::path::PathBuf;

use clap::Parser;

/// Runs one job of a run store: prepares the inputs, feeds the enclave, brings the artifacts back
#[derive(Debug, Parser)]
#[command(name = "host-agent", version, max_term_width = 100)]
pub struct Cli {
    /// Folder of the run store
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
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
    #[arg(long, value_name = "FILE", required_unless_present = "enclave")]
    pub enclave_agent: Option<PathBuf>,
    /// Talk to a running enclave: unix:PATH, vsock:CID:PORT or hybrid:PATH:PORT
    #[arg(long, value_name = "ADDRESS", conflicts_with = "enclave_agent")]
    pub enclave: Option<String>,
    /// Folder for downloaded powers of tau
    #[arg(long, value_name = "DIR")]
    pub ptau_cache: Option<PathBuf>,
    /// Memory for making the initial key, MiB
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    pub memory: u32,
    /// Seconds to keep asking relays for the beacon round
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    pub beacon_patience: u64,
    /// End when standard input closes: whoever started this is gone
    #[arg(long)]
    pub stop_on_stdin_close: bool,
    /// Log more; can be repeated
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}
