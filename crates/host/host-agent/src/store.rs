//! The run store that was named: a folder, or a bucket.

use std::error::Error;
use std::sync::Arc;

use cloud::{FolderStore, ObjectStore};
use infra::host_config::HostConfig;

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

/// The bucket of powers of tau that the machine was told to ask first, if it was: this machine pays for reading
/// (infra/mirror.yaml). It lies in the machine's own region, or is passed over.
pub fn mirror_of(
    host: Option<&HostConfig>,
) -> Result<Option<Arc<dyn ObjectStore>>, Box<dyn Error>> {
    let bucket = host.and_then(|host| host.ptau_mirror.as_deref());
    bucket.map(mirror).transpose()
}

#[cfg(feature = "aws")]
fn mirror(bucket: &str) -> Result<Arc<dyn ObjectStore>, Box<dyn Error>> {
    let location = format!("s3://{bucket}").parse()?;
    let session = aws::Session::open(&aws::Settings::default())?;
    Ok(Arc::new(aws::S3Store::new(&session, location).paying()))
}

#[cfg(not(feature = "aws"))]
fn mirror(_bucket: &str) -> Result<Arc<dyn ObjectStore>, Box<dyn Error>> {
    Err("this build has no support for AWS".into())
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

    fn told(ptau_mirror: Option<&str>) -> HostConfig {
        HostConfig {
            run: "run".to_owned(),
            enclave_memory_mib: 64,
            enclave_cpus: 2,
            pcrs: [[1; 48]; 3],
            host_memory_mib: 64,
            ptau_mirror: ptau_mirror.map(str::to_owned),
            artifacts: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn a_mirror_is_used_where_the_machine_was_told_of_one() {
        assert!(mirror_of(None).unwrap().is_none());
        assert!(mirror_of(Some(&told(None))).unwrap().is_none());
        // Never silently without: it is there, or it is said why not.
        match mirror_of(Some(&told(Some("ptau-mirror")))) {
            Ok(store) => assert!(format!("{:?}", store.unwrap()).contains("Requester")),
            Err(error) => assert!(error.to_string().contains("AWS"), "{error}"),
        }
    }
}
