//! The agent against a stand-in for `nitro-cli` that answers as the real one does: its JSON, its words, its failures.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test"
)]

use std::fs;
use std::sync::Arc;

use cloud::FolderStore;
use host_agent::nitro::{NitroChoice, NitroEnclave, NitroError};
use host_agent::report::Reporter;

/// Keeps what runs as files in its folder. `fail-CALL` holds what a call fails with; `flags`, `state` and `pcr0` change what is shown.
const FAKE: &str = r#"#!/bin/bash
dir=$(dirname "$0")
echo "$*" >> "$dir/calls"
fail() {
  words=$(cat "$dir/fail-$1")
  echo "$words" >&2
  echo >&2
  echo "For more details, please visit https://docs.aws.amazon.com/enclaves/latest/user/cli-errors.html" >&2
  echo >&2
  echo "If you open a support ticket, please provide the error log found at \"/var/log/nitro_enclaves/err2026-11-26T12:00:00.000000000+00:00.log\"" >&2
  exit 255
}
[ -e "$dir/fail-$1" ] && fail "$1"
value() { cat "$dir/$1" 2>/dev/null || echo "$2"; }
pcr() { printf "$1%.0s" {1..48}; }
case "$1" in
  run-enclave)
    id=i-0123456789abcdef0-enc0123456789abcde
    echo "$id" > "$dir/running"
    echo "Start allocating memory..." >&2
    echo "Started enclave with enclave-cid: 16, memory: $7 MiB, cpu-ids: [1, 3]" >&2
    [ -e "$dir/vanish" ] && rm "$dir/running"
    cat <<JSON
{
  "EnclaveName": "enclave",
  "EnclaveID": "$id",
  "ProcessID": 4711,
  "EnclaveCID": $(value cid 16),
  "NumberOfCPUs": $5,
  "CPUIDs": [
    1,
    3
  ],
  "MemoryMiB": $7
}
JSON
    ;;
  describe-enclaves)
    [ -e "$dir/running" ] || { echo "[]"; exit 0; }
    cat <<JSON
[
  {
    "EnclaveName": "enclave",
    "EnclaveID": "$(cat "$dir/running")",
    "ProcessID": 4711,
    "EnclaveCID": 16,
    "NumberOfCPUs": 2,
    "CPUIDs": [
      1,
      3
    ],
    "MemoryMiB": 4096,
    "State": "$(value state RUNNING)",
    "Flags": "$(value flags NONE)",
    "Measurements": {
      "HashAlgorithm": "Sha384 { ... }",
      "PCR0": "$(pcr "$(value pcr0 aa)")",
      "PCR1": "$(pcr bb)",
      "PCR2": "$(pcr cc)"
    }
  }
]
JSON
    ;;
  terminate-enclave)
    [ "$3" = "$(cat "$dir/running")" ] || { echo '[ E40 ] Socket path not found.' >&2; exit 255; }
    rm "$dir/running"
    echo "Successfully terminated enclave $3." >&2
    printf '{\n  "EnclaveName": "enclave",\n  "EnclaveID": "%s",\n  "Terminated": true\n}\n' "$3"
    ;;
esac
"#;

struct Host {
    folder: tempfile::TempDir,
    reporter: Reporter,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("nitro-cli");
        fs::write(&program, FAKE).unwrap();
        testkit::make_executable(&program).unwrap();
        let store = FolderStore::open(folder.path().join("store")).unwrap();
        let reporter = Reporter::new(Arc::new(store), "r".parse().unwrap()).unwrap();
        Self { folder, reporter }
    }

    fn set(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn choice(&self) -> NitroChoice {
        NitroChoice {
            program: self.folder.path().join("nitro-cli"),
            image: self
                .folder
                .path()
                .join("image with spaces; and $(words).eif"),
            memory_mib: 4096,
            cpus: 2,
            pcrs: [[0xaa; 48], [0xbb; 48], [0xcc; 48]],
        }
    }

    async fn start(&self) -> Result<NitroEnclave, NitroError> {
        NitroEnclave::start(&self.choice(), &self.reporter).await
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.path().join("calls")).unwrap();
        calls.lines().map(str::to_owned).collect()
    }

    fn runs(&self) -> bool {
        self.folder.path().join("running").exists()
    }
}

