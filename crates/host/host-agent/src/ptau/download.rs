//! Downloads into the cache folder: many ranges at a time, resumed where they were left, hashed as the beginning of the file grows. The
//! file gets its name when its digest is the published one, and not before.

#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use formats::digest::{DigestState, FileDigests};
use formats::ptau::published::PublishedPtau;
use protocol::pb;
use tokio::task::JoinSet;

use super::check;
use super::error::PtauError;
use super::origin::{Missed, Origin};
use super::pieces::Pieces;
use crate::report::Reporter;

/// Between two looks at whether stopped workers are gone.
const SETTLE_PAUSE: Duration = Duration::from_millis(5);

/// How a download goes about it.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Bytes of one range.
    pub piece: u64,
    /// Ranges under way at once.
    pub workers: usize,
    /// Attempts at one range, each a little later than the one before.
    pub attempts: u32,
    /// Before the second attempt; doubled each time.
    pub pause: Duration,
    /// A connection without a byte for so long is lost.
    pub stall: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            piece: 16 << 20,
            workers: 16,
            attempts: 6,
            pause: Duration::from_millis(500),
            stall: Duration::from_mins(1),
        }
    }
}

/// A file that is wanted.
#[derive(Clone)]
pub(super) struct Wanted {
    /// Name in the cache.
    pub(super) name: &'static str,
    /// Size in bytes.
    pub(super) size: u64,
    /// Whether a file with these digests is it.
    pub(super) judge: Judge,
}

/// Accepts or refuses a file by its digests.
pub(super) type Judge = Arc<dyn Fn(&Path, &FileDigests) -> Result<(), PtauError> + Send + Sync>;

impl From<&'static PublishedPtau> for Wanted {
    fn from(published: &'static PublishedPtau) -> Self {
        Self {
            name: published.file_name,
            size: published.size,
            judge: Arc::new(move |path, digests| {
                if published.matches(digests) {
                    Ok(())
                } else {
                    Err(check::other_digest(path, published, digests))
                }
            }),
        }
    }
}

/// A file in the cache.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cached {
    /// It was there; its digest is not known to be right.
    Found(PathBuf),
    /// It was fetched now; its digest is the published one.
    Fetched(PathBuf),
}

/// The file from the cache, or from the first of `origins` that gives it.
pub(super) async fn cached(
    cache: &Path,
    wanted: &Wanted,
    origins: &[Origin],
    settings: Settings,
    reporter: &Arc<Reporter>,
) -> Result<Cached, PtauError> {
    let path = cache.join(wanted.name);
    if path.is_file() {
        reporter.note(format!("powers of tau from the cache: {}", path.display()));
        return Ok(Cached::Found(path));
    }
    let part = cache.join(format!("{}.part", wanted.name));
    let journal = cache.join(format!("{}.pieces", wanted.name));
    let failed = |source| PtauError::File {
        path: part.clone(),
        source,
    };
    std::fs::create_dir_all(cache).map_err(failed)?;
    let file = locked(&part)?;
    let known = file.metadata().map_err(failed)?.len() == wanted.size;
    let pieces =
        Pieces::open(&journal, wanted.name, wanted.size, settings.piece).map_err(failed)?;
    if !known {
        // The journal is of a file that is not there any more.
        pieces.clear().map_err(failed)?;
        file.set_len(wanted.size).map_err(failed)?;
    }
    let download = Download {
        file: Arc::new(file),
        part: part.clone(),
        pieces: Arc::new(pieces),
        wanted: wanted.clone(),
        settings,
        reporter: Arc::clone(reporter),
    };
    let asked = download.ask_all(origins).await;
    download.settle().await;
    asked?;
    download.file.sync_all().map_err(failed)?;
    std::fs::rename(&part, &path).map_err(failed)?;
    std::fs::remove_file(&journal).map_err(failed)?;
    Ok(Cached::Fetched(path))
}

