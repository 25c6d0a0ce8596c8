//! Transfers over real sockets against a server that can be told to misbehave.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::panic,
    reason = "tests"
)]

use std::io::{Read, Seek, SeekFrom, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use protocol::chunk::{ChunkError, Inbound, sha256};
use protocol::pb::{self, ArtifactKind};
use protocol::settings::{self, MAX_MESSAGE_BYTES};
use protocol::transport::{Listener, Peer};
use protocol::{Enclave, EnclaveClient, TransferError, Transport, get_artifact, put_artifact};
use tokio_stream::Stream;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};

/// How the server departs from the rules when it sends.
#[derive(Clone, Copy, Default)]
enum Trick {
    #[default]
    None,
    WrongDigest,
    Gap,
    TooManyBytes,
    DiesAfter(usize),
    NoHeader,
    OtherKind,
    HugeSize,
    HugeMessage,
}

#[derive(Default)]
struct Server {
    stored: Arc<Mutex<Vec<u8>>>,
    trick: Trick,
    peers: Arc<Mutex<Vec<Peer>>>,
}

type BoxStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Enclave for Server {
    type WatchStream = BoxStream<pb::WatchResponse>;
    type CompileCircuitStream = BoxStream<pb::CompileCircuitResponse>;
    type CheckPhase1Stream = BoxStream<pb::CheckPhase1Response>;
    type CheckInitialKeyStream = BoxStream<pb::CheckInitialKeyResponse>;
    type ContributeStream = BoxStream<pb::ContributeResponse>;
    type ApplyBeaconStream = BoxStream<pb::ApplyBeaconResponse>;
    type GetArtifactStream = BoxStream<pb::GetArtifactResponse>;
    type BackingStream = BoxStream<pb::BackingRequest>;

    async fn describe(
        &self,
        request: Request<pb::DescribeRequest>,
    ) -> Result<Response<pb::DescribeResponse>, Status> {
        let peer = *request.extensions().get::<Peer>().unwrap();
        self.peers.lock().unwrap().push(peer);
        Ok(Response::new(pb::DescribeResponse::default()))
    }

    async fn watch(
        &self,
        _: Request<pb::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn compile_circuit(
        &self,
        _: Request<pb::CompileCircuitRequest>,
    ) -> Result<Response<Self::CompileCircuitStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn check_phase1(
        &self,
        _: Request<pb::CheckPhase1Request>,
    ) -> Result<Response<Self::CheckPhase1Stream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn check_initial_key(
        &self,
        _: Request<pb::CheckInitialKeyRequest>,
    ) -> Result<Response<Self::CheckInitialKeyStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn contribute(
        &self,
        _: Request<pb::ContributeRequest>,
    ) -> Result<Response<Self::ContributeStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn apply_beacon(
        &self,
        _: Request<pb::ApplyBeaconRequest>,
    ) -> Result<Response<Self::ApplyBeaconStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn open(
        &self,
        _: Request<pb::OpenRequest>,
    ) -> Result<Response<pb::OpenResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn attest_contribution(
        &self,
        _: Request<pb::AttestContributionRequest>,
    ) -> Result<Response<pb::AttestContributionResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn submit_certificates(
        &self,
        _: Request<pb::SubmitCertificatesRequest>,
    ) -> Result<Response<pb::SubmitCertificatesResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn backing(
        &self,
        _: Request<Streaming<pb::BackingAnswer>>,
    ) -> Result<Response<Self::BackingStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn seal(
        &self,
        _: Request<pb::SealRequest>,
    ) -> Result<Response<pb::SealResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn put_artifact(
        &self,
        request: Request<Streaming<pb::PutArtifactRequest>>,
    ) -> Result<Response<pb::PutArtifactResponse>, Status> {
        use pb::put_artifact_request::Part;
        let mut stream = request.into_inner();
        let mut stored = Vec::new();
        let mut inbound = Inbound::new(0, 0);
        while let Some(message) = stream.message().await? {
            match message.part.unwrap() {
                Part::Header(header) => inbound = Inbound::new(header.size, 0),
                Part::Chunk(chunk) => {
                    inbound
                        .take(&chunk)
                        .map_err(|error| Status::invalid_argument(error.to_string()))?;
                    stored.extend_from_slice(&chunk.data);
                }
                Part::Trailer(trailer) => inbound
                    .finish(&trailer.sha256, &sha256(&stored))
                    .map_err(|error| Status::invalid_argument(error.to_string()))?,
            }
        }
        let mut info = info(&stored);
        if matches!(self.trick, Trick::WrongDigest) {
            info.sha256 = Bytes::from_static(&[0; 32]);
        }
        *self.stored.lock().unwrap() = stored;
        Ok(Response::new(pb::PutArtifactResponse {
            artifact: Some(info),
        }))
    }

    async fn get_artifact(
        &self,
        request: Request<pb::GetArtifactRequest>,
    ) -> Result<Response<Self::GetArtifactStream>, Status> {
        let offset = usize::try_from(request.into_inner().offset).unwrap();
        let stored = self.stored.lock().unwrap().clone();
        let parts = parts(&stored, offset, self.trick);
        Ok(Response::new(Box::pin(tokio_stream::iter(parts))))
    }
}

fn info(stored: &[u8]) -> pb::ArtifactInfo {
    pb::ArtifactInfo {
        kind: ArtifactKind::Manifest.into(),
        size: stored.len() as u64,
        sha256: sha256(stored).to_vec().into(),
        blake2b512: Bytes::new(),
    }
}

fn parts(
    stored: &[u8],
    offset: usize,
    trick: Trick,
) -> Vec<Result<pb::GetArtifactResponse, Status>> {
    use pb::get_artifact_response::Part;
    let part = |part| Ok(pb::GetArtifactResponse { part: Some(part) });
    let mut header = info(stored);
    let mut sha256 = header.sha256.clone();
    let mut shift = 0;
    match trick {
        Trick::WrongDigest => sha256 = vec![9; 32].into(),
        Trick::Gap => shift = 1,
        Trick::TooManyBytes => header.size -= 1,
        Trick::OtherKind => header.kind = ArtifactKind::Receipts.into(),
        Trick::HugeSize => header.size = 1 << 40,
        _ => {}
    }
    let mut parts = Vec::new();
    if !matches!(trick, Trick::NoHeader) {
        parts.push(part(Part::Header(pb::GetHeader {
            artifact: Some(header),
        })));
    }
    for (index, data) in stored[offset..].chunks(1000).enumerate() {
        let mut data = data.to_vec();
        match trick {
            Trick::DiesAfter(count) if index == count => {
                parts.push(Err(Status::unavailable("gone")));
                return parts;
            }
            Trick::HugeMessage => data = vec![0; MAX_MESSAGE_BYTES + 1],
            _ => {}
        }
        parts.push(part(Part::Chunk(pb::Chunk {
            offset: (offset + index * 1000 + shift) as u64,
            data: data.into(),
        })));
    }
    parts.push(part(Part::Trailer(pb::GetTrailer { sha256 })));
    parts
}

/// A server on a fresh socket and a client of it.
async fn start(server: Server, transport: &Transport) -> EnclaveClient<Channel> {
    let incoming = Listener::bind(transport).await.unwrap().incoming();
    let service = protocol::EnclaveServer::new(server).max_encoding_message_size(usize::MAX);
    tokio::spawn(settings::server().serve_with_incoming(service, incoming));
    settings::enclave_client(transport.connect().await.unwrap())
}

async fn started(stored: &[u8], trick: Trick) -> (EnclaveClient<Channel>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server {
        stored: Arc::new(Mutex::new(stored.to_vec())),
        trick,
        ..Server::default()
    };
    let path = folder.path().join("s");
    (start(server, &Transport::Unix { path }).await, folder)
}

async fn get(client: &mut EnclaveClient<Channel>, start: &[u8]) -> Result<Vec<u8>, TransferError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(start).unwrap();
    let copy = file.try_clone().unwrap();
    get_artifact(client, ArtifactKind::Manifest, 1 << 30, copy, |_, _| {}).await?;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    Ok(bytes)
}

