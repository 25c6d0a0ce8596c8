//! A bundle as one archive (ustar with GNU long names): the same bytes from the same bundle, on any machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use formats::digest::{DigestState, HashingWriter, Sha256Digest};

use super::error::PublishError;
use crate::error::CliError;
use crate::space;

/// Writes the bundle's files below `folder` into `out`; gives the digest of the archive.
///
/// # Errors
/// [`PublishError::Changed`] for a file without the digest that was verified.
pub(super) fn write(
    bundle: &Path,
    folder: &str,
    files: &BTreeMap<String, Sha256Digest>,
    out: &Path,
) -> Result<Sha256Digest, CliError> {
    let failed = |source| CliError::File {
        action: "write",
        path: out.into(),
        source,
    };
    let mut needed = 0_u64;
    for path in files.keys() {
        // A header, a long name, and what fills the last block.
        let size = open(&bundle.join(path))?.1;
        needed = needed.saturating_add(size).saturating_add(4096);
    }
    space::check(out.parent().unwrap_or(out), needed)?;
    let file = File::create_new(out).map_err(failed)?;
    let writer = HashingWriter::new(BufWriter::with_capacity(1 << 20, file));
    let mut archive = tar::Builder::new(writer);
    for (path, expected) in files {
        let (file, size) = open(&bundle.join(path))?;
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        let mut hashing = Hashing {
            // Exactly the size in the header, should the file grow meanwhile.
            inner: BufReader::with_capacity(1 << 20, file).take(size),
            state: DigestState::default(),
        };
        let name = PathBuf::from(folder).join(path);
        archive
            .append_data(&mut header, &name, &mut hashing)
            .map_err(failed)?;
        let digests = hashing.state.finish();
        if digests.size != size || digests.sha256 != *expected {
            return Err(PublishError::Changed { path: path.clone() }.into());
        }
    }
    let mut writer = archive.into_inner().map_err(failed)?;
    writer.flush().map_err(failed)?;
    Ok(writer.finish().1.sha256)
}

fn open(path: &Path) -> Result<(File, u64), CliError> {
    let opened = File::open(path).and_then(|file| {
        let size = file.metadata()?.len();
        Ok((file, size))
    });
    opened.map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })
}

/// Hashes what is read through it.
struct Hashing<R> {
    inner: R,
    state: DigestState,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buf)?;
        if let Some(read) = buf.get(..got) {
            self.state.update(read);
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(folder: &Path, long: &str) -> BTreeMap<String, Sha256Digest> {
        let mut files = BTreeMap::new();
        for (path, bytes) in [("manifest", &b"m"[..]), (long, b"source"), ("empty", b"")] {
            let file = folder.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
            files.insert(path.to_owned(), Sha256Digest::of(bytes));
        }
        files
    }

    #[test]
    fn an_archive_unpacks_to_the_bundle_and_is_always_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        let long = format!("circuit/lib0/@scope/{}/ä b.circom", "deep/".repeat(30));
        let files = bundle(&from, &long);
        let (first, second) = (folder.path().join("1.tar"), folder.path().join("2.tar"));
        let digest = write(&from, "bundle", &files, &first).unwrap();
        std::fs::set_permissions(
            from.join("manifest"),
            std::os::unix::fs::PermissionsExt::from_mode(0o600),
        )
        .unwrap();
        assert_eq!(write(&from, "bundle", &files, &second).unwrap(), digest);
        let bytes = std::fs::read(&first).unwrap();
        assert_eq!(bytes, std::fs::read(&second).unwrap());
        assert_eq!(Sha256Digest::of(&bytes), digest);
        // By the program that people have.
        let unpacked = std::process::Command::new("tar")
            .args(["-xf", "1.tar"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(unpacked.status.success(), "{unpacked:?}");
        for path in files.keys() {
            let same = std::fs::read(folder.path().join("bundle").join(path)).unwrap();
            assert_eq!(same, std::fs::read(from.join(path)).unwrap(), "{path}");
        }
    }

    #[test]
    fn a_file_that_was_changed_since_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        let files = bundle(&from, "circuit/main.circom");
        std::fs::write(from.join("manifest"), b"n").unwrap();
        let error = write(&from, "bundle", &files, &folder.path().join("1.tar")).unwrap_err();
        assert_eq!(error.code(), "publish_changed");
    }
}
