//! Removing everything of a run, and proving that it is gone.
//!
//! Nothing counts as removed because its removal was accepted: a sweep asks for everything there can be, removes
//! what it finds, and the proof is two empty sweeps a while apart.

use std::collections::BTreeSet;

use cloud::{InstanceState, StackId, StackRef, StackState, Which, tags};

use crate::desk::Event;
use crate::error::SagaError;
use crate::journal::Action;
use crate::outcome::{Leftover, Proof};
use crate::retry::Failure;
use crate::run::Saga;

/// Sweeps in a row in which something was refused for good and nothing else moved, before it is given up.
const STRIKES: u32 = 3;

/// What is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Stack, machine and disk; the bucket stays on purpose.
    Compute,
    /// Everything; but a bucket with results is a reason to stop.
    UnlessResults,
    /// Everything.
    Everything,
}

/// What one sweep found.
#[derive(Debug, Default)]
struct Sweep {
    left: Vec<Leftover>,
    /// A call was refused in a way that will not pass.
    refused: bool,
    /// Something is on its way out: that is waited for, whatever else is refused.
    moving: bool,
}

impl Saga<'_> {
    /// Removes, and proves.
    pub(crate) fn tear_down(&mut self, scope: Scope) -> Proof {
        self.sweep_until_clean(scope, true)
    }

    /// Removes nothing: what can be seen.
    pub(crate) fn look_around(&mut self) -> Proof {
        self.sweep_until_clean(Scope::Everything, false)
    }

    fn sweep_until_clean(&mut self, scope: Scope, remove: bool) -> Proof {
        let desk = self.desk;
        let give_up = desk.clock.now().after(desk.pace.teardown);
        let kept = (scope == Scope::Compute).then(|| self.bucket.clone());
        let mut clean_since = None;
        let mut strikes = 0_u32;
        loop {
            let sweep = self.sweep(scope, remove);
            let now = desk.clock.now();
            if sweep.left.is_empty() {
                if now.since(*clean_since.get_or_insert(now)) >= desk.pace.settle {
                    return Proof {
                        left: Vec::new(),
                        kept,
                    };
                }
            } else {
                clean_since = None;
                strikes = if sweep.refused && !sweep.moving {
                    strikes.saturating_add(1)
                } else {
                    0
                };
                if !remove || strikes >= STRIKES || now >= give_up {
                    return Proof {
                        left: sweep.left,
                        kept,
                    };
                }
            }
            desk.clock.sleep(desk.pace.poll);
        }
    }

    fn sweep(&mut self, scope: Scope, remove: bool) -> Sweep {
        let mut sweep = Sweep::default();
        let done = self.sweep_stacks(&mut sweep, remove);
        self.note(&mut sweep, "stacks", done);
        let done = self.sweep_machines(&mut sweep, remove);
        self.note(&mut sweep, "instances", done);
        let done = self.sweep_volumes(&mut sweep, remove);
        self.note(&mut sweep, "volumes", done);
        // While anything may still write, the bucket stays.
        let may_go = sweep.left.is_empty() || !remove;
        if scope != Scope::Compute && may_go {
            let done = self.sweep_bucket(&mut sweep, scope, remove);
            self.note(&mut sweep, "bucket", done);
        }
        sweep
    }

    /// What could not be asked for may exist.
    fn note(&self, sweep: &mut Sweep, what: &str, done: Result<(), SagaError>) {
        let Err(error) = done else { return };
        sweep.refused |= !error.is_passing();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        let why = format!("{error}{}", cause.unwrap_or_default());
        let id = format!("{what} of {}", self.plan.run);
        self.left(sweep, "unknown", &id, why);
    }

    fn left(&self, sweep: &mut Sweep, kind: &'static str, id: &str, why: String) {
        let hourly = matches!(kind, "instance").then(|| self.plan.hourly());
        let (id, region) = (id.to_owned(), self.plan.region.clone());
        sweep.left.push(Leftover {
            kind,
            id,
            region,
            hourly,
            why,
        });
    }

    /// Every stack there can be: by the journal's ids, by the bucket's notes, by name, by tag.
    fn sweep_stacks(&mut self, sweep: &mut Sweep, remove: bool) -> Result<(), SagaError> {
        let mut ids: BTreeSet<StackId> = BTreeSet::new();
        for attempt in (0_u32..).take(self.plan.places.len()) {
            let known = match self.stack_of(attempt) {
                // No bucket, no notes in it; names and tags remain.
                Err(error) if error.is_not_found() => self.stack_by_name(attempt)?,
                other => other?,
            };
            ids.extend(known);
        }
        let (desk, run) = (self.desk, self.plan.run.clone());
        let listed = desk.again(|| self.services.stacks.list(tags::RUN))?;
        let ours = listed
            .into_iter()
            .filter(|stack| tags::run(&stack.tags).as_ref() == Some(&run));
        ids.extend(ours.map(|stack| stack.id));
        for id in ids {
            let stack = desk.again(|| self.services.stacks.describe(StackRef::Id(&id)))?;
            let Some(stack) = stack.filter(|stack| stack.state != StackState::Deleted) else {
                continue;
            };
            self.left(sweep, "stack", id.as_str(), stack.status.clone());
            sweep.moving |= stack.state == StackState::Deleting;
            if remove && stack.state != StackState::Deleting {
                let action = Action::DeleteStack { id: id.to_string() };
                desk.watcher.say(&Event::Step {
                    name: "delete stack",
                    detail: id.as_str(),
                });
                let stacks = &self.services.stacks;
                self.journal.step(
                    desk.clock.now(),
                    action,
                    |()| None,
                    || Ok(desk.again(|| stacks.delete(&id))?),
                )?;
            }
        }
        Ok(())
    }

    fn stack_by_name(&self, attempt: u32) -> Result<Option<StackId>, SagaError> {
        let name = self.plan.run.stack(attempt)?;
        let found = self
            .desk
            .again(|| self.services.stacks.describe(StackRef::Name(&name)))?;
        let ours = found.filter(|stack| tags::run(&stack.tags).as_ref() == Some(&self.plan.run));
        Ok(ours.map(|stack| stack.id))
    }

    fn sweep_machines(&mut self, sweep: &mut Sweep, remove: bool) -> Result<(), SagaError> {
        let (desk, run) = (self.desk, self.plan.run.clone());
        let found = desk.again(|| self.services.compute.instances(Which::OfRun(&run)))?;
        for instance in found {
            if instance.state == InstanceState::Terminated {
                continue;
            }
            let id = &instance.id;
            self.left(
                sweep,
                "instance",
                id.as_str(),
                instance.state.as_str().to_owned(),
            );
            sweep.moving |= instance.state == InstanceState::ShuttingDown;
            if remove && instance.state != InstanceState::ShuttingDown {
                let action = Action::Terminate {
                    instance: id.to_string(),
                };
                desk.watcher.say(&Event::Step {
                    name: "terminate",
                    detail: id.as_str(),
                });
                let compute = &self.services.compute;
                self.journal.step(
                    desk.clock.now(),
                    action,
                    |()| None,
                    || Ok(desk.again(|| compute.terminate(id))?),
                )?;
            }
        }
        Ok(())
    }

    fn sweep_volumes(&mut self, sweep: &mut Sweep, remove: bool) -> Result<(), SagaError> {
        let (desk, run) = (self.desk, self.plan.run.clone());
        let found = desk.again(|| self.services.compute.volumes(Which::OfRun(&run)))?;
        for volume in found {
            let why = format!(
                "{} GiB{}",
                volume.size_gib,
                if volume.in_use { ", in use" } else { "" }
            );
            self.left(sweep, "volume", volume.id.as_str(), why);
            if remove && !volume.in_use {
                let action = Action::DeleteVolume {
                    volume: volume.id.to_string(),
                };
                desk.watcher.say(&Event::Step {
                    name: "delete volume",
                    detail: volume.id.as_str(),
                });
                let compute = &self.services.compute;
                self.journal.step(
                    desk.clock.now(),
                    action,
                    |()| None,
                    || Ok(desk.again(|| compute.delete_volume(&volume.id))?),
                )?;
            }
        }
        Ok(())
    }

    fn sweep_bucket(
        &mut self,
        sweep: &mut Sweep,
        scope: Scope,
        remove: bool,
    ) -> Result<(), SagaError> {
        let (desk, bucket) = (self.desk, self.bucket.clone());
        if desk
            .again(|| self.services.buckets.locate(&bucket))?
            .is_none()
        {
            return Ok(());
        }
        let results = scope == Scope::UnlessResults && self.has_results()?;
        let why = if results {
            // Waiting does not help.
            sweep.refused = true;
            "it holds results that were not verified here: fetch them, or destroy with --discard"
        } else {
            "it exists"
        };
        self.left(sweep, "bucket", bucket.as_str(), why.to_owned());
        if remove && !results {
            let action = Action::DeleteBucket {
                bucket: bucket.to_string(),
            };
            desk.watcher.say(&Event::Step {
                name: "delete bucket",
                detail: bucket.as_str(),
            });
            let buckets = &self.services.buckets;
            self.journal.step(
                desk.clock.now(),
                action,
                |()| None,
                || {
                    desk.again(|| buckets.empty(&bucket))?;
                    Ok(desk.again(|| buckets.delete(&bucket))?)
                },
            )?;
        }
        Ok(())
    }

    fn has_results(&self) -> Result<bool, SagaError> {
        match self.run().holds_results() {
            // It was removed just now.
            Err(error) if error.is_not_found() => Ok(false),
            other => Ok(other?),
        }
    }
}
