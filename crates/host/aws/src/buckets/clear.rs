//! Removes everything that is in a bucket: objects, old versions, markers, unfinished uploads.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use cloud::{AccountId, BucketName, CloudError, ErrorClass};

use super::unbuilt;
use crate::fault;
use crate::session::Session;

const VERSIONS: &str = "s3:ListBucketVersions";
const DELETE: &str = "s3:DeleteObject";
const UPLOADS: &str = "s3:ListBucketMultipartUploads";
const ABORT: &str = "s3:AbortMultipartUpload";
/// Pages of a thousand. Whoever goes on writing while the bucket is cleared must not keep this busy.
const MOST_PAGES: u32 = 10_000;

pub(super) fn bucket(
    session: &Session,
    bucket: &BucketName,
    owner: &AccountId,
) -> Result<(), CloudError> {
    let work = Work {
        client: session.s3(),
        bucket: bucket.to_string(),
        owner: owner.to_string(),
    };
    session.call(DELETE, async move {
        work.versions().await?;
        work.uploads().await
    })
}

struct Work {
    client: aws_sdk_s3::Client,
    bucket: String,
    owner: String,
}

impl Work {
    /// Always the first page again: what was removed is not in it any more.
    async fn versions(&self) -> Result<(), CloudError> {
        for _ in 0..MOST_PAGES {
            let page = self
                .client
                .list_object_versions()
                .bucket(&self.bucket)
                .expected_bucket_owner(&self.owner)
                .send()
                .await
                .map_err(|error| fault::of(VERSIONS, &error))?;
            let versions = page
                .versions()
                .iter()
                .map(|one| (one.key(), one.version_id()));
            let markers = page
                .delete_markers()
                .iter()
                .map(|one| (one.key(), one.version_id()));
            let mut doomed = Vec::new();
            for (key, version) in versions.chain(markers) {
                let object = ObjectIdentifier::builder()
                    .key(key.unwrap_or_default())
                    .set_version_id(version.map(str::to_owned))
                    .build();
                doomed.push(object.map_err(|error| unbuilt(DELETE, &error))?);
            }
            if doomed.is_empty() {
                return Ok(());
            }
            self.delete(doomed).await?;
        }
        Err(fault::no_answer(DELETE, "the bucket does not become empty"))
    }

    async fn delete(&self, objects: Vec<ObjectIdentifier>) -> Result<(), CloudError> {
        let doomed = Delete::builder()
            .set_objects(Some(objects))
            .quiet(true)
            .build();
        let answer = self
            .client
            .delete_objects()
            .bucket(&self.bucket)
            .expected_bucket_owner(&self.owner)
            .delete(doomed.map_err(|error| unbuilt(DELETE, &error))?)
            .send()
            .await
            .map_err(|error| fault::of(DELETE, &error))?;
        // The answer as a whole is a success also where single objects were refused.
        let Some(refused) = answer.errors().first() else {
            return Ok(());
        };
        let code = refused.code().unwrap_or_default();
        let class = match code {
            "AccessDenied" => ErrorClass::Denied,
            _ => ErrorClass::Transient,
        };
        let words = format!(
            "{}: {code} {}",
            refused.key().unwrap_or_default(),
            refused.message().unwrap_or_default()
        );
        Err(fault::with_class(DELETE, class, &words))
    }

    async fn uploads(&self) -> Result<(), CloudError> {
        for _ in 0..MOST_PAGES {
            let page = self
                .client
                .list_multipart_uploads()
                .bucket(&self.bucket)
                .expected_bucket_owner(&self.owner)
                .send()
                .await
                .map_err(|error| fault::of(UPLOADS, &error))?;
            if page.uploads().is_empty() {
                return Ok(());
            }
            for upload in page.uploads() {
                let done = self
                    .client
                    .abort_multipart_upload()
                    .bucket(&self.bucket)
                    .set_key(upload.key().map(str::to_owned))
                    .set_upload_id(upload.upload_id().map(str::to_owned))
                    .expected_bucket_owner(&self.owner)
                    .send()
                    .await
                    .map_err(|error| fault::of(ABORT, &error));
                match done {
                    // Ended by somebody else in between.
                    Err(fault) if fault.code != "NoSuchUpload" => return Err(fault),
                    _ => {}
                }
            }
        }
        Err(fault::no_answer(ABORT, "unfinished uploads do not end"))
    }
}
