//! A fake cloud, a workstation, and a run.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cloud::run::Run;
use cloud::{Account, Architecture, Region, RunId};
use cloud_fake::{Died, FakeCloud, Settings};
use protocol::pb;
use saga::{
    Blueprint, Candidate, Desk, Event, Input, Inputs, Limits, Outcome, Pace, Receiver, RunPlan,
    Saga, SagaError, StateFolder, Usd, Verdict, Volume, Watcher, Wish, choose,
};
use sha2::{Digest, Sha256};

pub(crate) const HOUR: Duration = Duration::from_hours(1);

pub(crate) struct Scene {
    pub(crate) cloud: FakeCloud,
    pub(crate) watcher: Listener,
    pub(crate) limits: Limits,
    /// Verification fails.
    pub(crate) distrusts: bool,
    folder: tempfile::TempDir,
    machine: usize,
    blueprint: Blueprint,
}

impl Scene {
    /// A cloud that works, with a short ceremony.
    pub(crate) fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        settings.agent.work = Duration::from_secs(90);
        settings.agent.interval = Duration::from_secs(30);
        change(&mut settings);
        // Memory, where there is such a folder: thousands of journals are flushed.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        fs::write(folder.path().join("host.json"), b"{}").unwrap();
        fs::write(folder.path().join("circuit"), b"circuit").unwrap();
        let limits = Limits {
            max_usd: Some(Usd(5_000_000)),
            max: Some(2 * HOUR),
        };
        Self {
            cloud: FakeCloud::new(settings),
            watcher: Listener::default(),
            limits,
            distrusts: false,
            folder,
            machine: 0,
            blueprint: Blueprint {
                template: "template".into(),
                stack_policy: "{}".into(),
            },
        }
    }

    /// From now on on another machine, which knows nothing.
    pub(crate) fn move_away(&mut self) {
        self.machine += 1;
    }

    /// On the first machine again.
    pub(crate) fn move_back(&mut self) {
        self.machine = 0;
    }

    pub(crate) fn desk(&self) -> Desk<'_> {
        let pace = Pace {
            poll: Duration::from_secs(10),
            ..Pace::default()
        };
        Desk {
            account: &self.cloud,
            clock: &self.cloud,
            watcher: &self.watcher,
            pace,
        }
    }

    pub(crate) fn state(&self) -> StateFolder {
        StateFolder::new(self.folder.path().join(format!("state-{}", self.machine)))
    }

    pub(crate) fn home(&self) -> Home {
        self.home_of(self.machine)
    }

    fn home_of(&self, machine: usize) -> Home {
        let bundle = self.folder.path().join(format!("bundle-{machine}"));
        Home {
            bundle,
            cloud: self.cloud.clone(),
            distrusts: self.distrusts,
        }
    }

    pub(crate) fn run_id() -> RunId {
        "run-0123456789abcdef".parse().unwrap()
    }

    pub(crate) fn region() -> Region {
        "eu-central-1".parse().unwrap()
    }

    pub(crate) fn inputs(&self) -> Inputs {
        let input = |name: &str| Input {
            name: name.into(),
            path: self.folder.path().join(name),
        };
        let job = pb::Job {
            spec: b"spec".to_vec().into(),
            ..pb::Job::default()
        };
        Inputs {
            files: vec![input("circuit"), input("host.json")],
            job,
        }
    }

    pub(crate) fn plan(&self) -> Result<RunPlan, SagaError> {
        let desk = self.desk();
        let candidate = |name: &str, hourly| Candidate {
            instance_type: name.parse().unwrap(),
            hourly: Usd(hourly),
            expected: Duration::from_mins(20),
        };
        let wish = Wish {
            run: Self::run_id(),
            ceremony: "ab".repeat(32),
            region: Self::region(),
            architecture: Architecture::X86_64,
            candidates: vec![
                candidate("r7i.2xlarge", 530_000),
                candidate("m7i.2xlarge", 400_000),
            ],
            volume: Volume {
                gib: 64,
                iops: 3000,
                throughput: 500,
            },
            other_costs: Usd(10_000),
            host_sha256: hex::encode(Sha256::digest(b"{}")),
            mirror: String::new(),
            alarm_topic: None,
            keep_days: 30,
            simulation: false,
            limits: self.limits,
        };
        choose(desk, wish)
    }

    /// What `controller run` does.
    pub(crate) fn run(&self) -> Result<Outcome, SagaError> {
        let plan = self.plan()?;
        let inputs = self.inputs();
        self.state().begin(&plan, &inputs)?;
        let journal = self.state().journal(&plan.run)?;
        let mut saga = Saga::new(self.desk(), plan, journal, &self.blueprint)?;
        Ok(saga.start(&inputs, &self.home()))
    }

    /// The run, from its id.
    pub(crate) fn saga(&self) -> Result<Saga<'_>, SagaError> {
        let run = Self::run_id();
        let found = saga::find(self.desk(), &self.state(), &Self::region(), &run)?;
        let journal = self.state().journal(&run)?;
        Saga::new(self.desk(), found.plan, journal, &self.blueprint)
    }

    /// What `controller resume` does.
    pub(crate) fn resume(&self) -> Result<Outcome, SagaError> {
        let inputs = self.state().inputs(&Self::run_id())?;
        Ok(self.saga()?.resume(inputs.as_ref(), &self.home()))
    }

    /// What `controller destroy` does.
    pub(crate) fn destroy(&self, discard: bool) -> Result<Outcome, SagaError> {
        Ok(self.saga()?.destroy(discard))
    }

    /// What `controller reap --all-regions` does.
    pub(crate) fn reap(&self) -> saga::Reaped {
        let regions = self.cloud.regions().unwrap();
        saga::reap(self.desk(), &regions).unwrap()
    }

    /// Runs `work` until it ends or its process dies; the process is then started again.
    pub(crate) fn until_death<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(done) => Some(done),
            Err(cause) if cause.is::<Died>() => {
                self.cloud.revive();
                None
            }
            Err(cause) => resume_unwind(cause),
        }
    }

    /// A finished ceremony is in the bucket, or at home on some machine, verified.
    pub(crate) fn nothing_is_lost(&self) -> bool {
        let run = Self::run_id();
        let mut homes = (0..=self.machine).map(|machine| self.home_of(machine));
        !self.cloud.was_committed(&run)
            || self.cloud.holds_artifacts(&run)
            || homes.any(|home| home.holds())
    }

    /// The exit code tells the truth about what is left, and about what is at home.
    pub(crate) fn assert_truthful(&self, outcome: &Outcome, context: &str) {
        let mut left = self.cloud.leftovers();
        let code = outcome.exit_code();
        if let Some(kept) = &outcome.proof.kept {
            left.retain(|thing| *thing != format!("bucket {kept}"));
        }
        assert!(
            code == 4 || left.is_empty(),
            "{context}: {code}, left {left:?}, {outcome:?}"
        );
        if matches!(outcome.end, saga::End::Verified) {
            assert!(
                self.home().holds(),
                "{context}: verified, and nothing at home"
            );
        }
        if code == 0 {
            assert_eq!(self.cloud.leftovers(), [""; 0], "{context}");
        }
        assert!(
            self.nothing_is_lost(),
            "{context}: results are lost, {outcome:?}"
        );
    }
}

