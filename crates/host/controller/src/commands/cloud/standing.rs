//! `status`: where a run stands.

use protocol::pb;
use saga::{Standing, look};

use super::screen::Screen;
use super::seat::{Seat, blueprint};
use super::show;
use crate::cli::StatusArgs;
use crate::clouds::Clouds;
use crate::error::CliError;
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;
use crate::words;

/// Looks once, or until the run ends.
pub(crate) fn status(
    args: &StatusArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let seat = Seat::take(clouds, &args.run)?;
    let screen = Screen::new(printer)?;
    let blueprint = blueprint();
    let saga = seat.saga(&screen, &blueprint)?;
    let mut shown = String::new();
    let mut changed = seat.open.clock.now();
    loop {
        let standing = look(&saga)?;
        let line = line(&standing);
        if line != shown {
            show_standing(&standing, seat.run.as_str(), &line, printer);
            shown = line;
            changed = seat.open.clock.now();
        }
        if !args.watch || is_over(&standing) {
            return Ok(Exit::Success);
        }
        let quiet = seat.open.clock.now().since(changed);
        if seat.desk(&screen).pause(seat.open.pace.between(quiet)) {
            return Ok(Exit::Interrupted);
        }
    }
}

fn is_over(standing: &Standing) -> bool {
    let failed = matches!(
        standing
            .last
            .as_ref()
            .and_then(|status| status.kind.as_ref()),
        Some(pb::status::Kind::Failure(_))
    );
    standing.is_committed || failed || standing.machine.is_gone()
}

fn show_standing(standing: &Standing, run: &str, line: &str, printer: &Printer) {
    let machine = words::one_line(&standing.machine.finding);
    printer.object(&json::Standing {
        run,
        last: line,
        age_s: standing.age.map(|age| age.as_secs()),
        silent: standing.is_silent,
        machine: &machine,
        committed: standing.is_committed,
        deadline: &standing.deadline.to_string(),
        spent_usd: &standing.spent.to_string(),
    });
    printer.result(&format!("run       {run}"));
    printer.result(&format!("last      {line}"));
    if let Some(age) = standing.age {
        printer.result(&format!("          {} s ago", age.as_secs()));
    }
    printer.result(&format!("machine   {machine}"));
    printer.result(&format!("deadline  {}", standing.deadline));
    printer.result(&format!("spent     about {} USD", standing.spent));
    if standing.is_silent {
        show::silent(&standing.machine, printer);
    }
}

/// The last record in words.
fn line(standing: &Standing) -> String {
    if standing.is_committed {
        return "complete".to_owned();
    }
    let Some(kind) = standing
        .last
        .as_ref()
        .and_then(|status| status.kind.as_ref())
    else {
        return "the host-agent has not spoken yet".to_owned();
    };
    match kind {
        pb::status::Kind::StageReached(stage) => {
            let stage = pb::Stage::try_from(*stage).unwrap_or(pb::Stage::Unspecified);
            format!("stage {}", words::stage(stage))
        }
        pb::status::Kind::Progress(progress) => words::one_line(&progress.step),
        pb::status::Kind::Note(text) => words::one_line(text),
        pb::status::Kind::Failure(failure) => {
            words::one_line(&format!("failed: {}: {}", failure.code, failure.message))
        }
        pb::status::Kind::Done(_) => "done".to_owned(),
        pb::status::Kind::Heartbeat(beat) => {
            format!("alive, no progress for {} s", beat.quiet_ms / 1000)
        }
    }
}
