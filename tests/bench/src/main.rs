//! The engine next to its peers, measured: snarkjs 0.7.6 and snarkrs 0.1.0 run the same steps on the
//! same files, turn by turn with ours, every run a process of its own.
//!
//! Results are compared before times are: the initial key and the beacon's key must have snarkjs's
//! bytes, and snarkjs must accept the key that ours made.

mod circuits;
mod engine;
mod error;
mod measure;
mod peers;
mod report;
mod table;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{engine::Step, error::BenchError};

/// Runs by scripts/bench.
#[derive(Parser)]
#[command(name = "bench", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the side-by-side table and write the report.
    Table(table::TableOptions),
    /// Run one step of our engine.
    Engine {
        /// Which step.
        step: Step,
        /// Its files: new R1CS PTAU OUT; contribute IN OUT; beacon IN OUT; verify R1CS PTAU KEY.
        files: Vec<PathBuf>,
    },
    /// Write a multiplier chain whose domain is 2^POWER.
    Circuit {
        /// Power of the evaluation domain.
        power: u32,
        /// The r1cs file.
        out: PathBuf,
    },
    /// Write a development ptau. SIMULATION ONLY: its tau is known.
    Ptau {
        /// Its power.
        power: u32,
        /// The file.
        out: PathBuf,
    },
    /// Run a command and print what it took, as JSON.
    Measure {
        /// The command and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), BenchError> {
    match command {
        Command::Table(options) => table::run(&options),
        Command::Engine { step, files } => engine::run(step, &files),
        Command::Circuit { power, out } => circuits::multiplier_chain(power, &out),
        Command::Ptau { power, out } => circuits::ptau(power, &out),
        Command::Measure { command } => measure::child(&command),
    }
}
