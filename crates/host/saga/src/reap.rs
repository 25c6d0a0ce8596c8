//! Removes what has outlived its deadline, by tags alone: whether a run is alive is asked of nobody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cloud::names::bucket_prefix;
use cloud::run::Run;
use cloud::{
    AccountId, BucketInfo, CloudError, InstanceState, Region, RunId, Services, StackState, Tags,
    Timestamp, Which, tags,
};

use crate::desk::{Desk, Event};
use crate::error::SagaError;
use crate::outcome::Leftover;
use crate::plan::LONGEST;
use crate::retry::{Failure, RetryingStore};

/// Sweeps in a row in which something was refused for good and nothing else moved, before it is given up.
const STRIKES: u32 = 3;
/// What carries no readable deadline is due this long after it was made: no run lasts so long.
const NAMELESS: Duration = LONGEST.saturating_add(Duration::from_hours(1));

/// What a reap found.
#[derive(Debug, Default)]
pub struct Reaped {
    /// What was removed, and is proved to be gone.
    pub removed: Vec<String>,
    /// What is due and still there: it could not be removed, or it holds results.
    pub left: Vec<Leftover>,
    /// What is not due yet: thing and deadline.
    pub not_due: Vec<(String, Timestamp)>,
}

impl Reaped {
    /// The exit code of `docs/cli.md`.
    pub fn exit_code(&self) -> u8 {
        if self.left.is_empty() { 0 } else { 4 }
    }
}

/// Removes what is due in these regions, and every due bucket of the account that holds no results.
pub fn reap(desk: Desk<'_>, regions: &[Region]) -> Result<Reaped, SagaError> {
    sweep_all(desk, regions, Pick::Due)
}

/// Removes one run by its tags and its name, whatever its deadline: for a run whose plan cannot be had. Its bucket
/// goes too if it holds no results, or if `discard` says so.
pub fn remove_by_tags(
    desk: Desk<'_>,
    regions: &[Region],
    run: &RunId,
    discard: bool,
) -> Result<Reaped, SagaError> {
    sweep_all(desk, regions, Pick::Run { run, discard })
}

/// What is removed.
#[derive(Debug, Clone, Copy)]
enum Pick<'a> {
    /// Whatever has outlived its deadline.
    Due,
    /// Whatever is of this run.
    Run {
        run: &'a RunId,
        /// Results too.
        discard: bool,
    },
}

fn sweep_all(desk: Desk<'_>, regions: &[Region], pick: Pick<'_>) -> Result<Reaped, SagaError> {
    let account = desk.again(|| desk.account.caller())?.account;
    let mut all = Reaped::default();
    for region in regions {
        let services = desk.account.services(region);
        desk.watcher.say(&Event::Step {
            name: "look for orphans",
            detail: region.as_str(),
        });
        until_clean(desk, &mut all, |sweep| {
            compute(desk, &services, pick, sweep);
        });
    }
    if let Some(near) = regions.first() {
        let services = desk.account.services(near);
        until_clean(desk, &mut all, |sweep| {
            buckets(desk, &services, &account, pick, sweep);
        });
    }
    all.removed.sort();
    all.removed.dedup();
    Ok(all)
}

#[derive(Default)]
struct Sweep {
    left: Vec<Leftover>,
    not_due: BTreeMap<String, Timestamp>,
    /// Removal was asked for: what is not seen next time is gone.
    asked: Vec<String>,
    refused: bool,
    /// Something is on its way out.
    moving: bool,
}

