//! A bucket and a prefix in it, as they are typed: `s3://BUCKET` or `s3://BUCKET/PREFIX`.

use std::fmt;
use std::str::FromStr;

use cloud::names::NameError;
use cloud::{BucketName, KeyError, ObjectKey};

/// A bucket and a prefix in it, both checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct S3Location {
    bucket: BucketName,
    prefix: Option<ObjectKey>,
}

impl S3Location {
    /// A whole bucket.
    pub fn whole(bucket: BucketName) -> Self {
        Self {
            bucket,
            prefix: None,
        }
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        self.bucket.as_str()
    }

    /// What every name in the bucket begins with; none: the whole bucket.
    pub fn prefix(&self) -> Option<&ObjectKey> {
        self.prefix.as_ref()
    }

    /// Whether a text is meant as one, valid or not.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("s3:")
    }

    /// The name in the bucket of an object.
    pub(crate) fn name(&self, key: &ObjectKey) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{key}"),
            None => key.to_string(),
        }
    }

    /// The object that a name in the bucket is of; `None` where no key can say that name.
    pub(crate) fn key(&self, name: &str) -> Option<ObjectKey> {
        let own = match &self.prefix {
            Some(prefix) => name.strip_prefix(prefix.as_str())?.strip_prefix('/')?,
            None => name,
        };
        own.parse().ok()
    }
}

impl FromStr for S3Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let rest = text.strip_prefix("s3://").ok_or(LocationError::Scheme)?;
        let (bucket, prefix) = match rest.split_once('/') {
            Some((bucket, prefix)) => (bucket, prefix.strip_suffix('/').unwrap_or(prefix)),
            None => (rest, ""),
        };
        let bucket = bucket.parse()?;
        let prefix = if prefix.is_empty() {
            None
        } else {
            Some(prefix.parse()?)
        };
        Ok(Self { bucket, prefix })
    }
}

impl fmt::Display for S3Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        match &self.prefix {
            Some(prefix) => write!(f, "/{prefix}"),
            None => Ok(()),
        }
    }
}

/// Why a text is not a bucket with a prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// It does not begin with `s3://`.
    #[error("not of the form s3://BUCKET/PREFIX")]
    Scheme,
    /// The bucket has no name that is taken.
    #[error(transparent)]
    Bucket(#[from] NameError),
    /// The prefix is not one that keys can have.
    #[error("the prefix is not one for objects of this store")]
    Prefix(#[from] KeyError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_what_was_typed() {
        for (text, bucket, prefix) in [
            ("s3://ceremonies", "ceremonies", None),
            ("s3://ceremonies/", "ceremonies", None),
            ("s3://my-ceremonies-1/a/b", "my-ceremonies-1", Some("a/b")),
            ("s3://ceremonies/a/", "ceremonies", Some("a")),
        ] {
            let location: S3Location = text.parse().unwrap();
            assert_eq!(location.bucket(), bucket);
            assert_eq!(location.prefix().map(ObjectKey::as_str), prefix);
            assert_eq!(location.to_string(), text.trim_end_matches('/'));
        }
    }

    #[test]
    fn r51_what_is_no_bucket_or_no_prefix_is_refused() {
        for bucket in [
            "", "ab", "Upper", "-a-", "a..b", "10.0.0.1", "a_b", "a b", "a\nb", "a%2fb",
        ] {
            assert!(
                matches!(
                    format!("s3://{bucket}/x").parse::<S3Location>(),
                    Err(LocationError::Bucket(_))
                ),
                "{bucket:?}"
            );
        }
        assert_eq!(
            "https://bucket/x".parse::<S3Location>(),
            Err(LocationError::Scheme)
        );
        for prefix in ["../x", "a//b", ".hidden", "a/$(id)", "a//"] {
            assert!(
                matches!(
                    format!("s3://bucket/{prefix}").parse::<S3Location>(),
                    Err(LocationError::Prefix(_))
                ),
                "{prefix:?}"
            );
        }
    }

    #[test]
    fn r51_names_outside_of_the_prefix_are_no_keys() {
        let location: S3Location = "s3://bucket/team/one".parse().unwrap();
        let key: ObjectKey = "runs/r1/job".parse().unwrap();
        assert_eq!(location.name(&key), "team/one/runs/r1/job");
        assert_eq!(location.key("team/one/runs/r1/job"), Some(key));
        for name in [
            "team/two/runs/r1/job",
            "team/onerous/job",
            "team/one",
            "team/one/",
            "team/one/../two/x",
            "team/one//etc/passwd",
            "team/one/.hidden",
            "team/one/a\\b",
        ] {
            assert_eq!(location.key(name), None, "{name:?}");
        }
    }
}
