//! The development image, booted: its measurements, and images that were cut or filled otherwise.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use attestation::{Anchor, PcrPolicy, RawDocument};
use drand::Chain;
use eif::{EifError, RawEif};
use eif_writer::{FileList, ramdisk};
use formats::digest::Sha256Digest;
use manifest::Spec;
use manifest::spec::{BeaconSpec, CircuitSpec, CurveName, Phase1Family, SpecFields};
use protocol::pb::{DescribeRequest, DescribeResponse, OpenRequest};
use protocol::{EnclaveClient, RemoteError, Transport, settings};
use solc::unpack::SOLC_WASM_SHA256;
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::PATIENCE;
use crate::images::{contents, image, packed, with_archive, with_files};

/// A booted image. Dropping it ends it.
struct Booted {
    emulator: Child,
    folder: TempDir,
}

impl Drop for Booted {
    fn drop(&mut self) {
        // Its own way to end: what it started ends with it.
        drop(self.emulator.stdin.take());
        self.emulator.wait().unwrap();
    }
}

impl Booted {
    fn start(image: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("image.eif"), image).unwrap();
        let emulator = Command::new(env!("CARGO_BIN_EXE_enclave-emulator"))
            .arg("--listen")
            .arg(format!("unix:{}", socket(folder.path()).display()))
            .arg("--image")
            .arg(folder.path().join("image.eif"))
            .arg("--stop-on-stdin-close")
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { emulator, folder }
    }

    async fn describe(&mut self) -> DescribeResponse {
        let request = DescribeRequest {
            nonce: vec![7; 32].into(),
        };
        let mut client = self.client().await;
        client.describe(request).await.unwrap().into_inner()
    }

    /// Asks for a ceremony; the code of the refusal and what it says.
    async fn refusal(&mut self) -> (String, String) {
        let request = OpenRequest {
            spec: spec().text().to_vec().into(),
        };
        let refused = self.client().await.open(request).await.unwrap_err();
        let error = RemoteError::from(refused);
        (error.code, error.message)
    }

    async fn client(&mut self) -> EnclaveClient<Channel> {
        let transport = Transport::Unix {
            path: socket(self.folder.path()),
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(channel) = transport.connect().await {
                return settings::enclave_client(channel);
            }
            assert_eq!(self.emulator.try_wait().unwrap(), None, "it ended");
            assert!(Instant::now() < deadline, "it does not answer");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// A ceremony that a good enclave would open.
fn spec() -> Spec {
    SpecFields {
        beacon: BeaconSpec::new(&Chain::Quicknet, 60_000),
        circuit: CircuitSpec::R1cs {
            sha256: Sha256Digest::of(b"circuit"),
        },
        compiler_solc: Sha256Digest::new(SOLC_WASM_SHA256),
        contribution_name: "boot test".to_owned(),
        curve: CurveName::Bn128,
        initial: manifest::InitialSpec::Fresh,
        phase1_family: Phase1Family::Hermez,
        requester_nonce: [9; 32],
    }
    .validate()
    .unwrap()
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("enclave.sock")
}

/// Names of the self-checks that failed.
fn failed(described: &DescribeResponse) -> Vec<&str> {
    let failed = described.self_checks.iter().filter(|check| !check.passed);
    failed.map(|check| check.name.as_str()).collect()
}

#[tokio::test]
async fn the_image_boots_and_is_measured_as_computed() {
    let Some(image) = image() else { return };
    let described = Booted::start(&image).describe().await;
    assert_eq!(failed(&described), Vec::<&str>::new());
    assert_eq!(described.self_checks.len(), 15);

    let pcrs = RawEif(&image).validate().unwrap().pcrs();
    let document = RawDocument(described.boot_attestation.to_vec());
    let root = document.certificates().unwrap()[0].clone();
    let policy = PcrPolicy::image(pcrs.pcr0, pcrs.pcr1, pcrs.pcr2);
    let document = document
        .validate(&Anchor::Simulated(root), &policy)
        .unwrap();
    assert_eq!(document.nonce(), Some(&[7; 32][..]));
    assert!(document.module_id().is_simulated());
}

#[tokio::test]
async fn r1_an_image_cut_elsewhere_has_the_same_pcrs_and_is_refused_twice() {
    let Some(image) = image() else { return };
    let eif = RawEif(&image).validate().unwrap();
    let (moved, rest) = eif.command_line().split_once(' ').unwrap();
    let kernel = [eif.kernel(), moved.as_bytes(), b" "].concat();
    let shifted = packed(&kernel, rest.as_bytes(), eif.ramdisk());
    assert!(matches!(
        RawEif(&shifted).validate(),
        Err(EifError::KernelLength { .. })
    ));

    let mut booted = Booted::start(&shifted);
    let described = booted.describe().await;
    assert_eq!(failed(&described), ["command-line"]);
    let (code, message) = booted.refusal().await;
    assert_eq!(code, "self_check");
    assert!(message.contains("command-line"), "{message}");
    let pcrs = eif.pcrs();
    let document = RawDocument(described.boot_attestation.to_vec());
    let root = document.certificates().unwrap()[0].clone();
    let policy = PcrPolicy::image(pcrs.pcr0, pcrs.pcr1, pcrs.pcr2);
    document
        .validate(&Anchor::Simulated(root), &policy)
        .unwrap();
}

#[tokio::test]
async fn r1_a_file_less_or_more_in_the_ramdisk_is_named() {
    let Some(image) = image() else { return };
    let eif = RawEif(&image).validate().unwrap();
    let list = include_str!("../../../../../enclave-image/files.txt");

    let less: Vec<&str> = list
        .lines()
        .filter(|line| !line.contains("modules/solc.wasm"))
        .collect();
    let less = less.join("\n");
    assert_ne!(less, list);
    let mut booted = Booted::start(&with_files(&eif, &less));
    let described = booted.describe().await;
    assert_eq!(
        failed(&described),
        ["root-files", "file-contents", "module-solc"]
    );
    assert_eq!(booted.refusal().await.0, "self_check");

    let more = format!("{list}file 0755 tool\n");
    let described = Booted::start(&with_files(&eif, &more)).describe().await;
    assert_eq!(failed(&described), ["root-files"]);
    let check = described
        .self_checks
        .iter()
        .find(|c| c.name == "root-files");
    assert_eq!(check.unwrap().detail, "tool is not in the list");
}

#[tokio::test]
async fn r1_other_machine_code_is_named() {
    let Some(image) = image() else { return };
    let eif = RawEif(&image).validate().unwrap();
    let list = include_str!("../../../../../enclave-image/files.txt");
    let (line, path) = list
        .lines()
        .filter_map(|line| Some((line, line.strip_prefix("file 0644 ")?)))
        .find(|(_, rest)| rest.starts_with("modules/cache/"))
        .unwrap();
    let (path, _) = path.split_once(" sha256:").unwrap();
    let (unlisted, _) = line.split_once(" sha256:").unwrap();
    let list = FileList::parse(&list.replace(line, unlisted)).unwrap();
    let archive = ramdisk::archive(&list, |wanted| {
        let mut contents = contents(eif.archive(), wanted);
        if wanted == path {
            contents[100] ^= 1;
        }
        Ok(contents)
    });
    let mut booted = Booted::start(&with_archive(&eif, &archive.unwrap()));
    let described = booted.describe().await;
    assert_eq!(failed(&described), ["file-contents"]);
    let check = described
        .self_checks
        .iter()
        .find(|check| check.name == "file-contents");
    assert!(check.unwrap().detail.starts_with(path));
    let (code, message) = booted.refusal().await;
    assert_eq!(code, "self_check");
    assert!(message.contains("file-contents"), "{message}");
}