/// Opens the unfinished file for this process alone.
fn locked(part: &Path) -> Result<File, PtauError> {
    let failed = |source| PtauError::File {
        path: part.into(),
        source,
    };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(part)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PtauError::Busy { path: part.into() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

#[derive(Clone)]
struct Download {
    file: Arc<File>,
    part: PathBuf,
    pieces: Arc<Pieces>,
    wanted: Wanted,
    settings: Settings,
    reporter: Arc<Reporter>,
}

impl Download {
    /// Fetches from one place after the other, until the file is there and is the published one. Pieces that one place gave are
    /// kept for the next; a wrong digest convicts all of them.
    async fn ask_all(&self, origins: &[Origin]) -> Result<(), PtauError> {
        let mut last = PtauError::NoOrigin {
            name: self.wanted.name,
        };
        for origin in origins {
            // With pieces from elsewhere, a wrong digest may not be this place's fault: it is asked for all of them then.
            let mut mixed = self.pieces.done_bytes() > 0;
            loop {
                match self.ask_one(origin).await {
                    Ok(()) => return Ok(()),
                    Err(error @ (PtauError::File { .. } | PtauError::Stopped)) => {
                        return Err(error);
                    }
                    Err(error) => {
                        let wrong = matches!(error, PtauError::Digest { .. });
                        self.reporter.note(format!("{origin}: {error}"));
                        last = error;
                        if wrong {
                            self.pieces.clear().map_err(|e| self.failed(e))?;
                        }
                        if !(wrong && std::mem::take(&mut mixed)) {
                            break;
                        }
                    }
                }
            }
        }
        Err(last)
    }

    async fn ask_one(&self, origin: &Origin) -> Result<(), PtauError> {
        self.pieces.start();
        let hasher = {
            let this = self.clone();
            tokio::task::spawn_blocking(move || this.hash())
        };
        let fetched = match self.ranges(origin).await {
            Err(Missed::NoRanges) => self.whole(origin).await,
            other => other,
        };
        self.pieces.stop();
        let digests = hasher.await;
        match fetched {
            Ok(()) => {}
            Err(Missed::Disk(source)) => return Err(self.failed(source)),
            Err(Missed::Transient(error) | Missed::Final(error)) => return Err(error),
            Err(Missed::NoRanges) => {
                return Err(PtauError::Range {
                    url: origin.to_string(),
                    expected: "the whole file".to_owned(),
                    got: "no answer to that either".to_owned(),
                });
            }
        }
        let digests = digests
            .map_err(|e| self.failed(std::io::Error::other(e)))?
            .map_err(|e| self.failed(e))?;
        match digests {
            Some(digests) => (self.wanted.judge)(&self.part, &digests),
            None => Err(PtauError::Stopped),
        }
    }

    /// Waits until nobody else holds the file, and the lock with it: a write that was under way when its worker was
    /// stopped goes on to its end on a thread of its own.
    async fn settle(&self) {
        while Arc::strong_count(&self.file) > 1 {
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
    }

    /// Many ranges at once.
    async fn ranges(&self, origin: &Origin) -> Result<(), Missed> {
        let done = Arc::new(AtomicU64::new(self.pieces.done_bytes()));
        let mut workers = JoinSet::new();
        for _ in 0..self.settings.workers.max(1) {
            let (this, origin, done) = (self.clone(), origin.clone(), Arc::clone(&done));
            workers.spawn(async move { this.work(&origin, &done).await });
        }
        while let Some(ended) = workers.join_next().await {
            // The first failure ends the others: dropping the set stops them.
            ended.map_err(|e| Missed::Disk(std::io::Error::other(e)))??;
        }
        Ok(())
    }

    async fn work(&self, origin: &Origin, done: &AtomicU64) -> Result<(), Missed> {
        while let Some(index) = self.pieces.take() {
            let range = self.pieces.range(index);
            let mut attempt = 1;
            loop {
                if self.reporter.is_cancelled() {
                    return Err(Missed::Final(PtauError::Stopped));
                }
                let mut kept = 0_u64;
                let mut keep = |at: u64, bytes: &[u8]| {
                    self.file.write_all_at(bytes, at)?;
                    let more = u64::try_from(bytes.len()).unwrap_or(0);
                    kept = kept.saturating_add(more);
                    self.progress(done.fetch_add(more, Ordering::Relaxed).saturating_add(more));
                    Ok(())
                };
                let size = self.wanted.size;
                match origin
                    .fetch(range.clone(), size, self.settings.stall, &mut keep)
                    .await
                {
                    Ok(()) => break,
                    Err(Missed::Transient(error)) if attempt < self.settings.attempts => {
                        tracing::info!("{origin}, bytes from {}: {error}; again", range.start);
                        done.fetch_sub(kept, Ordering::Relaxed);
                        let doubled = self
                            .settings
                            .pause
                            .saturating_mul(1 << (attempt - 1).min(6));
                        attempt += 1;
                        tokio::time::sleep(doubled).await;
                    }
                    Err(missed) => return Err(missed),
                }
            }
            self.keep_piece(index).await?;
        }
        Ok(())
    }

    /// Flushes, then remembers: what the journal names is on the disk.
    async fn keep_piece(&self, index: usize) -> Result<(), Missed> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || {
            this.file.sync_data()?;
            this.pieces.finish(index)
        })
        .await
        .map_err(|e| Missed::Disk(std::io::Error::other(e)))?
        .map_err(Missed::Disk)
    }

    /// From a server that gives no ranges: from the first byte to the last, again from the first after a lost connection.
    async fn whole(&self, origin: &Origin) -> Result<(), Missed> {
        self.reporter.note(format!(
            "{origin} gives no ranges: one connection, nothing to resume"
        ));
        self.pieces.clear().map_err(Missed::Disk)?;
        let mut attempt = 1;
        loop {
            let mut keep = |at: u64, bytes: &[u8]| {
                if self.reporter.is_cancelled() {
                    return Err(std::io::ErrorKind::Interrupted.into());
                }
                self.file.write_all_at(bytes, at)?;
                let more = u64::try_from(bytes.len()).unwrap_or(0);
                self.progress(at.saturating_add(more));
                Ok(())
            };
            match origin
                .fetch_whole(self.wanted.size, self.settings.stall, &mut keep)
                .await
            {
                Ok(()) => break,
                Err(Missed::Transient(error)) if attempt < self.settings.attempts => {
                    tracing::info!("{origin}: {error}; again from the start");
                    attempt += 1;
                    tokio::time::sleep(self.settings.pause).await;
                }
                Err(Missed::Disk(e)) if e.kind() == std::io::ErrorKind::Interrupted => {
                    return Err(Missed::Final(PtauError::Stopped));
                }
                Err(missed) => return Err(missed),
            }
        }
        self.file.sync_data().map_err(Missed::Disk)?;
        for index in 0..self.pieces.count() {
            self.pieces.finish(index).map_err(Missed::Disk)?;
        }
        Ok(())
    }

    /// Hashes the pieces in order, each as soon as it and all before it are there; `None` if they stop coming. Blocks.
    fn hash(&self) -> std::io::Result<Option<FileDigests>> {
        let mut state = DigestState::default();
        let mut buf = vec![0; 1 << 20];
        for index in 0..self.pieces.count() {
            if !self.pieces.wait_for(index) {
                return Ok(None);
            }
            let range = self.pieces.range(index);
            let mut at = range.start;
            while at < range.end {
                let left = usize::try_from(range.end.saturating_sub(at)).unwrap_or(usize::MAX);
                let length = left.min(buf.len());
                let Some(part) = buf.get_mut(..length) else {
                    break;
                };
                self.file.read_exact_at(part, at)?;
                state.update(part);
                at = at.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
            }
        }
        Ok(Some(state.finish()))
    }

    fn progress(&self, done: u64) {
        self.reporter.progress(pb::Progress {
            step: "download powers of tau".to_owned(),
            done: done.min(self.wanted.size),
            total: self.wanted.size,
            unit: pb::Unit::Bytes.into(),
        });
    }

    fn failed(&self, source: std::io::Error) -> PtauError {
        PtauError::File {
            path: self.part.clone(),
            source,
        }
    }
}
