//! Commands for a running host-agent, each written once under the next free number.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cloud::run::Run;
use cloud::{StackRef, StackState, StoreError, Timestamp, tags};
use protocol::pb;
use protocol::pb::control::Command;

use crate::error::SagaError;
use crate::journal::Action;
use crate::plan::LONGEST;
use crate::run::Saga;

/// How often another controller may be quicker to take a number.
const TRIES: u32 = 20;

/// Asks the host-agent to stop. It writes its last record and powers its machine off.
pub fn abort(saga: &mut Saga<'_>) -> Result<(), SagaError> {
    leave(saga, "abort", Command::Abort(true))
}

/// Moves the deadline by `more`: first the bucket's, then the stack's, then the controllers' and the host-agent's.
///
/// A crash on the way leaves a bucket that outlives its machine, never a machine that outlives its bucket. The
/// same command again, or [`complete_extension`] in `resume`, makes the rest of the way.
pub fn extend(saga: &mut Saga<'_>, more: Duration) -> Result<Timestamp, SagaError> {
    let deadline = saga.deadline_in_force()?.after(more);
    check_deadline(saga, deadline)?;
    let id = ready_stack(saga)?.ok_or_else(|| SagaError::Over {
        run: saga.plan().run.clone(),
    })?;
    move_deadline(saga, &id, deadline)?;
    Ok(deadline)
}

/// Makes the rest of the way of an extension that was begun and not ended: the bucket's deadline is later than
/// the one in force. Nothing to do if no machine is left, or if the later deadline is none that may be.
pub(crate) fn complete_extension(saga: &mut Saga<'_>) -> Result<(), SagaError> {
    let (desk, bucket) = (saga.desk, saga.bucket.clone());
    let tags = desk.again(|| saga.services.buckets.tags(&bucket))?;
    let Some(begun) = tags::expires_at(&tags) else {
        return Ok(());
    };
    if begun <= saga.deadline_in_force()? || check_deadline(saga, begun).is_err() {
        return Ok(());
    }
    match ready_stack(saga)? {
        Some(id) => move_deadline(saga, &id, begun),
        None => Ok(()),
    }
}

/// Whether the deadline may be moved so far, now.
fn check_deadline(saga: &Saga<'_>, deadline: Timestamp) -> Result<(), SagaError> {
    let refused = |why: String| {
        Err(SagaError::Deadline {
            wanted: deadline,
            why,
        })
    };
    if saga.desk.clock.now() >= saga.deadline_in_force()? {
        return refused("the present one has passed".to_owned());
    }
    if deadline.since(saga.plan().started) > LONGEST {
        return refused("no run lasts longer than 24 hours".to_owned());
    }
    let cost = saga
        .plan()
        .hourly()
        .per_hour_for(deadline.since(saga.plan().started));
    if let Some(limit) = saga.plan().max_usd.filter(|limit| cost > *limit) {
        return refused(format!(
            "it may cost {cost} USD until then, {limit} USD are allowed"
        ));
    }
    Ok(())
}

fn move_deadline(
    saga: &mut Saga<'_>,
    stack: &cloud::StackId,
    deadline: Timestamp,
) -> Result<(), SagaError> {
    let (desk, now) = (saga.desk, saga.desk.clock.now());
    let tags = saga.plan().tags(deadline);
    let parameters = BTreeMap::from([("Deadline".to_owned(), deadline.schedule())]);
    let token = format!("{}-{}", saga.plan().run, deadline.0);
    let action = Action::MoveDeadline {
        deadline: deadline.to_string(),
    };
    let (services, bucket) = (&saga.services, &saga.bucket);
    saga.journal.step(
        now,
        action,
        |()| None,
        || {
            desk.again(|| services.buckets.put_tags(bucket, &tags))?;
            Ok(desk.again(|| services.stacks.update(stack, &parameters, &tags, &token))?)
        },
    )?;
    let ms = deadline.0.saturating_mul(1000);
    leave(saga, "deadline", Command::DeadlineMs(ms))
}

/// The stack that is in use.
fn ready_stack(saga: &mut Saga<'_>) -> Result<Option<cloud::StackId>, SagaError> {
    for attempt in (0_u32..).take(saga.plan().places.len()) {
        let Some(id) = saga.stack_of(attempt)? else {
            continue;
        };
        let desk = saga.desk;
        let stack = desk.again(|| saga.services.stacks.describe(StackRef::Id(&id)))?;
        let usable = |state| matches!(state, StackState::Ready | StackState::Updating);
        if stack.is_some_and(|stack| usable(stack.state)) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn leave(saga: &mut Saga<'_>, name: &str, command: Command) -> Result<(), SagaError> {
    let now = saga.desk.clock.now();
    let store = Arc::clone(&saga.store);
    let id = saga.plan().run.clone();
    let run = Run::new(&*store, &id);
    let action = Action::Command {
        command: name.to_owned(),
    };
    saga.journal.step(
        now,
        action,
        |()| None,
        || {
            let mut last = None;
            for _ in 0..TRIES {
                let sequence = run.next_control()?;
                let control = pb::Control {
                    sequence,
                    command: Some(command),
                };
                match run.put_control(&control) {
                    Err(exists @ StoreError::Exists { .. }) => last = Some(exists),
                    other => return Ok(other?),
                }
            }
            last.map_or(Ok(()), |error| Err(error.into()))
        },
    )
}
