//! Everything there is, and what happens by itself as time passes.

use std::collections::{BTreeMap, BTreeSet};

use cloud::{InstanceId, InstanceState, Region, RunId, Tags, Timestamp, VolumeId, Zone, tags};

use crate::agent::Agent;
use crate::buckets::BucketRecord;
use crate::fault::Faults;
use crate::seen::Seen;
use crate::settings::Settings;
use crate::stacks::StackRecord;

/// What a call takes.
pub(crate) const CALL_MS: u64 = 100;
/// When everything begins: 2026-11-26T12:00:00Z.
const START_MS: u64 = 1_795_694_400_000;
const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;
/// How long a terminated instance is still seen.
const AFTERLIFE_MS: u64 = HOUR;

/// Something that happens by itself.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// The stack starts its machine.
    StackLaunches(String),
    /// The stack is complete.
    StackReady(String),
    /// The stack's last resource goes, if its machine is gone.
    StackGone(String),
    /// The one-time schedule fires.
    Schedule(String),
    /// The machine runs.
    Running(InstanceId),
    /// The host-agent does something.
    Agent(InstanceId),
    /// The machine looks at its deadline.
    DeadlineTimer(InstanceId),
    /// `shutdown -P +1440` falls due, or systemd's limit.
    PowerOff(InstanceId),
    /// The machine is gone.
    Terminated(InstanceId),
}

#[derive(Debug)]
pub(crate) struct InstanceRecord {
    pub(crate) region: Region,
    pub(crate) instance_type: cloud::InstanceType,
    pub(crate) zone: Zone,
    pub(crate) state: Seen<InstanceState>,
    pub(crate) reason: Option<String>,
    pub(crate) launched_ms: u64,
    /// Running from, and not running any more from.
    pub(crate) ran: (Option<u64>, Option<u64>),
    pub(crate) tags: Seen<Tags>,
    pub(crate) agent: Agent,
    pub(crate) micro_usd_per_hour: u64,
}

