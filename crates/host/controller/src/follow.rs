//! Shows what a run's status records say, one display per step.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle as BarStyle};
use owo_colors::OwoColorize;
use protocol::pb;

use crate::json;
use crate::printer::{Printer, ProgressStyle};
use crate::words;

/// The displays of a run.
#[derive(Debug)]
pub(crate) struct Follower<'p> {
    printer: &'p Printer,
    current: Option<Step>,
}

#[derive(Debug)]
struct Step {
    name: String,
    unit: pb::Unit,
    done: u64,
    total: u64,
    since: Instant,
    bar: Option<ProgressBar>,
}

impl<'p> Follower<'p> {
    pub(crate) fn new(printer: &'p Printer) -> Self {
        Self {
            printer,
            current: None,
        }
    }

    /// Shows one record.
    pub(crate) fn show(&mut self, kind: &pb::status::Kind) {
        match kind {
            pb::status::Kind::Progress(progress) => self.progress(progress),
            pb::status::Kind::StageReached(stage) => {
                self.finish();
                let stage = pb::Stage::try_from(*stage).unwrap_or(pb::Stage::Unspecified);
                let name = words::stage(stage);
                self.printer.object(&json::StageReached { stage: name });
                self.printer
                    .status(&format!("  {} {name}", "stage".green().bold()));
            }
            pb::status::Kind::Note(text) => {
                self.finish();
                let text = words::one_line(text);
                self.printer.object(&json::Note { text: &text });
                self.printer
                    .status(&format!("  {} {text}", "note".dimmed()));
            }
            // For those who watch from afar: `status` judges how old the last one is.
            pb::status::Kind::Heartbeat(_) => {}
            // The caller reports these.
            pb::status::Kind::Failure(_) | pb::status::Kind::Done(_) => self.finish(),
        }
    }

    /// Ends the display of the current step.
    pub(crate) fn finish(&mut self) {
        let Some(step) = self.current.take() else {
            return;
        };
        if let Some(bar) = &step.bar {
            bar.finish_and_clear();
        }
        if self.printer.progress_style() != ProgressStyle::Hidden {
            self.printer.status(&format!(
                "  {:<34} {:>14}  {:>7.1} s",
                step.name,
                words::amount(step.done.max(step.total), step.unit),
                step.since.elapsed().as_secs_f64()
            ));
        }
    }

    fn progress(&mut self, progress: &pb::Progress) {
        let unit = pb::Unit::try_from(progress.unit).unwrap_or(pb::Unit::Unspecified);
        self.printer.object(&json::Progress {
            step: &words::one_line(&progress.step),
            done: progress.done,
            total: progress.total,
            unit: words::unit(unit),
        });
        if self
            .current
            .as_ref()
            .is_none_or(|step| step.name != words::one_line(&progress.step))
        {
            self.finish();
            self.current = Some(self.begin(progress, unit));
        }
        if let Some(step) = &mut self.current {
            step.done = progress.done;
            step.total = progress.total;
            if let Some(bar) = &step.bar {
                bar.set_length(progress.total.max(progress.done));
                bar.set_position(progress.done);
            }
        }
    }

    fn begin(&self, progress: &pb::Progress, unit: pb::Unit) -> Step {
        let name = words::one_line(&progress.step);
        let bar = (self.printer.progress_style() == ProgressStyle::Bars).then(|| {
            let bar = self.printer.bars().add(ProgressBar::new(progress.total));
            bar.set_style(bar_style(progress.total, unit));
            bar.set_message(name.clone());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let (done, total) = (progress.done, progress.total);
        Step {
            name,
            unit,
            done,
            total,
            since: Instant::now(),
            bar,
        }
    }
}

fn bar_style(total: u64, unit: pb::Unit) -> BarStyle {
    let template = match (unit, total) {
        (_, 0) => "  {msg:<34} {spinner} {elapsed}",
        (pb::Unit::Bytes, _) => {
            "  {msg:<34} {bar:20} {bytes:>11}/{total_bytes:<11} {bytes_per_sec:>12} eta {eta}"
        }
        _ => "  {msg:<34} {bar:20} {human_pos:>11}/{human_len:<11} {per_sec:>12} eta {eta}",
    };
    BarStyle::with_template(template).unwrap_or_else(|_| BarStyle::default_bar())
}
