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
