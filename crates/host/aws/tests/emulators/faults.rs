//! A store whose line, service or bucket misbehaves.

use std::net::SocketAddr;

use aws::S3Store;
use cloud::{ObjectKey, ObjectStore, StoreError};

use crate::line::{Fate, Line};
use crate::world;

const BUSY: &str =
    "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";
const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>not you</Message></Error>";

fn key(text: &str) -> ObjectKey {
    text.parse().unwrap()
}

/// The emulator, and a store on a line to it that follows the rule; both in the same bucket.
fn on_a_line(
    rule: impl Fn(&crate::line::Seen, usize) -> Fate + Send + Sync + 'static,
) -> Option<(S3Store, S3Store, Line, SocketAddr)> {
    let address = world::ministack()?;
    let bucket = world::new_bucket(address);
    let line = Line::to(address, rule);
    let straight = S3Store::new(&world::session(address), bucket.clone());
    let bent = S3Store::new(&world::session(line.address()), bucket);
    Some((straight, bent, line, address))
}

#[test]
fn a_busy_service_is_asked_again() {
    let Some((straight, store, line, _)) = on_a_line(|_, n| {
        if n < 2 {
            Fate::Answer(503, BUSY)
        } else {
            Fate::Pass
        }
    }) else {
        return;
    };
    store.put_if_absent(&key("a"), b"1").unwrap();
    assert_eq!(line.seen().len(), 3);
    assert_eq!(straight.get(&key("a"), 9).unwrap().unwrap(), b"1");
}

#[test]
fn a_service_that_stays_busy_is_an_error_that_passes() {
    let Some((straight, store, line, _)) = on_a_line(|_, _| Fate::Answer(503, BUSY)) else {
        return;
    };
    let error = store.put_if_absent(&key("a"), b"1").unwrap_err();
    assert_eq!(error.code(), "cloud_throttled");
    assert!(format!("{error:?}").contains("SlowDown"), "{error:?}");
    assert_eq!(line.seen().len(), 5);
    assert_eq!(straight.size(&key("a")).unwrap(), None);
}

#[test]
fn a_refusal_is_not_asked_again() {
    let Some((_, store, line, _)) = on_a_line(|_, _| Fate::Answer(403, DENIED)) else {
        return;
    };
    let error = store.put_if_absent(&key("a"), b"1").unwrap_err();
    assert_eq!(error.code(), "cloud_denied");
    assert!(
        format!("{error:?}").contains(r#"code: "AccessDenied", message: "not you""#),
        "{error:?}"
    );
    assert_eq!(line.seen().len(), 1);
    // Not allowed to look is not the same as absent.
    assert_eq!(store.size(&key("a")).unwrap_err().code(), "cloud_denied");
    assert_eq!(store.get(&key("a"), 9).unwrap_err().code(), "cloud_denied");
}

#[test]
fn denied_is_absent_where_a_listing_does_not_have_it() {
    let Some((straight, store, _, _)) = on_a_line(|seen, _| {
        // As S3 answers credentials that may list a prefix but not the bucket.
        if seen.target.contains("list-type=2") {
            Fate::Pass
        } else {
            Fate::Answer(403, DENIED)
        }
    }) else {
        return;
    };
    assert_eq!(store.size(&key("a")).unwrap(), None);
    assert_eq!(store.get(&key("a"), 9).unwrap(), None);
    straight.put_if_absent(&key("ab"), b"1").unwrap();
    assert_eq!(store.size(&key("a")).unwrap(), None);
    straight.put_if_absent(&key("a"), b"1").unwrap();
    assert_eq!(store.size(&key("a")).unwrap_err().code(), "cloud_denied");
    assert_eq!(store.get(&key("a"), 9).unwrap_err().code(), "cloud_denied");
}

#[test]
fn a_connection_that_ends_before_the_request_is_heard_is_tried_again() {
    let Some((straight, store, _, _)) =
        on_a_line(|_, n| if n == 0 { Fate::Cut } else { Fate::Pass })
    else {
        return;
    };
    store.put_if_absent(&key("a"), b"1").unwrap();
    assert_eq!(straight.get(&key("a"), 9).unwrap().unwrap(), b"1");
}

#[test]
fn a_write_whose_answer_was_lost_is_no_conflict_with_itself() {
    let Some((straight, store, line, _)) =
        on_a_line(|_, n| if n == 0 { Fate::CutAnswer } else { Fate::Pass })
    else {
        return;
    };
    store.put_if_absent(&key("a"), b"1").unwrap();
    let methods: Vec<String> = line.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["PUT", "PUT", "HEAD"]);
    assert_eq!(straight.get(&key("a"), 9).unwrap().unwrap(), b"1");
    // The same bytes by another call are a conflict.
    assert_eq!(
        store.put_if_absent(&key("a"), b"1").unwrap_err().code(),
        "store_exists"
    );
}

