//! Several enclaves in sequence, and a key that people have contributed to with snarkjs.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::scene::{SQUARE, Scene, last_object};

fn steps(output: &Output, id: &str) -> Vec<(String, String)> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|object| object["type"] == "step" && object["id"] == id)
        .map(|object| {
            let text = |field: &str| object[field].as_str().unwrap().to_owned();
            (text("status"), text("detail"))
        })
        .collect()
}

#[test]
fn two_enclaves_in_sequence_leave_bundles_that_are_one_chain() {
    let Some(scene) = Scene::new(SQUARE) else {
        return;
    };
    let output = scene.run(&["--ptau", "dev", "--enclaves", "2"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let verify = ["--json", "verify", "bundle", "--trust", "simulation"];
    let verified = scene.controller(&verify);
    assert_eq!(verified.status.code(), Some(5), "{verified:?}");
    let links = steps(&verified, "link:2");
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].0, "passed");
    let contributions = steps(&verified, "contributions");
    assert_eq!(contributions.len(), 2);
    assert!(!contributions[0].1.contains("before the enclave"));
    assert!(contributions[1].1.contains("before the enclave: 2 beacon"));

    // The same bundles in the other order are two genuine bundles and no chain.
    fs::rename(scene.path("bundle/1"), scene.path("bundle/x")).unwrap();
    fs::rename(scene.path("bundle/2"), scene.path("bundle/1")).unwrap();
    fs::rename(scene.path("bundle/x"), scene.path("bundle/2")).unwrap();
    let swapped = scene.controller(&verify);
    assert_eq!(swapped.status.code(), Some(1), "{swapped:?}");
    let links = steps(&swapped, "link:2");
    assert_eq!(links[0].0, "failed");
    assert!(
        links[0].1.contains("[verify_link_initial_key]"),
        "{links:?}"
    );
}

fn snarkjs(arguments: &[&std::ffi::OsStr]) -> String {
    let script = testkit::workspace_root().join("node_modules/snarkjs/build/cli.cjs");
    let output = Command::new("node")
        .arg(script)
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn manifest_line(bundle: &Path, key: &str) -> String {
    let text = fs::read_to_string(bundle.join("manifest")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.unwrap().trim().to_owned()
}

#[test]
fn a_key_of_people_with_snarkjs_gets_an_attested_contribution() {
    let script = testkit::workspace_root().join("node_modules/snarkjs/build/cli.cjs");
    if !script.exists() {
        testkit::skipped("snarkjs is not installed: run scripts/setup");
        return;
    }
    let Some(scene) = Scene::new(SQUARE) else {
        return;
    };
    // r1cs and power of the circuit, from a ceremony with a fresh key.
    let output = scene.run(&["--ptau", "dev"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let bundle = scene.path("bundle");
    let power: u32 = manifest_line(&bundle, "phase1.power ").parse().unwrap();
    let (r1cs, ptau) = (bundle.join("circuit.r1cs"), scene.path("dev.ptau"));
    let mut file = fs::File::create(&ptau).unwrap();
    devptau::write(power, &mut file, &formats::progress::NoProgress).unwrap();
    let key = |number: u8| scene.path(&format!("{number:04}.zkey"));
    snarkjs(&[
        "groth16".as_ref(),
        "setup".as_ref(),
        r1cs.as_os_str(),
        ptau.as_os_str(),
        key(0).as_os_str(),
    ]);
    for (number, name) in [(1, "--name=Ann"), (2, "--name=Bob")] {
        snarkjs(&[
            "zkey".as_ref(),
            "contribute".as_ref(),
            key(number - 1).as_os_str(),
            key(number).as_os_str(),
            name.as_ref(),
            "-e=some words".as_ref(),
        ]);
    }

    fs::rename(&bundle, scene.path("fresh")).unwrap();
    let output = scene.run(&[
        "--ptau",
        "dev",
        "--initial",
        "0002.zkey",
        "--name",
        "enclave",
    ]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let seen = steps(&output, "contributions");
    for part in ["Ann", "Bob", "name (unauthenticated)", "enclave"] {
        assert!(seen[0].1.contains(part), "{seen:?}");
    }
    assert_eq!(manifest_line(&bundle, "spec.initial.mode "), "chain");
    assert!(manifest_line(&bundle, "predecessor.1 ").ends_with(" contribution Bob"));
    let full = scene.controller(&[
        "verify",
        "bundle",
        "--trust",
        "simulation",
        "--depth",
        "full",
        "--ptau",
        "dev",
        "--modules",
        testkit::modules_folder().to_str().unwrap(),
    ]);
    assert_eq!(full.status.code(), Some(5), "{full:?}");
    let printed = snarkjs(&[
        "zkv".as_ref(),
        r1cs.as_os_str(),
        ptau.as_os_str(),
        bundle.join("final.zkey").as_os_str(),
    ]);
    assert!(printed.contains("ZKey Ok!"), "{printed}");

    // A key without contributions is none to add to.
    let refused = scene.controller(&[
        "--json",
        "run",
        "main.circom",
        "--local",
        "--ptau",
        "dev",
        "--out",
        "other",
        "--initial",
        "0000.zkey",
    ]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert_eq!(last_object(&refused)["code"], "usage");
}
