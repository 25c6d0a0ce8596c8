//! Artifacts by kind: small ones as files in a folder that nobody else writes to, large ones with the
//! host, held to digests per chunk that are kept here.
//!
//! A file's name is a constant of its kind: nothing a peer says becomes a name or a path.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use formats::digest::{DigestState, FileDigests, HashingWriter, hash_source};
use formats::progress::{ProgressSink, Unit};
use formats::source::{FileSource, RangeReader, Source};
use manifest::{ArtifactKind, ArtifactRecord};
use protocol::backing::is_held;

use crate::backing::table::TableBuilder;
use crate::backing::{BackedSource, BackedWriter, Backing, BackingError, Table};

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
    /// The host did something wrong with a file that it keeps.
    #[error(transparent)]
    Backing(#[from] BackingError),
    /// The host has the bytes itself.
    #[error("artifact {kind} lies with the host")]
    Held {
        /// The artifact.
        kind: ArtifactKind,
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
            Self::Backing(error) => error.code(),
            Self::Held { .. } => "artifact_held",
            Self::Io { .. } if self.is_full() => "store_full",
            Self::Io { .. } => "store_io",
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Backing(error) => Some(error.hint()),
            Self::Held { .. } => Some("it is the file that Backing reads and writes"),
            _ if self.is_full() => {
                Some("give the enclave more memory: its store is a file system in memory")
            }
            _ => None,
        }
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
    backing: Arc<Backing>,
    kept: Mutex<BTreeMap<ArtifactKind, Kept>>,
}

/// A complete artifact.
#[derive(Debug)]
struct Kept {
    record: ArtifactRecord,
    /// Of a file that lies with the host; `None`: it lies in the folder.
    table: Option<Arc<Table>>,
}

/// An artifact that comes in. It counts only after [`Store::keep_incoming`].
pub(crate) enum Incoming {
    /// Into the folder.
    File(Box<HashingWriter<File>>),
    /// The host has the bytes; only digests are kept.
    Held(Box<TableBuilder>),
}

impl Incoming {
    /// Takes the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file) => file.write_all(bytes),
            Self::Held(table) => {
                table.update(bytes);
                Ok(())
            }
        }
    }
}

/// Where the bytes of a complete artifact are read from.
#[derive(Debug)]
pub enum StoredSource {
    /// The folder.
    File(FileSource),
    /// The host, every chunk checked.
    Held(BackedSource),
}

impl Source for StoredSource {
    fn len(&self) -> u64 {
        match self {
            Self::File(source) => source.len(),
            Self::Held(source) => source.len(),
        }
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        match self {
            Self::File(source) => source.read_exact_at(buf, offset),
            Self::Held(source) => source.read_exact_at(buf, offset),
        }
    }
}

