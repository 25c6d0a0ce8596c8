//! `controller completions`.

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs};
use crate::exit::Exit;

/// Writes the script to standard output.
pub(super) fn run(args: &CompletionsArgs) -> Exit {
    clap_complete::generate(
        args.shell,
        &mut Cli::command(),
        "controller",
        &mut anstream::stdout(),
    );
    Exit::Success
}
