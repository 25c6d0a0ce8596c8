//! Calls that may work a little later are made again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cloud::{CloudError, ErrorClass, ObjectKey, ObjectStore, StoreError};

use crate::desk::Desk;
use crate::error::SagaError;

/// Longest wait between two calls.
const LONGEST: Duration = Duration::from_secs(30);

/// Failures, as far as repeating goes.
pub(crate) trait Failure {
    /// Whether the same call may work a little later.
    fn is_passing(&self) -> bool;

    /// Whether it says that something is not there, or cannot be seen yet.
    fn is_not_found(&self) -> bool;
}

impl Failure for CloudError {
    fn is_passing(&self) -> bool {
        self.class.is_passing()
    }

    fn is_not_found(&self) -> bool {
        self.class == ErrorClass::NotFound
    }
}

impl Failure for StoreError {
    fn is_passing(&self) -> bool {
        matches!(self, Self::Cloud { source, .. } if source.is_passing())
    }

    fn is_not_found(&self) -> bool {
        matches!(self, Self::Cloud { source, .. } if source.is_not_found())
    }
}

impl Failure for SagaError {
    fn is_passing(&self) -> bool {
        match self {
            Self::Cloud(error) => error.is_passing(),
            Self::Store(error) => error.is_passing(),
            Self::Receive { passing, .. } => *passing,
            _ => false,
        }
    }

    fn is_not_found(&self) -> bool {
        match self {
            Self::Cloud(error) => error.is_not_found(),
            Self::Store(error) => error.is_not_found(),
            _ => false,
        }
    }
}

impl Desk<'_> {
    /// Makes a call again while its failure may pass.
    pub(crate) fn again<T, E: Failure>(&self, call: impl FnMut() -> Result<T, E>) -> Result<T, E> {
        self.again_if(E::is_passing, call)
    }

    /// As [`again`](Self::again), for something that was just made: "not found" may pass too.
    pub(crate) fn again_while_new<T, E: Failure>(
        &self,
        call: impl FnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        self.again_if(|error| error.is_passing() || error.is_not_found(), call)
    }

    fn again_if<T, E>(
        &self,
        worth_it: impl Fn(&E) -> bool,
        mut call: impl FnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut wait = self.pace.retry;
        for _ in 0..self.pace.retries {
            match call() {
                Err(error) if worth_it(&error) => self.clock.sleep(wait),
                other => return other,
            }
            wait = wait.saturating_mul(2).min(LONGEST);
        }
        call()
    }
}

/// A store whose calls are made again while their failure may pass.
#[derive(Debug)]
pub struct RetryingStore<'a> {
    inner: Arc<dyn ObjectStore>,
    desk: Desk<'a>,
}

impl<'a> RetryingStore<'a> {
    /// The same objects, with patience.
    pub fn new(inner: Arc<dyn ObjectStore>, desk: Desk<'a>) -> Self {
        Self { inner, desk }
    }

    /// A write whose first try may have worked although it failed: the object is ours if it is `same`.
    fn write(
        &self,
        write: impl Fn() -> Result<(), StoreError>,
        same: impl Fn() -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut tries = 0_u32;
        let written = self.desk.again(|| {
            tries = tries.saturating_add(1);
            write()
        });
        match written {
            Err(exists @ StoreError::Exists { .. }) => {
                if tries > 1 && same()? {
                    Ok(())
                } else {
                    Err(exists)
                }
            }
            other => other,
        }
    }
}

impl ObjectStore for RetryingStore<'_> {
    fn put_if_absent(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        let limit = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.write(
            || self.inner.put_if_absent(key, bytes),
            || Ok(self.get(key, limit)?.is_some_and(|there| there == bytes)),
        )
    }

    fn put_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
        self.copy_file_if_absent(key, file)
    }

    fn copy_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
        let local = || {
            std::fs::metadata(file).map_err(|source| StoreError::Io {
                action: "read the file for",
                key: key.to_string(),
                source,
            })
        };
        // Nobody else writes inputs; the machine compares digests.
        self.write(
            || self.inner.copy_file_if_absent(key, file),
            || Ok(self.size(key)? == Some(local()?.len())),
        )
    }

    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.desk.again(|| self.inner.size(key))
    }

    fn read_at(&self, key: &ObjectKey, offset: u64, buf: &mut [u8]) -> Result<usize, StoreError> {
        self.desk.again(|| self.inner.read_at(key, offset, buf))
    }

    fn list(&self, prefix: &ObjectKey) -> Result<Vec<ObjectKey>, StoreError> {
        self.desk.again(|| self.inner.list(prefix))
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.desk.again(|| self.inner.delete(key))
    }
}
