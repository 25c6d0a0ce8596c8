//! The host-agent as a child process: started, followed through the run store, never left behind.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use cloud::run::Run;
use cloud::{FolderStore, RunId};
use protocol::pb;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{CliError, RunFailure};
use crate::follow::Follower;
use crate::printer::Printer;
use crate::programs::Programs;
use crate::words;

/// Between two looks at the store.
const POLL: Duration = Duration::from_millis(100);
/// For a child to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the host-agent to its end and shows what it reports.
pub(super) async fn run(
    store: &FolderStore,
    id: &RunId,
    work: &Path,
    programs: &Programs,
    printer: &Printer,
) -> Result<(), CliError> {
    let mut child = start(store.root(), id, work, programs, printer.verbosity())?;
    let mut follower = Follower::new(printer);
    let run = Run::new(store, id);
    let outcome = tokio::select! {
        outcome = follow(&mut child, run, store.root(), &mut follower) => outcome,
        () = interrupted() => Err(CliError::Interrupted { store: store.root().into() }),
    };
    follower.finish();
    if matches!(outcome, Err(CliError::Interrupted { .. })) {
        printer.warn("interrupted: stopping the services");
        let abort = pb::Control {
            sequence: 0,
            command: Some(pb::control::Command::Abort(true)),
        };
        // The closed standard input says the same if this cannot be written.
        drop(run.put_control(&abort));
    }
    stop(&mut child).await?;
    outcome
}

fn start(
    store: &Path,
    id: &RunId,
    work: &Path,
    programs: &Programs,
    verbose: u8,
) -> Result<Child, CliError> {
    let mut command = Command::new(&programs.host_agent);
    command
        .arg("--store")
        .arg(store)
        .args(["--run", id.as_str()])
        .arg("--work")
        .arg(work)
        .arg("--modules")
        .arg(&programs.modules)
        .arg("--enclave-agent")
        .arg(&programs.enclave_agent)
        .args(["--memory", &programs.memory.to_string()])
        .arg("--stop-on-stdin-close")
        .args((0..verbose).map(|_| "-v"));
    command
        // Never written to: the agent ends when this end closes, however we end.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // What it logs is only for those who ask; failures come through the store.
        .stderr(if verbose > 0 {
            Stdio::inherit()
        } else {
            Stdio::null()
        })
        .kill_on_drop(true)
        // Ctrl-C comes to us alone; we stop the children in order.
        .process_group(0)
        .spawn()
        .map_err(CliError::Start)
}

/// Shows records until the last one.
async fn follow(
    child: &mut Child,
    run: Run<'_>,
    store: &Path,
    follower: &mut Follower<'_>,
) -> Result<(), CliError> {
    let mut sequence = 0_u64;
    let mut ended: Option<ExitStatus> = None;
    loop {
        match run.status(sequence)? {
            Some(status) => {
                sequence = sequence.saturating_add(1);
                let Some(kind) = status.kind else { continue };
                follower.show(&kind);
                match kind {
                    pb::status::Kind::Done(_) => return Ok(()),
                    pb::status::Kind::Failure(failure) => {
                        return Err(failed(&failure, store.into()));
                    }
                    _ => {}
                }
            }
            // Everything it wrote before it ended has been read.
            None if ended.is_some() => {
                return Err(ended.map_or(
                    CliError::Interrupted {
                        store: store.into(),
                    },
                    |status| CliError::HostAgentEnded { status },
                ));
            }
            None => {
                ended = child.try_wait().map_err(CliError::Start)?;
                if ended.is_none() {
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }
}

fn failed(failure: &pb::JobFailure, store: PathBuf) -> CliError {
    let stage = pb::Stage::try_from(failure.stage).unwrap_or(pb::Stage::Unspecified);
    CliError::Run(Box::new(RunFailure {
        phase: words::one_line(&failure.phase),
        stage: words::stage(stage),
        code: words::one_line(&failure.code),
        message: words::lines(&failure.message),
        hint: (!failure.hint.is_empty()).then(|| words::lines(&failure.hint)),
        store,
    }))
}

/// Asks the child to end, and ends it if it does not.
async fn stop(child: &mut Child) -> Result<(), CliError> {
    drop(child.stdin.take());
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        child.kill().await.map_err(CliError::Start)?;
    }
    Ok(())
}

/// Returns at Ctrl-C, or when the system asks this program to end.
async fn interrupted() {
    match (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) {
        (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        },
        // Without handlers the signals end this program, and the closed pipe ends the children.
        _ => std::future::pending().await,
    }
}
