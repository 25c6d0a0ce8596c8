//! The root file system as the image was built with it: paths, kinds and permissions.
//!
//! The ramdisk's bytes are measured, its limits are not (docs/image.md): a file can be missing from an
//! image whose PCRs are right. The contents of the modules are compared with their digests by the
//! self-checks; those of this program are what runs.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

/// The list that the ramdisk is made from: `dir MODE PATH`, `file MODE PATH`,
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

fn compare_with(list: &str, root: &Path) -> Result<usize, String> {
    let mut expected = BTreeMap::new();
    for line in list.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        if let (Some(kind), Some(mode), Some(path)) = (words.next(), words.next(), words.next()) {
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
            assert!(LIST.lines().any(|text| text == line), "{line}");
        }
    }
}
