//! One module per command.

mod ceremony;
mod check;
mod completions;
mod inspect;
mod pcrs;
mod plan;
mod verify;

use crate::cli::Command;
use crate::exit::Exit;
use crate::printer::Printer;

/// Does what was typed, and reports an error if there is one.
pub fn run(command: Command, printer: &Printer) -> Exit {
    let outcome = match command {
        Command::Run(args) => ceremony::run(&args, printer),
        Command::Plan(args) => plan::run(&args, printer),
        Command::Verify(args) => verify::run(&args, printer),
        Command::Check(args) => check::run(&args, printer),
        Command::Inspect(args) => inspect::run(&args, printer),
        Command::Pcrs(args) => pcrs::run(&args, printer),
        Command::Completions(args) => Ok(completions::run(&args)),
    };
    outcome.unwrap_or_else(|error| {
        printer.error(&error.code(), &error, error.hint().as_deref());
        error.exit()
    })
}
