//! A key written again with another delta: sections 1 to 10 in this order, sections 3 to 7 as they
//! are, the points of 8 and 9 multiplied by one scalar. Fixed buffers, whatever the key's size.

use std::io::Write;

use formats::{
    curve::{CurveParams, G1Affine},
    points::{LemPoint, PointsError},
    progress::{ProgressSink, Unit},
    source::Source,
    zkey::{KeyPoints, ZKey, ZKeySection, ZKeyWriter},
};

use super::error::ContributionError;
use crate::{
    EngineCurve, pipeline,
    rescale::{RescaleError, Rescaler},
};

/// Points multiplied at a time: enough for all threads.
const CHUNK_POINTS: usize = 1 << 14;
/// Bytes copied at a time.
const CHUNK_BYTES: usize = 1 << 18;
/// Circuit hash and number of contributions.
const HASH_AND_COUNT: usize = 64 + 4;

/// Whether the scalar is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// The same operations for every scalar.
    Secret,
    /// A faster sequence that shows the scalar to an observer.
    Public,
}

/// What happens to the points that depend on delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Multiplied by the scalar: a contribution is taken away.
    Multiply,
    /// Multiplied by its inverse: a contribution is made.
    Divide,
}

/// What happens to the list of contributions.
pub(crate) enum Records {
    /// One more, already encoded.
    WithNew { bytes: Vec<u8> },
    /// One less, of this length.
    WithoutLast { bytes: u64 },
}

/// One key and how its successor differs.
pub(crate) struct Rewrite<'a, C: CurveParams, S> {
    pub(crate) zkey: &'a ZKey<S>,
    pub(crate) points: &'a KeyPoints<C>,
    pub(crate) factor: Rescaler,
    pub(crate) records: Records,
    pub(crate) progress: &'a dyn ProgressSink,
}

