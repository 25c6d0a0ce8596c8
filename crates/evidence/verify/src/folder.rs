//! The bundle's folder: exactly the files that belong there, read within limits.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use formats::source::{FileSource, Source};
use manifest::ArtifactKind;
use manifest::manifest::Manifest;
use manifest::report::REPORT_FILE;
use manifest::sums::{SOURCES_FOLDER, SUMS_FILE};

use crate::checklist::{Outcome, fact};
use crate::failure::Failure;

/// A bundle's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// A folder that claims to be a bundle.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Checks that there is every file of the bundle and nothing else: no other file, no link.
    ///
    /// Stops at the first name that does not belong, so a folder of millions costs nothing.
    pub fn check_listing(&self, manifest: &Manifest) -> Outcome {
        let files = expected_files(manifest);
        let mut folders = BTreeSet::new();
        for file in &files {
            let parents = file
                .match_indices('/')
                .map(|(end, _)| file.split_at(end).0.to_owned());
            folders.extend(parents);
        }
        let mut seen = BTreeSet::new();
        let mut waiting = vec![String::new()];
        while let Some(folder) = waiting.pop() {
            for entry in self.read_dir(&folder)? {
                let (path, file_type) = entry?;
                if file_type.is_dir() && folders.contains(&path) {
                    waiting.push(path);
                } else if !files.contains(&path) {
                    return Err(Failure::Unexpected { path });
                } else if !file_type.is_file() {
                    return Err(Failure::NotRegular { path });
                } else {
                    seen.insert(path);
                }
            }
        }
        match files.difference(&seen).next() {
            Some(path) => Err(Failure::Missing { path: path.clone() }),
            None => Ok(vec![fact("files", &files.len())]),
        }
    }

    /// Opens a file of the bundle for positional reads. Links are not followed.
    pub fn open(&self, path: &str) -> Result<FileSource, Failure> {
        let full = self.root.join(path);
        let metadata = fs::symlink_metadata(&full).map_err(|error| read_error(path, error))?;
        if !metadata.is_file() {
            return Err(Failure::NotRegular {
                path: path.to_owned(),
            });
        }
        FileSource::open(&full).map_err(|error| read_error(path, error))
    }

    /// Reads a whole small file of at most `limit` bytes; the limit is checked before anything is read.
    pub fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Failure> {
        let source = self.open(path)?;
        let got = source.len();
        if got > limit {
            return Err(Failure::TooLarge {
                path: path.to_owned(),
                limit,
                got,
            });
        }
        let length = usize::try_from(got).map_err(|_| Failure::TooLarge {
            path: path.to_owned(),
            limit,
            got,
        })?;
        let mut bytes = vec![0; length];
        source
            .read_exact_at(&mut bytes, 0)
            .map_err(|error| read_error(path, error))?;
        Ok(bytes)
    }

    /// Names (relative to the bundle) and types of the entries of one folder.
    fn read_dir(
        &self,
        folder: &str,
    ) -> Result<impl Iterator<Item = Result<(String, fs::FileType), Failure>>, Failure> {
        let error_path = if folder.is_empty() { "." } else { folder }.to_owned();
        let entries =
            fs::read_dir(self.root.join(folder)).map_err(|error| read_error(&error_path, error))?;
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        Ok(entries.map(move |entry| {
            let entry = entry.map_err(|error| read_error(&error_path, error))?;
            let name = entry.file_name();
            let path = format!("{prefix}{}", name.to_string_lossy());
            if name.to_str().is_none() {
                // No path of a bundle is anything but UTF-8.
                return Err(Failure::Unexpected { path });
            }
            let file_type = entry
                .file_type()
                .map_err(|error| read_error(&path, error))?;
            Ok((path, file_type))
        }))
    }
}

/// The paths of all files of the bundle.
fn expected_files(manifest: &Manifest) -> BTreeSet<String> {
    let artifacts = manifest.artifacts.keys().map(|kind| kind.name().to_owned());
    let sources = manifest
        .sources
        .keys()
        .map(|path| format!("{SOURCES_FOLDER}/{path}"));
    let closing = [
        ArtifactKind::Manifest.name(),
        ArtifactKind::Attestation2.name(),
        SUMS_FILE,
        REPORT_FILE,
    ];
    artifacts
        .chain(sources)
        .chain(closing.map(str::to_owned))
        .collect()
}

fn read_error(path: &str, source: io::Error) -> Failure {
    let path = path.to_owned();
    if source.kind() == io::ErrorKind::NotFound {
        Failure::Missing { path }
    } else {
        Failure::Unreadable { path, source }
    }
}
