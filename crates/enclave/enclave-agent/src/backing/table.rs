//! One digest per chunk of a file.

use blake2b_simd::{Params, State};
use formats::digest::{DigestState, FileDigests};
use manifest::ArtifactKind;
use zeroize::Zeroizing;

/// BLAKE2b-256 under a key drawn at boot, salted with the file's number and personalised with the chunk's:
/// the host cannot look for two chunks of one digest, and a chunk passes in its own place only.
pub(crate) type ChunkDigest = [u8; 32];

/// What the digests of all files have in common.
#[derive(Clone)]
pub(crate) struct ChunkRule {
    key: Zeroizing<[u8; 32]>,
    chunk_bytes: usize,
}

impl ChunkRule {
    pub(crate) fn new(key: [u8; 32], chunk_bytes: usize) -> Self {
        Self {
            key: Zeroizing::new(key),
            chunk_bytes,
        }
    }

    pub(crate) fn chunk_bytes(&self) -> usize {
        self.chunk_bytes
    }

    /// The digest of a chunk that is in memory.
    pub(crate) fn digest(&self, file: u64, chunk: u64, bytes: &[u8]) -> ChunkDigest {
        let mut state = self.begin(file, chunk);
        state.update(bytes);
        finish(&state)
    }

    fn begin(&self, file: u64, chunk: u64) -> State {
        Params::new()
            .hash_length(32)
            .key(self.key.as_slice())
            .salt(&file.to_le_bytes())
            .personal(&chunk.to_le_bytes())
            .to_state()
    }
}

fn finish(state: &State) -> ChunkDigest {
    let mut digest = [0; 32];
    for (to, from) in digest.iter_mut().zip(state.finalize().as_bytes()) {
        *to = *from;
    }
    digest
}

/// A whole file: its length and the digests of its chunks.
#[derive(Debug)]
pub struct Table {
    kind: ArtifactKind,
    file: u64,
    size: u64,
    chunk_bytes: u64,
    digests: Vec<ChunkDigest>,
}

impl Table {
    /// What the file is.
    pub fn kind(&self) -> ArtifactKind {
        self.kind
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes of every chunk but the last.
    pub(crate) fn chunk_bytes(&self) -> u64 {
        self.chunk_bytes
    }

    /// Its number: no two files of one agent share it, even of one kind.
    pub(crate) fn file(&self) -> u64 {
        self.file
    }

    /// Chunks of the file.
    pub(crate) fn chunks(&self) -> u64 {
        u64::try_from(self.digests.len()).unwrap_or(u64::MAX)
    }

    /// Position, length and digest of a chunk; `None` beyond the last.
    pub(crate) fn chunk(&self, chunk: u64) -> Option<(u64, usize, ChunkDigest)> {
        let digest = *self.digests.get(usize::try_from(chunk).ok()?)?;
        let offset = chunk.checked_mul(self.chunk_bytes)?;
        let length = self.size.checked_sub(offset)?.min(self.chunk_bytes);
        Some((offset, usize::try_from(length).ok()?, digest))
    }
}

/// Fills a table from a stream of bytes.
pub(crate) struct TableBuilder {
    rule: ChunkRule,
    kind: ArtifactKind,
    file: u64,
    whole: DigestState,
    digests: Vec<ChunkDigest>,
    open: State,
    filled: usize,
}

impl TableBuilder {
    pub(crate) fn new(rule: ChunkRule, kind: ArtifactKind, file: u64) -> Self {
        let open = rule.begin(file, 0);
        Self {
            rule,
            kind,
            file,
            whole: DigestState::default(),
            digests: Vec::new(),
            open,
            filled: 0,
        }
    }

    /// The file's number.
    pub(crate) fn file(&self) -> u64 {
        self.file
    }

    /// Takes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.whole.update(bytes);
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = self.rule.chunk_bytes.saturating_sub(self.filled).max(1);
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.open.update(now);
            self.filled += now.len();
            rest = later;
            if self.filled >= self.rule.chunk_bytes {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        self.digests.push(finish(&self.open));
        let next = u64::try_from(self.digests.len()).unwrap_or(u64::MAX);
        self.open = self.rule.begin(self.file, next);
        self.filled = 0;
    }

    /// The table, and the digests of the whole file.
    pub(crate) fn finish(mut self) -> (Table, FileDigests) {
        if self.filled > 0 {
            self.close();
        }
        let digests = self.whole.finish();
        let table = Table {
            kind: self.kind,
            file: self.file,
            size: digests.size,
            chunk_bytes: u64::try_from(self.rule.chunk_bytes).unwrap_or(u64::MAX),
            digests: self.digests,
        };
        (table, digests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> ChunkRule {
        ChunkRule::new([3; 32], 10)
    }

    fn table(pieces: &[&[u8]]) -> Table {
        let mut builder = TableBuilder::new(rule(), ArtifactKind::Ptau, 7);
        for piece in pieces {
            builder.update(piece);
        }
        builder.finish().0
    }

    #[test]
    fn the_pieces_a_file_comes_in_do_not_matter() {
        let bytes: Vec<u8> = (0..35).collect();
        let whole = table(&[&bytes]);
        let parts = table(&[&bytes[..3], &bytes[3..20], &bytes[20..21], &bytes[21..]]);
        assert_eq!(whole.digests, parts.digests);
        assert_eq!((whole.chunks(), whole.size()), (4, 35));
        for chunk in 0..4 {
            let (offset, length, digest) = whole.chunk(chunk).unwrap();
            let at = usize::try_from(offset).unwrap();
            assert_eq!(digest, rule().digest(7, chunk, &bytes[at..at + length]));
        }
        assert_eq!(whole.chunk(3).unwrap().1, 5);
        assert_eq!(whole.chunk(4), None);
        assert_eq!(table(&[]).chunks(), 0);
        assert_eq!(table(&[&bytes[..20]]).chunks(), 2);
    }

    #[test]
    fn r64_a_chunk_has_another_digest_in_every_other_place() {
        let mut seen = std::collections::BTreeSet::new();
        for key in [3, 4] {
            for file in [7, 8] {
                for chunk in [0, 1] {
                    let rule = ChunkRule::new([key; 32], 10);
                    assert!(seen.insert(rule.digest(file, chunk, b"same bytes")));
                }
            }
        }
    }
}
