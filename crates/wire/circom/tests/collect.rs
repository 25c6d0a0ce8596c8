//! Collecting a circuit's sources from a file system.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

mod common;

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use circom::CollectError;
use circom::sources::{collect, collect_within};
use common::write;
use manifest::sources::SourceBundle;

/// Files of a bundle, its libraries and its main file as plain text.
fn layout(bundle: &SourceBundle) -> String {
    let mut text = format!("main {}\n", bundle.main());
    for library in bundle.libraries() {
        writeln!(text, "library {library}").unwrap();
    }
    for file in bundle.files() {
        writeln!(text, "file {}", file.path()).unwrap();
    }
    text
}

fn folders(base: &Path, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| base.join(name)).collect()
}

#[test]
fn files_keep_their_places_and_only_what_is_reached_is_taken() {
    let room = tempfile::tempdir().unwrap();
    let base = room.path();
    write(
        base,
        &[
            (
                "app/main.circom",
                "include \"sub/a.circom\"; include \"hash/h.circom\"; include \"z.circom\";",
            ),
            (
                "app/sub/a.circom",
                "include \"../b.circom\"; // include \"no.circom\";",
            ),
            ("app/b.circom", "include \"h.circom\";"),
            ("app/unreached.circom", ""),
            ("node/hash/h.circom", "include \"./i.circom\";"),
            ("node/hash/i.circom", ""),
            ("other/h.circom", ""),
            ("other/z.circom", ""),
            ("unused/u.circom", ""),
        ],
    );
    let libraries = folders(base, &["unused", "node", "other"]);
    let bundle = collect(&base.join("app/main.circom"), &libraries).unwrap();
    assert_eq!(
        layout(&bundle),
        "main circuit/main.circom\nlibrary lib0\nlibrary lib1\n\
         file circuit/b.circom\nfile circuit/main.circom\nfile circuit/sub/a.circom\n\
         file lib0/hash/h.circom\nfile lib0/hash/i.circom\n\
         file lib1/h.circom\nfile lib1/z.circom\n"
    );
}

#[test]
fn trees_grow_upwards_and_libraries_inside_them_stay_inside() {
    let room = tempfile::tempdir().unwrap();
    let base = room.path();
    write(
        base,
        &[
            (
                "p/circuits/main/m.circom",
                "include \"../lib/a.circom\"; include \"c/x.circom\";",
            ),
            (
                "p/circuits/lib/a.circom",
                "include \"../../node_modules/c/x.circom\";",
            ),
            ("p/node_modules/c/x.circom", ""),
        ],
    );
    let libraries = folders(base, &["p/node_modules"]);
    let bundle = collect(&base.join("p/circuits/main/m.circom"), &libraries).unwrap();
    assert_eq!(
        layout(&bundle),
        "main circuit/circuits/main/m.circom\nlibrary circuit/node_modules\n\
         file circuit/circuits/lib/a.circom\nfile circuit/circuits/main/m.circom\n\
         file circuit/node_modules/c/x.circom\n"
    );
    let above = collect(
        &base.join("p/circuits/main/m.circom"),
        &folders(base, &["p/node_modules", "p"]),
    )
    .unwrap();
    assert_eq!(
        layout(&above)
            .lines()
            .filter(|line| line.starts_with("library"))
            .count(),
        2
    );
    let error = collect_within(
        &base.join("p/circuits/main"),
        &base.join("p/circuits/main/m.circom"),
        &[],
    );
    assert!(
        matches!(error, Err(CollectError::IncludeLeavesRoot { line: 1, .. })),
        "{error:?}"
    );
    let error = collect_within(
        &base.join("p/circuits"),
        &base.join("p/circuits/main/m.circom"),
        &libraries,
    );
    assert!(
        matches!(error, Err(CollectError::OutsideRoot { .. })),
        "{error:?}"
    );
    collect_within(base, &base.join("p/circuits/main/m.circom"), &libraries).unwrap();
}

#[test]
fn a_library_above_the_main_file_becomes_its_tree() {
    let room = tempfile::tempdir().unwrap();
    let base = room.path();
    write(
        base,
        &[
            ("src/m.circom", "include \"lib/a.circom\";"),
            ("lib/a.circom", ""),
        ],
    );
    let bundle = collect(&base.join("src/m.circom"), &[base.to_owned()]).unwrap();
    assert_eq!(
        layout(&bundle),
        "main circuit/src/m.circom\nlibrary circuit\nfile circuit/lib/a.circom\nfile circuit/src/m.circom\n"
    );
}

