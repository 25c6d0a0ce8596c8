//! A list of checks and how it came out, for people and machines.

use owo_colors::OwoColorize;

use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;

/// How one check came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It holds; what was seen.
    Passed(String),
    /// It does not; why.
    Failed(String),
    /// Nobody looked; why not. Never success.
    NotChecked(String),
}

/// Prints checks as they come and counts them.
#[derive(Debug)]
pub(crate) struct Checklist<'p> {
    printer: &'p Printer,
    failed: Vec<String>,
    not_checked: usize,
    passed: usize,
}

impl<'p> Checklist<'p> {
    pub(crate) fn new(printer: &'p Printer) -> Self {
        Self {
            printer,
            failed: Vec::new(),
            not_checked: 0,
            passed: 0,
        }
    }

    /// One check.
    pub(crate) fn add(&mut self, id: &str, title: &str, outcome: &Outcome) {
        let (status, detail) = match outcome {
            Outcome::Passed(detail) => ("passed", detail),
            Outcome::Failed(detail) => ("failed", detail),
            Outcome::NotChecked(detail) => ("not-checked", detail),
        };
        self.printer.object(&json::Step {
            id,
            title,
            status,
            detail,
        });
        let word = match outcome {
            Outcome::Passed(_) => format!("{:<12}", "passed").green().to_string(),
            Outcome::Failed(_) => format!("{:<12}", "FAILED").red().bold().to_string(),
            Outcome::NotChecked(_) => format!("{:<12}", "not checked").yellow().to_string(),
        };
        let gap = if detail.is_empty() { "" } else { ": " };
        self.printer
            .result(&format!("  {word} {title}{gap}{detail}"));
        match outcome {
            Outcome::Passed(_) => self.passed = self.passed.saturating_add(1),
            Outcome::Failed(_) => self.failed.push(id.to_owned()),
            Outcome::NotChecked(_) => self.not_checked = self.not_checked.saturating_add(1),
        }
    }

    /// Whether a check failed.
    pub(crate) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// `7 passed, 1 failed (manifest), 2 not checked`.
    pub(crate) fn counts(&self) -> String {
        let mut text = format!("{} passed", self.passed);
        if !self.failed.is_empty() {
            let (count, names) = (self.failed.len(), self.failed.join(", "));
            text = format!("{text}, {count} failed ({names})");
        }
        if self.not_checked > 0 {
            text = format!("{text}, {} not checked", self.not_checked);
        }
        text
    }

    /// The last line, and how the program ends: `exit` if nothing failed. `holds` says what that means.
    pub(crate) fn conclude(&self, holds: &str, fails: &str, exit: Exit) -> Exit {
        let (verdict, summary, exit) = if self.has_failed() {
            ("false", fails, Exit::False)
        } else if exit == Exit::SimulationOnly {
            ("holds_under_simulation", holds, exit)
        } else if exit == Exit::Incomplete {
            ("incomplete", holds, exit)
        } else {
            ("holds", holds, exit)
        };
        let summary = format!("{summary} ({})", self.counts());
        self.printer.object(&json::Verdict {
            verdict,
            summary: &summary,
            exit_code: exit.code(),
        });
        self.printer.result(&summary);
        exit
    }
}
