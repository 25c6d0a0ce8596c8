//! The bucket, the inputs, the job.

use std::path::PathBuf;
use std::sync::Arc;

use cloud::run::Run;
use cloud::{BucketSettings, StoreError};
use prost::Message;
use protocol::pb;
use serde::{Deserialize, Serialize};

use crate::desk::{Desk, Event};
use crate::error::SagaError;
use crate::journal::{self, Action};
use crate::run::Saga;

/// What the machine is given; kept in the run's folder until the job is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// Objects under `inputs/`, in the order in which they are written.
    pub files: Vec<Input>,
    /// The job.
    pub job: pb::Job,
}

/// One object under `inputs/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name there.
    pub name: String,
    /// The file it is copied from.
    pub path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInputs {
    files: Vec<Input>,
    /// The job, protobuf.
    job: Vec<u8>,
}

impl Inputs {
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let raw = RawInputs {
            files: self.files.clone(),
            job: self.job.encode_to_vec(),
        };
        // Fails for paths that are no Unicode; such inputs are then not there, and that is said.
        serde_json::to_vec(&raw).unwrap_or_default()
    }

    pub(crate) fn from_json(json: &[u8]) -> Result<Self, SagaError> {
        let wrong = || SagaError::Plan {
            what: "its inputs cannot be read".to_owned(),
        };
        let raw: RawInputs = serde_json::from_slice(json).map_err(|_| wrong())?;
        let job = pb::Job::decode(raw.job.as_slice()).map_err(|_| wrong())?;
        Ok(Self {
            files: raw.files,
            job,
        })
    }
}

impl Saga<'_> {
    /// Sees to it that the bucket holds everything the machine needs.
    pub(crate) fn prepare(&mut self, inputs: Option<&Inputs>) -> Result<(), SagaError> {
        if self.journal.is_done(|action| *action == Action::PutJob) {
            return Ok(());
        }
        let there = self
            .desk
            .again(|| self.services.buckets.locate(&self.bucket))?;
        if there.is_some() && self.run().job()?.is_some() {
            return Ok(());
        }
        let Some(inputs) = inputs else {
            return Err(SagaError::NeverStarted {
                run: self.plan.run.clone(),
            });
        };
        self.make_bucket()?;
        self.put_inputs(inputs)?;
        self.desk.unless_interrupted()
    }

    fn make_bucket(&mut self) -> Result<(), SagaError> {
        let (desk, bucket, now) = (self.desk, self.bucket.clone(), self.desk.clock.now());
        let buckets = &self.services.buckets;
        desk.watcher.say(&Event::Step {
            name: "create bucket",
            detail: bucket.as_str(),
        });
        self.journal.step(
            now,
            journal::create_bucket(&bucket),
            |()| None,
            || Ok(desk.again(|| buckets.create(&bucket))?),
        )?;
        let settings = BucketSettings {
            owner: self.plan.account.clone(),
            keep_days: self.plan.keep_days,
            tags: self.plan.tags(self.plan.deadline),
        };
        let action = Action::ConfigureBucket {
            bucket: bucket.to_string(),
        };
        self.journal.step(
            now,
            action,
            |()| None,
            || Ok(desk.again_while_new(|| buckets.configure(&bucket, &settings))?),
        )
    }

    fn put_inputs(&mut self, inputs: &Inputs) -> Result<(), SagaError> {
        let (desk, now) = (self.desk, self.desk.clock.now());
        let store = Arc::clone(&self.store);
        let run = Run::new(&*store, &self.plan.run);
        let plan = self.plan.to_json();
        self.journal.step(
            now,
            Action::PutInputs,
            |()| None,
            || {
                desk.again_while_new(|| {
                    same(run.put_plan(&plan), || {
                        Ok(run.plan()?.as_ref() == Some(&plan))
                    })
                })?;
                for input in &inputs.files {
                    desk.unless_interrupted()?;
                    desk.watcher.say(&Event::Step {
                        name: "upload",
                        detail: &input.name,
                    });
                    let size =
                        std::fs::metadata(&input.path).map_err(|source| SagaError::File {
                            action: "read",
                            path: input.path.clone(),
                            source,
                        })?;
                    desk.again_while_new(|| {
                        same(run.put_input(&input.name, &input.path), || {
                            Ok(run.input_size(&input.name)? == Some(size.len()))
                        })
                    })?;
                }
                Ok(())
            },
        )?;
        self.journal.step(
            now,
            Action::PutJob,
            |()| None,
            || {
                let job = &inputs.job;
                Ok(same(run.put_job(job), || {
                    Ok(run.job()?.as_ref() == Some(job))
                })?)
            },
        )
    }
}

impl Desk<'_> {
    /// Nothing more is made for a user who asked to stop; what is there stays for `resume`.
    fn unless_interrupted(&self) -> Result<(), SagaError> {
        if self.watcher.is_interrupted() {
            Err(SagaError::Interrupted)
        } else {
            Ok(())
        }
    }
}

/// A write that finds its own object there has been made before.
fn same(
    written: Result<(), StoreError>,
    is_same: impl FnOnce() -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    match written {
        Err(exists @ StoreError::Exists { .. }) => {
            if is_same()? {
                Ok(())
            } else {
                Err(exists)
            }
        }
        other => other,
    }
}
