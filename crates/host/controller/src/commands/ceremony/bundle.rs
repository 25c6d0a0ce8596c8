//! The bundle's folder: every file copied and hashed, then given its name in one step.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use cloud::run::Run;
use formats::digest::HashingWriter;
use manifest::manifest::MAX_MANIFEST_BYTES;
use manifest::{ArtifactKind, RawManifest, report, sums};
use protocol::convert::kind_from_pb;
use protocol::pb;

use super::request::CircuitBytes;
use crate::error::CliError;
use crate::space;

/// Puts the bundle together beside `out` and renames it.
pub(in crate::commands) fn assemble(
    run: Run<'_>,
    circuit: &CircuitBytes,
    out: &Path,
) -> Result<(), CliError> {
    let committed = run.committed()?.ok_or(CliError::Bundle {
        what: "the run has no commit marker",
    })?;
    let artifacts: Vec<Shipped> = committed
        .artifacts
        .iter()
        .map(Shipped::named)
        .collect::<Result<_, _>>()?;
    let needed = artifacts
        .iter()
        .fold(0_u64, |sum, shipped| sum.saturating_add(shipped.size));
    let partial = Partial::create(out)?;
    space::check(&partial.path, needed)?;
    for shipped in &artifacts {
        shipped.copy(run, &partial.path)?;
    }
    if let CircuitBytes::Sources(bundle) = circuit {
        bundle.unpack(&partial.path.join(sums::SOURCES_FOLDER))?;
    }
    derive(&partial.path)?;
    partial.rename(out)
}

/// The files for people, which are functions of the rest.
fn derive(folder: &Path) -> Result<(), CliError> {
    let read = |kind: ArtifactKind| {
        let path = folder.join(kind.name());
        std::fs::read(&path).map_err(|source| CliError::File {
            action: "read",
            path,
            source,
        })
    };
    let manifest = RawManifest(read(ArtifactKind::Manifest)?).validate()?;
    let (first, second) = (
        read(ArtifactKind::Attestation1)?,
        read(ArtifactKind::Attestation2)?,
    );
    let page = report::render(&manifest, &first, &second)?;
    let sums = sums::render(&manifest, &second, page.as_bytes());
    for (name, text) in [(report::REPORT_FILE, &page), (sums::SUMS_FILE, &sums)] {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|source| CliError::File {
            action: "write",
            path,
            source,
        })?;
    }
    Ok(())
}

/// An artifact that belongs into a bundle, as the commit marker says it is.
struct Shipped {
    kind: pb::ArtifactKind,
    name: &'static str,
    size: u64,
    sha256: String,
}

impl Shipped {
    /// The host wrote the marker: kind and size are held against what a bundle can have.
    fn named(artifact: &pb::ArtifactInfo) -> Result<Self, CliError> {
        let kind = pb::ArtifactKind::try_from(artifact.kind).map_err(|_| CliError::Bundle {
            what: "the commit marker names an unknown artifact",
        })?;
        let (kind_here, name) = kind_from_pb(artifact.kind)
            .ok()
            .and_then(|kind| Some((kind, kind.file_name()?)))
            .ok_or(CliError::Bundle {
                what: "the commit marker names an artifact that is not shipped",
            })?;
        let limit = most(kind_here);
        if artifact.size > limit {
            return Err(CliError::ArtifactSize {
                name,
                limit,
                got: artifact.size,
            });
        }
        Ok(Self {
            kind,
            name,
            size: artifact.size,
            sha256: hex::encode(&artifact.sha256),
        })
    }

    /// Takes exactly as many bytes as were committed to, whatever the store holds.
    fn copy(&self, run: Run<'_>, folder: &Path) -> Result<(), CliError> {
        let path = folder.join(self.name);
        let failed = |source| CliError::File {
            action: "write",
            path: path.clone(),
            source,
        };
        let file = File::create_new(&path).map_err(failed)?;
        let mut out = HashingWriter::new(BufWriter::with_capacity(1 << 20, file));
        run.read_artifact(self.kind, self.size, &mut out)?;
        out.flush().map_err(failed)?;
        let (file, digests) = out.finish();
        file.get_ref().sync_all().map_err(failed)?;
        let got = digests.sha256.to_string();
        if self.sha256 == got {
            Ok(())
        } else {
            Err(CliError::Artifact {
                name: self.name,
                expected: self.sha256.clone(),
                got,
            })
        }
    }
}

/// Most bytes that an artifact can have: no bundle that verifies has more.
fn most(kind: ArtifactKind) -> u64 {
    const TEXT: u64 = 16 << 20;
    match kind {
        // A key of the largest published phase 1 (2^28) has some hundred GiB.
        ArtifactKind::R1cs | ArtifactKind::FinalZkey => 1 << 40,
        ArtifactKind::WitnessWasm => 4 << 30,
        ArtifactKind::Manifest => u64::try_from(MAX_MANIFEST_BYTES).unwrap_or(TEXT),
        _ => TEXT,
    }
}

