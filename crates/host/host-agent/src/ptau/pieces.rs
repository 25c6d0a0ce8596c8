//! A file that arrives in pieces, in any order: which are there, which are being fetched. A journal beside the file remembers the
//! finished ones, so that a later run fetches only the rest.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Largest journal that is read: ten digits for each piece of the largest file.
const JOURNAL_LIMIT: u64 = 1 << 20;

/// The pieces of one file.
#[derive(Debug)]
pub(super) struct Pieces {
    size: u64,
    piece: u64,
    state: Mutex<State>,
    /// Something was finished, or nobody works any more.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    pieces: Vec<Piece>,
    journal: File,
    stopped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Missing,
    Taken,
    Done,
}

impl Pieces {
    /// The pieces of a file of `size` bytes, each of `piece` bytes but the last. What a journal of another file or another size of
    /// pieces says is forgotten.
    pub(super) fn open(journal: &Path, name: &str, size: u64, piece: u64) -> io::Result<Self> {
        let count = usize::try_from(size.div_ceil(piece.max(1))).map_err(io::Error::other)?;
        let head = format!("pieces of {name}, {size} bytes, {piece} each");
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(journal)?;
        let mut text = String::new();
        // A journal that is no text is worth as much as none.
        let read = Read::by_ref(&mut file)
            .take(JOURNAL_LIMIT)
            .read_to_string(&mut text);
        let mut pieces = vec![Piece::Missing; count];
        let mut lines = text.split_inclusive('\n');
        if read.is_ok() && lines.next().map(str::trim_end) == Some(head.as_str()) {
            for line in lines.filter(|line| line.ends_with('\n')) {
                if let Some(piece) = line
                    .trim_end()
                    .parse()
                    .ok()
                    .and_then(|index: usize| pieces.get_mut(index))
                {
                    *piece = Piece::Done;
                }
            }
            // A last line without its end was being written when the machine stopped: nobody knows its last digits.
            let whole = text.rfind('\n').map_or(0, |end| end.saturating_add(1));
            file.set_len(u64::try_from(whole).map_err(io::Error::other)?)?;
        } else {
            file.set_len(0)?;
            file.write_all(format!("{head}\n").as_bytes())?;
        }
        Ok(Self {
            size,
            piece,
            state: Mutex::new(State {
                pieces,
                journal: file,
                stopped: false,
            }),
            changed: Condvar::new(),
        })
    }

    /// Forgets every piece.
    pub(super) fn clear(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.pieces.fill(Piece::Missing);
        let head = state_head(&mut state.journal)?;
        state.journal.set_len(0)?;
        state.journal.write_all(head.as_bytes())
    }

    /// Number of pieces.
    pub(super) fn count(&self) -> usize {
        self.lock().pieces.len()
    }

    /// Bytes that are there.
    pub(super) fn done_bytes(&self) -> u64 {
        let state = self.lock();
        let done = |(_, piece): &(usize, &Piece)| **piece == Piece::Done;
        state
            .pieces
            .iter()
            .enumerate()
            .filter(done)
            .map(|(index, _)| {
                let range = self.range(index);
                range.end.saturating_sub(range.start)
            })
            .sum()
    }

    /// The bytes of a piece.
    pub(super) fn range(&self, index: usize) -> Range<u64> {
        let start = u64::try_from(index)
            .unwrap_or(u64::MAX)
            .saturating_mul(self.piece)
            .min(self.size);
        start..start.saturating_add(self.piece).min(self.size)
    }

    /// Takes the first piece that is missing; `None` if every piece is there or taken.
    pub(super) fn take(&self) -> Option<usize> {
        let mut state = self.lock();
        let index = state
            .pieces
            .iter()
            .position(|piece| *piece == Piece::Missing)?;
        *state.pieces.get_mut(index)? = Piece::Taken;
        Some(index)
    }