impl Store {
    /// Makes the folder, readable by this user only. It must not exist, or be empty: a store does
    /// not take over what others left.
    pub fn create(folder: &Path, backing: Arc<Backing>) -> io::Result<Self> {
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
            backing,
            kept: Mutex::default(),
        })
    }

    /// The files that lie with the host.
    pub fn backing(&self) -> &Arc<Backing> {
        &self.backing
    }

    /// Size and digests of an artifact that is complete.
    pub fn record(&self, kind: ArtifactKind) -> Result<ArtifactRecord, StoreError> {
        self.lock()
            .get(&kind)
            .map(|kept| kept.record.clone())
            .ok_or(StoreError::Missing { kind })
    }

    /// Whether an artifact is complete.
    pub fn has(&self, kind: ArtifactKind) -> bool {
        self.lock().contains_key(&kind)
    }

    /// Everything that is complete, by kind.
    pub fn records(&self) -> BTreeMap<ArtifactKind, ArtifactRecord> {
        let kept = self.lock();
        kept.iter()
            .map(|(kind, kept)| (*kind, kept.record.clone()))
            .collect()
    }

    /// A new, empty file in the folder. It counts only after it was kept.
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

    /// Begins to take an artifact in from the host.
    pub(crate) fn receive(&self, kind: ArtifactKind) -> Result<Incoming, StoreError> {
        Ok(if is_held(kind) {
            Incoming::Held(Box::new(self.backing.builder(kind)))
        } else {
            Incoming::File(Box::new(HashingWriter::new(self.new_file(kind)?)))
        })
    }

    /// The digests of what came in, which is now an artifact once `judge` agrees.
    pub(crate) fn keep_incoming<E: From<StoreError>>(
        &self,
        kind: ArtifactKind,
        incoming: Incoming,
        judge: impl FnOnce(&FileDigests) -> Result<(), E>,
    ) -> Result<ArtifactRecord, E> {
        match incoming {
            Incoming::File(file) => {
                let digests = file.finish().1;
                judge(&digests)?;
                Ok(self.keep_file(kind, &digests)?)
            }
            Incoming::Held(table) => {
                let (table, digests) = table.finish();
                judge(&digests)?;
                Ok(self.insert(kind, &digests, Some(table)))
            }
        }
    }

    /// Begins a large file that is made here: it goes to the host as it is written.
    pub fn make(&self, kind: ArtifactKind) -> BackedWriter {
        BackedWriter::new(Arc::clone(&self.backing), kind)
    }

    /// Ends a file begun with [`Store::make`].
    pub fn keep_made(
        &self,
        kind: ArtifactKind,
        made: BackedWriter,
    ) -> Result<ArtifactRecord, StoreError> {
        let (table, digests) = made.finish()?;
        Ok(self.insert(kind, &digests, Some(table)))
    }

    /// Keeps an unfinished file that was written out of order: a small one in the folder, a large
    /// one with the host.
    pub fn keep_unordered(
        &self,
        kind: ArtifactKind,
        progress: &dyn ProgressSink,
    ) -> Result<ArtifactRecord, StoreError> {
        let source = FileSource::open(self.unfinished(kind)).map_err(store_error("open", kind))?;
        if !is_held(kind) {
            let digests = hash_source(&source, progress).map_err(store_error("hash", kind))?;
            return self.keep_file(kind, &digests);
        }
        let mut made = self.make(kind);
        copy(&source, &mut made, progress).map_err(store_error("hand out", kind))?;
        self.discard(kind);
        self.keep_made(kind, made)
    }

    /// Stores an artifact that is small enough to be in memory.
    pub fn put(&self, kind: ArtifactKind, bytes: &[u8]) -> Result<ArtifactRecord, StoreError> {
        std::fs::write(self.unfinished(kind), bytes).map_err(store_error("write", kind))?;
        let mut state = DigestState::default();
        state.update(bytes);
        self.keep_file(kind, &state.finish())
    }

    /// Removes an unfinished file, if there is one.
    pub fn discard(&self, kind: ArtifactKind) {
        // Nothing depends on it: the next file of this kind truncates what is left.
        drop(std::fs::remove_file(self.unfinished(kind)));
    }

    /// Removes an artifact that is not needed any more, to free the memory it takes.
    pub fn remove(&self, kind: ArtifactKind) -> Result<(), StoreError> {
        let kept = self.lock().remove(&kind);
        match kept {
            Some(Kept {
                table: Some(table), ..
            }) => {
                self.backing.forget(table.file());
                Ok(())
            }
            Some(_) => std::fs::remove_file(self.path(kind)).map_err(store_error("remove", kind)),
            None => Ok(()),
        }
    }

    /// Opens a complete artifact for positional reads. Reads of a large one wait for the host: not on
    /// a thread that brings its answers.
    pub fn open(&self, kind: ArtifactKind) -> Result<StoredSource, StoreError> {
        match self.table(kind)? {
            Some(table) => Ok(StoredSource::Held(BackedSource::new(
                Arc::clone(&self.backing),
                table,
            ))),
            None => self.open_file(kind).map(StoredSource::File),
        }
    }

    /// Opens a complete artifact of the folder; refuses one that lies with the host.
    pub fn open_file(&self, kind: ArtifactKind) -> Result<FileSource, StoreError> {
        if self.table(kind)?.is_some() {
            return Err(StoreError::Held { kind });
        }
        FileSource::open(self.path(kind)).map_err(store_error("open", kind))
    }

    /// Reads a complete artifact of the folder, of at most `limit` bytes, into memory.
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

    /// Makes an unfinished file of the folder the artifact.
    fn keep_file(
        &self,
        kind: ArtifactKind,
        digests: &FileDigests,
    ) -> Result<ArtifactRecord, StoreError> {
        std::fs::rename(self.unfinished(kind), self.path(kind))
            .map_err(store_error("keep", kind))?;
        Ok(self.insert(kind, digests, None))
    }

    fn insert(
        &self,
        kind: ArtifactKind,
        digests: &FileDigests,
        table: Option<Table>,
    ) -> ArtifactRecord {
        let record = ArtifactRecord::new(kind, digests);
        let kept = Kept {
            record: record.clone(),
            table: table.map(Arc::new),
        };
        self.lock().insert(kind, kept);
        record
    }

    fn table(&self, kind: ArtifactKind) -> Result<Option<Arc<Table>>, StoreError> {
        match self.lock().get(&kind) {
            Some(kept) => Ok(kept.table.clone()),
            None => Err(StoreError::Missing { kind }),
        }
    }

    fn path(&self, kind: ArtifactKind) -> PathBuf {
        self.folder.join(kind.name())
    }

    fn unfinished(&self, kind: ArtifactKind) -> PathBuf {
        self.folder.join(format!("{}.part", kind.name()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ArtifactKind, Kept>> {
        // Every change is one step, so a panic elsewhere leaves the map whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies a source in order.
fn copy(source: &FileSource, to: &mut BackedWriter, progress: &dyn ProgressSink) -> io::Result<()> {
    let mut reader = RangeReader::new(source, 0, source.len())?;
    progress.step("hand out", Unit::Bytes, Some(source.len()));
    let mut buffer = vec![0; 1 << 16];
    while reader.remaining() > 0 {
        let n = usize::try_from(reader.remaining()).map_or(buffer.len(), |left| left.min(1 << 16));
        buffer.truncate(n);
        reader.read_exact(&mut buffer)?;
        to.write_all(&buffer)?;
        progress.advance(u64::try_from(n).unwrap_or(u64::MAX));
    }
    Ok(())
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
    use crate::backing::BackingConfig;
    use std::os::unix::fs::PermissionsExt;

    fn create(path: &Path) -> io::Result<Store> {
        Store::create(path, Backing::new([0; 32], BackingConfig::default()))
    }

    #[test]
    fn a_file_counts_only_when_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = create(&folder.path().join("store")).unwrap();
        for kind in [ArtifactKind::R1cs, ArtifactKind::CircuitBundle] {
            let mut incoming = store.receive(kind).unwrap();
            incoming.take(b"abc").unwrap();
            assert!(!store.has(kind));
            assert!(matches!(
                store.open(kind),
                Err(StoreError::Missing { kind: got }) if got == kind
            ));
            let refused = store
                .keep_incoming(kind, incoming, |_| Err(StoreError::Missing { kind }))
                .unwrap_err();
            assert_eq!(refused.code(), "artifact_missing");
            assert!(!store.has(kind));
            let mut incoming = store.receive(kind).unwrap();
            incoming.take(b"abc").unwrap();
            let kept = store
                .keep_incoming(kind, incoming, |_| Ok::<_, StoreError>(()))
                .unwrap();
            assert_eq!(kept.size, 3);
            assert!(store.has(kind));
        }
        // What lies with the host leaves nothing in the folder.
        assert!(matches!(
            store.open_file(ArtifactKind::R1cs),
            Err(StoreError::Held {
                kind: ArtifactKind::R1cs
            })
        ));
        let names: Vec<_> = std::fs::read_dir(folder.path().join("store"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, [ArtifactKind::CircuitBundle.name()]);
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
        create(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
        std::fs::write(path.join("x"), b"").unwrap();
        assert_eq!(
            create(&path).unwrap_err().kind(),
            io::ErrorKind::DirectoryNotEmpty
        );
    }
}
