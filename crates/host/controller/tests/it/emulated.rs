//! R-45 in the booted image: the enclave is killed in each stage, and the run names that stage. Needs
//! `CEREMONY_EMULATOR` and `CEREMONY_IMAGE` (`scripts/emulated --prepare`); skipped loudly without.

use std::io::{BufRead, BufReader};
use std::process::Command;

use serde_json::Value;

use crate::scene::{SQUARE, Scene, assert_gone};

/// Stages in which something is still to be done: a kill in a later one may come too late.
const STAGES: [&str; 6] = [
    "opened",
    "compiled",
    "phase1-ready",
    "initial-ready",
    "contributed",
    "round-assigned",
];

fn has_emulator() -> bool {
    let named =
        ["CEREMONY_EMULATOR", "CEREMONY_IMAGE"].map(|name| std::env::var_os(name).is_some());
    if named == [true, true] {
        return true;
    }
    testkit::skipped("no emulator: run `scripts/emulated --prepare` and evaluate what it prints");
    false
}

/// Runs until `stage` is reached, kills the machine, and gives the last stage seen and the last object.
fn killed_in(stage: &str) -> Option<(String, Value)> {
    let scene = Scene::new(SQUARE)?;
    let (agent, note) = scene.noted_emulator();
    let arguments = ["--ptau", "dev", "--enclave", "emulator", "--margin", "60"];
    let mut child = scene
        .command(&[&arguments[..], &["--enclave-agent", &agent]].concat())
        .spawn()
        .unwrap();
    let (mut last, mut reached) = (Value::Null, String::new());
    let mut killed = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        last = serde_json::from_str(&line.unwrap()).unwrap();
        if last["type"] == "stage" {
            last["stage"].as_str().unwrap().clone_into(&mut reached);
            if reached == stage && !killed {
                let pid = std::fs::read_to_string(&note).unwrap();
                let kill = Command::new("kill").args(["-9", pid.trim()]).status();
                killed = kill.unwrap().success();
            }
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(3), "{stage}: {last}");
    assert!(killed, "{stage} was not reached: {last}");
    assert!(!scene.path("bundle").exists());
    assert_gone(&note);
    Some((reached, last))
}

#[test]
fn r45_a_booted_enclave_that_is_killed_ends_the_run_in_the_stage_it_was_in() {
    if !has_emulator() {
        return;
    }
    for stage in STAGES {
        let Some((reached, last)) = killed_in(stage) else {
            return;
        };
        assert_eq!(last["type"], "error", "{stage}: {last}");
        assert_eq!(last["code"], "enclave_lost", "{stage}: {last}");
        // It may have come further before it was killed.
        let message = last["message"].as_str().unwrap();
        assert!(message.contains(&reached), "{stage}: {message}");
    }
}
