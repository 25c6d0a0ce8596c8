//! a failure never reads as success. Each injected failure ends the program with a code other
//! than 0, names the phase, keeps what was made, and leaves no process behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output};

use serde_json::Value;

use crate::scene::{SQUARE, Scene, assert_gone, last_object};

fn assert_failed(output: &Output, code: &str, phase: &str) -> Value {
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let object = last_object(output);
    assert_eq!(object["type"], "error", "{object}");
    assert_eq!(object["code"], code, "{object}");
    let message = object["message"].as_str().unwrap();
    assert!(message.contains(&format!("phase {phase} ")), "{message}");
    object
}

#[test]
fn r45_a_circuit_that_does_not_compile_fails_in_preflight() {
    let Some(scene) = Scene::new("pragma circom 2.0.0;\ntemplate T( { }\n") else {
        return;
    };
    let object = assert_failed(
        &scene.run(&["--ptau", "dev"]),
        "circuit_refused",
        "preflight",
    );
    assert!(
        object["message"].as_str().unwrap().contains("main.circom"),
        "{object}"
    );
    assert!(!scene.path("bundle").exists());
    assert!(scene.path("store").is_dir(), "records are kept");
}

#[test]
fn r45_a_ptau_that_is_not_published_fails_in_phase1() {
    let Some(scene) = Scene::new(SQUARE) else {
        return;
    };
    fs::write(scene.path("powersOfTau28_hez_final_08.ptau"), b"not a ptau").unwrap();
    let output = scene.run(&["--ptau", "powersOfTau28_hez_final_08.ptau"]);
    assert_failed(&output, "ptau_size", "phase1");
    let output = scene.run(&["--ptau", "."]);
    assert_failed(&output, "ptau_size", "phase1");
    let output = scene.run(&["--ptau", ".", "--family", "ppot_0080"]);
    assert_failed(&output, "ptau_not_found", "phase1");
}

#[test]
fn r45_r10_mislabelled_files_of_the_world_are_refused_with_the_reason() {
    let Some(scene) = Scene::new(SQUARE) else {
        return;
    };
    for (file, code) in [
        (
            "ptau/bad/fake_hez_final_10__is_pot12_0001.ptau",
            "ptau_size",
        ),
        (
            "ptau/bad/accessdenied_xml_as_hez_final_15.ptau",
            "ptau_size",
        ),
        ("ptau/bad/interrupted_prepare_pot12_final.ptau", "ptau_size"),
        ("ptau/bad/tam_hez08_tau_point_flip.ptau", "ptau_hash"),
        ("ptau/bad/tam_hez08_truncated.ptau", "ptau_size"),
        ("ptau/bad/tam_hez08_trailing.ptau", "ptau_size"),
        ("ptau/powersOfTau28_hez_final_09.ptau", "ptau_power"),
    ] {
        let Some(path) = testkit::shared_data(file) else {
            return;
        };
        let output = scene.run(&["--family", "hermez", "--ptau", path.to_str().unwrap()]);
        assert_failed(&output, code, "phase1");
    }
}

#[test]
fn r45_an_enclave_agent_that_is_killed_ends_the_run_in_the_stage_it_was_in() {
    let Some(scene) = Scene::new(SQUARE) else {
        return;
    };
    let (agent, note) = scene.noted_enclave_agent();
    let mut child = scene
        .command(&["--ptau", "dev", "--enclave-agent", &agent, "--margin", "20"])
        .spawn()
        .unwrap();
    let mut last = Value::Null;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        last = serde_json::from_str(&line.unwrap()).unwrap();
        if last["type"] == "stage" && last["stage"] == "round-assigned" {
            let pid = fs::read_to_string(&note).unwrap();
            assert!(
                Command::new("kill")
                    .args(["-9", pid.trim()])
                    .status()
                    .unwrap()
                    .success()
            );
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(last["type"], "error", "{last}");
    assert_eq!(last["code"], "enclave_lost", "{last}");
    assert!(
        last["message"].as_str().unwrap().contains("round-assigned"),
        "{last}"
    );
    assert!(!scene.path("bundle").exists());
    assert_gone(&note);
}

#[test]
fn r45_an_enclave_agent_that_does_not_start_fails_in_its_phase() {
    let Some(scene) = Scene::new(SQUARE) else {
        return;
    };
    let output = scene.run(&["--ptau", "dev", "--enclave-agent", "/bin/false"]);
    assert_failed(&output, "enclave_start", "enclave");
}

#[test]
fn an_interrupted_run_ends_with_130_and_leaves_no_process() {
    let Some(scene) = Scene::new(SQUARE) else {
        return;
    };
    let (agent, note) = scene.noted_enclave_agent();
    let mut child = scene
        .command(&["--ptau", "dev", "--enclave-agent", &agent, "--margin", "60"])
        .spawn()
        .unwrap();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let object: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if object["type"] == "stage" && object["stage"] == "round-assigned" {
            let pid = child.id().to_string();
            assert!(
                Command::new("kill")
                    .args(["-INT", &pid])
                    .status()
                    .unwrap()
                    .success()
            );
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!scene.path("bundle").exists());
    assert_gone(&note);
}

#[test]
fn a_controller_that_is_killed_leaves_no_process() {
    let Some(scene) = Scene::new(SQUARE) else {
        return;
    };
    let (agent, note) = scene.noted_enclave_agent();
    let mut child = scene
        .command(&["--ptau", "dev", "--enclave-agent", &agent, "--margin", "60"])
        .spawn()
        .unwrap();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let object: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if object["type"] == "stage" && object["stage"] == "round-assigned" {
            child.kill().unwrap();
            break;
        }
    }
    child.wait().unwrap();
    assert_gone(&note);
}
