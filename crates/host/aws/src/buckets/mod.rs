//! S3, its buckets.

mod clear;
mod settings;

use std::sync::Arc;

use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, ObjectOwnership, Tag, Tagging,
};
use cloud::{
    Account, AccountId, BucketInfo, BucketName, BucketSettings, Buckets, CloudError, ErrorClass,
    ObjectStore, Region, Tags, Timestamp,
};

use crate::account::AwsAccount;
use crate::fault;
use crate::location::S3Location;
use crate::s3::S3Store;

/// The region whose name must not be given when a bucket is made.
const NAMELESS: &str = "us-east-1";

/// Buckets, seen from the session's region.
#[derive(Debug)]
pub(crate) struct AwsBuckets {
    account: AwsAccount,
}

impl AwsBuckets {
    pub(crate) fn new(account: AwsAccount) -> Self {
        Self { account }
    }

    /// Whose a bucket must be: the account's behind the credentials.
    fn owner(&self) -> Result<AccountId, CloudError> {
        Ok(self.account.caller()?.account)
    }

    fn client(&self) -> aws_sdk_s3::Client {
        self.account.session().s3()
    }

    /// The buckets of this account whose names begin with `prefix`.
    fn own(&self, prefix: &str) -> Result<Vec<BucketInfo>, CloudError> {
        const ACTION: &str = "s3:ListAllMyBuckets";
        let call = self
            .client()
            .list_buckets()
            .prefix(prefix)
            .max_buckets(1000);
        let answers = self.account.session().call(ACTION, async move {
            let mut pages = call.into_paginator().items().send();
            let mut all = Vec::new();
            while let Some(item) = pages.next().await {
                all.push(item.map_err(|error| fault::of(ACTION, &error))?);
            }
            Ok(all)
        })?;
        let infos = answers.iter().filter_map(|bucket| {
            Some(BucketInfo {
                // A name with a dot is not one of ours.
                name: bucket.name()?.parse().ok()?,
                region: bucket
                    .bucket_region()
                    .and_then(|region| region.parse().ok()),
                created: Timestamp(u64::try_from(bucket.creation_date()?.secs()).ok()?),
            })
        });
        // An emulator, or another service with this protocol, may not know the prefix.
        Ok(infos
            .filter(|info| info.name.as_str().starts_with(prefix))
            .collect())
    }
}

