//! `runs`, `reap`, and the removal of a run without a plan: by names and tags.

use cloud::names::bucket_prefix;
use cloud::{Region, RunId, tags};
use saga::Reaped;

use super::screen::Screen;
use super::seat::{self, Seat};
use super::show;
use crate::cli::{ReapArgs, RunsArgs};
use crate::clouds::Clouds;
use crate::error::CliError;
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;

/// Removes what has outlived its deadline.
pub(crate) fn reap(
    args: &ReapArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let open = clouds.open(&args.cloud)?;
    let screen = Screen::new(printer)?;
    let regions: Vec<Region> = if args.all_regions {
        open.account.regions()?
    } else {
        vec![open.region.clone()]
    };
    let reaped = saga::reap(seat::desk(&open, &screen), &regions)?;
    Ok(report(&reaped, printer))
}

/// Removes one run by its name and its tags, in every region: where it was is not known.
pub(super) fn remove(
    seat: &Seat,
    screen: &Screen<'_>,
    discard: bool,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let regions = seat.open.account.regions()?;
    let removed = saga::remove_by_tags(seat.desk(screen), &regions, &seat.run, discard)?;
    if removed.removed.is_empty() && removed.left.is_empty() {
        let account = seat.open.account.caller()?.account.to_string();
        let run = seat.run.clone();
        return Err(saga::SagaError::NoSuchRun { run, account }.into());
    }
    Ok(report(&removed, printer))
}

fn report(reaped: &Reaped, printer: &Printer) -> Exit {
    for thing in &reaped.removed {
        printer.object(&json::Removed { thing });
        printer.result(&format!("removed   {thing}"));
    }
    for (thing, deadline) in &reaped.not_due {
        let deadline = deadline.to_string();
        printer.object(&json::NotDue {
            thing,
            deadline: &deadline,
        });
        printer.result(&format!("not due   {thing} (until {deadline})"));
    }
    for thing in &reaped.left {
        show::leftover(thing, printer);
    }
    if reaped.exit_code() == 0 {
        Exit::Success
    } else {
        Exit::ResourcesMayExist
    }
}

/// Lists the runs that this machine knows and those that have a bucket.
pub(crate) fn runs(
    args: &RunsArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let state = seat::state(&args.state)?;
    let open = clouds.open(&args.cloud)?;
    let account = open.account.caller()?.account;
    let services = open.account.services(&open.region);
    let mut in_cloud = Vec::new();
    for bucket in services.buckets.list(&bucket_prefix(&account))? {
        let Some(run) = RunId::of_bucket(&account, &bucket.name) else {
            continue;
        };
        let region = match bucket.region {
            Some(region) => Some(region),
            None => services.buckets.locate(&bucket.name)?,
        };
        let Some(region) = region else { continue };
        let there = open.account.services(&region).buckets;
        let deadline = there.tags(&bucket.name).ok();
        let deadline = deadline.and_then(|tags| tags::expires_at(&tags));
        show_run(
            &run,
            Some(&region),
            deadline.map(|d| d.to_string()),
            printer,
        );
        in_cloud.push(run);
    }
    for run in state.runs()? {
        if !in_cloud.contains(&run) {
            show_run(&run, None, None, printer);
        }
    }
    Ok(Exit::Success)
}

fn show_run(run: &RunId, region: Option<&Region>, deadline: Option<String>, printer: &Printer) {
    printer.object(&json::KnownRun {
        run: run.as_str(),
        region: region.map(Region::as_str),
        deadline: deadline.as_deref(),
    });
    let place = region.map_or("no bucket: over, or never begun", Region::as_str);
    let until = deadline.map(|deadline| format!(", deadline {deadline}"));
    printer.result(&format!("{run}  {place}{}", until.unwrap_or_default()));
}