/// Sweeps until nothing due is seen for a while, or nothing moves.
fn until_clean(desk: Desk<'_>, all: &mut Reaped, mut sweep: impl FnMut(&mut Sweep)) {
    let give_up = desk.clock.now().after(desk.pace.teardown);
    let (mut clean_since, mut strikes) = (None, 0_u32);
    let mut asked = Vec::new();
    loop {
        let mut found = Sweep::default();
        sweep(&mut found);
        asked.append(&mut found.asked);
        let now = desk.clock.now();
        let over = if found.left.is_empty() {
            now.since(*clean_since.get_or_insert(now)) >= desk.pace.settle
        } else {
            clean_since = None;
            strikes = if found.refused && !found.moving {
                strikes.saturating_add(1)
            } else {
                0
            };
            strikes >= STRIKES || now >= give_up
        };
        if over {
            asked.retain(|thing| {
                !found
                    .left
                    .iter()
                    .any(|left| *thing == name(left.kind, &left.id))
            });
            all.removed.append(&mut asked);
            all.left.append(&mut found.left);
            all.not_due.extend(found.not_due);
            return;
        }
        desk.clock.sleep(desk.pace.poll);
    }
}

fn name(kind: &str, id: &str) -> String {
    format!("{kind} {id}")
}

/// Something that may be removed.
struct Thing<'t> {
    kind: &'static str,
    id: &'t str,
    run: Option<RunId>,
    due: Timestamp,
}

impl<'t> Thing<'t> {
    fn new(kind: &'static str, id: &'t str, tags: &Tags, made: Timestamp) -> Self {
        let due = tags::expires_at(tags).unwrap_or_else(|| made.after(NAMELESS));
        let run = tags::run(tags);
        Self { kind, id, run, due }
    }
}

impl Sweep {
    /// Whether the thing is to be removed; noted if its time has not come.
    fn picks(&mut self, desk: Desk<'_>, pick: Pick<'_>, thing: &Thing<'_>) -> bool {
        match pick {
            Pick::Run { run, .. } => thing.run.as_ref() == Some(run),
            Pick::Due if thing.due <= desk.clock.now() => true,
            Pick::Due => {
                self.not_due.insert(name(thing.kind, thing.id), thing.due);
                false
            }
        }
    }

    fn left(&mut self, region: &Region, kind: &'static str, id: &str, why: impl Into<String>) {
        let (id, region) = (id.to_owned(), region.clone());
        self.left.push(Leftover {
            kind,
            id,
            region,
            hourly: None,
            why: why.into(),
        });
    }

    fn note(&mut self, region: &Region, what: &str, done: Result<(), SagaError>) {
        let Err(error) = done else { return };
        self.refused |= !error.is_passing();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        self.left(
            region,
            "unknown",
            what,
            format!("{error}{}", cause.unwrap_or_default()),
        );
    }

    fn remove(
        &mut self,
        desk: Desk<'_>,
        thing: String,
        call: impl FnMut() -> Result<(), CloudError>,
    ) -> Result<(), SagaError> {
        desk.watcher.say(&Event::Step {
            name: "remove",
            detail: &thing,
        });
        desk.again(call)?;
        if !self.asked.contains(&thing) {
            self.asked.push(thing);
        }
        Ok(())
    }
}

fn compute(desk: Desk<'_>, services: &Services, pick: Pick<'_>, sweep: &mut Sweep) {
    let region = &services.region;
    let done = stacks(desk, services, pick, sweep);
    sweep.note(region, "stacks", done);
    let done = machines(desk, services, pick, sweep);
    sweep.note(region, "instances", done);
    let done = volumes(desk, services, pick, sweep);
    sweep.note(region, "volumes", done);
}

fn stacks(
    desk: Desk<'_>,
    services: &Services,
    pick: Pick<'_>,
    sweep: &mut Sweep,
) -> Result<(), SagaError> {
    for stack in desk.again(|| services.stacks.list(tags::RUN))? {
        let id = stack.id.as_str();
        if !sweep.picks(
            desk,
            pick,
            &Thing::new("stack", id, &stack.tags, stack.created),
        ) {
            continue;
        }
        sweep.left(&services.region, "stack", id, stack.status.clone());
        sweep.moving |= stack.state == StackState::Deleting;
        if stack.state != StackState::Deleting {
            sweep.remove(desk, name("stack", id), || {
                services.stacks.delete(&stack.id)
            })?;
        }
    }
    Ok(())
}

