//! The settings of a run's bucket, from `infra/bucket.json`: what is there is applied, and nothing else.

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus,
    LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use cloud::{AccountId, BucketName, BucketSettings, CloudError, ErrorClass};
use serde::Deserialize;
use serde_json::Value;

use super::unbuilt;
use crate::fault;
use crate::session::Session;

const DATA: &str = include_str!("../../../../../infra/bucket.json");
/// The permission that a fault of the data itself is reported under: the data's largest part.
const ACTION: &str = "s3:PutBucketPolicy";

/// The parts of the file that are applied here; tags are the caller's.
#[derive(Debug, Deserialize)]
struct Data {
    ownership_controls: Rules<OwnershipRule>,
    public_access_block: PublicAccess,
    encryption: Rules<EncryptionRule>,
    policy: Value,
    lifecycle: Rules<Life>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Rules<R> {
    rules: Vec<R>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OwnershipRule {
    object_ownership: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the four switches of S3")]
struct PublicAccess {
    block_public_acls: bool,
    ignore_public_acls: bool,
    block_public_policy: bool,
    restrict_public_buckets: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct EncryptionRule {
    apply_server_side_encryption_by_default: Algorithm,
    bucket_key_enabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Algorithm {
    #[serde(rename = "SSEAlgorithm")]
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Life {
    #[serde(rename = "ID")]
    id: String,
    status: String,
    filter: LifeFilter,
    abort_incomplete_multipart_upload: Option<AfterStart>,
    expiration: Option<After>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct LifeFilter {
    prefix: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AfterStart {
    days_after_initiation: i32,
}

/// A number of days as text: the file has a placeholder there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct After {
    days: String,
}

/// The settings of one bucket, filled in.
#[derive(Debug)]
pub(super) struct Plan {
    data: Data,
}

impl Plan {
    pub(super) fn for_bucket(
        bucket: &BucketName,
        region: &str,
        settings: &BucketSettings,
    ) -> Result<Self, CloudError> {
        // Names and numbers only: none of them can end a JSON string.
        let text = DATA
            .replace("${bucket}", bucket.as_str())
            .replace("${account}", settings.owner.as_str())
            .replace("${partition}", partition(region))
            .replace("${keep_days}", &settings.keep_days.to_string());
        let data = serde_json::from_str(&text).map_err(|error| {
            fault::with_class(
                ACTION,
                ErrorClass::Invalid,
                &format!("bucket.json: {error}"),
            )
        })?;
        Ok(Self { data })
    }

    /// Applies the settings, the ones that close the bucket first.
    pub(super) fn apply(
        self,
        session: &Session,
        bucket: &BucketName,
        owner: &AccountId,
    ) -> Result<(), CloudError> {
        let ownership = self.ownership()?;
        let access = self.public_access();
        let policy = self.data.policy.to_string();
        let encryption = self.encryption()?;
        let lifecycle = self.lifecycle()?;
        let client = session.s3();
        let (bucket, owner) = (bucket.to_string(), owner.to_string());
        session.call(ACTION, async move {
            client
                .put_bucket_ownership_controls()
                .bucket(&bucket)
                .expected_bucket_owner(&owner)
                .ownership_controls(ownership)
                .send()
                .await
                .map_err(|error| fault::of("s3:PutBucketOwnershipControls", &error))?;
            client
                .put_public_access_block()
                .bucket(&bucket)
                .expected_bucket_owner(&owner)
                .public_access_block_configuration(access)
                .send()
                .await
                .map_err(|error| fault::of("s3:PutBucketPublicAccessBlock", &error))?;
            client
                .put_bucket_policy()
                .bucket(&bucket)
                .expected_bucket_owner(&owner)
                .policy(policy)
                .send()
                .await
                .map_err(|error| fault::of(ACTION, &error))?;
            client
                .put_bucket_encryption()
                .bucket(&bucket)
                .expected_bucket_owner(&owner)
                .server_side_encryption_configuration(encryption)
                .send()
                .await
                .map_err(|error| fault::of("s3:PutEncryptionConfiguration", &error))?;
            client
                .put_bucket_lifecycle_configuration()
                .bucket(&bucket)
                .expected_bucket_owner(&owner)
                .lifecycle_configuration(lifecycle)
                .send()
                .await
                .map_err(|error| fault::of("s3:PutLifecycleConfiguration", &error))?;
            Ok(())
        })
    }

    fn ownership(&self) -> Result<OwnershipControls, CloudError> {
        let mut controls = OwnershipControls::builder();
        for rule in &self.data.ownership_controls.rules {
            let rule = OwnershipControlsRule::builder()
                .object_ownership(ObjectOwnership::from(rule.object_ownership.as_str()))
                .build();
            controls = controls.rules(rule.map_err(|error| unbuilt(ACTION, &error))?);
        }
        controls.build().map_err(|error| unbuilt(ACTION, &error))
    }

    fn public_access(&self) -> PublicAccessBlockConfiguration {
        let access = &self.data.public_access_block;
        PublicAccessBlockConfiguration::builder()
            .block_public_acls(access.block_public_acls)
            .ignore_public_acls(access.ignore_public_acls)
            .block_public_policy(access.block_public_policy)
            .restrict_public_buckets(access.restrict_public_buckets)
            .build()
    }

    fn encryption(&self) -> Result<ServerSideEncryptionConfiguration, CloudError> {
        let mut configuration = ServerSideEncryptionConfiguration::builder();
        for rule in &self.data.encryption.rules {
            let name = rule.apply_server_side_encryption_by_default.name.as_str();
            let default = ServerSideEncryptionByDefault::builder()
                .sse_algorithm(ServerSideEncryption::from(name))
                .build();
            configuration = configuration.rules(
                ServerSideEncryptionRule::builder()
                    .apply_server_side_encryption_by_default(
                        default.map_err(|error| unbuilt(ACTION, &error))?,
                    )
                    .bucket_key_enabled(rule.bucket_key_enabled)
                    .build(),
            );
        }
        configuration
            .build()
            .map_err(|error| unbuilt(ACTION, &error))
    }

    fn lifecycle(&self) -> Result<BucketLifecycleConfiguration, CloudError> {
        let mut configuration = BucketLifecycleConfiguration::builder();
        for life in &self.data.lifecycle.rules {
            let mut rule = LifecycleRule::builder()
                .id(&life.id)
                .status(ExpirationStatus::from(life.status.as_str()))
                .filter(
                    LifecycleRuleFilter::builder()
                        .prefix(&life.filter.prefix)
                        .build(),
                );
            if let Some(after) = &life.abort_incomplete_multipart_upload {
                rule = rule.abort_incomplete_multipart_upload(
                    AbortIncompleteMultipartUpload::builder()
                        .days_after_initiation(after.days_after_initiation)
                        .build(),
                );
            }
            if let Some(after) = &life.expiration {
                let days = after.days.parse().map_err(|_| {
                    let words = format!("bucket.json: {:?} is no number of days", after.days);
                    fault::with_class(ACTION, ErrorClass::Invalid, &words)
                })?;
                rule = rule.expiration(LifecycleExpiration::builder().days(days).build());
            }
            let rule = rule.build().map_err(|error| unbuilt(ACTION, &error))?;
            configuration = configuration.rules(rule);
        }
        configuration
            .build()
            .map_err(|error| unbuilt(ACTION, &error))
    }
}

/// The part of AWS that a region belongs to, as resource names spell it.
fn partition(region: &str) -> &'static str {
    if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else if region.starts_with("cn-") {
        "aws-cn"
    } else {
        "aws"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let settings = BucketSettings {
            owner: "123456789012".parse().unwrap(),
            keep_days: 30,
            tags: cloud::Tags::new(),
        };
        let bucket = "attested-ceremony-123456789012-r1".parse().unwrap();
        Plan::for_bucket(&bucket, "eu-central-1", &settings).unwrap()
    }

    #[test]
    fn r50_the_file_closes_the_bucket() {
        let access = plan().public_access();
        assert_eq!(access.block_public_acls(), Some(true));
        assert_eq!(access.ignore_public_acls(), Some(true));
        assert_eq!(access.block_public_policy(), Some(true));
        assert_eq!(access.restrict_public_buckets(), Some(true));
        let ownership = plan().ownership().unwrap();
        assert_eq!(
            ownership.rules()[0].object_ownership(),
            &ObjectOwnership::BucketOwnerEnforced
        );
    }

    #[test]
    fn every_placeholder_is_filled_in() {
        let plan = plan();
        let policy = plan.data.policy.to_string();
        assert!(!policy.contains("${"), "{policy}");
        assert!(policy.contains("arn:aws:s3:::attested-ceremony-123456789012-r1/*"));
        assert!(
            policy.contains(r#""aws:SecureTransport":"false""#),
            "{policy}"
        );
        let lifecycle = plan.lifecycle().unwrap();
        let days: Vec<_> = lifecycle
            .rules()
            .iter()
            .filter_map(|rule| rule.expiration()?.days())
            .collect();
        assert_eq!(days, [30]);
        assert!(
            lifecycle
                .rules()
                .iter()
                .any(|rule| rule.abort_incomplete_multipart_upload().is_some())
        );
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
    }
}