impl Buckets for AwsBuckets {
    fn create(&self, bucket: &BucketName) -> Result<(), CloudError> {
        const ACTION: &str = "s3:CreateBucket";
        let region = self.account.session().region().to_owned();
        let place = (region != NAMELESS).then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region.as_str()))
                .build()
        });
        let call = self
            .client()
            .create_bucket()
            .bucket(bucket.as_str())
            .object_ownership(ObjectOwnership::BucketOwnerEnforced)
            .set_create_bucket_configuration(place);
        let done = self.account.session().call(ACTION, async move {
            let sent = call.send().await;
            sent.map(drop).map_err(|error| fault::of(ACTION, &error))
        });
        let Err(fault) = done else {
            return Ok(());
        };
        if fault.class != ErrorClass::AlreadyExists {
            return Err(fault);
        }
        // Ours already: as good as made now, where it is in the right region.
        match self.locate(bucket)? {
            Some(found) if found.as_str() == region => Ok(()),
            _ => Err(fault),
        }
    }

    fn configure(&self, bucket: &BucketName, settings: &BucketSettings) -> Result<(), CloudError> {
        let region = self.account.session().region();
        let plan = settings::Plan::for_bucket(bucket, region, settings)?;
        plan.apply(self.account.session(), bucket, &settings.owner)?;
        self.put_tags(bucket, &settings.tags)
    }

    fn tags(&self, bucket: &BucketName) -> Result<Tags, CloudError> {
        const ACTION: &str = "s3:GetBucketTagging";
        let call = self
            .client()
            .get_bucket_tagging()
            .bucket(bucket.as_str())
            .expected_bucket_owner(self.owner()?.as_str());
        let answer = self.account.session().call(ACTION, async move {
            call.send().await.map_err(|error| fault::of(ACTION, &error))
        });
        match answer {
            Ok(answer) => Ok(answer
                .tag_set()
                .iter()
                .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                .collect()),
            Err(fault) if fault.code == "NoSuchTagSet" => Ok(Tags::new()),
            Err(fault) => Err(fault),
        }
    }

    fn put_tags(&self, bucket: &BucketName, tags: &Tags) -> Result<(), CloudError> {
        const ACTION: &str = "s3:PutBucketTagging";
        let mut set = Vec::new();
        for (key, value) in tags {
            let tag = Tag::builder().key(key).value(value).build();
            set.push(tag.map_err(|error| unbuilt(ACTION, &error))?);
        }
        let tagging = Tagging::builder().set_tag_set(Some(set)).build();
        let call = self
            .client()
            .put_bucket_tagging()
            .bucket(bucket.as_str())
            .tagging(tagging.map_err(|error| unbuilt(ACTION, &error))?)
            .expected_bucket_owner(self.owner()?.as_str());
        self.account.session().call(ACTION, async move {
            let sent = call.send().await;
            sent.map(drop).map_err(|error| fault::of(ACTION, &error))
        })
    }

    fn list(&self, prefix: &str) -> Result<Vec<BucketInfo>, CloudError> {
        self.own(prefix)
    }

    fn locate(&self, bucket: &BucketName) -> Result<Option<Region>, CloudError> {
        const ACTION: &str = "s3:ListBucket";
        let call = self
            .client()
            .head_bucket()
            .bucket(bucket.as_str())
            .expected_bucket_owner(self.owner()?.as_str());
        let answer = self.account.session().call(ACTION, async move {
            match call.send().await {
                Ok(answer) => Ok(answer.bucket_region().map(str::to_owned)),
                Err(error) => {
                    // The answer of a bucket elsewhere is a redirection that names its region.
                    let elsewhere = error
                        .raw_response()
                        .filter(|raw| raw.status().as_u16() != 403)
                        .and_then(|raw| raw.headers().get("x-amz-bucket-region"))
                        .map(str::to_owned);
                    match elsewhere {
                        Some(region) => Ok(Some(region)),
                        None => Err(fault::of(ACTION, &error)),
                    }
                }
            }
        });
        let said = match answer {
            Ok(said) => said,
            Err(fault) if fault.class == ErrorClass::NotFound => return Ok(None),
            // Somebody else's, or ours without the permission: the list of our own tells.
            Err(fault) if fault.class == ErrorClass::Denied => {
                let own = self.own(bucket.as_str())?;
                return if own.iter().any(|info| info.name == *bucket) {
                    Err(fault)
                } else {
                    Ok(None)
                };
            }
            Err(fault) => return Err(fault),
        };
        let region = said.as_deref().unwrap_or(self.account.session().region());
        let region = region.parse::<Region>();
        region
            .map(Some)
            .map_err(|error| fault::with_class(ACTION, ErrorClass::Other, &error.to_string()))
    }

    fn empty(&self, bucket: &BucketName) -> Result<(), CloudError> {
        let owner = self.owner()?;
        gone_is_fine(clear::bucket(self.account.session(), bucket, &owner))
    }

    fn delete(&self, bucket: &BucketName) -> Result<(), CloudError> {
        const ACTION: &str = "s3:DeleteBucket";
        let call = self
            .client()
            .delete_bucket()
            .bucket(bucket.as_str())
            .expected_bucket_owner(self.owner()?.as_str());
        gone_is_fine(self.account.session().call(ACTION, async move {
            let sent = call.send().await;
            sent.map(drop).map_err(|error| fault::of(ACTION, &error))
        }))
    }

    fn store(&self, bucket: &BucketName) -> Arc<dyn ObjectStore> {
        let store = S3Store::new(self.account.session(), S3Location::whole(bucket.clone()));
        // The bucket's name holds the account, so whoever knows it has asked; nobody is asked here.
        Arc::new(match self.account.known() {
            Some(caller) => store.owned_by(&caller.account),
            None => store,
        })
    }
}

fn gone_is_fine(done: Result<(), CloudError>) -> Result<(), CloudError> {
    match done {
        Err(fault) if fault.class == ErrorClass::NotFound => Ok(()),
        other => other,
    }
}

/// A request that lacks something that the service needs.
fn unbuilt(action: &'static str, error: &aws_sdk_s3::error::BuildError) -> CloudError {
    fault::with_class(action, ErrorClass::Invalid, &error.to_string())
}