#[test]
fn include_circles_and_diamonds_are_read_once() {
    let room = tempfile::tempdir().unwrap();
    let base = room.path();
    write(
        base,
        &[
            (
                "m.circom",
                "include \"a.circom\"; include \"./b.circom\"; include \"m.circom\";",
            ),
            ("a.circom", "include \"x/../b.circom\";"),
            ("x/y", ""),
            ("b.circom", "include \"a.circom\";"),
        ],
    );
    let bundle = collect(&base.join("m.circom"), &[]).unwrap();
    assert_eq!(bundle.files().len(), 3);
}

#[test]
fn each_bad_include_has_its_error_with_its_line() {
    let room = tempfile::tempdir().unwrap();
    let base = room.path();
    write(base, &[("lib/x.circom", ""), ("notes.txt", "")]);
    let collected = |text: &str| {
        write(base, &[("m.circom", text)]);
        collect(&base.join("m.circom"), &folders(base, &["lib"])).unwrap_err()
    };
    let error = collected("pragma circom 2.0.0;\n\ninclude \"y.circom\";");
    let CollectError::IncludeMissing {
        line: 3,
        include,
        looked,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(include, "y.circom");
    assert_eq!(looked.len(), 2);
    assert!(error.hint().contains("lib/y.circom"), "{}", error.hint());
    let error = collected("include \"/etc/passwd\";");
    assert!(
        matches!(error, CollectError::IncludeAbsolute { line: 1, .. }),
        "{error}"
    );
    let error = collected("include \"notes.txt\";");
    assert!(
        matches!(error, CollectError::IncludeNotCircom { .. }),
        "{error}"
    );
    let error = collected("include \"../../../../../../../../../../../../../../../etc/passwd\";");
    assert!(
        matches!(error, CollectError::IncludeNotCircom { .. }),
        "{error}"
    );
    std::fs::write(base.join("m.circom"), b"// \xff").unwrap();
    let error = collect(&base.join("m.circom"), &[]).unwrap_err();
    assert!(
        matches!(error, CollectError::NotUtf8 { offset: 3, .. }),
        "{error}"
    );
    let error = collect(&base.join("none.circom"), &[]).unwrap_err();
    assert!(matches!(error, CollectError::MainMissing { .. }), "{error}");
    let error = collect(&base.join("m.circom"), &folders(base, &["none"])).unwrap_err();
    assert!(
        matches!(error, CollectError::LibraryMissing { .. }),
        "{error}"
    );
}

#[test]
fn linked_libraries_work_and_double_meanings_are_refused() {
    let room = tempfile::tempdir().unwrap();
    let base = room.path();
    write(
        base,
        &[
            ("store/c/a.circom", "include \"b.circom\";"),
            ("store/c/b.circom", ""),
            ("m.circom", "include \"c/a.circom\";"),
            (
                "twice.circom",
                "include \"c/a.circom\"; include \"d/b.circom\";",
            ),
            ("real/n.circom", "include \"near.circom\";"),
            ("real/near.circom", "real"),
            ("near.circom", "other"),
        ],
    );
    std::fs::create_dir(base.join("modules")).unwrap();
    symlink("../store/c", base.join("modules/c")).unwrap();
    symlink("../store/c", base.join("modules/d")).unwrap();
    symlink("real/n.circom", base.join("n.circom")).unwrap();
    let libraries = folders(base, &["modules"]);
    let bundle = collect(&base.join("m.circom"), &libraries).unwrap();
    assert_eq!(
        layout(&bundle),
        "main circuit/m.circom\nlibrary circuit/modules\nfile circuit/m.circom\n\
         file circuit/modules/c/a.circom\nfile circuit/modules/c/b.circom\n"
    );
    let error = collect(&base.join("twice.circom"), &libraries).unwrap_err();
    assert!(
        matches!(error, CollectError::OneFileTwice { .. }),
        "{error}"
    );
    let error = collect(&base.join("n.circom"), &[]).unwrap_err();
    assert!(
        matches!(error, CollectError::IncludeAmbiguous { .. }),
        "{error}"
    );
}

#[test]
fn a_root_is_not_left_through_a_link() {
    let room = tempfile::tempdir().unwrap();
    let base = room.path();
    write(
        base,
        &[
            ("in/m.circom", "include \"l/s.circom\";"),
            ("out/s.circom", ""),
        ],
    );
    symlink("../out", base.join("in/l")).unwrap();
    let error = collect_within(&base.join("in"), &base.join("in/m.circom"), &[]).unwrap_err();
    assert!(
        matches!(error, CollectError::IncludeLeavesRoot { .. }),
        "{error}"
    );
}
