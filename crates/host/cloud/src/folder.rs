//! The store in a local folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::{ObjectKey, ObjectStore, PresignedUrl, Shelf, StoreError};

/// Where half-written objects live; no key can name it, because components do not start with a dot.
const PARTIAL: &str = ".partial";

/// Objects as files under one folder.
///
/// An object is written to a temporary name, flushed to the disk, and then linked to its own name:
/// linking fails if the name is taken, so two writers cannot both believe they were first.
#[derive(Debug)]
pub struct FolderStore {
    root: PathBuf,
    next_temporary: AtomicU64,
}

impl FolderStore {
    /// Opens the store, creating the folder if needed.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        fs::create_dir_all(root.join(PARTIAL))
            .map_err(|source| failed("open store", PARTIAL, source))?;
        Ok(Self {
            root,
            next_temporary: AtomicU64::new(0),
        })
    }

    /// Removes what the store keeps for itself; the objects stay. For a folder that is handed to people.
    pub fn tidy(self) -> Result<(), StoreError> {
        fs::remove_dir(self.root.join(PARTIAL))
            .or_else(absent_is_fine)
            .map_err(|source| failed("tidy", PARTIAL, source))
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, key: &ObjectKey) -> PathBuf {
        key.components()
            .fold(self.root.clone(), |path, component| path.join(component))
    }

    fn temporary(&self) -> PathBuf {
        let number = self.next_temporary.fetch_add(1, Ordering::Relaxed);
        self.root
            .join(PARTIAL)
            .join(format!("{}-{number}", std::process::id()))
    }

    /// Gives a complete, flushed file its name.
    fn publish(&self, key: &ObjectKey, complete: &Path) -> Result<(), StoreError> {
        let target = self.path(key);
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(|e| failed("write", key.as_str(), e))?;
        match fs::hard_link(complete, &target) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                return Err(StoreError::Exists { key: key.clone() });
            }
            Err(e) => return Err(failed("write", key.as_str(), e)),
        }
        sync_folder(folder).map_err(|e| failed("write", key.as_str(), e))
    }

    /// Copies into a temporary file, publishes it, and removes the temporary name again.
    fn write_through_temporary(
        &self,
        key: &ObjectKey,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let temporary = self.temporary();
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .and_then(|mut file| fill(&mut file).and_then(|()| file.sync_all()))
            .map_err(|e| failed("write", key.as_str(), e));
        let published = written.and_then(|()| self.publish(key, &temporary));
        let removed = fs::remove_file(&temporary).or_else(absent_is_fine);
        published.and_then(|()| removed.map_err(|e| failed("write", key.as_str(), e)))
    }
}

impl ObjectStore for FolderStore {
    fn put_if_absent(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_through_temporary(key, |file| file.write_all(bytes))
    }

    fn put_file_if_absent(&self, key: &ObjectKey, source: &Path) -> Result<(), StoreError> {
        File::open(source)
            .and_then(|file| file.sync_all())
            .map_err(|e| failed("read the file for", key.as_str(), e))?;
        // Same file system: the file itself becomes the object. Otherwise it is copied.
        match self.publish(key, source) {
            Err(StoreError::Io { source: e, .. })
                if matches!(
                    e.kind(),
                    io::ErrorKind::CrossesDevices | io::ErrorKind::PermissionDenied
                ) =>
            {
                self.copy_file_if_absent(key, source)
            }
            other => other,
        }
    }

