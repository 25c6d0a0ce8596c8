//! Is this file the published one?

use std::path::Path;

use formats::digest::{FileDigests, hash_source};
use formats::progress::ProgressSink;
use formats::ptau::Ptau;
use formats::ptau::published::{self, PublishedPtau};
use formats::source::{FileSource, Source};

use super::error::PtauError;

/// Accepts the file with exactly the size and digest of `wanted`.
///
/// The size is compared first, so that a wrong file of many gigabytes is refused at once.
pub(super) fn published_file(
    path: &Path,
    wanted: &PublishedPtau,
    progress: &dyn ProgressSink,
) -> Result<(), PtauError> {
    let failed = |source| PtauError::File {
        path: path.into(),
        source,
    };
    let source = FileSource::open(path).map_err(failed)?;
    if source.len() != wanted.size {
        return Err(explain_size(path, &source, wanted));
    }
    let digests = hash_source(&source, progress).map_err(failed)?;
    if wanted.matches(&digests) {
        return Ok(());
    }
    Err(other_digest(path, wanted, &digests))
}

/// The file has another digest than the published one.
pub(super) fn other_digest(
    path: &Path,
    wanted: &PublishedPtau,
    digests: &FileDigests,
) -> PtauError {
    PtauError::Digest {
        path: path.into(),
        name: wanted.file_name,
        expected: expected(wanted),
        got: match wanted.blake2b512() {
            Some(_) => format!("blake2b512:{}", digests.blake2b512),
            None => format!("sha256:{}", digests.sha256),
        },
    }
}

fn expected(wanted: &PublishedPtau) -> String {
    match (wanted.blake2b512(), wanted.sha256()) {
        (Some(digest), _) => format!("blake2b512:{digest}"),
        (None, Some(digest)) => format!("sha256:{digest}"),
        (None, None) => "an unpublished digest".to_owned(),
    }
}

/// Says what the file is instead, as far as its size and header tell.
fn explain_size(path: &Path, source: &FileSource, wanted: &PublishedPtau) -> PtauError {
    let got = source.len();
    if let Some(other) = published::table().iter().find(|other| other.size == got) {
        return PtauError::OtherFile {
            path: path.into(),
            wanted: wanted.file_name,
            looks_like: other.file_name,
        };
    }
    PtauError::Size {
        path: path.into(),
        name: wanted.file_name,
        expected: wanted.size,
        got,
        reason: Ptau::open(source).err().map(Box::new),
    }
}
