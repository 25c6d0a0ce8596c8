use std::ops::Range;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloud::{FolderStore, ObjectStore};
use formats::digest::Sha256Digest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const NAME: &str = "powers.ptau";
const PIECE: u64 = 1000;

/// How a server answers one request.
#[derive(Debug, Clone)]
enum Answer {
    Right,
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The range after the one that was asked for.
    WrongRange,
    /// A file of another size.
    OtherTotal(u64),
    /// A pause after each hundred bytes.
    Slow(Duration),
    /// The head, and then nothing.
    Silent,
    Status(u16),
    Redirect(String),
    /// The whole file, whatever was asked for.
    Whole,
    /// One byte changed.
    Altered,
    /// More bytes than asked for, without a length.
    TooMuch,
}

/// What a server answers to the request with this number, from 0 on, for this range.
type Plan = dyn Fn(usize, Option<Range<u64>>) -> Answer + Send + Sync;

struct Server {
    url: String,
    asked: Arc<Mutex<Vec<Option<Range<u64>>>>>,
}

impl Server {
    async fn start(
        content: Vec<u8>,
        plan: impl Fn(usize, Option<Range<u64>>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/{NAME}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (content, plan): (_, Arc<Plan>) = (Arc::new(content), Arc::new(plan));
        let (log, count) = (Arc::clone(&asked), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (content, plan) = (Arc::clone(&content), Arc::clone(&plan));
                let (log, count) = (Arc::clone(&log), Arc::clone(&count));
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let read = stream.read(&mut request).await.unwrap_or(0);
                    let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
                    let range = request.split_once("range: bytes=").map(|(_, rest)| {
                        let (first, last) = rest.lines().next().unwrap().split_once('-').unwrap();
                        first.parse().unwrap()..last.trim().parse::<u64>().unwrap() + 1
                    });
                    let number = count.fetch_add(1, Ordering::SeqCst);
                    log.lock().unwrap().push(range.clone());
                    let answer = plan(number, range.clone());
                    reply(&mut stream, &content, range, answer).await;
                });
            }
        });
        Self { url, asked }
    }

    fn origin(&self) -> Origin {
        Origin::server(&self.url).unwrap()
    }

    fn asked(&self) -> Vec<Option<Range<u64>>> {
        self.asked.lock().unwrap().clone()
    }
}

async fn reply(
    stream: &mut tokio::net::TcpStream,
    content: &[u8],
    range: Option<Range<u64>>,
    answer: Answer,
) {
    let total = u64::try_from(content.len()).unwrap();
    let range = range.filter(|_| !matches!(answer, Answer::Whole));
    let (mut first, mut last) = range
        .clone()
        .map_or((0, total), |range| (range.start, range.end.min(total)));
    if matches!(answer, Answer::WrongRange) {
        (first, last) = (first + 1, (last + 1).min(total));
    }
    let mut body =
        content[usize::try_from(first).unwrap()..usize::try_from(last).unwrap()].to_vec();
    let shown = match answer {
        Answer::OtherTotal(other) => other,
        _ => total,
    };
    let mut head = match &answer {
        Answer::Status(status) => format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n"),
        Answer::Redirect(to) => {
            format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n")
        }
        Answer::TooMuch => format!(
            "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {first}-{}/{shown}\r\n",
            last - 1
        ),
        _ if range.is_some() => format!(
            "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {first}-{}/{shown}\r\ncontent-length: {}\r\n",
            last - 1,
            body.len()
        ),
        _ => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", body.len()),
    };
    head.push_str("connection: close\r\n\r\n");
    drop(stream.write_all(head.as_bytes()).await);
    match answer {
        Answer::Status(_) | Answer::Redirect(_) => return,
        Answer::Silent => {
            tokio::time::sleep(Duration::from_mins(1)).await;
            return;
        }
        Answer::Cut(after) => body.truncate(after),
        Answer::Altered => body[0] ^= 1,
        Answer::TooMuch => body.extend([0; 100]),
        Answer::Slow(pause) => {
            for part in body.chunks(100) {
                drop(stream.write_all(part).await);
                tokio::time::sleep(pause).await;
            }
            return;
        }
        _ => {}
    }
    drop(stream.write_all(&body).await);
}

