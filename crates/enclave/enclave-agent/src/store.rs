//! Files by artifact kind, in a folder that nobody else writes to.
//!
//! A file's name is a constant of its kind: nothing a peer says becomes a name or a path.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use formats::digest::{DigestState, FileDigests, HashingWriter, hash_source};
use formats::progress::ProgressSink;
use formats::source::FileSource;
use manifest::{ArtifactKind, ArtifactRecord};

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// An artifact that is not there (yet).
    #[error("artifact {kind} is not there")]
    Missing {
        /// The artifact.
        kind: ArtifactKind,
    },
    /// Too large to be read at once.
    #[error("artifact {kind} has {got} bytes, at most {limit} are taken")]
    TooLarge {
        /// The artifact.
        kind: ArtifactKind,
        /// Its size.
        got: u64,
        /// The limit.
        limit: u64,
    },
    /// The file system failed.
    #[error("cannot {action} artifact {kind}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The artifact.
        kind: ArtifactKind,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl StoreError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "artifact_missing",
            Self::TooLarge { .. } => "artifact_too_large",
            Self::Io { .. } if self.is_full() => "store_full",
            Self::Io { .. } => "store_io",
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        self.is_full()
            .then_some("give the enclave more memory: its store is a file system in memory")
    }

    fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ))
    }
}

/// The store.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    records: Mutex<BTreeMap<ArtifactKind, ArtifactRecord>>,
}

impl Store {
    /// Makes the folder, readable by this user only. It must not exist, or be empty: a store does
    /// not take over what others left.
    pub fn create(folder: &Path) -> io::Result<Self> {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if std::fs::read_dir(folder)?.next().is_some() {
                    return Err(io::ErrorKind::DirectoryNotEmpty.into());
                }
            }
            other => other?,
        }
        Ok(Self {
            folder: folder.to_owned(),
            records: Mutex::default(),
        })
    }

    /// Size and digests of an artifact that is complete.
    pub fn record(&self, kind: ArtifactKind) -> Result<ArtifactRecord, StoreError> {
        self.lock()
            .get(&kind)
            .cloned()
            .ok_or(StoreError::Missing { kind })
    }

    /// Whether an artifact is complete.
    pub fn has(&self, kind: ArtifactKind) -> bool {
        self.lock().contains_key(&kind)
    }

    /// Everything that is complete, by kind.
    pub fn records(&self) -> BTreeMap<ArtifactKind, ArtifactRecord> {
        self.lock().clone()
    }

    /// A new, empty file for an artifact. It counts only after [`Store::keep`].
    pub fn new_file(&self, kind: ArtifactKind) -> Result<File, StoreError> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.unfinished(kind))
            .map_err(store_error("create", kind))
    }

    /// A new, empty file whose digests are computed as it is written.
    pub fn new_hashed(&self, kind: ArtifactKind) -> Result<HashingWriter<File>, StoreError> {
        Ok(HashingWriter::new(self.new_file(kind)?))
    }

    /// Makes an unfinished file the artifact. `digests` must be of all its bytes.
    pub fn keep(
        &self,
        kind: ArtifactKind,
        digests: &FileDigests,
    ) -> Result<ArtifactRecord, StoreError> {
        std::fs::rename(self.unfinished(kind), self.path(kind))
            .map_err(store_error("keep", kind))?;
        let record = ArtifactRecord::new(kind, digests);
        self.lock().insert(kind, record.clone());
        Ok(record)
    }

    /// Hashes an unfinished file that was written out of order, then keeps it.
    pub fn hash_and_keep(
        &self,
        kind: ArtifactKind,
        progress: &dyn ProgressSink,
    ) -> Result<ArtifactRecord, StoreError> {
        let digests = FileSource::open(self.unfinished(kind))
            .and_then(|source| hash_source(&source, progress))
            .map_err(store_error("hash", kind))?;
        self.keep(kind, &digests)
    }

    /// Stores an artifact that is small enough to be in memory.
    pub fn put(&self, kind: ArtifactKind, bytes: &[u8]) -> Result<ArtifactRecord, StoreError> {
        std::fs::write(self.unfinished(kind), bytes).map_err(store_error("write", kind))?;
        let mut state = DigestState::default();
        state.update(bytes);
        self.keep(kind, &state.finish())
    }

    /// Removes an unfinished file, if there is one.
    pub fn discard(&self, kind: ArtifactKind) {
        // Nothing depends on it: the next file of this kind truncates what is left.
        drop(std::fs::remove_file(self.unfinished(kind)));
    }

    /// Removes an artifact that is not needed any more, to free the memory it takes.
    pub fn remove(&self, kind: ArtifactKind) -> Result<(), StoreError> {
        if self.lock().remove(&kind).is_some() {
            std::fs::remove_file(self.path(kind)).map_err(store_error("remove", kind))?;
        }
        Ok(())
    }

    /// Opens a complete artifact for positional reads.
    pub fn open(&self, kind: ArtifactKind) -> Result<FileSource, StoreError> {
        self.record(kind)?;
        FileSource::open(self.path(kind)).map_err(store_error("open", kind))
    }

    /// Opens an unfinished file for positional reads, after it was written.
    pub fn open_unfinished(&self, kind: ArtifactKind) -> Result<FileSource, StoreError> {
        FileSource::open(self.unfinished(kind)).map_err(store_error("open", kind))
    }

    /// Reads a complete artifact of at most `limit` bytes into memory.
    pub fn read(&self, kind: ArtifactKind, limit: u64) -> Result<Vec<u8>, StoreError> {
        let size = self.record(kind)?.size;
        if size > limit {
            return Err(StoreError::TooLarge {
                kind,
                got: size,
                limit,
            });
        }
        std::fs::read(self.path(kind)).map_err(store_error("read", kind))
    }

    fn path(&self, kind: ArtifactKind) -> PathBuf {
        self.folder.join(kind.name())
    }

    fn unfinished(&self, kind: ArtifactKind) -> PathBuf {
        self.folder.join(format!("{}.part", kind.name()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ArtifactKind, ArtifactRecord>> {
        // Every change is one step, so a panic elsewhere leaves the map whole.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn store_error(
    action: &'static str,
    kind: ArtifactKind,
) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Io {
        action,
        kind,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_counts_only_when_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("store")).unwrap();
        store.new_file(ArtifactKind::R1cs).unwrap();
        assert!(!store.has(ArtifactKind::R1cs));
        assert!(matches!(
            store.open(ArtifactKind::R1cs),
            Err(StoreError::Missing {
                kind: ArtifactKind::R1cs
            })
        ));
        let record = store.put(ArtifactKind::Manifest, b"abc").unwrap();
        assert_eq!(record.size, 3);
        assert_eq!(store.read(ArtifactKind::Manifest, 3).unwrap(), b"abc");
        assert!(matches!(
            store.read(ArtifactKind::Manifest, 2),
            Err(StoreError::TooLarge { got: 3, .. })
        ));
    }

    #[test]
    fn the_folder_is_private_and_was_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        Store::create(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
        std::fs::write(path.join("x"), b"").unwrap();
        assert_eq!(
            Store::create(&path).unwrap_err().kind(),
            io::ErrorKind::DirectoryNotEmpty
        );
    }
}
