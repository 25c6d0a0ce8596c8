//! Putting goods into a place: looked at first, written once, read back.

use std::fs::File;
use std::io;

use cloud::{Shelf, StoreError};
use formats::digest::HashingWriter;

use super::error::PublishError;
use super::goods::{Goods, Item};
use crate::error::CliError;
use crate::printer::Printer;
use crate::words;

/// How files came to be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Put {
    /// Written now.
    pub(super) written: usize,
    /// There before, with the same bytes.
    pub(super) already: usize,
}

/// Writes what is not there yet. Nothing is written if anything there has other bytes.
pub(super) fn put(goods: &Goods, shelf: &dyn Shelf, printer: &Printer) -> Result<Put, CliError> {
    put_items(&goods.items, shelf, printer)
}

fn put_items(items: &[Item], shelf: &dyn Shelf, printer: &Printer) -> Result<Put, CliError> {
    let mut absent = Vec::new();
    for item in items {
        match shelf.size(&item.key)? {
            None => absent.push(item),
            Some(_) if is_same(item, shelf)? => {}
            Some(_) => {
                return Err(PublishError::Taken {
                    name: item.key.to_string(),
                }
                .into());
            }
        }
    }
    // What is published may be locked for years: no byte goes out that was not verified.
    for item in &absent {
        check_here(item)?;
    }
    let mut put = Put {
        written: 0,
        already: items.len().saturating_sub(absent.len()),
    };
    for item in absent {
        printer.status(&format!(
            "  publish {} ({})",
            item.key,
            words::bytes(item.size)
        ));
        match shelf.put_for_people(&item.key, &item.file, item.content_type()) {
            Ok(()) => {
                read_back(item, shelf)?;
                put.written = put.written.saturating_add(1);
            }
            // Another publisher was quicker, perhaps with the same bytes.
            Err(StoreError::Exists { .. }) if is_same(item, shelf)? => {
                put.already = put.already.saturating_add(1);
            }
            Err(StoreError::Exists { .. }) => {
                return Err(PublishError::Taken {
                    name: item.key.to_string(),
                }
                .into());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(put)
}

/// The file here is still the one that was verified.
fn check_here(item: &Item) -> Result<(), CliError> {
    let mut out = HashingWriter::new(io::sink());
    let copied = File::open(&item.file).and_then(|mut file| io::copy(&mut file, &mut out));
    copied.map_err(|source| CliError::File {
        action: "read",
        path: item.file.clone(),
        source,
    })?;
    let digests = out.finish().1;
    if digests.size == item.size && digests.sha256 == item.sha256 {
        return Ok(());
    }
    Err(PublishError::Changed {
        path: item.file.display().to_string(),
    }
    .into())
}

/// Whether the object has these bytes; it is read no further than they go.
fn is_same(item: &Item, shelf: &dyn Shelf) -> Result<bool, StoreError> {
    let mut out = HashingWriter::new(io::sink());
    match shelf.copy_sized(&item.key, item.size, &mut out) {
        Ok(()) => Ok(out.finish().1.sha256 == item.sha256),
        // The last two: bytes that are not those that the store was given, or not for long.
        Err(
            StoreError::TooLarge { .. }
            | StoreError::TooSmall { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Changed { .. },
        ) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What was written is what is there.
fn read_back(item: &Item, shelf: &dyn Shelf) -> Result<(), CliError> {
    if is_same(item, shelf)? {
        return Ok(());
    }
    Err(PublishError::Altered {
        name: item.key.to_string(),
    }
    .into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;
    use std::time::Duration;

    use cloud::{FolderStore, ObjectKey, ObjectStore, PresignedUrl};
    use formats::digest::Sha256Digest;

    use super::*;
    use crate::cli::OutputArgs;

    fn printer() -> Printer {
        let args = OutputArgs {
            json: false,
            quiet: true,
            verbose: 0,
            no_progress: true,
        };
        Printer::new(&args, true)
    }

    fn items(folder: &Path) -> Vec<Item> {
        let names = [
            "bundle/manifest",
            "bundle/final.zkey",
            "index.html",
            "SHA256SUMS",
        ];
        let item = |name: &str| {
            let file = folder.join(name.replace('/', "-"));
            std::fs::write(&file, name).unwrap();
            Item {
                key: name.parse().unwrap(),
                file,
                size: u64::try_from(name.len()).unwrap(),
                sha256: Sha256Digest::of(name.as_bytes()),
                in_bundle: None,
            }
        };
        names.map(item).into()
    }

    /// A place that changes the bytes of one object on the way.
    #[derive(Debug)]
    struct Alters(FolderStore, &'static str, &'static [u8]);

    impl ObjectStore for Alters {
        fn put_if_absent(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
            self.0.put_if_absent(key, bytes)
        }
        fn put_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
            self.0.put_file_if_absent(key, file)
        }
        fn copy_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
            self.0.copy_file_if_absent(key, file)
        }
        fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
            self.0.size(key)
        }
        fn read_at(&self, key: &ObjectKey, at: u64, buf: &mut [u8]) -> Result<usize, StoreError> {
            self.0.read_at(key, at, buf)
        }
        fn list(&self, prefix: &ObjectKey) -> Result<Vec<ObjectKey>, StoreError> {
            self.0.list(prefix)
        }
        fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
            self.0.delete(key)
        }
    }

    impl Shelf for Alters {
        fn put_for_people(
            &self,
            key: &ObjectKey,
            file: &Path,
            content_type: &str,
        ) -> Result<(), StoreError> {
            if key.as_str() == self.1 {
                self.0.put_if_absent(key, self.2)
            } else {
                self.0.put_for_people(key, file, content_type)
            }
        }
        fn presign(&self, _: &ObjectKey, _: Duration) -> Result<Option<PresignedUrl>, StoreError> {
            Ok(None)
        }
    }

    #[test]
    fn again_is_no_harm_and_what_is_missing_is_added() {
        let folder = tempfile::tempdir().unwrap();
        let items = items(folder.path());
        let store = FolderStore::open(folder.path().join("to")).unwrap();
        let put = |items| put_items(items, &store, &printer()).unwrap();
        let (written, already) = (2, 0);
        assert_eq!(put(&items[..2]), Put { written, already });
        let (written, already) = (2, 2);
        assert_eq!(put(&items), Put { written, already });
        let (written, already) = (0, 4);
        assert_eq!(put(&items), Put { written, already });
    }

    #[test]
    fn nothing_is_replaced_and_nothing_is_written_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let items = items(folder.path());
        for other in [&b"other"[..], b"", b"index.htm!", b"index.html and more"] {
            let to = tempfile::tempdir().unwrap();
            let store = FolderStore::open(to.path()).unwrap();
            let key = "index.html".parse().unwrap();
            store.put_if_absent(&key, other).unwrap();
            let error = put_items(&items, &store, &printer()).unwrap_err();
            assert_eq!(error.code(), "publish_taken");
            assert_eq!(store.get(&key, 100).unwrap().unwrap(), other);
            assert_eq!(
                store.size(&"bundle/manifest".parse().unwrap()).unwrap(),
                None
            );
        }
    }

    #[test]
    fn a_file_that_was_changed_since_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let items = items(folder.path());
        let mut file = File::options().append(true).open(&items[2].file).unwrap();
        file.write_all(b"!").unwrap();
        let store = FolderStore::open(folder.path().join("to")).unwrap();
        let error = put_items(&items, &store, &printer()).unwrap_err();
        assert_eq!(error.code(), "publish_changed");
        for item in &items {
            assert_eq!(store.size(&item.key).unwrap(), None);
        }
    }

    #[test]
    fn what_comes_back_with_other_bytes_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let items = items(folder.path());
        for other in [
            &b"bundle/final.zkez"[..],
            b"",
            b"bundle/final.zkey and more",
        ] {
            let to = tempfile::tempdir().unwrap();
            let store = FolderStore::open(to.path()).unwrap();
            let altering = Alters(store, "bundle/final.zkey", other);
            let error = put_items(&items, &altering, &printer()).unwrap_err();
            assert_eq!(error.code(), "publish_altered");
            assert!(error.to_string().contains("bundle/final.zkey"), "{error}");
            // The list of digests, which says that all is there, was not written.
            let list = "SHA256SUMS".parse().unwrap();
            assert_eq!(altering.size(&list).unwrap(), None);
        }
    }
}
