//! Artifacts in and out. The receive loop only passes bytes on; a blocking thread writes and hashes.

use std::sync::Arc;

use bytes::Bytes;
use formats::source::{FileSource, Source};
use manifest::{ArtifactKind, ArtifactRecord};
use protocol::chunk::Inbound;
use protocol::pb;
use protocol::settings::{CHUNK_BYTES, QUEUE_CHUNKS};
use protocol::status::to_status;
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use crate::agent::Agent;
use crate::convert;
use crate::error::AgentError;
use crate::limits;
use crate::store::{Incoming, store_error};

/// Takes one artifact in. Whatever goes wrong leaves the store as it was.
pub(crate) async fn receive(
    agent: &Arc<Agent>,
    mut stream: Streaming<pb::PutArtifactRequest>,
) -> Result<(ArtifactKind, ArtifactRecord), AgentError> {
    use pb::put_artifact_request::Part;
    let _permit = agent.begin()?;
    let header = match next(&mut stream, 0).await? {
        Some(Part::Header(header)) => header,
        other => return Err(unexpected("a header", other.as_ref())),
    };
    let kind = protocol::convert::kind_from_pb(header.kind)?;
    let limit = agent.with(|ceremony| limits::most_bytes(ceremony, agent.store(), kind))?;
    if header.size > limit {
        return Err(AgentError::ArtifactTooLarge {
            kind,
            got: header.size,
            limit,
        });
    }
    if agent.store().has(kind) {
        return Err(AgentError::ArtifactExists { kind });
    }
    let incoming = agent.store().receive(kind)?;
    match receive_all(agent, &mut stream, header.size, kind, incoming).await {
        Ok(record) => Ok((kind, record)),
        Err(error) => {
            agent.store().discard(kind);
            Err(error)
        }
    }
}

async fn receive_all(
    agent: &Agent,
    stream: &mut Streaming<pb::PutArtifactRequest>,
    size: u64,
    kind: ArtifactKind,
    incoming: Incoming,
) -> Result<ArtifactRecord, AgentError> {
    use pb::put_artifact_request::Part;
    let mut inbound = Inbound::new(size, 0);
    let (sender, receiver) = mpsc::channel(QUEUE_CHUNKS);
    let writing = tokio::task::spawn_blocking(move || take_all(incoming, receiver));
    let said = loop {
        match next(stream, inbound.received()).await? {
            Some(Part::Chunk(chunk)) => {
                inbound.take(&chunk)?;
                if sender.send(chunk.data).await.is_err() {
                    // The writer has ended with an error of its own.
                    break Bytes::new();
                }
            }
            Some(Part::Trailer(trailer)) => break trailer.sha256,
            other => return Err(unexpected("a chunk or the trailer", other.as_ref())),
        }
    };
    drop(sender);
    let incoming = writing
        .await
        .map_err(|_| AgentError::Task)?
        .map_err(store_error("write", kind))?;
    agent.store().keep_incoming(kind, incoming, |digests| {
        Ok(inbound.finish(&said, digests.sha256.as_bytes())?)
    })
}

fn take_all(
    mut incoming: Incoming,
    mut chunks: mpsc::Receiver<Bytes>,
) -> std::io::Result<Incoming> {
    while let Some(data) = chunks.blocking_recv() {
        incoming.take(&data)?;
    }
    Ok(incoming)
}

async fn next(
    stream: &mut Streaming<pb::PutArtifactRequest>,
    received: u64,
) -> Result<Option<pb::put_artifact_request::Part>, AgentError> {
    match stream.message().await {
        Ok(message) => Ok(message.and_then(|message| message.part)),
        Err(_) => Err(AgentError::BrokenOff { received }),
    }
}

fn unexpected(expected: &'static str, part: Option<&pb::put_artifact_request::Part>) -> AgentError {
    use pb::put_artifact_request::Part;
    AgentError::Part {
        expected,
        got: match part {
            Some(Part::Header(_)) => "a header",
            Some(Part::Chunk(_)) => "a chunk",
            Some(Part::Trailer(_)) => "the trailer",
            None => "the end of the stream",
        },
    }
}

/// Sends an artifact from `offset` on: header, chunks, trailer.
pub(crate) fn send(
    kind: ArtifactKind,
    record: &ArtifactRecord,
    source: FileSource,
    offset: u64,
) -> Result<mpsc::Receiver<Result<pb::GetArtifactResponse, Status>>, AgentError> {
    if offset > record.size {
        return Err(AgentError::ArtifactOffset {
            offset,
            size: record.size,
        });
    }
    let (sender, receiver) = mpsc::channel(QUEUE_CHUNKS);
    let info = convert::artifact(kind, record);
    // The task ends with the file, with an error, or when the receiver is gone.
    drop(tokio::task::spawn_blocking(move || {
        send_all(kind, info, &source, offset, &sender);
    }));
    Ok(receiver)
}

fn send_all(
    kind: ArtifactKind,
    info: pb::ArtifactInfo,
    source: &FileSource,
    mut offset: u64,
    sender: &mpsc::Sender<Result<pb::GetArtifactResponse, Status>>,
) {
    use pb::get_artifact_response::Part;
    let send = |part| {
        sender
            .blocking_send(Ok(pb::GetArtifactResponse { part: Some(part) }))
            .is_ok()
    };
    let (size, sha256) = (info.size, info.sha256.clone());
    let header = pb::GetHeader {
        artifact: Some(info),
    };
    if !send(Part::Header(header)) {
        return;
    }
    while offset < size {
        let left = usize::try_from(size - offset).unwrap_or(usize::MAX);
        let mut data = vec![0; left.min(CHUNK_BYTES)];
        if let Err(error) = source.read_exact_at(&mut data, offset) {
            let status = to_status(&AgentError::from(store_error("read", kind)(error)));
            // The receiver may be gone already.
            drop(sender.blocking_send(Err(status)));
            return;
        }
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        let chunk = pb::Chunk {
            offset,
            data: data.into(),
        };
        if !send(Part::Chunk(chunk)) {
            return;
        }
        offset = offset.saturating_add(length);
    }
    send(Part::Trailer(pb::GetTrailer { sha256 }));
}
