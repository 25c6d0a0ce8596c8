//! relays that are dead, slow, late or lying do not stop a ceremony, and none is believed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test"
)]

use std::time::Duration;

use drand::{ChainInfo, RawBeacon, Round};
use host_agent::relay::{self, RelayError};
use local_beacon::LocalChain;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What a relay of this test answers; the last answer is repeated.
struct Answer {
    after: Duration,
    status: &'static str,
    body: String,
}

/// A relay on this machine; gives its URL.
async fn relay(answers: Vec<Answer>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut next = 0;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = &answers[next.min(answers.len() - 1)];
            next += 1;
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            assert!(
                request[..read].starts_with(b"GET /"),
                "one request per connection"
            );
            tokio::time::sleep(answer.after).await;
            let (status, body) = (answer.status, &answer.body);
            let length = body.len();
            let text = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            drop(stream.write_all(text.as_bytes()).await);
        }
    });
    url
}

fn body(beacon: &RawBeacon) -> String {
    format!(
        "{{\"round\":{},\"randomness\":\"00\",\"signature\":\"{}\"}}",
        beacon.round,
        hex::encode(&beacon.signature)
    )
}

fn ok(beacon: &RawBeacon) -> Answer {
    Answer {
        after: Duration::ZERO,
        status: "200 OK",
        body: body(beacon),
    }
}

async fn dead() -> String {
    // Bound and dropped: nobody listens there any more.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn chain() -> (LocalChain, ChainInfo, Round) {
    let chain = LocalChain::from_seed([7; 32], 1_700_000_000, 3).unwrap();
    let info = chain.chain_info().clone();
    (chain, info, Round::new(42).unwrap())
}

async fn fetch(relays: &[String], info: &ChainInfo, seconds: u64) -> Result<RawBeacon, RelayError> {
    let client = relay::http_client().unwrap();
    let round = Round::new(42).unwrap();
    relay::fetch(&client, relays, info, round, Duration::from_secs(seconds)).await
}

#[tokio::test]
async fn r31_two_dead_relays_and_a_slow_one_still_give_the_round() {
    let (chain, info, round) = chain();
    let good = chain.sign(round);
    let slow = Answer {
        after: Duration::from_millis(800),
        ..ok(&good)
    };
    let relays = [dead().await, dead().await, relay(vec![slow]).await];
    assert_eq!(fetch(&relays, &info, 20).await.unwrap(), good);
}

#[tokio::test]
async fn r31_a_round_that_is_not_out_yet_is_asked_for_again() {
    let (chain, info, round) = chain();
    let good = chain.sign(round);
    let early = Answer {
        after: Duration::ZERO,
        status: "425 Too Early",
        body: String::new(),
    };
    let relays = [relay(vec![early, ok(&good)]).await];
    assert_eq!(fetch(&relays, &info, 20).await.unwrap(), good);
}

#[tokio::test]
async fn r31_lying_relays_are_passed_over() {
    let (chain, info, round) = chain();
    let good = chain.sign(round);
    let mut flipped = good.clone();
    flipped.signature[7] ^= 1;
    let other_round = chain.sign(Round::new(43).unwrap());
    let other_key = LocalChain::from_seed([8; 32], 1_700_000_000, 3)
        .unwrap()
        .sign(round);
    let endless = Answer {
        body: "x".repeat(100_000),
        ..ok(&good)
    };
    let not_json = Answer {
        body: "<html>".into(),
        ..ok(&good)
    };
    let mut relays = Vec::new();
    for lie in [
        ok(&flipped),
        ok(&other_round),
        ok(&other_key),
        endless,
        not_json,
    ] {
        relays.push(relay(vec![lie]).await);
    }
    let none = fetch(&relays, &info, 1).await.unwrap_err();
    let RelayError::Deadline {
        round: 42, answers, ..
    } = none
    else {
        panic!("{none}")
    };
    assert_eq!(answers.len(), 5, "each says why: {answers:?}");

    let late = Answer {
        after: Duration::from_millis(300),
        ..ok(&good)
    };
    relays.push(relay(vec![late]).await);
    assert_eq!(fetch(&relays, &info, 20).await.unwrap(), good);
}

#[tokio::test]
async fn r31_all_dead_ends_at_the_deadline_with_the_reasons() {
    let (_, info, _) = chain();
    let relays = [dead().await, dead().await];
    let error = fetch(&relays, &info, 1).await.unwrap_err();
    assert!(matches!(
        error,
        RelayError::Deadline {
            round: 42,
            seconds: 1,
            ..
        }
    ));
}
