//! Hosts that keep the large files badly: each is caught, named, and ends the ceremony.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{Files, Host, has_modules, initial_key, now_ms, ptau_for};
use circom::Limits;
use drand::Round;
use enclave_agent::backing::BackingConfig;
use manifest::ArtifactKind as Kind;
use protocol::backing::{answer, keep_files};
use protocol::convert::{kind_from_pb, kind_to_pb};
use protocol::pb::backing_answer::What as Said;
use protocol::pb::backing_request::What as Asked;
use protocol::pb::{self, Stage};
use protocol::{EnclaveClient, RemoteError};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

/// Small, so that small files have several chunks.
const CHUNK: usize = 1000;

/// What a host does instead of the honest answer.
enum Do {
    Say(Vec<pb::BackingAnswer>),
    Nothing,
    HangUp,
}

type Trick = Box<dyn FnMut(&pb::BackingRequest, pb::BackingAnswer) -> Do + Send>;

/// Keeps files with a trick; gives the enclave's last word about it.
async fn keep_badly(
    mut client: EnclaveClient<Channel>,
    files: Arc<Files>,
    mut trick: Trick,
) -> Option<RemoteError> {
    let (answers, receiver) = mpsc::channel(64);
    let mut requests = client
        .backing(ReceiverStream::new(receiver))
        .await
        .unwrap()
        .into_inner();
    loop {
        match requests.message().await {
            Ok(Some(request)) => {
                let honest = answer(files.as_ref(), &request);
                match trick(&request, honest) {
                    Do::Say(said) => {
                        for answer in said {
                            drop(answers.send(answer).await);
                        }
                    }
                    Do::Nothing => {}
                    Do::HangUp => return None,
                }
            }
            Ok(None) => return None,
            Err(status) => return Some(status.into()),
        }
    }
}

fn config(patience: Duration) -> BackingConfig {
    BackingConfig {
        chunk_bytes: CHUNK,
        patience,
    }
}

const LONG: Duration = Duration::from_secs(100);
const SHORT: Duration = Duration::from_secs(3);

fn kind_of(request: &pb::BackingRequest) -> Kind {
    kind_from_pb(request.kind).unwrap()
}

fn chunk_of(request: &pb::BackingRequest) -> u64 {
    request.offset / CHUNK as u64
}

fn is_read(request: &pb::BackingRequest) -> bool {
    matches!(request.what, Some(Asked::Read(_)))
}

/// Runs a ceremony up to its end or its failure; gives code and text of the failure.
async fn run(host: &mut Host) -> Option<RemoteError> {
    let r1cs = testkit::small_r1cs(100);
    let ptau = ptau_for(&r1cs);
    let key = initial_key(&r1cs, &ptau);
    let spec = host.r1cs_spec(&r1cs);
    host.open(&spec).await.unwrap();
    host.put(pb::ArtifactKind::R1cs, &r1cs).await.unwrap();
    if let Err(error) = host.compile().await {
        return Some(error);
    }
    host.put(pb::ArtifactKind::Ptau, &ptau).await.unwrap();
    if let Err(error) = host.check_phase1().await {
        return Some(error);
    }
    host.put(pb::ArtifactKind::InitialZkey, &key).await.unwrap();
    if let Err(error) = host.check_initial_key().await {
        return Some(error);
    }
    if let Err(error) = host.contribute().await {
        return Some(error);
    }
    let certificates = host.attest().await;
    let assigned = host.submit(certificates).await.unwrap();
    let wait = assigned.round_time_ms.saturating_sub(now_ms());
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let beacon = host.chain.sign(Round::new(assigned.round).unwrap());
    host.apply_beacon(beacon).await.err()
}

/// A ceremony whose host plays a trick; the failure and the stream's last word.
async fn tricked(patience: Duration, trick: Trick) -> (Host, RemoteError, Option<RemoteError>) {
    let mut host = Host::alone(Limits::default(), config(patience)).await;
    let files = Arc::<Files>::clone(&host.files);
    let keeping = tokio::spawn(keep_badly(host.client.clone(), files, trick));
    let error = run(&mut host).await.expect("the trick was not seen");
    let described = host.describe().await;
    assert_eq!(described.stage(), Stage::Failed);
    assert!(
        described.failure.starts_with(&format!("[{}]", error.code)),
        "{}",
        described.failure
    );
    let last = keeping.await.unwrap();
    (host, error, last)
}