impl<C: EngineCurve, S: Source> Rewrite<'_, C, S> {
    /// Writes the whole file and returns its length.
    pub(crate) fn write<W: Write + Send>(&self, out: &mut W) -> Result<u64, ContributionError> {
        use ZKeySection as Section;
        let rescaled = [Section::C, Section::H];
        let total = rescaled
            .iter()
            .map(|section| self.zkey.n_points(*section))
            .sum();
        self.progress
            .step("contribution", Unit::Points, Some(total));

        let mut counted = Counted {
            inner: out,
            bytes: 0,
        };
        let mut file = ZKeyWriter::new(&mut counted).map_err(ContributionError::Write)?;
        let header = self.zkey.header().with_points(self.points)?;
        file.header(&header).map_err(ContributionError::Write)?;
        for section in [
            Section::Ic,
            Section::Coefficients,
            Section::A,
            Section::B1,
            Section::B2,
        ] {
            self.copy(section, &mut file)?;
        }
        for section in rescaled {
            self.rescale(section, &mut file)?;
        }
        self.contributions(&mut file)?;
        file.finish().map_err(ContributionError::Write)?;
        Ok(counted.bytes)
    }

    fn copy<W: Write>(
        &self,
        section: ZKeySection,
        file: &mut ZKeyWriter<W>,
    ) -> Result<(), ContributionError> {
        let size = self.zkey.section_bytes(section)?.remaining();
        file.begin(section, size)
            .map_err(ContributionError::Write)?;
        self.copy_bytes(section, 0, size, file)?;
        file.end().map_err(ContributionError::Write)
    }

    /// Copies `size` bytes of a section after its first `skip` bytes.
    fn copy_bytes<W: Write>(
        &self,
        section: ZKeySection,
        skip: usize,
        size: u64,
        file: &mut ZKeyWriter<W>,
    ) -> Result<(), ContributionError> {
        let read = |source| ContributionError::Read {
            section: section.id(),
            source,
        };
        let mut reader = self.zkey.section_bytes(section)?;
        reader.read_exact(&mut vec![0; skip]).map_err(read)?;
        let mut left = size;
        let mut buffer = vec![0; CHUNK_BYTES];
        while left > 0 {
            if self.progress.is_cancelled() {
                return Err(ContributionError::Cancelled);
            }
            let n = usize::try_from(left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
            let chunk = buffer.get_mut(..n).unwrap_or_default();
            reader.read_exact(chunk).map_err(read)?;
            file.write_all(chunk).map_err(ContributionError::Write)?;
            left -= u64::try_from(n).unwrap_or(left);
        }
        Ok(())
    }

    /// Reading, multiplying and writing run side by side, each a chunk ahead of the next.
    fn rescale<W: Write + Send>(
        &self,
        section: ZKeySection,
        file: &mut ZKeyWriter<W>,
    ) -> Result<(), ContributionError> {
        let mut reader = self.zkey.section_bytes(section)?;
        let size = reader.remaining();
        file.begin(section, size)
            .map_err(ContributionError::Write)?;
        let bytes = CHUNK_POINTS * <G1Affine<C> as LemPoint>::BYTES;
        let read = |chunk: &mut Vec<u8>| {
            let n = usize::try_from(reader.remaining()).map_or(bytes, |left| left.min(bytes));
            chunk.resize(n, 0);
            let section = section.id();
            reader
                .read_exact(chunk)
                .map_err(|source| ContributionError::Read { section, source })?;
            Ok(n > 0)
        };
        let mut done = 0_u64;
        let multiply = |chunk: &mut Vec<u8>| {
            if self.progress.is_cancelled() {
                return Err(ContributionError::Cancelled);
            }
            self.factor
                .multiply::<C::G1Config>(chunk)
                .map_err(|error| refused(section.id(), done, error))?;
            let n = u64::try_from(chunk.len() / <G1Affine<C> as LemPoint>::BYTES).unwrap_or(0);
            self.progress.advance(n);
            done += n;
            Ok(())
        };
        let write = |chunk: &mut Vec<u8>| file.write_all(chunk).map_err(ContributionError::Write);
        pipeline::run(read, multiply, write)?;
        file.end().map_err(ContributionError::Write)
    }

    /// The old records were read before and are written back byte for byte.
    fn contributions<W: Write>(&self, file: &mut ZKeyWriter<W>) -> Result<(), ContributionError> {
        let section = ZKeySection::Contributions;
        let old_size = self.zkey.section_bytes(section)?.remaining();
        let prefix = u64::try_from(HASH_AND_COUNT).unwrap_or(u64::MAX);
        let old_records = old_size.saturating_sub(prefix);
        let old_count = self.zkey.n_contributions();
        let (count, kept, new): (_, _, &[u8]) = match &self.records {
            Records::WithNew { bytes } => (old_count.checked_add(1), Some(old_records), bytes),
            Records::WithoutLast { bytes } => (
                old_count.checked_sub(1),
                old_records.checked_sub(*bytes),
                &[],
            ),
        };
        let (Some(count), Some(kept)) = (count, kept) else {
            return Err(ContributionError::TooManyContributions);
        };
        let write = ContributionError::Write;
        let new_size = u64::try_from(new.len()).unwrap_or(u64::MAX);
        file.begin(section, prefix + kept + new_size)
            .map_err(write)?;
        file.write_all(self.zkey.circuit_hash().as_bytes())
            .map_err(write)?;
        file.write_all(&count.to_le_bytes()).map_err(write)?;
        self.copy_bytes(section, HASH_AND_COUNT, kept, file)?;
        file.write_all(new).map_err(write)?;
        file.end().map_err(write)
    }
}

/// Names a point by its place in the section.
fn refused(section: u32, before: u64, error: RescaleError) -> ContributionError {
    match error {
        RescaleError::Point { index, source } => {
            let index = before.saturating_add(u64::try_from(index).unwrap_or(u64::MAX));
            ContributionError::Points(PointsError::Point {
                section,
                index,
                source,
            })
        }
        source => ContributionError::Rescale { section, source },
    }
}

/// Counts what is written.
struct Counted<'a, W> {
    inner: &'a mut W,
    bytes: u64,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
