//! A run, from its first call to its last, from any point on.

use std::sync::Arc;

use cloud::run::Run;
use cloud::{BucketName, Services};

use crate::desk::{Blueprint, Desk, Event, Receiver};
use crate::error::SagaError;
use crate::follow::Seen;
use crate::journal::{Action, Journal};
use crate::outcome::{End, Outcome, Proof};
use crate::plan::RunPlan;
use crate::prepare::Inputs;
use crate::retry::RetryingStore;
use crate::teardown::Scope;

/// One run in the cloud.
#[derive(Debug)]
pub struct Saga<'a> {
    pub(crate) desk: Desk<'a>,
    pub(crate) services: Services,
    pub(crate) plan: RunPlan,
    pub(crate) bucket: BucketName,
    pub(crate) store: Arc<RetryingStore<'a>>,
    pub(crate) journal: Journal,
    pub(crate) blueprint: &'a Blueprint,
}

impl<'a> Saga<'a> {
    /// A run that goes by `plan`. Makes no call.
    pub fn new(
        desk: Desk<'a>,
        plan: RunPlan,
        journal: Journal,
        blueprint: &'a Blueprint,
    ) -> Result<Self, SagaError> {
        let services = desk.account.services(&plan.region);
        let bucket = plan.bucket()?;
        let store = Arc::new(RetryingStore::new(services.buckets.store(&bucket), desk));
        Ok(Self {
            desk,
            services,
            plan,
            bucket,
            store,
            journal,
            blueprint,
        })
    }

    /// What the run is going by.
    pub fn plan(&self) -> &RunPlan {
        &self.plan
    }

    /// The run's objects.
    pub fn run(&self) -> Run<'_> {
        Run::new(&*self.store, &self.plan.run)
    }

    /// Begins the run and brings it to its end. What cannot be started is taken back.
    pub fn start(&mut self, inputs: &Inputs, receiver: &dyn Receiver) -> Outcome {
        if let Err(error) = self.same_account() {
            // Nothing was made.
            return ended(End::Error(error), Proof::default());
        }
        let placed = self.prepare(Some(inputs)).and_then(|()| self.place());
        match placed {
            Ok(placed) => self.follow_and_finish(placed, receiver),
            Err(SagaError::Interrupted) => self.detached(),
            // No machine got as far as writing a word: nothing that was made is worth keeping.
            Err(error) => {
                let proof = self.tear_down(Scope::Everything);
                ended(End::Error(error), proof)
            }
        }
    }

    /// Brings a run to its end from wherever it stands. `inputs`: if it was typed on this machine.
    pub fn resume(&mut self, inputs: Option<&Inputs>, receiver: &dyn Receiver) -> Outcome {
        if let Err(error) = self.same_account() {
            return self.left_alone(error);
        }
        if self.journal.is_done(|action| *action == Action::Close) {
            let run = self.plan.run.clone();
            return self.left_alone(SagaError::Over { run });
        }
        if self.is_verified() && matches!(receiver.is_there(), Ok(true)) {
            let proof = self.tear_down(Scope::Everything);
            return self.closed(End::Verified, proof);
        }
        match self.prepare(inputs).and_then(|()| self.place()) {
            Ok(placed) => {
                self.complete_extension();
                self.follow_and_finish(placed, receiver)
            }
            Err(SagaError::Interrupted) => self.detached(),
            Err(error) if self.never_spoke(&error) => {
                let proof = self.tear_down(Scope::Everything);
                ended(End::Error(error), proof)
            }
            Err(error) => self.left_alone(error),
        }
    }

    /// Ends machine and stack whatever they do, and removes the bucket if nothing was finished, or if
    /// `discard` says so.
    pub fn destroy(&mut self, discard: bool) -> Outcome {
        if let Err(error) = self.same_account() {
            return self.left_alone(error);
        }
        let scope = if discard || self.is_verified() {
            Scope::Everything
        } else {
            Scope::UnlessResults
        };
        let proof = self.tear_down(scope);
        self.closed(End::Removed, proof)
    }

    /// Ends what an `extend` began. The run can be followed without: it then ends at the earlier deadline.
    fn complete_extension(&mut self) {
        if let Err(error) = crate::command::complete_extension(self) {
            self.desk.watcher.say(&Event::Step {
                name: "an extension stays incomplete",
                detail: &error.to_string(),
            });
        }
    }

    fn follow_and_finish(&mut self, placed: Placed, receiver: &dyn Receiver) -> Outcome {
        if let Placed::Interrupted = placed {
            return self.detached();
        }
        match self.follow() {
            Ok(Seen::Committed(done)) => self.finish(&done, receiver),
            Ok(Seen::Failed(failure)) => {
                let proof = self.tear_down(Scope::Compute);
                ended(End::Failed(Box::new(failure)), proof)
            }
            Ok(Seen::Lost(diagnosis)) => {
                let proof = self.tear_down(Scope::Compute);
                ended(End::Lost(Box::new(diagnosis)), proof)
            }
            Ok(Seen::Interrupted) => self.detached(),
            // The run itself may be well: another try can follow it.
            Err(error) => self.left_alone(error),
        }
    }

    /// Ends with an error and touches nothing; says what can be seen.
    fn left_alone(&mut self, error: SagaError) -> Outcome {
        let proof = self.look_around();
        ended(End::Error(error), proof)
    }

    fn detached(&mut self) -> Outcome {
        let proof = self.look_around();
        ended(End::Detached, proof)
    }

    /// Notes that nothing is left, if that is so.
    pub(crate) fn closed(&mut self, end: End, proof: Proof) -> Outcome {
        if proof.is_clean() && proof.kept.is_none() {
            let now = self.desk.clock.now();
            // If it cannot be noted, the next command proves it again.
            drop(self.journal.note(now, Action::Close));
        }
        ended(end, proof)
    }

    fn is_verified(&self) -> bool {
        self.journal.is_done(|action| *action == Action::Verify)
    }

    /// Whether the error says that the run cannot start, and nothing ever ran.
    fn never_spoke(&self, error: &SagaError) -> bool {
        let hopeless = matches!(
            error,
            SagaError::NoPlace { .. } | SagaError::Stack { .. } | SagaError::StackSlow { .. }
        );
        hopeless && matches!(self.run().status(0), Ok(None))
    }

    fn same_account(&self) -> Result<(), SagaError> {
        let caller = self.desk.again(|| self.desk.account.caller())?;
        if caller.account == self.plan.account {
            Ok(())
        } else {
            Err(SagaError::OtherAccount {
                expected: self.plan.account.to_string(),
                got: caller.account.to_string(),
            })
        }
    }
}

/// Whether there is a machine to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placed {
    /// There is, or there was.
    Yes,
    /// The user asked to stop.
    Interrupted,
}

pub(crate) fn ended(end: End, proof: Proof) -> Outcome {
    Outcome { end, proof }
}
