//! The conversation about the bytes: requests to the host, its answers, and what is kept for a moment.
//!
//! Workers block here; the task behind the RPC brings the answers. Everything is bounded: requests
//! without an answer, chunks in memory, and the time either may take.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use manifest::ArtifactKind;
use protocol::convert::kind_to_pb;
use protocol::pb;
use protocol::pb::backing_answer::What as Said;
use protocol::pb::backing_request::What as Asked;
use protocol::settings::{BACKING_REQUESTS, MAX_CHUNK_BYTES};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::BackingConfig;
use super::error::BackingError;
use super::table::{ChunkDigest, ChunkRule, Table, TableBuilder};
use crate::error::AgentError;
use crate::store::StoreError;

/// Chunks kept in memory: for six readers side by side their chunk and what is read ahead, and some.
const CACHED: usize = 32;
/// Chunks asked for before a reader that reads on comes to them.
const AHEAD: u64 = 3;
/// Requests that reading ahead leaves room for.
const RESERVED: usize = 4;
/// Chunks of one file on their way out.
const WRITES: usize = 4;
/// Requests that one connection may leave unread.
const QUEUE: usize = 4 * BACKING_REQUESTS;
/// Most of the host's reason for a failure that is passed on.
const MAX_REASON_CHARS: usize = 200;

/// A chunk that was checked.
pub(crate) type Chunk = Arc<[u8]>;
/// File and number of a chunk.
type Place = (u64, u64);

/// The host's files, as far as this process is concerned.
pub struct Backing {
    rule: ChunkRule,
    config: BackingConfig,
    state: Mutex<State>,
    /// Rings at every change.
    bell: Condvar,
}

impl fmt::Debug for Backing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backing").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    link: Option<Link>,
    links: u64,
    files: u64,
    requests: u64,
    pending: BTreeMap<u64, Pending>,
    cache: BTreeMap<Place, Cached>,
    uses: u64,
    fault: Option<BackingError>,
}

/// The stream that the host opened last.
struct Link {
    number: u64,
    sender: mpsc::Sender<Result<pb::BackingRequest, Status>>,
}

struct Cached {
    chunk: Chunk,
    used: u64,
}

/// A request without an answer.
struct Pending {
    request: pb::BackingRequest,
    kind: ArtifactKind,
    place: Place,
    deadline: Instant,
    /// The answer is being checked.
    answered: bool,
    expected: Expected,
}

#[derive(Clone)]
enum Expected {
    Chunk {
        length: usize,
        digest: ChunkDigest,
        slot: Arc<OnceLock<Chunk>>,
    },
    Written,
}

impl Backing {
    /// Nothing is kept anywhere yet. `key` is secret and of this boot.
    pub fn new(key: [u8; 32], config: BackingConfig) -> Arc<Self> {
        let chunk_bytes = config.chunk_bytes.clamp(1, MAX_CHUNK_BYTES);
        Arc::new(Self {
            rule: ChunkRule::new(key, chunk_bytes),
            config,
            state: Mutex::default(),
            bell: Condvar::new(),
        })
    }

    /// The first thing that the host did wrong. Nothing is read or written after it.
    pub fn fault(&self) -> Option<BackingError> {
        self.lock().fault.clone()
    }

