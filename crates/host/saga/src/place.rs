//! Finding a place: one stack after another until one is ready.

use std::sync::Arc;

use cloud::run::Run;
use cloud::{
    CloudError, ErrorClass, NewStack, Stack, StackId, StackName, StackRef, StackState, Stacks, tags,
};

use crate::desk::{Desk, Event};
use crate::error::SagaError;
use crate::journal;
use crate::plan::Place;
use crate::retry::Failure;
use crate::run::{Placed, Saga};

/// After this many minutes the service itself gives a stack up.
const STACK_TIMEOUT_MINUTES: u32 = 15;

/// What became of an attempt.
enum Attempt {
    /// The stack is ready.
    Ready,
    /// There was no machine; these are the service's words.
    NoCapacity(String),
    /// The user asked to stop.
    Interrupted,
}

impl Saga<'_> {
    /// Sees to it that there is a stack, unless the host-agent has spoken already.
    pub(crate) fn place(&mut self) -> Result<Placed, SagaError> {
        let spoke = match self.run().status(0) {
            // The bucket is gone: another controller ended the run.
            Err(error) if error.is_not_found() => return Err(self.over()),
            other => other?.is_some(),
        };
        if spoke || self.run().committed()?.is_some() {
            return Ok(Placed::Yes);
        }
        let places = self.plan.places.clone();
        let mut tried = Vec::new();
        for (attempt, place) in (0_u32..).zip(&places) {
            let id = match self.stack_of(attempt)? {
                Some(id) => id,
                None => self.create(attempt, place)?,
            };
            match self.wait_until_ready(&id)? {
                Attempt::Ready => return Ok(Placed::Yes),
                Attempt::Interrupted => return Ok(Placed::Interrupted),
                Attempt::NoCapacity(reason) => {
                    tried.push(format!("{} in {}", place.instance_type, place.zone));
                    self.desk.watcher.say(&Event::NextPlace { reason: &reason });
                }
            }
        }
        Err(SagaError::NoPlace {
            tried: tried.join(", "),
        })
    }

    /// The id of the attempt's stack, if there is or was one: from the journal, from the bucket, or by name.
    pub(crate) fn stack_of(&mut self, attempt: u32) -> Result<Option<StackId>, SagaError> {
        let attempts = self.journal.attempts();
        let begun = attempts.iter().find(|(number, _)| *number == attempt);
        if let Some((_, Some(id))) = begun {
            return Ok(Some(id.clone()));
        }
        if let Some(id) = self.run().stack(attempt)? {
            return Ok(Some(id));
        }
        let name = self.plan.run.stack(attempt)?;
        let found = self
            .desk
            .again(|| self.services.stacks.describe(StackRef::Name(&name)))?;
        found.map(|stack| self.ours(stack, &name)).transpose()
    }

    fn ours(&self, stack: Stack, name: &StackName) -> Result<StackId, SagaError> {
        if tags::run(&stack.tags).as_ref() == Some(&self.plan.run) {
            Ok(stack.id)
        } else {
            Err(SagaError::ForeignStack {
                name: name.to_string(),
            })
        }
    }

    fn create(&mut self, attempt: u32, place: &Place) -> Result<StackId, SagaError> {
        let (desk, now) = (self.desk, self.desk.clock.now());
        if now >= self.plan.deadline || !self.has_job()? {
            return Err(self.over());
        }
        let name = self.plan.run.stack(attempt)?;
        let detail = format!("{name}: {} in {}", place.instance_type, place.zone);
        desk.watcher.say(&Event::Step {
            name: "create stack",
            detail: &detail,
        });
        let parameters = self.plan.parameters(place, &self.bucket);
        let tags = self.plan.tags(self.plan.deadline);
        let new = NewStack {
            name: &name,
            template: &self.blueprint.template,
            policy: &self.blueprint.stack_policy,
            parameters: &parameters,
            tags: &tags,
            token: name.as_str(),
            timeout_minutes: STACK_TIMEOUT_MINUTES,
        };
        let stacks = &self.services.stacks;
        let action = journal::create_stack(&self.plan.run, attempt)?;
        let run = self.plan.run.clone();
        let id = self.journal.step(
            now,
            action,
            |id: &StackId| Some(id.to_string()),
            || match desk.again(|| stacks.create(&new)) {
                // An earlier try that was not answered: it is ours if its tags say so.
                Err(exists) if exists.class == ErrorClass::AlreadyExists => {
                    let found = by_name_when_seen(&desk, &**stacks, &name)?;
                    let ours = found.filter(|stack| tags::run(&stack.tags).as_ref() == Some(&run));
                    ours.map(|stack| stack.id)
                        .ok_or_else(|| SagaError::ForeignStack {
                            name: name.to_string(),
                        })
                }
                other => Ok(other?),
            },
        )?;
        let store = Arc::clone(&self.store);
        match Run::new(&*store, &self.plan.run).put_stack(attempt, &id) {
            // Another controller of this run noted the same stack.
            Ok(()) | Err(cloud::StoreError::Exists { .. }) => Ok(id),
            Err(error) => Err(error.into()),
        }
    }

    fn over(&self) -> SagaError {
        SagaError::Over {
            run: self.plan.run.clone(),
        }
    }

    /// Whether a machine would find what to do: another controller may have ended the run and removed its bucket.
    fn has_job(&self) -> Result<bool, SagaError> {
        match self.run().job() {
            Err(error) if error.is_not_found() => Ok(false),
            other => Ok(other?.is_some()),
        }
    }

    fn wait_until_ready(&mut self, id: &StackId) -> Result<Attempt, SagaError> {
        let desk = self.desk;
        let since = desk.clock.now();
        desk.watcher.say(&Event::Step {
            name: "wait for stack",
            detail: id.as_str(),
        });
        loop {
            let stack = desk.again(|| self.services.stacks.describe(StackRef::Id(id)))?;
            let waited = desk.clock.now().since(since);
            match stack.as_ref().map(|stack| stack.state) {
                Some(StackState::Ready | StackState::Updating) => return Ok(Attempt::Ready),
                Some(StackState::Creating) => {}
                // Not seen yet.
                None if waited < desk.pace.settle => {}
                Some(
                    StackState::Failed
                    | StackState::Deleting
                    | StackState::DeleteFailed
                    | StackState::Deleted,
                )
                | None => return self.why_it_failed(id, stack.as_ref()),
            }
            if desk.watcher.is_interrupted() {
                return Ok(Attempt::Interrupted);
            }
            if waited >= desk.pace.stack {
                return Err(SagaError::StackSlow {
                    minutes: waited.as_secs() / 60,
                });
            }
            desk.clock.sleep(desk.pace.poll);
        }
    }

    fn why_it_failed(&mut self, id: &StackId, stack: Option<&Stack>) -> Result<Attempt, SagaError> {
        let failures = self.desk.again(|| self.services.stacks.failures(id))?;
        let reasons: Vec<String> = failures
            .iter()
            .map(|f| format!("{}: {}", f.resource, f.reason))
            .collect();
        let reasons = if reasons.is_empty() {
            let status = stack.map_or("gone", |stack| stack.status.as_str());
            let reason = stack.and_then(|stack| stack.reason.as_deref());
            format!("{status} {}", reason.unwrap_or("without a reason"))
        } else {
            reasons.join("; ")
        };
        // Other resources are cancelled because of the first one.
        let classes = failures.iter().map(cloud::StackFailure::class);
        let class = classes
            .into_iter()
            .find(|class| *class != ErrorClass::Other);
        match class.unwrap_or(ErrorClass::Other) {
            ErrorClass::Capacity => Ok(Attempt::NoCapacity(reasons)),
            class => Err(SagaError::Stack { class, reasons }),
        }
    }
}

/// The stack of a name that is known to be taken: it may take a while to be seen.
fn by_name_when_seen(
    desk: &Desk<'_>,
    stacks: &dyn Stacks,
    name: &StackName,
) -> Result<Option<Stack>, CloudError> {
    let since = desk.clock.now();
    loop {
        let found = desk.again(|| stacks.describe(StackRef::Name(name)))?;
        if found.is_some() || desk.clock.now().since(since) >= desk.pace.settle {
            return Ok(found);
        }
        desk.clock.sleep(desk.pace.poll);
    }
}
