//! The container of all three formats: magic, version, and a list of numbered sections.
//!
//! `magic[4] | u32 version | u32 n_sections | n_sections x (u32 id | u64 size | size bytes)`, little-endian.
//! The iden3 tools tolerate duplicate ids, trailing bytes and any version up to a maximum. This reader
//! does not: the same file must not mean two things.

use std::io::{self, Seek, SeekFrom, Write};

use crate::source::{RangeReader, Source};

/// Sections a file may have at most; the formats need no more than 11.
pub const MAX_SECTIONS: u32 = 32;

const HEADER_LEN: u64 = 12;
const SECTION_HEADER_LEN: u64 = 12;

/// Why bytes are not a well-formed container.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BinfileError {
    /// Reading failed.
    #[error("cannot read {what}")]
    Io {
        /// What was being read.
        what: &'static str,
        /// What the source said.
        #[source]
        source: io::Error,
    },
    /// The first four bytes are not those of the format.
    #[error("not a {} file: it begins with {}", expected.escape_ascii(), got.escape_ascii())]
    BadMagic {
        /// The format's magic.
        expected: [u8; 4],
        /// What the file has.
        got: [u8; 4],
    },
    /// The version is not the one the tools write.
    #[error("version {got} instead of {expected}")]
    UnsupportedVersion {
        /// The version of the format.
        expected: u32,
        /// What the file has.
        got: u32,
    },
    /// More sections announced than the format or the file can have.
    #[error("{got} sections announced, at most {max} are possible")]
    TooManySections {
        /// What the file announces.
        got: u32,
        /// Most that can be.
        max: u32,
    },
    /// The file ends inside a section header or a section.
    #[error(
        "section header {index} (id {id}) announces {size} bytes, but only {available} are left"
    )]
    SectionOverrun {
        /// Position in the list of sections, from 0.
        index: u32,
        /// Section id.
        id: u32,
        /// Bytes announced.
        size: u64,
        /// Bytes left in the file.
        available: u64,
    },
    /// The file ends before all announced sections.
    #[error("file ends before section header {index}")]
    MissingSectionHeader {
        /// Position in the list of sections, from 0.
        index: u32,
    },
    /// Two sections with the same id.
    #[error("section {id} is there twice")]
    DuplicateSection {
        /// The id.
        id: u32,
    },
    /// An id that the format does not define.
    #[error("section {id} is unknown")]
    UnknownSection {
        /// The id.
        id: u32,
    },
    /// A section that the format needs is not there.
    #[error("section {id} is missing")]
    MissingSection {
        /// The id.
        id: u32,
    },
    /// A section has another size than the header's counts give.
    #[error("section {id} has {got} bytes instead of {expected}")]
    WrongSectionSize {
        /// The id.
        id: u32,
        /// Size by the header's counts.
        expected: u64,
        /// Size in the file.
        got: u64,
    },
    /// Bytes follow the last section.
    #[error("{count} bytes after the last section")]
    TrailingBytes {
        /// How many.
        count: u64,
    },
}

impl BinfileError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "binfile_io",
            Self::BadMagic { .. } => "binfile_bad_magic",
            Self::UnsupportedVersion { .. } => "binfile_version",
            Self::TooManySections { .. } => "binfile_too_many_sections",
            Self::SectionOverrun { .. } => "binfile_section_overrun",
            Self::MissingSectionHeader { .. } => "binfile_missing_section_header",
            Self::DuplicateSection { .. } => "binfile_duplicate_section",
            Self::UnknownSection { .. } => "binfile_unknown_section",
            Self::MissingSection { .. } => "binfile_missing_section",
            Self::WrongSectionSize { .. } => "binfile_wrong_section_size",
            Self::TrailingBytes { .. } => "binfile_trailing_bytes",
        }
    }
}

/// Where one section's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Section id.
    pub id: u32,
    /// Position of its first byte in the file.
    pub offset: u64,
    /// Its length in bytes.
    pub size: u64,
}

/// The sections of a file, each id once, none overlapping, none beyond the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionTable {
    sections: Vec<Section>,
    trailing_bytes: u64,
}