/// A folder that is removed unless it got its name.
struct Partial {
    path: PathBuf,
    done: bool,
}

impl Partial {
    fn create(out: &Path) -> Result<Self, CliError> {
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        let path = out.with_file_name(format!(".{name}.partial-{}", std::process::id()));
        create_folder(&path)?;
        Ok(Self { path, done: false })
    }

    fn rename(mut self, out: &Path) -> Result<(), CliError> {
        std::fs::rename(&self.path, out).map_err(|source| CliError::File {
            action: "create",
            path: out.into(),
            source,
        })?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.done {
            // The artifacts are still in the store.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}

fn create_folder(path: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(path).map_err(|source| CliError::File {
        action: "create",
        path: path.into(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use cloud::{FolderStore, ObjectStore, RunId};
    use formats::digest::Sha256Digest;

    use super::*;

    /// Everything under a folder, as paths relative to it.
    fn tree(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        found.sort();
        found
    }

    /// A run whose commit marker names these kinds, with the bytes `x` for each.
    fn assemble_from(kinds: &[i32], stored: &[u8]) -> (CliError, Vec<String>, Vec<String>) {
        assemble_sized(kinds, 1, stored)
    }

    /// As [`assemble_from`], with a marker that names this size for each.
    fn assemble_sized(
        kinds: &[i32],
        size: u64,
        stored: &[u8],
    ) -> (CliError, Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path().join("store")).unwrap();
        let id: RunId = "r".parse().unwrap();
        let run = Run::new(&store, &id);
        let info = |kind: &i32| pb::ArtifactInfo {
            kind: *kind,
            size,
            sha256: Sha256Digest::of(b"x").as_bytes().to_vec().into(),
            ..pb::ArtifactInfo::default()
        };
        for name in ["manifest", "attestation-1", "final-zkey"] {
            let key = format!("runs/r/artifacts/{name}").parse().unwrap();
            store.put_if_absent(&key, stored).unwrap();
        }
        let artifacts = kinds.iter().map(info).collect();
        run.commit(&pb::JobDone { artifacts }).unwrap();
        let before = tree(folder.path());
        let out = folder.path().join("bundle");
        let circuit = CircuitBytes::R1cs(PathBuf::new());
        let error = assemble(run, &circuit, &out).unwrap_err();
        (error, before, tree(folder.path()))
    }

    #[test]
    fn r42_r51_names_come_from_kinds_and_a_refused_download_leaves_nothing() {
        let (manifest, ptau) = (pb::ArtifactKind::Manifest, pb::ArtifactKind::Ptau);
        for (kinds, stored, words) in [
            (
                &[i32::from(manifest), 999][..],
                &b"x"[..],
                "unknown artifact",
            ),
            (&[i32::from(manifest), -1], b"x", "unknown artifact"),
            (&[0], b"x", "not shipped"),
            (&[i32::from(ptau)], b"x", "not shipped"),
            // The same file twice: the second does not replace the first.
            (&[i32::from(manifest), i32::from(manifest)], b"x", "write"),
            // Bytes that are not the named ones.
            (&[i32::from(manifest)], b"y", "manifest"),
            (&[i32::from(manifest)], b"", "manifest"),
            (
                &[i32::from(pb::ArtifactKind::Beacon)],
                b"x",
                "does not exist",
            ),
        ] {
            let (error, before, after) = assemble_from(kinds, stored);
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                text.push_str(&error.to_string());
                cause = error.source();
            }
            assert!(text.contains(words), "{kinds:?}: {text}");
            assert_eq!(before, after, "{kinds:?} left something behind");
        }
    }

    #[test]
    fn an_artifact_of_another_size_than_committed_is_cut_off() {
        let manifest = i32::from(pb::ArtifactKind::Manifest);
        let key = i32::from(pb::ArtifactKind::FinalZkey);
        for (kind, size, stored, code) in [
            (key, 1, &b"xx"[..], "store_too_large"),
            (key, 0, b"x", "store_too_large"),
            (key, 2, b"x", "store_too_small"),
            (key, (1 << 40) + 1, b"x", "artifact_size"),
            (key, u64::MAX, b"x", "artifact_size"),
            (manifest, 1 << 30, b"x", "artifact_size"),
        ] {
            let (error, before, after) = assemble_sized(&[kind], size, stored);
            assert_eq!(error.code(), code, "{size}");
            assert_eq!(before, after, "{size}: something is left behind");
        }
    }

    #[test]
    fn what_the_disk_cannot_hold_is_not_begun() {
        let key = i32::from(pb::ArtifactKind::FinalZkey);
        let many = vec![key; 10_000];
        let (error, before, after) = assemble_sized(&many, 1 << 40, b"x");
        assert_eq!(error.code(), "disk_full");
        assert_eq!(before, after);
    }
}
