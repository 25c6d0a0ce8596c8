//! Buckets, and the objects in them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cloud::{
    BucketInfo, BucketName, BucketSettings, Buckets, CloudError, ErrorClass, ObjectKey,
    ObjectStore, Region, RunId, StoreError, Tags, Timestamp,
};

use crate::FakeCloud;
use crate::fault::failed;
use crate::seen::Seen;
use crate::world::World;

#[derive(Debug)]
pub(crate) struct BucketRecord {
    region: Region,
    created_ms: u64,
    tags: Seen<Tags>,
    exists: Seen<bool>,
    pub(crate) objects: BTreeMap<ObjectKey, Vec<u8>>,
}

impl BucketRecord {
    pub(crate) fn exists(&self) -> bool {
        self.exists.now() == Some(true)
    }
}

impl World {
    pub(crate) fn bucket(&mut self, name: &str) -> Option<&mut BucketRecord> {
        self.buckets.get_mut(name).filter(|bucket| bucket.exists())
    }

    fn owned(
        &mut self,
        action: &'static str,
        name: &BucketName,
    ) -> Result<&mut BucketRecord, CloudError> {
        self.bucket(name.as_str()).ok_or_else(|| {
            failed(
                action,
                ErrorClass::NotFound,
                "NoSuchBucket",
                name.to_string(),
            )
        })
    }

    pub(crate) fn holds_artifacts(&self, run: &RunId) -> bool {
        let Ok(name) = run.bucket(&self.settings.account) else {
            return false;
        };
        let Some(bucket) = self.buckets.get(name.as_str()).filter(|b| b.exists()) else {
            return false;
        };
        let count = |folder: &str| {
            let prefix = format!("runs/{run}/{folder}");
            bucket
                .objects
                .keys()
                .filter(|key| key.as_str().starts_with(&prefix))
                .count()
        };
        count("commit") == 1 && count("artifacts/") == self.settings.agent.artifacts.len()
    }
}

/// The buckets of the account, seen from one region.
#[derive(Debug)]
pub(crate) struct FakeBuckets {
    cloud: FakeCloud,
    region: Region,
}

impl FakeBuckets {
    pub(crate) fn new(cloud: FakeCloud, region: Region) -> Self {
        Self { cloud, region }
    }
}

fn arn(bucket: &BucketName) -> String {
    format!("arn:aws:s3:::{bucket}")
}

impl Buckets for FakeBuckets {
    fn create(&self, bucket: &BucketName) -> Result<(), CloudError> {
        self.cloud.call("s3:CreateBucket", arn(bucket), |world| {
            let now = world.now_ms;
            if let Some(there) = world.bucket(bucket.as_str()) {
                return if there.region == self.region {
                    Ok(())
                } else {
                    let class = ErrorClass::AlreadyExists;
                    Err(failed(
                        "s3:CreateBucket",
                        class,
                        "BucketAlreadyOwnedByYou",
                        "elsewhere",
                    ))
                };
            }
            let record = BucketRecord {
                region: self.region.clone(),
                created_ms: now,
                tags: Seen::new(now, Tags::new()),
                exists: Seen::new(now, true),
                objects: BTreeMap::new(),
            };
            world.buckets.insert(bucket.to_string(), record);
            Ok(())
        })
    }

    fn configure(&self, bucket: &BucketName, settings: &BucketSettings) -> Result<(), CloudError> {
        for action in [
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketPolicy",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
        ] {
            self.cloud.call(action, arn(bucket), |world| {
                world.owned(action, bucket).map(drop)
            })?;
        }
        self.put_tags(bucket, &settings.tags)
    }

    fn tags(&self, bucket: &BucketName) -> Result<Tags, CloudError> {
        self.cloud
            .call("s3:GetBucketTagging", arn(bucket), |world| {
                let seen = world.seen_ms();
                let record = world.owned("s3:GetBucketTagging", bucket)?;
                Ok(record.tags.at(seen).unwrap_or_default())
            })
    }

    fn put_tags(&self, bucket: &BucketName, tags: &Tags) -> Result<(), CloudError> {
        self.cloud
            .call("s3:PutBucketTagging", arn(bucket), |world| {
                let now = world.now_ms;
                world
                    .owned("s3:PutBucketTagging", bucket)?
                    .tags
                    .set(now, tags.clone());
                Ok(())
            })
    }