    /// Takes a stream of answers; gives that of the requests. The stream before it ends.
    pub(crate) fn attach(
        self: &Arc<Self>,
        answers: Streaming<pb::BackingAnswer>,
    ) -> Result<mpsc::Receiver<Result<pb::BackingRequest, Status>>, BackingError> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let mut state = self.lock();
        if let Some(fault) = &state.fault {
            return Err(fault.clone());
        }
        state.links += 1;
        let number = state.links;
        state.link = Some(Link { number, sender });
        let again: Vec<_> = state
            .pending
            .values()
            .filter(|pending| !pending.answered)
            .map(|pending| pending.request.clone())
            .collect();
        for request in again {
            state.send(request);
        }
        drop(state);
        self.bell.notify_all();
        // It ends with the stream, which ends with the connection.
        drop(tokio::spawn(take_answers(
            Arc::clone(self),
            number,
            answers,
        )));
        Ok(receiver)
    }

    /// A table of a new file.
    pub(crate) fn builder(&self, kind: ArtifactKind) -> TableBuilder {
        let mut state = self.lock();
        state.files += 1;
        TableBuilder::new(self.rule.clone(), kind, state.files)
    }

    pub(crate) fn chunk_bytes(&self) -> usize {
        self.rule.chunk_bytes()
    }

    /// A chunk of a file, checked. `reads_on`: the ones after it will be wanted too.
    pub(crate) fn chunk(
        &self,
        table: &Table,
        chunk: u64,
        reads_on: bool,
    ) -> Result<Chunk, BackingError> {
        let place = (table.file(), chunk);
        let give_up = self.deadline();
        let mut slot: Option<Arc<OnceLock<Chunk>>> = None;
        let mut state = self.lock();
        loop {
            self.judge_time(&mut state)?;
            let found = match slot.as_ref().and_then(|slot| slot.get()) {
                Some(chunk) => Some(Arc::clone(chunk)),
                None => state.cached(place),
            };
            if let Some(chunk_found) = found {
                self.read_ahead(&mut state, table, chunk, reads_on);
                return Ok(chunk_found);
            }
            if slot.is_none() {
                slot = state.slot(place);
                if slot.is_none() && state.pending.len() < BACKING_REQUESTS {
                    slot = self.ask(&mut state, table, chunk);
                }
                // At once, so that all are under way together.
                self.read_ahead(&mut state, table, chunk, reads_on);
            }
            state = self.wait(state, give_up, table.kind(), chunk)?;
        }
    }

    /// Hands a chunk of a file that is being made to the host. Waits while too many are under way.
    pub(crate) fn write(
        &self,
        kind: ArtifactKind,
        file: u64,
        chunk: u64,
        data: Bytes,
    ) -> Result<(), BackingError> {
        let size = u64::try_from(self.chunk_bytes()).unwrap_or(u64::MAX);
        let give_up = self.deadline();
        let mut state = self.lock();
        loop {
            self.judge_time(&mut state)?;
            if state.writes(file) < WRITES && state.pending.len() < BACKING_REQUESTS {
                let request = pb::BackingRequest {
                    id: 0,
                    kind: kind_to_pb(kind).into(),
                    offset: chunk.saturating_mul(size),
                    what: Some(Asked::Write(data)),
                };
                self.request(&mut state, kind, (file, chunk), request, Expected::Written);
                return Ok(());
            }
            state = self.wait(state, give_up, kind, chunk)?;
        }
    }

    /// Waits until the host has taken everything of a file.
    pub(crate) fn settle(&self, file: u64) -> Result<(), BackingError> {
        let mut state = self.lock();
        loop {
            self.judge_time(&mut state)?;
            let Some((kind, chunk)) = state.first_write(file) else {
                return Ok(());
            };
            state = self.wait(state, self.deadline(), kind, chunk)?;
        }
    }

    /// Frees what is kept in memory of a file that is not needed any more.
    pub(crate) fn forget(&self, file: u64) {
        self.lock().cache.retain(|place, _| place.0 != file);
    }

    /// Asks for the next chunks, as far as there is room.
    fn read_ahead(&self, state: &mut State, table: &Table, chunk: u64, reads_on: bool) {
        if !reads_on {
            return;
        }
        for next in
            (chunk.saturating_add(1)..table.chunks()).take(usize::try_from(AHEAD).unwrap_or(0))
        {
            if state.pending.len() + RESERVED >= BACKING_REQUESTS {
                return;
            }
            let place = (table.file(), next);
            if !state.cache.contains_key(&place) && state.slot(place).is_none() {
                drop(self.ask(state, table, next));
            }
        }
    }

    fn ask(&self, state: &mut State, table: &Table, chunk: u64) -> Option<Arc<OnceLock<Chunk>>> {
        let (offset, length, digest) = table.chunk(chunk)?;
        let slot = Arc::new(OnceLock::new());
        let expected = Expected::Chunk {
            length,
            digest,
            slot: Arc::clone(&slot),
        };
        let request = pb::BackingRequest {
            id: 0,
            kind: kind_to_pb(table.kind()).into(),
            offset,
            what: Some(Asked::Read(u32::try_from(length).unwrap_or(u32::MAX))),
        };
        self.request(
            state,
            table.kind(),
            (table.file(), chunk),
            request,
            expected,
        );
        Some(slot)
    }

    fn request(
        &self,
        state: &mut State,
        kind: ArtifactKind,
        place: Place,
        mut request: pb::BackingRequest,
        expected: Expected,
    ) {
        state.requests += 1;
        request.id = state.requests;
        let pending = Pending {
            request: request.clone(),
            kind,
            place,
            deadline: self.deadline(),
            answered: false,
            expected,
        };
        state.pending.insert(request.id, pending);
        state.send(request);
    }

    /// Judges an answer of the stream `number`; `Ok(false)` when another stream has taken its place.
    fn answer(&self, number: u64, answer: pb::BackingAnswer) -> Result<bool, BackingError> {
        let id = answer.id;
        let mut state = self.lock();
        if state.link.as_ref().map(|link| link.number) != Some(number) {
            return Ok(false);
        }
        let (kind, place, expected) = match state.pending.get_mut(&id) {
            Some(pending) if !pending.answered => {
                pending.answered = true;
                (pending.kind, pending.place, pending.expected.clone())
            }
            _ => return Err(self.fail(&mut state, BackingError::Unsolicited { id })),
        };
        drop(state);
        let judged = self.judge(kind, place, &expected, answer.what);
        let mut state = self.lock();
        match judged {
            Ok(chunk) => {
                state.pending.remove(&id);
                if let (Some(chunk), Expected::Chunk { slot, .. }) = (chunk, expected) {
                    // Set once: an answer is judged once.
                    drop(slot.set(Arc::clone(&chunk)));
                    state.keep(place, chunk);
                }
                drop(state);
                self.bell.notify_all();
                Ok(true)
            }
            Err(error) => Err(self.fail(&mut state, error)),
        }
    }

    /// The check: length and digest, of the bytes as they lie in this process's memory.
    fn judge(
        &self,
        kind: ArtifactKind,
        place: Place,
        expected: &Expected,
        what: Option<Said>,
    ) -> Result<Option<Chunk>, BackingError> {
        let (file, chunk) = place;
        match (expected, what) {
            (_, Some(Said::Failure(reason))) => Err(BackingError::Refused {
                kind,
                chunk,
                reason: bounded(&reason),
            }),
            (Expected::Written, Some(Said::Written(_))) => Ok(None),
            (Expected::Chunk { length, digest, .. }, Some(Said::Data(data))) => {
                if data.len() != *length {
                    return Err(BackingError::Length {
                        kind,
                        chunk,
                        expected: *length,
                        got: data.len(),
                    });
                }
                if self.rule.digest(file, chunk, &data) != *digest {
                    return Err(BackingError::Digest { kind, chunk });
                }
                // A copy of its own: the message's buffer may be larger than the chunk.
                Ok(Some(Chunk::from(data.as_ref())))
            }
            _ => Err(BackingError::Answer { kind, chunk }),
        }
    }

    /// Refuses to go on after a fault, or when a request has waited too long.
    fn judge_time(&self, state: &mut State) -> Result<(), BackingError> {
        if let Some(fault) = &state.fault {
            return Err(fault.clone());
        }
        let now = Instant::now();
        let late = state
            .pending
            .values()
            .find(|pending| !pending.answered && pending.deadline <= now)
            .map(|pending| (pending.kind, pending.place.1));
        match late {
            Some((kind, chunk)) => Err(self.out_of_patience(state, kind, chunk)),
            None => Ok(()),
        }
    }

    fn out_of_patience(&self, state: &mut State, kind: ArtifactKind, chunk: u64) -> BackingError {
        let patience = self.config.patience;
        let error = if state.link.is_some() {
            BackingError::Silent {
                kind,
                chunk,
                patience,
            }
        } else {
            BackingError::Lost {
                kind,
                chunk,
                patience,
            }
        };
        self.fail(state, error)
    }

    /// Waits for a change, at most until the next deadline.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        give_up: Instant,
        kind: ArtifactKind,
        chunk: u64,
    ) -> Result<MutexGuard<'a, State>, BackingError> {
        let now = Instant::now();
        if give_up <= now {
            return Err(self.out_of_patience(&mut state, kind, chunk));
        }
        let next = state
            .pending
            .values()
            .filter(|pending| !pending.answered)
            .map(|pending| pending.deadline)
            .fold(give_up, Instant::min);
        let (state, _) = self
            .bell
            .wait_timeout(state, next.saturating_duration_since(now))
            .unwrap_or_else(PoisonError::into_inner);
        Ok(state)
    }

    /// Keeps the first fault, ends the stream with it, and wakes whoever waits.
    fn fail(&self, state: &mut State, error: BackingError) -> BackingError {
        let fault = state.fault.get_or_insert(error).clone();
        if let Some(link) = state.link.take() {
            let status = AgentError::from(StoreError::from(fault.clone()));
            // The host may be gone.
            drop(link.sender.try_send(Err(protocol::to_status(&status))));
        }
        state.cache.clear();
        self.bell.notify_all();
        fault
    }

    fn detach(&self, number: u64) {
        let mut state = self.lock();
        if state.link.as_ref().map(|link| link.number) == Some(number) {
            state.link = None;
        }
    }

    fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.config.patience).unwrap_or(now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole before the lock is given back.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A stream that does not read, or is gone, counts as lost: what is pending waits for the next.
    fn send(&mut self, request: pb::BackingRequest) {
        if let Some(link) = &self.link
            && link.sender.try_send(Ok(request)).is_err()
        {
            self.link = None;
        }
    }

    fn slot(&self, place: Place) -> Option<Arc<OnceLock<Chunk>>> {
        self.pending
            .values()
            .find_map(|pending| match &pending.expected {
                Expected::Chunk { slot, .. } if pending.place == place => Some(Arc::clone(slot)),
                _ => None,
            })
    }

    fn is_write(pending: &Pending, file: u64) -> bool {
        pending.place.0 == file && matches!(pending.expected, Expected::Written)
    }

    fn writes(&self, file: u64) -> usize {
        let writes = self.pending.values();
        writes
            .filter(|pending| Self::is_write(pending, file))
            .count()
    }

    fn first_write(&self, file: u64) -> Option<(ArtifactKind, u64)> {
        let mut writes = self.pending.values();
        writes
            .find(|pending| Self::is_write(pending, file))
            .map(|pending| (pending.kind, pending.place.1))
    }

    fn cached(&mut self, place: Place) -> Option<Chunk> {
        self.uses += 1;
        let cached = self.cache.get_mut(&place)?;
        cached.used = self.uses;
        Some(Arc::clone(&cached.chunk))
    }

    /// The chunk that was not used for longest makes room.
    fn keep(&mut self, place: Place, chunk: Chunk) {
        if self.cache.len() >= CACHED
            && let Some(oldest) = self
                .cache
                .iter()
                .min_by_key(|(_, cached)| cached.used)
                .map(|(place, _)| *place)
        {
            self.cache.remove(&oldest);
        }
        self.uses += 1;
        let used = self.uses;
        self.cache.insert(place, Cached { chunk, used });
    }
}

/// Brings the answers of one stream, until it ends or breaks a rule.
async fn take_answers(
    backing: Arc<Backing>,
    number: u64,
    mut answers: Streaming<pb::BackingAnswer>,
) {
    // What breaks a rule ends the ceremony: `answer` has kept it as the fault.
    while let Ok(Some(answer)) = answers.message().await {
        if !matches!(backing.answer(number, answer), Ok(true)) {
            break;
        }
    }
    backing.detach(number);
}

/// The host's word, short and printable.
fn bounded(reason: &str) -> String {
    reason
        .chars()
        .take(MAX_REASON_CHARS)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
