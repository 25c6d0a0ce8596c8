//! Writing: once, whole, checked by the service.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud::{CloudError, ObjectKey, StoreError};
use sha2::{Digest, Sha256};

use super::{DIGEST, Place, WRITER, failed, parts, read};
use crate::fault;

/// The permission.
const PUT: &str = "s3:PutObject";
/// A file of at most this many bytes is sent in one call.
pub(super) const ONE_CALL: u64 = 16 << 20;
/// Two writers at the same moment are told to try again; more often than this they are not two writers.
const CONFLICTS: u32 = 4;

/// What a browser is told about an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers {
    pub(super) content_type: Option<String>,
}

impl Headers {
    pub(super) fn of_type(content_type: &str) -> Self {
        Self {
            content_type: Some(content_type.to_owned()),
        }
    }
}

/// SHA-256 of a file.
pub(super) fn file_digest(key: &ObjectKey, file: &Path) -> Result<[u8; 32], StoreError> {
    let hash = || -> io::Result<[u8; 32]> {
        let mut file = File::open(file)?;
        let mut hasher = Sha256::new();
        let mut buf = vec![0; 256 << 10];
        loop {
            let got = file.read(&mut buf)?;
            let Some(read) = buf.get(..got).filter(|read| !read.is_empty()) else {
                return Ok(hasher.finalize().into());
            };
            hasher.update(read);
        }
    };
    hash().map_err(|source| local("read the file for", key, source))
}

/// Writes a file whose digest is known.
pub(super) async fn file(
    place: &Place,
    key: &ObjectKey,
    file: &Path,
    digest: [u8; 32],
    headers: &Headers,
) -> Result<(), StoreError> {
    let size = tokio::fs::metadata(file)
        .await
        .map_err(|source| local("read the file for", key, source))?
        .len();
    if size > ONE_CALL {
        return parts::upload(place, key, file, size, digest, headers).await;
    }
    let bytes = tokio::fs::read(file)
        .await
        .map_err(|source| local("read the file for", key, source))?;
    if <[u8; 32]>::from(Sha256::digest(&bytes)) != digest {
        return Err(changed(key));
    }
    self::bytes(place, key, bytes, headers).await
}

/// Writes an object in one call.
pub(super) async fn bytes(
    place: &Place,
    key: &ObjectKey,
    bytes: Vec<u8>,
    headers: &Headers,
) -> Result<(), StoreError> {
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    let writer = mark(key)?;
    let body = aws_sdk_s3::primitives::SdkBody::from(bytes);
    for _ in 0..CONFLICTS {
        // A body in memory can be cloned.
        let body = body
            .try_clone()
            .unwrap_or_else(aws_sdk_s3::primitives::SdkBody::empty);
        let sent = place
            .client
            .put_object()
            .bucket(place.location.bucket())
            .key(place.location.name(key))
            .if_none_match("*")
            .checksum_sha256(STANDARD.encode(digest))
            .metadata(DIGEST, hex::encode(digest))
            .metadata(WRITER, &writer)
            .set_content_type(headers.content_type.clone())
            .set_expected_bucket_owner(place.owner.clone())
            .set_request_payer(place.payer.clone())
            .body(ByteStream::new(body))
            .send()
            .await;
        let fault = match sent {
            Ok(_) => return Ok(()),
            Err(error) => fault::of(PUT, &error),
        };
        if fault.code != "ConditionalRequestConflict" {
            return exists_or_fails(place, key, &writer, fault).await;
        }
    }
    Err(failed(
        key.as_str(),
        fault::no_answer(PUT, "other writers are always in between"),
    ))
}

/// What a refused write means. "Exists already" may be this very call: a try before, whose answer was lost.
pub(super) async fn exists_or_fails(
    place: &Place,
    key: &ObjectKey,
    writer: &str,
    fault: CloudError,
) -> Result<(), StoreError> {
    if fault.code != "PreconditionFailed" {
        return Err(failed(key.as_str(), fault));
    }
    match read::head(place, key).await? {
        Some(head) if head.writer.as_deref() == Some(writer) => Ok(()),
        _ => Err(StoreError::Exists { key: key.clone() }),
    }
}

/// A mark that no other call has.
pub(super) fn mark(key: &ObjectKey) -> Result<String, StoreError> {
    let mut mark = [0; 16];
    getrandom::fill(&mut mark)
        .map_err(|error| local("draw a mark for", key, io::Error::other(error.to_string())))?;
    Ok(hex::encode(mark))
}

/// The file is not the one that was hashed a moment ago.
pub(super) fn changed(key: &ObjectKey) -> StoreError {
    let source = io::Error::new(
        io::ErrorKind::InvalidData,
        "the file changed while it was read",
    );
    local("read the file for", key, source)
}

/// A fault of this machine.
pub(super) fn local(action: &'static str, key: &ObjectKey, source: io::Error) -> StoreError {
    StoreError::Io {
        action,
        key: key.to_string(),
        source,
    }
}
