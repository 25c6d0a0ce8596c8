//! Reading: in ranges of one version, on from where a connection broke.

use std::io::Write;
use std::time::Duration;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::ChecksumMode;
use cloud::{CloudError, ErrorClass, ObjectKey, StoreError};
use sha2::{Digest, Sha256};

use super::{DIGEST, Place, WRITER, failed, list};
use crate::fault;

/// The permission.
const GET: &str = "s3:GetObject";
/// Bytes asked for at a time.
pub(super) const READ_WINDOW: u64 = 8 << 20;
/// Connections that may break, one after the other, without a byte in between.
const BREAKS: u32 = 5;
/// Between them; longer each time.
const PAUSE: Duration = Duration::from_millis(200);

/// What is known about an object without its bytes.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) size: u64,
    /// SHA-256 of the bytes, hex, as its writer said.
    pub(super) digest: Option<String>,
    /// Mark of the call that wrote it.
    pub(super) writer: Option<String>,
    /// Digest of the parts' digests.
    pub(super) composite: Option<String>,
}

/// Looks an object up.
pub(super) async fn head(place: &Place, key: &ObjectKey) -> Result<Option<Head>, StoreError> {
    let answer = place
        .client
        .head_object()
        .bucket(place.location.bucket())
        .key(place.location.name(key))
        .checksum_mode(ChecksumMode::Enabled)
        .set_expected_bucket_owner(place.owner.clone())
        .set_request_payer(place.payer.clone())
        .send()
        .await;
    let head = match answer {
        Ok(head) => head,
        Err(error) => {
            let fault = fault::of(GET, &error);
            return if fault.class == ErrorClass::NotFound || is_absent(place, key, &fault).await {
                Ok(None)
            } else {
                Err(failed(key.as_str(), fault))
            };
        }
    };
    let said = |name| head.metadata().and_then(|all| all.get(name)).cloned();
    Ok(Some(Head {
        size: head
            .content_length()
            .and_then(|size| u64::try_from(size).ok())
            .ok_or_else(|| malformed(key, "an answer without the object's size"))?,
        digest: said(DIGEST),
        writer: said(WRITER),
        composite: head
            .checksum_sha256()
            .filter(|sum| sum.contains('-'))
            .map(str::to_owned),
    }))
}

/// Whether "denied" hides an absence: to credentials that may list one prefix only, S3 denies what does not
/// exist instead of saying so.
async fn is_absent(place: &Place, key: &ObjectKey, fault: &CloudError) -> bool {
    fault.class == ErrorClass::Denied && matches!(list::holds(place, key).await, Ok(false))
}

/// A range of an object.
#[derive(Debug)]
pub(super) struct Window {
    key: ObjectKey,
    version: String,
    start: u64,
    /// Size of the whole object.
    size: u64,
    digest: Option<String>,
    bytes: Vec<u8>,
}

impl Window {
    pub(super) fn is_of(&self, key: &ObjectKey) -> bool {
        self.key == *key
    }

    /// The bytes from `offset` to the end of the window; `None` where it does not hold that place.
    pub(super) fn rest(&self, offset: u64) -> Option<&[u8]> {
        let at = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let rest = self.bytes.get(at..)?;
        (!rest.is_empty() || offset >= self.size).then_some(rest)
    }

    /// The version a reader who goes on must get; none of an object without bytes.
    pub(super) fn version(&self) -> Option<String> {
        Some(self.version.clone()).filter(|version| !version.is_empty())
    }

    fn end(&self) -> u64 {
        self.start
            .saturating_add(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX))
    }
}

/// Reads up to `size` bytes from `offset` on, of the version `follows` if one is given.
pub(super) async fn window(
    place: &Place,
    key: &ObjectKey,
    offset: u64,
    size: u64,
    follows: Option<String>,
) -> Result<Window, StoreError> {
    let mut window = Window {
        key: key.clone(),
        version: follows.clone().unwrap_or_default(),
        start: offset,
        size: 0,
        digest: None,
        bytes: Vec::new(),
    };
    let last = offset.saturating_add(size.max(1)).saturating_sub(1);
    let mut version = follows;
    let mut breaks = 0_u32;
    loop {
        let before = window.bytes.len();
        match go_on(place, key, &mut window, last, version.as_deref()).await {
            Ok(()) => return Ok(window),
            Err(Broken::ForGood(error)) => return Err(error),
            Err(Broken::Connection(words)) => {
                breaks = if window.bytes.len() > before {
                    1
                } else {
                    breaks.saturating_add(1)
                };
                if breaks > BREAKS {
                    return Err(failed(key.as_str(), fault::no_answer(GET, &words)));
                }
                tokio::time::sleep(PAUSE.saturating_mul(breaks)).await;
            }
        }
        if !window.version.is_empty() {
            version = Some(window.version.clone());
        }
    }
}

