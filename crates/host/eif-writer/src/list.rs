//! Which files a ramdisk holds: the checked-in list `enclave-image/files.txt`.
//!
//! One entry a line, sorted by path, `#` begins a comment: `dir MODE PATH`, `file MODE PATH` with or
//! without `sha256:DIGEST`, or `char MODE PATH MAJOR MINOR`. Modes are octal, paths have no slash at the
//! beginning.

use std::collections::BTreeSet;

/// Kinds of entries in a cpio archive's modes, as in `stat`.
pub(crate) const KINDS: u32 = 0o170_000;
pub(crate) const FOLDER: u32 = 0o040_000;
pub(crate) const FILE: u32 = 0o100_000;
pub(crate) const DEVICE: u32 = 0o020_000;

/// Entries of a ramdisk, sorted by path, each after the folder it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileList(Vec<Listed>);

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Path from the root, without a slash at the beginning.
    pub path: String,
    /// Permissions.
    pub permissions: u32,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A file with contents.
    File {
        /// What SHA-256 of the contents must be, where the list says.
        sha256: Option<[u8; 32]>,
    },
    /// A character device.
    Device {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
}

/// Why a list is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// A line of another form.
    #[error(
        "line {line}: expected `dir MODE PATH`, `file MODE PATH [sha256:DIGEST]` or `char MODE PATH MAJOR MINOR`"
    )]
    Line {
        /// From 1.
        line: usize,
    },
    /// Not sorted, or twice the same path.
    #[error("line {line}: {path} does not come after the line before")]
    Order {
        /// From 1.
        line: usize,
        /// The path.
        path: String,
    },
    /// An entry whose folder is not listed before it.
    #[error("line {line}: the folder of {path} is not listed")]
    NoFolder {
        /// From 1.
        line: usize,
        /// The path.
        path: String,
    },
}

impl FileList {
    /// Reads a list.
    ///
    /// # Errors
    /// [`ListError`] names the first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        let mut entries: Vec<Listed> = Vec::new();
        for (index, text) in text.lines().enumerate() {
            let line = index.saturating_add(1);
            let text = text.split('#').next().unwrap_or_default();
            let words: Vec<&str> = text.split_whitespace().collect();
            if words.is_empty() {
                continue;
            }
            let entry = entry(&words).ok_or(ListError::Line { line })?;
            let path = entry.path.clone();
            if entries.last().is_some_and(|last| last.path >= path) {
                return Err(ListError::Order { line, path });
            }
            if let Some((folder, _)) = path.rsplit_once('/')
                && !entries
                    .iter()
                    .any(|entry| entry.path == folder && entry.kind == Kind::Folder)
            {
                return Err(ListError::NoFolder { line, path });
            }
            entries.push(entry);
        }
        Ok(Self(entries))
    }

    /// The entries.
    pub fn entries(&self) -> &[Listed] {
        &self.0
    }

    /// Compares the list with what an image's ramdisk holds: paths, kinds, permissions, owners (root),
    /// devices, and the digests that are listed.
    ///
    /// # Errors
    /// Every difference, a line each: `- ` is listed only, `+ ` is in the image only.
    pub fn compare(&self, found: &[eif::Entry]) -> Result<(), String> {
        let mut listed: BTreeSet<String> = BTreeSet::new();
        for entry in &self.0 {
            let digest = found
                .iter()
                .find(|found| found.path == entry.path)
                .map(|found| found.sha256);
            listed.insert(entry.line(digest));
        }
        let found: BTreeSet<String> = found.iter().map(line_of).collect();
        let missing = listed.difference(&found).map(|line| format!("- {line}"));
        let added = found.difference(&listed).map(|line| format!("+ {line}"));
        let differences: Vec<String> = missing.chain(added).collect();
        if differences.is_empty() {
            Ok(())
        } else {
            Err(differences.join("\n"))
        }
    }
}

impl Listed {
    /// The entry as [`line_of`] shows it; a file whose digest is not listed may have any, `found`.
    fn line(&self, found: Option<[u8; 32]>) -> String {
        let permissions = self.permissions;
        let (kind, rest) = match self.kind {
            Kind::Folder => (FOLDER, String::new()),
            Kind::File { sha256 } => (FILE, hex::encode(sha256.or(found).unwrap_or_default())),
            Kind::Device { major, minor } => (DEVICE, format!("{major}:{minor}")),
        };
        format!("{:06o} 0:0 {} {rest}", kind | permissions, self.path)
    }
}

/// An entry of an image: mode, owner, path, and the digest of a file or the numbers of a device.
fn line_of(entry: &eif::Entry) -> String {
    let (uid, gid) = entry.owner;
    let rest = match (entry.mode & KINDS, entry.device) {
        (FILE, _) => hex::encode(entry.sha256),
        (FOLDER, _) => String::new(),
        (_, (major, minor)) => format!("{major}:{minor}"),
    };
    format!("{:06o} {uid}:{gid} {} {rest}", entry.mode, entry.path)
}

fn entry(words: &[&str]) -> Option<Listed> {
    let (kind, mode, path) = match words {
        ["dir", mode, path] => (Kind::Folder, mode, path),
        ["file", mode, path] => (Kind::File { sha256: None }, mode, path),
        ["file", mode, path, digest] => {
            let mut sha256 = [0; 32];
            hex::decode_to_slice(digest.strip_prefix("sha256:")?, &mut sha256).ok()?;
            let sha256 = Some(sha256);
            (Kind::File { sha256 }, mode, path)
        }
        ["char", mode, path, major, minor] => (
            Kind::Device {
                major: major.parse().ok()?,
                minor: minor.parse().ok()?,
            },
            mode,
            path,
        ),
        _ => return None,
    };
    let permissions = u32::from_str_radix(mode, 8).ok()?;
    let plain = path
        .split('/')
        .all(|name| !matches!(name, "" | "." | "..") && name.bytes().all(|b| b.is_ascii_graphic()));
    (permissions <= 0o7777 && plain).then(|| Listed {
        path: (*path).to_owned(),
        permissions,
        kind,
    })
}
