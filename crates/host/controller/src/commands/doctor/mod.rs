//! `controller doctor`: whether what a run needs is there, on this machine and in the cloud. Changes nothing, unless it
//! is asked to make a bucket and remove it.

mod account;
mod machine;
mod row;
#[cfg(test)]
mod tests;
mod trial;

use owo_colors::OwoColorize;

use self::row::{Row, Status};
use crate::cli::DoctorArgs;
use crate::clouds::Clouds;
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;
use crate::words;

/// Looks, and says what was found.
pub(super) fn run(args: &DoctorArgs, clouds: &dyn Clouds, printer: &Printer) -> Exit {
    let rows = look(args, clouds);
    for row in &rows {
        show(row, printer);
    }
    let exit = exit(&rows);
    let count = |status| rows.iter().filter(|row| row.status == status).count();
    let summary = format!(
        "{} failed, {} could not be checked, {} warnings",
        count(Status::Failed),
        count(Status::NotChecked),
        count(Status::Warning)
    );
    printer.result(&summary);
    printer.object(&json::Verdict {
        verdict: match exit {
            Exit::Success => "holds",
            Exit::False => "false",
            _ => "incomplete",
        },
        summary: &summary,
        exit_code: exit.code(),
    });
    exit
}

fn look(args: &DoctorArgs, clouds: &dyn Clouds) -> Vec<Row> {
    let mut rows = machine::look(args);
    if !args.local {
        rows.extend(account::look(args, clouds));
    }
    rows
}

/// What failed outweighs what could not be checked.
fn exit(rows: &[Row]) -> Exit {
    let has = |status| rows.iter().any(|row| row.status == status);
    if has(Status::Failed) {
        Exit::False
    } else if has(Status::NotChecked) {
        Exit::Incomplete
    } else {
        Exit::Success
    }
}

fn show(row: &Row, printer: &Printer) {
    let word = format!("{:<12}", row.status.name());
    let word = match row.status {
        Status::Ok => word.green().to_string(),
        Status::Warning | Status::NotChecked => word.yellow().to_string(),
        Status::Failed => word.red().bold().to_string(),
    };
    // A service's words may be in there.
    let detail = words::one_line(&row.detail);
    printer.result(&format!("  {word} {}", row.title));
    printer.result(&format!("               {}", detail.dimmed()));
    if let Some(hint) = &row.hint {
        printer.result(&format!("               hint: {hint}"));
    }
    printer.object(&json::Health {
        id: row.id,
        title: row.title,
        status: row.status.name(),
        detail: &detail,
        hint: row.hint.as_deref(),
    });
}
