//! Two emulators, a release, and a workstation that a controller runs on.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use aws::{AwsAccount, Session, Settings};
use cloud::{Account, BucketName, InstanceState, RunId, Services, Which, tags};
use serde_json::Value;
use sha2::{Digest, Sha256};
use testkit::{Emulator, EmulatorKind};

pub(crate) const REGION: &str = "eu-central-1";
/// A line of the controller's output comes within this time: a loaded machine compiles for a minute.
const PATIENCE: Duration = Duration::from_mins(5);
/// An image of the accepted form.
const IMAGE: &str = "tests/vectors/eif/accepted-eif_build-0.2.1.eif";
/// The smallest circuit there is.
const SQUARE: &str = "pragma circom 2.0.0;\ntemplate T() { signal input a; signal output b; b <== a * a; }\ncomponent main = T();\n";

pub(crate) struct World {
    /// Identity, stacks, machines.
    moto: Emulator,
    /// Objects.
    s3: Emulator,
    folder: tempfile::TempDir,
    pub(crate) modules: PathBuf,
}

impl World {
    /// `None` where the emulators cannot be installed, which was said.
    pub(crate) fn new() -> Option<Self> {
        let world = Self {
            moto: Emulator::start(EmulatorKind::Moto)?,
            s3: Emulator::start(EmulatorKind::Ministack)?,
            folder: tempfile::tempdir().unwrap(),
            modules: testkit::modules(&["circom.wasm", "solc.wasm"])
                .expect("scripts/test-aws installs the modules"),
        };
        fs::write(world.path("main.circom"), SQUARE).unwrap();
        world.write_release();
        Some(world)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What `scripts/release` makes, unsigned, with the development programs of this build.
    fn write_release(&self) {
        let release = self.path("release");
        fs::create_dir(&release).unwrap();
        let image = testkit::workspace_root().join(IMAGE);
        fs::copy(image, release.join("ceremony.eif")).unwrap();
        fs::copy(program("host-agent"), release.join("host-agent")).unwrap();
        for module in ["circom.wasm", "solc.wasm"] {
            fs::copy(self.modules.join(module), release.join(module)).unwrap();
        }
        let image = release.join("ceremony.eif");
        let measured = self.controller(&["--json", "pcrs", image.to_str().unwrap()]);
        assert!(measured.status.success(), "{measured:?}");
        fs::write(release.join("pcr-values.json"), measured.stdout).unwrap();
        let mut sums = String::new();
        for entry in fs::read_dir(&release).unwrap() {
            let path = entry.unwrap().path();
            let digest = hex::encode(Sha256::digest(fs::read(&path).unwrap()));
            let name = path.file_name().unwrap().to_str().unwrap();
            sums.extend([digest.as_str(), "  ", name, "\n"]);
        }
        fs::write(release.join("SHA256SUMS"), sums).unwrap();
    }

    /// A program of this build, with everything that would otherwise lead to AWS led to the emulators.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_remove("AWS_PROFILE")
            .env("AWS_CONFIG_FILE", self.path("none"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.path("none"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "emulated")
            .env("AWS_REGION", REGION)
            .env("AWS_ENDPOINT_URL", self.moto.url())
            .env("AWS_ENDPOINT_URL_S3", self.s3.url())
            .env("CEREMONY_MODULES", &self.modules)
            .env("TMPDIR", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// A command that ends by itself.
    pub(crate) fn controller(&self, args: &[&str]) -> Output {
        let mut command = self.command(&program("controller"));
        command.args(args).output().unwrap()
    }

    /// `controller run --cloud aws`, simulated.
    pub(crate) fn begin(&self, state: &str, out: &str) -> Controller {
        let args = [
            "run",
            "main.circom",
            "--cloud",
            "aws",
            "--release",
            "release",
            "--trust",
            "simulation",
            "--ptau",
            "dev",
            "--beacon",
            "local",
            "--max-usd",
            "5",
            "--yes",
            "--state",
            state,
            "--out",
            out,
        ];
        self.follow(&args)
    }

    /// A command whose output is read while it runs.
    pub(crate) fn follow(&self, args: &[&str]) -> Controller {
        let mut command = self.command(&program("controller"));
        let mut child = command
            .arg("--json")
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if send.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        let seen = Mutex::default();
        Controller { child, lines, seen }
    }

    fn services(url: String) -> (AwsAccount, Services) {
        let session = Session::open(&Settings {
            region: Some(REGION.to_owned()),
            profile: None,
            emulator: Some(url),
        });
        let account = AwsAccount::new(session.unwrap());
        let services = account.services(&REGION.parse().unwrap());
        (account, services)
    }

    /// Stacks and machines, as somebody else sees them.
    pub(crate) fn compute(&self) -> Services {
        Self::services(self.moto.url()).1
    }

    /// Buckets, as somebody else sees them.
    pub(crate) fn buckets(&self) -> Services {
        Self::services(self.s3.url()).1
    }

    pub(crate) fn bucket(&self, run: &RunId) -> BucketName {
        let account = Self::services(self.moto.url()).0.caller().unwrap().account;
        run.bucket(&account).unwrap()
    }

    /// What bills, at either emulator, whatever its tags.
    pub(crate) fn billing(&self, run: &RunId) -> Vec<String> {
        let compute = self.compute();
        let stacks = compute.stacks.list(tags::RUN).unwrap();
        let machines = compute.compute.instances(Which::OfRun(run)).unwrap();
        let volumes = compute.compute.volumes(Which::OfRun(run)).unwrap();
        let buckets = self.buckets().buckets.list("attested-ceremony").unwrap();
        let machines = machines
            .iter()
            .filter(|machine| machine.state != InstanceState::Terminated);
        let stacks = stacks.iter().map(|stack| format!("stack {}", stack.id));
        let machines = machines.map(|machine| format!("instance {}", machine.id));
        let volumes = volumes.iter().map(|volume| format!("volume {}", volume.id));
        let buckets = buckets
            .iter()
            .map(|bucket| format!("bucket {}", bucket.name));
        stacks
            .chain(machines)
            .chain(volumes)
            .chain(buckets)
            .collect()
    }
}

/// A program of this build.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = testkit::target().join("release").join(name);
    assert!(
        path.exists(),
        "{} is not there: scripts/test-aws builds the programs first",
        path.display()
    );
    path
}

/// A controller at work.
pub(crate) struct Controller {
    child: Child,
    lines: Receiver<Value>,
    seen: Mutex<Vec<Value>>,
}

impl Controller {
    /// Waits for an object; gives it.
    pub(crate) fn wait_for(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let Ok(object) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no {what}; seen: {:#?}", self.seen.lock().unwrap());
            };
            self.seen.lock().unwrap().push(object.clone());
            if wanted(&object) {
                return object;
            }
        }
    }

    pub(crate) fn wait_for_type(&self, kind: &str) -> Value {
        self.wait_for(kind, |object| object["type"] == kind)
    }

    /// The run's id, which the controller tells before it makes anything.
    pub(crate) fn run(&self) -> RunId {
        let started = self.wait_for_type("started");
        assert_eq!(started["simulation"], true);
        started["run"].as_str().unwrap().parse().unwrap()
    }

    /// As a crash or a power failure ends it: without a last word.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Its exit code, and everything that it said.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<Value>) {
        let status = self.child.wait().unwrap();
        let rest: Vec<Value> = self.lines.iter().collect();
        let mut seen = self.seen.into_inner().unwrap();
        seen.extend(rest);
        (status.code(), seen)
    }
}
