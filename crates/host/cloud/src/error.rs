//! What can go wrong with a store.

use std::io;

use crate::CloudError;
use crate::key::{KeyError, ObjectKey};

/// Why a store did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A name is not a key.
    #[error("not the name of an object")]
    Key(#[from] KeyError),
    /// The object is there already; nothing was changed.
    #[error("object {key} exists already")]
    Exists {
        /// The object.
        key: ObjectKey,
    },
    /// There is no such object.
    #[error("object {key} does not exist")]
    Absent {
        /// The object.
        key: ObjectKey,
    },
    /// The object is larger than the reader takes.
    #[error("object {key} has {got} bytes, at most {limit} are taken")]
    TooLarge {
        /// The object.
        key: ObjectKey,
        /// Most bytes the reader takes.
        limit: u64,
        /// Size of the object.
        got: u64,
    },
    /// The object is smaller than it must be.
    #[error("object {key} has {got} bytes, {expected} were expected")]
    TooSmall {
        /// The object.
        key: ObjectKey,
        /// Size it must have.
        expected: u64,
        /// Size of the object.
        got: u64,
    },
    /// The object's bytes are not the record that belongs there.
    #[error("object {key} is not a valid record")]
    Malformed {
        /// The object.
        key: ObjectKey,
        /// What the decoder said.
        source: prost::DecodeError,
    },
    /// The bytes that came back are not the ones that were written.
    #[error("object {key} came back with other bytes: expected {expected}, got {got}")]
    Corrupt {
        /// The object.
        key: ObjectKey,
        /// SHA-256 (hex) or size as its writer said.
        expected: String,
        /// What came.
        got: String,
    },
    /// Another object took the place of this one while it was read or written.
    #[error("object {key} was replaced in between")]
    Changed {
        /// The object.
        key: ObjectKey,
    },
    /// The service that keeps the objects failed.
    #[error("the object service failed at {key}")]
    Cloud {
        /// The object, or a prefix.
        key: String,
        /// What failed.
        source: CloudError,
    },
    /// The medium failed.
    #[error("{action} {key} failed")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The object, or a prefix.
        key: String,
        /// The system's reason.
        source: io::Error,
    },
}

impl StoreError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Key(_) => "store_key",
            Self::Exists { .. } => "store_exists",
            Self::Absent { .. } => "store_absent",
            Self::TooLarge { .. } => "store_too_large",
            Self::TooSmall { .. } => "store_too_small",
            Self::Malformed { .. } => "store_malformed",
            Self::Corrupt { .. } => "store_corrupt",
            Self::Changed { .. } => "store_changed",
            Self::Cloud { source, .. } => source.code(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => "disk_full",
            Self::Io { .. } => "store_io",
        }
    }
}