fn sample() -> Vec<u8> {
    (0..300_000_u32).map(|n| (n * 7 % 251) as u8).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_in_and_out_over_unix_and_hybrid_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let transports = [
        (
            Transport::Unix {
                path: folder.path().join("u"),
            },
            Peer::Unix,
        ),
        (
            Transport::Hybrid {
                path: folder.path().join("h"),
                port: 5005,
            },
            Peer::Hybrid { port: 5005 },
        ),
    ];
    for (transport, peer) in transports {
        let server = Server::default();
        let peers = Arc::clone(&server.peers);
        let mut client = start(server, &transport).await;
        client
            .describe(pb::DescribeRequest::default())
            .await
            .unwrap();
        assert_eq!(*peers.lock().unwrap(), [peer]);
        let bytes = sample();
        let size = bytes.len() as u64;
        let source = std::io::Cursor::new(bytes.clone());
        let info = put_artifact(&mut client, ArtifactKind::Manifest, size, source, |_| {})
            .await
            .unwrap();
        assert_eq!(info.size, size);
        assert_eq!(get(&mut client, b"").await.unwrap(), bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_artifact_goes_through() {
    let (mut client, _folder) = started(b"", Trick::None).await;
    let source = std::io::empty();
    put_artifact(&mut client, ArtifactKind::Manifest, 0, source, |_| {})
        .await
        .unwrap();
    assert_eq!(get(&mut client, b"").await.unwrap(), b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_resumed_at_the_offset() {
    let bytes = sample();
    let (mut client, _folder) = started(&bytes, Trick::DiesAfter(3)).await;
    let mut file = tempfile::tempfile().unwrap();
    let copy = file.try_clone().unwrap();
    let error = get_artifact(
        &mut client,
        ArtifactKind::Manifest,
        1 << 30,
        copy,
        |_, _| {},
    )
    .await
    .unwrap_err();
    assert!(error.is_connection_loss(), "{error}");
    // The writer may still be at its last chunk.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let mut part = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut part).unwrap();
    assert_eq!(part, &bytes[..3000]);
    let (mut client, _folder) = started(&bytes, Trick::None).await;
    assert_eq!(get(&mut client, &part).await.unwrap(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_file_with_other_bytes_is_found_out() {
    let (mut client, _folder) = started(&sample(), Trick::None).await;
    let error = get(&mut client, b"not the beginning").await.unwrap_err();
    assert!(matches!(
        error,
        TransferError::Chunk(ChunkError::Digest { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_longer_than_the_artifact_is_refused() {
    let (mut client, _folder) = started(b"abc", Trick::None).await;
    // The server of this test slices at the offset, so ask it for no more than it has.
    let (mut other, _folder2) = started(b"abcdef", Trick::TooManyBytes).await;
    let error = get(&mut other, b"abcdef").await.unwrap_err();
    assert!(
        matches!(error, TransferError::LocalLong { got: 6, size: 5 }),
        "{error:?}"
    );
    assert_eq!(get(&mut client, b"abc").await.unwrap(), b"abc");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_trick_of_a_sender_has_its_own_error() {
    async fn error(trick: Trick) -> TransferError {
        let (mut client, _folder) = started(&sample(), trick).await;
        get(&mut client, b"").await.unwrap_err()
    }
    assert!(matches!(
        error(Trick::WrongDigest).await,
        TransferError::Chunk(ChunkError::Digest { .. })
    ));
    assert!(matches!(
        error(Trick::Gap).await,
        TransferError::Chunk(ChunkError::Offset {
            expected: 0,
            got: 1
        })
    ));
    assert!(matches!(
        error(Trick::TooManyBytes).await,
        TransferError::Chunk(ChunkError::BeyondSize { .. })
    ));
    assert!(matches!(
        error(Trick::NoHeader).await,
        TransferError::UnexpectedPart { part: "a chunk" }
    ));
    assert!(matches!(
        error(Trick::OtherKind).await,
        TransferError::UnexpectedPart { part: "a header" }
    ));
    assert!(matches!(
        error(Trick::HugeSize).await,
        TransferError::TooLarge { .. }
    ));
    assert!(matches!(
        error(Trick::HugeMessage).await,
        TransferError::Remote(error) if error.grpc == Code::OutOfRange
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_local_file_is_named_as_the_cause() {
    let (mut client, _folder) = started(b"", Trick::None).await;
    let source = std::io::Cursor::new(vec![1; 10]);
    let error = put_artifact(&mut client, ArtifactKind::Manifest, 11, source, |_| {})
        .await
        .unwrap_err();
    assert!(
        matches!(error, TransferError::LocalShort { got: 10, size: 11 }),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enclave_that_stored_other_bytes_is_found_out() {
    let (mut client, _folder) = started(b"", Trick::WrongDigest).await;
    let source = std::io::Cursor::new(vec![1; 10]);
    let error = put_artifact(&mut client, ArtifactKind::Manifest, 10, source, |_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, TransferError::StoredDigest { .. }));
}

#[tokio::test]
async fn nobody_there_is_a_connect_error() {
    let transport = Transport::Unix {
        path: "/nonexistent-folder/s".into(),
    };
    let error = transport.connect().await.unwrap_err();
    assert_eq!(error.code(), "transport_connect");
}
