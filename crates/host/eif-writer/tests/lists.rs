//! Lists of files, and what a ramdisk does with them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::io;

use eif_writer::ramdisk::{self, RamdiskError};
use eif_writer::{FileList, ListError};

fn refused(text: &str) -> ListError {
    FileList::parse(text).unwrap_err()
}

#[test]
fn a_list_is_sorted_and_complete() {
    let good = "# comment\n\ndir 0755 a # folder\nfile 0644 a/b\nchar 0600 c 5 1\n";
    assert_eq!(FileList::parse(good).unwrap().entries().len(), 3);
    let path = || "a".to_owned();
    assert_eq!(
        refused("file 0644 b\nfile 0644 a"),
        ListError::Order {
            line: 2,
            path: path()
        }
    );
    assert_eq!(
        refused("file 0644 a\nfile 0644 a"),
        ListError::Order {
            line: 2,
            path: path()
        }
    );
    let path = "a/b".to_owned();
    assert_eq!(
        refused("file 0644 a\nfile 0644 a/b"),
        ListError::NoFolder {
            line: 2,
            path: path.clone()
        },
        "the folder is a file"
    );
    assert_eq!(
        refused("file 0644 a/b"),
        ListError::NoFolder { line: 1, path }
    );
}

#[test]
fn lines_of_another_form() {
    for line in [
        "file a",
        "file 0888 a",
        "file 17777 a",
        "file 0644 /a",
        "file 0644 a/../b",
        "dir 0755 a b",
        "file 0644 a sha256:",
        "file 0644 a sha256:00",
        "file 0644 a 0000000000000000000000000000000000000000000000000000000000000000",
        "char 0600 c 5",
        "char 0600 c 5 x",
        "link 0777 a b",
    ] {
        assert_eq!(refused(line), ListError::Line { line: 1 }, "{line}");
    }
}

#[test]
fn a_file_without_contents_is_named() {
    let list = FileList::parse("file 0755 init").unwrap();
    let error = ramdisk::archive(&list, |_| Err(io::ErrorKind::NotFound.into())).unwrap_err();
    assert!(matches!(error, RamdiskError::Contents { path, .. } if path == "init"));
}

#[test]
fn a_file_with_other_contents_than_listed_is_named() {
    // SHA-256 of nothing.
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let list = FileList::parse(&format!("file 0755 init sha256:{digest}")).unwrap();
    assert!(ramdisk::archive(&list, |_| Ok(Vec::new())).is_ok());
    let error = ramdisk::archive(&list, |_| Ok(vec![0])).unwrap_err();
    assert!(matches!(error, RamdiskError::OtherContents { path, .. } if path == "init"));
}

#[test]
fn every_difference_between_a_list_and_an_image_is_shown() {
    let list = "dir 0755 dev\nchar 0600 dev/console 5 1\nfile 0755 init\n";
    let parsed = FileList::parse(list).unwrap();
    let path = testkit::workspace_root().join("tests/vectors/eif/accepted-eif_build-0.2.1.eif");
    let bytes = std::fs::read(path).unwrap();
    let found = eif::RawEif(&bytes).validate().unwrap().files().unwrap();
    assert_eq!(parsed.compare(&found), Ok(()));

    let digest = hex::encode(found[2].sha256);
    let differences = |list: &str| {
        let list = FileList::parse(list).unwrap();
        list.compare(&found).unwrap_err()
    };
    assert_eq!(
        differences(&list.replace("0755 init", "0700 init")),
        format!("- 100700 0:0 init {digest}\n+ 100755 0:0 init {digest}")
    );
    assert_eq!(
        differences(&list.replace("char 0600 dev/console 5 1\n", "")),
        "+ 020600 0:0 dev/console 5:1"
    );
    let zeros = "0".repeat(64);
    assert_eq!(
        differences(&format!("{list}file 0644 more sha256:{zeros}\n")),
        format!("- 100644 0:0 more {zeros}")
    );
    assert_eq!(
        differences(&list.replace("init", &format!("init sha256:{zeros}"))),
        format!("- 100755 0:0 init {zeros}\n+ 100755 0:0 init {digest}")
    );
    let mut owned = found.clone();
    owned[0].owner = (1, 0);
    assert!(parsed.compare(&owned).unwrap_err().contains("1:0 dev"));
}

#[test]
fn what_the_parser_would_refuse_is_not_written() {
    let metadata = || eif_writer::ImageMetadata {
        image_name: String::new(),
        image_version: String::new(),
        build_metadata: eif_writer::BuildMetadata {
            build_time: String::new(),
            build_tool: String::new(),
            build_tool_version: String::new(),
            operating_system: String::new(),
            kernel_version: String::new(),
        },
        docker_info: (),
        custom_metadata: serde_json::Value::Null,
    };
    let gzipped = ramdisk::gzip(b"");
    assert!(eif_writer::write(b"kernel", "quiet", &metadata(), &gzipped).is_ok());
    let refused = |kernel: &[u8], line: &str, ramdisk: &[u8]| match eif_writer::write(
        kernel,
        line,
        &metadata(),
        ramdisk,
    )
    .unwrap_err()
    {
        eif_writer::WriteError::Refused(error) => error.code(),
        other => other.to_string().leak(),
    };
    assert_eq!(
        refused(b"kernel", "quiet\n", &gzipped),
        "eif_command_line_byte"
    );
    assert_eq!(refused(b"kernel", "quiet", b"cpio"), "eif_not_gzip");
    assert_eq!(refused(b"", "quiet", &gzipped), "eif_empty_section");
}
