//! What only buckets have: links, types.

use std::time::Duration;

use aws::S3Store;
use cloud::{ObjectKey, ObjectStore, Shelf, StoreError};

use crate::line::{Fate, Line};
use crate::world;

fn key(text: &str) -> ObjectKey {
    text.parse().unwrap()
}

#[test]
fn r52_a_link_reads_one_object_and_says_how_long() {
    let Some(address) = world::ministack() else {
        return;
    };
    let store = world::store(address);
    store.put_if_absent(&key("a"), b"hello").unwrap();
    let url = store.presign(&key("a"), Duration::from_mins(15)).unwrap();
    let url = url.unwrap();
    let link = url.reveal();
    assert!(link.contains("X-Amz-Expires=900"), "{link}");
    let path = link.strip_prefix(&format!("http://{address}")).unwrap();
    let (status, answer) = world::raw_answer(address, "GET", path, &[], b"");
    assert_eq!(status, 200);
    assert!(answer.ends_with("hello"), "{answer}");
    // Longer than S3 allows.
    let error = store
        .presign(&key("a"), Duration::from_hours(24 * 8))
        .unwrap_err();
    assert_eq!(error.code(), "cloud_invalid", "{error}");
}

#[test]
fn what_is_for_people_says_its_type_and_is_not_replaced() {
    let Some(address) = world::ministack() else {
        return;
    };
    let store = world::store(address);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, b"<!doctype html>").unwrap();
    let html = "text/html; charset=utf-8";
    let to = key("c/report.html");
    store.put_for_people(&to, &file, html).unwrap();
    let path = format!("/{}/team/one/c/report.html", store.location().bucket());
    let (_, answer) = world::raw_answer(address, "GET", &path, &[], b"");
    assert!(
        answer
            .to_ascii_lowercase()
            .contains("content-type: text/html"),
        "{answer}"
    );
    std::fs::write(&file, b"<!doctype other>").unwrap();
    let error = store.put_for_people(&to, &file, html).unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error:?}");
    let mut there = Vec::new();
    store.copy_sized(&to, 15, &mut there).unwrap();
    assert_eq!(there, b"<!doctype html>");
}

#[test]
fn a_store_that_pays_says_so_in_every_read() {
    let Some(address) = world::ministack() else {
        return;
    };
    let bucket = world::new_bucket(address);
    let line = Line::to(address, |_, _| Fate::Pass);
    let store = S3Store::new(&world::session(line.address()), bucket).paying();
    store.put_if_absent(&key("a"), b"hello").unwrap();
    store.get(&key("a"), 9).unwrap();
    store.size(&key("a")).unwrap();
    store.list(&key("x")).unwrap();
    for seen in line.seen() {
        assert!(
            seen.head.contains("x-amz-request-payer: requester"),
            "{}",
            seen.head
        );
    }
}
