//! One module per command.

mod ceremony;
mod check;
mod cloud;
mod completions;
mod doctor;
mod inspect;
mod pcrs;
mod plan;
mod publish;
mod verify;

pub use self::publish::PublishError;
use crate::cli::Command;
use crate::clouds::Clouds;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::provider;

/// Does what was typed, and reports an error if there is one.
pub fn run(command: Command, printer: &Printer) -> Exit {
    run_with(command, printer, &provider::Aws)
}

/// As [`run`], in these clouds.
pub fn run_with(command: Command, printer: &Printer, clouds: &dyn Clouds) -> Exit {
    let outcome = match command {
        Command::Run(args) => ceremony::run(&args, clouds, printer),
        Command::Plan(args) => plan::run(&args, printer),
        Command::Attach(args) => cloud::attach(&args, clouds, printer),
        Command::Status(args) => cloud::status(&args, clouds, printer),
        Command::Fetch(args) => cloud::fetch(&args, clouds, printer),
        Command::Resume(args) => cloud::resume(&args, clouds, printer),
        Command::Extend(args) => cloud::extend(&args, clouds, printer),
        Command::Abort(args) => cloud::abort(&args, clouds, printer),
        Command::Destroy(args) => cloud::destroy(&args, clouds, printer),
        Command::Reap(args) => cloud::reap(&args, clouds, printer),
        Command::Runs(args) => cloud::runs(&args, clouds, printer),
        Command::Verify(args) => verify::run(&args, printer),
        Command::Doctor(args) => Ok(doctor::run(&args, clouds, printer)),
        Command::Publish(args) => publish::run(&args, clouds, printer),
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
