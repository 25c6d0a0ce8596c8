//! `controller pcrs`, and the signed measurements that `controller verify` expects.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const ACCEPTED: &str = "tests/vectors/eif/accepted-eif_build-0.2.1.eif";
/// What `eif_build` printed about that image.
const MEASURED: &str = "crates/host/eif-writer/tests/golden/measurements.json";
/// Signed measurements (`crates/evidence/verify/tests/expected.rs` says by whom).
const SIGNED: &str = "crates/evidence/verify/tests/expected";

fn at(path: &str) -> PathBuf {
    testkit::workspace_root().join(path)
}

fn controller(args: &[&str], files: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_controller"))
        .args(args)
        .args(files)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

/// Exit code and the last object of `--json`.
fn object(output: &Output) -> (Option<i32>, Value) {
    (output.status.code(), crate::scene::last_object(output))
}

#[test]
fn the_pcrs_of_an_image_are_those_of_eif_build() {
    let measured: Value = serde_json::from_slice(&fs::read(at(MEASURED)).unwrap()).unwrap();
    let (code, printed) = object(&controller(&["--json", "pcrs"], &[&at(ACCEPTED)]));
    assert_eq!(code, Some(0));
    for name in ["PCR0", "PCR1", "PCR2"] {
        assert_eq!(printed[name], measured[name], "{name}");
    }
    assert_eq!(printed["kernel_end_declared"], true);

    let output = controller(&["pcrs"], &[&at(ACCEPTED)]);
    let text = String::from_utf8(output.stdout).unwrap();
    for (index, line) in text.lines().enumerate() {
        let value = measured[format!("PCR{index}")].as_str().unwrap();
        assert_eq!(line, format!("PCR{index} {value}"));
    }
    assert_eq!(text.lines().count(), 3);
}

/// The image with the boundary between its sections `first` and `first + 1` moved by `bytes`, checksum
/// mended: what is measured stays the same.
fn recut(first: usize, bytes: isize) -> Vec<u8> {
    let mut file = fs::read(at(ACCEPTED)).unwrap();
    let number = |file: &[u8], at: usize| {
        usize::try_from(u64::from_be_bytes(file[at..at + 8].try_into().unwrap())).unwrap()
    };
    let (offsets, sizes) = (28, 28 + 32 * 8);
    let [offset, next] = [0, 1].map(|i| number(&file, offsets + (first + i) * 8));
    let [size, next_size] = [0, 1].map(|i| number(&file, sizes + (first + i) * 8));
    assert_eq!(offset + 12 + size, next);
    let header: Vec<u8> = file.drain(next..next + 12).collect();
    let next = next.checked_add_signed(bytes).unwrap();
    file.splice(next..next, header);
    let mut put = |at: usize, value: usize| {
        file[at..at + 8].copy_from_slice(&u64::try_from(value).unwrap().to_be_bytes());
    };
    let size = size.checked_add_signed(bytes).unwrap();
    let next_size = next_size.checked_add_signed(-bytes).unwrap();
    put(offsets + (first + 1) * 8, next);
    put(sizes + first * 8, size);
    put(sizes + (first + 1) * 8, next_size);
    put(offset + 4, size);
    put(next + 4, next_size);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&file[..544]);
    crc.update(&file[548..]);
    file[544..548].copy_from_slice(&crc.finalize().to_be_bytes());
    file
}

#[test]
fn r1_an_image_cut_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.eif");
    fs::write(&path, recut(0, 0)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(at(ACCEPTED)).unwrap());
    for bytes in [7, -7] {
        fs::write(&path, recut(0, bytes)).unwrap();
        let (code, error) = object(&controller(&["--json", "pcrs"], &[&path]));
        assert_eq!(code, Some(1), "{error}");
        assert_eq!(error["code"], "eif_kernel_length");
        assert!(error["hint"].as_str().unwrap().contains("docs/image.md"));
    }
}

#[test]
fn what_is_no_image_is_refused() {
    for (name, code) in [
        ("eif_truncated-cut.eif", "eif_truncated"),
        (
            "eif_section_count-eif_build-0.2.1-two-ramdisks.eif",
            "eif_section_count",
        ),
    ] {
        let path = at("tests/vectors/eif").join(name);
        let (exit, error) = object(&controller(&["--json", "pcrs"], &[&path]));
        assert_eq!((exit, error["code"].as_str()), (Some(1), Some(code)));
    }
    let (exit, error) = object(&controller(&["--json", "pcrs"], &[Path::new("none.eif")]));
    assert_eq!((exit, error["code"].as_str()), (Some(3), Some("file")));
}

/// How `verify` ends on an empty folder: with the checklist (exit 1, a missing manifest) where the
/// measurements are believed, with their error before it where not.
fn verify(extra: &[&str]) -> (Option<i32>, Value) {
    let bundle = tempfile::tempdir().unwrap();
    let bundle = bundle.path().to_str().unwrap();
    object(&controller(
        &[&["--json", "verify", bundle], extra].concat(),
        &[],
    ))
}

fn in_folder(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

#[test]
fn signed_measurements_are_believed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "pcr-values.json",
        "pcr-values.json.minisig",
        "throw-away.pub",
        "other.pub",
    ] {
        fs::copy(at(SIGNED).join(name), folder.path().join(name)).unwrap();
    }
    let file = in_folder(folder.path(), "pcr-values.json");
    let key = in_folder(folder.path(), "throw-away.pub");
    let signature = in_folder(folder.path(), "pcr-values.json.minisig");
    let other = in_folder(folder.path(), "other.pub");
    let typed = fs::read_to_string(&key).unwrap();
    let typed = typed.lines().last().unwrap();

    for key in [&key, typed] {
        let (exit, verdict) = verify(&["--pcrs", &file, "--pcrs-key", key]);
        assert_eq!((exit, &verdict["type"]), (Some(1), &"verdict".into()));
    }
    let refused = |extra: &[&str]| {
        let (exit, error) = verify(extra);
        assert_eq!(error["type"], "error", "{error}");
        (exit, error["code"].as_str().unwrap().to_owned())
    };
    let with_key = ["--pcrs", &file, "--pcrs-key", &key];
    let code = |code: &str, exit| (Some(exit), code.to_owned());
    assert_eq!(refused(&["--pcrs", &file]), code("usage", 2));
    assert_eq!(
        refused(&["--pcrs", &file, "--pcrs-key", &other]),
        code("expected_other_key", 1)
    );

    // The trusted comment is signed, too.
    let text = fs::read_to_string(&signature).unwrap();
    fs::write(&signature, text.replace("SIMULATED release", "release")).unwrap();
    assert_eq!(refused(&with_key), code("expected_altered", 1));
    fs::remove_file(&signature).unwrap();
    assert_eq!(refused(&with_key), code("expected_unsigned", 1));
    let (exit, verdict) = verify(&["--pcrs", &file, "--pcrs-unsigned"]);
    assert_eq!((exit, &verdict["type"]), (Some(1), &"verdict".into()));

    fs::write(&signature, text).unwrap();
    let altered = fs::read_to_string(&file).unwrap().replacen("a0", "a1", 1);
    fs::write(&file, altered).unwrap();
    assert_eq!(refused(&with_key), code("expected_altered", 1));
    fs::write(&file, "{}").unwrap();
    assert_eq!(
        refused(&["--pcrs", &file, "--pcrs-unsigned"]),
        code("expected_form", 1)
    );
}
