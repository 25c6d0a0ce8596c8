//! A bucket as an object store.
//!
//! * Objects are written with `If-None-Match: *` and the SHA-256 that the service checks; large files in
//!   parts. A write whose answer was lost is known again by its own mark, so a repeated try is no conflict.
//! * Objects are read in ranges that go on where a broken connection ended, all of one version; a whole
//!   object is compared with the digest it was written with. An ETag names a version here, never bytes.
//! * Names in the bucket that no key can say are not listed.

mod list;
mod parts;
mod put;
mod read;
mod shelf;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::types::RequestPayer;
use cloud::{AccountId, CloudError, ObjectKey, ObjectStore, StoreError};

use self::put::Headers;
use self::read::{READ_WINDOW, Window};
use crate::driver::{Driver, Lost};
use crate::fault;
use crate::location::S3Location;
use crate::session::Session;

/// Metadata of every object: SHA-256 of its bytes, hex.
const DIGEST: &str = "sha256";
/// Metadata of every object: which call wrote it, hex.
const WRITER: &str = "writer";
/// Said of a call whose thread ended.
const ENDED: &str = "the call ended without a result";

/// Objects under one prefix of one bucket.
#[derive(Debug)]
pub struct S3Store {
    driver: Arc<Driver>,
    place: Place,
    /// The last range read, for readers that go on from it.
    window: Mutex<Option<Window>>,
}

/// What every call needs.
#[derive(Debug, Clone)]
struct Place {
    client: aws_sdk_s3::Client,
    location: S3Location,
    /// Whose bucket it must be, where that is known.
    owner: Option<String>,
    payer: Option<RequestPayer>,
}

impl S3Store {
    /// The store at `location`. Nothing is asked yet: the first call says if the bucket cannot be used.
    pub fn new(session: &Session, location: S3Location) -> Self {
        Self {
            driver: session.driver(),
            place: Place {
                client: session.s3(),
                location,
                owner: None,
                payer: None,
            },
            window: Mutex::new(None),
        }
    }

    /// Pays for reading, as buckets with "requester pays" demand.
    #[must_use]
    pub fn paying(mut self) -> Self {
        self.place.payer = Some(RequestPayer::Requester);
        self
    }

    /// Uses the bucket only if it is this account's.
    #[must_use]
    pub fn owned_by(mut self, account: &AccountId) -> Self {
        self.place.owner = Some(account.to_string());
        self
    }

    /// Where it is.
    pub fn location(&self) -> &S3Location {
        &self.place.location
    }

    fn wait<T, F>(&self, action: &'static str, key: &ObjectKey, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        self.driver
            .wait(work)
            .unwrap_or_else(|Lost| Err(failed(key.as_str(), fault::no_answer(action, ENDED))))
    }

    fn put_file(&self, key: &ObjectKey, file: &Path, headers: Headers) -> Result<(), StoreError> {
        let digest = put::file_digest(key, file)?;
        let (place, to, file) = (self.place.clone(), key.clone(), file.to_path_buf());
        self.wait("s3:PutObject", key, async move {
            put::file(&place, &to, &file, digest, &headers).await
        })
    }

    fn window(&self) -> std::sync::MutexGuard<'_, Option<Window>> {
        // A panic elsewhere leaves a whole window or none.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes from `offset` on: from the last window, or from a new one.
    fn read_window(
        &self,
        key: &ObjectKey,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize, StoreError> {
        let mut held = self.window();
        // A read from the very start asks if the object is still there.
        let last = held
            .as_ref()
            .filter(|window| offset > 0 && window.is_of(key));
        if let Some(bytes) = last.and_then(|window| window.rest(offset)) {
            return Ok(copy(bytes, buf));
        }
        let follows = last.and_then(Window::version);
        let (place, from) = (self.place.clone(), key.clone());
        let size = READ_WINDOW.max(u64::try_from(buf.len()).unwrap_or(u64::MAX));
        let window = self.wait("s3:GetObject", key, async move {
            read::window(&place, &from, offset, size, follows).await
        })?;
        let got = window.rest(offset).map_or(0, |bytes| copy(bytes, buf));
        *held = Some(window);
        Ok(got)
    }
}

impl ObjectStore for S3Store {
    fn put_if_absent(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        let (place, to, bytes) = (self.place.clone(), key.clone(), bytes.to_vec());
        self.wait("s3:PutObject", key, async move {
            put::bytes(&place, &to, bytes, &Headers::default()).await
        })
    }

    fn put_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
        self.put_file(key, file, Headers::default())
    }

    fn copy_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
        self.put_file(key, file, Headers::default())
    }

    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        let (place, of) = (self.place.clone(), key.clone());
        let head = self.wait(
            "s3:GetObject",
            key,
            async move { read::head(&place, &of).await },
        )?;
        Ok(head.map(|head| head.size))
    }

    fn read_at(&self, key: &ObjectKey, offset: u64, buf: &mut [u8]) -> Result<usize, StoreError> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_window(key, offset, buf)
    }

    fn list(&self, prefix: &ObjectKey) -> Result<Vec<ObjectKey>, StoreError> {
        let (place, of) = (self.place.clone(), prefix.clone());
        self.wait("s3:ListBucket", prefix, async move {
            list::keys(&place, &of).await
        })
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        *self.window() = None;
        let (place, of) = (self.place.clone(), key.clone());
        self.wait("s3:DeleteObject", key, async move {
            let (bucket, name) = (place.location.bucket(), place.location.name(&of));
            place
                .client
                .delete_object()
                .bucket(bucket)
                .key(name)
                .set_expected_bucket_owner(place.owner.clone())
                .send()
                .await
                .map(drop)
                .map_err(|error| failed(of.as_str(), fault::of("s3:DeleteObject", &error)))
        })
    }

    fn get(&self, key: &ObjectKey, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let (place, of) = (self.place.clone(), key.clone());
        self.wait(
            "read",
            key,
            async move { read::whole(&place, &of, limit).await },
        )
    }

    fn copy_to(&self, key: &ObjectKey, write: &mut dyn Write) -> Result<u64, StoreError> {
        let mut copy = read::Copy::new(key);
        while let Some((offset, version)) = copy.wants() {
            let (place, from) = (self.place.clone(), key.clone());
            let window = self.wait("s3:GetObject", key, async move {
                read::window(&place, &from, offset, READ_WINDOW, version).await
            })?;
            copy.take(&window, write)?;
        }
        let place = self.place.clone();
        let expected = copy.digest();
        let of = key.clone();
        let digest = self.wait("s3:GetObject", key, async move {
            read::digest(&place, &of, expected).await
        })?;
        copy.finish(digest)
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    if let (Some(to), Some(from)) = (to.get_mut(..count), from.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

/// A fault as an error of the store.
fn failed(key: &str, source: CloudError) -> StoreError {
    StoreError::Cloud {
        key: key.to_owned(),
        source,
    }
}
