//! Which files a ramdisk holds: the checked-in list `enclave-image/files.txt`.
//!
//! One entry a line, sorted by path, `#` begins a comment: `dir MODE PATH`, `file MODE PATH` or
//! `char MODE PATH MAJOR MINOR`. Modes are octal, paths have no slash at the beginning.

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
    File,
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
        "line {line}: expected `dir MODE PATH`, `file MODE PATH` or `char MODE PATH MAJOR MINOR`"
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
}

fn entry(words: &[&str]) -> Option<Listed> {
    let (kind, mode, path) = match words {
        ["dir", mode, path] => (Kind::Folder, mode, path),
        ["file", mode, path] => (Kind::File, mode, path),
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
