//! The foreign referee: snarkjs's own contract for the same key.

use std::io::Write as _;
use std::process::{Command, Stdio};

use manifest::solidity::{G1Point, G2Point, VerifierKey};

/// The source that snarkjs exports for a key, or `None` with a loud word where it is not installed.
///
/// It runs snarkjs's own template with its own engine, as `zkey export solidityverifier` does.
pub(crate) fn exported_source(key: &VerifierKey) -> Option<String> {
    let root = testkit::workspace_root();
    if !root.join("node_modules/snarkjs").exists() {
        testkit::skipped("no node_modules/snarkjs: run `npm ci --ignore-scripts`");
        return None;
    }
    let script = "
        const fs = require('fs');
        const ejs = require('ejs');
        const template = fs.readFileSync('node_modules/snarkjs/templates/verifier_groth16.sol.ejs', 'utf8');
        const key = JSON.parse(fs.readFileSync(0, 'utf8'));
        process.stdout.write(ejs.render(template, key));
    ";
    let mut child = Command::new("node")
        .args(["-e", script])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(json(key).as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The key as `verification_key.json` has it.
fn json(key: &VerifierKey) -> String {
    let input: Vec<String> = key.input().iter().map(g1).collect();
    format!(
        r#"{{"nPublic":{},"vk_alpha_1":{},"vk_beta_2":{},"vk_gamma_2":{},"vk_delta_2":{},"IC":[{}]}}"#,
        key.signals(),
        g1(key.alpha()),
        g2(key.beta()),
        g2(key.gamma()),
        g2(key.delta()),
        input.join(",")
    )
}

fn g1(point: &G1Point) -> String {
    format!(r#"["{}","{}","1"]"#, point.x, point.y)
}

fn g2(point: &G2Point) -> String {
    let [[x0, x1], [y0, y1]] = [point.x, point.y];
    format!(r#"[["{x0}","{x1}"],["{y0}","{y1}"],["1","0"]]"#)
}
