//! The bundle: built from files or parsed from bytes, always checked as a whole, always encoded
//! in the one way.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use formats::digest::Sha256Digest;
use sha2::{Digest as _, Sha256};

use super::header::{self, FileLine};
use super::{
    MAGIC, MAX_CONTENT_BYTES, MAX_FILE_BYTES, MAX_FILES, MAX_LIBRARIES, SourcePath, SourcesError,
};

/// One source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    path: SourcePath,
    sha256: Sha256Digest,
    content: Vec<u8>,
}

impl SourceFile {
    /// Where it lies in the bundle.
    #[must_use]
    pub fn path(&self) -> &SourcePath {
        &self.path
    }

    /// SHA-256 of its content.
    #[must_use]
    pub fn sha256(&self) -> Sha256Digest {
        self.sha256
    }

    /// Its bytes.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }
}

/// A circuit's sources: checked files, the main one, the library folders in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceBundle {
    libraries: Vec<SourcePath>,
    main: SourcePath,
    files: Vec<SourceFile>,
}

impl SourceBundle {
    /// Starts a bundle with its main file.
    #[must_use]
    pub fn builder(main: SourcePath) -> SourceBundleBuilder {
        SourceBundleBuilder {
            libraries: Vec::new(),
            main,
            files: BTreeMap::new(),
        }
    }

    /// The library folders, in the order in which the compiler looks into them.
    #[must_use]
    pub fn libraries(&self) -> &[SourcePath] {
        &self.libraries
    }

    /// The file with the main component.
    #[must_use]
    pub fn main(&self) -> &SourcePath {
        &self.main
    }

    /// All files, ascending by path.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The file at a path.
    #[must_use]
    pub fn file(&self, path: &SourcePath) -> Option<&SourceFile> {
        let index = self
            .files
            .binary_search_by(|file| file.path.cmp(path))
            .ok()?;
        self.files.get(index)
    }

    /// The canonical bytes, `docs/formats/sources.md`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.header().into_bytes();
        for file in &self.files {
            bytes.extend_from_slice(&file.content);
        }
        bytes
    }

    /// SHA-256 of the canonical bytes: the circuit's name in the spec.
    #[must_use]
    pub fn sha256(&self) -> Sha256Digest {
        let mut hasher = Sha256::new();
        hasher.update(self.header());
        for file in &self.files {
            hasher.update(&file.content);
        }
        Sha256Digest::new(hasher.finalize().into())
    }

    fn header(&self) -> String {
        let mut text = format!("{MAGIC}\n");
        for library in &self.libraries {
            push_line(&mut text, "library", &library.encode());
        }
        push_line(&mut text, "main", &self.main.encode());
        for file in &self.files {
            let digest = file.sha256;
            let value = format!("{} {digest} {}", file.content.len(), file.path.encode());
            push_line(&mut text, "file", &value);
        }
        text.push('\n');
        text
    }
}

fn push_line(text: &mut String, key: &str, value: &str) {
    // Writing to a String cannot fail.
    let _infallible = writeln!(text, "{key} {value}");
}

/// Bytes that claim to be a source bundle.
pub struct RawSourceBundle<'a>(pub &'a [u8]);

impl RawSourceBundle<'_> {
    /// Parses and checks everything: grammar, paths, limits, sizes, the digest of every file.
    pub fn validate(self) -> Result<SourceBundle, SourcesError> {
        let (header, contents) = header::split(self.0)?;
        check_order(&header.files)?;
        let announced: u64 = header.files.iter().map(|file| file.size).sum();
        let there = u64::try_from(contents.len()).unwrap_or(u64::MAX);
        if there < announced {
            return Err(SourcesError::Truncated {
                expected: announced,
                got: there,
            });
        }
        if there > announced {
            return Err(SourcesError::Trailing {
                extra: there - announced,
            });
        }
        let mut builder = SourceBundle::builder(header.main);
        builder.libraries = header.libraries;
        let mut rest = contents;
        for FileLine { path, size, sha256 } in header.files {
            let taken = usize::try_from(size)
                .ok()
                .and_then(|size| rest.split_at_checked(size));
            let Some((content, after)) = taken else {
                return Err(SourcesError::TooLarge);
            };
            rest = after;
            if Sha256Digest::of(content) != sha256 {
                return Err(SourcesError::ContentDigest { path });
            }
            builder.files.insert(path, content.to_vec());
        }
        builder.build()
    }
}

