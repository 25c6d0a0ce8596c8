//! Publishing: files for people, with a type that browsers know; again is no harm.

use std::path::Path;

use cloud::{ObjectKey, ObjectStore, StoreError};
use sha2::{Digest, Sha256};

use super::put::{self, Headers};
use super::{S3Store, read};

/// How a file came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It was written now.
    Written,
    /// It was there with the same bytes.
    Already,
}

impl S3Store {
    /// Writes a file for people, unless it is there.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if another file is there: what was published is not replaced.
    /// [`StoreError::Corrupt`] if the file does not have the digest `expected`; nothing is written then.
    pub fn publish(
        &self,
        key: &ObjectKey,
        file: &Path,
        content_type: &str,
        expected: Option<[u8; 32]>,
    ) -> Result<Published, StoreError> {
        let digest = put::file_digest(key, file)?;
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            return Err(StoreError::Corrupt {
                key: key.clone(),
                expected: hex::encode(expected),
                got: hex::encode(digest),
            });
        }
        let (place, to, file) = (self.place.clone(), key.clone(), file.to_path_buf());
        let headers = Headers::of_type(content_type);
        let written = self.wait("s3:PutObject", key, async move {
            put::file(&place, &to, &file, digest, &headers).await
        });
        self.or_same(key, written, digest)
    }

    /// As [`publish`](Self::publish), with bytes.
    pub fn publish_bytes(
        &self,
        key: &ObjectKey,
        bytes: &[u8],
        content_type: &str,
    ) -> Result<Published, StoreError> {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let (place, to, bytes) = (self.place.clone(), key.clone(), bytes.to_vec());
        let headers = Headers::of_type(content_type);
        let written = self.wait("s3:PutObject", key, async move {
            put::bytes(&place, &to, bytes, &headers).await
        });
        self.or_same(key, written, digest)
    }

    /// What exists already is fine if it has the same bytes.
    fn or_same(
        &self,
        key: &ObjectKey,
        written: Result<(), StoreError>,
        digest: [u8; 32],
    ) -> Result<Published, StoreError> {
        let Err(error) = written else {
            return Ok(Published::Written);
        };
        if !matches!(error, StoreError::Exists { .. }) {
            return Err(error);
        }
        let digest = hex::encode(digest);
        let (place, of) = (self.place.clone(), key.clone());
        let head = self.wait(
            "s3:GetObject",
            key,
            async move { read::head(&place, &of).await },
        )?;
        match head {
            // What the object says of itself is compared with its bytes.
            Some(head) if head.digest.as_deref() == Some(digest.as_str()) => {
                self.copy_to(key, &mut std::io::sink())?;
                Ok(Published::Already)
            }
            _ => Err(error),
        }
    }
}