impl SectionTable {
    /// Walks the section headers. Reads 12 bytes per section, whatever the file's size.
    ///
    /// Bytes after the last section are counted, not refused: see [`SectionTable::refuse_trailing_bytes`].
    pub fn read<S: Source + ?Sized>(
        source: &S,
        magic: [u8; 4],
        version: u32,
    ) -> Result<Self, BinfileError> {
        let len = source.len();
        let mut header = range(source, 0, HEADER_LEN.min(len), "file header")?;
        let mut got = [0; 4];
        read(&mut header, &mut got, "magic")?;
        if got != magic {
            return Err(BinfileError::BadMagic {
                expected: magic,
                got,
            });
        }
        let got = read_u32(&mut header, "version")?;
        if got != version {
            return Err(BinfileError::UnsupportedVersion {
                expected: version,
                got,
            });
        }
        let count = read_u32(&mut header, "number of sections")?;
        let room = u32::try_from((len - HEADER_LEN) / SECTION_HEADER_LEN).unwrap_or(u32::MAX);
        let max = room.min(MAX_SECTIONS);
        if count > max {
            return Err(BinfileError::TooManySections { got: count, max });
        }

        let mut sections: Vec<Section> = Vec::new();
        let mut at = HEADER_LEN;
        for index in 0..count {
            if len - at < SECTION_HEADER_LEN {
                return Err(BinfileError::MissingSectionHeader { index });
            }
            let mut reader = range(source, at, SECTION_HEADER_LEN, "section header")?;
            let id = read_u32(&mut reader, "section id")?;
            let mut size = [0; 8];
            read(&mut reader, &mut size, "section size")?;
            let size = u64::from_le_bytes(size);
            let offset = at + SECTION_HEADER_LEN;
            let available = len - offset;
            if size > available {
                return Err(BinfileError::SectionOverrun {
                    index,
                    id,
                    size,
                    available,
                });
            }
            if sections.iter().any(|section| section.id == id) {
                return Err(BinfileError::DuplicateSection { id });
            }
            sections.push(Section { id, offset, size });
            at = offset + size;
        }
        Ok(Self {
            sections,
            trailing_bytes: len - at,
        })
    }

    /// The sections in file order.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Bytes after the last section.
    pub fn trailing_bytes(&self) -> u64 {
        self.trailing_bytes
    }

    /// Fails when bytes follow the last section.
    pub fn refuse_trailing_bytes(&self) -> Result<(), BinfileError> {
        match self.trailing_bytes {
            0 => Ok(()),
            count => Err(BinfileError::TrailingBytes { count }),
        }
    }

    /// Fails when there is a section that the format does not define.
    pub fn refuse_unknown(&self, known: &[u32]) -> Result<(), BinfileError> {
        match self
            .sections
            .iter()
            .find(|section| !known.contains(&section.id))
        {
            Some(section) => Err(BinfileError::UnknownSection { id: section.id }),
            None => Ok(()),
        }
    }

    /// The section with this id, if there is one.
    pub fn find(&self, id: u32) -> Option<Section> {
        self.sections
            .iter()
            .copied()
            .find(|section| section.id == id)
    }

    /// The section with this id.
    pub fn get(&self, id: u32) -> Result<Section, BinfileError> {
        self.find(id).ok_or(BinfileError::MissingSection { id })
    }

    /// The section with this id, which must have exactly this size.
    pub fn get_sized(&self, id: u32, expected: u64) -> Result<Section, BinfileError> {
        let section = self.get(id)?;
        if section.size == expected {
            Ok(section)
        } else {
            Err(BinfileError::WrongSectionSize {
                id,
                expected,
                got: section.size,
            })
        }
    }
}

impl Section {
    /// Reader of the section's bytes.
    pub fn reader<'a, S: Source + ?Sized>(
        &self,
        source: &'a S,
        what: &'static str,
    ) -> Result<RangeReader<'a, S>, BinfileError> {
        range(source, self.offset, self.size, what)
    }
}

fn range<'a, S: Source + ?Sized>(
    source: &'a S,
    offset: u64,
    len: u64,
    what: &'static str,
) -> Result<RangeReader<'a, S>, BinfileError> {
    RangeReader::new(source, offset, len).map_err(|source| BinfileError::Io { what, source })
}

