//! Large files, in parts: each part with its own SHA-256, several on the way at a time, all or nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud::{CloudError, ObjectKey, StoreError};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use super::put::{self, Headers};
use super::{DIGEST, Place, WRITER, failed, read};
use crate::fault;

/// The permission.
const PUT: &str = "s3:PutObject";
/// Smallest part made here; S3 takes 5 MiB and more.
const PART: u64 = 16 << 20;
/// S3 takes 10,000.
const MOST_PARTS: u64 = 9_000;
/// On the way at a time: memory is this many parts.
const AT_A_TIME: usize = 4;

/// Uploads a file of `size` bytes. What a failure leaves is taken back; what cannot be taken back is
/// removed by the bucket's lifecycle rule for unfinished uploads.
pub(super) async fn upload(
    place: &Place,
    key: &ObjectKey,
    file: &Path,
    size: u64,
    digest: [u8; 32],
    headers: &Headers,
) -> Result<(), StoreError> {
    // Cheap, and saves sending everything only to be refused at the end.
    if read::head(place, key).await?.is_some() {
        return Err(StoreError::Exists { key: key.clone() });
    }
    let file = File::open(file).map_err(|source| put::local("read the file for", key, source))?;
    let writer = put::mark(key)?;
    let begun = place
        .client
        .create_multipart_upload()
        .bucket(place.location.bucket())
        .key(place.location.name(key))
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .checksum_type(ChecksumType::Composite)
        .metadata(DIGEST, hex::encode(digest))
        .metadata(WRITER, &writer)
        .set_content_type(headers.content_type.clone())
        .set_expected_bucket_owner(place.owner.clone())
        .set_request_payer(place.payer.clone())
        .send()
        .await
        .map_err(|error| failed(key.as_str(), fault::of(PUT, &error)))?;
    let id = begun.upload_id().unwrap_or_default().to_owned();
    let upload = Upload {
        place,
        key,
        id: &id,
        writer: &writer,
    };
    let done = upload.all(Arc::new(file), size, digest).await;
    if done.is_err() {
        upload.abort().await;
    }
    done
}

/// An upload that was begun.
#[derive(Clone, Copy)]
struct Upload<'a> {
    place: &'a Place,
    key: &'a ObjectKey,
    id: &'a str,
    writer: &'a str,
}

/// A part that arrived.
struct Part {
    number: i32,
    digest: [u8; 32],
    etag: Option<String>,
}

