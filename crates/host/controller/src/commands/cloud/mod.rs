//! Runs in the cloud: every command but `run` needs nothing but the run's id.

mod launch;
mod offer;
mod orphans;
mod receiver;
mod release;
mod screen;
mod seat;
mod show;
mod sizing;
mod standing;

use std::path::Path;
use std::time::Duration;

use protocol::pb;
use saga::{Blueprint, End, Inputs, Outcome, Saga, SagaError, Seen};

pub(super) use self::launch::run;
pub(super) use self::orphans::{reap, runs};
use self::receiver::Bundler;
use self::screen::Screen;
use self::seat::Seat;
pub(super) use self::seat::state;
pub(super) use self::standing::status;
use crate::cli::{DestroyArgs, ExtendArgs, FetchArgs, OneRunArgs, ResumeArgs, TrustArgs};
use crate::clouds::Clouds;
use crate::error::CliError;
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;

/// How long an aborted host-agent gets to say its last word.
const LAST_WORD: Duration = Duration::from_mins(2);

/// `attach`: shows what the run reports until it ends; changes nothing.
pub(super) fn attach(
    args: &OneRunArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let seat = Seat::take(clouds, &args.run)?;
    let screen = Screen::new(printer)?;
    let blueprint = seat::blueprint();
    let mut saga = seat.saga(&screen, &blueprint)?;
    let seen = saga.follow()?;
    screen.finish();
    let run = &seat.run;
    match seen {
        Seen::Committed(_) => {
            printer.result(&format!(
                "the run is complete: `controller resume {run}` fetches and verifies the bundle and removes everything"
            ));
            Ok(Exit::Success)
        }
        Seen::Failed(failure) => Err(show::failed(&failure, run)),
        Seen::Lost(diagnosis) => Err(show::lost(&diagnosis, run)),
        Seen::Interrupted => Ok(Exit::Interrupted),
    }
}

/// `resume`: takes the run over, from wherever it stands, to the proof that nothing is left.
pub(super) fn resume(
    args: &ResumeArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let seat = Seat::take(clouds, &args.run)?;
    let inputs = seat.state.inputs(&seat.run)?;
    let screen = Screen::new(printer)?;
    let blueprint = seat::blueprint();
    let mut saga = seat.saga(&screen, &blueprint)?;
    let receiver = receiver(
        &seat,
        args.out.as_deref(),
        &args.trust,
        inputs.as_ref(),
        &saga,
        printer,
    )?;
    let outcome = saga.resume(inputs.as_ref(), &receiver);
    screen.finish();
    show::outcome(outcome, &seat.run, receiver.exit(), printer)
}

/// Who takes the bundle home, under the trust that was typed or that the run was begun with.
fn receiver<'p>(
    seat: &Seat,
    out: Option<&Path>,
    trust: &TrustArgs,
    inputs: Option<&Inputs>,
    saga: &Saga<'_>,
    printer: &'p Printer,
) -> Result<Bundler<'p>, CliError> {
    let simulation = saga.plan().simulation;
    if simulation {
        printer.warn(offer::BANNER);
    }
    Bundler::new(seat, out, trust, inputs, simulation, printer)
}

/// `fetch`: brings the bundle of a complete run home and verifies it; leaves the cloud as it is.
pub(super) fn fetch(
    args: &FetchArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    use saga::Receiver;
    super::ceremony::check_out(&args.out)?;
    let seat = Seat::take(clouds, &args.run)?;
    let inputs = seat.state.inputs(&seat.run)?;
    let screen = Screen::new(printer)?;
    let blueprint = seat::blueprint();
    let saga = seat.saga(&screen, &blueprint)?;
    let receiver = receiver(
        &seat,
        Some(&args.out),
        &args.trust,
        inputs.as_ref(),
        &saga,
        printer,
    )?;
    if saga.run().committed()?.is_none() {
        return Err(SagaError::NotCommitted { run: seat.run }.into());
    }
    receiver.receive(saga.run())?;
    receiver.verify(saga.run())?;
    printer.result(&format!("bundle: {}", args.out.display()));
    Ok(receiver.exit().unwrap_or(Exit::Incomplete))
}

/// `abort`: asks the host-agent to stop, waits for its last word, and removes the run.
pub(super) fn abort(
    args: &OneRunArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let seat = Seat::take(clouds, &args.run)?;
    let screen = Screen::new(printer)?;
    let blueprint = seat::blueprint();
    let mut saga = seat.saga(&screen, &blueprint)?;
    saga::abort(&mut saga)?;
    wait_for_last_word(&seat, &saga)?;
    let outcome = saga.destroy(false);
    screen.finish();
    show::outcome(outcome, &seat.run, None, printer)
}

fn wait_for_last_word(seat: &Seat, saga: &Saga<'_>) -> Result<(), CliError> {
    let since = seat.open.clock.now();
    while seat.open.clock.now().since(since) < LAST_WORD {
        let last = saga.run().last_status()?.and_then(|status| status.kind);
        if matches!(
            last,
            Some(pb::status::Kind::Failure(_) | pb::status::Kind::Done(_))
        ) {
            return Ok(());
        }
        seat.open.clock.sleep(seat.open.pace.poll);
    }
    Ok(())
}

/// `extend`: a later deadline.
pub(super) fn extend(
    args: &ExtendArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let seat = Seat::take(clouds, &args.run)?;
    let screen = Screen::new(printer)?;
    let blueprint = seat::blueprint();
    let mut saga = seat.saga(&screen, &blueprint)?;
    let more = Duration::from_mins(u64::from(args.minutes));
    let deadline = saga::extend(&mut saga, more)?;
    screen.finish();
    printer.object(&json::Deadline {
        run: seat.run.as_str(),
        deadline: &deadline.to_string(),
    });
    printer.result(&format!("deadline: {deadline}"));
    Ok(Exit::Success)
}

/// `destroy`: removes the run, and proves it.
pub(super) fn destroy(
    args: &DestroyArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let seat = Seat::take(clouds, &args.run)?;
    let screen = Screen::new(printer)?;
    let blueprint: Blueprint = seat::blueprint();
    let outcome: Outcome = match seat.saga(&screen, &blueprint) {
        Ok(mut saga) => saga.destroy(args.discard),
        // No plan tells how much there can be: names and tags do.
        Err(CliError::Saga(SagaError::NeverStarted { .. } | SagaError::NoSuchRun { .. })) => {
            return orphans::remove(&seat, &screen, args.discard, printer);
        }
        Err(error) => return Err(error),
    };
    screen.finish();
    debug_assert!(matches!(outcome.end, End::Removed | End::Error(_)));
    show::outcome(outcome, &seat.run, None, printer)
}
