//! Objects for people: a type for browsers, and links that let anyone who has them read one object for a while.

use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use cloud::{ErrorClass, ObjectKey, PresignedUrl, Shelf, StoreError};

use super::put::Headers;
use super::{S3Store, failed};
use crate::fault;

/// The permission.
const GET: &str = "s3:GetObject";

impl Shelf for S3Store {
    fn put_for_people(
        &self,
        key: &ObjectKey,
        file: &Path,
        content_type: &str,
    ) -> Result<(), StoreError> {
        self.put_file(key, file, Headers::of_type(content_type))
    }

    /// Temporary credentials end the link earlier.
    fn presign(
        &self,
        key: &ObjectKey,
        lifetime: Duration,
    ) -> Result<Option<PresignedUrl>, StoreError> {
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
            Ok(Some(PresignedUrl::new(signed.uri().to_owned())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Session, Settings};

    #[test]
    fn r52_a_link_has_these_fields_and_no_others() {
        let session = Session::open(&Settings {
            region: Some("eu-central-1".to_owned()),
            profile: None,
            emulator: Some("https://s3.invalid".to_owned()),
        })
        .unwrap();
        let store = S3Store::new(&session, "s3://bucket/public".parse().unwrap());
        let key = "a/final.zkey".parse().unwrap();
        let url = store.presign(&key, Duration::from_hours(1)).unwrap();
        let url = url.unwrap();
        let (address, query) = url.reveal().split_once('?').unwrap();
        assert_eq!(address, "https://s3.invalid/bucket/public/a/final.zkey");
        let scoped = "a/@scope/x.circom".parse().unwrap();
        let scoped = store.presign(&scoped, Duration::from_hours(1)).unwrap();
        let scoped = scoped.unwrap();
        let (address, _) = scoped.reveal().split_once('?').unwrap();
        assert_eq!(
            address,
            "https://s3.invalid/bucket/public/a/%40scope/x.circom"
        );
        let mut fields: Vec<&str> = query
            .split('&')
            .map(|field| match field.split_once('=').unwrap() {
                (name @ ("X-Amz-Credential" | "X-Amz-Date" | "X-Amz-Signature"), _) => name,
                _ => field,
            })
            .collect();
        fields.sort_unstable();
        // What `controller publish` takes for a link is this list (commands/publish/links.rs).
        assert_eq!(
            fields,
            [
                "X-Amz-Algorithm=AWS4-HMAC-SHA256",
                "X-Amz-Credential",
                "X-Amz-Date",
                "X-Amz-Expires=3600",
                "X-Amz-Signature",
                "X-Amz-SignedHeaders=host",
                "x-id=GetObject",
            ]
        );
    }
}