fn machines(
    desk: Desk<'_>,
    services: &Services,
    pick: Pick<'_>,
    sweep: &mut Sweep,
) -> Result<(), SagaError> {
    for instance in desk.again(|| services.compute.instances(Which::OfAnyRun))? {
        let id = instance.id.as_str();
        if instance.state == InstanceState::Terminated
            || !sweep.picks(
                desk,
                pick,
                &Thing::new("instance", id, &instance.tags, instance.launched),
            )
        {
            continue;
        }
        sweep.left(&services.region, "instance", id, instance.state.as_str());
        sweep.moving |= instance.state == InstanceState::ShuttingDown;
        if instance.state != InstanceState::ShuttingDown {
            sweep.remove(desk, name("instance", id), || {
                services.compute.terminate(&instance.id)
            })?;
        }
    }
    Ok(())
}

fn volumes(
    desk: Desk<'_>,
    services: &Services,
    pick: Pick<'_>,
    sweep: &mut Sweep,
) -> Result<(), SagaError> {
    for volume in desk.again(|| services.compute.volumes(Which::OfAnyRun))? {
        let id = volume.id.as_str();
        // A volume keeps the deadline it was made with, which may have been moved since: while a machine
        // uses it, the machine's own deadline counts.
        if volume.in_use
            || !sweep.picks(
                desk,
                pick,
                &Thing::new("volume", id, &volume.tags, volume.created),
            )
        {
            continue;
        }
        sweep.left(
            &services.region,
            "volume",
            id,
            format!("{} GiB", volume.size_gib),
        );
        sweep.remove(desk, name("volume", id), || {
            services.compute.delete_volume(&volume.id)
        })?;
    }
    Ok(())
}

fn buckets(
    desk: Desk<'_>,
    near: &Services,
    account: &AccountId,
    pick: Pick<'_>,
    sweep: &mut Sweep,
) {
    let listed = match desk.again(|| near.buckets.list(&bucket_prefix(account))) {
        Ok(listed) => listed,
        Err(error) => return sweep.note(&near.region, "buckets", Err(error.into())),
    };
    for info in listed {
        let Some(run) = RunId::of_bucket(account, &info.name) else {
            continue;
        };
        let done = bucket(desk, near, &info, &run, pick, sweep);
        sweep.note(&near.region, info.name.as_str(), done);
    }
}

fn bucket(
    desk: Desk<'_>,
    near: &Services,
    info: &BucketInfo,
    run: &RunId,
    pick: Pick<'_>,
    sweep: &mut Sweep,
) -> Result<(), SagaError> {
    let id = info.name.as_str();
    let region = match &info.region {
        Some(region) => Some(region.clone()),
        None => desk.again(|| near.buckets.locate(&info.name))?,
    };
    // It is gone, and only the list does not know yet.
    let Some(region) = region else { return Ok(()) };
    let services = desk.account.services(&region);
    let tags = match desk.again(|| services.buckets.tags(&info.name)) {
        Ok(tags) => tags,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // It may have died before it got its tags: the name says whose it is.
    let mut thing = Thing::new("bucket", id, &tags, info.created);
    thing.run = Some(run.clone());
    if !sweep.picks(desk, pick, &thing) {
        return Ok(());
    }
    let store = Arc::new(RetryingStore::new(services.buckets.store(&info.name), desk));
    match Run::new(&*store, run).holds_results() {
        Ok(_) if matches!(pick, Pick::Run { discard: true, .. }) => {}
        Ok(false) => {}
        Ok(true) => {
            // Waiting does not help.
            sweep.refused = true;
            let why = format!(
                "it holds results of {run}: `controller resume {run}` fetches them, `controller destroy {run} --discard` removes them"
            );
            sweep.left(&region, "bucket", id, why);
            return Ok(());
        }
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    sweep.left(&region, "bucket", id, "it exists");
    sweep.remove(desk, name("bucket", id), || {
        services.buckets.empty(&info.name)?;
        services.buckets.delete(&info.name)
    })
}
