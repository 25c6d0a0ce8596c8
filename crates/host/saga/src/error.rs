//! What goes wrong in a run in the cloud.

use std::path::PathBuf;

use cloud::names::NameError;
use cloud::{CloudError, ErrorClass, RunId, StoreError, Timestamp};

use crate::money::Usd;

/// Why a run in the cloud did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SagaError {
    /// A call failed.
    #[error("a call to the cloud failed")]
    Cloud(#[from] CloudError),
    /// The run's bucket failed.
    #[error("the run's bucket failed")]
    Store(#[from] StoreError),
    /// The run's plan cannot be used.
    #[error("the run's plan is refused: {what}")]
    Plan {
        /// What is wrong.
        what: String,
    },
    /// A name in the run's plan is none.
    #[error("the run's plan is refused")]
    Name(#[from] NameError),
    /// A file of this machine failed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The journal holds a line that is none.
    #[error("line {line} of {} is not an entry of a journal", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The run may cost more than was allowed.
    #[error("the run is expected to cost {expected} USD, {limit} USD are allowed")]
    TooDear {
        /// Expected.
        expected: Usd,
        /// Allowed.
        limit: Usd,
    },
    /// The run may take longer than was allowed.
    #[error("the run is expected to take {expected_minutes} minutes, {limit_minutes} are allowed")]
    TooLong {
        /// Expected.
        expected_minutes: u64,
        /// Allowed, by what was said, by the money, or by the day that no run can outlast.
        limit_minutes: u64,
    },
    /// No candidate is offered in the region.
    #[error("none of {wanted} is offered in {region} with Nitro Enclaves and {architecture}")]
    NoCandidate {
        /// The candidates.
        wanted: String,
        /// The region.
        region: String,
        /// The processor.
        architecture: &'static str,
    },
    /// Every place was tried.
    #[error("no place had a machine: {tried}")]
    NoPlace {
        /// What was tried.
        tried: String,
    },
    /// The stack could not be made.
    #[error("the stack could not be made: {reasons}")]
    Stack {
        /// What kind of failure.
        class: ErrorClass,
        /// The service's words, per resource.
        reasons: String,
    },
    /// The stack was not ready in time.
    #[error("the stack was not ready after {minutes} minutes")]
    StackSlow {
        /// How long it was waited for.
        minutes: u64,
    },
    /// The name of the stack is taken by something else.
    #[error("the stack {name} exists and belongs to no attempt of this run")]
    ForeignStack {
        /// Its name.
        name: String,
    },
    /// The user asked to stop while the inputs were written.
    #[error("interrupted before the machine was made")]
    Interrupted,
    /// Nothing of the run was found.
    #[error("nothing of the run {run} was found in account {account}")]
    NoSuchRun {
        /// The run.
        run: RunId,
        /// The account that was looked in.
        account: String,
    },
    /// The run is of another account.
    #[error("the run belongs to account {expected}, the identity in use to {got}")]
    OtherAccount {
        /// The run's.
        expected: String,
        /// The identity's.
        got: String,
    },
    /// The run has no plan in its bucket.
    #[error(
        "the run {run} has no plan: it was never started, and its inputs are where it was typed; or it is being removed"
    )]
    NeverStarted {
        /// The run.
        run: RunId,
    },
    /// The run is over, one way or the other.
    #[error("the run {run} is over")]
    Over {
        /// The run.
        run: RunId,
    },
    /// The run is not complete.
    #[error("the run {run} is not complete: it has no commit marker")]
    NotCommitted {
        /// The run.
        run: RunId,
    },
    /// An artifact is missing from the bucket, or has another size than the commit marker says.
    #[error("artifact {artifact} in the bucket is not what was committed: {what}")]
    Upload {
        /// Its name.
        artifact: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The deadline cannot be moved there.
    #[error("the deadline cannot be moved to {wanted}: {why}")]
    Deadline {
        /// Where it was to be moved.
        wanted: Timestamp,
        /// Why not.
        why: String,
    },
    /// The bundle could not be received or checked.
    #[error("the bundle could not be received")]
    Receive {
        /// Stable code of the reason.
        code: String,
        /// Whether it may work a little later.
        passing: bool,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SagaError {
    /// Stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Cloud(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Plan { .. } | Self::Name(_) => "run_plan",
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "disk_full"
            }
            Self::File { .. } => "run_file",
            Self::Journal { .. } => "run_journal",
            Self::TooDear { .. } => "run_too_dear",
            Self::TooLong { .. } => "run_too_long",
            Self::NoCandidate { .. } => "run_no_candidate",
            Self::NoPlace { .. } => "run_no_capacity",
            Self::Stack { .. } => "run_stack",
            Self::StackSlow { .. } => "run_stack_slow",
            Self::ForeignStack { .. } => "run_stack_foreign",
            Self::Interrupted => "interrupted",
            Self::NoSuchRun { .. } => "run_unknown",
            Self::OtherAccount { .. } => "run_other_account",
            Self::NeverStarted { .. } => "run_never_started",
            Self::Over { .. } => "run_over",
            Self::NotCommitted { .. } => "run_not_committed",
            Self::Upload { .. } => "run_upload",
            Self::Deadline { .. } => "run_deadline",
            Self::Receive { code, .. } => code,
        }
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Cloud(error) => return error.hint(),
            Self::Store(StoreError::Cloud { source, .. }) => return source.hint(),
            Self::TooDear { .. } => {
                "allow more with --max-usd, or see `controller plan` for a cheaper machine".to_owned()
            }
            Self::TooLong { .. } => "allow more with --max-minutes or --max-usd".to_owned(),
            Self::NoCandidate { .. } | Self::NoPlace { .. } => {
                "name another region with --region or another type with --instance-type".to_owned()
            }
            Self::Stack { class: ErrorClass::Quota, .. } => {
                "ask for a higher quota in the Service Quotas console, or name a smaller type with --instance-type"
                    .to_owned()
            }
            Self::Stack { class: ErrorClass::Denied, .. } => {
                "the identity in use needs the permissions of infra/policies/controller.json".to_owned()
            }
            Self::NoSuchRun { .. } => {
                "`controller runs` lists what there is; other credentials see another account".to_owned()
            }
            Self::OtherAccount { .. } => "use credentials of the run's account".to_owned(),
            Self::NeverStarted { run } => {
                format!("resume it on that machine, or remove it with `controller destroy {run}`")
            }
            Self::NotCommitted { run } => {
                format!("`controller status {run}` says where it stands")
            }
            _ => return None,
        })
    }
}
