//! snarkjs as the foreign referee. Its exit code says nothing on several commands (it ends with 0
//! after errors), so verdicts are read from what it prints and files are looked at.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The installed snarkjs, if `npm ci` has been run.
#[derive(Clone, Debug)]
pub struct Snarkjs {
    script: PathBuf,
}

impl Snarkjs {
    /// Finds it in the checkout's `node_modules`; says so where it is missing.
    #[must_use]
    pub fn find() -> Option<Self> {
        let script = testkit::workspace_root().join("node_modules/snarkjs/build/cli.cjs");
        if script.exists() {
            return Some(Self { script });
        }
        testkit::skipped("snarkjs is not installed: run scripts/setup");
        None
    }

    /// Runs one command and returns all it printed.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let output = Command::new("node")
            .arg(&self.script)
            .args(arguments)
            .output()
            .expect("node runs");
        let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
        printed.push_str(&String::from_utf8_lossy(&output.stderr));
        printed
    }

    /// `snarkjs groth16 setup`.
    pub fn setup(&self, r1cs: &Path, ptau: &Path, zkey: &Path) -> String {
        self.run(&[
            "groth16".as_ref(),
            "setup".as_ref(),
            r1cs.as_os_str(),
            ptau.as_os_str(),
            zkey.as_os_str(),
        ])
    }

    /// `snarkjs zkey verify`: whether it accepts the key for the circuit and the ptau.
    pub fn accepts(&self, r1cs: &Path, ptau: &Path, zkey: &Path) -> bool {
        let printed = self.run(&[
            "zkv".as_ref(),
            r1cs.as_os_str(),
            ptau.as_os_str(),
            zkey.as_os_str(),
        ]);
        printed.contains("ZKey Ok!")
    }
}
