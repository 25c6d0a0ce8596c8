//! The root file system as the image was built with it: paths, kinds and permissions.
//!
//! The ramdisk's bytes are measured, its limits are not (docs/image.md): a file can be missing from an
//! image whose PCRs are right. The contents of every other file are compared with the digest that the
//! list names; those of this program are what runs, and it cannot hold its own digest.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};

/// The list that the ramdisk is made from: `dir MODE PATH`, `file MODE PATH [sha256:DIGEST]`,
/// `char MODE PATH MAJOR MINOR`, `#` begins a comment.
const LIST: &str = include_str!("../../../../../enclave-image/files.txt");

/// More entries than this are not walked.
const MAX_ENTRIES: usize = 64;

/// Compares everything below `root` with the compiled-in list.
///
/// # Errors
/// The first difference, as one line.
pub fn compare(root: &Path) -> Result<usize, String> {
    compare_with(LIST, root)
}

/// Compares the contents of every file below `root` whose digest is listed: the compiler modules and
/// the machine code that was made of them.
///
/// # Errors
/// The first difference, as one line.
pub fn compare_contents(root: &Path) -> Result<usize, String> {
    compare_contents_with(LIST, root)
}

fn compare_contents_with(list: &str, root: &Path) -> Result<usize, String> {
    let mut count = 0;
    for (path, digest) in words(list).filter_map(|words| match *words.as_slice() {
        ["file", _, path, digest] => Some((path, digest)),
        _ => None,
    }) {
        let contents =
            fs::read(root.join(path)).map_err(|error| format!("{path}: {}", error.kind()))?;
        let found = format!("sha256:{}", hex::encode(Sha256::digest(&contents)));
        if found != digest {
            return Err(format!("{path} has {found}"));
        }
        count += 1;
    }
    Ok(count)
}

/// The words of each line that is not empty.
fn words(list: &str) -> impl Iterator<Item = Vec<&str>> {
    list.lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| !words.is_empty())
}

fn compare_with(list: &str, root: &Path) -> Result<usize, String> {
    let mut expected = BTreeMap::new();
    for words in words(list) {
        if let [kind, mode, path, ..] = *words.as_slice() {
            expected.insert(path.to_owned(), format!("{kind} {mode}"));
        }
    }
    let mut seen = BTreeMap::new();
    walk(root, "", &mut seen)?;
    for (path, found) in &seen {
        match expected.get(path) {
            None => return Err(format!("{path} is not in the list")),
            Some(listed) if listed != found => {
                return Err(format!("{path} is `{found}`, expected `{listed}`"));
            }
            Some(_) => {}
        }
    }
    match expected.keys().find(|path| !seen.contains_key(*path)) {
        Some(path) => Err(format!("{path} is missing")),
        None => Ok(seen.len()),
    }
}

/// Every entry below `folder`, by its path from the root, as `KIND MODE`.
fn walk(folder: &Path, prefix: &str, seen: &mut BTreeMap<String, String>) -> Result<(), String> {
    let failed = |error: io::Error| format!("/{prefix}: {}", error.kind());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_str().ok_or("a name that is not UTF-8")?;
        let path = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}/{name}")
        };
        if seen.len() >= MAX_ENTRIES {
            return Err(format!("more than {MAX_ENTRIES} entries"));
        }
        let metadata = entry.metadata().map_err(failed)?;
        let kind = match metadata.file_type() {
            kind if kind.is_dir() => "dir",
            kind if kind.is_file() => "file",
            kind if kind.is_char_device() => "char",
            _ => "other",
        };
        let mode = metadata.permissions().mode() & 0o7777;
        seen.insert(path.clone(), format!("{kind} {mode:04o}"));
        if kind == "dir" {
            walk(&entry.path(), &path, seen)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    const SMALL: &str =
        "# a list\ndir 0755 modules\nfile 0644 modules/a # comment\nfile 0755 init\n";

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("modules")).unwrap();
        for (path, mode) in [("modules", 0o755), ("modules/a", 0o644), ("init", 0o755)] {
            let path = root.path().join(path);
            if !path.exists() {
                fs::write(&path, b"contents").unwrap();
            }
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        }
        root
    }

    /// The reason after one change of the tree.
    fn after(change: impl FnOnce(&Path)) -> String {
        let root = tree();
        change(root.path());
        compare_with(SMALL, root.path()).unwrap_err()
    }

    #[test]
    fn the_listed_tree_is_accepted() {
        assert_eq!(compare_with(SMALL, tree().path()), Ok(3));
    }

    #[test]
    fn r1_other_contents_than_listed_are_named() {
        let digest = hex::encode(Sha256::digest(b"contents"));
        let list = format!("file 0644 modules/a sha256:{digest}\nfile 0755 init\n");
        let root = tree();
        assert_eq!(compare_contents_with(&list, root.path()), Ok(1));
        fs::write(root.path().join("modules/a"), b"contentt").unwrap();
        let other = hex::encode(Sha256::digest(b"contentt"));
        assert_eq!(
            compare_contents_with(&list, root.path()),
            Err(format!("modules/a has sha256:{other}"))
        );
        fs::remove_file(root.path().join("modules/a")).unwrap();
        assert_eq!(
            compare_contents_with(&list, root.path()),
            Err("modules/a: entity not found".to_owned())
        );
    }

    #[test]
    fn every_file_but_the_program_has_its_digest_in_the_list() {
        for words in words(LIST).filter(|words| words[0] == "file") {
            let digest = words.get(3).and_then(|word| word.strip_prefix("sha256:"));
            assert_eq!(
                digest.map(str::len),
                (words[2] != "init").then_some(64),
                "{words:?}"
            );
        }
    }

    #[test]
    fn r1_every_difference_is_named() {
        assert_eq!(
            after(|root| fs::remove_file(root.join("modules/a")).unwrap()),
            "modules/a is missing"
        );
        assert_eq!(
            after(|root| fs::write(root.join("sh"), b"").unwrap()),
            "sh is not in the list"
        );
        assert_eq!(
            after(|root| fs::set_permissions(
                root.join("modules/a"),
                Permissions::from_mode(0o755)
            )
            .unwrap()),
            "modules/a is `file 0755`, expected `file 0644`"
        );
        assert_eq!(
            after(|root| {
                fs::remove_file(root.join("init")).unwrap();
                std::os::unix::fs::symlink("modules/a", root.join("init")).unwrap();
            }),
            "init is `other 0777`, expected `file 0755`"
        );
        assert_eq!(
            after(|root| (0..70).for_each(|i| {
                fs::create_dir(root.join(format!("modules/{i}"))).unwrap();
            })),
            "more than 64 entries"
        );
    }

    #[test]
    fn the_compiled_in_list_has_the_program_and_both_modules() {
        for line in [
            "file 0755 init",
            "file 0644 modules/circom.wasm",
            "file 0644 modules/solc.wasm",
        ] {
            assert!(LIST.lines().any(|text| text.starts_with(line)), "{line}");
        }
    }
}
