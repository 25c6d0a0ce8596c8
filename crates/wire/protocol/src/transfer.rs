//! The client's side of a transfer: artifacts into and out of the enclave.

use std::io::{self, Read, Seek, SeekFrom, Write};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::EnclaveClient;
use crate::chunk::{ChunkError, Inbound};
use crate::pb;
use crate::settings::{CHUNK_BYTES, QUEUE_CHUNKS};
use crate::status::RemoteError;

/// Why a transfer ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The enclave refused, or the connection was lost.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The local file could not be read or written.
    #[error("local file")]
    Local(#[source] io::Error),
    /// The local file is shorter than was announced.
    #[error("local file ended after {got} of {size} bytes")]
    LocalShort {
        /// Bytes read.
        got: u64,
        /// Announced size.
        size: u64,
    },
    /// The local file has more bytes than the artifact: it is not a part of it.
    #[error("local file has {got} bytes, the artifact {size}")]
    LocalLong {
        /// Bytes in the file.
        got: u64,
        /// Size of the artifact.
        size: u64,
    },
    /// The enclave broke a rule of the transfer.
    #[error("transfer from the enclave")]
    Chunk(#[from] ChunkError),
    /// The artifact is larger than the caller takes.
    #[error("artifact of {got} bytes, at most {limit} are taken")]
    TooLarge {
        /// Announced size.
        got: u64,
        /// The caller's limit.
        limit: u64,
    },
    /// Parts of the answer in the wrong order, or of another artifact.
    #[error("unexpected part in the enclave's stream: {part}")]
    UnexpectedPart {
        /// What came.
        part: &'static str,
    },
    /// The enclave took other bytes than were sent.
    #[error("the enclave stored sha256 {got}, sent was {expected}")]
    StoredDigest {
        /// Digest of what was sent, hex.
        expected: String,
        /// Digest the enclave answered, hex.
        got: String,
    },
    /// A task of this process ended abnormally.
    #[error("internal task")]
    Task(#[source] JoinError),
}

impl TransferError {
    /// Stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Remote(error) => &error.code,
            Self::Local(_) => "local_file",
            Self::LocalShort { .. } => "local_short",
            Self::LocalLong { .. } => "local_long",
            Self::Chunk(error) => error.code(),
            Self::TooLarge { .. } => "artifact_too_large",
            Self::UnexpectedPart { .. } => "unexpected_part",
            Self::StoredDigest { .. } => "stored_digest",
            Self::Task(_) => "internal_task",
        }
    }

    /// Whether a new connection may continue where this one ended.
    pub fn is_connection_loss(&self) -> bool {
        matches!(self, Self::Remote(error) if error.is_connection_loss())
    }
}

/// Sends `size` bytes of `source` as the artifact `kind`. `progress` is told the bytes sent so far,
/// from a blocking thread.
pub async fn put_artifact(
    client: &mut EnclaveClient<Channel>,
    kind: pb::ArtifactKind,
    size: u64,
    source: impl Read + Send + 'static,
    progress: impl FnMut(u64) + Send + 'static,
) -> Result<pb::ArtifactInfo, TransferError> {
    let (sender, receiver) = mpsc::channel(QUEUE_CHUNKS);
    let reader =
        tokio::task::spawn_blocking(move || send_all(kind, size, source, progress, &sender));
    let answer = client.put_artifact(ReceiverStream::new(receiver)).await;
    let read = join(reader).await?;
    // The enclave's refusal is the cause when it ended the stream; our own read error otherwise.
    let answer = match (answer, read) {
        (Err(status), Ok(_) | Err(SendEnd::Closed)) => return Err(RemoteError::from(status).into()),
        (_, Err(SendEnd::Local(error))) => return Err(error),
        (Ok(answer), Ok(digest)) => (answer, digest),
        (Ok(_), Err(SendEnd::Closed)) => {
            return Err(TransferError::UnexpectedPart {
                part: "an answer before the last chunk",
            });
        }
    };
    let (answer, digest) = (answer.0.into_inner(), answer.1);
    let info = answer.artifact.unwrap_or_default();
    if info.sha256.as_ref() == digest.as_slice() {
        Ok(info)
    } else {
        Err(TransferError::StoredDigest {
            expected: hex::encode(digest),
            got: hex::encode(&info.sha256),
        })
    }
}

/// Why the reading side of an upload stopped.
enum SendEnd {
    /// The stream to the enclave is gone.
    Closed,
    Local(TransferError),
}

