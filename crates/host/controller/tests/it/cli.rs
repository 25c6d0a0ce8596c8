//! What the program says and how it ends, run as a user runs it. `UPDATE_SNAPSHOTS=1` rewrites the
//! texts in `tests/snapshots`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn controller(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_controller"))
        .args(args)
        .current_dir(folder)
        .env_remove("CEREMONY_MODULES")
        .env_remove("CEREMONY_STATE")
        .env("NO_COLOR", "1")
        .env("CI", "1")
        .env("COLUMNS", "100")
        .output()
        .unwrap()
}

fn snapshot(name: &str, folder: &Path, output: &Output) {
    let text = format!(
        "exit: {}\n--- stdout\n{}--- stderr\n{}",
        output
            .status
            .code()
            .map_or_else(|| "signal".to_owned(), |code| code.to_string()),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    )
    .replace(&folder.display().to_string(), "FOLDER")
    .replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{}", path.display());
}

fn check(name: &str, args: &[&str], code: i32) -> String {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::write(root.join("adder.circom"), "pragma circom 2.0.0;\ntemplate T() { signal input a; signal output b; b <== a * a; }\ncomponent main = T();\n").unwrap();
    std::fs::write(
        root.join("missing.circom"),
        "pragma circom 2.0.0;\ninclude \"nowhere.circom\";\ncomponent main = T();\n",
    )
    .unwrap();
    std::fs::create_dir(root.join("full")).unwrap();
    std::fs::write(root.join("full/file"), "x").unwrap();
    std::fs::write(root.join("junk.zkey"), "junk").unwrap();
    std::fs::write(root.join("junk.json"), "{").unwrap();
    let output = controller(&root, args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    snapshot(name, &root, &output);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_texts() {
    check("help.txt", &["--help"], 0);
    check("help-run.txt", &["run", "--help"], 0);
    check("help-plan.txt", &["plan", "--help"], 0);
    check("help-verify.txt", &["verify", "--help"], 0);
    check("help-check.txt", &["check", "--help"], 0);
    check("help-doctor.txt", &["doctor", "--help"], 0);
    check("help-publish.txt", &["publish", "--help"], 0);
}

#[test]
fn wrong_usage_ends_with_2() {
    check("no-command.txt", &[], 2);
    check(
        "run-not-local.txt",
        &["run", "adder.circom", "--out", "b", "--ptau", "dev"],
        2,
    );
    check(
        "run-local-region.txt",
        &[
            "run",
            "adder.circom",
            "--local",
            "--ptau",
            "dev",
            "--out",
            "b",
            "--region",
            "eu-central-1",
        ],
        2,
    );
    check(
        "run-no-ptau.txt",
        &["run", "adder.circom", "--local", "--out", "b"],
        2,
    );
    check(
        "run-out-full.txt",
        &[
            "run",
            "adder.circom",
            "--local",
            "--ptau",
            "dev",
            "--out",
            "full",
        ],
        2,
    );
    check(
        "run-bad-nonce.txt",
        &[
            "run",
            "adder.circom",
            "--local",
            "--ptau",
            "dev",
            "--out",
            "b",
            "--nonce",
            "12",
        ],
        2,
    );
}

#[test]
fn what_cannot_be_done_ends_with_3_and_a_hint() {
    check(
        "run-no-circuit.txt",
        &[
            "run",
            "none.circom",
            "--local",
            "--ptau",
            "dev",
            "--out",
            "b",
        ],
        3,
    );
    check(
        "run-missing-include.txt",
        &[
            "run",
            "missing.circom",
            "--local",
            "--ptau",
            "dev",
            "--out",
            "b",
        ],
        3,
    );
    check(
        "run-no-modules.txt",
        &[
            "run",
            "adder.circom",
            "--local",
            "--ptau",
            "dev",
            "--out",
            "b",
            "--modules",
            "none",
            "--host-agent",
            "adder.circom",
            "--enclave-agent",
            "adder.circom",
        ],
        3,
    );
    check(
        "verify-no-bundle.txt",
        &["verify", "none", "--trust", "simulation"],
        3,
    );
    check("check-no-file.txt", &["check", "none.zkey"], 3);
}

#[test]
fn what_is_no_key_is_not_a_key_that_holds() {
    check("check-junk-zkey.txt", &["check", "junk.zkey"], 1);
    check("check-junk-vkey.txt", &["check", "junk.json"], 1);
}

#[test]
fn errors_are_objects_under_json() {
    let out = check(
        "json-error.txt",
        &["--json", "run", "adder.circom", "--local", "--out", "b"],
        2,
    );
    let object: serde_json::Value = serde_json::from_str(out.trim()).unwrap();
    assert_eq!(object["v"], 1);
    assert_eq!(object["type"], "error");
    assert_eq!(object["code"], "usage");
    assert!(object["hint"].is_string());
}

#[test]
fn a_closed_pipe_is_quiet() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_controller"))
        .args(["completions", "bash"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}
