//! What every object store does alike: the same cases on a folder and on a bucket.

use std::path::Path;

use cloud::{FolderStore, ObjectKey, ObjectStore, StoreError};

use crate::world;

#[test]
fn a_folder_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::open(folder.path().join("store")).unwrap();
    conforms(&store, folder.path());
}

#[test]
fn a_bucket_conforms() {
    let Some(address) = world::ministack() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    conforms(&world::store(address), folder.path());
}

fn conforms(store: &dyn ObjectStore, scratch: &Path) {
    written_once(store);
    read_at_any_offset(store);
    absent(store);
    whole(store);
    files(store, scratch);
    listed(store);
    deleted(store);
}

fn key(text: &str) -> ObjectKey {
    text.parse().unwrap()
}

fn written_once(store: &dyn ObjectStore) {
    store.put_if_absent(&key("once/a"), b"first").unwrap();
    for bytes in [&b"other"[..], b"first", b""] {
        let error = store.put_if_absent(&key("once/a"), bytes).unwrap_err();
        assert!(
            matches!(&error, StoreError::Exists { key: k } if *k == key("once/a")),
            "{error:?}"
        );
    }
    assert_eq!(store.get(&key("once/a"), 5).unwrap().unwrap(), b"first");
    // As sources of npm packages are named.
    let scoped = key("once/@scope/_a");
    store.put_if_absent(&scoped, b"scoped").unwrap();
    assert_eq!(store.get(&scoped, 6).unwrap().unwrap(), b"scoped");
    assert!(store.list(&key("once")).unwrap().contains(&scoped));
}

fn read_at_any_offset(store: &dyn ObjectStore) {
    store.put_if_absent(&key("at/a"), b"0123456789").unwrap();
    let mut buf = [0; 4];
    for (offset, expected) in [
        (0, &b"0123"[..]),
        (4, &b"4567"[..]),
        (8, &b"89"[..]),
        (9, &b"9"[..]),
        (10, &b""[..]),
        (99, &b""[..]),
    ] {
        let got = store.read_at(&key("at/a"), offset, &mut buf).unwrap();
        assert_eq!(&buf[..got], expected, "offset {offset}");
    }
    // Back again, and with no room.
    assert_eq!(store.read_at(&key("at/a"), 1, &mut buf).unwrap(), 4);
    assert_eq!(&buf, b"1234");
    assert_eq!(store.read_at(&key("at/a"), 1, &mut []).unwrap(), 0);
}

fn absent(store: &dyn ObjectStore) {
    let none = key("none/a");
    assert_eq!(store.size(&none).unwrap(), None);
    assert_eq!(store.get(&none, 10).unwrap(), None);
    let error = store.read_at(&none, 0, &mut [0]).unwrap_err();
    assert!(
        matches!(&error, StoreError::Absent { key } if *key == none),
        "{error:?}"
    );
    let error = store.copy_to(&none, &mut Vec::new()).unwrap_err();
    assert!(
        matches!(&error, StoreError::Absent { key } if *key == none),
        "{error:?}"
    );
}

fn whole(store: &dyn ObjectStore) {
    store.put_if_absent(&key("whole/empty"), b"").unwrap();
    assert_eq!(store.size(&key("whole/empty")).unwrap(), Some(0));
    assert_eq!(store.get(&key("whole/empty"), 0).unwrap().unwrap(), b"");
    assert_eq!(
        store.copy_to(&key("whole/empty"), &mut Vec::new()).unwrap(),
        0
    );
    assert_eq!(store.read_at(&key("whole/empty"), 0, &mut [0]).unwrap(), 0);
    store.put_if_absent(&key("whole/a"), b"123456").unwrap();
    assert_eq!(store.size(&key("whole/a")).unwrap(), Some(6));
    assert!(matches!(
        store.get(&key("whole/a"), 5).unwrap_err(),
        StoreError::TooLarge {
            limit: 5,
            got: 6,
            ..
        }
    ));
    let mut out = Vec::new();
    assert_eq!(store.copy_to(&key("whole/a"), &mut out).unwrap(), 6);
    assert_eq!(out, b"123456");
}

/// Sizes around the limits at which a bucket works in parts and in windows.
fn files(store: &dyn ObjectStore, scratch: &Path) {
    for (name, size) in [
        ("empty", 0),
        ("small", 7),
        ("window", (8 << 20) + 3),
        ("one-call", 16 << 20),
        ("parts", (33 << 20) + 5),
    ] {
        let bytes: Vec<u8> = (0..size)
            .map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()[0])
            .collect();
        let file = scratch.join(name);
        std::fs::write(&file, &bytes).unwrap();
        let to = key(&format!("files/{name}"));
        store.copy_file_if_absent(&to, &file).unwrap();
        let error = store.copy_file_if_absent(&to, &file).unwrap_err();
        assert!(matches!(error, StoreError::Exists { .. }), "{error:?}");
        assert!(matches!(
            store.put_if_absent(&to, b"x").unwrap_err(),
            StoreError::Exists { .. }
        ));
        assert_eq!(store.size(&to).unwrap(), Some(u64::from(size)));
        let mut out = Vec::new();
        assert_eq!(store.copy_to(&to, &mut out).unwrap(), u64::from(size));
        assert!(out == bytes, "{name}");
        // The file stays its owner's own.
        std::fs::write(&file, b"changed").unwrap();
        if size > 0 {
            let mut last = [0; 8];
            let offset = u64::from(size.saturating_sub(4));
            let got = store.read_at(&to, offset, &mut last).unwrap();
            assert_eq!(last[..got], bytes[usize::try_from(offset).unwrap()..]);
        }
    }
    let given = scratch.join("given");
    std::fs::write(&given, b"zkey").unwrap();
    store
        .put_file_if_absent(&key("files/given"), &given)
        .unwrap();
    assert_eq!(store.size(&key("files/given")).unwrap(), Some(4));
    let error = store
        .copy_file_if_absent(&key("files/none"), &scratch.join("no such file"))
        .unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
    assert_eq!(store.size(&key("files/none")).unwrap(), None);
}

fn listed(store: &dyn ObjectStore) {
    for name in ["list/b", "list/a", "list/sub/c", "listed/x", "list-/y"] {
        store.put_if_absent(&key(name), b"x").unwrap();
    }
    assert_eq!(
        store.list(&key("list")).unwrap(),
        [key("list/a"), key("list/b"), key("list/sub/c")]
    );
    assert_eq!(store.list(&key("list/sub")).unwrap(), [key("list/sub/c")]);
    assert_eq!(store.list(&key("nothing")).unwrap(), []);
}

fn deleted(store: &dyn ObjectStore) {
    let gone = key("gone/a");
    store.put_if_absent(&gone, b"1").unwrap();
    assert_eq!(store.read_at(&gone, 0, &mut [0]).unwrap(), 1);
    store.delete(&gone).unwrap();
    store.delete(&gone).unwrap();
    assert_eq!(store.size(&gone).unwrap(), None);
    assert!(matches!(
        store.read_at(&gone, 0, &mut [0]).unwrap_err(),
        StoreError::Absent { .. }
    ));
    // The name is free again.
    store.put_if_absent(&gone, b"22").unwrap();
    assert_eq!(store.get(&gone, 9).unwrap().unwrap(), b"22");
}
