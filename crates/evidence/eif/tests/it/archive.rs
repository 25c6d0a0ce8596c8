//! The files of a ramdisk.

use eif::{EifError, Entry, RawEif};
use sha2::{Digest, Sha256};

use crate::builder::{COMMAND_LINE, Image, archive, entry, gzip, kernel};

fn files(archive: &[u8]) -> Result<Vec<Entry>, EifError> {
    let file = Image::of(&kernel(), COMMAND_LINE.as_bytes(), &gzip(archive)).bytes();
    RawEif(&file).validate().unwrap().files()
}

fn refused(archive: &[u8]) -> (usize, &'static str) {
    match files(archive) {
        Err(EifError::Cpio { entry, reason }) => (entry, reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_are_listed_with_their_digests() {
    let list = files(&archive(&[("init", b"program"), ("modules/a", b"")])).unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list[0].path, "init");
    assert_eq!(list[0].mode, 0o100_755);
    assert_eq!(list[0].size, 7);
    assert_eq!(list[0].sha256[..], Sha256::digest(b"program")[..]);
    assert_eq!(
        list[1].to_string(),
        format!("100755 0:0 0 {:x} modules/a", HexOf(b""))
    );
}

struct HexOf(&'static [u8]);

impl std::fmt::LowerHex for HexOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(Sha256::digest(self.0)))
    }
}

#[test]
fn paths_that_lead_elsewhere_or_twice_to_one_place() {
    for path in ["/init", "a//b", "./init", "a/..", "a b", ""] {
        let (entry, reason) = refused(&archive(&[("first", b""), (path, b"")]));
        let expected = if path.is_empty() {
            "the path has no possible length"
        } else {
            "the path is not plain"
        };
        assert_eq!((entry, reason), (1, expected), "{path:?}");
    }
    assert_eq!(
        refused(&archive(&[("init", b"a"), ("init", b"b")])),
        (1, "the path is there already")
    );
}

#[test]
fn a_second_archive_behind_the_first() {
    let one = archive(&[("init", b"program")]);
    let two = [one.clone(), archive(&[("extra", b"")])].concat();
    assert_eq!(refused(&two), (1, "something follows the trailer"));
    let padded = [one, vec![0; 511]].concat();
    assert_eq!(files(&padded).unwrap().len(), 1);
}

#[test]
fn single_changes_of_an_archive() {
    let good = archive(&[("init", b"program")]);
    let after = |change: fn(&mut Vec<u8>)| {
        let mut changed = good.clone();
        change(&mut changed);
        refused(&changed)
    };
    assert_eq!(after(|a| a[5] = b'2'), (0, "no header of the form newc"));
    assert_eq!(after(|a| a[6] = b'g'), (0, "a number is not hexadecimal"));
    assert_eq!(after(|a| a[6] = b'+'), (0, "a number is not hexadecimal"));
    assert_eq!(
        after(|a| a[109] = b'1'),
        (0, "the checksum field is not zero")
    );
    // Links, at the fifth field.
    assert_eq!(after(|a| a[6 + 4 * 8 + 7] = b'2'), (0, "a hard link"));
    assert_eq!(after(|a| a[115] = b'x'), (0, "padding is not zero"));
    assert_eq!(
        after(|a| a[114] = b'x'),
        (0, "the path is not UTF-8 with a NUL at its end")
    );
    assert_eq!(after(|a| a.truncate(120)), (0, "the archive ends here"));
    assert_eq!(after(Vec::clear), (0, "the archive ends here"));
    let mut folder = Vec::new();
    entry(&mut folder, 0o040_755, "dev", b"contents");
    assert_eq!(refused(&folder), (0, "contents where there can be none"));
}