/// 10,500 bytes, each piece different.
fn content() -> Vec<u8> {
    (0..10_500_u32)
        .map(|n| u8::try_from(n / 7 % 251).unwrap())
        .collect()
}

fn wanted(content: &[u8]) -> Wanted {
    let sha256 = Sha256Digest::of(content);
    Wanted {
        name: NAME,
        size: u64::try_from(content.len()).unwrap(),
        judge: Arc::new(move |path, digests| {
            if digests.sha256 == sha256 {
                return Ok(());
            }
            Err(PtauError::Digest {
                path: path.into(),
                name: NAME,
                expected: sha256.to_string(),
                got: digests.sha256.to_string(),
            })
        }),
    }
}

fn settings() -> Settings {
    Settings {
        piece: PIECE,
        workers: 4,
        attempts: 4,
        pause: Duration::from_millis(1),
        stall: Duration::from_millis(300),
    }
}

fn reporter(folder: &Path) -> Arc<Reporter> {
    let store = Arc::new(FolderStore::open(folder.join("store")).unwrap());
    Arc::new(Reporter::new(store, "r".parse().unwrap()).unwrap())
}

async fn get(folder: &Path, origins: &[Origin]) -> Result<Cached, PtauError> {
    cached(
        folder,
        &wanted(&content()),
        origins,
        settings(),
        &reporter(folder),
    )
    .await
}

/// The file has its name, and nothing else is left.
fn assert_there(folder: &Path) {
    assert_eq!(std::fs::read(folder.join(NAME)).unwrap(), content());
    assert!(!folder.join(format!("{NAME}.part")).exists());
    assert!(!folder.join(format!("{NAME}.pieces")).exists());
}

fn assert_not_there(folder: &Path) {
    assert!(
        !folder.join(NAME).exists(),
        "a file that is not right has the name"
    );
}

#[tokio::test]
async fn a_file_comes_in_ranges_each_asked_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(content(), |_, _| Answer::Right).await;
    let got = get(folder.path(), &[server.origin()]).await.unwrap();
    assert_eq!(got, Cached::Fetched(folder.path().join(NAME)));
    assert_there(folder.path());
    let mut asked: Vec<_> = server
        .asked()
        .into_iter()
        .map(|range| range.unwrap().start)
        .collect();
    asked.sort_unstable();
    assert_eq!(asked, (0..11).map(|n| n * PIECE).collect::<Vec<_>>());
    // And the second time from the cache.
    let dead = Origin::server("http://127.0.0.1:1/").unwrap();
    assert_eq!(
        get(folder.path(), &[dead]).await.unwrap(),
        Cached::Found(folder.path().join(NAME))
    );
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let first = |answer: Answer| {
        move |number: usize, _| {
            if number < 3 {
                answer.clone()
            } else {
                Answer::Right
            }
        }
    };
    for answer in [
        Answer::Cut(500),
        Answer::Cut(0),
        Answer::Silent,
        Answer::Status(503),
        Answer::Status(429),
        Answer::Slow(Duration::from_millis(5)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(content(), first(answer.clone())).await;
        get(folder.path(), &[server.origin()])
            .await
            .unwrap_or_else(|error| panic!("{answer:?}: {error}"));
        assert_there(folder.path());
    }
}