    fn copy_file_if_absent(&self, key: &ObjectKey, source: &Path) -> Result<(), StoreError> {
        self.write_through_temporary(key, |file| {
            io::copy(&mut File::open(source)?, file).map(|_| ())
        })
    }

    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        match fs::symlink_metadata(self.path(key)) {
            Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
            Ok(_) => Ok(None),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("look up", key.as_str(), e)),
        }
    }

    fn read_at(&self, key: &ObjectKey, offset: u64, buf: &mut [u8]) -> Result<usize, StoreError> {
        let read = File::open(self.path(key)).and_then(|file| file.read_at(buf, offset));
        match read {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::Absent { key: key.clone() })
            }
            other => other.map_err(|e| failed("read", key.as_str(), e)),
        }
    }

    fn list(&self, prefix: &ObjectKey) -> Result<Vec<ObjectKey>, StoreError> {
        let mut found = Vec::new();
        let mut folders = vec![(prefix.clone(), self.path(prefix))];
        while let Some((key, path)) = folders.pop() {
            let fail = |e| failed("list", key.as_str(), e);
            let entries = match fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(fail(e)),
            };
            for entry in entries {
                let entry = entry.map_err(fail)?;
                let kind = entry.file_type().map_err(fail)?;
                // A file that no key can name was not put here by a store.
                let Some(child) = entry
                    .file_name()
                    .to_str()
                    .and_then(|name| format!("{key}/{name}").parse::<ObjectKey>().ok())
                else {
                    continue;
                };
                if kind.is_dir() {
                    folders.push((child, entry.path()));
                } else if kind.is_file() {
                    found.push(child);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        fs::remove_file(self.path(key))
            .or_else(absent_is_fine)
            .map_err(|e| failed("delete", key.as_str(), e))
    }
}

/// Browsers know a file's type by its name; there are no links but the paths.
impl Shelf for FolderStore {
    fn put_for_people(
        &self,
        key: &ObjectKey,
        file: &Path,
        _content_type: &str,
    ) -> Result<(), StoreError> {
        self.copy_file_if_absent(key, file)
    }

    fn presign(&self, _: &ObjectKey, _: Duration) -> Result<Option<PresignedUrl>, StoreError> {
        Ok(None)
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn absent_is_fine(e: io::Error) -> io::Result<()> {
    if e.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(e)
    }
}

fn failed(action: &'static str, key: &str, source: io::Error) -> StoreError {
    StoreError::Io {
        action,
        key: key.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ObjectKey {
        text.parse().unwrap()
    }

    fn store() -> (tempfile::TempDir, FolderStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        (folder, store)
    }

    #[test]
    fn an_object_is_written_once_and_read_at_any_offset() {
        let (_folder, store) = store();
        store.put_if_absent(&key("a/b"), b"hello").unwrap();
        assert!(matches!(
            store.put_if_absent(&key("a/b"), b"other"),
            Err(StoreError::Exists { key: k }) if k == key("a/b")
        ));
        assert_eq!(store.get(&key("a/b"), 5).unwrap().unwrap(), b"hello");
        let mut buf = [0; 8];
        assert_eq!(store.read_at(&key("a/b"), 3, &mut buf).unwrap(), 2);
        assert_eq!(&buf[..2], b"lo");
        assert_eq!(store.read_at(&key("a/b"), 5, &mut buf).unwrap(), 0);
    }

    #[test]
    fn nothing_half_written_stays_behind() {
        let (folder, store) = store();
        store.put_if_absent(&key("a"), b"1").unwrap();
        let failing = store.write_through_temporary(&key("b"), |_| {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert_eq!(failing.unwrap_err().code(), "disk_full");
        assert_eq!(store.size(&key("b")).unwrap(), None);
        assert_eq!(
            fs::read_dir(folder.path().join(PARTIAL)).unwrap().count(),
            0
        );
    }

    #[test]
    fn a_larger_object_than_the_reader_takes_is_refused() {
        let (_folder, store) = store();
        store.put_if_absent(&key("a"), b"123456").unwrap();
        assert!(matches!(
            store.get(&key("a"), 5),
            Err(StoreError::TooLarge {
                limit: 5,
                got: 6,
                ..
            })
        ));
        assert_eq!(store.get(&key("none"), 5).unwrap(), None);
    }

    #[test]
    fn listing_is_sorted_and_leaves_foreign_files_out() {
        let (folder, store) = store();
        for name in ["r/s/2", "r/s/10", "r/job", "other/x"] {
            store.put_if_absent(&key(name), b"x").unwrap();
        }
        fs::write(folder.path().join("r/.hidden"), b"x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("r/link")).unwrap();
        let listed = store.list(&key("r")).unwrap();
        assert_eq!(listed, [key("r/job"), key("r/s/10"), key("r/s/2")]);
        assert_eq!(store.size(&key("r/link")).unwrap(), None);
    }

    #[test]
    fn a_file_becomes_an_object_and_deletion_is_idempotent() {
        let (folder, store) = store();
        let file = folder.path().join(PARTIAL).join("download");
        fs::write(&file, b"zkey").unwrap();
        store
            .put_file_if_absent(&key("artifacts/final.zkey"), &file)
            .unwrap();
        assert!(matches!(
            store.put_file_if_absent(&key("artifacts/final.zkey"), &file),
            Err(StoreError::Exists { .. })
        ));
        assert_eq!(store.size(&key("artifacts/final.zkey")).unwrap(), Some(4));
        store.delete(&key("artifacts/final.zkey")).unwrap();
        store.delete(&key("artifacts/final.zkey")).unwrap();
        assert_eq!(store.size(&key("artifacts/final.zkey")).unwrap(), None);
    }
}
