//! Listing: every page, and only names that keys can say.

use cloud::{CloudError, ObjectKey, StoreError};

use super::{Place, failed};
use crate::fault;

/// The permission.
const LIST: &str = "s3:ListBucket";
/// A run has a few hundred objects; a bucket that lists more than this under it is not one of ours, or the
/// service goes round in circles.
const MOST_KEYS: usize = 1_000_000;

/// Keys under `prefix`, ascending.
pub(super) async fn keys(place: &Place, prefix: &ObjectKey) -> Result<Vec<ObjectKey>, StoreError> {
    let inside = format!("{prefix}/");
    let mut pages = place
        .client
        .list_objects_v2()
        .bucket(place.location.bucket())
        .prefix(place.location.name(prefix) + "/")
        .set_expected_bucket_owner(place.owner.clone())
        .set_request_payer(place.payer.clone())
        .into_paginator()
        .send();
    let (mut found, mut seen) = (Vec::new(), 0_usize);
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed(prefix.as_str(), fault::of(LIST, &error)))?;
        for object in page.contents() {
            seen = seen.saturating_add(1);
            let key = object.key().and_then(|name| place.location.key(name));
            // A name that no key can say was not written by a store.
            found.extend(key.filter(|key| key.as_str().starts_with(&inside)));
        }
        if seen > MOST_KEYS {
            let words = format!("more than {MOST_KEYS} objects");
            return Err(failed(prefix.as_str(), fault::no_answer(LIST, &words)));
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a listing names this object.
pub(super) async fn holds(place: &Place, key: &ObjectKey) -> Result<bool, CloudError> {
    let name = place.location.name(key);
    let page = place
        .client
        .list_objects_v2()
        .bucket(place.location.bucket())
        .prefix(&name)
        .max_keys(1)
        .set_expected_bucket_owner(place.owner.clone())
        .set_request_payer(place.payer.clone())
        .send()
        .await
        .map_err(|error| fault::of(LIST, &error))?;
    // The exact name is the first of all that begin with it.
    Ok(page
        .contents()
        .iter()
        .any(|object| object.key() == Some(name.as_str())))
}
