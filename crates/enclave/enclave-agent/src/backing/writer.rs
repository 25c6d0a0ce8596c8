//! A file that the enclave makes, on its way to the host.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use formats::digest::FileDigests;
use manifest::ArtifactKind;

use super::error::BackingError;
use super::link::Backing;
use super::table::{Table, TableBuilder};

/// Sends what is written, from the first byte to the last, and keeps the digests.
pub struct BackedWriter {
    backing: Arc<Backing>,
    kind: ArtifactKind,
    file: u64,
    builder: TableBuilder,
    buffer: Vec<u8>,
    chunk: u64,
}

impl BackedWriter {
    pub(crate) fn new(backing: Arc<Backing>, kind: ArtifactKind) -> Self {
        let builder = backing.builder(kind);
        Self {
            kind,
            file: builder.file(),
            builder,
            buffer: Vec::new(),
            chunk: 0,
            backing,
        }
    }

    /// Sends the rest and waits until the host has taken everything.
    pub(crate) fn finish(mut self) -> Result<(Table, FileDigests), BackingError> {
        if !self.buffer.is_empty() {
            self.send()?;
        }
        self.backing.settle(self.file)?;
        Ok(self.builder.finish())
    }

    fn send(&mut self) -> Result<(), BackingError> {
        let data = Bytes::from(std::mem::take(&mut self.buffer));
        self.backing.write(self.kind, self.file, self.chunk, data)?;
        self.chunk += 1;
        Ok(())
    }
}

impl Write for BackedWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let limit = self.backing.chunk_bytes();
        if self.buffer.capacity() == 0 {
            self.buffer.reserve_exact(limit);
        }
        let room = limit.saturating_sub(self.buffer.len());
        let taken = buf.get(..room.min(buf.len())).unwrap_or_default();
        self.buffer.extend_from_slice(taken);
        self.builder.update(taken);
        if self.buffer.len() >= limit {
            self.send().map_err(io::Error::other)?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
