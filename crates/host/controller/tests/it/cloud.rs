//! Commands about runs in the cloud, in a fake one: how they end, and what they leave.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use cloud::{Account, Architecture, RunId, Timestamp};
use cloud_fake::{Behaviour, FakeCloud, Layers, Settings};
use controller::cli::{Cli, CloudArgs};
use controller::clouds::{Clouds, OpenCloud};
use controller::{CliError, Exit, Printer};
use protocol::pb;
use saga::{
    Blueprint, Candidate, Desk, Event, Inputs, Limits, Pace, Receiver, Saga, StateFolder, Usd,
    Verdict, Volume, Watcher, Wish,
};

const RUN: &str = "run-0123456789abcdef";

/// The only cloud there is.
#[derive(Debug, Clone)]
pub(crate) struct Fake(pub(crate) FakeCloud);

impl Clouds for Fake {
    fn open(&self, args: &CloudArgs) -> Result<OpenCloud, CliError> {
        let region = args.region.as_deref().unwrap_or("eu-central-1");
        Ok(OpenCloud {
            account: Box::new(self.0.clone()),
            region: region.parse().unwrap(),
            clock: Box::new(self.0.clone()),
            pace: Pace::default(),
        })
    }

    fn shelf(&self, _: &CloudArgs, _: &str) -> Result<Box<dyn cloud::Shelf>, CliError> {
        unreachable!("nothing is published")
    }

    fn get(&self, _: &manifest::report::Href, _: usize) -> Result<Vec<u8>, String> {
        unreachable!("no address is asked")
    }
}

/// Watches a run until its stack is waited for.
#[derive(Debug, Default)]
struct Leaves(AtomicBool);

