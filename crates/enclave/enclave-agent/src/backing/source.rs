//! Positional reads of a file that the host keeps.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use formats::source::Source;

use super::link::Backing;
use super::table::Table;

/// Chunks whose use is remembered, to see who reads on: more than there are readers side by side.
const REMEMBERED: usize = 32;

/// A file as its readers see it: every byte handed out was checked in this process's memory.
#[derive(Debug)]
pub struct BackedSource {
    backing: Arc<Backing>,
    table: Arc<Table>,
    recent: Mutex<VecDeque<u64>>,
}

impl BackedSource {
    pub(crate) fn new(backing: Arc<Backing>, table: Arc<Table>) -> Self {
        Self {
            backing,
            table,
            recent: Mutex::default(),
        }
    }

    /// Notes the use of a chunk; says whether it continues that of the chunk before. Sections are
    /// read side by side, so the last chunk used is not the question.
    fn reads_on(&self, chunk: u64) -> bool {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if !recent.contains(&chunk) {
            if recent.len() >= REMEMBERED {
                recent.pop_front();
            }
            recent.push_back(chunk);
        }
        chunk
            .checked_sub(1)
            .is_some_and(|before| recent.contains(&before))
    }
}

impl Source for BackedSource {
    fn len(&self) -> u64 {
        self.table.size()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let wanted = u64::try_from(buf.len()).unwrap_or(u64::MAX);
        if offset
            .checked_add(wanted)
            .is_none_or(|end| end > self.table.size())
        {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let size = self.table.chunk_bytes();
        let (mut at, mut rest) = (offset, buf);
        while !rest.is_empty() {
            let index = at / size;
            let chunk = self
                .backing
                .chunk(&self.table, index, self.reads_on(index))
                .map_err(io::Error::other)?;
            let skip = usize::try_from(at % size).map_err(io::Error::other)?;
            let from = chunk.get(skip..).unwrap_or_default();
            let n = from.len().min(rest.len());
            let (Some(from), Some((to, later))) = (from.get(..n), rest.split_at_mut_checked(n))
            else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            to.copy_from_slice(from);
            rest = later;
            at = at.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}
