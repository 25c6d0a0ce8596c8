//! A bucket as a run has one: made, closed, written, read, and removed.

use std::time::Duration;

use cloud::{
    AccountId, BucketName, BucketSettings, CloudError, ObjectKey, RunId, Services, StoreError,
    Timestamp, tags,
};

use super::row::{Row, Status};
use crate::error::CliError;

const ID: &str = "bucket";
const TITLE: &str = "a bucket as a run's";
/// `reap` may remove it from then on, should this end in the middle.
const LIFETIME: Duration = Duration::from_hours(1);
const BYTES: &[u8] = b"attested ceremony: doctor";

/// Tries it, and removes what it made, however the trial went.
pub(super) fn bucket(services: &Services, account: &AccountId, now: Timestamp) -> Row {
    let (run, bucket) = match name(account) {
        Ok(named) => named,
        Err(row) => return row,
    };
    let settings = BucketSettings {
        owner: account.clone(),
        keep_days: 1,
        tags: tags::of_run(&run, now.after(LIFETIME)),
    };
    let tried = attempt(services, &run, &bucket, &settings);
    let removed = services
        .buckets
        .empty(&bucket)
        .and_then(|()| services.buckets.delete(&bucket));
    match (tried, removed) {
        (Ok(()), Ok(())) => Row::ok(ID, TITLE, "made, closed, written once, read, removed"),
        (Err(row), Ok(())) => row,
        (tried, Err(error)) => {
            let row = tried
                .err()
                .unwrap_or_else(|| Row::refused(ID, TITLE, &error));
            let detail = format!("{}; {bucket} may still be there: {error}", row.detail);
            let hint = "`controller reap` removes it in an hour; it holds nothing";
            Row { detail, ..row }.but(Status::Failed, hint)
        }
    }
}

/// The name of a run that nobody has.
fn name(account: &AccountId) -> Result<(RunId, BucketName), Row> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed)
        .map_err(|error| Row::error(ID, TITLE, &CliError::Randomness(error)))?;
    let run: RunId = format!("doctor-{}", hex::encode(seed))
        .parse()
        .map_err(|error| of_store(StoreError::from(error)))?;
    let bucket = run
        .bucket(account)
        .map_err(|error| wrong(&error.to_string()))?;
    Ok((run, bucket))
}

fn attempt(
    services: &Services,
    run: &RunId,
    bucket: &BucketName,
    settings: &BucketSettings,
) -> Result<(), Row> {
    let refused = |error: CloudError| Row::refused(ID, TITLE, &error);
    services.buckets.create(bucket).map_err(refused)?;
    services
        .buckets
        .configure(bucket, settings)
        .map_err(refused)?;
    let store = services.buckets.store(bucket);
    let key: ObjectKey = format!("runs/{run}/doctor")
        .parse()
        .map_err(|error| of_store(StoreError::from(error)))?;
    store.put_if_absent(&key, BYTES).map_err(of_store)?;
    let read = store.get(&key, 1 << 10).map_err(of_store)?;
    if read.as_deref() != Some(BYTES) {
        return Err(wrong("what was written is not what is read"));
    }
    // A run's records rest on this: the second writer is told.
    match store.put_if_absent(&key, b"again") {
        Err(StoreError::Exists { .. }) => Ok(()),
        Err(error) => Err(of_store(error)),
        Ok(()) => Err(wrong("an object was replaced in spite of If-None-Match")),
    }
}

fn of_store(error: StoreError) -> Row {
    match error {
        StoreError::Cloud { source, .. } => Row::refused(ID, TITLE, &source),
        error => Row::error(ID, TITLE, &error.into()),
    }
}

fn wrong(what: &str) -> Row {
    let hint = "this is no S3 that a run can work with";
    Row::ok(ID, TITLE, what).but(Status::Failed, hint)
}