    /// The piece is there, flushed to the disk.
    pub(super) fn finish(&self, index: usize) -> io::Result<()> {
        let mut state = self.lock();
        state.journal.write_all(format!("{index}\n").as_bytes())?;
        if let Some(piece) = state.pieces.get_mut(index) {
            *piece = Piece::Done;
        }
        self.changed.notify_all();
        Ok(())
    }

    /// Work begins: pieces that somebody took and did not finish are missing again.
    pub(super) fn start(&self) {
        let mut state = self.lock();
        state.stopped = false;
        for piece in &mut state.pieces {
            if *piece == Piece::Taken {
                *piece = Piece::Missing;
            }
        }
    }

    /// Nobody works any more: whoever waits for a piece that is not there stops waiting.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Waits until the piece is there; false if it will not come. Blocks.
    pub(super) fn wait_for(&self, index: usize) -> bool {
        let mut state = self.lock();
        loop {
            if state.pieces.get(index) == Some(&Piece::Done) {
                return true;
            }
            if state.stopped {
                return false;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the list usable: every value is valid at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first line of the journal, as it stands.
fn state_head(journal: &mut File) -> io::Result<String> {
    use std::os::unix::fs::FileExt;
    let mut head = vec![0; 512];
    let read = journal.read_at(&mut head, 0)?;
    head.truncate(read);
    let text = String::from_utf8_lossy(&head);
    Ok(text
        .split_inclusive('\n')
        .next()
        .unwrap_or_default()
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(folder: &Path) -> Pieces {
        Pieces::open(&folder.join("journal"), "f", 25, 10).unwrap()
    }

    #[test]
    fn pieces_are_taken_in_order_and_remembered_when_finished() {
        let folder = tempfile::tempdir().unwrap();
        let first = pieces(folder.path());
        assert_eq!((first.count(), first.range(2)), (3, 20..25));
        assert_eq!((first.take(), first.take()), (Some(0), Some(1)));
        first.finish(1).unwrap();
        assert_eq!((first.take(), first.take()), (Some(2), None));
        first.start();
        assert_eq!(first.take(), Some(0), "taken and not finished");
        let second = pieces(folder.path());
        assert_eq!(second.done_bytes(), 10);
        second.finish(2).unwrap();
        assert_eq!(pieces(folder.path()).done_bytes(), 15);
        second.clear().unwrap();
        assert_eq!(second.done_bytes(), 0);
        assert_eq!(pieces(folder.path()).done_bytes(), 0);
        second.finish(0).unwrap();
        assert_eq!(pieces(folder.path()).done_bytes(), 10);
    }

    #[test]
    fn a_journal_of_something_else_is_forgotten_and_a_torn_line_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        pieces(folder.path()).finish(0).unwrap();
        let other = Pieces::open(&folder.path().join("journal"), "f", 25, 5).unwrap();
        assert_eq!(other.done_bytes(), 0);
        let journal = folder.path().join("journal");
        for (text, done) in [
            (&b"pieces of f, 25 bytes, 10 each\n0\n1"[..], 10),
            (b"pieces of f, 25 bytes, 10 each\n7\nx\n-1\n", 0),
            (b"\xff\xfe", 0),
        ] {
            std::fs::write(&journal, text).unwrap();
            assert_eq!(pieces(folder.path()).done_bytes(), done);
        }
        // After a torn line the next one begins a line of its own, and the torn one never counts.
        std::fs::write(&journal, "pieces of f, 25 bytes, 10 each\n0\n1").unwrap();
        pieces(folder.path()).finish(2).unwrap();
        assert_eq!(pieces(folder.path()).done_bytes(), 15);
    }

    #[test]
    fn waiting_ends_when_the_piece_comes_or_nobody_works() {
        let folder = tempfile::tempdir().unwrap();
        let pieces = pieces(folder.path());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| pieces.wait_for(1));
            pieces.finish(1).unwrap();
            assert!(waiting.join().unwrap());
            let waiting = scope.spawn(|| pieces.wait_for(2));
            pieces.stop();
            assert!(!waiting.join().unwrap());
        });
        assert!(pieces.wait_for(1), "what is there is there");
    }
}
