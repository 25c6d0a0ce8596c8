//! Names the cloud gives or takes, checked once at the border.

use std::fmt;
use std::str::FromStr;

use crate::RunId;

/// A text that is not a name of the kind that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {kind}")]
pub struct NameError {
    /// What was expected, with its article.
    pub kind: &'static str,
    /// What was given, shortened.
    pub text: String,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError { kind: $kind, text: text.chars().take(80).collect() })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// Account number: twelve digits.
    AccountId,
    "an account number",
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
);
name!(
    /// Region, for example `eu-central-1`.
    Region,
    "a region",
    |text| text.len() <= 32 && text.contains('-') && all(text, lower_digit_or(b"-"))
);
name!(
    /// Availability zone, for example `eu-central-1a`.
    Zone,
    "an availability zone",
    |text| text.len() <= 40 && text.contains('-') && all(text, lower_digit_or(b"-"))
);
name!(
    /// Instance type, for example `r8g.4xlarge`.
    InstanceType,
    "an instance type",
    |text| text.len() <= 40 && text.contains('.') && all(text, lower_digit_or(b".-"))
);
name!(
    /// Instance id, for example `i-0123456789abcdef0`.
    InstanceId,
    "an instance id",
    |text| text.strip_prefix("i-").is_some_and(is_hex_id)
);
name!(
    /// Volume id, for example `vol-0123456789abcdef0`.
    VolumeId,
    "a volume id",
    |text| text.strip_prefix("vol-").is_some_and(is_hex_id)
);
name!(
    /// Bucket name: 3 to 63 of lower-case letters, digits and hyphens. Dots, which S3 allows, are not
    /// taken: they break TLS names.
    BucketName,
    "a bucket name",
    |text| (3..=63).contains(&text.len())
        && all(text, lower_digit_or(b"-"))
        && !text.starts_with('-')
        && !text.ends_with('-')
);
name!(
    /// Stack name: a letter, then up to 127 letters, digits and hyphens.
    StackName,
    "a stack name",
    |text| text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && all(text, |b| b.is_ascii_alphanumeric() || b == b'-')
);
name!(
    /// Stack id: an ARN, which stays that stack's own after it is deleted and its name is taken again.
    StackId,
    "a stack id",
    |text| text.len() <= 300
        && text.starts_with("arn:")
        && text.contains(":stack/")
        && all(text, |b| b.is_ascii_alphanumeric() || b":/-".contains(&b))
);

name!(
    /// ARN of an SNS topic, for example `arn:aws:sns:eu-central-1:123456789012:alarms`. First-in-first-out topics,
    /// whose names end with `.fifo`, are not taken: alarms cannot use them.
    TopicArn,
    "the ARN of an SNS topic",
    |text| {
        let parts: Vec<&str> = text.split(':').collect();
        let [arn, partition, service, region, account, topic] = parts[..] else {
            return false;
        };
        arn == "arn"
            && all(partition, lower_digit_or(b"-"))
            && service == "sns"
            && region.parse::<Region>().is_ok()
            && account.parse::<AccountId>().is_ok()
            && topic.len() <= 256
            && all(topic, |b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    }
);

impl TopicArn {
    /// Where the topic is.
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl RunId {
    /// Name of the run's bucket. It holds the account number, so that the name that another account may
    /// have taken is never mistaken for ours, and it can be told from the run's id alone.
    pub fn bucket(&self, account: &AccountId) -> Result<BucketName, NameError> {
        format!("{BUCKET_PREFIX}-{account}-{self}").parse()
    }

    /// Name of the stack of the run's `attempt`, from 0 on: one per place that was tried.
    pub fn stack(&self, attempt: u32) -> Result<StackName, NameError> {
        format!("{BUCKET_PREFIX}-{self}-{attempt}").parse()
    }

    /// The run whose bucket this is, if it is one of this account's.
    pub fn of_bucket(account: &AccountId, bucket: &BucketName) -> Option<Self> {
        let rest = bucket.as_str().strip_prefix(&bucket_prefix(account))?;
        rest.parse().ok()
    }
}

/// What the names of all run buckets of an account begin with.
pub fn bucket_prefix(account: &AccountId) -> String {
    format!("{BUCKET_PREFIX}-{account}-")
}

const BUCKET_PREFIX: &str = "attested-ceremony";

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(allowed)
}

fn lower_digit_or(more: &'static [u8]) -> impl Fn(u8) -> bool {
    move |b| b.is_ascii_lowercase() || b.is_ascii_digit() || more.contains(&b)
}

fn is_hex_id(text: &str) -> bool {
    (8..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_s_bucket_and_stack_are_told_from_its_id() {
        let account: AccountId = "123456789012".parse().unwrap();
        let run: RunId = "run-0123456789abcdef".parse().unwrap();
        let bucket = run.bucket(&account).unwrap();
        assert_eq!(
            bucket.as_str(),
            "attested-ceremony-123456789012-run-0123456789abcdef"
        );
        assert_eq!(RunId::of_bucket(&account, &bucket), Some(run.clone()));
        let other: AccountId = "210987654321".parse().unwrap();
        assert_eq!(RunId::of_bucket(&other, &bucket), None);
        assert_eq!(
            run.stack(3).unwrap().as_str(),
            "attested-ceremony-run-0123456789abcdef-3"
        );
    }

    #[test]
    fn names_of_another_kind_are_refused() {
        assert!("eu-central-1".parse::<Region>().is_ok());
        for bad in [
            "",
            "eu",
            "EU-central-1",
            "eu-central-1/../x",
            "eu_central-1",
        ] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
        assert!("i-0123456789abcdef0".parse::<InstanceId>().is_ok());
        for bad in ["i-", "i-xyz45678", "vol-0123456789abcdef0", "i-0123 4567"] {
            assert!(bad.parse::<InstanceId>().is_err(), "{bad}");
        }
        for bad in ["-a-b", "a.b.c", "Abc", "ab", "a_b"] {
            assert!(bad.parse::<BucketName>().is_err(), "{bad}");
        }
        let topic: TopicArn = "arn:aws:sns:eu-central-1:123456789012:alarms"
            .parse()
            .unwrap();
        assert_eq!(topic.region(), "eu-central-1");
        for bad in [
            "",
            "alarms",
            "arn:aws:sqs:eu-central-1:123456789012:alarms",
            "arn:aws:sns:eu-central-1:1234:alarms",
            "arn:aws:sns:eu-central-1:123456789012:alarms.fifo",
            "arn:aws:sns:eu-central-1:123456789012:alarms:b6a6",
        ] {
            assert!(bad.parse::<TopicArn>().is_err(), "{bad}");
        }
        let run: RunId = "Run_1".parse().unwrap();
        let account: AccountId = "123456789012".parse().unwrap();
        assert!(run.bucket(&account).is_err());
        assert!("12345678901x".parse::<AccountId>().is_err());
        assert!(
            "arn:aws:cloudformation:eu-central-1:123456789012:stack/a/6b1c"
                .parse::<StackId>()
                .is_ok()
        );
    }
}
