//! Links that let anyone who has them read one object for a while.

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use cloud::{ErrorClass, ObjectKey, StoreError};

use super::{S3Store, failed};
use crate::fault;

/// The permission.
const GET: &str = "s3:GetObject";

/// A link with a signature in it. Whoever has it can read the object, so it is not in `Debug` output and
/// has no `Display`: who shows it says so.
pub struct PresignedUrl(String);

impl PresignedUrl {
    /// The link itself, to hand to a person. Never into a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = self.0.split('?').next().unwrap_or_default();
        write!(f, "PresignedUrl({public}?…)")
    }
}

impl S3Store {
    /// A link to read one object, until `lifetime` is over. Temporary credentials end it earlier.
    pub fn presign(&self, key: &ObjectKey, lifetime: Duration) -> Result<PresignedUrl, StoreError> {
        let (place, of) = (self.place.clone(), key.clone());
        self.wait(GET, key, async move {
            let config = PresigningConfig::expires_in(lifetime).map_err(|error| {
                let words = error.to_string();
                failed(
                    of.as_str(),
                    fault::with_class(GET, ErrorClass::Invalid, &words),
                )
            })?;
            let signed = place
                .client
                .get_object()
                .bucket(place.location.bucket())
                .key(place.location.name(&of))
                .presigned(config)
                .await
                .map_err(|error| failed(of.as_str(), fault::of(GET, &error)))?;
            Ok(PresignedUrl(signed.uri().to_owned()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r52_the_signature_of_a_link_is_not_in_debug_output() {
        let url = PresignedUrl("http://b/k?X-Amz-Signature=secret".to_owned());
        let text = format!("{url:?}");
        assert!(
            !text.contains("X-Amz-Signature") && !text.contains("secret"),
            "{text}"
        );
        assert!(url.reveal().ends_with("secret"));
    }
}
