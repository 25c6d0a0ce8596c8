//! The run store as this host writes it: what failed is tried again, and what was written is read back and compared.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cloud::{ObjectKey, ObjectStore, StoreError};
use formats::digest::{DigestState, FileDigests};

use crate::observe::Metrics;

/// Attempts at one call, each a little later than the one before: about two minutes in all.
const ATTEMPTS: u32 = 8;
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes read back in one call: enough to keep a distant store busy.
const READ_BACK: usize = 16 << 20;

/// A store that is written to with care. Reading is passed on, tried again as well.
#[derive(Debug)]
pub struct CarefulStore {
    inner: Arc<dyn ObjectStore>,
    metrics: Arc<Metrics>,
    pause: Duration,
}

impl CarefulStore {
    /// The store, watched by these metrics.
    pub fn new(inner: Arc<dyn ObjectStore>, metrics: Arc<Metrics>) -> Self {
        Self {
            inner,
            metrics,
            pause: PAUSE,
        }
    }

    /// Calls until it succeeds, or fails in a way that will not pass.
    fn again<T>(
        &self,
        what: &str,
        key: &ObjectKey,
        mut call: impl FnMut() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut attempt = 1;
        loop {
            match call() {
                Err(error) if may_pass(&error) && attempt < ATTEMPTS => {
                    tracing::warn!(code = error.code(), "{what} {key}: {error}; again");
                    Metrics::add(&self.metrics.upload_retries, 1);
                    std::thread::sleep(self.pause.saturating_mul(1 << (attempt - 1).min(5)));
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Writes a new object, again if need be. An attempt whose outcome is not known may have succeeded: then the object is there
    /// at the next one, and `same` says whether its bytes are ours.
    fn put(
        &self,
        key: &ObjectKey,
        mut write: impl FnMut() -> Result<(), StoreError>,
        same: impl FnOnce() -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut unknown = false;
        let written = self.again("write", key, || {
            let outcome = write();
            unknown |= outcome.as_ref().is_err_and(may_pass);
            outcome
        });
        if unknown && matches!(written, Err(StoreError::Exists { .. })) && same()? {
            return Ok(());
        }
        written
    }

    /// Writes a file and compares what the store holds then.
    fn put_compared(
        &self,
        key: &ObjectKey,
        file: &Path,
        write: impl FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // Before it is written: the store may take the file itself.
        let ours = digests_of(file).map_err(|source| StoreError::Io {
            action: "read the file for",
            key: key.to_string(),
            source,
        })?;
        self.put(key, write, || Ok(self.read_back(key)? == ours))?;
        let theirs = self.read_back(key)?;
        if theirs == ours {
            Metrics::add(&self.metrics.upload_bytes, ours.size);
            Ok(())
        } else {
            Err(StoreError::Io {
                action: "compare",
                key: key.to_string(),
                source: std::io::Error::other(format!(
                    "{} bytes with sha256 {} were written, {} bytes with sha256 {} are there",
                    ours.size, ours.sha256, theirs.size, theirs.sha256
                )),
            })
        }
    }

    fn read_back(&self, key: &ObjectKey) -> Result<FileDigests, StoreError> {
        let mut state = DigestState::default();
        let mut buf = vec![0; READ_BACK];
        let mut offset = 0_u64;
        loop {
            let got = self.read_at(key, offset, &mut buf)?;
            let Some(read) = buf.get(..got).filter(|read| !read.is_empty()) else {
                return Ok(state.finish());
            };
            state.update(read);
            offset = offset.saturating_add(u64::try_from(got).unwrap_or(u64::MAX));
        }
    }
}

impl ObjectStore for CarefulStore {
    fn put_if_absent(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        let limit = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.put(
            key,
            || self.inner.put_if_absent(key, bytes),
            || {
                let there = self.again("read", key, || match self.inner.get(key, limit) {
                    // A larger object is not ours either.
                    Err(StoreError::TooLarge { .. }) => Ok(None),
                    other => other,
                })?;
                Ok(there.as_deref() == Some(bytes))
            },
        )
    }

    fn put_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
        self.put_compared(key, file, || self.inner.put_file_if_absent(key, file))
    }

    fn copy_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
        self.put_compared(key, file, || self.inner.copy_file_if_absent(key, file))
    }

    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.again("look up", key, || self.inner.size(key))
    }

    fn read_at(&self, key: &ObjectKey, offset: u64, buf: &mut [u8]) -> Result<usize, StoreError> {
        self.again("read", key, || self.inner.read_at(key, offset, buf))
    }

    fn list(&self, prefix: &ObjectKey) -> Result<Vec<ObjectKey>, StoreError> {
        self.again("list", prefix, || self.inner.list(prefix))
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.inner.delete(key)
    }

    // These two compare digests where the store knows them.

    fn get(&self, key: &ObjectKey, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.again("read", key, || self.inner.get(key, limit))
    }

    fn copy_to(&self, key: &ObjectKey, write: &mut dyn std::io::Write) -> Result<u64, StoreError> {
        self.inner.copy_to(key, write)
    }
}

/// Whether the same call may succeed later.
pub(crate) fn may_pass(error: &StoreError) -> bool {
    use std::io::ErrorKind as Kind;
    match error {
        StoreError::Io { source, .. } => !matches!(
            source.kind(),
            Kind::StorageFull | Kind::PermissionDenied | Kind::NotFound | Kind::InvalidInput
        ),
        StoreError::Cloud { source, .. } => source.class.is_passing(),
        StoreError::Key(_)
        | StoreError::Exists { .. }
        | StoreError::Absent { .. }
        | StoreError::TooLarge { .. }
        | StoreError::Malformed { .. } => false,
        _ => true,
    }
}

fn digests_of(file: &Path) -> std::io::Result<FileDigests> {
    let mut file = File::open(file)?;
    let mut state = DigestState::default();
    let mut buf = vec![0; 1 << 20];
    loop {
        let got = file.read(&mut buf)?;
        match buf.get(..got) {
            Some(read) if got > 0 => state.update(read),
            _ => return Ok(state.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use cloud::FolderStore;

    use super::*;

    /// What the next write does instead of what it should.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Fault {
        /// Fails before anything is written.
        Lost,
        /// Writes, and says that it failed.
        Unanswered,
        /// Writes other bytes, and says that it succeeded.
        Altered,
        /// Writes the beginning only, and says that it succeeded.
        Cut,
        /// No space is left.
        Full,
    }

    #[derive(Debug)]
    struct Faulty {
        inner: FolderStore,
        faults: Mutex<Vec<Fault>>,
        writes: Mutex<u32>,
    }

    impl Faulty {
        fn write(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
            *self.writes.lock().unwrap() += 1;
            let fail = |kind: io::ErrorKind| StoreError::Io {
                action: "write",
                key: key.to_string(),
                source: kind.into(),
            };
            match self.faults.lock().unwrap().pop() {
                None => self.inner.put_if_absent(key, bytes),
                Some(Fault::Lost) => Err(fail(io::ErrorKind::ConnectionReset)),
                Some(Fault::Unanswered) => {
                    self.inner.put_if_absent(key, bytes)?;
                    Err(fail(io::ErrorKind::TimedOut))
                }
                Some(Fault::Altered) => {
                    let mut other = bytes.to_vec();
                    other[0] ^= 1;
                    self.inner.put_if_absent(key, &other)
                }
                Some(Fault::Cut) => self.inner.put_if_absent(key, &bytes[..bytes.len() - 1]),
                Some(Fault::Full) => Err(fail(io::ErrorKind::StorageFull)),
            }
        }
    }

    impl ObjectStore for Faulty {
        fn put_if_absent(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
            self.write(key, bytes)
        }
        fn put_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
            self.write(key, &std::fs::read(file).unwrap())
        }
        fn copy_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
            self.put_file_if_absent(key, file)
        }
        fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
            self.inner.size(key)
        }
        fn read_at(
            &self,
            key: &ObjectKey,
            offset: u64,
            buf: &mut [u8],
        ) -> Result<usize, StoreError> {
            self.inner.read_at(key, offset, buf)
        }
        fn list(&self, prefix: &ObjectKey) -> Result<Vec<ObjectKey>, StoreError> {
            self.inner.list(prefix)
        }
        fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
            self.inner.delete(key)
        }
    }

    struct Set {
        folder: tempfile::TempDir,
        store: CarefulStore,
        faulty: Arc<Faulty>,
        metrics: Arc<Metrics>,
        key: ObjectKey,
    }

    fn set(faults: &[Fault]) -> Set {
        let folder = tempfile::tempdir().unwrap();
        let faulty = Arc::new(Faulty {
            inner: FolderStore::open(folder.path().join("store")).unwrap(),
            faults: Mutex::new(faults.iter().rev().copied().collect()),
            writes: Mutex::new(0),
        });
        let metrics = Arc::new(Metrics::default());
        let inner: Arc<dyn ObjectStore> = faulty.clone();
        let mut store = CarefulStore::new(inner, Arc::clone(&metrics));
        store.pause = Duration::ZERO;
        let key = "runs/r/artifacts/final-zkey".parse().unwrap();
        std::fs::write(folder.path().join("file"), b"artifact").unwrap();
        Set {
            folder,
            store,
            faulty,
            metrics,
            key,
        }
    }

    impl Set {
        fn put_file(&self) -> Result<(), StoreError> {
            self.store
                .put_file_if_absent(&self.key, &self.folder.path().join("file"))
        }
        fn writes(&self) -> u32 {
            *self.faulty.writes.lock().unwrap()
        }
    }

    #[test]
    fn what_is_lost_is_written_again() {
        let set = set(&[Fault::Lost, Fault::Lost]);
        set.put_file().unwrap();
        assert_eq!(set.store.get(&set.key, 100).unwrap().unwrap(), b"artifact");
        assert_eq!(set.writes(), 3);
        assert_eq!(Metrics::get(&set.metrics.upload_retries), 2);
        assert_eq!(Metrics::get(&set.metrics.upload_bytes), 8);
    }

    #[test]
    fn a_write_that_succeeded_unseen_counts_and_a_foreign_object_does_not() {
        let ours = set(&[Fault::Unanswered]);
        ours.put_file().unwrap();
        ours.store
            .put_if_absent(&"record".parse().unwrap(), b"1")
            .unwrap();
        let record = set(&[Fault::Unanswered]);
        record.store.put_if_absent(&record.key, b"1").unwrap();

        let foreign = set(&[Fault::Lost]);
        foreign
            .faulty
            .inner
            .put_if_absent(&foreign.key, b"foreign!")
            .unwrap();
        assert_eq!(foreign.put_file().unwrap_err().code(), "store_exists");
        let record = foreign.store.put_if_absent(&foreign.key, b"1");
        assert_eq!(record.unwrap_err().code(), "store_exists");
        // Without an attempt of ours before, even equal bytes are somebody else's.
        assert_eq!(ours.put_file().unwrap_err().code(), "store_exists");
    }

    #[test]
    fn r45_what_the_store_altered_is_a_failure() {
        for fault in [Fault::Altered, Fault::Cut] {
            let set = set(&[fault]);
            let error = set.put_file().unwrap_err();
            assert!(
                matches!(
                    error,
                    StoreError::Io {
                        action: "compare",
                        ..
                    }
                ),
                "{fault:?}: {error}"
            );
        }
    }

    #[test]
    fn what_will_not_pass_is_not_tried_again() {
        let full = set(&[Fault::Full]);
        assert_eq!(full.put_file().unwrap_err().code(), "disk_full");
        assert_eq!(full.writes(), 1);
        let dead = set(&[Fault::Lost; 20]);
        assert_eq!(dead.put_file().unwrap_err().code(), "store_io");
        assert_eq!(dead.writes(), ATTEMPTS);
    }
}
