//! Shows what happens in a run, and notices Ctrl-C.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use owo_colors::OwoColorize;
use saga::{Event, Watcher};
use tokio::signal::unix::{SignalKind, signal};

use super::show;
use crate::error::CliError;
use crate::follow::Follower;
use crate::json;
use crate::printer::Printer;
use crate::words;

/// The displays of a run in the cloud.
pub(crate) struct Screen<'p> {
    printer: &'p Printer,
    follower: Mutex<Follower<'p>>,
    interrupted: Arc<AtomicBool>,
}

impl fmt::Debug for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}

impl<'p> Screen<'p> {
    /// A screen; from now on Ctrl-C asks to stop in place of ending the program.
    pub(crate) fn new(printer: &'p Printer) -> Result<Self, CliError> {
        let interrupted = Arc::new(AtomicBool::new(false));
        listen(Arc::clone(&interrupted))?;
        Ok(Self {
            printer,
            follower: Mutex::new(Follower::new(printer)),
            interrupted,
        })
    }

    /// Ends the display of the current step.
    pub(crate) fn finish(&self) {
        self.follower().finish();
    }

    fn follower(&self) -> std::sync::MutexGuard<'_, Follower<'p>> {
        // A panic elsewhere leaves the display usable.
        self.follower.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread of its own that waits for signals, so that blocking calls need not.
fn listen(interrupted: Arc<AtomicBool>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Start)?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) = (
                signal(SignalKind::interrupt()),
                signal(SignalKind::terminate()),
            ) else {
                return;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            interrupted.store(true, Ordering::Relaxed);
        });
    });
    Ok(())
}

impl Watcher for Screen<'_> {
    fn say(&self, event: &Event<'_>) {
        match event {
            Event::Step { name, detail } => {
                self.finish();
                let detail = words::one_line(detail);
                self.printer.object(&json::CloudStep {
                    step: name,
                    detail: &detail,
                });
                self.printer.status(&format!("  {name:<18} {detail}"));
            }
            Event::NextPlace { reason } => {
                let reason = words::one_line(reason);
                self.printer.object(&json::CloudStep {
                    step: "no capacity",
                    detail: &reason,
                });
                let word = format!("{:<18}", "no capacity").yellow().to_string();
                self.printer.status(&format!("  {word} {reason}"));
            }
            Event::Status(status) => {
                if let Some(kind) = &status.kind {
                    self.follower().show(kind);
                }
            }
            Event::Silent(diagnosis) => {
                self.finish();
                show::silent(diagnosis, self.printer);
            }
            // Whatever else may be told one day is not needed to follow a run.
            _ => {}
        }
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
