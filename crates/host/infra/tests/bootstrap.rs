//! The user data, run: on fake tags, a fake bucket and fake `dnf`, `shutdown`, `systemctl`. Everything it refuses is refused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use infra::host_config::{ARTIFACTS, HostConfig};
use serde_json::Value;
use sha2::{Digest, Sha256};

const RUN: &str = "run-0123456789abcdef";
const BUCKET: &str = "attested-ceremony-123456789012-run-0123456789abcdef";

/// Stands in for every command that would leave the folder.
const FAKE: &str = r#"#!/bin/bash
root=@ROOT@
name=$(basename "$0")
echo "$name $*" >> "$root/calls"
case "$name" in
  curl)
    url=${!#}
    case "$url" in
      */api/token) echo token ;;
      */placement/region) echo eu-central-1 ;;
      */tags/instance/*) cat "$root/tags/${url##*/}" ;;
      *) exit 22 ;;
    esac ;;
  aws)
    [ "$2" = get-object ] || exit 0
    shift 2
    while [ $# -gt 1 ]; do case "$1" in --bucket) bucket=$2 ;; --key) key=$2 ;; esac; shift; [ $# -gt 1 ] && shift; done
    cp "$root/bucket/$bucket/$key" "$1" || exit 254 ;;
esac
exit 0
"#;

struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let root = machine.root();
        for folder in [
            "bin",
            "tags",
            "opt",
            "etc/systemd/system",
            "run",
            "var/lib",
            "var/log",
            "dev",
        ] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let fake = FAKE.replace("@ROOT@", root.to_str().unwrap());
        for command in [
            "curl",
            "aws",
            "dnf",
            "shutdown",
            "systemctl",
            "systemd-run",
            "useradd",
            "id",
            "install",
        ] {
            let path = root.join("bin").join(command);
            fs::write(&path, &fake).unwrap();
            testkit::make_executable(&path).unwrap();
        }
        let inputs = machine.inputs();
        fs::create_dir_all(&inputs).unwrap();
        let mut artifacts = std::collections::BTreeMap::new();
        for name in ARTIFACTS {
            let bytes = format!(
                "#!/bin/bash\necho \"agent $*\" >> {}/calls\n# {name}\n",
                root.display()
            );
            fs::write(inputs.join(name), &bytes).unwrap();
            artifacts.insert(name.to_owned(), Sha256::digest(&bytes).into());
        }
        let config = HostConfig {
            run: RUN.to_owned(),
            enclave_memory_mib: 4096,
            enclave_cpus: 2,
            pcrs: [[1; 48]; 3],
            host_memory_mib: 1024,
            ptau_mirror: None,
            artifacts,
        };
        fs::write(inputs.join("host.json"), config.to_json()).unwrap();
        machine.tag("attested-ceremony-run", RUN);
        machine.tag("attested-ceremony-bucket", BUCKET);
        machine.tag("attested-ceremony-expires-at", "2026-11-26T14:00:00Z");
        machine.tag("attested-ceremony-parameters", &config.parameters_sha256());
        machine
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn inputs(&self) -> PathBuf {
        self.root()
            .join("bucket")
            .join(BUCKET)
            .join("runs")
            .join(RUN)
            .join("inputs")
    }

    fn tag(&self, key: &str, value: &str) {
        fs::write(self.root().join("tags").join(key), value).unwrap();
    }

    /// Runs the user data with its folders moved below this machine's; gives success, output and the calls made.
    fn boot(&self) -> (bool, String, Vec<String>) {
        let template: Value = serde_saphyr::from_str(infra::RUN_TEMPLATE).unwrap();
        let script = template["Resources"]["HostTemplate"]["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]
            .as_str()
            .unwrap();
        let root = self.root().to_str().unwrap();
        let mut moved = script.to_owned();
        for folder in [
            "/opt/ceremony",
            "/etc/ceremony",
            "/run/ceremony",
            "/etc/systemd",
            "/var/log",
            "/var/lib/ceremony",
            "/dev/console",
            "/opt/aws",
        ] {
            moved = moved.replace(folder, &format!("{root}{folder}"));
        }
        fs::create_dir_all(self.root().join("var/lib/ceremony/modules")).unwrap();
        let path = self.root().join("user-data");
        fs::write(&path, moved).unwrap();
        let output = Command::new("bash")
            .arg(&path)
            .env_clear()
            .env("PATH", format!("{root}/bin:/usr/bin:/bin"))
            .output()
            .unwrap();
        let mut words = String::from_utf8_lossy(&output.stdout).into_owned();
        words.push_str(&String::from_utf8_lossy(&output.stderr));
        let calls = fs::read_to_string(self.root().join("calls")).unwrap_or_default();
        (
            output.status.success(),
            words,
            calls.lines().map(str::to_owned).collect(),
        )
    }

    fn started(calls: &[String]) -> bool {
        calls
            .iter()
            .any(|call| call == "systemctl start host-agent.service")
    }
}

fn place(calls: &[String], start: &str) -> usize {
    calls
        .iter()
        .position(|call| call.starts_with(start))
        .unwrap_or_else(|| panic!("no {start}: {calls:#?}"))
}

#[test]
fn a_machine_is_set_up_from_its_tags_and_pinned_files() {
    let machine = Machine::new();
    let (success, words, calls) = machine.boot();
    assert!(success, "{words}");
    assert!(Machine::started(&calls), "{calls:#?}");
    // The last deadline before anything else; the run's deadline before anything is fetched; memory before the large files.
    assert!(calls[0].starts_with("shutdown -P +1440"));
    let deadline = place(&calls, "systemd-run");
    let first_fetch = place(&calls, "aws s3api get-object");
    let reserved = place(&calls, "agent reserve --host-config");
    let image = calls
        .iter()
        .position(|call| call.contains("/enclave.eif "))
        .unwrap();
    assert!(
        deadline < first_fetch && first_fetch < reserved && reserved < image,
        "{calls:#?}"
    );
    for (path, expected) in [
        ("opt/ceremony/enclave.eif", "enclave.eif"),
        (
            "etc/systemd/system/host-agent.service",
            "host-agent.service",
        ),
        ("var/lib/ceremony/modules/circom.wasm", "circom.wasm"),
        ("var/lib/ceremony/modules/solc.wasm", "solc.wasm"),
    ] {
        let got = fs::read(machine.root().join(path)).unwrap();
        assert_eq!(
            got,
            fs::read(machine.inputs().join(expected)).unwrap(),
            "{path}"
        );
    }
    let environment = fs::read_to_string(machine.root().join("etc/ceremony/environment")).unwrap();
    assert_eq!(
        environment,
        format!("CEREMONY_RUN={RUN}\nCEREMONY_STORE=s3://{BUCKET}\nAWS_REGION=eu-central-1\n")
    );
    assert!(
        calls
            .iter()
            .any(|call| call.contains("install aws-nitro-enclaves-cli"))
    );
}

#[test]
fn another_file_than_the_pinned_one_is_refused_and_the_machine_goes_down() {
    for name in ARTIFACTS.into_iter().chain(["host.json"]) {
        let machine = Machine::new();
        let path = machine.inputs().join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes.push(b'\n');
        fs::write(&path, bytes).unwrap();
        let (success, words, calls) = machine.boot();
        assert!(!success, "{name} is taken");
        assert!(
            words.contains(&format!("{name} does not have SHA-256")),
            "{name}: {words}"
        );
        assert!(!Machine::started(&calls), "{name}");
        assert!(
            calls.iter().any(|call| call.starts_with("shutdown -P +2 ")),
            "{name}: it stays up"
        );
        assert!(
            calls
                .iter()
                .any(|call| call.contains(&format!("--key runs/{RUN}/log/bootstrap"))),
            "{name}: nobody is told"
        );
    }
}

#[test]
fn r55_tags_of_another_form_are_refused() {
    for (tag, value) in [
        ("attested-ceremony-run", "$(touch pwned)"),
        ("attested-ceremony-run", "a/../b"),
        ("attested-ceremony-run", "a\nb"),
        ("attested-ceremony-run", ""),
        ("attested-ceremony-bucket", "b; reboot"),
        ("attested-ceremony-bucket", "a.b"),
        ("attested-ceremony-expires-at", "tomorrow"),
        ("attested-ceremony-expires-at", "2026-11-26T14:00:00Z; id"),
        ("attested-ceremony-parameters", "0"),
        ("attested-ceremony-parameters", "`id`"),
    ] {
        let machine = Machine::new();
        machine.tag(tag, value);
        let (success, words, calls) = machine.boot();
        assert!(!success, "{tag} {value:?} is taken");
        assert!(
            words.contains(&format!("tag {tag} is not")),
            "{tag} {value:?}: {words}"
        );
        assert!(
            !calls.iter().any(|call| call.contains("get-object")),
            "{tag} {value:?}: something was fetched"
        );
        assert!(
            calls.iter().any(|call| call.starts_with("shutdown -P +2 ")),
            "{tag} {value:?}: it stays up"
        );
        assert!(!machine.root().join("pwned").exists() && !Path::new("pwned").exists());
    }
}

#[test]
fn the_deadline_is_the_tag_s_and_no_answer_means_the_last_known() {
    let machine = Machine::new();
    assert!(machine.boot().0);
    let script = machine.root().join("opt/ceremony/deadline");
    let powered_off = || {
        fs::write(machine.root().join("calls"), "").unwrap();
        let path = format!("{}/bin:/usr/bin:/bin", machine.root().display());
        let status = Command::new("bash")
            .arg(&script)
            .env_clear()
            .env("PATH", path)
            .status()
            .unwrap();
        let calls = fs::read_to_string(machine.root().join("calls")).unwrap();
        (calls.contains("systemctl poweroff"), status.success())
    };
    machine.tag("attested-ceremony-expires-at", "2999-01-01T00:00:00Z");
    assert!(!powered_off().0, "before its deadline");
    // The tag is gone, or says nothing: the deadline in force stays.
    fs::remove_file(machine.root().join("tags/attested-ceremony-expires-at")).unwrap();
    assert!(!powered_off().0, "without an answer");
    machine.tag("attested-ceremony-expires-at", "never");
    assert!(!powered_off().0, "with a tag that is no time");
    machine.tag("attested-ceremony-expires-at", "2001-01-01T00:00:00Z");
    assert!(powered_off().0, "past its deadline");
    fs::remove_file(machine.root().join("tags/attested-ceremony-expires-at")).unwrap();
    assert!(powered_off().0, "past the last known deadline");
    fs::write(machine.root().join("run/ceremony/deadline"), "garbage").unwrap();
    assert!(powered_off().0, "a deadline that cannot be read is over");
}
