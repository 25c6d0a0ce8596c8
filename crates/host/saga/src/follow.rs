//! Following the host-agent by what it writes; asking about its machine when it is silent.

use std::time::Duration;

use cloud::{Instance, InstanceState, Timestamp, Which};
use protocol::pb;

use crate::desk::Event;
use crate::error::SagaError;
use crate::run::Saga;

/// Most characters of a console that are kept: its end.
const CONSOLE_LIMIT: usize = 4000;

/// How a run was seen to end.
#[derive(Debug)]
pub enum Seen {
    /// The commit marker is there.
    Committed(pb::JobDone),
    /// The host-agent wrote why it failed.
    Failed(pb::JobFailure),
    /// It ended without a word, its time is over, or nothing was heard for too long.
    Lost(Diagnosis),
    /// The user asked to stop.
    Interrupted,
}

/// What was found when the host-agent was silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// In words.
    pub finding: String,
    /// Since when there has been no record; `None` if there never was one.
    pub last_record: Option<Timestamp>,
    /// The run's machines, as far as they are seen.
    pub instances: Vec<Instance>,
    /// The end of the machine's console: foreign text.
    pub console: Option<String>,
}

/// How long a host-agent has said nothing, by this controller's clock: the machine's is not believed.
struct Silence {
    since: Timestamp,
    asked: Option<Timestamp>,
}

impl Silence {
    fn from(since: Timestamp) -> Self {
        Self { since, asked: None }
    }

    fn lasts(&self, now: Timestamp) -> Duration {
        now.since(self.since)
    }

    /// Whether it is time to ask after the machine: first after `patience`, then every `again`.
    fn is_due(&mut self, now: Timestamp, patience: Duration, again: Duration) -> bool {
        let due = match self.asked {
            None => self.lasts(now) >= patience,
            Some(asked) => now.since(asked) >= again,
        };
        if due {
            self.asked = Some(now);
        }
        due
    }
}

impl Saga<'_> {
    /// Shows records until the run ends, or its host-agent has been silent for too long. Changes nothing.
    pub fn follow(&mut self) -> Result<Seen, SagaError> {
        let desk = self.desk;
        let mut sequence = 0_u64;
        let mut silence = Silence::from(desk.clock.now());
        // When the work itself was last heard of: between heartbeats there is nothing to hurry for.
        let mut progress = desk.clock.now();
        let mut last_record = None;
        loop {
            while let Some(status) = self.run().status(sequence)? {
                sequence = sequence.saturating_add(1);
                silence = Silence::from(desk.clock.now());
                if !matches!(status.kind, Some(pb::status::Kind::Heartbeat(_))) {
                    progress = desk.clock.now();
                }
                last_record = Some(Timestamp(status.time_ms / 1000));
                desk.watcher.say(&Event::Status(&status));
                if let Some(watched) = self.last_word(status)? {
                    return Ok(watched);
                }
            }
            let now = desk.clock.now();
            let over = now >= self.deadline_in_force()?;
            let pace = desk.pace;
            let patience = if sequence == 0 {
                pace.boot
            } else {
                pace.silent
            };
            if over || silence.is_due(now, patience, pace.silent) {
                let mut diagnosis = self.diagnose(last_record)?;
                let hopeless = silence.lasts(now) >= patience.saturating_add(pace.give_up);
                if hopeless && !diagnosis.is_gone() {
                    let minutes = silence.lasts(now).as_secs() / 60;
                    diagnosis.finding = format!(
                        "{}, and nothing was heard for {minutes} minutes",
                        diagnosis.finding
                    );
                }
                desk.watcher.say(&Event::Silent(&diagnosis));
                if over || hopeless || diagnosis.is_gone() {
                    return self.last_look(sequence, diagnosis);
                }
            }
            if desk.pause(pace.between(now.since(progress))) {
                return Ok(Seen::Interrupted);
            }
        }
    }

    /// Whether the record is the run's last.
    fn last_word(&self, status: pb::Status) -> Result<Option<Seen>, SagaError> {
        Ok(match status.kind {
            Some(pb::status::Kind::Failure(failure)) => Some(Seen::Failed(failure)),
            Some(pb::status::Kind::Done(_)) => self.run().committed()?.map(Seen::Committed),
            _ => None,
        })
    }

    /// The machine is gone or out of time: what it managed to write before counts.
    fn last_look(&self, sequence: u64, diagnosis: Diagnosis) -> Result<Seen, SagaError> {
        if let Some(done) = self.run().committed()? {
            return Ok(Seen::Committed(done));
        }
        let mut next = sequence;
        while let Some(status) = self.run().status(next)? {
            next = next.saturating_add(1);
            if let Some(watched) = self.last_word(status)? {
                return Ok(watched);
            }
        }
        Ok(Seen::Lost(diagnosis))
    }

    /// The deadline, which may have been moved by another controller: the latest that was commanded.
    pub(crate) fn deadline_in_force(&self) -> Result<Timestamp, SagaError> {
        let mut deadline = self.plan.deadline;
        let mut sequence = 0_u64;
        while let Some(control) = self.run().control(sequence)? {
            sequence = sequence.saturating_add(1);
            if let Some(pb::control::Command::DeadlineMs(ms)) = control.command {
                deadline = deadline.max(Timestamp(ms / 1000));
            }
        }
        Ok(deadline)
    }

    /// Asks what has become of the machine.
    pub(crate) fn diagnose(&self, last_record: Option<Timestamp>) -> Result<Diagnosis, SagaError> {
        let desk = self.desk;
        let compute = &self.services.compute;
        let instances = desk.again(|| compute.instances(Which::OfRun(&self.plan.run)))?;
        let newest = instances.iter().max_by_key(|instance| instance.launched);
        let console = match newest {
            // What it wrote helps to understand; that it cannot be had does not hide the rest.
            Some(instance) => compute.console_output(&instance.id).ok().flatten(),
            None => None,
        };
        let finding = match newest {
            None => "there is no machine of this run any more".to_owned(),
            Some(instance) => {
                let reason = instance
                    .reason
                    .as_deref()
                    .map(|reason| format!(" ({reason})"));
                format!(
                    "its machine {} is {}{}",
                    instance.id,
                    instance.state.as_str(),
                    reason.unwrap_or_default()
                )
            }
        };
        let console = console.map(|text| tail(&text));
        Ok(Diagnosis {
            finding,
            last_record,
            instances,
            console,
        })
    }
}

impl Diagnosis {
    /// Whether no machine is left that could still write.
    pub fn is_gone(&self) -> bool {
        let ended = |state| {
            matches!(
                state,
                InstanceState::Terminated | InstanceState::ShuttingDown
            )
        };
        self.instances.iter().all(|instance| ended(instance.state))
    }
}

fn tail(text: &str) -> String {
    let skip = text.chars().count().saturating_sub(CONSOLE_LIMIT);
    text.chars().skip(skip).collect()
}
