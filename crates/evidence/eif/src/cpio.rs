//! The files of an initramfs: one cpio archive of the form `newc`, read strictly.
//!
//! Source: the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`. An entry is a
//! header of 110 ASCII characters (`070701` and 13 numbers of 8 hexadecimal digits), the path with
//! a NUL, the contents; header with path, and contents, are each filled with zeros to a multiple of 4.
//! The last entry is called `TRAILER!!!`.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::error::EifError;

const MAGIC: &[u8] = b"070701";
const FIELDS: usize = 13;
const DIGITS: usize = 8;
const HEADER_LEN: usize = 6 + FIELDS * DIGITS;
const TRAILER: &str = "TRAILER!!!";

/// Linux's `PATH_MAX`.
const MAX_PATH: usize = 4096;

/// One file, folder or device of a ramdisk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path from the root, without a slash at the beginning.
    pub path: String,
    /// Type and permissions, as in `stat`.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u32, u32),
    /// Major and minor number of a device, 0 and 0 for anything else.
    pub device: (u32, u32),
    /// Size of the contents, bytes.
    pub size: u32,
    /// SHA-256 of the contents.
    pub sha256: [u8; 32],
}

impl std::fmt::Display for Entry {
    /// `100755 0:0 1234 SHA256 path`; devices show their numbers instead of a size and digest.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (uid, gid) = self.owner;
        write!(f, "{:06o} {uid}:{gid} ", self.mode)?;
        match (self.mode & 0o170_000, self.device) {
            (0o100_000, _) => write!(f, "{} {} ", self.size, hex::encode(self.sha256))?,
            (0o040_000, _) => {}
            (_, (major, minor)) => write!(f, "device {major}:{minor} ")?,
        }
        f.write_str(&self.path)
    }
}

/// Every entry before the trailer, in the archive's order.
pub(crate) fn list(archive: &[u8]) -> Result<Vec<Entry>, EifError> {
    let mut reader = Reader {
        archive,
        at: 0,
        entry: 0,
    };
    let mut entries = Vec::new();
    let mut seen = BTreeSet::new();
    while let Some(entry) = reader.next()? {
        if !seen.insert(entry.path.clone()) {
            return Err(reader.wrong("the path is there already"));
        }
        entries.push(entry);
        reader.entry = reader.entry.saturating_add(1);
    }
    let padding = archive.get(reader.at..).unwrap_or_default();
    if padding.len() >= 512 || padding.iter().any(|byte| *byte != 0) {
        return Err(reader.wrong("something follows the trailer"));
    }
    Ok(entries)
}

struct Reader<'a> {
    archive: &'a [u8],
    at: usize,
    entry: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<Entry>, EifError> {
        let header = self.take(HEADER_LEN)?;
        let digits = header
            .strip_prefix(MAGIC)
            .ok_or_else(|| self.wrong("no header of the form newc"))?;
        let mut fields = [0; FIELDS];
        for (field, digits) in fields.iter_mut().zip(digits.chunks(DIGITS)) {
            *field =
                hexadecimal(digits).ok_or_else(|| self.wrong("a number is not hexadecimal"))?;
        }
        let [
            _ino,
            mode,
            uid,
            gid,
            links,
            _time,
            size,
            _,
            _,
            major,
            minor,
            name_size,
            check,
        ] = fields;
        let name_size = usize::try_from(name_size).unwrap_or(usize::MAX);
        if !(2..=MAX_PATH).contains(&name_size) {
            return Err(self.wrong("the path has no possible length"));
        }
        let name = self.take(name_size)?;
        self.padding()?;
        let path = match name.split_last() {
            Some((0, path)) => std::str::from_utf8(path).ok(),
            _ => None,
        };
        let path = path.ok_or_else(|| self.wrong("the path is not UTF-8 with a NUL at its end"))?;
        if path == TRAILER {
            if size != 0 {
                return Err(self.wrong("the trailer has contents"));
            }
            return Ok(None);
        }
        if !is_plain(path) {
            return Err(self.wrong("the path is not plain"));
        }
        if check != 0 {
            return Err(self.wrong("the checksum field is not zero"));
        }
        let kind = mode & 0o170_000;
        if kind == 0o100_000 && links > 1 {
            return Err(self.wrong("a hard link"));
        }
        if size != 0 && kind != 0o100_000 && kind != 0o120_000 {
            return Err(self.wrong("contents where there can be none"));
        }
        let contents = self.take(usize::try_from(size).unwrap_or(usize::MAX))?;
        self.padding()?;
        Ok(Some(Entry {
            path: path.to_owned(),
            mode,
            owner: (uid, gid),
            device: (major, minor),
            size,
            sha256: Sha256::digest(contents).into(),
        }))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], EifError> {
        let end = self.at.checked_add(count);
        let bytes = end
            .and_then(|end| self.archive.get(self.at..end))
            .ok_or_else(|| self.wrong("the archive ends here"))?;
        self.at = end.unwrap_or(self.at);
        Ok(bytes)
    }

    /// Zeros up to a multiple of four.
    fn padding(&mut self) -> Result<(), EifError> {
        let count = self.at.wrapping_neg() % 4;
        if self.take(count)?.iter().any(|byte| *byte != 0) {
            return Err(self.wrong("padding is not zero"));
        }
        Ok(())
    }

    fn wrong(&self, reason: &'static str) -> EifError {
        EifError::Cpio {
            entry: self.entry,
            reason,
        }
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Names joined by single slashes, none of them `.` or `..`, all of printable ASCII.
fn is_plain(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_graphic())
        && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
}