fn send_all(
    kind: pb::ArtifactKind,
    size: u64,
    mut source: impl Read,
    mut progress: impl FnMut(u64),
    sender: &mpsc::Sender<pb::PutArtifactRequest>,
) -> Result<[u8; 32], SendEnd> {
    use pb::put_artifact_request::Part;
    let send = |part| {
        sender
            .blocking_send(pb::PutArtifactRequest { part: Some(part) })
            .map_err(|_| SendEnd::Closed)
    };
    send(Part::Header(pb::PutHeader {
        kind: kind.into(),
        size,
    }))?;
    let mut hasher = Sha256::new();
    let mut offset = 0;
    while offset < size {
        let data = read_chunk(&mut source, size - offset)
            .map_err(|error| SendEnd::Local(TransferError::Local(error)))?;
        if data.is_empty() {
            return Err(SendEnd::Local(TransferError::LocalShort {
                got: offset,
                size,
            }));
        }
        hasher.update(&data);
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        send(Part::Chunk(pb::Chunk { offset, data }))?;
        offset = offset.saturating_add(length);
        progress(offset);
    }
    let sha256: [u8; 32] = hasher.finalize().into();
    send(Part::Trailer(pb::PutTrailer {
        sha256: Bytes::copy_from_slice(&sha256),
    }))?;
    Ok(sha256)
}

/// Reads up to one chunk, at most `left` bytes; empty at the end of the file.
fn read_chunk(source: &mut impl Read, left: u64) -> io::Result<Bytes> {
    let want = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
    let mut buffer = vec![0; want];
    let mut filled = 0;
    while let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) {
        match source.read(space) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer.into())
}

/// Fetches the artifact `kind` into `file`, continuing after the bytes that `file` holds already:
/// after a lost connection, call it again with the same file. `limit` bounds the size that is
/// taken. `progress` is told `(bytes so far, size)`.
///
/// The digest covers the whole artifact, so a file that held other bytes is found out.
pub async fn get_artifact<F>(
    client: &mut EnclaveClient<Channel>,
    kind: pb::ArtifactKind,
    limit: u64,
    file: F,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<pb::ArtifactInfo, TransferError>
where
    F: Read + Write + Seek + Send + 'static,
{
    use pb::get_artifact_response::Part;
    let opened = tokio::task::spawn_blocking(move || FileSink::open(file));
    let sink = join(opened).await?.map_err(TransferError::Local)?;
    let request = pb::GetArtifactRequest {
        kind: kind.into(),
        offset: sink.length,
    };
    let mut stream = client
        .get_artifact(request)
        .await
        .map_err(RemoteError::from)?
        .into_inner();
    let info = match next(&mut stream).await? {
        Some(Part::Header(pb::GetHeader {
            artifact: Some(info),
        })) if info.kind == i32::from(kind) => info,
        other => return Err(unexpected(other.as_ref())),
    };
    let size = info.size;
    if size > limit {
        return Err(TransferError::TooLarge { got: size, limit });
    }
    if sink.length > size {
        return Err(TransferError::LocalLong {
            got: sink.length,
            size,
        });
    }
    let mut inbound = Inbound::new(size, sink.length);
    let (sender, receiver) = mpsc::channel(QUEUE_CHUNKS);
    let writer = tokio::task::spawn_blocking(move || sink.write_all(receiver));
    let said = loop {
        match next(&mut stream).await? {
            Some(Part::Chunk(chunk)) => {
                inbound.take(&chunk)?;
                if sender.send(chunk.data).await.is_err() {
                    // The writer has ended with an error of its own.
                    break None;
                }
                progress(inbound.received(), size);
            }
            Some(Part::Trailer(trailer)) => break Some(trailer.sha256),
            other => return Err(unexpected(other.as_ref())),
        }
    };
    drop(sender);
    let computed = join(writer).await?.map_err(TransferError::Local)?;
    let said = said.unwrap_or_default();
    inbound.finish(&said, &computed)?;
    inbound.finish(&info.sha256, &computed)?;
    Ok(info)
}

async fn next(
    stream: &mut tonic::Streaming<pb::GetArtifactResponse>,
) -> Result<Option<pb::get_artifact_response::Part>, TransferError> {
    let message = stream.message().await.map_err(RemoteError::from)?;
    Ok(message.and_then(|message| message.part))
}

fn unexpected(part: Option<&pb::get_artifact_response::Part>) -> TransferError {
    use pb::get_artifact_response::Part;
    TransferError::UnexpectedPart {
        part: match part {
            Some(Part::Header(_)) => "a header",
            Some(Part::Chunk(_)) => "a chunk",
            Some(Part::Trailer(_)) => "a trailer",
            None => "the end of the stream",
        },
    }
}

/// A local file with the digest of what it holds.
struct FileSink<F> {
    file: F,
    hasher: Sha256,
    length: u64,
}

impl<F: Read + Write + Seek> FileSink<F> {
    /// Hashes what is there and stands at its end.
    fn open(mut file: F) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut hasher = Sha256::new();
        let mut length = 0_u64;
        loop {
            let data = read_chunk(&mut file, u64::MAX)?;
            if data.is_empty() {
                return Ok(Self {
                    file,
                    hasher,
                    length,
                });
            }
            hasher.update(&data);
            length = length.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        }
    }

    fn write_all(mut self, mut chunks: mpsc::Receiver<Bytes>) -> io::Result<[u8; 32]> {
        while let Some(data) = chunks.blocking_recv() {
            self.hasher.update(&data);
            self.file.write_all(&data)?;
        }
        self.file.flush()?;
        Ok(self.hasher.finalize().into())
    }
}

async fn join<T>(task: JoinHandle<T>) -> Result<T, TransferError> {
    task.await.map_err(TransferError::Task)
}
