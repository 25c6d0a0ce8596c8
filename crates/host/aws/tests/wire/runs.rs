//! Runs that are killed, interrupted, aborted, and what they leave.

use cloud::ObjectKey;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::machine::Machine;
use crate::world::{REGION, World};

/// Largest file of the bundle, bytes.
const LIMIT: u64 = 1 << 30;

fn is_stage(object: &Value, stage: &str) -> bool {
    object["type"] == "stage" && object["stage"] == stage
}

fn is_step(object: &Value, step: &str) -> bool {
    object["type"] == "cloud-step" && object["step"] == step
}

#[test]
fn r43_a_run_whose_controller_was_killed_is_brought_home_by_another_machine_from_its_id() {
    let Some(world) = World::new() else { return };
    let first = world.begin("state", "bundle");
    let run = first.run();
    first.wait_for("machine", |object| is_step(object, "wait for stack"));
    // The stack of an emulator is ready at once.
    let machine = Machine::boot(&world, &run);
    first.wait_for("stage", |object| is_stage(object, "compiled"));
    first.kill();
    assert!(!world.path("bundle").exists());
    assert!(!world.billing(&run).is_empty());

    // A machine that knows nothing but the run's id.
    let status = world.controller(&[
        "--json",
        "status",
        run.as_str(),
        "--state",
        "third",
        "--region",
        REGION,
    ]);
    assert_eq!(status.status.code(), Some(0), "{status:?}");
    let second = world.follow(&[
        "resume",
        run.as_str(),
        "--state",
        "elsewhere",
        "--out",
        "bundle",
    ]);
    second.wait_for("stage", |object| is_stage(object, "sealed"));
    let verdict = second.wait_for_type("verdict");
    assert_eq!(verdict["verdict"], "holds_under_simulation", "{verdict}");
    let (code, said) = second.end();
    assert_eq!(code, Some(5), "{said:#?}");
    assert_eq!(machine.end(), Some(0));
    assert_eq!(world.billing(&run), [""; 0]);

    // The bundle is one like any other.
    let verified = world.controller(&["verify", "bundle", "--trust", "simulation"]);
    assert_eq!(verified.status.code(), Some(5), "{verified:?}");
    publish(&world);
    // The machine that began it finds that it is over.
    let again = world.controller(&["resume", run.as_str(), "--state", "state"]);
    assert_ne!(again.status.code(), Some(0), "{again:?}");
    assert_eq!(world.billing(&run), [""; 0]);
}

/// The bundle in a bucket that anyone can read: every file once, read back; nothing is ever replaced.
fn publish(world: &World) {
    let bucket = "published-ceremonies".parse().unwrap();
    let buckets = world.buckets().buckets;
    buckets.create(&bucket).unwrap();
    let to = ["--to", "s3://published-ceremonies/public/square"];
    let simulated = ["--trust", "simulation", "--simulated", "--region", REGION];
    let publish = || {
        let args = [&["--json", "publish", "bundle"], &to[..], &simulated[..]].concat();
        let done = world.controller(&args);
        let said = String::from_utf8(done.stdout.clone()).unwrap();
        let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        (done.status.code(), last)
    };
    let (code, first) = publish();
    assert_eq!(
        (code, &first["type"]),
        (Some(5), &"published".into()),
        "{first}"
    );
    assert_eq!(first["already"], 0);
    let (code, again) = publish();
    assert_eq!((code, &again["written"]), (Some(5), &0.into()), "{again}");

    let store = buckets.store(&bucket);
    let key = |name: &str| {
        format!("public/square/{name}")
            .parse::<ObjectKey>()
            .unwrap()
    };
    let list = store
        .get(&key("SIMULATED-SHA256SUMS"), LIMIT)
        .unwrap()
        .unwrap();
    let list = String::from_utf8(list).unwrap();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let (sha256, name) = line.split_once("  ").unwrap();
        let bytes = store.get(&key(name), LIMIT).unwrap().unwrap();
        assert_eq!(hex::encode(Sha256::digest(&bytes)), sha256, "{name}");
    }
    assert!(list.contains("SIMULATED-index.html"), "{list}");
}

#[test]
fn a_run_that_nobody_began_is_said_to_be_unknown() {
    let Some(world) = World::new() else { return };
    let state = ["--state", "state", "--region", REGION];
    for command in ["status", "resume", "abort", "attach"] {
        let args = [&["--json", command, "run-0123456789abcdef"], &state[..]].concat();
        let done = world.controller(&args);
        assert!(
            matches!(done.status.code(), Some(2 | 3)),
            "{command}: {done:?}"
        );
        let said = String::from_utf8(done.stdout).unwrap();
        let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        assert_eq!(last["type"], "error", "{command}: {said}");
        assert!(
            last["message"]
                .as_str()
                .unwrap()
                .contains("run-0123456789abcdef"),
            "{command}: {said}"
        );
    }
}

#[test]
fn r43_a_run_that_was_left_is_aborted_and_nothing_of_it_stays() {
    let Some(world) = World::new() else { return };
    let first = world.begin("state", "bundle");
    let run = first.run();
    first.wait_for("machine", |object| is_step(object, "wait for stack"));
    let machine = Machine::boot(&world, &run);
    first.wait_for("stage", |object| is_stage(object, "opened"));
    first.interrupt();
    let (code, said) = first.end();
    assert_eq!(code, Some(4), "{said:#?}");
    assert!(
        said.iter().any(|object| object["type"] == "left"),
        "{said:#?}"
    );

    let aborted = world.controller(&["--json", "abort", run.as_str(), "--state", "state"]);
    assert_eq!(aborted.status.code(), Some(0), "{aborted:?}");
    assert_eq!(machine.end(), Some(130), "stopped on request");
    assert_eq!(world.billing(&run), [""; 0]);
}
