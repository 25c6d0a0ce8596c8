//! A run from its id alone, on any machine.

use std::sync::Arc;

use cloud::run::Run;
use cloud::{Caller, Region, RunId};

use crate::desk::Desk;
use crate::error::SagaError;
use crate::plan::{RawPlan, RunPlan};
use crate::retry::{Failure, RetryingStore};
use crate::state::StateFolder;

/// What was found of a run.
#[derive(Debug)]
pub struct Found {
    /// Who asked.
    pub caller: Caller,
    /// What the run goes by.
    pub plan: RunPlan,
}

/// Finds a run: by what this machine keeps, else by its bucket, whose name the account and the id tell.
/// `near`: any region, to ask from.
pub fn find(
    desk: Desk<'_>,
    state: &StateFolder,
    near: &Region,
    run: &RunId,
) -> Result<Found, SagaError> {
    let caller = desk.again(|| desk.account.caller())?;
    if let Some(plan) = state.plan(run)? {
        if plan.account != caller.account {
            return Err(SagaError::OtherAccount {
                expected: plan.account.to_string(),
                got: caller.account.to_string(),
            });
        }
        return Ok(Found { caller, plan });
    }
    let unknown = || SagaError::NoSuchRun {
        run: run.clone(),
        account: caller.account.to_string(),
    };
    let bucket = run.bucket(&caller.account).map_err(|_| unknown())?;
    let asked = desk.account.services(near);
    let region = desk
        .again(|| asked.buckets.locate(&bucket))?
        .ok_or_else(unknown)?;
    let services = desk.account.services(&region);
    let store = Arc::new(RetryingStore::new(services.buckets.store(&bucket), desk));
    let plan = match Run::new(&*store, run).plan() {
        Ok(Some(json)) => RawPlan::from_json(&json)?.validate()?,
        Ok(None) => return Err(SagaError::NeverStarted { run: run.clone() }),
        Err(error) if error.is_not_found() => return Err(unknown()),
        Err(error) => return Err(error.into()),
    };
    // The plan lies in a bucket that others may write to: it must speak of this run and this place.
    if &plan.run != run || plan.account != caller.account || plan.region != region {
        return Err(SagaError::Plan {
            what: "it is of another run".to_owned(),
        });
    }
    Ok(Found { caller, plan })
}
