//! Downloads into the cache folder: resumed after a lost connection, renamed only when the digest is right.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use formats::ptau::published::PublishedPtau;
use protocol::pb;
use reqwest::StatusCode;
use reqwest::header::RANGE;

use super::check;
use super::error::PtauError;
use crate::relay::http_client;
use crate::report::Reporter;

/// Attempts without a single new byte before giving up.
const ATTEMPTS: u32 = 5;

/// The file from the cache, downloaded before if need be. The caller checks its digest.
pub(super) async fn cached(
    cache: &Path,
    wanted: &'static PublishedPtau,
    url: &str,
    reporter: &Arc<Reporter>,
) -> Result<PathBuf, PtauError> {
    let path = cache.join(wanted.file_name);
    if path.is_file() {
        reporter.note(format!("powers of tau from the cache: {}", path.display()));
        return Ok(path);
    }
    let partial = cache.join(format!("{}.part", wanted.file_name));
    let failed = |source| PtauError::File {
        path: partial.clone(),
        source,
    };
    std::fs::create_dir_all(cache).map_err(failed)?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&partial)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(PtauError::Busy { path: partial }),
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    fetch(&mut file, &partial, wanted, url, reporter).await?;
    file.sync_all().map_err(failed)?;

    let (checked, sink) = (partial.clone(), Arc::clone(reporter));
    let verdict =
        tokio::task::spawn_blocking(move || check::published_file(&checked, wanted, &*sink)).await;
    if !matches!(verdict, Ok(Ok(()))) {
        // Not resumed from next time.
        file.set_len(0).map_err(failed)?;
    }
    verdict.map_err(|e| failed(std::io::Error::other(e)))??;
    std::fs::rename(&partial, &path).map_err(failed)?;
    Ok(path)
}

async fn fetch(
    file: &mut File,
    partial: &Path,
    wanted: &'static PublishedPtau,
    url: &str,
    reporter: &Reporter,
) -> Result<(), PtauError> {
    let failed = |source| PtauError::File {
        path: partial.into(),
        source,
    };
    let client = http_client()?;
    let mut have = file.metadata().map_err(failed)?.len().min(wanted.size);
    let mut fruitless = 0;
    while have < wanted.size {
        let before = have;
        let ended = fetch_some(&client, file, &mut have, partial, wanted, url, reporter).await;
        match ended {
            Ok(()) if have == wanted.size => break,
            Ok(()) | Err(PtauError::Download { .. }) if have > before => fruitless = 0,
            Ok(()) if fruitless >= ATTEMPTS => {
                return Err(PtauError::RemoteSize {
                    url: url.to_owned(),
                    name: wanted.file_name,
                    expected: wanted.size,
                    got: have,
                });
            }
            Ok(()) => fruitless += 1,
            Err(PtauError::Download { .. }) if fruitless < ATTEMPTS => fruitless += 1,
            Err(error) => return Err(error),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    file.set_len(have).map_err(failed)
}

/// One request, from byte `have` on.
async fn fetch_some(
    client: &reqwest::Client,
    file: &mut File,
    have: &mut u64,
    partial: &Path,
    wanted: &'static PublishedPtau,
    url: &str,
    reporter: &Reporter,
) -> Result<(), PtauError> {
    let lost = |source: reqwest::Error| PtauError::Download {
        url: url.to_owned(),
        source,
    };
    let failed = |source| PtauError::File {
        path: partial.into(),
        source,
    };
    let too_long = |got| PtauError::RemoteSize {
        url: url.to_owned(),
        name: wanted.file_name,
        expected: wanted.size,
        got,
    };
    let mut request = client.get(url);
    if *have > 0 {
        request = request.header(RANGE, format!("bytes={have}-"));
    }
    let mut response = request.send().await.map_err(lost)?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT => {}
        // The server does not resume: from the start again.
        StatusCode::OK => *have = 0,
        status => {
            return Err(PtauError::Status {
                url: url.to_owned(),
                status: status.as_u16(),
            });
        }
    }
    if let Some(length) = response.content_length()
        && have.saturating_add(length) != wanted.size
    {
        return Err(too_long(have.saturating_add(length)));
    }
    file.seek(SeekFrom::Start(*have)).map_err(failed)?;
    while let Some(part) = response.chunk().await.map_err(lost)? {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        let end = have.saturating_add(length);
        if end > wanted.size {
            return Err(too_long(end));
        }
        file.write_all(&part).map_err(failed)?;
        *have = end;
        reporter.progress(pb::Progress {
            step: "download powers of tau".to_owned(),
            done: *have,
            total: wanted.size,
            unit: pb::Unit::Bytes.into(),
        });
    }
    Ok(())
}
