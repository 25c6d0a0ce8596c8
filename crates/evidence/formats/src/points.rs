//! Field elements and affine points as these files hold them.
//!
//! * **LEM** (on disk): each coordinate as little-endian limbs in Montgomery form, R = 2^(8 n8q),
//!   which are arkworks's own limbs; a quadratic coordinate is `c0 | c1`; a point is `x | y`; the
//!   point at infinity is all zero bytes.
//! * **U** (inside hashes): big-endian, not Montgomery; a quadratic coordinate is `c1 | c0`; the
//!   point at infinity is all zero bytes.

use std::io;

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{
    AdditiveGroup, BigInt, Field, Fp, Fp2Config, Fp2ConfigWrapper, MontBackend, MontConfig,
    PrimeField, QuadExtField,
};

use crate::source::{RangeReader, Source};

/// Why bytes are not a point.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PointError {
    /// The byte string has another length than a point of this group.
    #[error("point of {got} bytes instead of {expected}")]
    WrongLength {
        /// Bytes of a point.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// A coordinate is not below the modulus.
    #[error("point coordinate is not canonical")]
    NotCanonical,
    /// The coordinates do not satisfy the curve equation.
    #[error("point is not on the curve")]
    NotOnCurve,
    /// The point is on the curve but not in the subgroup of prime order.
    #[error("point is not in the subgroup of prime order")]
    NotInSubgroup,
}

impl PointError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongLength { .. } => "point_length",
            Self::NotCanonical => "point_not_canonical",
            Self::NotOnCurve => "point_not_on_curve",
            Self::NotInSubgroup => "point_not_in_subgroup",
        }
    }
}

/// A field whose elements are point coordinates.
pub trait Coordinate: Field {
    /// Bytes of an element.
    const BYTES: usize;

    /// Reads the LEM form; `None` when the length is wrong or a limb string is not below the modulus.
    fn from_lem(bytes: &[u8]) -> Option<Self>;

    /// Appends the LEM form.
    fn append_lem(&self, out: &mut Vec<u8>);

    /// Appends the U form.
    fn append_u(&self, out: &mut Vec<u8>);
}

/// A prime field whose raw Montgomery limbs are reachable.
pub trait LemField: PrimeField + Coordinate {
    /// Reads a canonical (not Montgomery) little-endian integer below the modulus.
    fn from_canonical_le(bytes: &[u8]) -> Option<Self>;

    /// Appends the canonical little-endian integer.
    fn append_canonical_le(&self, out: &mut Vec<u8>);
}

fn limbs<const N: usize>(bytes: &[u8]) -> Option<BigInt<N>> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    if chunks.len() != N || !rest.is_empty() {
        return None;
    }
    let mut limbs = [0u64; N];
    for (limb, chunk) in limbs.iter_mut().zip(chunks) {
        *limb = u64::from_le_bytes(*chunk);
    }
    Some(BigInt::new(limbs))
}

fn append_limbs<const N: usize>(value: &BigInt<N>, out: &mut Vec<u8>) {
    for limb in value.as_ref() {
        out.extend_from_slice(&limb.to_le_bytes());
    }
}

impl<P: MontConfig<N>, const N: usize> Coordinate for Fp<MontBackend<P, N>, N> {
    const BYTES: usize = 8 * N;

    fn from_lem(bytes: &[u8]) -> Option<Self> {
        let limbs = limbs::<N>(bytes)?;
        (limbs < P::MODULUS).then(|| Self::new_unchecked(limbs))
    }

    fn append_lem(&self, out: &mut Vec<u8>) {
        append_limbs(&self.0, out);
    }

    fn append_u(&self, out: &mut Vec<u8>) {
        for limb in self.into_bigint().as_ref().iter().rev() {
            out.extend_from_slice(&limb.to_be_bytes());
        }
    }
}

impl<P: MontConfig<N>, const N: usize> LemField for Fp<MontBackend<P, N>, N> {
    fn from_canonical_le(bytes: &[u8]) -> Option<Self> {
        Self::from_bigint(limbs::<N>(bytes)?)
    }

    fn append_canonical_le(&self, out: &mut Vec<u8>) {
        append_limbs(&self.into_bigint(), out);
    }
}

