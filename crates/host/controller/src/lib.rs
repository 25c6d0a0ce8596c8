//! The command line: run a ceremony, verify a bundle, check a key.
//!
//! * [`cli`]: what can be typed. [`run`]: what it does; one module of `commands` each.
//! * [`Exit`]: how the program ends. [`Printer`], [`json`]: what it says, to people or machines.

mod checklist;
pub mod cli;
pub mod clouds;
mod commands;
mod error;
mod exit;
mod follow;
pub mod json;
mod printer;
mod programs;
mod provider;
mod space;
mod web;
mod words;
mod work;

pub use commands::{PublishError, run, run_with};
pub use error::CliError;
pub use exit::Exit;
pub use printer::Printer;
pub use provider::ProviderError;
