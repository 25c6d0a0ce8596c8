//! `controller completions`.

use std::io::Write;

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs};
use crate::exit::Exit;

/// Writes the script to standard output.
pub(super) fn run(args: &CompletionsArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "controller", &mut script);
    // A reader that has seen enough is no error.
    drop(anstream::stdout().write_all(&script));
    Exit::Success
}