#[tokio::test]
async fn an_enclave_is_started_looked_at_and_ended() {
    let host = Host::new();
    let enclave = host.start().await.unwrap();
    assert_eq!(enclave.transport().to_string(), "vsock:16:5005");
    assert!(host.runs());
    let image = host.choice().image;
    let calls = host.calls();
    let run = format!(
        "run-enclave --eif-path {} --cpu-count 2 --memory 4096",
        image.display()
    );
    assert_eq!(calls, ["describe-enclaves", &run, "describe-enclaves"]);
    assert!(!calls.iter().any(|call| call.contains("debug")));
    enclave.stop().await;
    assert!(!host.runs());
}

#[tokio::test]
async fn an_enclave_that_is_dropped_is_ended_too() {
    let host = Host::new();
    drop(host.start().await.unwrap());
    while host.runs() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn r02_what_is_not_the_wanted_enclave_is_refused_and_ended() {
    for (file, value, code) in [
        ("flags", "DEBUG_MODE", "nitro_debug"),
        ("flags", "", "nitro_debug"),
        ("pcr0", "00", "nitro_pcr"),
        ("state", "TERMINATING", "nitro_state"),
        ("cid", "3", "nitro_answer"),
        ("cid", "17", "nitro_answer"),
        ("cid", "\"16\"", "nitro_answer"),
        ("pcr0", "zz", "nitro_answer"),
    ] {
        let host = Host::new();
        host.set(file, value);
        let error = host.start().await.unwrap_err();
        assert_eq!(error.code(), code, "{file} {value}: {error}");
        assert!(error.hint().is_some());
        // Where even its id could not be read, the machine's end is the enclave's.
        assert!(
            !host.runs() || value == "\"16\"",
            "{file} {value}: it runs on"
        );
    }
    let host = Host::new();
    host.set("vanish", "");
    assert_eq!(host.start().await.unwrap_err().code(), "nitro_state");
}

#[tokio::test]
async fn an_enclave_that_was_left_behind_is_ended_first() {
    let host = Host::new();
    host.set("running", "i-0123456789abcdef0-enc00000000000000a");
    let _enclave = host.start().await.unwrap();
    assert_eq!(
        host.calls()[1],
        "terminate-enclave --enclave-id i-0123456789abcdef0-enc00000000000000a"
    );
    // An id that is none never becomes an argument.
    let host = Host::new();
    host.set("running", "--all");
    assert_eq!(host.start().await.unwrap_err().code(), "nitro_answer");
    assert_eq!(host.calls(), ["describe-enclaves"]);
}

#[tokio::test]
async fn real_failures_give_their_code_and_what_to_do() {
    for (call, words, code, action) in [
        (
            "run-enclave",
            "[ E26 ] Insufficient memory requested. User provided `memory` is 512 MB, but based on the EIF file size, the minimum memory should be 2148 MB",
            "E26",
            "four times the image's size",
        ),
        (
            "run-enclave",
            "Start allocating memory...\n[ E27 ] Insufficient memory available. User provided `memory` is 3072 MB, which is more than the available hugepage memory.\nYou can increase the available memory by editing the `memory_mib` value",
            "E27",
            "host-agent reserve",
        ),
        (
            "run-enclave",
            "[ E36 ] Enclave boot failure. Such error appears when attempting to receive the `ready` signal from a freshly booted enclave.\n\nFailed connections: 1\n[ E39 ] Enclave process connection failure.",
            "E36",
            "emulator",
        ),
        (
            "describe-enclaves",
            "Failed connections: 1\n[ E39 ] Enclave process connection failure. Such error appears when the enclave manager fails to connect to at least one enclave process for retrieving the description information.",
            "E39",
            "nothing runs",
        ),
    ] {
        let host = Host::new();
        host.set(&format!("fail-{call}"), words);
        let error = host.start().await.unwrap_err();
        let NitroError::Refused { error_code, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(error_code.as_deref(), Some(code));
        assert!(error.hint().unwrap().contains(action), "{:?}", error.hint());
        assert_eq!(error.code(), "nitro_cli");
    }
    // Words without a code, and a program that is not there.
    let host = Host::new();
    host.set("fail-run-enclave", "error: unexpected argument");
    let error = host.start().await.unwrap_err();
    assert!(
        matches!(&error, NitroError::Refused { error_code: None, words, .. } if words.contains("unexpected argument")),
        "{error}"
    );
    fs::remove_file(host.folder.path().join("nitro-cli")).unwrap();
    assert_eq!(host.start().await.unwrap_err().code(), "nitro_missing");
}
