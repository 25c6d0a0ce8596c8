//! How a run ended, and what is known to be left.

use std::fmt;

use cloud::{BucketName, Region};
use protocol::pb;

use crate::error::SagaError;
use crate::follow::Diagnosis;
use crate::money::Usd;

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// What became of the ceremony.
    pub end: End,
    /// What is left of it in the cloud.
    pub proof: Proof,
}

/// What became of the ceremony.
#[derive(Debug)]
pub enum End {
    /// The bundle is here and holds.
    Verified,
    /// The bundle is here and does not hold.
    Refused,
    /// The run failed and said why.
    Failed(Box<pb::JobFailure>),
    /// The machine is gone, or its time is over, and nothing was said.
    Lost(Box<Diagnosis>),
    /// The controller could not go on.
    Error(SagaError),
    /// The user asked to stop watching; the run goes on.
    Detached,
    /// It was removed on request.
    Removed,
}

/// What is known to be left.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What exists or may exist, although it should not.
    pub left: Vec<Leftover>,
    /// The bucket, kept on purpose.
    pub kept: Option<BucketName>,
}

/// Something that exists or may exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// `stack`, `instance`, `volume`, `bucket`, or `unknown`: it could not be asked for.
    pub kind: &'static str,
    /// Its id or name; of `unknown`, what was asked.
    pub id: String,
    /// Where.
    pub region: Region,
    /// Its price an hour, if it is known.
    pub hourly: Option<Usd>,
    /// Its state, or why it is not known.
    pub why: String,
}

impl Proof {
    /// Whether nothing is left that should not be.
    pub fn is_clean(&self) -> bool {
        self.left.is_empty()
    }

    /// What all of it costs an hour, as far as that is known.
    pub fn hourly(&self) -> Usd {
        let prices = self.left.iter().filter_map(|left| left.hourly);
        prices.fold(Usd::default(), Usd::plus)
    }
}

impl Outcome {
    /// The exit code of `docs/cli.md`. 4 outweighs everything: something may go on costing money.
    pub fn exit_code(&self) -> u8 {
        if !self.proof.is_clean() {
            return 4;
        }
        match self.end {
            End::Verified | End::Removed => 0,
            End::Refused => 1,
            End::Failed(_) | End::Lost(_) | End::Error(_) => 3,
            // Somebody's run goes on.
            End::Detached => 4,
        }
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} in {}: {}",
            self.kind, self.id, self.region, self.why
        )?;
        match self.hourly {
            Some(hourly) => write!(f, ", {hourly} USD an hour"),
            None => Ok(()),
        }
    }
}