pub(crate) fn read<S: Source + ?Sized>(
    reader: &mut RangeReader<'_, S>,
    out: &mut [u8],
    what: &'static str,
) -> Result<(), BinfileError> {
    reader
        .read_exact(out)
        .map_err(|source| BinfileError::Io { what, source })
}

pub(crate) fn read_u32<S: Source + ?Sized>(
    reader: &mut RangeReader<'_, S>,
    what: &'static str,
) -> Result<u32, BinfileError> {
    reader
        .read_u32()
        .map_err(|source| BinfileError::Io { what, source })
}

/// Writes a container section by section.
///
/// Every section's size is either declared beforehand ([`Writer::begin_sized`]), which needs no seek,
/// or patched afterwards ([`Writer::begin`], [`Writer::end`]).
pub struct Writer<W> {
    inner: W,
    sections_left: u32,
    open: Option<OpenSection>,
}

struct OpenSection {
    written: u64,
    size: SizeRule,
}

enum SizeRule {
    Declared(u64),
    PatchedAt(u64),
}

impl<W: Write> Writer<W> {
    /// Writes the file header.
    pub fn new(mut inner: W, magic: [u8; 4], version: u32, n_sections: u32) -> io::Result<Self> {
        inner.write_all(&magic)?;
        inner.write_all(&version.to_le_bytes())?;
        inner.write_all(&n_sections.to_le_bytes())?;
        Ok(Self {
            inner,
            sections_left: n_sections,
            open: None,
        })
    }

    /// Opens a section of known size. [`Writer::end_sized`] fails unless exactly as much is written.
    pub fn begin_sized(&mut self, id: u32, size: u64) -> io::Result<()> {
        self.open(id, size, SizeRule::Declared(size))
    }

    /// Closes a section of known size.
    pub fn end_sized(&mut self) -> io::Result<()> {
        match self.open.take() {
            Some(OpenSection {
                written,
                size: SizeRule::Declared(size),
            }) if written == size => Ok(()),
            _ => Err(misuse("section closed with another size than declared")),
        }
    }

    /// Writes a whole section from memory.
    pub fn section(&mut self, id: u32, bytes: &[u8]) -> io::Result<()> {
        self.begin_sized(id, u64::try_from(bytes.len()).map_err(io::Error::other)?)?;
        self.write_all(bytes)?;
        self.end_sized()
    }

    /// Ends the file; all announced sections must have been written.
    pub fn finish(mut self) -> io::Result<W> {
        if self.open.is_some() || self.sections_left != 0 {
            return Err(misuse("file closed before all its sections were written"));
        }
        self.inner.flush()?;
        Ok(self.inner)
    }

    fn open(&mut self, id: u32, size: u64, rule: SizeRule) -> io::Result<()> {
        if self.open.is_some() {
            return Err(misuse("section opened inside another"));
        }
        self.sections_left = self
            .sections_left
            .checked_sub(1)
            .ok_or_else(|| misuse("more sections than announced"))?;
        self.inner.write_all(&id.to_le_bytes())?;
        self.inner.write_all(&size.to_le_bytes())?;
        self.open = Some(OpenSection {
            written: 0,
            size: rule,
        });
        Ok(())
    }
}

impl<W: Write + Seek> Writer<W> {
    /// Opens a section whose size is not known yet.
    pub fn begin(&mut self, id: u32) -> io::Result<()> {
        let size_at = self.inner.stream_position()? + 4;
        self.open(id, 0, SizeRule::PatchedAt(size_at))
    }

    /// Closes a section opened by [`Writer::begin`] and writes its size where it belongs.
    pub fn end(&mut self) -> io::Result<()> {
        let Some(OpenSection {
            written,
            size: SizeRule::PatchedAt(size_at),
        }) = self.open.take()
        else {
            return Err(misuse("no section of unknown size is open"));
        };
        let here = self.inner.stream_position()?;
        self.inner.seek(SeekFrom::Start(size_at))?;
        self.inner.write_all(&written.to_le_bytes())?;
        self.inner.seek(SeekFrom::Start(here))?;
        Ok(())
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let open = self
            .open
            .as_mut()
            .ok_or_else(|| misuse("no section is open"))?;
        let n = self.inner.write(buf)?;
        open.written = open
            .written
            .saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn misuse(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(test)]
mod tests;
