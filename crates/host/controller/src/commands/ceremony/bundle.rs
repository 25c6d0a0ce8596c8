//! The bundle's folder: every file copied and hashed, then given its name in one step.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use cloud::run::Run;
use formats::digest::HashingWriter;
use manifest::{ArtifactKind, RawManifest, report, sums};
use protocol::convert::kind_from_pb;
use protocol::pb;

use super::request::CircuitBytes;
use crate::error::CliError;

/// Puts the bundle together beside `out` and renames it.
pub(super) fn assemble(run: Run<'_>, circuit: &CircuitBytes, out: &Path) -> Result<(), CliError> {
    let committed = run.committed()?.ok_or(CliError::Bundle {
        what: "the run has no commit marker",
    })?;
    let partial = Partial::create(out)?;
    for artifact in &committed.artifacts {
        copy(run, artifact, &partial.path)?;
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

fn copy(run: Run<'_>, artifact: &pb::ArtifactInfo, folder: &Path) -> Result<(), CliError> {
    let kind = pb::ArtifactKind::try_from(artifact.kind).map_err(|_| CliError::Bundle {
        what: "the commit marker names an unknown artifact",
    })?;
    let name = kind_from_pb(artifact.kind)
        .ok()
        .and_then(ArtifactKind::file_name)
        .ok_or(CliError::Bundle {
            what: "the commit marker names an artifact that is not shipped",
        })?;
    let path = folder.join(name);
    let failed = |source| CliError::File {
        action: "write",
        path: path.clone(),
        source,
    };
    let file = File::create_new(&path).map_err(failed)?;
    let mut out = HashingWriter::new(BufWriter::with_capacity(1 << 20, file));
    run.read_artifact(kind, &mut out)?;
    out.flush().map_err(failed)?;
    let (file, digests) = out.finish();
    file.get_ref().sync_all().map_err(failed)?;
    let (expected, got) = (hex::encode(&artifact.sha256), digests.sha256.to_string());
    if expected == got {
        Ok(())
    } else {
        Err(CliError::Artifact {
            name,
            expected,
            got,
        })
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