#[derive(Debug)]
pub(crate) struct VolumeRecord {
    pub(crate) region: Region,
    pub(crate) size_gib: u32,
    pub(crate) instance: InstanceId,
    pub(crate) created_ms: u64,
    pub(crate) tags: Tags,
    /// `true` while it exists.
    pub(crate) exists: Seen<bool>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now_ms: u64,
    pub(crate) settings: Settings,
    pub(crate) faults: Faults,
    pub(crate) stacks: BTreeMap<String, StackRecord>,
    pub(crate) instances: BTreeMap<InstanceId, InstanceRecord>,
    pub(crate) volumes: BTreeMap<VolumeId, VolumeRecord>,
    pub(crate) buckets: BTreeMap<String, BucketRecord>,
    pub(crate) committed: BTreeSet<RunId>,
    queue: BTreeMap<(u64, u64), Event>,
    next_number: u64,
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            now_ms: START_MS,
            settings,
            faults: Faults::default(),
            stacks: BTreeMap::new(),
            instances: BTreeMap::new(),
            volumes: BTreeMap::new(),
            buckets: BTreeMap::new(),
            committed: BTreeSet::new(),
            queue: BTreeMap::new(),
            next_number: 0,
        }
    }

    /// The moment that readers see.
    pub(crate) fn seen_ms(&self) -> u64 {
        let lag = u64::try_from(self.settings.lag.as_millis()).unwrap_or(u64::MAX);
        self.now_ms.saturating_sub(lag)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.next_number = self.next_number.saturating_add(1);
        self.next_number
    }

    pub(crate) fn after(&mut self, seconds: u64, event: Event) {
        self.at(self.now_ms.saturating_add(seconds * SECOND), event);
    }

    pub(crate) fn at(&mut self, ms: u64, event: Event) {
        let number = self.number();
        self.queue.insert((ms.max(self.now_ms), number), event);
    }

    /// Lets `ms` pass; what falls due on the way happens in order.
    pub(crate) fn advance(&mut self, ms: u64) {
        let end = self.now_ms.saturating_add(ms);
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((due, _), event) = entry.remove_entry();
            self.now_ms = self.now_ms.max(due);
            self.happen(event);
        }
        self.now_ms = end;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::StackLaunches(id) => self.stack_launches(&id),
            Event::StackReady(id) => self.stack_ready(&id),
            Event::StackGone(id) => self.stack_gone(&id),
            Event::Schedule(id) => self.schedule_fires(&id),
            Event::Running(id) => self.running(&id),
            Event::Agent(id) => self.agent_acts(&id),
            Event::DeadlineTimer(id) => {
                let due = self.instances.get(&id).and_then(|instance| {
                    let deadline = tags::expires_at(&instance.tags.now()?)?;
                    Some(deadline <= Timestamp(self.now_ms / SECOND))
                });
                if due == Some(true) {
                    self.end_instance(&id, "Client.InstanceInitiatedShutdown: deadline");
                }
            }
            Event::PowerOff(id) => {
                self.end_instance(&id, "Client.InstanceInitiatedShutdown: limit");
            }
            Event::Terminated(id) => self.terminated(&id),
        }
    }

    fn running(&mut self, id: &InstanceId) {
        let now = self.now_ms;
        let layers = self.settings.layers;
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        if instance.state.now() != Some(InstanceState::Pending) {
            return;
        }
        instance.state.set(now, InstanceState::Running);
        instance.ran.0 = Some(now);
        self.after(20, Event::Agent(id.clone()));
        if layers.boot_shutdown {
            self.after(24 * 3600, Event::PowerOff(id.clone()));
            self.watch_deadline(id);
        }
        if layers.systemd_limit {
            self.after(23 * 3600, Event::PowerOff(id.clone()));
        }
    }

    /// The timer that looks at the deadline's tag, acted out once: when it falls due.
    pub(crate) fn watch_deadline(&mut self, id: &InstanceId) {
        let deadline = self
            .instances
            .get(id)
            .and_then(|instance| tags::expires_at(&instance.tags.now()?));
        if self.settings.layers.boot_shutdown
            && let Some(deadline) = deadline
        {
            self.at(
                deadline.0.saturating_mul(SECOND),
                Event::DeadlineTimer(id.clone()),
            );
        }
    }

    /// The machine is on its way out; not an error if it is already.
    pub(crate) fn end_instance(&mut self, id: &InstanceId, reason: &str) {
        let now = self.now_ms;
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        if matches!(
            instance.state.now(),
            Some(InstanceState::ShuttingDown | InstanceState::Terminated)
        ) {
            return;
        }
        instance.state.set(now, InstanceState::ShuttingDown);
        instance.reason = Some(reason.to_owned());
        instance.ran.1 = Some(now);
        self.after(20, Event::Terminated(id.clone()));
    }

    fn terminated(&mut self, id: &InstanceId) {
        let now = self.now_ms;
        if let Some(instance) = self.instances.get_mut(id) {
            instance.state.set(now, InstanceState::Terminated);
        }
        if self.settings.volumes_survive {
            return;
        }
        for volume in self.volumes.values_mut().filter(|v| &v.instance == id) {
            volume.exists.set(now, false);
        }
    }

    /// Whether readers see the instance at all, and in which state.
    pub(crate) fn seen_state(&self, instance: &InstanceRecord) -> Option<InstanceState> {
        let state = instance.state.at(self.seen_ms())?;
        let gone = state == InstanceState::Terminated
            && self.now_ms.saturating_sub(instance.state.since()) > AFTERLIFE_MS;
        (!gone).then_some(state)
    }

    pub(crate) fn leftovers(&self) -> Vec<String> {
        let stacks = self.stacks.values().filter(|stack| !stack.is_gone());
        let instances = self
            .instances
            .iter()
            .filter(|(_, i)| i.state.now() != Some(InstanceState::Terminated));
        let volumes = self
            .volumes
            .iter()
            .filter(|(_, v)| v.exists.now() == Some(true));
        let mut all: Vec<String> = stacks.map(|s| format!("stack {}", s.name)).collect();
        all.extend(instances.map(|(id, _)| format!("instance {id}")));
        all.extend(volumes.map(|(id, _)| format!("volume {id}")));
        let buckets = self.buckets.iter().filter(|(_, b)| b.exists());
        all.extend(buckets.map(|(name, _)| format!("bucket {name}")));
        all
    }

    pub(crate) fn spent_micro_usd(&self) -> u64 {
        let cost = |instance: &InstanceRecord| {
            let (Some(from), until) = instance.ran else {
                return 0;
            };
            let ms = until.unwrap_or(self.now_ms).saturating_sub(from);
            instance.micro_usd_per_hour.saturating_mul(ms) / HOUR
        };
        self.instances.values().map(cost).sum()
    }
}
