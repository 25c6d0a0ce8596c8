use std::sync::Arc;

use cloud::FolderStore;
use formats::progress::NoProgress;
use formats::ptau::published::{self, PtauFamily, PublishedPtau};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{PtauError, check, download, smallest_sufficient};
use crate::report::Reporter;

fn file(family: PtauFamily, power: u32) -> &'static PublishedPtau {
    published::find(family, power).unwrap()
}

/// A server of one file. The first answer ends after `cut` bytes; later ones do not.
async fn server(content: Vec<u8>, cut: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/file", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut cut = cut;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
            let from: usize = request.split_once("range: bytes=").map_or(0, |(_, rest)| {
                rest.split('-').next().unwrap().parse().unwrap()
            });
            let status = if from > 0 {
                "206 Partial Content"
            } else {
                "200 OK"
            };
            let body = &content[from..];
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            drop(stream.write_all(head.as_bytes()).await);
            drop(stream.write_all(&body[..body.len().min(cut)]).await);
            cut = usize::MAX;
        }
    });
    url
}

fn reporter(folder: &std::path::Path) -> Arc<Reporter> {
    let store = FolderStore::open(folder.join("store")).unwrap();
    Arc::new(Reporter::new(store, "r".parse().unwrap()).unwrap())
}

fn size(file: &PublishedPtau) -> usize {
    usize::try_from(file.size).unwrap()
}

#[test]
fn r11_the_smallest_sufficient_published_file_is_chosen() {
    for (family, needed, chosen) in [
        (PtauFamily::Hermez, 1, 8),
        (PtauFamily::Hermez, 8, 8),
        (PtauFamily::Hermez, 9, 9),
        (PtauFamily::Hermez, 28, 28),
        (PtauFamily::Ppot0080, 1, 1),
        (PtauFamily::Ppot0080, 20, 20),
    ] {
        assert_eq!(smallest_sufficient(family, needed).unwrap().power, chosen);
    }
    assert!(matches!(
        smallest_sufficient(PtauFamily::Hermez, 29),
        Err(PtauError::TooLarge {
            needed: 29,
            largest: 28
        })
    ));
}

#[tokio::test]
async fn a_lost_connection_is_resumed_and_a_wrong_digest_is_never_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let wanted = file(PtauFamily::Ppot0080, 5);
    let url = server(vec![7; size(wanted)], 1000).await;
    let error = download::cached(&cache, wanted, &url, &reporter(folder.path()))
        .await
        .unwrap_err();
    // Every byte came through, in two parts; they are not the published ones.
    assert!(matches!(error, PtauError::Digest { .. }), "{error}");
    assert!(!cache.join(wanted.file_name).exists());
    let part = cache.join(format!("{}.part", wanted.file_name));
    assert_eq!(
        std::fs::metadata(part).unwrap().len(),
        0,
        "not resumed from next time"
    );
}

#[tokio::test]
async fn a_server_with_another_size_is_refused_before_anything_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = file(PtauFamily::Ppot0080, 5);
    for length in [size(wanted) + 1, size(wanted) - 1] {
        let url = server(vec![0; length], usize::MAX).await;
        let error = download::cached(folder.path(), wanted, &url, &reporter(folder.path()))
            .await
            .unwrap_err();
        let PtauError::RemoteSize { expected, got, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(
            (expected, got),
            (wanted.size, u64::try_from(length).unwrap())
        );
    }
}

#[tokio::test]
async fn a_second_download_of_the_same_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = file(PtauFamily::Ppot0080, 5);
    let part = folder.path().join(format!("{}.part", wanted.file_name));
    let held = std::fs::File::create(&part).unwrap();
    held.lock().unwrap();
    let error = download::cached(
        folder.path(),
        wanted,
        "http://127.0.0.1:1/",
        &reporter(folder.path()),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, PtauError::Busy { .. }), "{error}");
}

#[tokio::test]
async fn a_published_file_is_downloaded_once_and_then_found_in_the_cache() {
    let Some(path) = testkit::shared_data("ptau/ppot_0080_08.ptau") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let wanted = file(PtauFamily::Ppot0080, 8);
    let url = server(std::fs::read(path).unwrap(), 100_000).await;
    let first = download::cached(folder.path(), wanted, &url, &reporter(folder.path())).await;
    let first = first.unwrap();
    check::published_file(&first, wanted, &NoProgress).unwrap();
    let dead = "http://127.0.0.1:1/";
    let again = download::cached(folder.path(), wanted, dead, &reporter(folder.path())).await;
    assert_eq!(again.unwrap(), first);
}

#[test]
fn r10_a_file_that_is_not_the_published_one_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = file(PtauFamily::Ppot0080, 5);
    let path = folder.path().join(wanted.file_name);

    std::fs::write(&path, vec![0; size(wanted)]).unwrap();
    assert!(matches!(
        check::published_file(&path, wanted, &NoProgress),
        Err(PtauError::Digest { .. })
    ));
    std::fs::write(&path, vec![0; size(wanted) - 1]).unwrap();
    let error = check::published_file(&path, wanted, &NoProgress).unwrap_err();
    let PtauError::Size {
        expected,
        got,
        reason,
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!((expected, got), (wanted.size, wanted.size - 1));
    assert!(reason.is_some(), "it is not even a ptau");

    std::fs::write(&path, vec![0; size(file(PtauFamily::Ppot0080, 6))]).unwrap();
    let error = check::published_file(&path, wanted, &NoProgress).unwrap_err();
    let PtauError::OtherFile { looks_like, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(looks_like, "ppot_0080_06.ptau");
}

#[test]
fn a_real_published_file_is_taken() {
    for (name, family, power) in [
        (
            "ptau/powersOfTau28_hez_final_08.ptau",
            PtauFamily::Hermez,
            8,
        ),
        ("ptau/ppot_0080_11.ptau", PtauFamily::Ppot0080, 11),
    ] {
        let Some(path) = testkit::shared_data(name) else {
            continue;
        };
        check::published_file(&path, file(family, power), &NoProgress).unwrap();
    }
}
