//! Circuits made by others: the published r1cs digests, and bad circuits with their own errors.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use circom::sources::collect;
use circom::{CircomOptions, Limits};
use common::{compile, compile_with, compiler};
use sha2::{Digest as _, Sha256};

/// Folders with the npm packages that the circuits include: the checkout's own for circomlib, and
/// `tests/npm` (filled by `npm ci --ignore-scripts` there) for the others.
fn packages() -> Vec<PathBuf> {
    let root = testkit::workspace_root();
    ["node_modules", "tests/npm/node_modules"]
        .iter()
        .map(|folder| root.join(folder))
        .filter(|folder| folder.is_dir())
        .collect()
}

/// A library folder laid out as the circuits want it, made of links.
fn library(room: &Path) -> PathBuf {
    let library = room.join("node_modules");
    let link = |from: &str, to: &str| {
        let found = packages().into_iter().map(|folder| folder.join(from));
        if let Some(found) = found.into_iter().find(|path| path.is_dir()) {
            let place = library.join(to);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(found, place).unwrap();
        }
    };
    std::fs::create_dir_all(&library).unwrap();
    link("circomlib", "circomlib");
    link("@zk-email/circuits", "@zk-email/circuits");
    link("@unirep/circuits/circuits", "@unirep/circuits");
    library
}

#[test]
fn published_circuits_give_the_published_r1cs() {
    let Some(file) = testkit::shared_data("circuits/expected.json") else {
        return;
    };
    if compiler().is_none() {
        return;
    }
    let room = tempfile::tempdir().unwrap();
    let library = library(room.path());
    let cases: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let mut compared = 0;
    for (name, case) in cases.as_object().unwrap() {
        let circuit = file.with_file_name(format!("{name}.circom"));
        if !circuit.exists() {
            testkit::skipped(&format!("{name}: no such circuit file here"));
            continue;
        }
        let needed = case["npm"].as_str().unwrap();
        let missing = ["circomlib", "@zk-email/circuits", "@unirep/circuits"]
            .iter()
            .find(|package| needed.contains(**package) && !library.join(package).exists());
        if let Some(package) = missing {
            testkit::skipped(&format!("{name}: no npm package {package}, see tests/npm"));
            continue;
        }
        let bundle = collect(&circuit, std::slice::from_ref(&library)).unwrap();
        for level in ["O1", "O2"] {
            let expected = case[format!("native-{level}")]["r1cs_sha256"]
                .as_str()
                .unwrap();
            let options: CircomOptions = format!("--{level} --prime bn128").parse().unwrap();
            let compiled = compile_with(&bundle, options, &Limits::default()).unwrap();
            let got = hex::encode(Sha256::digest(&compiled.r1cs));
            assert_eq!(got, expected, "{name} {level}");
            compared += 1;
        }
    }
    assert!(compared >= 2, "the circuit without libraries at least");
}

#[test]
fn r15_bad_circuits_are_judged_each_with_its_own_error() {
    let Some(folder) = testkit::shared_data("circuits/bad") else {
        return;
    };
    if compiler().is_none() {
        return;
    }
    let judge = |name: &str| -> String {
        let bundle = match collect(&folder.join(name), &[]) {
            Ok(bundle) => bundle,
            Err(error) => return error.code().to_owned(),
        };
        let limits = Limits {
            time: Duration::from_secs(5),
            ..Limits::default()
        };
        match compile_with(&bundle, CircomOptions::default(), &limits) {
            Ok(_) => "compiled".to_owned(),
            Err(error) => error.code().to_owned(),
        }
    };
    for (name, expected) in [
        ("m01_syntax_error.circom", "circuit_refused"),
        ("sub/m03_include_traversal.circom", "include_not_circom"),
        ("m05_no_main.circom", "circuit_no_main"),
        ("m07_custom_templates.circom", "circuit_custom_gates"),
        ("m09_infinite_loop.circom", "circuit_timeout"),
        ("m11_enormous_array.circom", "circuit_out_of_memory"),
        ("m13_underconstrained.circom", "circuit_zero_constraints"),
        ("m15_zero_constraints.circom", "circuit_zero_constraints"),
        ("m17_public_unknown_signal.circom", "circuit_refused"),
        ("m19_div_by_zero.circom", "circuit_refused"),
        ("m21_non_utf8.circom", "source_not_utf8"),
        ("m23_empty.circom", "circuit_no_main"),
        ("m25_nonquadratic.circom", "circuit_refused"),
        ("m27_constant_only.circom", "compiled"),
        ("-m29_dash_name.circom", "compiled"),
        ("inc/loop_a.circom", "circuit_no_main"),
    ] {
        assert_eq!(judge(name), expected, "{name}");
    }
}

#[test]
fn the_example_circuit_compiles() {
    let root = testkit::workspace_root();
    let library = root.join("node_modules/circomlib/circuits");
    if !library.is_dir() {
        testkit::skipped("no npm package circomlib: run scripts/setup");
        return;
    }
    if compiler().is_none() {
        return;
    }
    let main = root.join("examples/membership/membership.circom");
    let compiled = compile(&collect(&main, &[library]).unwrap()).unwrap();
    let printed = compiled.report.printed.as_str();
    assert!(printed.contains("public outputs: 2"), "{printed}");
    assert!(printed.contains("public inputs: 2"), "{printed}");
}
