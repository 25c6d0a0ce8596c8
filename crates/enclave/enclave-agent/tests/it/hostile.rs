//! Hostile hosts: what is announced, sent and repeated without right.

use crate::common::Host;
use protocol::RemoteError;
use protocol::chunk::sha256;
use protocol::pb::put_artifact_request::Part;
use protocol::pb::{self, ArtifactKind, Stage};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

fn header(kind: i32, size: u64) -> Part {
    Part::Header(pb::PutHeader { kind, size })
}

fn chunk(offset: u64, data: &[u8]) -> Part {
    Part::Chunk(pb::Chunk {
        offset,
        data: data.to_vec().into(),
    })
}

fn trailer(bytes: &[u8]) -> Part {
    Part::Trailer(pb::PutTrailer {
        sha256: sha256(bytes).to_vec().into(),
    })
}

async fn put(host: &mut Host, parts: Vec<Part>) -> Result<(), RemoteError> {
    let messages: Vec<_> = parts
        .into_iter()
        .map(|part| pb::PutArtifactRequest { part: Some(part) })
        .collect();
    host.client
        .put_artifact(tokio_stream::iter(messages))
        .await
        .map(drop)
        .map_err(RemoteError::from)
}

async fn code(host: &mut Host, parts: Vec<Part>) -> String {
    put(host, parts).await.unwrap_err().code
}

async fn opened() -> Host {
    let mut host = Host::start().await;
    let spec = host.r1cs_spec(b"abcdef");
    host.open(&spec).await.unwrap();
    host
}

const R1CS: i32 = ArtifactKind::R1cs as i32;

#[tokio::test(flavor = "multi_thread")]
async fn r16_a_terabyte_announced_is_refused_before_anything_is_received() {
    let mut host = opened().await;
    let parts = vec![header(R1CS, 1 << 40)];
    assert_eq!(code(&mut host, parts).await, "artifact_too_large");
    assert_eq!(host.stage().await, Stage::Opened);
}

#[tokio::test(flavor = "multi_thread")]
async fn r16_each_broken_rule_of_a_transfer_has_its_own_code_and_leaves_nothing() {
    let mut host = opened().await;
    let cases: Vec<(Vec<Part>, &str)> = vec![
        (vec![header(0, 6)], "artifact_kind"),
        (vec![header(99, 6)], "artifact_kind"),
        (
            vec![header(ArtifactKind::Ptau as i32, 6)],
            "artifact_not_taken",
        ),
        (
            vec![header(ArtifactKind::FinalZkey as i32, 6)],
            "artifact_not_taken",
        ),
        (vec![chunk(0, b"abc")], "transfer_part"),
        (vec![], "transfer_part"),
        (vec![header(R1CS, 6), header(R1CS, 6)], "transfer_part"),
        (vec![header(R1CS, 6), chunk(0, b"abc")], "transfer_part"),
        (
            vec![header(R1CS, 6), chunk(0, b"abc"), trailer(b"abc")],
            "transfer_short",
        ),
        (vec![header(R1CS, 6), chunk(3, b"def")], "chunk_offset"),
        (
            vec![header(R1CS, 6), chunk(0, b"abc"), chunk(0, b"abc")],
            "chunk_offset",
        ),
        (
            vec![header(R1CS, 6), chunk(0, b"abcdefg")],
            "chunk_beyond_size",
        ),
        (vec![header(R1CS, 6), chunk(0, b"")], "chunk_empty"),
        (
            vec![header(R1CS, 6), chunk(0, b"abcdef"), trailer(b"abcdeg")],
            "transfer_digest",
        ),
        (
            vec![
                header(R1CS, 6),
                chunk(0, b"abcdef"),
                Part::Trailer(pb::PutTrailer::default()),
            ],
            "digest_length",
        ),
        (
            vec![header(R1CS, 2 << 20), chunk(0, &vec![0; (1 << 20) + 1])],
            "chunk_too_long",
        ),
    ];
    for (parts, expected) in cases {
        assert_eq!(code(&mut host, parts).await, expected);
        assert!(host.describe().await.artifacts.is_empty(), "{expected}");
    }
    // A message beyond the limit does not even reach the agent.
    let parts = vec![header(R1CS, 4 << 20), chunk(0, &vec![0; 2 << 20])];
    put(&mut host, parts).await.unwrap_err();
    // And the right bytes still go in, once.
    let right = || vec![header(R1CS, 6), chunk(0, b"abcdef"), trailer(b"abcdef")];
    put(&mut host, right()).await.unwrap();
    assert_eq!(code(&mut host, right()).await, "artifact_exists");
    assert_eq!(host.describe().await.artifacts.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn r16_a_slow_sender_keeps_others_out_only_while_it_is_there() {
    let mut host = opened().await;
    let (sender, receiver) = mpsc::channel(4);
    let mut other = host.client.clone();
    let slow = tokio::spawn(async move {
        other
            .put_artifact(ReceiverStream::new(receiver))
            .await
            .map(drop)
    });
    let send = |part| pb::PutArtifactRequest { part: Some(part) };
    sender.send(send(header(R1CS, 6))).await.unwrap();
    sender.send(send(chunk(0, b"abc"))).await.unwrap();
    let right = || vec![header(R1CS, 6), chunk(0, b"abcdef"), trailer(b"abcdef")];
    // Until the slow one is in, this one may be first in line.
    let mut refused = String::new();
    for _ in 0..50 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        match host.compile().await {
            Err(error) if error.code == "busy" => {
                refused = error.code;
                break;
            }
            _ => {}
        }
    }
    assert_eq!(refused, "busy");
    assert_eq!(code(&mut host, right()).await, "busy");
    drop(sender);
    slow.await.unwrap().unwrap_err();
    put(&mut host, right()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spec_that_is_not_one_is_refused_and_another_may_follow() {
    let mut host = Host::start().await;
    let text = host.r1cs_spec(b"x").text().to_vec();
    for broken in [
        Vec::new(),
        text[..text.len() - 1].to_vec(),
        vec![b'a'; 300 << 10],
    ] {
        let request = pb::OpenRequest {
            spec: broken.into(),
        };
        host.client.open(request).await.unwrap_err();
        assert_eq!(host.stage().await, Stage::Booted);
    }
    let request = pb::OpenRequest { spec: text.into() };
    host.client.open(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_of_another_length_is_refused() {
    let mut host = Host::start().await;
    for length in [0, 31, 33] {
        let request = pb::DescribeRequest {
            nonce: vec![0; length].into(),
        };
        let error = RemoteError::from(host.client.describe(request).await.unwrap_err());
        assert_eq!(error.code, "nonce_length");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_tells_what_was_and_what_comes() {
    let mut host = Host::start().await;
    let request = pb::WatchRequest { from_sequence: 0 };
    let mut events = host.client.watch(request).await.unwrap().into_inner();
    let spec = host.r1cs_spec(b"abcdef");
    host.open(&spec).await.unwrap();
    let event = events.message().await.unwrap().unwrap().event.unwrap();
    assert_eq!(
        event.kind,
        Some(pb::event::Kind::StageReached(Stage::Opened.into()))
    );
    let request = pb::WatchRequest {
        from_sequence: event.sequence,
    };
    let mut again = host.client.watch(request).await.unwrap().into_inner();
    let same = again.message().await.unwrap().unwrap().event.unwrap();
    assert_eq!(same, event);
}