#[tokio::test]
async fn what_does_not_pass_is_refused_and_nothing_gets_the_name() {
    let cases: [(Answer, &str); 9] = [
        (Answer::Status(404), "status 404"),
        (Answer::Status(403), "status 403"),
        (
            Answer::WrongRange,
            "asked for bytes 0-999/10500, got \"bytes 1-1000/10500\"",
        ),
        (
            Answer::OtherTotal(10_501),
            "has 10501 bytes, 10500 are published",
        ),
        (Answer::TooMuch, "got \"more\""),
        // An address that is none of HTTP's is no redirect at all to the client.
        (Answer::Redirect("file:///etc/passwd".into()), ""),
        (
            Answer::Redirect("ftp://127.0.0.1/x".into()),
            "download failed",
        ),
        // The client sees the missing bytes before we count them.
        (Answer::Cut(500), "download failed"),
        (Answer::Status(500), "status 500"),
    ];
    for (answer, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let plan = answer.clone();
        // One worker: the first range is the one that fails.
        let server = Server::start(content(), move |_, _| plan.clone()).await;
        let one = Settings {
            workers: 1,
            ..settings()
        };
        let error = cached(
            folder.path(),
            &wanted(&content()),
            &[server.origin()],
            one,
            &reporter(folder.path()),
        )
        .await
        .unwrap_err();
        assert!(error.to_string().contains(words), "{answer:?}: {error}");
        let codes = ["ptau_download", "ptau_size"];
        assert!(codes.contains(&error.code()), "{answer:?}: {error}");
        assert_not_there(folder.path());
        let final_answer = !matches!(answer, Answer::Cut(_) | Answer::Status(500));
        assert_eq!(
            server.asked().len(),
            if final_answer { 1 } else { 4 },
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_to_another_server_is_followed_and_one_in_circles_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let target = Server::start(content(), |_, _| Answer::Right).await;
    let url = target.url.clone();
    let server = Server::start(content(), move |_, _| Answer::Redirect(url.clone())).await;
    get(folder.path(), &[server.origin()]).await.unwrap();
    assert_there(folder.path());

    let folder = tempfile::tempdir().unwrap();
    let circle = Server::start(content(), |_, _| Answer::Redirect(format!("/{NAME}"))).await;
    let error = get(folder.path(), &[circle.origin()]).await.unwrap_err();
    assert!(
        error.to_string().contains("more than five redirects"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_without_ranges_gives_the_file_in_one_piece() {
    let folder = tempfile::tempdir().unwrap();
    // The first whole answer is cut: it is asked again from the start.
    let wholes = AtomicUsize::new(0);
    let server = Server::start(content(), move |_, range| {
        if range.is_none() && wholes.fetch_add(1, Ordering::SeqCst) == 0 {
            Answer::Cut(6000)
        } else {
            Answer::Whole
        }
    })
    .await;
    get(folder.path(), &[server.origin()]).await.unwrap();
    assert_there(folder.path());

    for length in [10_499, 10_501] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(vec![7; length], |_, _| Answer::Whole).await;
        let error = get(folder.path(), &[server.origin()]).await.unwrap_err();
        assert_eq!(error.code(), "ptau_size", "{error}");
        assert_not_there(folder.path());
    }
}

#[tokio::test]
async fn pieces_that_arrived_are_kept_for_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let dying = Server::start(content(), |_, range| {
        if range.unwrap().start < 5000 {
            Answer::Right
        } else {
            Answer::Status(404)
        }
    })
    .await;
    get(folder.path(), &[dying.origin()]).await.unwrap_err();
    assert_not_there(folder.path());

    let server = Server::start(content(), |_, _| Answer::Right).await;
    get(folder.path(), &[server.origin()]).await.unwrap();
    assert_there(folder.path());
    let asked: Vec<_> = server
        .asked()
        .into_iter()
        .map(|range| range.unwrap().start)
        .collect();
    // Whoever was refused had finished two pieces before, at least.
    assert!(asked.len() <= 9, "fetched again: {asked:?}");
}

#[tokio::test]
async fn one_place_after_the_other_is_asked_and_pieces_are_shared() {
    let folder = tempfile::tempdir().unwrap();
    let absent = Server::start(content(), |_, _| Answer::Status(404)).await;
    let half = Server::start(content(), |_, range| {
        if range.unwrap().start < 5000 {
            Answer::Right
        } else {
            Answer::Status(410)
        }
    })
    .await;
    let full = Server::start(content(), |_, _| Answer::Right).await;
    get(
        folder.path(),
        &[absent.origin(), half.origin(), full.origin()],
    )
    .await
    .unwrap();
    assert_there(folder.path());
    assert!(full.asked().len() < 11);
    let note = reporter(folder.path());
    let first = note.run().status(0).unwrap().unwrap();
    assert!(
        matches!(first.kind, Some(pb::status::Kind::Note(text)) if text.contains("status 404"))
    );
}

#[tokio::test]
async fn r10_altered_bytes_are_never_kept_whoever_sent_them() {
    // Alone.
    let folder = tempfile::tempdir().unwrap();
    let liar = || {
        Server::start(content(), |_, range| {
            if range.unwrap().start == 3000 {
                Answer::Altered
            } else {
                Answer::Right
            }
        })
    };
    let server = liar().await;
    let error = get(folder.path(), &[server.origin()]).await.unwrap_err();
    assert_eq!(error.code(), "ptau_hash", "{error}");
    assert_not_there(folder.path());
    assert_eq!(
        server.asked().len(),
        11,
        "a place that lied is not asked twice"
    );

    // First, before an honest one: nothing of its pieces survives.
    let honest = Server::start(content(), |_, _| Answer::Right).await;
    let folder = tempfile::tempdir().unwrap();
    get(folder.path(), &[liar().await.origin(), honest.origin()])
        .await
        .unwrap();
    assert_there(folder.path());

    // Half a file of altered pieces from one place: the honest one is asked for all of it.
    let half = Server::start(content(), |_, range| {
        if range.unwrap().start < 5000 {
            Answer::Altered
        } else {
            Answer::Status(404)
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    get(folder.path(), &[half.origin(), honest.origin()])
        .await
        .unwrap();
    assert_there(folder.path());
}

#[tokio::test]
async fn a_mirror_s_object_is_read_and_a_missing_one_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> =
        Arc::new(FolderStore::open(folder.path().join("mirror")).unwrap());
    let key: cloud::ObjectKey = format!("ptau/{NAME}").parse().unwrap();
    let mirror = Origin::Object {
        store: Arc::clone(&store),
        key: key.clone(),
    };
    let error = get(folder.path(), std::slice::from_ref(&mirror))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "ptau_download", "{error}");
    store.put_if_absent(&key, &content()).unwrap();
    get(folder.path(), std::slice::from_ref(&mirror))
        .await
        .unwrap();
    assert_there(folder.path());

    let folder = tempfile::tempdir().unwrap();
    let other = "ptau/other".parse().unwrap();
    store.put_if_absent(&other, &content()[1..]).unwrap();
    let server = Server::start(content(), |_, _| Answer::Right).await;
    get(
        folder.path(),
        &[Origin::Object { store, key: other }, server.origin()],
    )
    .await
    .unwrap();
    assert_there(folder.path());
}

#[tokio::test]
async fn a_second_download_of_the_same_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let held = File::create(folder.path().join(format!("{NAME}.part"))).unwrap();
    held.lock().unwrap();
    let error = get(folder.path(), &[]).await.unwrap_err();
    assert!(matches!(error, PtauError::Busy { .. }), "{error}");
}

#[tokio::test]
async fn a_stop_ends_the_download_and_keeps_what_arrived() {
    let folder = tempfile::tempdir().unwrap();
    let reporter = reporter(folder.path());
    let stopper = Arc::clone(&reporter);
    let server = Server::start(content(), move |number, _| {
        if number == 4 {
            stopper.cancel();
        }
        Answer::Right
    })
    .await;
    let error = cached(
        folder.path(),
        &wanted(&content()),
        &[server.origin()],
        settings(),
        &reporter,
    )
    .await
    .unwrap_err();
    assert_eq!(error.code(), "stopped", "{error}");
    assert_not_there(folder.path());
    assert!(folder.path().join(format!("{NAME}.part")).exists());
}

#[tokio::test]
async fn a_real_published_file_is_downloaded() {
    let Some(path) = testkit::shared_data("ptau/ppot_0080_08.ptau") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let published =
        formats::ptau::published::find(formats::ptau::published::PtauFamily::Ppot0080, 8).unwrap();
    let server = Server::start(std::fs::read(path).unwrap(), |number, _| {
        if number % 5 == 4 {
            Answer::Cut(700)
        } else {
            Answer::Right
        }
    })
    .await;
    let small = Settings {
        piece: 40_000,
        attempts: 10,
        ..settings()
    };
    let got = cached(
        folder.path(),
        &published.into(),
        &[server.origin()],
        small,
        &reporter(folder.path()),
    )
    .await
    .unwrap();
    assert_eq!(
        got,
        Cached::Fetched(folder.path().join(published.file_name))
    );
}
