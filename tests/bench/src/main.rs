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
mod points;
mod report;
mod table;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use vector::Level;

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
        /// Memory for new, MiB.
        #[arg(long, default_value_t = 256)]
        memory: u64,
        /// Arithmetic to use, by the name that the table gives it; the fastest one if left out.
        #[arg(long, value_parser = level)]
        level: Option<Level>,
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
    /// Write points in the form of a ptau, for measuring memory. SIMULATION ONLY: they are no powers.
    Points {
        /// Its power.
        power: u32,
        /// The file.
        out: PathBuf,
    },
    /// Write the verification key of a key.
    Export {
        /// The key.
        key: PathBuf,
        /// The JSON file.
        out: PathBuf,
    },
    /// Run a command and print what it took, as JSON.
    Measure {
        /// The command and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

/// One of this processor's levels, by its name.
fn level(name: &str) -> Result<Level, String> {
    let named = Level::all().find(|level| level.name() == name);
    named.ok_or_else(|| {
        let names: Vec<&str> = Level::all().map(Level::name).collect();
        format!("this processor has: {}", names.join(", "))
    })
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
        Command::Engine {
            step,
            files,
            memory,
            level,
        } => {
            if level.is_some_and(|level| !level.choose()) {
                return Err(BenchError::engine("its arithmetic was chosen before"));
            }
            engine::run(step, &files, memory << 20)
        }
        Command::Circuit { power, out } => circuits::multiplier_chain(power, &out),
        Command::Ptau { power, out } => circuits::ptau(power, &out),
        Command::Points { power, out } => {
            let name = out.to_string_lossy().into_owned();
            let file = std::fs::File::create(&out).map_err(BenchError::io(name))?;
            points::write(power, &mut std::io::BufWriter::new(file))
        }
        Command::Export { key, out } => engine::export(&key, &out),
        Command::Measure { command } => measure::child(&command),
    }
}
