//! The run store that was named: a folder, or a bucket.

use std::error::Error;
use std::sync::Arc;

use cloud::{FolderStore, ObjectStore};

/// Opens the store: `s3://BUCKET/PREFIX`, or else a folder, which is made if it is not there.
///
/// A bucket is reached in the region and with the credentials of the environment, as AWS's own programs
/// find them: on an instance, with the instance's role.
pub fn open(place: &str) -> Result<Arc<dyn ObjectStore>, Box<dyn Error>> {
    if place.starts_with("s3:") {
        return bucket(place);
    }
    Ok(Arc::new(FolderStore::open(place)?))
}

#[cfg(feature = "aws")]
fn bucket(place: &str) -> Result<Arc<dyn ObjectStore>, Box<dyn Error>> {
    let location = place.parse()?;
    let session = aws::Session::open(&aws::Settings::default())?;
    Ok(Arc::new(aws::S3Store::new(&session, location)))
}

#[cfg(not(feature = "aws"))]
fn bucket(_place: &str) -> Result<Arc<dyn ObjectStore>, Box<dyn Error>> {
    Err("this build has no support for AWS".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_folder_and_a_bucket_must_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("store");
        open(place.to_str().unwrap()).unwrap();
        assert!(place.is_dir());
        for text in ["s3://", "s3:bucket", "s3://UPPER/x", "s3://bucket/../x"] {
            assert!(open(text).is_err(), "{text}");
        }
    }
}
