//! One whole ceremony, and what the other commands say about its bundle.

use std::process::Output;

use serde_json::Value;

use crate::scene::{SQUARE, Scene, last_object};

fn objects(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_run_tells_its_stages_in_order_and_its_bundle_is_what_every_command_says_it_is() {
    let Some(scene) = Scene::new(SQUARE) else {
        return;
    };
    let output = scene.run(&["--ptau", "dev", "--O1"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let objects = objects(&output);
    assert!(objects.iter().all(|object| object["v"] == 1));
    assert_eq!(objects[0]["type"], "started");
    assert_eq!(objects[0]["simulation"], true);
    let stages: Vec<&str> = objects
        .iter()
        .filter(|object| object["type"] == "stage")
        .map(|object| object["stage"].as_str().unwrap())
        .collect();
    assert_eq!(
        stages,
        [
            "opened",
            "compiled",
            "phase1-ready",
            "initial-ready",
            "contributed",
            "committed",
            "round-assigned",
            "finalized",
            "sealed"
        ]
    );
    let verdict = last_object(&output);
    assert_eq!(verdict["type"], "verdict", "{verdict}");
    assert_eq!(verdict["verdict"], "holds_under_simulation", "{verdict}");

    // The ceremony is a simulation: nothing about it passes under AWS's root.
    let simulated = scene.controller(&["verify", "bundle", "--trust", "simulation"]);
    assert_eq!(simulated.status.code(), Some(5), "{simulated:?}");
    let aws = scene.controller(&["verify", "bundle"]);
    assert_eq!(aws.status.code(), Some(1), "{aws:?}");

    let mut judged = 0;
    for file in [
        "final.zkey",
        "verification_key.json",
        "verifier.sol",
        "verifier.runtime.hex",
    ] {
        let path = scene.find(file);
        let checked = scene.controller(&["check", path.to_str().unwrap()]);
        assert_eq!(checked.status.code(), Some(0), "{file}: {checked:?}");
        judged += 1;
    }
    // A document under a simulated root holds as such; a round of a chain that is not pinned
    // cannot be checked by itself.
    for (file, code) in [
        ("final.zkey", 0),
        ("circuit.r1cs", 0),
        ("manifest", 0),
        ("beacon.json", 3),
        ("attestation-1.cbor", 5),
    ] {
        let path = scene.find(file);
        let inspected = scene.controller(&["inspect", path.to_str().unwrap()]);
        assert_eq!(inspected.status.code(), Some(code), "{file}: {inspected:?}");
        judged += 1;
    }
    assert_eq!(judged, 9);

    // A second run into the same folder takes nothing away.
    let again = scene.run(&["--ptau", "dev"]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert_eq!(last_object(&again)["code"], "out_exists");
    let kept = scene.controller(&["verify", "bundle", "--trust", "simulation"]);
    assert_eq!(kept.status.code(), Some(5), "{kept:?}");
}