    fn list(&self, prefix: &str) -> Result<Vec<BucketInfo>, CloudError> {
        self.cloud.call("s3:ListAllMyBuckets", "*", |world| {
            let seen = world.seen_ms();
            let found = world.buckets.iter().filter(|(name, bucket)| {
                name.starts_with(prefix) && bucket.exists.at(seen) == Some(true)
            });
            Ok(found
                .filter_map(|(name, bucket)| {
                    Some(BucketInfo {
                        name: name.parse().ok()?,
                        region: Some(bucket.region.clone()),
                        created: Timestamp(bucket.created_ms / 1000),
                    })
                })
                .collect())
        })
    }

    fn locate(&self, bucket: &BucketName) -> Result<Option<Region>, CloudError> {
        self.cloud.call("s3:ListBucket", arn(bucket), |world| {
            let seen = world.seen_ms();
            let record = world.buckets.get(bucket.as_str());
            Ok(record
                .filter(|record| record.exists.at(seen) == Some(true))
                .map(|record| record.region.clone()))
        })
    }

    fn empty(&self, bucket: &BucketName) -> Result<(), CloudError> {
        self.cloud
            .call("s3:ListBucketVersions", arn(bucket), |_| Ok(()))?;
        self.cloud
            .call("s3:DeleteObject", format!("{}/*", arn(bucket)), |world| {
                if let Some(record) = world.bucket(bucket.as_str()) {
                    record.objects.clear();
                }
                Ok(())
            })
    }

    fn delete(&self, bucket: &BucketName) -> Result<(), CloudError> {
        self.cloud.call("s3:DeleteBucket", arn(bucket), |world| {
            let now = world.now_ms;
            let Some(record) = world.bucket(bucket.as_str()) else {
                return Ok(());
            };
            if !record.objects.is_empty() {
                let class = ErrorClass::Other;
                return Err(failed(
                    "s3:DeleteBucket",
                    class,
                    "BucketNotEmpty",
                    "it has objects",
                ));
            }
            record.exists.set(now, false);
            Ok(())
        })
    }

    fn store(&self, bucket: &BucketName) -> Arc<dyn ObjectStore> {
        Arc::new(FakeStore {
            cloud: self.cloud.clone(),
            bucket: bucket.clone(),
        })
    }
}

/// The objects of one bucket.
#[derive(Debug)]
struct FakeStore {
    cloud: FakeCloud,
    bucket: BucketName,
}

impl FakeStore {
    fn call<T>(
        &self,
        action: &'static str,
        key: &ObjectKey,
        work: impl FnOnce(&mut BucketRecord) -> T,
    ) -> Result<T, StoreError> {
        let resource = format!("{}/{key}", arn(&self.bucket));
        self.cloud
            .call(action, resource, |world| {
                world.owned(action, &self.bucket).map(work)
            })
            .map_err(|source| StoreError::Cloud {
                key: key.to_string(),
                source,
            })
    }
}

impl ObjectStore for FakeStore {
    fn put_if_absent(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self.call("s3:PutObject", key, |bucket| {
            let free = !bucket.objects.contains_key(key);
            if free {
                bucket.objects.insert(key.clone(), bytes.to_vec());
            }
            free
        })?;
        if written {
            Ok(())
        } else {
            Err(StoreError::Exists { key: key.clone() })
        }
    }

    fn put_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
        let bytes = std::fs::read(file).map_err(|source| StoreError::Io {
            action: "read the file for",
            key: key.to_string(),
            source,
        })?;
        self.put_if_absent(key, &bytes)
    }

    fn copy_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
        self.put_file_if_absent(key, file)
    }

    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.call("s3:GetObject", key, |bucket| {
            bucket
                .objects
                .get(key)
                .and_then(|bytes| u64::try_from(bytes.len()).ok())
        })
    }

    fn read_at(&self, key: &ObjectKey, offset: u64, buf: &mut [u8]) -> Result<usize, StoreError> {
        let read = self.call("s3:GetObject", key, |bucket| {
            let bytes = bucket.objects.get(key)?;
            let rest = usize::try_from(offset)
                .ok()
                .and_then(|offset| bytes.get(offset..))
                .unwrap_or_default();
            let got = rest.len().min(buf.len());
            if let (Some(into), Some(from)) = (buf.get_mut(..got), rest.get(..got)) {
                into.copy_from_slice(from);
            }
            Some(got)
        })?;
        read.ok_or_else(|| StoreError::Absent { key: key.clone() })
    }

    fn list(&self, prefix: &ObjectKey) -> Result<Vec<ObjectKey>, StoreError> {
        self.call("s3:ListBucket", prefix, |bucket| {
            let folder = format!("{prefix}/");
            bucket
                .objects
                .keys()
                .filter(|key| key.as_str().starts_with(&folder))
                .cloned()
                .collect()
        })
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.call("s3:DeleteObject", key, |bucket| {
            drop(bucket.objects.remove(key));
        })
    }
}
