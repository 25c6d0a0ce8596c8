//! A folder with a circuit, and the programs to run a ceremony in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The smallest circuit there is.
pub(crate) const SQUARE: &str = "pragma circom 2.0.0;\ntemplate T() { signal input a; signal output b; b <== a * a; }\ncomponent main = T();\n";

/// The programs and modules of a local run, if they were built (`scripts/setup`).
struct Installed {
    enclave_agent: PathBuf,
    modules: PathBuf,
}

fn installed() -> Option<Installed> {
    let modules = testkit::modules(&["circom.wasm", "solc.wasm"])?;
    let beside = Path::new(env!("CARGO_BIN_EXE_controller")).parent()?;
    for program in ["host-agent", "enclave-agent-simulated"] {
        if !beside.join(program).exists() {
            testkit::skipped(&format!("no {program}: run scripts/setup"));
            return None;
        }
    }
    Some(Installed {
        enclave_agent: beside.join("enclave-agent-simulated"),
        modules,
    })
}

pub(crate) struct Scene {
    folder: tempfile::TempDir,
    installed: Installed,
}

impl Scene {
    pub(crate) fn new(circuit: &str) -> Option<Self> {
        let installed = installed()?;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("main.circom"), circuit).unwrap();
        Some(Self { folder, installed })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, extra: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_controller"));
        command
            .args([
                "--json",
                "run",
                "main.circom",
                "--local",
                "--out",
                "bundle",
                "--store",
                "store",
            ])
            .arg("--modules")
            .arg(&self.installed.modules)
            .args(extra)
            .current_dir(self.folder.path())
            .env("TMPDIR", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Another command, in the same folder.
    pub(crate) fn controller(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_controller"))
            .args(args)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    /// A file of the bundle, in whichever of its folders.
    pub(crate) fn find(&self, name: &str) -> PathBuf {
        let mut folders = vec![self.path("bundle")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|found| found == name) {
                    return path;
                }
            }
        }
        panic!("the bundle has no {name}");
    }

    pub(crate) fn run(&self, extra: &[&str]) -> Output {
        self.command(extra).output().unwrap()
    }

    /// A stand-in for the enclave-agent that notes its process id and becomes the real one.
    pub(crate) fn noted_enclave_agent(&self) -> (String, PathBuf) {
        self.noted(&self.installed.enclave_agent)
    }

    /// The same for the program that boots an image.
    pub(crate) fn noted_emulator(&self) -> (String, PathBuf) {
        self.noted(
            &self
                .installed
                .enclave_agent
                .with_file_name("enclave-emulator"),
        )
    }

    fn noted(&self, program: &Path) -> (String, PathBuf) {
        let (script, note) = (self.path("agent.sh"), self.path("agent.pid"));
        let text = format!(
            "#!/bin/sh\necho $$ > {}\nexec {} \"$@\"\n",
            note.display(),
            program.display()
        );
        fs::write(&script, text).unwrap();
        testkit::make_executable(&script).unwrap();
        (script.display().to_string(), note)
    }
}

/// The last of the lines that `--json` prints.
pub(crate) fn last_object(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_else(|| panic!("{output:?}"));
    serde_json::from_str(last).unwrap()
}

fn is_alive(pid: &str) -> bool {
    // A zombie is nobody's child any more once its parent has ended.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// The process that was noted has ended, or does so soon.
pub(crate) fn assert_gone(note: &Path) {
    let pid = fs::read_to_string(note).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while is_alive(pid.trim()) {
        assert!(
            Instant::now() < deadline,
            "process {} left behind",
            pid.trim()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
