//! A place that has a published file: a server, or a bucket whose reader pays.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use cloud::{ObjectKey, ObjectStore};
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Response, StatusCode};

use super::error::PtauError;

/// Bytes asked of a bucket in one call.
const OBJECT_READ: usize = 1 << 20;

/// Where a file is.
#[derive(Debug, Clone)]
pub enum Origin {
    /// An HTTP server.
    Server {
        /// Follows few redirects, and none to a weaker scheme.
        client: reqwest::Client,
        /// The file.
        url: String,
    },
    /// An object of a bucket.
    Object {
        /// The bucket.
        store: Arc<dyn ObjectStore>,
        /// The file.
        key: ObjectKey,
    },
}

impl Origin {
    /// A file of an HTTP server. Redirects are followed five times, and never from TLS to something weaker.
    pub fn server(url: &str) -> Result<Self, PtauError> {
        // TLS by ring; another provider installed before would be as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .user_agent(concat!("attested-ceremony/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(15))
            .redirect(redirects())
            .build()
            .map_err(PtauError::Client)?;
        Ok(Self::Server {
            client,
            url: url.to_owned(),
        })
    }
}

fn redirects() -> reqwest::redirect::Policy {
    reqwest::redirect::Policy::custom(|attempt| {
        let weaker = |from: &str, to: &str| !matches!((from, to), ("http", "http") | (_, "https"));
        let from = attempt.previous().last().map_or("", |url| url.scheme());
        if attempt.previous().len() > 5 {
            attempt.error("more than five redirects")
        } else if weaker(from, attempt.url().scheme()) {
            attempt.error("redirected to a weaker scheme")
        } else {
            attempt.follow()
        }
    })
}

/// Why bytes did not come.
#[derive(Debug)]
pub(super) enum Missed {
    /// Asking again may help.
    Transient(PtauError),
    /// This place has nothing to give.
    Final(PtauError),
    /// It gives the file in one piece only.
    NoRanges,
    /// The bytes cannot be kept here.
    Disk(std::io::Error),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server { url, .. } => f.write_str(url),
            Self::Object { key, .. } => write!(f, "the mirror's {key}"),
        }
    }
}

/// What to do with bytes that came: their position in the file, and they.
pub(super) type Keep<'k> = dyn FnMut(u64, &[u8]) -> std::io::Result<()> + Send + 'k;

impl Origin {
    /// Fetches `range` of a file that must have `size` bytes. Nothing for `stall` counts as a lost connection.
    pub(super) async fn fetch(
        &self,
        range: Range<u64>,
        size: u64,
        stall: Duration,
        keep: &mut Keep<'_>,
    ) -> Result<(), Missed> {
        match self {
            Self::Server { client, url } => {
                let last = range.end.saturating_sub(1);
                let request = client
                    .get(url)
                    .header(RANGE, format!("bytes={}-{last}", range.start));
                let response = answer(request, url, stall).await?;
                match response.status() {
                    StatusCode::PARTIAL_CONTENT => check_range(&response, url, &range, size)?,
                    StatusCode::OK => return Err(Missed::NoRanges),
                    status => return Err(refused(url, status)),
                }
                body(response, url, range, stall, keep).await
            }
            Self::Object { store, key } => object(store, key, range, size, keep).await,
        }
    }

    /// Fetches the file in one piece.
    pub(super) async fn fetch_whole(
        &self,
        size: u64,
        stall: Duration,
        keep: &mut Keep<'_>,
    ) -> Result<(), Missed> {
        let Self::Server { client, url } = self else {
            return self.fetch(0..size, size, stall, keep).await;
        };
        let response = answer(client.get(url), url, stall).await?;
        if response.status() != StatusCode::OK {
            return Err(refused(url, response.status()));
        }
        if let Some(got) = response.content_length()
            && got != size
        {
            return Err(other_size(url, size, got));
        }
        body(response, url, 0..size, stall, keep).await
    }
}

async fn answer(
    request: reqwest::RequestBuilder,
    url: &str,
    stall: Duration,
) -> Result<Response, Missed> {
    match tokio::time::timeout(stall, request.send()).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) if error.is_redirect() || error.is_builder() => {
            Err(Missed::Final(lost(url, &error)))
        }
        Ok(Err(error)) => Err(Missed::Transient(lost(url, &error))),
        Err(_) => Err(silent(url, stall)),
    }
}

