//! A [`RawEif`] becomes an [`Eif`]: one accepted form.

use crate::cpio::{self, Entry};
use crate::error::EifError;
use crate::gzip;
use crate::kernel::{self, KernelBoundary};
use crate::layout::{
    CRC_AT, HEADER_LEN, MAGIC, MAX_SECTIONS, SECTION_HEADER_LEN, SectionType, VERSION,
};
use crate::measure::Pcrs;

/// What Linux keeps of a command line on x86_64: `COMMAND_LINE_SIZE` less its NUL.
pub const MAX_COMMAND_LINE: usize = 2047;

/// A file that claims to be an EIF.
#[derive(Clone, Copy, Debug)]
pub struct RawEif<'a>(pub &'a [u8]);

/// An EIF of the accepted form: kernel, command line, metadata (which may be missing) and one gzip
/// ramdisk, one after the other from the header to the end of the file.
#[derive(Clone, Debug)]
pub struct Eif<'a> {
    kernel: &'a [u8],
    boundary: KernelBoundary,
    command_line: &'a str,
    metadata: Option<&'a [u8]>,
    ramdisk: &'a [u8],
    archive: Vec<u8>,
}

impl<'a> RawEif<'a> {
    /// Checks the header, every section's place, size and contents, and the checksum.
    ///
    /// # Errors
    /// [`EifError`] names the first thing that is not as it must be.
    pub fn validate(self) -> Result<Eif<'a>, EifError> {
        let header = Header::read(self.0)?;
        let (expected, count): (&[SectionType], usize) = match header.section_count {
            3 => (
                &[
                    SectionType::Kernel,
                    SectionType::CommandLine,
                    SectionType::Ramdisk,
                ],
                3,
            ),
            4 => (
                &[
                    SectionType::Kernel,
                    SectionType::CommandLine,
                    SectionType::Metadata,
                    SectionType::Ramdisk,
                ],
                4,
            ),
            got => return Err(EifError::SectionCount { got }),
        };
        if header
            .places
            .iter()
            .skip(count)
            .any(|place| *place != (0, 0))
        {
            return Err(EifError::NotZero {
                field: "a section's place behind the last",
            });
        }
        let mut at = HEADER_LEN;
        let mut sections = [&[][..]; 4];
        for (((index, kind), place), slot) in expected
            .iter()
            .enumerate()
            .zip(&header.places)
            .zip(&mut sections)
        {
            let end;
            (*slot, end) = section(self.0, at, index, *kind, *place)?;
            at = end;
        }
        if self.0.len() > at {
            return Err(EifError::Trailing {
                count: self.0.len() - at,
            });
        }
        checksum(self.0, header.crc)?;
        let [kernel, command_line, third, fourth] = sections;
        let (metadata, ramdisk) = if count == 4 {
            (Some(third), fourth)
        } else {
            (None, third)
        };
        Ok(Eif {
            kernel,
            boundary: kernel::boundary(kernel)?,
            command_line: printable(command_line)?,
            metadata,
            ramdisk,
            archive: gzip::single_member(ramdisk)?,
        })
    }
}

impl<'a> Eif<'a> {
    /// The kernel.
    pub fn kernel(&self) -> &'a [u8] {
        self.kernel
    }

    /// Whether the kernel itself says where it ends.
    pub fn kernel_boundary(&self) -> KernelBoundary {
        self.boundary
    }

    /// The command line: printable ASCII.
    pub fn command_line(&self) -> &'a str {
        self.command_line
    }

    /// What the maker wrote about the build. Nothing vouches for it: it is in no PCR.
    pub fn unmeasured_metadata(&self) -> Option<&'a [u8]> {
        self.metadata
    }

    /// The ramdisk as it is in the file: one gzip member.
    pub fn ramdisk(&self) -> &'a [u8] {
        self.ramdisk
    }

    /// The ramdisk, decompressed.
    pub fn archive(&self) -> &[u8] {
        &self.archive
    }

    /// The files of the ramdisk.
    ///
    /// # Errors
    /// [`EifError::Cpio`] if the archive is not exactly one cpio archive (newc) of distinct paths.
    pub fn files(&self) -> Result<Vec<Entry>, EifError> {
        cpio::list(&self.archive)
    }

    /// PCR0, PCR1 and PCR2 as the hypervisor computes them.
    pub fn pcrs(&self) -> Pcrs {
        Pcrs::of(self.kernel, self.command_line.as_bytes(), self.ramdisk)
    }
}

