//! The development image, booted. Needs `CEREMONY_EMULATOR` (what `scripts/emulator` prints) and
//! `CEREMONY_IMAGE` (made by `scripts/image --development`); skipped loudly without.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use attestation::{Anchor, PcrPolicy, RawDocument};
use eif::{Eif, EifError, RawEif};
use eif_writer::{FileList, ramdisk};
use protocol::pb::{DescribeRequest, DescribeResponse};
use protocol::{Transport, settings};
use tempfile::TempDir;

/// Far more than a boot takes, for machines that are busy with other tests.
const PATIENCE: Duration = Duration::from_mins(3);

fn image() -> Option<Vec<u8>> {
    let path = std::env::var_os("CEREMONY_IMAGE").map(PathBuf::from);
    if let (Some(path), Some(_)) = (path, std::env::var_os("CEREMONY_EMULATOR")) {
        return Some(std::fs::read(path).unwrap());
    }
    testkit::skipped("no emulator: see the head of this file");
    None
}

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
        let transport = Transport::Unix {
            path: socket(self.folder.path()),
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(channel) = transport.connect().await {
                let request = DescribeRequest {
                    nonce: vec![7; 32].into(),
                };
                let mut client = settings::enclave_client(channel);
                return client.describe(request).await.unwrap().into_inner();
            }
            assert_eq!(self.emulator.try_wait().unwrap(), None, "it ended");
            assert!(Instant::now() < deadline, "it does not answer");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
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
    assert_eq!(described.self_checks.len(), 14);

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

    let described = Booted::start(&shifted).describe().await;
    assert_eq!(failed(&described), ["command-line"]);
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
    let list = include_str!("../../../../enclave-image/files.txt");

    let less = list.replace("file 0644 modules/solc.wasm\n", "");
    let described = Booted::start(&with_files(&eif, &less)).describe().await;
    assert_eq!(failed(&described), ["root-files", "module-solc"]);

    let more = format!("{list}file 0755 tool\n");
    let described = Booted::start(&with_files(&eif, &more)).describe().await;
    assert_eq!(failed(&described), ["root-files"]);
    let check = described
        .self_checks
        .iter()
        .find(|c| c.name == "root-files");
    assert_eq!(check.unwrap().detail, "tool is not in the list");
}

/// The image with another list of files; what `eif` has, it keeps, anything else is empty.
fn with_files(eif: &Eif<'_>, list: &str) -> Vec<u8> {
    let list = FileList::parse(list).unwrap();
    let archive = ramdisk::archive(&list, |path| Ok(contents(eif.archive(), path))).unwrap();
    packed(
        eif.kernel(),
        eif.command_line().as_bytes(),
        &ramdisk::gzip(&archive),
    )
}

/// Contents of a file of an archive that our writer made.
fn contents(archive: &[u8], path: &str) -> Vec<u8> {
    let number = |at: usize| {
        let digits = std::str::from_utf8(&archive[at..at + 8]).unwrap();
        usize::from_str_radix(digits, 16).unwrap()
    };
    let mut at = 0;
    while at < archive.len() {
        let (size, name_size) = (number(at + 54), number(at + 94));
        let name = &archive[at + 110..at + 110 + name_size - 1];
        let start = (at + 110 + name_size).next_multiple_of(4);
        if name == path.as_bytes() {
            return archive[start..start + size].to_vec();
        }
        at = (start + size).next_multiple_of(4);
    }
    Vec::new()
}

/// An image of any parts: the writer would refuse them.
fn packed(kernel: &[u8], command_line: &[u8], ramdisk: &[u8]) -> Vec<u8> {
    let sections = [(1_u16, kernel), (2, command_line), (3, ramdisk)];
    let size = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap();
    let (mut offsets, mut sizes) = ([0_u64; 32], [0_u64; 32]);
    let mut at = 548;
    for (index, (_, contents)) in sections.iter().enumerate() {
        offsets[index] = at;
        sizes[index] = size(contents);
        at += 12 + size(contents);
    }
    let mut file = b".eif\0\x04\0\0".to_vec();
    file.extend((1_u64 << 30).to_be_bytes());
    file.extend(2_u64.to_be_bytes());
    file.extend([0, 0, 0, 3]);
    file.extend(offsets.iter().chain(&sizes).flat_map(|n| n.to_be_bytes()));
    file.extend([0; 8]);
    for (kind, contents) in sections {
        file.extend(kind.to_be_bytes());
        file.extend([0, 0]);
        file.extend(size(contents).to_be_bytes());
        file.extend(contents);
    }
    let mut crc = crc32fast::Hasher::new();
    crc.update(&file[..544]);
    crc.update(&file[548..]);
    file[544..548].copy_from_slice(&crc.finalize().to_be_bytes());
    file
}