#[test]
fn every_write_carries_its_condition_and_its_digest() {
    let Some((_, store, line, _)) = on_a_line(|_, _| Fate::Pass) else {
        return;
    };
    store.put_if_absent(&key("a"), b"hello").unwrap();
    let head = line.seen()[0].head.clone();
    assert!(head.contains("if-none-match: *\r\n"), "{head}");
    // SHA-256 of "hello", base64; in lower case here as all of the head.
    let sum = "x-amz-checksum-sha256: lpjnul+wow4m6dsqxbninhswhlwfp0jecwqzypolmcq=\r\n";
    assert!(head.contains(sum), "{head}");
    assert!(
        head.contains(
            "x-amz-meta-sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        ),
        "{head}"
    );
}

#[test]
fn bytes_that_change_on_the_way_up_are_refused_by_the_service() {
    let Some((straight, store, _, _)) = on_a_line(|seen, _| {
        if seen.method == "PUT" {
            Fate::BendRequest(0)
        } else {
            Fate::Pass
        }
    }) else {
        return;
    };
    let error = store.put_if_absent(&key("a"), b"hello").unwrap_err();
    assert_eq!(error.code(), "cloud_invalid", "{error:?}");
    assert_eq!(straight.size(&key("a")).unwrap(), None);
}

#[test]
fn bytes_that_change_on_the_way_down_are_corrupt() {
    let Some((straight, store, _, _)) = on_a_line(|_, _| Fate::BendAnswer(2)) else {
        return;
    };
    straight.put_if_absent(&key("a"), b"hello").unwrap();
    let expected = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    for error in [
        store.get(&key("a"), 9).unwrap_err(),
        store.copy_to(&key("a"), &mut Vec::new()).unwrap_err(),
    ] {
        assert!(
            matches!(&error, StoreError::Corrupt { expected: e, .. } if e == expected),
            "{error:?}"
        );
    }
}

#[test]
fn an_object_without_a_digest_is_not_believed() {
    let Some(address) = world::ministack() else {
        return;
    };
    let store = world::store(address);
    let path = format!("/{}/team/one/a", store.location().bucket());
    assert_eq!(world::raw(address, "PUT", &path, &[], b"hello"), 200);
    assert_eq!(store.get(&key("a"), 9).unwrap_err().code(), "store_corrupt");
    // Bytes at a place are bytes at a place: their reader has digests of his own.
    let mut buf = [0; 5];
    assert_eq!(store.read_at(&key("a"), 0, &mut buf).unwrap(), 5);
}

#[test]
fn a_broken_download_goes_on_where_it_ended_and_in_the_same_version() {
    let Some((straight, store, line, _)) = on_a_line(|_, n| match n {
        0 => Fate::Truncate(100_000),
        1 => Fate::Cut,
        2 => Fate::Truncate(1),
        _ => Fate::Pass,
    }) else {
        return;
    };
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    straight.put_if_absent(&key("a"), &bytes).unwrap();
    let mut out = Vec::new();
    assert_eq!(store.copy_to(&key("a"), &mut out).unwrap(), 1_200_000);
    assert!(out == bytes);
    let seen = line.seen();
    let range = |n: usize| {
        let head = &seen[n].head;
        head.split("\r\n")
            .find(|line| line.starts_with("range:"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(range(0), "range: bytes=0-8388607");
    assert_eq!(range(1), "range: bytes=100000-8388607");
    assert_eq!(range(2), "range: bytes=100000-8388607");
    assert_eq!(range(3), "range: bytes=100001-8388607");
    assert!(!seen[0].head.contains("if-match:"));
    assert!(seen[3].head.contains("if-match:"), "{}", seen[3].head);
}

#[test]
fn a_download_that_never_gets_on_is_an_error() {
    let Some((straight, store, _, _)) = on_a_line(|_, _| Fate::Truncate(0)) else {
        return;
    };
    straight.put_if_absent(&key("a"), b"hello").unwrap();
    let error = store.get(&key("a"), 9).unwrap_err();
    assert_eq!(error.code(), "cloud_unreachable", "{error}");
}

#[test]
fn an_answer_of_another_range_is_refused() {
    for range in [
        "bytes 1-4/5",
        "bytes 0-9/5",
        "bytes 0-4/4",
        "bytes 0-4/*",
        "nonsense",
    ] {
        let Some((straight, store, _, _)) =
            on_a_line(move |_, _| Fate::Header("content-range", range))
        else {
            return;
        };
        straight.put_if_absent(&key("a"), b"hello").unwrap();
        let error = store.get(&key("a"), 9).unwrap_err();
        assert_eq!(error.code(), "cloud_unreachable", "{range}: {error}");
    }
}

#[test]
fn an_object_that_is_replaced_while_it_is_read_is_noticed() {
    let Some(address) = world::ministack() else {
        return;
    };
    let store = world::store(address);
    let bytes = vec![7; (8 << 20) + 10];
    store.put_if_absent(&key("a"), &bytes).unwrap();
    let mut buf = [0; 4];
    store.read_at(&key("a"), 0, &mut buf).unwrap();
    let path = format!("/{}/team/one/a", store.location().bucket());
    assert_eq!(
        world::raw(address, "PUT", &path, &[], &vec![8; bytes.len()]),
        200
    );
    // The first window was of the first version; the next one must be too.
    let error = store.read_at(&key("a"), 8 << 20, &mut buf).unwrap_err();
    assert!(
        matches!(&error, StoreError::Changed { key: k } if *k == key("a")),
        "{error:?}"
    );
}

#[test]
fn a_part_that_fails_takes_the_whole_upload_back() {
    let Some((straight, store, line, address)) = on_a_line(|seen, _| {
        if seen.target.contains("partNumber=2") {
            Fate::Answer(403, DENIED)
        } else {
            Fate::Pass
        }
    }) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    std::fs::write(&file, vec![1; 40 << 20]).unwrap();
    let error = store.put_file_if_absent(&key("big"), &file).unwrap_err();
    assert_eq!(error.code(), "cloud_denied", "{error}");
    assert_eq!(straight.size(&key("big")).unwrap(), None);
    assert!(line.seen().iter().any(|seen| seen.method == "DELETE"));
    let path = format!("/{}?uploads", store.location().bucket());
    let (status, left) = world::raw_answer(address, "GET", &path, &[], b"");
    assert_eq!(status, 200);
    assert!(!left.contains("<UploadId>"), "{left}");
}

#[test]
fn a_completion_whose_answer_was_lost_is_done() {
    let Some((straight, store, _, _)) = on_a_line({
        let cut = std::sync::atomic::AtomicBool::new(false);
        move |seen, _| {
            let completes = seen.method == "POST" && seen.target.contains("uploadId=");
            if completes && !cut.swap(true, std::sync::atomic::Ordering::Relaxed) {
                Fate::CutAnswer
            } else {
                Fate::Pass
            }
        }
    }) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    std::fs::write(&file, vec![1; 17 << 20]).unwrap();
    store.put_file_if_absent(&key("big"), &file).unwrap();
    assert_eq!(straight.size(&key("big")).unwrap(), Some(17 << 20));
}

#[test]
fn r51_foreign_names_in_the_bucket_are_not_listed() {
    let Some(address) = world::ministack() else {
        return;
    };
    let store = world::store(address);
    store.put_if_absent(&key("runs/r1/job"), b"x").unwrap();
    for name in [
        "team/one/runs/r1/..%2F..%2Fetc%2Fpasswd",
        "team/one/runs/r1/.hidden",
        "team/one/runs/r1/%24%28id%29",
        "team/one/runs/r1/a%0Ab",
        "team/one/runs/r1//x",
        "team/two/runs/r1/job",
    ] {
        let path = format!("/{}/{name}", store.location().bucket());
        assert_eq!(world::raw(address, "PUT", &path, &[], b"x"), 200, "{name}");
    }
    assert_eq!(store.list(&key("runs")).unwrap(), [key("runs/r1/job")]);
}

#[test]
fn a_listing_of_many_pages_is_whole() {
    let Some(address) = world::ministack() else {
        return;
    };
    let store = world::store(address);
    for n in 0..1003 {
        let path = format!("/{}/team/one/many/{n:04}", store.location().bucket());
        assert_eq!(world::raw(address, "PUT", &path, &[], b"x"), 200);
    }
    let all = store.list(&key("many")).unwrap();
    assert_eq!(all.len(), 1003);
    assert_eq!(all[1002], key("many/1002"));
}

#[test]
fn a_bucket_that_is_not_there_is_refused() {
    let Some(address) = world::ministack() else {
        return;
    };
    let location = "s3://there-is-no-such-bucket/x".parse().unwrap();
    let store = S3Store::new(&world::session(address), location);
    let error = store.put_if_absent(&key("a"), b"1").unwrap_err();
    assert_eq!(error.code(), "cloud_not_found");
    assert!(format!("{error:?}").contains("NoSuchBucket"), "{error}");
    assert_eq!(
        store.get(&key("a"), 9).unwrap_err().code(),
        "cloud_not_found"
    );
    assert_eq!(store.list(&key("a")).unwrap_err().code(), "cloud_not_found");
}
