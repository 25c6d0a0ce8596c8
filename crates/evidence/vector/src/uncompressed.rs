//! Points from the form of files to the one that circuit hashes take: coordinates as big-endian integers, no
//! longer in Montgomery form; of a quadratic extension the second coefficient first (snarkjs's `toRprUncompressed`,
//! the *U form* of the crate `formats`).

#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

use ark_ff::PrimeField;

use crate::field::{Field, GROUP, GROUP_LANES, Group};
use crate::kernel::PointFault;
use crate::level::Level;
use crate::packed::{Row, pack, unpack};
use crate::register::{LANES, Register, work};

/// Bytes of a row: two coordinates of G1, or one of G2.
const ROW: usize = 64;

/// Converts points.
pub struct Uncompressed {
    rows: Box<dyn Rows>,
}

impl Uncompressed {
    /// At this level.
    #[must_use]
    pub fn new(level: Level) -> Self {
        let rows = level.uncompressed();
        Self { rows }
    }

    /// Appends points of G1. Of a point only the encoding is checked; infinity is zeros in either form.
    ///
    /// # Errors
    /// The first point with a coordinate that is not canonical; bytes that are not whole points. Then something
    /// may have been appended.
    pub fn append_g1(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), PointFault> {
        self.rows.append(bytes, Pair::Point, out)
    }

    /// Appends points of G2, as [`Self::append_g1`].
    ///
    /// # Errors
    /// The same.
    pub fn append_g2(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), PointFault> {
        self.rows.append(bytes, Pair::Coefficients, out)
    }
}

/// What the two numbers in a row are.
#[derive(Clone, Copy)]
pub(crate) enum Pair {
    /// The coordinates of a point of G1.
    Point,
    /// The coefficients of a coordinate of G2.
    Coefficients,
}

impl Pair {
    /// Rows of a point.
    fn rows(self) -> usize {
        match self {
            Self::Point => 1,
            Self::Coefficients => 2,
        }
    }

    /// Words, most significant first.
    fn big_endian(self, row: &Row, out: &mut [u8; ROW]) {
        let mut words = row.0;
        match self {
            Self::Point => words
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .for_each(|c| c.reverse()),
            Self::Coefficients => words.reverse(),
        }
        for (out, word) in out.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *out = word.to_be_bytes();
        }
    }
}

/// What converters do, whatever the field's form.
pub(crate) trait Rows {
    fn append(&self, bytes: &[u8], pair: Pair, out: &mut Vec<u8>) -> Result<(), PointFault>;
}

/// What a Montgomery product takes to bring a number from the form of files to itself: R / 2^256.
pub(crate) struct Factor<F>(Group<F>);

impl<F: Field> Factor<F> {
    pub(crate) fn new(zero: F) -> Self {
        Self([zero.integer(F::FACTOR.into_bigint().0); GROUP])
    }
}

impl<F: Field> Rows for Factor<F> {
    fn append(&self, bytes: &[u8], pair: Pair, out: &mut Vec<u8>) -> Result<(), PointFault> {
        let length = bytes.len();
        if !length.is_multiple_of(pair.rows() * ROW) {
            return Err(PointFault::Length { length });
        }
        let start = out.len();
        out.resize(start + length, 0);
        let groups = out.get_mut(start..).unwrap_or_default();
        let groups = bytes
            .chunks(GROUP_LANES * ROW)
            .zip(groups.chunks_mut(GROUP_LANES * ROW));
        for (number, (bytes, out)) in groups.enumerate() {
            let mut rows = [Row::ZERO; GROUP_LANES];
            for (lane, (row, bytes)) in rows.iter_mut().zip(bytes.as_chunks().0).enumerate() {
                *row = Row::from_bytes(bytes);
                if !row.is_canonical() {
                    let index = (number * GROUP_LANES + lane) / pair.rows();
                    return Err(PointFault::NotCanonical { index });
                }
            }
            self.register().call(Convert {
                factor: self,
                rows: &mut rows,
            });
            for (row, out) in rows.iter().zip(out.as_chunks_mut().0) {
                pair.big_endian(row, out);
            }
        }
        Ok(())
    }
}

work!(Convert<'a, F: Field> {
    factor: &'a Factor<F>,
    rows: &'a mut [Row; GROUP_LANES],
} -> (), factor.convert(rows));

impl<F: Field> Factor<F> {
    /// Evidence of the features.
    fn register(&self) -> F::Register {
        self.0[0].register()
    }

    #[inline(always)]
    fn convert(&self, rows: &mut [Row; GROUP_LANES]) {
        let (mut first, mut second) = (self.0, self.0);
        let vectors = first.iter_mut().zip(&mut second);
        for ((first, second), rows) in vectors.zip(rows.as_chunks::<LANES>().0) {
            (*first, *second) = unpack(&self.0[0], rows.each_ref());
        }
        let (mut left, mut right) = (first, second);
        F::multiply(&mut left, &first, &self.0);
        F::multiply(&mut right, &second, &self.0);
        let vectors = left.iter().zip(&right);
        for ((left, right), rows) in vectors.zip(rows.as_chunks_mut::<LANES>().0) {
            *rows = pack(left, right);
        }
    }
}