impl Watcher for Leaves {
    fn say(&self, event: &Event<'_>) {
        if let Event::Step {
            name: "wait for stack",
            ..
        } = event
        {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn is_interrupted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct Nobody;

impl Receiver for Nobody {
    fn name(&self) -> String {
        "nowhere".into()
    }
    fn is_there(&self) -> Result<bool, saga::SagaError> {
        Ok(false)
    }
    fn receive(&self, _: cloud::run::Run<'_>) -> Result<(), saga::SagaError> {
        unreachable!("nobody waits for a bundle")
    }
    fn verify(&self, _: cloud::run::Run<'_>) -> Result<Verdict, saga::SagaError> {
        unreachable!("nobody waits for a bundle")
    }
}

struct Scene {
    fake: Fake,
    folder: tempfile::TempDir,
}

impl Scene {
    /// A run that was begun, and left alone while its stack was being made.
    fn begun(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        settings.agent.work = Duration::from_hours(1);
        change(&mut settings);
        let scene = Self {
            fake: Fake(FakeCloud::new(settings)),
            folder: tempfile::tempdir().unwrap(),
        };
        let cloud = &scene.fake.0;
        let leaves = Leaves::default();
        let desk = Desk {
            account: cloud,
            clock: cloud,
            watcher: &leaves,
            pace: Pace::default(),
        };
        let wish = Wish {
            run: RUN.parse().unwrap(),
            ceremony: "ab".repeat(32),
            region: "eu-central-1".parse().unwrap(),
            architecture: Architecture::X86_64,
            candidates: vec![Candidate {
                instance_type: "r7i.2xlarge".parse().unwrap(),
                hourly: Usd(530_000),
                expected: Duration::from_mins(30),
            }],
            volume: Volume {
                gib: 64,
                iops: 3000,
                throughput: 500,
            },
            other_costs: Usd(0),
            host_sha256: "cd".repeat(32),
            mirror: String::new(),
            alarm_topic: None,
            keep_days: 30,
            simulation: false,
            limits: Limits {
                max_usd: None,
                max: Some(Duration::from_hours(2)),
            },
        };
        let plan = saga::choose(desk, wish).unwrap();
        let state = StateFolder::new(scene.state());
        let inputs = Inputs {
            files: Vec::new(),
            job: pb::Job::default(),
        };
        state.begin(&plan, &inputs).unwrap();
        let journal = state.journal(&plan.run).unwrap();
        let blueprint = Blueprint {
            template: "t".into(),
            stack_policy: "{}".into(),
        };
        let outcome = Saga::new(desk, plan, journal, &blueprint)
            .unwrap()
            .start(&inputs, &Nobody);
        assert_eq!(outcome.exit_code(), 4, "{outcome:?}");
        cloud.advance(Duration::from_mins(10));
        scene
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Runs the program, with this machine's state or on another machine.
    fn types(&self, state: &Path, args: &[&str]) -> Exit {
        let state = state.to_str().unwrap();
        let mut typed = vec!["controller", "--quiet"];
        typed.extend(args);
        if args.first() != Some(&"reap") {
            typed.extend(["--state", state]);
        }
        let cli = Cli::try_parse_from(&typed).unwrap_or_else(|error| panic!("{error}"));
        let printer = Printer::new(&cli.output, true);
        controller::run_with(cli.command, &printer, &self.fake)
    }

    fn here(&self, args: &[&str]) -> Exit {
        self.types(&self.state(), args)
    }

    fn elsewhere(&self, args: &[&str]) -> Exit {
        self.types(&self.folder.path().join("elsewhere"), args)
    }

    fn left(&self) -> Vec<String> {
        self.fake.0.leftovers()
    }
}

#[test]
fn a_run_is_looked_at_and_destroyed_from_its_id_alone() {
    let scene = Scene::begun(|_| {});
    assert_eq!(scene.elsewhere(&["status", RUN]), Exit::Success);
    assert_eq!(scene.elsewhere(&["runs"]), Exit::Success);
    assert_eq!(
        scene.elsewhere(&["fetch", RUN, "--out", "x", "--trust", "simulation"]),
        Exit::Incomplete
    );
    assert!(!scene.left().is_empty());
    assert_eq!(scene.elsewhere(&["destroy", RUN]), Exit::Success);
    assert_eq!(scene.left(), [""; 0]);
    assert_eq!(
        scene.elsewhere(&["destroy", RUN]),
        Exit::Incomplete,
        "there is none any more"
    );
}

#[test]
fn an_aborted_run_leaves_nothing() {
    let scene = Scene::begun(|_| {});
    assert_eq!(scene.elsewhere(&["abort", RUN]), Exit::Success);
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn a_deadline_is_moved() {
    let scene = Scene::begun(|settings| settings.agent.work = Duration::from_hours(3));
    let before = bucket_deadline(&scene);
    assert_eq!(
        scene.elsewhere(&["extend", RUN, "--minutes", "120"]),
        Exit::Success
    );
    scene.fake.0.advance(Duration::from_mins(1));
    let after = bucket_deadline(&scene);
    assert_eq!(after, before.after(Duration::from_hours(2)));
    assert_eq!(
        scene.elsewhere(&["extend", RUN, "--minutes", "1440"]),
        Exit::Incomplete
    );
    assert_eq!(
        scene.elsewhere(&["attach", RUN]),
        Exit::Success,
        "it ends within the later deadline"
    );
}

fn bucket_deadline(scene: &Scene) -> Timestamp {
    let cloud = &scene.fake.0;
    let account = cloud.caller().unwrap().account;
    let run: RunId = RUN.parse().unwrap();
    let buckets = cloud.services(&"eu-central-1".parse().unwrap()).buckets;
    let tags = buckets.tags(&run.bucket(&account).unwrap()).unwrap();
    cloud::tags::expires_at(&tags).unwrap()
}

#[test]
fn a_run_whose_artifacts_are_no_bundle_keeps_its_bucket() {
    let scene = Scene::begun(|_| {});
    let args = [
        "resume",
        RUN,
        "--trust",
        "simulation",
        "--out",
        "nowhere/bundle",
    ];
    assert_eq!(scene.here(&args), Exit::Incomplete);
    let run: RunId = RUN.parse().unwrap();
    assert!(scene.fake.0.holds_artifacts(&run));
    assert_eq!(scene.left().len(), 1, "{:?}", scene.left());
    assert_eq!(scene.here(&["destroy", RUN]), Exit::ResourcesMayExist);
    assert_eq!(scene.here(&["destroy", RUN, "--discard"]), Exit::Success);
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn what_is_due_is_reaped_and_what_is_not_due_is_left() {
    let scene = Scene::begun(|settings| {
        settings.layers = Layers::NONE;
        settings.agent.behaviour = Behaviour::Hangs;
    });
    assert_eq!(scene.elsewhere(&["reap", "--all-regions"]), Exit::Success);
    assert!(scene.left().iter().any(|left| left.starts_with("instance")));
    scene.fake.0.advance(Duration::from_hours(2));
    let other = ["reap", "--region", "us-east-1"];
    assert_eq!(scene.elsewhere(&other), Exit::Success);
    assert!(
        scene.left().iter().any(|left| left.starts_with("instance")),
        "another region"
    );
    assert_eq!(scene.elsewhere(&["reap", "--all-regions"]), Exit::Success);
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn a_stack_that_stays_ends_with_4() {
    let scene = Scene::begun(|settings| settings.stack_delete_failures = u32::MAX);
    assert_eq!(scene.here(&["destroy", RUN]), Exit::ResourcesMayExist);
}

#[test]
fn what_is_no_run_is_wrong_usage() {
    let scene = Scene::begun(|_| {});
    assert_eq!(scene.here(&["status", "../x"]), Exit::Usage);
    assert_eq!(
        scene.here(&["status", "run-ffffffffffffffff"]),
        Exit::Incomplete
    );
    assert_eq!(scene.elsewhere(&["resume", RUN]), Exit::Usage, "where to?");
    let nothing_known = ["resume", RUN, "--out", "x"];
    assert_eq!(
        scene.elsewhere(&nothing_known),
        Exit::Usage,
        "no PCRs are known"
    );
}
