//! Where words go: results to standard output, everything else to standard error.
//!
//! A reader that closes the pipe early is no error: writing stops being seen, work and exit code stay.

use std::error::Error;
use std::io::{IsTerminal, Write};

use indicatif::MultiProgress;
use owo_colors::OwoColorize;

use crate::cli::OutputArgs;
use crate::json::{Envelope, Object};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgressStyle {
    /// A display per step that moves.
    Bars,
    /// One line per finished step.
    Lines,
    /// Not at all.
    Hidden,
}

/// Writes for people or for machines, as asked.
#[derive(Debug)]
pub struct Printer {
    json: bool,
    quiet: bool,
    verbose: u8,
    progress: ProgressStyle,
    bars: MultiProgress,
}

impl Printer {
    /// A printer as the arguments and the terminal say. `in_ci`: the variable `CI` is set.
    pub fn new(args: &OutputArgs, in_ci: bool) -> Self {
        let progress = if args.json || args.quiet {
            ProgressStyle::Hidden
        } else if args.no_progress || args.verbose > 0 || in_ci || !std::io::stderr().is_terminal()
        {
            ProgressStyle::Lines
        } else {
            ProgressStyle::Bars
        };
        let (json, quiet, verbose) = (args.json, args.quiet, args.verbose);
        Self {
            json,
            quiet,
            verbose,
            progress,
            bars: MultiProgress::new(),
        }
    }

    pub(crate) fn progress_style(&self) -> ProgressStyle {
        self.progress
    }

    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// How often `-v` was given.
    pub fn verbosity(&self) -> u8 {
        self.verbose
    }

    /// Whether machines read the output.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A result line for people; nothing under `--json`.
    pub fn result(&self, line: &str) {
        if !self.json {
            self.bars
                .suspend(|| ignore_closed(writeln!(anstream::stdout(), "{line}")));
        }
    }

    /// An object for machines; nothing without `--json`.
    pub fn object(&self, object: &impl Object) {
        if self.json {
            write_object(object);
        }
    }

    /// A line about the course of work, unless `--quiet` or `--json`.
    pub fn status(&self, line: &str) {
        if !self.json && !self.quiet {
            self.error_line(line);
        }
    }

    /// A line that must be seen: on standard error whatever was asked for.
    pub fn warn(&self, line: &str) {
        self.error_line(line);
    }

    /// An error with its causes and what to do about it.
    pub fn error(&self, code: &str, error: &dyn Error, hint: Option<&str>) {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        let message = error.to_string();
        if self.json {
            write_object(&crate::json::Failure {
                code,
                message: &message,
                causes: &causes,
                hint,
            });
            return;
        }
        self.error_line(&format!("{} {message}", "error:".red().bold()));
        for cause in &causes {
            self.error_line(&format!("  caused by: {cause}"));
        }
        if let Some(hint) = hint {
            self.error_line(&format!("{} {hint}", "hint:".cyan().bold()));
        }
    }

    fn error_line(&self, line: &str) {
        self.bars
            .suspend(|| ignore_closed(writeln!(anstream::stderr(), "{line}")));
    }
}

fn write_object<T: Object>(object: &T) {
    // Serialising plain structs of strings and numbers cannot fail.
    if let Ok(text) = serde_json::to_string(&Envelope::of(object)) {
        ignore_closed(writeln!(anstream::stdout(), "{text}"));
    }
}

/// Nobody reads any more, or the terminal is gone: nothing useful is left to do about it.
fn ignore_closed(written: std::io::Result<()>) {
    drop(written);
}