/// Remembers what was said; asks to stop after a number of events.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    pub(crate) said: Mutex<Vec<String>>,
    /// 0: never.
    pub(crate) stop_after: AtomicUsize,
}

impl Watcher for Listener {
    fn say(&self, event: &Event<'_>) {
        self.said.lock().unwrap().push(format!("{event:?}"));
    }

    fn is_interrupted(&self) -> bool {
        let limit = self.stop_after.load(Ordering::Relaxed);
        limit > 0 && self.said.lock().unwrap().len() >= limit
    }
}

/// A folder that bundles come to.
#[derive(Debug)]
pub(crate) struct Home {
    bundle: PathBuf,
    cloud: FakeCloud,
    /// Verification fails, whatever is there.
    distrusts: bool,
}

impl Receiver for Home {
    fn name(&self) -> String {
        self.bundle.display().to_string()
    }

    fn is_there(&self) -> Result<bool, SagaError> {
        Ok(self.bundle.exists())
    }

    fn receive(&self, run: Run<'_>) -> Result<(), SagaError> {
        let partial = self.bundle.with_extension("partial");
        drop(fs::remove_dir_all(&partial));
        fs::create_dir_all(&partial).unwrap();
        for info in run.committed()?.unwrap().artifacts {
            let kind = pb::ArtifactKind::try_from(info.kind).unwrap();
            let mut bytes = Vec::new();
            run.read_artifact(kind, info.size, &mut bytes)?;
            if Sha256::digest(&bytes)[..] != info.sha256[..] {
                let code = "artifact_digest".to_owned();
                return Err(SagaError::Receive {
                    code,
                    passing: false,
                    source: "digest".into(),
                });
            }
            fs::write(partial.join(kind.as_str_name()), bytes).unwrap();
        }
        fs::rename(&partial, &self.bundle).unwrap();
        Ok(())
    }

    fn verify(&self, _: Run<'_>) -> Result<Verdict, SagaError> {
        if self.distrusts {
            return Ok(Verdict::Refused);
        }
        let holds = self.holds();
        Ok(if holds {
            Verdict::Holds
        } else {
            Verdict::Refused
        })
    }
}

impl Home {
    /// Whether the whole bundle is here.
    pub(crate) fn holds(&self) -> bool {
        let made = self.cloud.artifacts();
        let same = made.iter().all(|(kind, bytes)| {
            fs::read(self.bundle.join(kind.as_str_name())).is_ok_and(|read| read == *bytes)
        });
        same && !made.is_empty()
    }
}
