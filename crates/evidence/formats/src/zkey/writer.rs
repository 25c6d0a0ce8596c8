//! Writes a zkey, section by section, in the order the caller chooses.
//!
//! snarkjs writes a new key in the order 1, 2, 4, 3, 9, 8, 5, 6, 7, 10 and a contributed one in the order of
//! the ids; byte equality needs the same.

use std::io::{self, Seek, Write};

use super::{Contribution, MAGIC, ZKeyHeader, ZKeySection};
use crate::binfile::Writer;
use crate::curve::CurveParams;
use crate::digest::Blake2b512Digest;
use crate::points::LemPoint;

/// Writer of the ten sections.
pub struct ZKeyWriter<W> {
    file: Writer<W>,
}

/// Bytes of section 10 with these records.
pub fn contributions_section_len<C: CurveParams>(contributions: &[Contribution<C>]) -> u64 {
    contributions
        .iter()
        .map(|contribution| u64::try_from(contribution.to_bytes().len()).unwrap_or(u64::MAX))
        .fold(64 + 4, u64::saturating_add)
}

impl<W: Write> ZKeyWriter<W> {
    /// Writes the file header and section 1 (Groth16).
    pub fn new(inner: W) -> io::Result<Self> {
        let mut file = Writer::new(inner, MAGIC, 1, 10)?;
        file.section(ZKeySection::Protocol.id(), &1u32.to_le_bytes())?;
        Ok(Self { file })
    }

    /// Writes section 2.
    pub fn header(&mut self, header: &ZKeyHeader) -> io::Result<()> {
        self.file
            .section(ZKeySection::Header.id(), &header.to_bytes())
    }

    /// Opens a section of known size; bytes are then written through [`Write`].
    pub fn begin(&mut self, section: ZKeySection, size: u64) -> io::Result<()> {
        self.file.begin_sized(section.id(), size)
    }

    /// Closes a section of known size; fails unless exactly that much was written.
    pub fn end(&mut self) -> io::Result<()> {
        self.file.end_sized()
    }

    /// Writes points into the open section.
    pub fn points<P: LemPoint>(&mut self, points: &[P]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(points.len().saturating_mul(P::BYTES));
        for point in points {
            point.append_lem(&mut bytes);
        }
        self.file.write_all(&bytes)
    }

    /// Writes section 10.
    pub fn contributions<C: CurveParams>(
        &mut self,
        circuit_hash: &Blake2b512Digest,
        contributions: &[Contribution<C>],
    ) -> io::Result<()> {
        self.begin(
            ZKeySection::Contributions,
            contributions_section_len(contributions),
        )?;
        self.file.write_all(circuit_hash.as_bytes())?;
        let count = u32::try_from(contributions.len()).map_err(io::Error::other)?;
        self.file.write_all(&count.to_le_bytes())?;
        for contribution in contributions {
            self.file.write_all(&contribution.to_bytes())?;
        }
        self.end()
    }

    /// Ends the file; all ten sections must have been written.
    pub fn finish(self) -> io::Result<W> {
        self.file.finish()
    }
}

impl<W: Write + Seek> ZKeyWriter<W> {
    /// Opens a section whose size is not known yet.
    pub fn begin_unsized(&mut self, section: ZKeySection) -> io::Result<()> {
        self.file.begin(section.id())
    }

    /// Closes a section opened by [`ZKeyWriter::begin_unsized`].
    pub fn end_unsized(&mut self) -> io::Result<()> {
        self.file.end()
    }
}

impl<W: Write> Write for ZKeyWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.file.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
