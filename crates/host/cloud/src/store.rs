//! The store as a trait.

use std::fmt::Debug;
use std::io::{self, Write};
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

    /// Copies an object that must have `size` bytes: whoever wrote it may have made it larger, or make it
    /// larger while it is read. At most `size` bytes come into `write`. Their digest is the caller's to
    /// compare.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] before anything is read where the store knows, and at the first byte too
    /// many otherwise; [`StoreError::TooSmall`] if it ends early; [`StoreError::Absent`] if it is not there.
    fn copy_sized(
        &self,
        key: &ObjectKey,
        size: u64,
        write: &mut dyn Write,
    ) -> Result<(), StoreError> {
        let too_large = |got| StoreError::TooLarge {
            key: key.clone(),
            limit: size,
            got,
        };
        match self.size(key)? {
            None => return Err(StoreError::Absent { key: key.clone() }),
            Some(got) if got > size => return Err(too_large(got)),
            Some(_) => {}
        }
        let mut bounded = Bounded {
            left: size,
            over: false,
            write,
        };
        let copied = self.copy_to(key, &mut bounded);
        if bounded.over {
            return Err(too_large(size.saturating_add(1)));
        }
        let got = copied?;
        if got == size {
            Ok(())
        } else {
            Err(StoreError::TooSmall {
                key: key.clone(),
                expected: size,
                got,
            })
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

/// Takes so many bytes, and fails at the first one more.
struct Bounded<'w> {
    left: u64,
    over: bool,
    write: &'w mut dyn Write,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if count > self.left {
            self.over = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.write.write(bytes)?;
        let done = u64::try_from(written).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(done);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object that says it has `says` bytes and gives `gives`, without an end for `None`.
    #[derive(Debug)]
    struct Odd {
        says: Option<u64>,
        gives: Option<u64>,
    }

    impl ObjectStore for Odd {
        fn put_if_absent(&self, _: &ObjectKey, _: &[u8]) -> Result<(), StoreError> {
            unreachable!("nothing is written")
        }
        fn put_file_if_absent(&self, _: &ObjectKey, _: &Path) -> Result<(), StoreError> {
            unreachable!("nothing is written")
        }
        fn copy_file_if_absent(&self, _: &ObjectKey, _: &Path) -> Result<(), StoreError> {
            unreachable!("nothing is written")
        }
        fn size(&self, _: &ObjectKey) -> Result<Option<u64>, StoreError> {
            Ok(self.says)
        }
        fn read_at(&self, _: &ObjectKey, at: u64, buf: &mut [u8]) -> Result<usize, StoreError> {
            let left = self
                .gives
                .map_or(u64::MAX, |gives| gives.saturating_sub(at));
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
            buf[..count].fill(7);
            Ok(count)
        }
        fn list(&self, _: &ObjectKey) -> Result<Vec<ObjectKey>, StoreError> {
            unreachable!("nothing is listed")
        }
        fn delete(&self, _: &ObjectKey) -> Result<(), StoreError> {
            unreachable!("nothing is deleted")
        }
    }

    fn copied(says: Option<u64>, gives: Option<u64>, size: u64) -> (Result<(), StoreError>, usize) {
        let mut out = Vec::new();
        let key = "a".parse().unwrap();
        let result = Odd { says, gives }.copy_sized(&key, size, &mut out);
        (result, out.len())
    }

    #[test]
    fn an_object_of_another_size_is_cut_off() {
        const SIZE: u64 = 600_000;
        let all = usize::try_from(SIZE).unwrap();
        let (result, got) = copied(Some(SIZE), Some(SIZE), SIZE);
        assert!(result.is_ok() && got == all);
        let (result, got) = copied(Some(0), Some(0), 0);
        assert!(result.is_ok() && got == 0);
        // It says itself that it is larger: nothing is read.
        let (result, got) = copied(Some(SIZE + 1), None, SIZE);
        assert_eq!(result.unwrap_err().code(), "store_too_large");
        assert_eq!(got, 0);
        // It has no end, or one byte more than it says.
        for gives in [None, Some(SIZE + 1)] {
            let (result, got) = copied(Some(SIZE), gives, SIZE);
            assert_eq!(result.unwrap_err().code(), "store_too_large", "{gives:?}");
            assert!(got <= all, "{gives:?}");
        }
        let (result, got) = copied(Some(SIZE), Some(SIZE - 1), SIZE);
        assert_eq!(result.unwrap_err().code(), "store_too_small");
        assert_eq!(got, all - 1);
        let (result, _) = copied(None, None, SIZE);
        assert_eq!(result.unwrap_err().code(), "store_absent");
    }
}
