//! Where bytes come from: positional reads, so that no file is ever whole in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Bytes of known length that can be read at any position, by several threads at once.
///
/// Nothing in this crate assumes a file: a store that verifies what a host feeds it is a source too.
pub trait Source: Send + Sync {
    /// Length in bytes. Does not change while the source is in use.
    fn len(&self) -> u64;

    /// Whether there is no byte at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` from `offset`; fails with `UnexpectedEof` when fewer bytes are left.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;
}

/// A file, its length taken when it was opened.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    len: u64,
}

impl FileSource {
    /// Opens a regular file for reading.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::from_file(File::open(path)?)
    }

    /// Takes an open file. Folders and devices are refused: they have no fixed length.
    pub fn from_file(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        Ok(Self {
            file,
            len: metadata.len(),
        })
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }
}

impl Source for [u8] {
    fn len(&self) -> u64 {
        // usize is at most 64 bits on every target Rust knows.
        u64::try_from(<[u8]>::len(self)).unwrap_or(u64::MAX)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let wanted = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..start.checked_add(buf.len())?))
            .ok_or_else(unexpected_eof)?;
        buf.copy_from_slice(wanted);
        Ok(())
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        Source::len(self.as_slice())
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.as_slice().read_exact_at(buf, offset)
    }
}

impl<S: Source + ?Sized> Source for &S {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        (**self).read_exact_at(buf, offset)
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        (**self).read_exact_at(buf, offset)
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        (**self).read_exact_at(buf, offset)
    }
}

/// Bytes of a sequential reader's buffer: the same for every file, whatever its size.
const BUFFER: usize = 1 << 16;

/// Sequential reader over one range of a source, with a buffer of fixed size.
pub struct RangeReader<'a, S: Source + ?Sized> {
    source: &'a S,
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl<'a, S: Source + ?Sized> RangeReader<'a, S> {
    /// Reads `len` bytes from `offset` on.
    pub fn new(source: &'a S, offset: u64, len: u64) -> io::Result<Self> {
        let end = offset.checked_add(len).ok_or_else(unexpected_eof)?;
        if end > source.len() {
            return Err(unexpected_eof());
        }
        Ok(Self {
            source,
            next: offset,
            end,
            buffer: Vec::new(),
            used: 0,
        })
    }

    /// Bytes not handed out yet.
    pub fn remaining(&self) -> u64 {
        let buffered = self.buffer.len().saturating_sub(self.used);
        (self.end - self.next).saturating_add(u64::try_from(buffered).unwrap_or(u64::MAX))
    }

    /// Fills `out`; at the range's end fails with `UnexpectedEof`, whatever follows in the source.
    pub fn read_exact(&mut self, out: &mut [u8]) -> io::Result<()> {
        let mut rest = out;
        loop {
            let available = self.buffer.get(self.used..).unwrap_or_default();
            let n = available.len().min(rest.len());
            let (now, later) = rest.split_at_mut(n);
            now.copy_from_slice(available.get(..n).unwrap_or_default());
            self.used += n;
            rest = later;
            if rest.is_empty() {
                return Ok(());
            }
            if rest.len() >= BUFFER {
                // As much as the buffer would hold, or more: no need to copy it.
                return self.read_through(rest);
            }
            self.refill()?;
        }
    }

    /// Leaves bytes out; at the range's end fails with `UnexpectedEof`.
    pub fn skip(&mut self, count: u64) -> io::Result<()> {
        let buffered = self.buffer.len().saturating_sub(self.used);
        if let Ok(n) = usize::try_from(count)
            && n <= buffered
        {
            self.used += n;
            return Ok(());
        }
        self.used = self.buffer.len();
        let beyond = count.saturating_sub(u64::try_from(buffered).unwrap_or(u64::MAX));
        self.next = self
            .next
            .checked_add(beyond)
            .filter(|next| *next <= self.end)
            .ok_or_else(unexpected_eof)?;
        Ok(())
    }

    /// As [`Self::read_exact`], for a number of bytes that is known beforehand.
    #[inline]
    pub fn read_array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let available = self.buffer.get(self.used..).unwrap_or_default();
        if let Some(bytes) = available.first_chunk() {
            self.used += N;
            return Ok(*bytes);
        }
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// A little-endian `u32`.
    pub fn read_u32(&mut self) -> io::Result<u32> {
        self.read_array().map(u32::from_le_bytes)
    }

    /// Reads from the source, the buffer being empty.
    fn read_through(&mut self, out: &mut [u8]) -> io::Result<()> {
        let n = u64::try_from(out.len()).unwrap_or(u64::MAX);
        if n > self.end - self.next {
            return Err(unexpected_eof());
        }
        self.source.read_exact_at(out, self.next)?;
        self.next += n;
        Ok(())
    }

    fn refill(&mut self) -> io::Result<()> {
        let left = self.end - self.next;
        if left == 0 {
            return Err(unexpected_eof());
        }
        let n = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
        self.buffer.resize(n, 0);
        self.used = n;
        self.source.read_exact_at(&mut self.buffer, self.next)?;
        self.next += u64::try_from(n).unwrap_or(u64::MAX);
        self.used = 0;
        Ok(())
    }
}

fn unexpected_eof() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_where_it_says_even_when_the_source_goes_on() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut reader = RangeReader::new(&bytes, 10, 6).unwrap();
        assert_eq!(
            reader.read_u32().unwrap(),
            u32::from_le_bytes([10, 11, 12, 13])
        );
        assert_eq!(reader.remaining(), 2);
        assert_eq!(
            reader.read_u32().unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn a_range_beyond_the_source_is_refused() {
        let bytes = vec![0u8; 16];
        assert!(RangeReader::new(&bytes, 10, 7).is_err());
        assert!(RangeReader::new(&bytes, u64::MAX, 2).is_err());
        assert!(bytes.read_exact_at(&mut [0; 2], u64::MAX).is_err());
    }

    #[test]
    fn a_long_range_crosses_the_buffer_unharmed() {
        let bytes: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
        let mut reader = RangeReader::new(&bytes, 4, 4 * 199_999).unwrap();
        for expected in 1..200_000 {
            assert_eq!(reader.read_u32().unwrap(), expected);
        }
        assert_eq!(reader.remaining(), 0);
    }

    #[test]
    fn long_reads_and_skips_keep_the_place() {
        let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        let mut reader = RangeReader::new(&bytes, 4, 4 * 99_999).unwrap();
        let mut next = 1_u32;
        let mut long = vec![0; 4 * 20_000];
        for skipped in [0, 1, 7, 17_000] {
            assert_eq!(reader.read_u32().unwrap(), next);
            reader.read_exact(&mut long).unwrap();
            assert_eq!(long[..4], (next + 1).to_le_bytes());
            next += 20_001 + skipped;
            let left = reader.remaining();
            if u64::from(skipped) * 4 <= left && next <= 99_999 {
                reader.skip(u64::from(skipped) * 4).unwrap();
                assert_eq!(reader.remaining(), left - u64::from(skipped) * 4);
            } else {
                assert!(reader.skip(left + 1).is_err());
                break;
            }
        }
        let mut short = RangeReader::new(&bytes, 0, 8).unwrap();
        assert!(short.read_exact(&mut long).is_err());
        let mut short = RangeReader::new(&bytes, 0, 8).unwrap();
        short.skip(8).unwrap();
        assert!(short.skip(1).is_err());
    }

    #[test]
    fn a_folder_is_not_a_source() {
        let folder = tempfile::tempdir().unwrap();
        assert!(FileSource::open(folder.path()).is_err());
    }
}
