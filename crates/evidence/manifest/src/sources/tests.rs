use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use formats::digest::Sha256Digest;
use sha2::{Digest as _, Sha256};

use super::*;

fn path(text: &str) -> SourcePath {
    SourcePath::new(text).unwrap()
}

fn small() -> SourceBundle {
    SourceBundle::builder(path("circuit/main.circom"))
        .library(path("lib0"))
        .file(path("circuit/main.circom"), b"main".to_vec())
        .file(path("lib0/a b/\u{e9}.circom"), b"library".to_vec())
        .build()
        .unwrap()
}

/// `small()` as the format's page says, written without the encoder.
fn golden() -> String {
    format!(
        "attested-ceremony sources v1\n\
         library lib0\n\
         main circuit/main.circom\n\
         file 4 {} circuit/main.circom\n\
         file 7 {} lib0/a%20b/%C3%A9.circom\n\
         \n\
         mainlibrary",
        hex::encode(Sha256::digest(b"main")),
        hex::encode(Sha256::digest(b"library")),
    )
}

#[test]
fn the_encoding_is_pinned_and_round_trips() {
    let bundle = small();
    let bytes = bundle.encode();
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), golden());
    assert_eq!(bundle.sha256(), Sha256Digest::of(&bytes));
    let read = RawSourceBundle(&bytes).validate().unwrap();
    assert_eq!(read, bundle);
    assert_eq!(
        read.file(&path("circuit/main.circom")).unwrap().content(),
        b"main"
    );
}

#[test]
fn a_path_has_one_spelling() {
    for plain in ["a", "A-b_c.d/e", "a b/%/é", "lib0/..a/...", "-x.circom"] {
        let path = path(plain);
        assert_eq!(SourcePath::decode(&path.encode()).unwrap(), path);
    }
    for (encoded, expected) in [
        ("%61", PathError::Encoding),
        ("%c3%a9", PathError::Encoding),
        ("a%2", PathError::Encoding),
        ("a%", PathError::Encoding),
        ("a%zz", PathError::Encoding),
        ("é", PathError::Encoding),
        ("a~", PathError::Encoding),
        ("%FF", PathError::NotUtf8),
        ("%2Fetc", PathError::Absolute),
        ("a%2F%2E%2E%2Fb", PathError::Dots),
        ("a%5Cb", PathError::Character { character: '\\' }),
        ("a%00b", PathError::Character { character: '\0' }),
    ] {
        assert_eq!(
            SourcePath::decode(encoded).unwrap_err(),
            expected,
            "{encoded}"
        );
    }
    let long = "x".repeat(256);
    assert_eq!(
        SourcePath::new(&long).unwrap_err(),
        PathError::ComponentTooLong { got: 256 }
    );
    assert!(SourcePath::new(&["a"; 32].join("/")).is_ok());
    assert_eq!(
        SourcePath::new(&["a"; 33].join("/")).unwrap_err(),
        PathError::TooDeep
    );
    assert!(SourcePath::new(&["x".repeat(255), "y".repeat(255), "z".into()].join("/")).is_err());
}

/// The golden bundle with one piece of text replaced, which must be there exactly once.
fn with(from: &str, to: &str) -> Vec<u8> {
    let text = golden();
    assert_eq!(text.matches(from).count(), 1, "{from:?}");
    text.replace(from, to).into_bytes()
}

/// A whole bundle around one file line's path, written as a peer would: no encoder of ours.
fn with_path(encoded: &str) -> Vec<u8> {
    let digest = hex::encode(Sha256::digest(b"x"));
    format!("{MAGIC}\nmain {encoded}\nfile 1 {digest} {encoded}\n\nx").into_bytes()
}

/// A bundle of several one-byte files; the first is main.
fn with_files(paths: &[&str]) -> Vec<u8> {
    let digest = hex::encode(Sha256::digest(b"x"));
    let mut text = format!("{MAGIC}\nmain {}\n", paths[0]);
    for path in paths {
        writeln!(text, "file 1 {digest} {path}").unwrap();
    }
    text.push('\n');
    text.push_str(&"x".repeat(paths.len()));
    text.into_bytes()
}

