//! Exactly one gzip member (RFC 1952), and nothing behind it.
//!
//! Linux unpacks whatever follows the first member of an initramfs as a further archive, and an
//! archive whose beginning is cut off can still be one. With a single member neither is possible: its
//! first bytes are its magic, its last are checked.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use crate::error::EifError;

/// What a ramdisk may hold, decompressed. The largest enclave image in use is far below.
pub const MAX_ARCHIVE: usize = 512 << 20;

/// Compressed data: deflate.
const METHOD: u8 = 8;
/// The flag for a file name in the header, the only one accepted.
const NAME: u8 = 1 << 3;
const HEADER_LEN: usize = 10;
const TRAILER_LEN: usize = 8;
const PIECE: usize = 1 << 16;

/// The contents of the one member that `file` consists of.
pub(crate) fn single_member(file: &[u8]) -> Result<Vec<u8>, EifError> {
    let deflated = after_header(file)?;
    let (contents, consumed) = inflated(deflated)?;
    let rest = deflated.get(consumed..).unwrap_or_default();
    let (trailer, more) = rest
        .split_first_chunk::<TRAILER_LEN>()
        .ok_or(EifError::Truncated {
            what: "ramdisk's gzip trailer",
        })?;
    let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
    if u32::from_le_bytes([c0, c1, c2, c3]) != crc32fast::hash(&contents) {
        return Err(EifError::GzipTrailer { field: "CRC-32" });
    }
    if Ok(u32::from_le_bytes([l0, l1, l2, l3])) != u32::try_from(contents.len()) {
        return Err(EifError::GzipTrailer { field: "length" });
    }
    if !more.is_empty() {
        return Err(EifError::MoreThanOneMember { count: more.len() });
    }
    Ok(contents)
}

fn after_header(file: &[u8]) -> Result<&[u8], EifError> {
    let reason = |reason| EifError::NotGzip { reason };
    let (header, rest) = file
        .split_first_chunk::<HEADER_LEN>()
        .ok_or(reason("shorter than a header"))?;
    let [id1, id2, method, flags, ..] = *header;
    if [id1, id2] != [0x1f, 0x8b] {
        return Err(reason("it does not begin with 1f 8b"));
    }
    if method != METHOD {
        return Err(reason("the method is not deflate"));
    }
    match flags {
        0 => Ok(rest),
        NAME => {
            let end = rest.iter().position(|byte| *byte == 0);
            end.and_then(|end| rest.get(end + 1..))
                .ok_or(reason("the file name does not end"))
        }
        _ => Err(reason("the header has extra fields")),
    }
}

/// Decompresses up to the end of the deflate stream; the contents, and how many bytes it took.
fn inflated(mut input: &[u8]) -> Result<(Vec<u8>, usize), EifError> {
    let total = input.len();
    let mut state = InflateState::new_boxed(DataFormat::Raw);
    let mut piece = vec![0; PIECE];
    let mut contents = Vec::new();
    loop {
        let step = inflate(&mut state, input, &mut piece, MZFlush::None);
        input = input.get(step.bytes_consumed..).unwrap_or_default();
        contents.extend_from_slice(piece.get(..step.bytes_written).unwrap_or_default());
        if contents.len() > MAX_ARCHIVE {
            return Err(EifError::TooLarge { max: MAX_ARCHIVE });
        }
        match step.status {
            Ok(MZStatus::StreamEnd) => return Ok((contents, total.saturating_sub(input.len()))),
            Ok(_) if step.bytes_consumed > 0 || step.bytes_written > 0 => {}
            // There was room for output, so it is input that is missing.
            Ok(_) | Err(MZError::Buf) => {
                return Err(EifError::Truncated {
                    what: "ramdisk's compressed data",
                });
            }
            Err(error) => {
                return Err(EifError::Deflate {
                    reason: format!("{error:?}"),
                });
            }
        }
    }
}
