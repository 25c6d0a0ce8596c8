//! A run in the cloud, from the plan to the proof that nothing is left.
//!
//! * [`RunPlan`], [`choose`]: what is going to be made, where, until when and for how much at most.
//! * [`Journal`]: every change is written down before it is made; each has its undoing ([`Action`]).
//! * [`Saga`]: a run from its first call to its last, from any point on.
//! * [`Proof`], [`Leftover`]: what is known to be left. [`Outcome`] says how a run ended, with its exit code.
//! * [`find`]: a run from its id alone. [`look`]: where it stands. [`command`]: abort and a later deadline.
//! * [`reap()`]: removes what has outlived its deadline, by tags alone.
//!
//! Nothing here touches AWS, the terminal or a clock of its own: those are arguments ([`Desk`]).

mod choose;
mod command;
mod desk;
mod error;
mod find;
mod finish;
mod follow;
mod journal;
mod look;
mod money;
mod outcome;
mod place;
mod plan;
mod prepare;
mod reap;
mod retry;
mod run;
mod state;
mod teardown;

pub use choose::{Candidate, Limits, Wish, choose, fitting};
pub use command::{abort, extend};
pub use desk::{Blueprint, Desk, Event, Pace, Receiver, Verdict, Watcher};
pub use error::SagaError;
pub use find::{Found, find};
pub use follow::{Diagnosis, Seen};
pub use journal::{Action, Entry, Journal, Mark};
pub use look::{Standing, look};
pub use money::Usd;
pub use outcome::{End, Leftover, Outcome, Proof};
pub use plan::{Place, RawPlan, RunPlan, Volume};
pub use prepare::{Input, Inputs};
pub use reap::{Reaped, reap, remove_by_tags};
pub use retry::RetryingStore;
pub use run::Saga;
pub use state::StateFolder;
