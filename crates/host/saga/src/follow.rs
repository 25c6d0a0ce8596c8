//! Following the host-agent by what it writes; asking about its machine when it is silent.

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
    /// It ended without a word, or its time is over.
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

impl Saga<'_> {
    /// Shows records until the run ends. Changes nothing.
    pub fn follow(&mut self) -> Result<Seen, SagaError> {
        let desk = self.desk;
        let mut sequence = 0_u64;
        // When this controller last saw something new: the machine's clock is not believed.
        let mut news = desk.clock.now();
        let mut asked: Option<Timestamp> = None;
        let mut last_record = None;
        loop {
            while let Some(status) = self.run().status(sequence)? {
                sequence = sequence.saturating_add(1);
                (news, asked) = (desk.clock.now(), None);
                last_record = Some(Timestamp(status.time_ms / 1000));
                desk.watcher.say(&Event::Status(&status));
                if let Some(watched) = self.last_word(status)? {
                    return Ok(watched);
                }
            }
            let now = desk.clock.now();
            let patience = if sequence == 0 {
                desk.pace.boot
            } else {
                desk.pace.silent
            };
            let over = now >= self.deadline_in_force()?;
            if over || now.since(asked.unwrap_or(news)) >= patience {
                asked = Some(now);
                let diagnosis = self.diagnose(last_record)?;
                desk.watcher.say(&Event::Silent(&diagnosis));
                if over || diagnosis.is_gone() {
                    return self.last_look(sequence, diagnosis);
                }
            }
            if desk.watcher.is_interrupted() {
                return Ok(Seen::Interrupted);
            }
            desk.clock.sleep(desk.pace.poll);
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