/// Hostile bundles: name, bytes, code of the refusal.
#[expect(clippy::too_many_lines, reason = "one table")]
fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let digest = hex::encode(Sha256::digest(b"main"));
    let many: Vec<String> = (0..=MAX_FILES)
        .map(|index| format!("f{index:05}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let deep = ["a"; 33].join("/");
    let long = "x".repeat(513);
    vec![
        ("parent", with_path("../evil"), "sources_path"),
        (
            "parent_in_the_middle",
            with_path("a/../../evil"),
            "sources_path",
        ),
        ("parent_encoded", with_path("%2E%2E/evil"), "sources_path"),
        ("absolute", with_path("/etc/cron.d/evil"), "sources_path"),
        (
            "absolute_encoded",
            with_path("%2Fetc%2Fpasswd"),
            "sources_path",
        ),
        ("dot", with_path("./main"), "sources_path"),
        ("empty_component", with_path("a//b"), "sources_path"),
        ("trailing_slash", with_path("a/"), "sources_path"),
        ("windows_drive", with_path("C%3A/evil"), "sources_path"),
        (
            "windows_parent",
            with_path("..%5C..%5Cevil"),
            "sources_path",
        ),
        ("alternate_stream", with_path("a%3Astream"), "sources_path"),
        ("nul", with_path("a%00.circom"), "sources_path"),
        ("newline_in_path", with_path("a%0Afile"), "sources_path"),
        ("next_line_control", with_path("a%C2%85b"), "sources_path"),
        ("not_utf8", with_path("%FF%FE"), "sources_path"),
        ("too_deep", with_path(&deep), "sources_path"),
        ("too_long", with_path(&long), "sources_path"),
        ("second_spelling", with_path("%61"), "sources_path"),
        (
            "case_fold",
            with_files(&["A.circom", "a.circom"]),
            "sources_case_fold",
        ),
        (
            "file_and_folder",
            with_files(&["a", "a/b"]),
            "sources_file_and_folder",
        ),
        (
            "file_and_folder_folded",
            with_files(&["A", "a/b"]),
            "sources_file_and_folder",
        ),
        ("twice", with_files(&["a", "a"]), "sources_order"),
        ("descending", with_files(&["b", "a"]), "sources_order"),
        ("too_many_files", with_files(&many), "sources_too_many"),
        (
            "bomb_one_file",
            with("file 4 ", "file 16777217 "),
            "sources_file_too_large",
        ),
        (
            "size_overflow",
            with("file 4 ", "file 18446744073709551616 "),
            "sources_size",
        ),
        (
            "size_u64_max",
            with("file 4 ", "file 18446744073709551615 "),
            "sources_file_too_large",
        ),
        (
            "size_leading_zero",
            with("file 4 ", "file 04 "),
            "sources_size",
        ),
        ("size_sign", with("file 4 ", "file +4 "), "sources_size"),
        ("size_negative", with("file 4 ", "file -4 "), "sources_size"),
        (
            "size_one_more",
            with("file 4 ", "file 5 "),
            "sources_truncated",
        ),
        (
            "size_one_less",
            with("file 4 ", "file 3 "),
            "sources_trailing",
        ),
        (
            "content_changed",
            with("\nmainlibrary", "\nmainlibrarY"),
            "sources_content_digest",
        ),
        (
            "content_cut",
            with("mainlibrary", "mainlibrar"),
            "sources_truncated",
        ),
        (
            "content_longer",
            with("mainlibrary", "mainlibrary!"),
            "sources_trailing",
        ),
        (
            "digest_upper_case",
            with(&digest, &digest.to_uppercase()),
            "sources_digest",
        ),
        (
            "digest_short",
            with(&digest, &digest[1..]),
            "sources_digest",
        ),
        (
            "magic_v2",
            with("sources v1", "sources v2"),
            "sources_magic",
        ),
        (
            "magic_carriage_return",
            with("sources v1\n", "sources v1\r\n"),
            "sources_magic",
        ),
        ("empty", Vec::new(), "sources_magic"),
        (
            "magic_only",
            format!("{MAGIC}\n").into_bytes(),
            "sources_header_end",
        ),
        (
            "no_files",
            format!("{MAGIC}\nmain a\n\n").into_bytes(),
            "sources_no_files",
        ),
        (
            "no_main",
            format!("{MAGIC}\n\n").into_bytes(),
            "sources_no_files",
        ),
        (
            "main_elsewhere",
            with("main circuit/main.circom\n", "main circuit/x.circom\n"),
            "sources_main_missing",
        ),
        (
            "main_twice",
            with(
                "main circuit/main.circom\n",
                "main circuit/main.circom\nmain circuit/main.circom\n",
            ),
            "sources_line",
        ),
        (
            "library_after_main",
            with(
                "library lib0\nmain circuit/main.circom\n",
                "main circuit/main.circom\nlibrary lib0\n",
            ),
            "sources_line",
        ),
        (
            "library_twice",
            with("library lib0\n", "library lib0\nlibrary lib0\n"),
            "sources_library_twice",
        ),
        (
            "library_empty",
            with("library lib0\n", "library lib1\n"),
            "sources_empty_library",
        ),
        (
            "library_outside",
            with("library lib0\n", "library ..\n"),
            "sources_path",
        ),
        (
            "library_is_a_file",
            with("library lib0\n", "library circuit/main.circom\n"),
            "sources_empty_library",
        ),
        (
            "unknown_line",
            with("library lib0\n", "symlink lib0\n"),
            "sources_line",
        ),
        (
            "carriage_return",
            with("library lib0\n", "library lib0\r\n"),
            "sources_path",
        ),
        (
            "two_spaces",
            with("main circuit", "main  circuit"),
            "sources_path",
        ),
    ]
}

#[test]
fn r14_hostile_bundles_are_refused_and_nothing_is_written() {
    let room = tempfile::tempdir().unwrap();
    let inner = room.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let cases = hostile();
    assert!(cases.len() >= 20);
    let names: BTreeSet<_> = cases.iter().map(|case| case.0).collect();
    assert_eq!(names.len(), cases.len());
    for (name, bytes, code) in cases {
        let unpacked = RawSourceBundle(&bytes)
            .validate()
            .and_then(|bundle| bundle.unpack(&inner.join("circuit")));
        assert_eq!(unpacked.unwrap_err().code(), code, "{name}");
        assert_eq!(list(room.path()), ["inner"], "{name}");
    }
}

#[test]
fn r14_a_bomb_of_many_files_is_refused_before_its_contents() {
    let digest = "0".repeat(64);
    let mut text = format!("{MAGIC}\nmain f0\n");
    for index in 0..5 {
        writeln!(text, "file {MAX_FILE_BYTES} {digest} f{index}").unwrap();
    }
    text.push('\n');
    let error = RawSourceBundle(text.as_bytes()).validate().unwrap_err();
    assert!(matches!(error, SourcesError::TooLarge), "{error}");
}

#[test]
fn r14_a_header_without_end_is_refused() {
    let mut bytes = format!("{MAGIC}\nmain ").into_bytes();
    bytes.resize(MAX_HEADER_BYTES + 10, b'a');
    bytes.extend_from_slice(b"\n\n");
    let error = RawSourceBundle(&bytes).validate().unwrap_err();
    assert!(matches!(error, SourcesError::HeaderEnd), "{error}");
}

#[test]
fn unpacking_writes_the_files_and_nothing_else() {
    let room = tempfile::tempdir().unwrap();
    let folder = room.path().join("circuit");
    small().unpack(&folder).unwrap();
    assert_eq!(
        list(room.path()),
        [
            "circuit",
            "circuit/circuit",
            "circuit/circuit/main.circom",
            "circuit/lib0",
            "circuit/lib0/a b",
            "circuit/lib0/a b/é.circom",
        ]
    );
    assert_eq!(
        fs::read(folder.join("circuit/main.circom")).unwrap(),
        b"main"
    );
    let again = small().unpack(&folder).unwrap_err();
    assert!(
        matches!(again, SourcesError::FolderExists { .. }),
        "{again}"
    );
}

#[test]
fn unpacking_does_not_follow_a_link_that_waits_there() {
    let room = tempfile::tempdir().unwrap();
    let elsewhere = room.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let folder = room.path().join("circuit");
    std::os::unix::fs::symlink(&elsewhere, &folder).unwrap();
    assert!(small().unpack(&folder).is_err());
    assert!(list(&elsewhere).is_empty());
}

/// Every byte of the golden bundle changed: refused, or another bundle with another digest.
#[test]
fn no_changed_byte_goes_unnoticed() {
    let bytes = golden().into_bytes();
    let digest = small().sha256();
    for position in 0..bytes.len() {
        for flip in [0x01_u8, 0x20, 0x80] {
            let mut changed = bytes.clone();
            changed[position] ^= flip;
            if let Ok(bundle) = RawSourceBundle(&changed).validate() {
                assert_eq!(bundle.encode(), changed, "byte {position}");
                assert_ne!(bundle.sha256(), digest, "byte {position}");
            }
        }
    }
}

/// Deterministic mutations of good and hostile bundles: no panic, and what is accepted is canonical.
#[test]
fn mutated_bundles_never_panic_and_stay_canonical() {
    let mut seeds: Vec<Vec<u8>> = corpus();
    seeds.extend(
        hostile()
            .into_iter()
            .map(|case| case.1)
            .filter(|bytes| bytes.len() < 4096),
    );
    assert!(seeds.len() > 40);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    for round in 0..6000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=next(4) {
            let at = next(bytes.len() + 1);
            match next(4) {
                0 if at < bytes.len() => bytes[at] = u8::try_from(next(256)).unwrap(),
                1 if at < bytes.len() => {
                    bytes.remove(at);
                }
                2 => bytes.insert(at, b"\n %/.0fmal"[next(10)]),
                _ => bytes.truncate(at),
            }
        }
        if let Ok(bundle) = RawSourceBundle(&bytes).validate() {
            assert_eq!(bundle.encode(), bytes);
        }
    }
}

/// The committed corpus, shared with the fuzz target.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors/sources");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 3);
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn list(folder: &Path) -> Vec<String> {
    fn walk(base: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(base).unwrap().to_str().unwrap();
            found.push(name.to_owned());
            if path.is_dir() && !path.is_symlink() {
                walk(base, &path, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}