/// Why a range did not arrive whole.
enum Broken {
    /// The connection; what arrived is kept.
    Connection(String),
    /// Asking again is no use.
    ForGood(StoreError),
}

/// Asks for what the window lacks up to `last`, and adds what arrives.
async fn go_on(
    place: &Place,
    key: &ObjectKey,
    window: &mut Window,
    last: u64,
    version: Option<&str>,
) -> Result<(), Broken> {
    let first = window.end();
    let answer = place
        .client
        .get_object()
        .bucket(place.location.bucket())
        .key(place.location.name(key))
        .range(format!("bytes={first}-{last}"))
        .set_if_match(version.map(str::to_owned))
        .set_expected_bucket_owner(place.owner.clone())
        .set_request_payer(place.payer.clone())
        .send()
        .await;
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let fault = fault::of(GET, &error);
            if is_absent(place, key, &fault).await {
                return Err(Broken::ForGood(StoreError::Absent { key: key.clone() }));
            }
            return no_bytes(key, window, fault);
        }
    };
    let wrong = |what| Broken::ForGood(malformed(key, what));
    let range = answer
        .content_range()
        .and_then(parse_range)
        .ok_or_else(|| wrong("an answer without its range"))?;
    if range.first != first || range.last > last || range.last < first || range.last >= range.size {
        return Err(wrong("an answer of another range"));
    }
    let etag = answer.e_tag().unwrap_or_default().to_owned();
    if etag.is_empty() || version.is_some_and(|version| version != etag) {
        return Err(Broken::ForGood(StoreError::Changed { key: key.clone() }));
    }
    window.version = etag;
    window.size = range.size;
    window.digest = metadata(&answer, DIGEST);
    let until = range.last.saturating_add(1);
    loop {
        match answer.body.try_next().await {
            Ok(Some(bytes)) => {
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                if window.end().saturating_add(length) > until {
                    return Err(wrong("an answer longer than its range"));
                }
                window.bytes.extend_from_slice(&bytes);
            }
            Ok(None) if window.end() == until => return Ok(()),
            Ok(None) => return Err(Broken::Connection("the answer ended early".to_owned())),
            Err(error) => return Err(Broken::Connection(error.to_string())),
        }
    }
}

/// What an answer without bytes means.
fn no_bytes(key: &ObjectKey, window: &mut Window, fault: CloudError) -> Result<(), Broken> {
    let key = || key.clone();
    match fault.code.as_str() {
        // Past the end, also of an empty object.
        "InvalidRange" if window.bytes.is_empty() => {
            window.size = window.end();
            Ok(())
        }
        "NoSuchKey" => Err(Broken::ForGood(StoreError::Absent { key: key() })),
        "PreconditionFailed" => Err(Broken::ForGood(StoreError::Changed { key: key() })),
        _ => Err(Broken::ForGood(failed(key().as_str(), fault))),
    }
}

/// Reads a small object whole; `None` if there is none.
pub(super) async fn whole(
    place: &Place,
    key: &ObjectKey,
    limit: u64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut bytes = Vec::new();
    let mut copy = Copy::new(key);
    while let Some((offset, version)) = copy.wants() {
        let size = READ_WINDOW.min(limit.saturating_add(1));
        let window = match window(place, key, offset, size, version).await {
            Err(StoreError::Absent { .. }) if offset == 0 => return Ok(None),
            other => other?,
        };
        if window.size > limit {
            return Err(StoreError::TooLarge {
                key: key.clone(),
                limit,
                got: window.size,
            });
        }
        copy.take(&window, &mut bytes)?;
    }
    let digest = digest(place, key, copy.digest()).await?;
    copy.finish(digest)?;
    Ok(Some(bytes))
}

