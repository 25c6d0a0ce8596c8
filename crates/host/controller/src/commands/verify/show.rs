//! A report, for people and machines.

use owo_colors::OwoColorize;
use verify::{Report, Status, Step, Verdict};

use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;
use crate::words::{self, chain};

/// Writes the report; gives how the program ends.
pub(super) fn report(report: &Report, printer: &Printer) -> Exit {
    let (verdict, exit) = (report.verdict(), exit(report.verdict()));
    let first_line = report.first_line();
    printer.result(&match verdict {
        Verdict::Verified => first_line.green().bold().to_string(),
        Verdict::HoldsUnderSimulation | Verdict::Incomplete => {
            first_line.yellow().bold().to_string()
        }
        Verdict::False => first_line.red().bold().to_string(),
    });
    for step in report.steps() {
        show(step, printer);
    }
    printer.object(&json::Verdict {
        verdict: verdict.name(),
        summary: &first_line,
        exit_code: exit.code(),
    });
    exit
}

fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Verified => Exit::Success,
        Verdict::HoldsUnderSimulation => Exit::SimulationOnly,
        Verdict::False => Exit::False,
        Verdict::Incomplete => Exit::Incomplete,
    }
}

fn show(step: &Step, printer: &Printer) {
    let (status, word, mut lines) = match &step.status {
        Status::Passed => (
            "passed",
            format!("{:<12}", "passed").green().to_string(),
            Vec::new(),
        ),
        Status::Failed(failure) => {
            let mut lines = vec![chain(failure)];
            lines.extend(failure.hint().map(|hint| format!("hint: {hint}")));
            (
                "failed",
                format!("{:<12}", "FAILED").red().bold().to_string(),
                lines,
            )
        }
        Status::NotChecked(why) => {
            let word = format!("{:<12}", "not checked").yellow().to_string();
            ("not-checked", word, vec![why.to_string()])
        }
    };
    lines.extend(
        step.facts
            .iter()
            .map(|fact| format!("{}: {}", fact.name, fact.value)),
    );
    // The bundle's words may be in there.
    let lines: Vec<String> = lines.iter().map(|line| words::one_line(line)).collect();
    let (id, title) = (step.id.name(), step.id.title());
    printer.result(&format!("  {word} {title}"));
    for line in &lines {
        printer.result(&format!("               {}", line.dimmed()));
    }
    printer.object(&json::Step {
        id: &id,
        title: &title,
        status,
        detail: &lines.join("; "),
    });
}