/// The file's header, its fixed fields already judged.
struct Header {
    section_count: u16,
    /// Offset and size of each section.
    places: [(u64, u64); MAX_SECTIONS],
    crc: u32,
}

impl Header {
    fn read(file: &[u8]) -> Result<Self, EifError> {
        let mut fields = Fields {
            rest: file,
            what: "header",
        };
        if fields.take::<4>().ok() != Some(MAGIC) {
            return Err(EifError::Magic);
        }
        match fields.u16()? {
            VERSION => {}
            got => return Err(EifError::Version { got }),
        }
        match fields.u16()? {
            0 => {}
            got => return Err(EifError::HeaderFlags { got }),
        }
        // Memory and processors are suggestions to whoever starts the enclave, and not measured.
        let (_memory, _processors) = (fields.u64()?, fields.u64()?);
        if fields.u16()? != 0 {
            return Err(EifError::NotZero {
                field: "the reserved field",
            });
        }
        let section_count = fields.u16()?;
        let mut places = [(0, 0); MAX_SECTIONS];
        for place in &mut places {
            place.0 = fields.u64()?;
        }
        for place in &mut places {
            place.1 = fields.u64()?;
        }
        if fields.u32()? != 0 {
            return Err(EifError::NotZero {
                field: "the unused field",
            });
        }
        Ok(Self {
            section_count,
            places,
            crc: fields.u32()?,
        })
    }
}

/// The contents of the section whose header begins at `at`, and where it ends.
fn section(
    file: &[u8],
    at: usize,
    index: usize,
    kind: SectionType,
    (offset, size): (u64, u64),
) -> Result<(&[u8], usize), EifError> {
    let section = kind.name();
    let expected = u64::try_from(at).unwrap_or(u64::MAX);
    if offset != expected {
        return Err(EifError::Offset {
            section,
            expected,
            got: offset,
        });
    }
    let mut fields = Fields {
        rest: file.get(at..).unwrap_or_default(),
        what: section,
    };
    let got = fields.u16()?;
    if got != kind.number() {
        return Err(EifError::wrong_type(index, kind, got));
    }
    match fields.u16()? {
        0 => {}
        got => return Err(EifError::SectionFlags { section, got }),
    }
    let in_section = fields.u64()?;
    if in_section != size {
        return Err(EifError::SizesDiffer {
            section,
            in_section,
            in_file: size,
        });
    }
    let contents = usize::try_from(size)
        .ok()
        .and_then(|size| fields.rest.get(..size))
        .ok_or(EifError::Truncated { what: section })?;
    if contents.is_empty() {
        return Err(EifError::Empty { section });
    }
    // Within the file, so within usize.
    let end = at
        .saturating_add(SECTION_HEADER_LEN)
        .saturating_add(contents.len());
    Ok((contents, end))
}

fn checksum(file: &[u8], got: u32) -> Result<(), EifError> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(file.get(..CRC_AT).unwrap_or_default());
    crc.update(file.get(HEADER_LEN..).unwrap_or_default());
    let computed = crc.finalize();
    if computed == got {
        Ok(())
    } else {
        Err(EifError::Crc { got, computed })
    }
}

fn printable(command_line: &[u8]) -> Result<&str, EifError> {
    if command_line.len() > MAX_COMMAND_LINE {
        return Err(EifError::CommandLineLength {
            got: command_line.len(),
            max: MAX_COMMAND_LINE,
        });
    }
    let wrong = command_line
        .iter()
        .enumerate()
        .find(|(_, byte)| !(b' '..=b'~').contains(*byte));
    match (wrong, std::str::from_utf8(command_line)) {
        (None, Ok(text)) => Ok(text),
        (Some((at, byte)), _) => Err(EifError::CommandLineByte { at, byte: *byte }),
        // Printable ASCII is UTF-8.
        (None, Err(error)) => Err(EifError::CommandLineByte {
            at: error.valid_up_to(),
            byte: 0,
        }),
    }
}

/// Big-endian fields, one after the other.
struct Fields<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], EifError> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(EifError::Truncated { what: self.what })?;
        self.rest = rest;
        Ok(*head)
    }

    fn u16(&mut self) -> Result<u16, EifError> {
        self.take().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, EifError> {
        self.take().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, EifError> {
        self.take().map(u64::from_be_bytes)
    }
}