/// Collects files for a bundle.
pub struct SourceBundleBuilder {
    libraries: Vec<SourcePath>,
    main: SourcePath,
    files: BTreeMap<SourcePath, Vec<u8>>,
}

impl SourceBundleBuilder {
    /// Adds a library folder, behind those added before.
    #[must_use]
    pub fn library(mut self, folder: SourcePath) -> Self {
        self.libraries.push(folder);
        self
    }

    /// Adds a file; a later one at the same path replaces an earlier one.
    #[must_use]
    pub fn file(mut self, path: SourcePath, content: Vec<u8>) -> Self {
        self.files.insert(path, content);
        self
    }

    /// Checks the whole and makes the bundle.
    pub fn build(self) -> Result<SourceBundle, SourcesError> {
        self.check_counts()?;
        self.check_names()?;
        if !self.files.contains_key(&self.main) {
            return Err(SourcesError::MainMissing { main: self.main });
        }
        self.check_libraries()?;
        let files = self
            .files
            .into_iter()
            .map(|(path, content)| SourceFile {
                path,
                sha256: Sha256Digest::of(&content),
                content,
            })
            .collect();
        Ok(SourceBundle {
            libraries: self.libraries,
            main: self.main,
            files,
        })
    }

    fn check_counts(&self) -> Result<(), SourcesError> {
        if self.files.is_empty() {
            return Err(SourcesError::NoFiles);
        }
        if self.files.len() > MAX_FILES {
            return Err(SourcesError::TooMany {
                what: "files",
                limit: MAX_FILES,
            });
        }
        if self.libraries.len() > MAX_LIBRARIES {
            return Err(SourcesError::TooMany {
                what: "libraries",
                limit: MAX_LIBRARIES,
            });
        }
        let mut total = 0_u64;
        for (path, content) in &self.files {
            let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
            if size > MAX_FILE_BYTES {
                return Err(SourcesError::FileTooLarge {
                    path: path.clone(),
                    size,
                });
            }
            total = total.saturating_add(size);
        }
        if total > MAX_CONTENT_BYTES {
            return Err(SourcesError::TooLarge);
        }
        Ok(())
    }

    /// No two paths that one file system takes for the same file, no file that is also a folder.
    fn check_names(&self) -> Result<(), SourcesError> {
        let mut folded: BTreeMap<String, &SourcePath> = BTreeMap::new();
        for path in self.files.keys() {
            if let Some(first) = folded.insert(path.as_str().to_ascii_lowercase(), path) {
                return Err(SourcesError::CaseFold {
                    first: first.clone(),
                    second: path.clone(),
                });
            }
        }
        for (folded_path, inside) in &folded {
            for (end, _) in folded_path.match_indices('/') {
                let folder = folded_path.get(..end).unwrap_or_default();
                if let Some(file) = folded.get(folder) {
                    return Err(SourcesError::FileAndFolder {
                        file: (*file).clone(),
                        inside: (*inside).clone(),
                    });
                }
            }
        }
        Ok(())
    }

    fn check_libraries(&self) -> Result<(), SourcesError> {
        for (index, library) in self.libraries.iter().enumerate() {
            if self.libraries.iter().take(index).any(|one| one == library) {
                return Err(SourcesError::LibraryTwice {
                    library: library.clone(),
                });
            }
            if !self.files.keys().any(|path| path.is_inside(library)) {
                return Err(SourcesError::EmptyLibrary {
                    library: library.clone(),
                });
            }
        }
        Ok(())
    }
}

fn check_order(files: &[FileLine]) -> Result<(), SourcesError> {
    for pair in files.windows(2) {
        if let [before, after] = pair
            && before.path >= after.path
        {
            return Err(SourcesError::Order {
                path: after.path.clone(),
            });
        }
    }
    Ok(())
}
