//! The `controller` program.

use std::process::ExitCode;

use clap::Parser;
use controller::Printer;
use controller::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(&cli.output, std::env::var_os("CI").is_some());
    controller::run(cli.command, &printer).into()
}
