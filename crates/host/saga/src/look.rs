//! Where a run stands, at one look.

use std::time::Duration;

use cloud::{InstanceState, Timestamp};
use protocol::pb;

use crate::error::SagaError;
use crate::follow::Diagnosis;
use crate::money::Usd;
use crate::run::Saga;

/// Where a run stands.
#[derive(Debug)]
pub struct Standing {
    /// The host-agent's last record.
    pub last: Option<pb::Status>,
    /// How old it is, by the clocks of both machines.
    pub age: Option<Duration>,
    /// Whether the host-agent has been silent for too long.
    pub is_silent: bool,
    /// What its machine does.
    pub machine: Diagnosis,
    /// Whether the commit marker is there.
    pub is_committed: bool,
    /// When it ends by itself.
    pub deadline: Timestamp,
    /// What its machines have cost so far, by the plan's prices.
    pub spent: Usd,
}

/// Looks at a run; changes nothing.
pub fn look(saga: &Saga<'_>) -> Result<Standing, SagaError> {
    let now = saga.desk.clock.now();
    let last = saga.run().last_status()?;
    let last_record = last.as_ref().map(|status| Timestamp(status.time_ms / 1000));
    let age = last_record.map(|record| now.since(record));
    let machine = saga.diagnose(last_record)?;
    let running = machine
        .instances
        .iter()
        .any(|i| i.state == InstanceState::Running);
    let patience = if last.is_some() {
        saga.desk.pace.silent
    } else {
        saga.desk.pace.boot
    };
    let oldest = machine.instances.iter().map(|i| i.launched).min();
    let silent_for = age.or(oldest.map(|launched| now.since(launched)));
    let spent = machine.instances.iter().map(|instance| {
        let place = saga
            .plan()
            .places
            .iter()
            .find(|p| p.instance_type == instance.instance_type);
        let hourly = place.map_or_else(|| saga.plan().hourly(), |place| place.hourly);
        // Of an ended machine only the start is known: its last sign of life stands for its end.
        let until = match (instance.state, last_record) {
            (InstanceState::Terminated | InstanceState::ShuttingDown, Some(record)) => record,
            _ => now,
        };
        hourly.per_hour_for(until.since(instance.launched))
    });
    Ok(Standing {
        age,
        is_silent: running && silent_for.is_some_and(|age| age >= patience),
        is_committed: saga.run().committed()?.is_some(),
        deadline: saga.deadline_in_force()?,
        spent: spent.fold(Usd::default(), Usd::plus),
        machine,
        last,
    })
}