/// The digest an object was written with: as its ranges said, or, for an empty object, as its head says.
pub(super) async fn digest(
    place: &Place,
    key: &ObjectKey,
    said: Option<String>,
) -> Result<Option<String>, StoreError> {
    match said {
        Some(digest) => Ok(Some(digest)),
        None => Ok(head(place, key).await?.and_then(|head| head.digest)),
    }
}

/// A whole object on its way into a writer.
#[derive(Debug)]
pub(super) struct Copy<'k> {
    key: &'k ObjectKey,
    done: u64,
    size: Option<u64>,
    version: Option<String>,
    digest: Option<String>,
    hasher: Sha256,
}

impl<'k> Copy<'k> {
    pub(super) fn new(key: &'k ObjectKey) -> Self {
        Self {
            key,
            done: 0,
            size: None,
            version: None,
            digest: None,
            hasher: Sha256::new(),
        }
    }

    /// Where the next window begins and of which version it must be; `None` at the end.
    pub(super) fn wants(&self) -> Option<(u64, Option<String>)> {
        match self.size {
            Some(size) if self.done >= size => None,
            _ => Some((self.done, self.version.clone())),
        }
    }

    /// Hands a window on.
    pub(super) fn take(
        &mut self,
        window: &Window,
        write: &mut dyn Write,
    ) -> Result<(), StoreError> {
        write
            .write_all(&window.bytes)
            .map_err(|source| StoreError::Io {
                action: "copy",
                key: self.key.to_string(),
                source,
            })?;
        self.hasher.update(&window.bytes);
        self.done = window.end();
        self.size = Some(window.size);
        self.version = window.version();
        self.digest.clone_from(&window.digest);
        Ok(())
    }

    /// The digest that the last window's answer named.
    pub(super) fn digest(&self) -> Option<String> {
        self.digest.clone()
    }

    /// Compares what was handed on with the digest the object was written with; gives its size.
    pub(super) fn finish(self, digest: Option<String>) -> Result<u64, StoreError> {
        let got = hex::encode(self.hasher.finalize());
        match digest {
            Some(expected) if expected == got => Ok(self.done),
            other => Err(StoreError::Corrupt {
                key: self.key.clone(),
                expected: other.unwrap_or_else(|| "a digest, which the object lacks".to_owned()),
                got,
            }),
        }
    }
}

fn metadata(answer: &GetObjectOutput, name: &str) -> Option<String> {
    answer.metadata().and_then(|all| all.get(name)).cloned()
}

fn malformed(key: &ObjectKey, what: &str) -> StoreError {
    failed(key.as_str(), fault::no_answer(GET, what))
}

/// `bytes 0-9/100`.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
    size: u64,
}

fn parse_range(text: &str) -> Option<Range> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some(Range {
        first: first.parse().ok()?,
        last: last.parse().ok()?,
        size: size.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_parsed_strictly() {
        let range = |first, last, size| Some(Range { first, last, size });
        assert_eq!(parse_range("bytes 0-9/100"), range(0, 9, 100));
        for text in [
            "",
            "bytes */100",
            "bytes 0-9/*",
            "bytes 0-/10",
            "0-9/10",
            "bytes -1-2/3",
        ] {
            assert_eq!(parse_range(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_object_without_its_digest_or_with_another_is_corrupt() {
        let key: ObjectKey = "a".parse().unwrap();
        let window = |digest: Option<&str>| Window {
            key: key.clone(),
            version: "v".to_owned(),
            start: 0,
            size: 3,
            digest: digest.map(str::to_owned),
            bytes: b"abc".to_vec(),
        };
        let sum = hex::encode(Sha256::digest(b"abc"));
        for (digest, expected) in [
            (Some(sum.as_str()), "3"),
            (Some("00"), "store_corrupt"),
            (None, "store_corrupt"),
        ] {
            let mut copy = Copy::new(&key);
            copy.take(&window(digest), &mut Vec::new()).unwrap();
            assert!(copy.wants().is_none());
            let digest = copy.digest();
            let end = copy.finish(digest);
            let got = end.map_or_else(|e| e.code().to_owned(), |size| size.to_string());
            assert_eq!(got, expected);
        }
    }
}