async fn body(
    mut response: Response,
    url: &str,
    range: Range<u64>,
    stall: Duration,
    keep: &mut Keep<'_>,
) -> Result<(), Missed> {
    let mut at = range.start;
    loop {
        let part = match tokio::time::timeout(stall, response.chunk()).await {
            Ok(Ok(Some(part))) => part,
            Ok(Ok(None)) => break,
            Ok(Err(error)) => return Err(Missed::Transient(lost(url, &error))),
            Err(_) => return Err(silent(url, stall)),
        };
        let end = at.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
        if end > range.end {
            return Err(Missed::Final(PtauError::Range {
                url: url.to_owned(),
                expected: format!("{} bytes", range.end.saturating_sub(range.start)),
                got: "more".to_owned(),
            }));
        }
        keep(at, &part).map_err(Missed::Disk)?;
        at = end;
    }
    if at == range.end {
        Ok(())
    } else {
        Err(Missed::Transient(PtauError::Cut {
            url: url.to_owned(),
            expected: range.end,
            got: at,
        }))
    }
}

/// The answer is the range that was asked for, of a file of the right size.
fn check_range(
    response: &Response,
    url: &str,
    range: &Range<u64>,
    size: u64,
) -> Result<(), Missed> {
    let header = response
        .headers()
        .get(CONTENT_RANGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let last = range.end.saturating_sub(1);
    let wanted = format!("bytes {}-{last}/{size}", range.start);
    if header == wanted {
        return Ok(());
    }
    // A file of another size is worth saying so.
    match header.rsplit_once('/').map(|(_, total)| total.parse()) {
        Some(Ok(got)) if got != size => Err(other_size(url, size, got)),
        _ => Err(Missed::Final(PtauError::Range {
            url: url.to_owned(),
            expected: wanted,
            got: header.chars().take(80).collect(),
        })),
    }
}

async fn object(
    store: &Arc<dyn ObjectStore>,
    key: &ObjectKey,
    range: Range<u64>,
    size: u64,
    keep: &mut Keep<'_>,
) -> Result<(), Missed> {
    let name = || format!("the mirror's {key}");
    if range.start == 0 {
        let (store, key) = (Arc::clone(store), key.clone());
        let known = tokio::task::spawn_blocking(move || store.size(&key)).await;
        match known {
            Ok(Ok(Some(got))) if got == size => {}
            Ok(Ok(Some(got))) => return Err(other_size(&name(), size, got)),
            Ok(Ok(None)) => {
                return Err(Missed::Final(PtauError::Status {
                    url: name(),
                    status: 404,
                }));
            }
            Ok(Err(error)) => return Err(store_failed(&name(), error)),
            Err(_) => {
                return Err(Missed::Transient(PtauError::Cut {
                    url: name(),
                    expected: size,
                    got: 0,
                }));
            }
        }
    }
    let mut at = range.start;
    while at < range.end {
        let left = usize::try_from(range.end.saturating_sub(at)).unwrap_or(usize::MAX);
        let (store, key) = (Arc::clone(store), key.clone());
        let read = tokio::task::spawn_blocking(move || {
            let mut buf = vec![0; left.min(OBJECT_READ)];
            let got = store.read_at(&key, at, &mut buf)?;
            buf.truncate(got);
            Ok::<_, cloud::StoreError>(buf)
        })
        .await;
        let bytes = match read {
            Ok(Ok(bytes)) if !bytes.is_empty() => bytes,
            Ok(Err(error)) => return Err(store_failed(&name(), error)),
            Ok(Ok(_)) | Err(_) => {
                return Err(Missed::Transient(PtauError::Cut {
                    url: name(),
                    expected: range.end,
                    got: at,
                }));
            }
        };
        keep(at, &bytes).map_err(Missed::Disk)?;
        at = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
    Ok(())
}

fn store_failed(name: &str, error: cloud::StoreError) -> Missed {
    let passing = crate::upload::may_pass(&error);
    let error = PtauError::Mirror {
        object: name.to_owned(),
        source: Box::new(error),
    };
    if passing {
        Missed::Transient(error)
    } else {
        Missed::Final(error)
    }
}

/// A status that is no success. What the server blames on itself, or on too many questions, may pass.
fn refused(url: &str, status: StatusCode) -> Missed {
    let error = PtauError::Status {
        url: url.to_owned(),
        status: status.as_u16(),
    };
    let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    if status.is_server_error() || passing.contains(&status) {
        Missed::Transient(error)
    } else {
        Missed::Final(error)
    }
}

fn other_size(url: &str, expected: u64, got: u64) -> Missed {
    Missed::Final(PtauError::RemoteSize {
        url: url.to_owned(),
        expected,
        got,
    })
}

fn silent(url: &str, stall: Duration) -> Missed {
    Missed::Transient(PtauError::Silent {
        url: url.to_owned(),
        seconds: stall.as_secs_f32(),
    })
}

fn lost(url: &str, error: &reqwest::Error) -> PtauError {
    // The chain holds the reason: a refused redirect, a reset connection. Not the error itself: it repeats the address.
    let mut reason = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        if !reason.is_empty() {
            reason.push_str(": ");
        }
        reason.push_str(&error.to_string());
        cause = error.source();
    }
    PtauError::Download {
        url: url.to_owned(),
        reason,
    }
}