impl<P: Fp2Config<Fp: Coordinate>> Coordinate for QuadExtField<Fp2ConfigWrapper<P>> {
    const BYTES: usize = 2 * <P::Fp as Coordinate>::BYTES;

    fn from_lem(bytes: &[u8]) -> Option<Self> {
        let (c0, c1) = bytes.split_at_checked(<P::Fp as Coordinate>::BYTES)?;
        Some(Self::new(P::Fp::from_lem(c0)?, P::Fp::from_lem(c1)?))
    }

    fn append_lem(&self, out: &mut Vec<u8>) {
        self.c0.append_lem(out);
        self.c1.append_lem(out);
    }

    fn append_u(&self, out: &mut Vec<u8>) {
        self.c1.append_u(out);
        self.c0.append_u(out);
    }
}

/// An affine point with its byte forms.
pub trait LemPoint: Copy + Send + Sync + Sized {
    /// Bytes of a point in either form.
    const BYTES: usize;

    /// Reads the LEM form: canonical coordinates and on the curve. The subgroup is not tested.
    fn from_lem(bytes: &[u8]) -> Result<Self, PointError>;

    /// Like [`LemPoint::from_lem`], and tests that the point is in the subgroup of prime order.
    fn from_lem_in_subgroup(bytes: &[u8]) -> Result<Self, PointError>;

    /// Appends the LEM form.
    fn append_lem(&self, out: &mut Vec<u8>);

    /// Appends the U form.
    fn append_u(&self, out: &mut Vec<u8>);

    /// Appends the U form of a point in LEM form. Of the point only the encoding is checked.
    fn lem_to_u(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), PointError>;
}

impl<P: SWCurveConfig<BaseField: Coordinate>> LemPoint for Affine<P> {
    const BYTES: usize = 2 * <P::BaseField as Coordinate>::BYTES;

    fn from_lem(bytes: &[u8]) -> Result<Self, PointError> {
        if bytes.len() != Self::BYTES {
            return Err(PointError::WrongLength {
                expected: Self::BYTES,
                got: bytes.len(),
            });
        }
        if bytes.iter().all(|&b| b == 0) {
            return Ok(Self::identity());
        }
        let (x, y) = bytes.split_at(bytes.len() / 2);
        let x = P::BaseField::from_lem(x).ok_or(PointError::NotCanonical)?;
        let y = P::BaseField::from_lem(y).ok_or(PointError::NotCanonical)?;
        let point = Self::new_unchecked(x, y);
        if point.is_on_curve() {
            Ok(point)
        } else {
            Err(PointError::NotOnCurve)
        }
    }

    fn from_lem_in_subgroup(bytes: &[u8]) -> Result<Self, PointError> {
        let point = Self::from_lem(bytes)?;
        if point.is_in_correct_subgroup_assuming_on_curve() {
            Ok(point)
        } else {
            Err(PointError::NotInSubgroup)
        }
    }

    fn append_lem(&self, out: &mut Vec<u8>) {
        let (x, y) = coordinates(self);
        x.append_lem(out);
        y.append_lem(out);
    }

    fn append_u(&self, out: &mut Vec<u8>) {
        let (x, y) = coordinates(self);
        x.append_u(out);
        y.append_u(out);
    }

    fn lem_to_u(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), PointError> {
        for coordinate in bytes.chunks(<P::BaseField as Coordinate>::BYTES) {
            P::BaseField::from_lem(coordinate)
                .ok_or(PointError::NotCanonical)?
                .append_u(out);
        }
        Ok(())
    }
}

/// Both coordinates, zeros for the point at infinity.
fn coordinates<P: SWCurveConfig>(point: &Affine<P>) -> (P::BaseField, P::BaseField) {
    if point.is_zero() {
        (P::BaseField::ZERO, P::BaseField::ZERO)
    } else {
        (point.x, point.y)
    }
}

/// Why a run of points could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PointsError {
    /// Reading failed.
    #[error("cannot read points of section {section}")]
    Io {
        /// Section of the file.
        section: u32,
        /// What the source said.
        #[source]
        source: io::Error,
    },
    /// One point is malformed.
    #[error("point {index} of section {section}: {source}")]
    Point {
        /// Section of the file.
        section: u32,
        /// Index of the point in its section, from 0.
        index: u64,
        /// What is wrong with it.
        source: PointError,
    },
}

