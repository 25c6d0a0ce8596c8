//! The header of a source bundle: reading it line by line, with every announced number checked
//! before anything is believed.

use formats::digest::Sha256Digest;

use super::{
    MAGIC, MAX_CONTENT_BYTES, MAX_FILE_BYTES, MAX_FILES, MAX_HEADER_BYTES, MAX_LIBRARIES,
    SourcePath, SourcesError,
};

/// What one `file` line says.
pub(super) struct FileLine {
    pub(super) path: SourcePath,
    pub(super) size: u64,
    pub(super) sha256: Sha256Digest,
}

/// The header, lines well-formed and within limits.
pub(super) struct Header {
    pub(super) libraries: Vec<SourcePath>,
    pub(super) main: SourcePath,
    pub(super) files: Vec<FileLine>,
}

/// Splits a bundle into its header and the contents behind it.
pub(super) fn split(bytes: &[u8]) -> Result<(Header, &[u8]), SourcesError> {
    let magic_line_ok = bytes
        .strip_prefix(MAGIC.as_bytes())
        .is_some_and(|rest| rest.first() == Some(&b'\n'));
    if !magic_line_ok {
        return Err(SourcesError::Magic);
    }
    let within = bytes.get(..MAX_HEADER_BYTES).unwrap_or(bytes);
    let end = within
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .ok_or(SourcesError::HeaderEnd)?;
    // `end` is the last line's LF; one more LF is the empty line.
    let head = bytes.get(..end).ok_or(SourcesError::HeaderEnd)?;
    let contents = bytes.get(end + 2..).ok_or(SourcesError::HeaderEnd)?;
    Ok((parse(head)?, contents))
}

fn parse(head: &[u8]) -> Result<Header, SourcesError> {
    let mut libraries = Vec::new();
    let mut main = None;
    let mut files: Vec<FileLine> = Vec::new();
    let mut total = 0_u64;
    for (index, line) in head.split(|byte| *byte == b'\n').enumerate().skip(1) {
        let number = index + 1;
        let out_of_place = SourcesError::Line { line: number };
        let text = std::str::from_utf8(line).map_err(|_| SourcesError::Line { line: number })?;
        let (key, value) = text
            .split_once(' ')
            .ok_or(SourcesError::Line { line: number })?;
        match key {
            "library" if main.is_none() => {
                if libraries.len() >= MAX_LIBRARIES {
                    return Err(SourcesError::TooMany {
                        what: "libraries",
                        limit: MAX_LIBRARIES,
                    });
                }
                libraries.push(path(value, number)?);
            }
            "main" if main.is_none() => main = Some(path(value, number)?),
            "file" if main.is_some() => {
                if files.len() >= MAX_FILES {
                    return Err(SourcesError::TooMany {
                        what: "files",
                        limit: MAX_FILES,
                    });
                }
                let file = file_line(value, number)?;
                total = total
                    .checked_add(file.size)
                    .filter(|total| *total <= MAX_CONTENT_BYTES)
                    .ok_or(SourcesError::TooLarge)?;
                files.push(file);
            }
            _ => return Err(out_of_place),
        }
    }
    let main = main.ok_or(SourcesError::NoFiles)?;
    if files.is_empty() {
        return Err(SourcesError::NoFiles);
    }
    Ok(Header {
        libraries,
        main,
        files,
    })
}

fn file_line(value: &str, line: usize) -> Result<FileLine, SourcesError> {
    let mut words = value.splitn(3, ' ');
    let (Some(size), Some(digest), Some(encoded)) = (words.next(), words.next(), words.next())
    else {
        return Err(SourcesError::Line { line });
    };
    let size = decimal(size).ok_or(SourcesError::Size { line })?;
    let sha256 = digest.parse().map_err(|_| SourcesError::Digest { line })?;
    let path = path(encoded, line)?;
    if size > MAX_FILE_BYTES {
        return Err(SourcesError::FileTooLarge { path, size });
    }
    Ok(FileLine { path, size, sha256 })
}

fn path(encoded: &str, line: usize) -> Result<SourcePath, SourcesError> {
    SourcePath::decode(encoded).map_err(|source| SourcesError::Path { line, source })
}

/// A decimal number without sign or leading zeros.
fn decimal(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok()
}
