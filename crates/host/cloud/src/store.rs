//! The store as a trait.

use std::fmt::Debug;
use std::io::Write;
use std::path::Path;

use crate::{ObjectKey, StoreError};

/// A place for objects that are written once, whole, and read at any offset.
///
/// Calls block; services call them from blocking threads.
pub trait ObjectStore: Debug + Send + Sync {
    /// Writes a new object. It appears with all its bytes or not at all.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if the object is there already, whatever its bytes.
    fn put_if_absent(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError>;

    /// As [`put_if_absent`](Self::put_if_absent) with the bytes of a file. The store may keep the
    /// file itself, so the caller must not change it afterwards.
    fn put_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError>;

    /// As [`put_file_if_absent`](Self::put_file_if_absent), but the file is copied: the caller may
    /// change it afterwards.
    fn copy_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError>;

    /// Size in bytes; `None` if there is no such object.
    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError>;

    /// Reads up to `buf.len()` bytes from `offset` on; 0 at the end of the object.
    fn read_at(&self, key: &ObjectKey, offset: u64, buf: &mut [u8]) -> Result<usize, StoreError>;

    /// Keys that start with `prefix` and a `/`, ascending.
    fn list(&self, prefix: &ObjectKey) -> Result<Vec<ObjectKey>, StoreError>;

    /// Removes an object; not an error if there is none.
    fn delete(&self, key: &ObjectKey) -> Result<(), StoreError>;

    /// Copies a whole object into `write`, a buffer at a time; gives its size. Only its end says that the
    /// bytes are the object's: what `write` got before an error is of no use.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if there is no such object; [`StoreError::Corrupt`] where the store knows the
    /// digest it was given and the bytes do not have it.
    fn copy_to(&self, key: &ObjectKey, write: &mut dyn Write) -> Result<u64, StoreError> {
        let mut buf = vec![0; 256 << 10];
        let mut offset = 0_u64;
        loop {
            let got = self.read_at(key, offset, &mut buf)?;
            let Some(read) = buf.get(..got).filter(|read| !read.is_empty()) else {
                return Ok(offset);
            };
            write.write_all(read).map_err(|source| StoreError::Io {
                action: "copy",
                key: key.to_string(),
                source,
            })?;
            offset = offset.saturating_add(u64::try_from(got).unwrap_or(u64::MAX));
        }
    }

    /// The whole object; `None` if there is no such object.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] before anything is read if it has more than `limit` bytes.
    fn get(&self, key: &ObjectKey, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(size) = self.size(key)? else {
            return Ok(None);
        };
        let too_large = || StoreError::TooLarge {
            key: key.clone(),
            limit,
            got: size,
        };
        if size > limit {
            return Err(too_large());
        }
        let mut bytes = vec![0; usize::try_from(size).map_err(|_| too_large())?];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let got = self.read_at(key, u64::try_from(filled).map_err(|_| too_large())?, rest)?;
            if got == 0 {
                break;
            }
            filled = filled.saturating_add(got);
        }
        bytes.truncate(filled);
        Ok(Some(bytes))
    }
}
