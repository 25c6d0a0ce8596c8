//! Buckets of objects: AWS S3.

use std::fmt::Debug;
use std::sync::Arc;

use crate::{AccountId, BucketName, CloudError, ObjectStore, Region, Tags, Timestamp};

/// Buckets, seen from one region. Every call about one bucket says whose it must be
/// (`ExpectedBucketOwner`), so that a bucket of the same name in a foreign account is never used.
pub trait Buckets: Debug + Send + Sync {
    /// Makes a bucket in this region. AWS: `s3:CreateBucket`, owner enforced. If this account has it
    /// already, in this region: success. In another region, or of another account: `AlreadyExists`.
    fn create(&self, bucket: &BucketName) -> Result<(), CloudError>;

    /// Closes a bucket to the outside and limits its life, as `infra/bucket.json` says. AWS, in this order:
    /// `s3:PutBucketOwnershipControls`, `s3:PutBucketPublicAccessBlock`, `s3:PutBucketPolicy`,
    /// `s3:PutEncryptionConfiguration`, `s3:PutLifecycleConfiguration`, `s3:PutBucketTagging`. Each
    /// replaces what was there: twice is once. Stops at the first failure.
    fn configure(&self, bucket: &BucketName, settings: &BucketSettings) -> Result<(), CloudError>;

    /// The bucket's tags; empty if it has none. AWS: `s3:GetBucketTagging`. Reads.
    ///
    /// # Errors
    /// Class `NotFound` if there is no such bucket.
    fn tags(&self, bucket: &BucketName) -> Result<Tags, CloudError>;

    /// Replaces the bucket's tags. AWS: `s3:PutBucketTagging`. Twice is once.
    fn put_tags(&self, bucket: &BucketName, tags: &Tags) -> Result<(), CloudError>;

    /// Buckets of this account, in any region, whose names begin with `prefix`. AWS: all pages of
    /// `s3:ListAllMyBuckets` (`ListBuckets` with `Prefix`). Reads.
    fn list(&self, prefix: &str) -> Result<Vec<BucketInfo>, CloudError>;

    /// Where the bucket is; `None` if this account has no such bucket. AWS: `s3:HeadBucket` (its answer
    /// names the region, also when it is another one; permission `s3:ListBucket`). Reads.
    fn locate(&self, bucket: &BucketName) -> Result<Option<Region>, CloudError>;

    /// Removes every object, every version and every unfinished upload. AWS: `s3:ListBucketVersions`,
    /// `s3:DeleteObject`, `s3:DeleteObjectVersion`, `s3:AbortMultipartUpload`. Twice is once; no such
    /// bucket: success.
    fn empty(&self, bucket: &BucketName) -> Result<(), CloudError>;

    /// Removes an empty bucket. AWS: `s3:DeleteBucket`. No such bucket: success.
    fn delete(&self, bucket: &BucketName) -> Result<(), CloudError>;

    /// The objects of a bucket of this region. Makes no call.
    ///
    /// `put_if_absent` is `PutObject` with `If-None-Match: *` and a SHA-256 checksum, files above the
    /// limit of one request in parts; after an unknown outcome the object may be there, and the second
    /// call then says [`Exists`](crate::StoreError::Exists). Failures of the service are
    /// [`StoreError::Cloud`](crate::StoreError::Cloud).
    fn store(&self, bucket: &BucketName) -> Arc<dyn ObjectStore>;
}

/// How a bucket is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSettings {
    /// The account it belongs to.
    pub owner: AccountId,
    /// Objects end after this many days, whatever happens.
    pub keep_days: u32,
    /// Its tags.
    pub tags: Tags,
}

/// A bucket in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketInfo {
    /// Its name.
    pub name: BucketName,
    /// Where it is, if the list says.
    pub region: Option<Region>,
    /// When it was made.
    pub created: Timestamp,
}
