//! The rules of a chunked transfer, without I/O.
//!
//! A header announces the exact size, chunks follow with the offset of their first byte, a digest
//! comes last. Nothing is allocated from the announced size.

use sha2::{Digest, Sha256};

use crate::pb;
use crate::settings::MAX_CHUNK_BYTES;

/// A broken rule of a chunked transfer; the sender is at fault.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChunkError {
    /// A chunk without bytes.
    #[error("chunk at offset {offset} is empty")]
    Empty {
        /// Offset of the chunk.
        offset: u64,
    },
    /// A chunk beyond [`MAX_CHUNK_BYTES`].
    #[error("chunk at offset {offset} holds {got} bytes, at most {limit} are allowed")]
    TooLong {
        /// Offset of the chunk.
        offset: u64,
        /// Bytes in the chunk.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// A gap, a repetition or a wrong order.
    #[error("chunk at offset {got}, expected offset {expected}")]
    Offset {
        /// Bytes received so far.
        expected: u64,
        /// Offset the chunk claims.
        got: u64,
    },
    /// More bytes than announced.
    #[error("chunk ends at byte {end}, but {size} bytes were announced")]
    BeyondSize {
        /// End of the chunk.
        end: u64,
        /// Announced size.
        size: u64,
    },
    /// The digest came before all bytes had.
    #[error("transfer ended after {got} of {size} bytes")]
    Short {
        /// Bytes received.
        got: u64,
        /// Announced size.
        size: u64,
    },
    /// A digest of the wrong length.
    #[error("digest of {got} bytes, expected 32")]
    DigestLength {
        /// Bytes received.
        got: usize,
    },
    /// The bytes are not those the sender hashed.
    #[error("bytes received have sha256 {got}, the sender says {expected}")]
    Digest {
        /// Digest the sender says, hex.
        expected: String,
        /// Digest of the bytes received, hex.
        got: String,
    },
}

impl ChunkError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "chunk_empty",
            Self::TooLong { .. } => "chunk_too_long",
            Self::Offset { .. } => "chunk_offset",
            Self::BeyondSize { .. } => "chunk_beyond_size",
            Self::Short { .. } => "transfer_short",
            Self::DigestLength { .. } => "digest_length",
            Self::Digest { .. } => "transfer_digest",
        }
    }
}

/// Position in a transfer of known size. Says of each chunk whether it may be taken.
#[derive(Debug)]
pub struct Inbound {
    size: u64,
    received: u64,
}

impl Inbound {
    /// Starts at `offset` of an artifact of `size` bytes.
    pub fn new(size: u64, offset: u64) -> Self {
        Self {
            size,
            received: offset,
        }
    }

    /// Bytes taken so far, counted from the start of the artifact.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Judges one chunk and moves on by its length.
    pub fn take(&mut self, chunk: &pb::Chunk) -> Result<(), ChunkError> {
        let offset = chunk.offset;
        if chunk.data.is_empty() {
            return Err(ChunkError::Empty { offset });
        }
        if chunk.data.len() > MAX_CHUNK_BYTES {
            return Err(ChunkError::TooLong {
                offset,
                got: chunk.data.len(),
                limit: MAX_CHUNK_BYTES,
            });
        }
        if offset != self.received {
            return Err(ChunkError::Offset {
                expected: self.received,
                got: offset,
            });
        }
        let end = u64::try_from(chunk.data.len())
            .ok()
            .and_then(|length| offset.checked_add(length))
            .unwrap_or(u64::MAX);
        if end > self.size {
            return Err(ChunkError::BeyondSize {
                end,
                size: self.size,
            });
        }
        self.received = end;
        Ok(())
    }

    /// Judges the end of the transfer: all bytes came, and `computed` (over the whole artifact) is
    /// the digest the sender says.
    pub fn finish(&self, said: &[u8], computed: &[u8; 32]) -> Result<(), ChunkError> {
        if self.received != self.size {
            return Err(ChunkError::Short {
                got: self.received,
                size: self.size,
            });
        }
        let said: [u8; 32] = said
            .try_into()
            .map_err(|_| ChunkError::DigestLength { got: said.len() })?;
        if said == *computed {
            Ok(())
        } else {
            Err(ChunkError::Digest {
                expected: hex::encode(said),
                got: hex::encode(computed),
            })
        }
    }
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(offset: u64, data: &'static [u8]) -> pb::Chunk {
        pb::Chunk {
            offset,
            data: data.into(),
        }
    }

    #[test]
    fn chunks_in_order_with_the_right_digest_are_taken() {
        let mut inbound = Inbound::new(5, 0);
        inbound.take(&chunk(0, b"abc")).unwrap();
        inbound.take(&chunk(3, b"de")).unwrap();
        let digest = sha256(b"abcde");
        inbound.finish(&digest, &digest).unwrap();
    }

    #[test]
    fn r16_each_broken_rule_has_its_own_error() {
        let mut inbound = Inbound::new(5, 0);
        assert_eq!(
            inbound.take(&chunk(0, b"")),
            Err(ChunkError::Empty { offset: 0 })
        );
        assert_eq!(
            inbound.take(&chunk(1, b"a")),
            Err(ChunkError::Offset {
                expected: 0,
                got: 1
            })
        );
        assert_eq!(
            inbound.take(&chunk(0, b"abcdef")),
            Err(ChunkError::BeyondSize { end: 6, size: 5 })
        );
        let long = pb::Chunk {
            offset: 0,
            data: vec![0; MAX_CHUNK_BYTES + 1].into(),
        };
        assert!(matches!(
            Inbound::new(u64::MAX, 0).take(&long),
            Err(ChunkError::TooLong { .. })
        ));
        inbound.take(&chunk(0, b"abc")).unwrap();
        assert_eq!(
            inbound.take(&chunk(0, b"abc")),
            Err(ChunkError::Offset {
                expected: 3,
                got: 0
            })
        );
        let digest = sha256(b"abcde");
        assert_eq!(
            inbound.finish(&digest, &digest),
            Err(ChunkError::Short { got: 3, size: 5 })
        );
        inbound.take(&chunk(3, b"de")).unwrap();
        assert_eq!(
            inbound.finish(&digest[..31], &digest),
            Err(ChunkError::DigestLength { got: 31 })
        );
        assert!(matches!(
            inbound.finish(&sha256(b"abcdf"), &digest),
            Err(ChunkError::Digest { .. })
        ));
    }

    #[test]
    fn an_offset_near_the_end_of_u64_does_not_wrap() {
        let mut inbound = Inbound::new(u64::MAX - 1, u64::MAX - 1);
        assert_eq!(
            inbound.take(&chunk(u64::MAX - 1, b"abc")),
            Err(ChunkError::BeyondSize {
                end: u64::MAX,
                size: u64::MAX - 1
            })
        );
    }
}
