//! A cloud for tests, behind the traits of `cloud`. Never linked into a service.
//!
//! What it has that matters to whoever provisions:
//!
//! * **A virtual clock.** Time passes when the caller sleeps, and a little with every call. What the cloud
//!   does on its own (stacks grow, machines boot, deadlines fall) happens on the way.
//! * **Delayed visibility.** Lists and descriptions show the world as it was [`Settings::lag`] ago.
//! * **Faults** ([`Fault`]): the n-th call fails, before or after it took effect, or the caller's process dies
//!   there, by unwinding with [`Died`]. A dead process makes no further calls.
//! * **Stacks** that grow in steps, find no capacity, remove themselves on failure, refuse to be removed.
//! * **Machines** with a host-agent that writes its records, or hangs; and the layers that end a machine when nobody
//!   else does, each of which can be switched off ([`Layers`]).
//! * **A meter** ([`FakeCloud::spent_micro_usd`]) and the truth about what is left ([`FakeCloud::leftovers`]).

mod agent;
mod buckets;
mod compute;
mod fault;
mod seen;
mod settings;
mod stacks;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloud::{Account, Caller, Clock, CloudError, Region, RunId, Services, Timestamp};

pub use fault::{Call, Died, Effect, Fault, When};
pub use settings::{AgentPlan, Behaviour, Layers, Settings};

use world::World;

/// The cloud, and the knobs of a test. Clones are the same cloud.
#[derive(Debug, Clone)]
pub struct FakeCloud(Arc<Mutex<World>>);

impl FakeCloud {
    /// A new, empty cloud.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Mutex::new(World::new(settings))))
    }

    /// Changes settings from now on.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.lock().settings);
    }

    /// Puts a fault in place of the one before, and counts calls from 0 again.
    pub fn arm(&self, fault: Option<Fault>) {
        self.lock().faults.arm(fault);
    }

    /// The process is started again: calls work as before its death.
    pub fn revive(&self) {
        self.lock().faults.revive();
    }

    /// The calls since [`arm`](Self::arm).
    pub fn calls(&self) -> Vec<Call> {
        self.lock().faults.calls.clone()
    }

    /// Lets time pass without anybody calling.
    pub fn advance(&self, duration: Duration) {
        let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.lock().advance(ms);
    }

    /// Everything that exists or costs now, whoever can see it: `stack NAME`, `instance ID`, `volume ID`,
    /// `bucket NAME`.
    pub fn leftovers(&self) -> Vec<String> {
        self.lock().leftovers()
    }

    /// What the machines have cost so far, in millionths of a dollar.
    pub fn spent_micro_usd(&self) -> u64 {
        self.lock().spent_micro_usd()
    }

    /// Whether the host-agent ever wrote the commit marker of this run.
    pub fn was_committed(&self, run: &RunId) -> bool {
        self.lock().committed.contains(run)
    }

    /// Whether the bucket of the run still holds its commit marker and every artifact.
    pub fn holds_artifacts(&self, run: &RunId) -> bool {
        self.lock().holds_artifacts(run)
    }

    /// What a host-agent makes.
    pub fn artifacts(&self) -> Vec<(protocol::pb::ArtifactKind, Vec<u8>)> {
        self.lock().settings.agent.artifacts.clone()
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        // A test that failed elsewhere may look at what is left.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does one call: counted, recorded, failed or cut off as the fault says.
    pub(crate) fn call<T>(
        &self,
        action: &'static str,
        resource: impl Into<String>,
        work: impl FnOnce(&mut World) -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        let mut world = self.lock();
        if world.faults.is_dead() {
            drop(world);
            return Err(die(action));
        }
        world.advance(world::CALL_MS);
        match world.faults.next(action, resource.into()) {
            None => work(&mut world),
            Some((When::Before, Effect::Fail(class))) => Err(fault::error(action, class)),
            Some((When::After, Effect::Fail(class))) => {
                // The caller never learns what came of it.
                drop(work(&mut world));
                Err(fault::error(action, class))
            }
            Some((when, Effect::Die)) => {
                if when == When::After {
                    drop(work(&mut world));
                }
                world.faults.kill();
                drop(world);
                Err(die(action))
            }
        }
    }
}

/// Ends the caller's process, as far as a test can. While a stack is already being unwound, the call just fails.
fn die(action: &'static str) -> CloudError {
    if !std::thread::panicking() {
        std::panic::resume_unwind(Box::new(Died));
    }
    fault::error(action, cloud::ErrorClass::Other)
}

impl Account for FakeCloud {
    fn caller(&self) -> Result<Caller, CloudError> {
        self.call("sts:GetCallerIdentity", "*", |world| {
            let account = world.settings.account.clone();
            let arn = format!("arn:aws:iam::{account}:user/fake");
            Ok(Caller { account, arn })
        })
    }

    fn regions(&self) -> Result<Vec<Region>, CloudError> {
        self.call("ec2:DescribeRegions", "*", |world| {
            Ok(world.settings.regions.clone())
        })
    }

    fn clock_ahead(&self) -> Result<i64, CloudError> {
        self.call("sts:GetCallerIdentity", "*", |world| {
            Ok(world.settings.clock_ahead_s)
        })
    }

    fn services(&self, region: &Region) -> Services {
        Services {
            region: region.clone(),
            stacks: Box::new(stacks::FakeStacks::new(self.clone(), region.clone())),
            compute: Box::new(compute::FakeCompute::new(self.clone(), region.clone())),
            buckets: Box::new(buckets::FakeBuckets::new(self.clone(), region.clone())),
        }
    }
}

impl Clock for FakeCloud {
    fn now(&self) -> Timestamp {
        Timestamp(self.lock().now_ms / 1000)
    }

    fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}
