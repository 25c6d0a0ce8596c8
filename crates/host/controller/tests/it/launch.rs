//! `run --cloud` in a fake cloud: what is refused before anything is made, and what is left when a run ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use cloud_fake::{Behaviour, FakeCloud, Settings};
use controller::cli::Cli;
use controller::{Exit, Printer};
use sha2::{Digest, Sha256};

use crate::cloud::Fake;
use crate::scene::SQUARE;

/// An image of the accepted form (`tests/vectors/eif`).
const IMAGE: &str = "tests/vectors/eif/accepted-eif_build-0.2.1.eif";

struct Scene {
    fake: Fake,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new(change: impl FnOnce(&mut Settings)) -> Option<Self> {
        let modules = testkit::modules(&["circom.wasm", "solc.wasm"])?;
        let mut settings = Settings::default();
        change(&mut settings);
        let scene = Self {
            fake: Fake(FakeCloud::new(settings)),
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(scene.path("main.circom"), SQUARE).unwrap();
        scene.write_release(&modules);
        scene.fake.0.arm(None);
        Some(scene)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What `scripts/release` makes, unsigned.
    fn write_release(&self, modules: &Path) {
        let release = self.path("release");
        fs::create_dir(&release).unwrap();
        let image = testkit::workspace_root().join(IMAGE);
        fs::copy(image, release.join("ceremony.eif")).unwrap();
        let program = env!("CARGO_BIN_EXE_controller");
        fs::copy(program, release.join("host-agent")).unwrap();
        for module in ["circom.wasm", "solc.wasm"] {
            fs::copy(modules.join(module), release.join(module)).unwrap();
        }
        let measured = Command::new(program)
            .args(["--json", "pcrs"])
            .arg(release.join("ceremony.eif"))
            .output()
            .unwrap();
        assert!(measured.status.success(), "{measured:?}");
        fs::write(release.join("pcr-values.json"), measured.stdout).unwrap();
        self.write_sums();
    }

    fn write_sums(&self) {
        let release = self.path("release");
        let mut sums = String::new();
        for entry in fs::read_dir(&release).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name != "SHA256SUMS" {
                let digest = hex::encode(Sha256::digest(fs::read(&path).unwrap()));
                sums.extend([digest.as_str(), "  ", &name, "\n"]);
            }
        }
        fs::write(release.join("SHA256SUMS"), sums).unwrap();
    }

    fn types(&self, args: &[&str]) -> Exit {
        let cli = Cli::try_parse_from([&["controller", "--json"], args].concat())
            .unwrap_or_else(|error| panic!("{error}"));
        let printer = Printer::new(&cli.output, true);
        controller::run_with(cli.command, &printer, &self.fake)
    }

    fn run(&self, extra: &[&str]) -> Exit {
        let (circuit, release) = (self.path("main.circom"), self.path("release"));
        let (out, state) = (self.path("bundle"), self.path("state"));
        let args = [
            "run",
            circuit.to_str().unwrap(),
            "--cloud",
            "aws",
            "--release",
            release.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
            "--state",
            state.to_str().unwrap(),
            "--yes",
        ];
        self.types(&[&args[..], extra].concat())
    }

    /// The runs that this machine knows.
    fn runs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("state/runs")) else {
            return Vec::new();
        };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    fn assert_nothing_was_made(&self) {
        let calls = self.fake.0.calls();
        let made = calls
            .iter()
            .find(|call| call.action.contains(":Create") || call.action.contains(":Put"));
        assert!(made.is_none(), "{made:?}");
        assert_eq!(self.fake.0.leftovers(), [""; 0]);
    }
}

#[test]
fn r44_a_run_that_may_be_too_dear_or_too_long_is_not_begun() {
    let Some(scene) = Scene::new(|_| {}) else {
        return;
    };
    assert_eq!(scene.run(&["--max-usd", "0.01"]), Exit::Incomplete);
    assert_eq!(scene.run(&["--max-minutes", "1"]), Exit::Incomplete);
    scene.assert_nothing_was_made();
    assert_eq!(scene.runs(), [""; 0]);
}

#[test]
fn what_the_machine_would_refuse_is_refused_here() {
    let Some(scene) = Scene::new(|_| {}) else {
        return;
    };
    for (circuit, exit) in [
        (SQUARE.replace("a * a", "a * c"), Exit::Incomplete),
        ("pragma circom 2.0.0;\n".to_owned(), Exit::Incomplete),
        ("include \"nowhere.circom\";\n".to_owned(), Exit::Incomplete),
    ] {
        fs::write(scene.path("main.circom"), &circuit).unwrap();
        assert_eq!(scene.run(&[]), exit, "{circuit}");
    }
    fs::write(scene.path("main.circom"), SQUARE).unwrap();
    for (extra, exit) in [
        (&["--ptau", "dev"][..], Exit::Usage),
        (&["--beacon", "local"], Exit::Usage),
        (&["--ptau", "/tmp"], Exit::Usage),
        (&["--enclaves", "2"], Exit::Usage),
        (&["--instance-type", "t3.micro"], Exit::Usage),
        // Known, and not offered with this processor.
        (&["--instance-type", "r8g.4xlarge"], Exit::Incomplete),
        (&["--nonce", "12"], Exit::Usage),
        // An alarm cannot tell a topic of another region.
        (
            &[
                "--alarm-topic",
                "arn:aws:sns:ap-southeast-4:123456789012:alarms",
            ],
            Exit::Usage,
        ),
    ] {
        assert_eq!(scene.run(extra), exit, "{extra:?}");
    }
    scene.assert_nothing_was_made();
    assert_eq!(scene.runs(), [""; 0]);
}