/// Which chunks of which kinds a whole honest ceremony reads, whatever the order.
async fn read_by_an_honest_one() -> BTreeSet<(Kind, u64)> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let noted = Arc::clone(&seen);
    let trick: Trick = Box::new(move |request, honest| {
        if is_read(request) {
            let place = (kind_of(request), chunk_of(request));
            noted.lock().unwrap().insert(place);
        }
        Do::Say(vec![honest])
    });
    let mut host = Host::alone(Limits::default(), config(LONG)).await;
    let files = Arc::<Files>::clone(&host.files);
    let keeping = tokio::spawn(keep_badly(host.client.clone(), files, trick));
    // Without modules the ceremony ends at the contract, after every large file was read.
    let end = run(&mut host).await;
    assert!(
        end.is_none() || !has_modules(),
        "an honest host was refused: {end:?}"
    );
    keeping.abort();
    let seen = seen.lock().unwrap().clone();
    for kind in protocol::backing::HELD {
        let chunks = seen.iter().filter(|(other, _)| *other == kind).count();
        assert!(chunks > 2, "{kind}: {chunks} chunks");
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn r64_one_flipped_byte_in_a_later_read_of_each_kind_is_named() {
    let seen = read_by_an_honest_one().await;
    for kind in protocol::backing::HELD {
        // From the middle on, so that others were right before.
        let chunks: Vec<u64> = seen
            .range((kind, 0)..=(kind, u64::MAX))
            .map(|(_, chunk)| *chunk)
            .collect();
        let from = chunks[chunks.len() / 2];
        let changed = Arc::new(Mutex::new(BTreeSet::new()));
        let noted = Arc::clone(&changed);
        let trick: Trick = Box::new(move |request, mut honest| {
            if is_read(request) && kind_of(request) == kind && chunk_of(request) >= from {
                let Some(Said::Data(data)) = &honest.what else {
                    panic!("no data: {honest:?}");
                };
                let mut bytes = data.to_vec();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                honest.what = Some(Said::Data(bytes.into()));
                let text = format!("chunk {} of {kind}", chunk_of(request));
                noted.lock().unwrap().insert(text);
            }
            Do::Say(vec![honest])
        });
        let (_, error, last) = tricked(LONG, trick).await;
        assert_eq!(error.code, "backing_digest", "{error:?}");
        let changed = changed.lock().unwrap();
        assert!(
            changed.iter().any(|named| error.message.contains(named)),
            "{error:?}: {changed:?}"
        );
        assert!(error.hint.is_some());
        assert_eq!(last.unwrap().code, "backing_digest");
    }
}

/// Answers one read with what `change` makes of the honest answer.
fn one_read(
    kind: Kind,
    mut change: impl FnMut(&pb::BackingRequest, pb::BackingAnswer) -> Do + Send + 'static,
) -> Trick {
    let mut done = false;
    Box::new(move |request, honest| {
        if done || !is_read(request) || kind_of(request) != kind {
            return Do::Say(vec![honest]);
        }
        done = true;
        change(request, honest)
    })
}

fn with(mut answer: pb::BackingAnswer, what: Option<Said>) -> Do {
    answer.what = what;
    Do::Say(vec![answer])
}

#[tokio::test(flavor = "multi_thread")]
async fn r64_answers_of_another_form_are_named() {
    fn data(answer: &pb::BackingAnswer) -> Vec<u8> {
        match &answer.what {
            Some(Said::Data(data)) => data.to_vec(),
            other => panic!("{other:?}"),
        }
    }
    let cases: Vec<(&str, Trick)> = vec![
        (
            "backing_length",
            one_read(Kind::Ptau, |_, honest| {
                let short = data(&honest)[1..].to_vec();
                with(honest, Some(Said::Data(short.into())))
            }),
        ),
        (
            "backing_length",
            one_read(Kind::InitialZkey, |_, honest| {
                let mut long = data(&honest);
                long.push(0);
                with(honest, Some(Said::Data(long.into())))
            }),
        ),
        (
            "backing_length",
            one_read(Kind::R1cs, |_, honest| {
                with(honest, Some(Said::Data(Vec::new().into())))
            }),
        ),
        (
            "backing_answer",
            one_read(Kind::Ptau, |_, honest| {
                with(honest, Some(Said::Written(pb::BackingWritten {})))
            }),
        ),
        (
            "backing_answer",
            one_read(Kind::ContributionZkey, |_, honest| with(honest, None)),
        ),
        (
            "backing_refused",
            one_read(Kind::Ptau, |_, honest| {
                with(honest, Some(Said::Failure("\u{1b}[31mno\n".repeat(500))))
            }),
        ),
        (
            "backing_unsolicited",
            one_read(Kind::Ptau, |_, mut honest| {
                honest.id += 1_000_000;
                Do::Say(vec![honest])
            }),
        ),
        (
            "backing_unsolicited",
            one_read(Kind::Ptau, |_, honest| {
                Do::Say(vec![honest.clone(), honest])
            }),
        ),
    ];
    for (expected, trick) in cases {
        let (_, error, last) = tricked(LONG, trick).await;
        assert_eq!(error.code, expected, "{error:?}");
        assert!(!error.message.contains('\u{1b}') && error.message.len() < 2000);
        assert_eq!(last.unwrap().code, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r64_right_bytes_of_another_place_are_other_bytes() {
    // The chunk before it of the same file, in its place.
    let mut before: Option<Said> = None;
    let trick: Trick = Box::new(move |request, honest| {
        if !is_read(request) || kind_of(request) != Kind::Ptau {
            return Do::Say(vec![honest]);
        }
        let swapped = match (&before, &honest.what) {
            (Some(Said::Data(old)), Some(Said::Data(new))) => old.len() == new.len(),
            _ => false,
        };
        let now = honest.what.clone();
        let what = if swapped { before.clone() } else { now.clone() };
        before = now;
        with(honest, what)
    });
    let (_, error, _) = tricked(LONG, trick).await;
    assert_eq!(error.code, "backing_digest", "{error:?}");

    // 0000.zkey in the place of 0001.zkey: an old version of what was written since.
    let mut host = Host::alone(Limits::default(), config(LONG)).await;
    let files = Arc::<Files>::clone(&host.files);
    let old = Arc::clone(&files);
    let trick: Trick = Box::new(move |request, honest| {
        if !is_read(request) || kind_of(request) != Kind::ContributionZkey {
            return Do::Say(vec![honest]);
        }
        let mut other = request.clone();
        other.kind = kind_to_pb(Kind::InitialZkey).into();
        Do::Say(vec![answer(old.as_ref(), &other)])
    });
    let keeping = tokio::spawn(keep_badly(host.client.clone(), files, trick));
    let error = run(&mut host).await.unwrap();
    assert_eq!(error.code, "backing_digest", "{error:?}");
    assert!(error.message.contains("of contribution"), "{error:?}");
    keeping.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn r64_a_file_sent_twice_is_held_to_the_digests_of_the_second_time() {
    let mut host = Host::alone(Limits::default(), config(LONG)).await;
    let files = Arc::<Files>::clone(&host.files);
    let first = testkit::small_r1cs(101);
    let r1cs = testkit::small_r1cs(100);
    let spec = host.r1cs_spec(&r1cs);
    host.open(&spec).await.unwrap();
    // Broken off after all its bytes: the trailer is missing.
    let header = pb::PutHeader {
        kind: pb::ArtifactKind::R1cs.into(),
        size: u64::try_from(first.len()).unwrap(),
    };
    let chunk = pb::Chunk {
        offset: 0,
        data: first.clone().into(),
    };
    let parts = [
        pb::put_artifact_request::Part::Header(header),
        pb::put_artifact_request::Part::Chunk(chunk),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .map(|part| pb::PutArtifactRequest { part: Some(part) })
        .collect();
    let refused = host.client.put_artifact(tokio_stream::iter(parts)).await;
    assert_eq!(
        RemoteError::from(refused.unwrap_err()).code,
        "transfer_part"
    );
    host.put(pb::ArtifactKind::R1cs, &r1cs).await.unwrap();
    // The bytes of the first time.
    files.0.lock().unwrap().insert(Kind::R1cs, {
        let mut bytes = first;
        bytes.resize(r1cs.len(), 0);
        bytes
    });
    let keeping = tokio::spawn(keep_files(host.client.clone(), files));
    let error = host.compile().await.unwrap_err();
    assert_eq!(error.code, "backing_digest", "{error:?}");
    let last = keeping.await.unwrap().unwrap_err();
    assert_eq!(last.code, "backing_digest");
}

#[tokio::test(flavor = "multi_thread")]
async fn r64_silence_and_absence_end_in_time() {
    // Reads that are never answered, and a write that is never confirmed.
    let unconfirmed: Trick = Box::new(|request, honest| {
        if is_read(request) {
            Do::Say(vec![honest])
        } else {
            Do::Nothing
        }
    });
    let ((_, r1cs, last), (_, ptau, _), (_, read, _), (_, write, _)) = tokio::join!(
        tricked(SHORT, one_read(Kind::R1cs, |_, _| Do::Nothing)),
        tricked(SHORT, one_read(Kind::Ptau, |_, _| Do::Nothing)),
        tricked(SHORT, one_read(Kind::ContributionZkey, |_, _| Do::Nothing)),
        tricked(SHORT, unconfirmed),
    );
    assert_eq!(last.unwrap().code, "backing_silent");
    for (kind, error) in [
        (Kind::R1cs, r1cs),
        (Kind::Ptau, ptau),
        (Kind::ContributionZkey, read),
        (Kind::ContributionZkey, write),
    ] {
        assert_eq!(error.code, "backing_silent", "{error:?}");
        assert!(error.message.contains(&format!("of {kind}")), "{error:?}");
    }

    // Gone in the middle, and never there.
    let (_, error, _) = tricked(SHORT, one_read(Kind::Ptau, |_, _| Do::HangUp)).await;
    assert_eq!(error.code, "backing_lost", "{error:?}");
    let mut host = Host::alone(Limits::default(), config(SHORT)).await;
    let error = run(&mut host).await.unwrap();
    assert_eq!(error.code, "backing_lost", "{error:?}");
    assert_eq!(host.stage().await, Stage::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn r64_a_host_that_comes_back_in_time_goes_on_where_it_was() {
    let mut host = Host::alone(Limits::default(), config(LONG)).await;
    let files = Arc::<Files>::clone(&host.files);
    let client = host.client.clone();
    let keeping = tokio::spawn(async move {
        let mut times = 0;
        // It hangs up at every 20th request, reads and writes alike, and forgets what was asked.
        loop {
            let mut left = 20;
            let trick: Trick = Box::new(move |_, honest| {
                left -= 1;
                if left == 0 {
                    Do::HangUp
                } else {
                    Do::Say(vec![honest])
                }
            });
            let kept = Arc::<Files>::clone(&files);
            assert!(keep_badly(client.clone(), kept, trick).await.is_none());
            times += 1;
            if times == 1000 {
                return;
            }
        }
    });
    let end = run(&mut host).await;
    assert!(end.is_none() || !has_modules(), "{end:?}");
    assert!(host.files.get(Kind::FinalZkey).len() > CHUNK);
    keeping.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn r64_a_flood_of_answers_without_a_question_ends_the_stream() {
    let mut host = Host::alone(Limits::default(), config(LONG)).await;
    let (answers, receiver) = mpsc::channel(4);
    let mut requests = host
        .client
        .backing(ReceiverStream::new(receiver))
        .await
        .unwrap()
        .into_inner();
    let flood = tokio::spawn(async move {
        for id in 0_u64.. {
            let answer = pb::BackingAnswer {
                id,
                what: Some(Said::Data(vec![0; 1 << 20].into())),
            };
            if answers.send(answer).await.is_err() {
                return;
            }
        }
    });
    let end = RemoteError::from(requests.message().await.unwrap_err());
    assert_eq!(end.code, "backing_unsolicited");
    flood.await.unwrap();
    // No other stream is taken, and the next work ends the ceremony with this reason.
    let (_answers, receiver) = mpsc::channel(1);
    let again = host.client.backing(ReceiverStream::new(receiver)).await;
    assert_eq!(
        RemoteError::from(again.unwrap_err()).code,
        "backing_unsolicited"
    );
    let error = run(&mut host).await.unwrap();
    assert_eq!(error.code, "backing_unsolicited");
    assert_eq!(host.stage().await, Stage::Failed);
}