impl Upload<'_> {
    async fn all(self, file: Arc<File>, size: u64, digest: [u8; 32]) -> Result<(), StoreError> {
        let parts = self.send(file, size, digest).await?;
        let composite = composite(&parts);
        self.complete(&parts).await?;
        self.check(size, &composite).await
    }

    /// Sends every part; gives them in order. After a failure nothing is on the way any more: a part that comes
    /// while the upload is taken back may stay.
    async fn send(
        self,
        file: Arc<File>,
        size: u64,
        digest: [u8; 32],
    ) -> Result<Vec<Part>, StoreError> {
        let mut flying = JoinSet::new();
        let sent = self.send_with(file, size, digest, &mut flying).await;
        flying.shutdown().await;
        sent
    }

    async fn send_with(
        self,
        file: Arc<File>,
        size: u64,
        digest: [u8; 32],
        flying: &mut JoinSet<Result<Part, CloudError>>,
    ) -> Result<Vec<Part>, StoreError> {
        let length = part_length(size);
        let mut whole = Sha256::new();
        let mut arrived = Vec::new();
        let (mut offset, mut number) = (0_u64, 1_i32);
        while offset < size {
            while flying.len() >= AT_A_TIME {
                self.land(flying, &mut arrived).await?;
            }
            let bytes = self
                .read(
                    Arc::clone(&file),
                    offset,
                    length.min(size.saturating_sub(offset)),
                )
                .await?;
            whole.update(&bytes);
            offset = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            flying.spawn(send_part(
                self.place.clone(),
                self.place.location.name(self.key),
                self.id.to_owned(),
                number,
                bytes,
            ));
            number = number.saturating_add(1);
        }
        while !flying.is_empty() {
            self.land(flying, &mut arrived).await?;
        }
        if <[u8; 32]>::from(whole.finalize()) != digest {
            return Err(put::changed(self.key));
        }
        arrived.sort_by_key(|part| part.number);
        Ok(arrived)
    }

    /// Waits for one part.
    async fn land(
        self,
        flying: &mut JoinSet<Result<Part, CloudError>>,
        arrived: &mut Vec<Part>,
    ) -> Result<(), StoreError> {
        let fault = match flying.join_next().await {
            Some(Ok(Ok(part))) => {
                arrived.push(part);
                return Ok(());
            }
            Some(Ok(Err(fault))) => fault,
            Some(Err(error)) => fault::no_answer(PUT, &error.to_string()),
            None => return Ok(()),
        };
        Err(failed(self.key.as_str(), fault))
    }

    async fn read(self, file: Arc<File>, offset: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        let read = tokio::task::spawn_blocking(move || -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            file.read_exact_at(&mut bytes, offset)?;
            Ok(bytes)
        });
        read.await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|source| put::local("read the file for", self.key, source))
    }

    async fn complete(self, parts: &[Part]) -> Result<(), StoreError> {
        let parts = parts
            .iter()
            .map(|part| {
                CompletedPart::builder()
                    .part_number(part.number)
                    .set_e_tag(part.etag.clone())
                    .checksum_sha256(STANDARD.encode(part.digest))
                    .build()
            })
            .collect();
        let completed = self
            .place
            .client
            .complete_multipart_upload()
            .bucket(self.place.location.bucket())
            .key(self.place.location.name(self.key))
            .upload_id(self.id)
            .if_none_match("*")
            .multipart_upload(
                CompletedMultipartUpload::builder()
                    .set_parts(Some(parts))
                    .build(),
            )
            .set_expected_bucket_owner(self.place.owner.clone())
            .set_request_payer(self.place.payer.clone())
            .send()
            .await;
        let fault = match completed {
            Ok(_) => return Ok(()),
            Err(error) => fault::of(PUT, &error),
        };
        // A completion whose answer was lost has consumed the upload.
        if fault.code == "NoSuchUpload"
            && let Some(head) = read::head(self.place, self.key).await?
            && head.writer.as_deref() == Some(self.writer)
        {
            return Ok(());
        }
        put::exists_or_fails(self.place, self.key, self.writer, fault).await
    }

    /// Looks at what arrived: its size, that it is this call's, and, where the service gives it, the
    /// digest of the parts' digests.
    async fn check(self, size: u64, composite: &str) -> Result<(), StoreError> {
        let head = read::head(self.place, self.key).await?;
        let Some(head) = head.filter(|head| head.writer.as_deref() == Some(self.writer)) else {
            return Err(StoreError::Changed {
                key: self.key.clone(),
            });
        };
        if head.size != size {
            return Err(StoreError::Corrupt {
                key: self.key.clone(),
                expected: format!("{size} bytes"),
                got: format!("{} bytes", head.size),
            });
        }
        match head.composite {
            Some(got) if got != composite => Err(StoreError::Corrupt {
                key: self.key.clone(),
                expected: composite.to_owned(),
                got,
            }),
            _ => Ok(()),
        }
    }

    async fn abort(self) {
        // The first failure is the one to report; the lifecycle rule removes what stays.
        drop(
            self.place
                .client
                .abort_multipart_upload()
                .bucket(self.place.location.bucket())
                .key(self.place.location.name(self.key))
                .upload_id(self.id)
                .set_expected_bucket_owner(self.place.owner.clone())
                .send()
                .await,
        );
    }
}

async fn send_part(
    place: Place,
    name: String,
    upload: String,
    number: i32,
    bytes: Vec<u8>,
) -> Result<Part, CloudError> {
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    let sent = place
        .client
        .upload_part()
        .bucket(place.location.bucket())
        .key(name)
        .upload_id(upload)
        .part_number(number)
        .checksum_sha256(STANDARD.encode(digest))
        .set_expected_bucket_owner(place.owner.clone())
        .set_request_payer(place.payer.clone())
        .body(ByteStream::from(bytes))
        .send()
        .await
        .map_err(|error| fault::of(PUT, &error))?;
    Ok(Part {
        number,
        digest,
        etag: sent.e_tag().map(str::to_owned),
    })
}

/// Whole mebibytes, so that no more than [`MOST_PARTS`] parts are needed.
fn part_length(size: u64) -> u64 {
    const MIB: u64 = 1 << 20;
    let least = size.div_ceil(MOST_PARTS);
    PART.max(least.div_ceil(MIB).saturating_mul(MIB))
}

/// S3's checksum of an object in parts: the digest of the parts' digests, base64, and their number.
fn composite(parts: &[Part]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.digest);
    }
    format!("{}-{}", STANDARD.encode(hasher.finalize()), parts.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_size_that_s3_takes_fits_into_the_parts_that_s3_takes() {
        for size in [1, PART, PART + 1, 72 << 30, 5 << 40] {
            let length = part_length(size);
            assert!(size.div_ceil(length) <= 10_000, "{size}");
            assert!((5 << 20..=5 << 30).contains(&length), "{size}");
        }
        assert_eq!(part_length(1 << 30), PART);
    }
}
