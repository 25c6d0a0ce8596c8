//! The foreign referees: snarkjs's own contract for the same key, and the compiler under Node.

use std::io::Write as _;
use std::process::{Command, Stdio};

use manifest::solidity::{G1Point, G2Point, VerifierKey};

use crate::modules;

/// What the compiler under Node answers to an input, or `None` where the package is not installed.
pub(crate) fn node_answer(input: &str) -> Option<String> {
    modules::soljson()?;
    Some(node(
        "
        const compiler = require('./node_modules/solc/soljson.js');
        const compile = compiler.cwrap('solidity_compile', 'string', ['string', 'number', 'number']);
        process.stdout.write(compile(require('fs').readFileSync(0, 'utf8'), 0, 0));
        ",
        input,
    ))
}

/// The source that snarkjs exports for a key, or `None` with a loud word where it is not installed.
///
/// It runs snarkjs's own template with its own engine, as `zkey export solidityverifier` does.
pub(crate) fn exported_source(key: &VerifierKey) -> Option<String> {
    let root = testkit::workspace_root();
    if !root.join("node_modules/snarkjs").exists() {
        testkit::skipped("no node_modules/snarkjs: run `npm ci --ignore-scripts`");
        return None;
    }
    Some(node(
        "
        const fs = require('fs');
        const ejs = require('ejs');
        const template = fs.readFileSync('node_modules/snarkjs/templates/verifier_groth16.sol.ejs', 'utf8');
        process.stdout.write(ejs.render(template, JSON.parse(fs.readFileSync(0, 'utf8'))));
        ",
        &json(key),
    ))
}

/// What a script for Node prints, run in the checkout with this standard input.
fn node(script: &str, input: &str) -> String {
    let mut child = Command::new("node")
        .args(["-e", script])
        .current_dir(testkit::workspace_root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(input.as_bytes()).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
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
