//! How a run ended, in words and objects.

use cloud::RunId;
use owo_colors::OwoColorize;
use protocol::pb;
use saga::{Diagnosis, End, Leftover, Outcome, Proof};

use crate::error::{CliError, RunFailure};
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;
use crate::words;

/// Says how the run ended and what is left. `verified`: how the verification ended, if there was one.
pub(crate) fn outcome(
    outcome: Outcome,
    run: &RunId,
    verified: Option<Exit>,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let code = outcome.exit_code();
    let Outcome { end, proof } = outcome;
    left(&proof, run, printer);
    if let Some(bucket) = &proof.kept {
        printer.warn(&format!(
            "the bucket {bucket} is kept, with everything that was finished: `controller fetch {run} --out DIR` brings it here, `controller destroy {run} --discard` removes it"
        ));
    }
    let ended = match end {
        End::Verified | End::Removed => {
            if proof.is_clean() {
                printer.result("nothing of the run is left in the cloud");
            }
            Ok(verified.unwrap_or(Exit::Success))
        }
        End::Refused => Ok(verified.unwrap_or(Exit::Incomplete)),
        End::Failed(failure) => Err(failed(&failure, run)),
        End::Lost(diagnosis) => Err(lost(&diagnosis, run)),
        End::Error(error) => Err(error.into()),
        End::Detached => {
            let stands = if proof.left.iter().all(|left| left.kind == "bucket") {
                "no machine was made yet"
            } else {
                "the run goes on"
            };
            printer.warn(&format!(
                "{stands}: `controller resume {run}` takes it over, `controller abort {run}` ends it"
            ));
            Ok(Exit::ResourcesMayExist)
        }
    };
    if code != Exit::ResourcesMayExist.code() {
        return ended;
    }
    // What may go on costing money outweighs how the ceremony ended, which is still said.
    if let Err(error) = ended {
        printer.error(&error.code(), &error, error.hint().as_deref());
    }
    Ok(Exit::ResourcesMayExist)
}

/// Names what exists or may exist, with its price.
pub(crate) fn left(proof: &Proof, run: &RunId, printer: &Printer) {
    if proof.is_clean() {
        return;
    }
    let title = "CLOUD RESOURCES EXIST OR MAY EXIST:"
        .red()
        .bold()
        .to_string();
    printer.warn(&title);
    for thing in &proof.left {
        leftover(thing, printer);
    }
    printer.warn(&format!(
        "  together at least {} USD an hour; `controller destroy {run}` removes them, `controller reap` after the deadline",
        proof.hourly()
    ));
}

pub(crate) fn leftover(thing: &Leftover, printer: &Printer) {
    let why = words::one_line(&thing.why);
    printer.object(&json::LeftInCloud {
        kind: thing.kind,
        id: &thing.id,
        region: thing.region.as_str(),
        why: &why,
        usd_per_hour: thing.hourly.map(|usd| usd.to_string()).as_deref(),
    });
    if !printer.is_json() {
        printer.warn(&format!("  {}", words::one_line(&thing.to_string())));
    }
}

/// What was found about a silent host-agent.
pub(crate) fn silent(diagnosis: &Diagnosis, printer: &Printer) {
    let finding = words::one_line(&diagnosis.finding);
    let console = diagnosis.console.as_deref().map(words::lines);
    let last = diagnosis.last_record.map(|time| time.to_string());
    printer.object(&json::Silent {
        finding: &finding,
        last_record: last.as_deref(),
        console: console.as_deref(),
    });
    if printer.is_json() {
        return;
    }
    let since = last.map_or_else(
        || "the host-agent has not spoken yet".to_owned(),
        |last| format!("the host-agent has been silent since {last}"),
    );
    printer.warn(&format!("  {since}: {finding}"));
    if let Some(line) = console.iter().flat_map(|text| text.lines()).next_back() {
        printer.status(&format!("  end of its console: {line}"));
    }
}

/// The host-agent's last word, as an error.
pub(crate) fn failed(failure: &pb::JobFailure, run: &RunId) -> CliError {
    let stage = pb::Stage::try_from(failure.stage).unwrap_or(pb::Stage::Unspecified);
    CliError::Run(Box::new(RunFailure {
        phase: words::one_line(&failure.phase),
        stage: words::stage(stage),
        code: words::one_line(&failure.code),
        message: words::lines(&failure.message),
        hint: (!failure.hint.is_empty()).then(|| words::lines(&failure.hint)),
        store: format!("the bucket of {run}").into(),
    }))
}

/// A machine that is gone without a word, as an error.
pub(crate) fn lost(diagnosis: &Diagnosis, run: &RunId) -> CliError {
    CliError::Lost {
        run: run.to_string(),
        finding: words::one_line(&diagnosis.finding),
        console: diagnosis.console.as_deref().map(words::lines),
    }
}