impl PointsError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "points_io",
            Self::Point { source, .. } => source.code(),
        }
    }
}

/// Where unchecked points come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawPoints {
    section: u32,
    first: u64,
    /// How many there are.
    pub count: usize,
}

impl RawPoints {
    /// The error for point `index` of these.
    pub fn malformed(&self, index: usize, source: PointError) -> PointsError {
        PointsError::Point {
            section: self.section,
            index: self
                .first
                .saturating_add(u64::try_from(index).unwrap_or(u64::MAX)),
            source,
        }
    }
}

/// Reads a run of points in order, checking each for canonical encoding and the curve equation.
pub struct PointReader<'a, S: Source + ?Sized, P> {
    reader: RangeReader<'a, S>,
    section: u32,
    next: u64,
    end: u64,
    bytes: Vec<u8>,
    point: std::marker::PhantomData<P>,
}

impl<'a, S: Source + ?Sized, P: LemPoint> PointReader<'a, S, P> {
    /// Points `first .. first + count` of a section whose bytes begin at `section_offset`.
    pub fn new(
        source: &'a S,
        section: u32,
        section_offset: u64,
        first: u64,
        count: u64,
    ) -> Result<Self, PointsError> {
        let io = |source| PointsError::Io { section, source };
        let eof = || io(io::ErrorKind::UnexpectedEof.into());
        let size = u64::try_from(P::BYTES).map_err(|_| eof())?;
        let offset = first
            .checked_mul(size)
            .and_then(|o| o.checked_add(section_offset));
        let len = count.checked_mul(size);
        let (Some(offset), Some(len), Some(end)) = (offset, len, first.checked_add(count)) else {
            return Err(eof());
        };
        let reader = RangeReader::new(source, offset, len).map_err(io)?;
        let bytes = vec![0; P::BYTES];
        Ok(Self {
            reader,
            section,
            next: first,
            end,
            bytes,
            point: std::marker::PhantomData,
        })
    }

    /// Points not read yet.
    pub fn remaining(&self) -> u64 {
        self.end - self.next
    }

    /// Replaces `out` with the next points, at most `max` of them; none at the end.
    pub fn read_chunk(&mut self, out: &mut Vec<P>, max: usize) -> Result<(), PointsError> {
        out.clear();
        while out.len() < max && self.next < self.end {
            out.push(self.read_point()?);
        }
        Ok(())
    }

    /// Replaces `bytes` with the next points as they are in the file, NOT checked, at most `max` of
    /// them; none at the end. Whoever checks them says through [`RawPoints`] which one is bad.
    pub fn read_raw(&mut self, bytes: &mut Vec<u8>, max: usize) -> Result<RawPoints, PointsError> {
        let count = usize::try_from(self.remaining()).map_or(max, |left| left.min(max));
        bytes.resize(count.saturating_mul(P::BYTES), 0);
        let section = self.section;
        self.reader
            .read_exact(bytes)
            .map_err(|source| PointsError::Io { section, source })?;
        let first = self.next;
        self.next += u64::try_from(count).unwrap_or(u64::MAX);
        Ok(RawPoints {
            section,
            first,
            count,
        })
    }

    /// Leaves out points, at most those that remain.
    pub fn skip_points(&mut self, count: u64) -> Result<(), PointsError> {
        let count = count.min(self.remaining());
        let section = self.section;
        let width = u64::try_from(P::BYTES).unwrap_or(u64::MAX);
        self.reader
            .skip(count.saturating_mul(width))
            .map_err(|source| PointsError::Io { section, source })?;
        self.next += count;
        Ok(())
    }

    fn read_point(&mut self) -> Result<P, PointsError> {
        let section = self.section;
        self.reader
            .read_exact(&mut self.bytes)
            .map_err(|source| PointsError::Io { section, source })?;
        let index = self.next;
        self.next += 1;
        P::from_lem(&self.bytes).map_err(|source| PointsError::Point {
            section,
            index,
            source,
        })
    }
}

impl<S: Source + ?Sized, P: LemPoint> Iterator for PointReader<'_, S, P> {
    type Item = Result<P, PointsError>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.next < self.end).then(|| self.read_point())
    }
}

#[cfg(test)]
mod tests;