#[test]
fn a_release_that_was_altered_is_refused() {
    let Some(scene) = Scene::new(|_| {}) else {
        return;
    };
    let alter = |name: &str, change: fn(&mut Vec<u8>)| {
        let path = scene.path("release").join(name);
        let before = fs::read(&path).unwrap();
        let mut bytes = before.clone();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        (path, before)
    };
    let append: fn(&mut Vec<u8>) = |bytes| bytes.push(b'x');
    for name in ["host-agent", "ceremony.eif", "circom.wasm", "solc.wasm"] {
        let (path, before) = alter(name, append);
        assert_eq!(scene.run(&[]), Exit::False, "{name}, not as listed");
        // The list too: then image and compilers are still not the ones of this version.
        scene.write_sums();
        if name != "host-agent" {
            assert_eq!(scene.run(&[]), Exit::False, "{name}, as listed");
        }
        fs::write(path, before).unwrap();
        scene.write_sums();
    }
    // Measurements of another image.
    let (path, before) = alter("pcr-values.json", |bytes| {
        let at = bytes.windows(4).position(|four| four == b"PCR1").unwrap() + 10;
        bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    });
    assert_eq!(scene.run(&[]), Exit::False);
    fs::write(path, before).unwrap();
    // Programs and image of different processors; no program at all.
    for byte in [0xb7, 0] {
        let (path, before) = alter("host-agent", |_| {});
        let mut bytes = before.clone();
        bytes[18] = byte;
        fs::write(&path, bytes).unwrap();
        scene.write_sums();
        assert_eq!(scene.run(&[]), Exit::False, "{byte}");
        fs::write(path, before).unwrap();
        scene.write_sums();
    }
    let (path, before) = alter("SHA256SUMS", Vec::clear);
    assert_eq!(scene.run(&[]), Exit::False);
    fs::write(path, before).unwrap();
    fs::remove_file(scene.path("release/solc.wasm")).unwrap();
    assert_eq!(scene.run(&[]), Exit::Incomplete);
    scene.assert_nothing_was_made();
}

#[test]
fn r46_a_run_that_fails_keeps_its_bucket_and_says_so() {
    let Some(scene) = Scene::new(|settings| settings.agent.behaviour = Behaviour::Fails) else {
        return;
    };
    let topic = "arn:aws:sns:eu-central-1:123456789012:alarms";
    let extra = ["--max-usd", "5", "--alarm-topic", topic];
    assert_eq!(scene.run(&extra), Exit::Incomplete);
    let left = scene.fake.0.leftovers();
    assert!(left.len() == 1 && left[0].starts_with("bucket"), "{left:?}");
    let [run] = &scene.runs()[..] else {
        panic!("{:?}", scene.runs())
    };
    let plan = fs::read_to_string(scene.path("state/runs").join(run).join("plan.json")).unwrap();
    assert!(plan.contains(topic), "{plan}");
    let state = scene.path("state");
    let state = state.to_str().unwrap();
    // The folder says where the bundle goes and under which trust, so the id is enough.
    assert_eq!(
        scene.types(&["resume", run, "--state", state]),
        Exit::Incomplete
    );
    assert_eq!(
        scene.types(&["destroy", run, "--state", state]),
        Exit::Success
    );
    assert_eq!(scene.fake.0.leftovers(), [""; 0]);
}

#[test]
fn the_same_run_is_not_begun_twice() {
    let Some(scene) = Scene::new(|settings| settings.agent.behaviour = Behaviour::Fails) else {
        return;
    };
    let nonce = "ab".repeat(32);
    assert_eq!(scene.run(&["--nonce", &nonce]), Exit::Incomplete);
    let made = scene.fake.0.calls().len();
    assert_eq!(scene.run(&["--nonce", &nonce]), Exit::Usage);
    assert_eq!(scene.fake.0.calls().len(), made, "it is refused here");
}

#[test]
fn a_simulated_run_is_resumed_as_one_and_proves_nothing() {
    let Some(scene) = Scene::new(|settings| settings.agent.work = Duration::from_mins(10)) else {
        return;
    };
    // The fake's artifacts are no bundle: what matters is that nobody asks for PCRs or for the trust again.
    let simulated = [
        "--trust",
        "simulation",
        "--ptau",
        "dev",
        "--beacon",
        "local",
    ];
    assert_eq!(scene.run(&simulated), Exit::Incomplete);
    let [run] = &scene.runs()[..] else {
        panic!("{:?}", scene.runs())
    };
    let (elsewhere, out) = (scene.path("elsewhere"), scene.path("other"));
    let args = [
        "fetch",
        run,
        "--out",
        out.to_str().unwrap(),
        "--state",
        elsewhere.to_str().unwrap(),
    ];
    assert_eq!(scene.types(&args), Exit::Incomplete, "not wrong usage");
}
