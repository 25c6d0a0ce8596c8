//! Enclave images.

use eif::{EifError, RawEif};

use crate::{Accepted, Verdict};

/// Where the checksum of an image stands, and what it does not cover.
const CHECKSUM: std::ops::Range<usize> = 544..548;

/// Header, sections, and the files in the ramdisk. Bytes whose checksum is wrong are read once more
/// with the right one, or no change would ever get behind it.
pub(crate) fn eif(bytes: &[u8]) -> Verdict {
    let verdict = read(bytes);
    if bytes.len() >= CHECKSUM.end {
        drop(read(&mended(bytes)));
    }
    verdict
        .map(|()| Accepted::Read)
        .map_err(|error| error.code().to_owned())
}

fn read(bytes: &[u8]) -> Result<(), EifError> {
    let image = RawEif(bytes).validate()?;
    image.pcrs();
    image.files().map(drop)
}

fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut hasher = crc32fast::Hasher::new();
    for covered in [bytes.get(..CHECKSUM.start), bytes.get(CHECKSUM.end..)] {
        hasher.update(covered.unwrap_or_default());
    }
    let mut mended = bytes.to_vec();
    if let Some(field) = mended.get_mut(CHECKSUM) {
        field.copy_from_slice(&hasher.finalize().to_be_bytes());
    }
    mended
}
