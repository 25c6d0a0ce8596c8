//! Section 4: the coefficients of A and B, `u32 n | n x (u32 matrix | u32 constraint | u32 signal | value[32])`.
//!
//! The value is in "double Montgomery" form, `v R^2 mod r` with R = 2^256, as the prover's arithmetic wants it.

use super::{ZKey, ZKeyError, ZKeySection, io};
use crate::binfile::{self, BinfileError, SectionTable};
use crate::points::LemField;
use crate::r1cs::Matrix;
use crate::source::{RangeReader, Source};

/// Bytes of one record.
pub(super) const RECORD: u64 = 44;

/// One record of section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coefficient {
    /// A or B.
    pub matrix: Matrix,
    /// Row of the domain.
    pub constraint: u32,
    /// The wire.
    pub signal: u32,
    /// The value in double Montgomery form, canonical little-endian.
    pub value: [u8; 32],
}

impl Coefficient {
    /// The record's bytes.
    pub fn to_bytes(&self) -> [u8; 44] {
        let mut out = [0; 44];
        let matrix = match self.matrix {
            Matrix::A => 0u32,
            Matrix::B => 1,
            // No record exists for C; a reader refuses what this writes.
            Matrix::C => 2,
        };
        let parts = [
            matrix.to_le_bytes(),
            self.constraint.to_le_bytes(),
            self.signal.to_le_bytes(),
        ];
        for (to, from) in out
            .iter_mut()
            .zip(parts.as_flattened().iter().chain(&self.value))
        {
            *to = *from;
        }
        out
    }
}

/// The double Montgomery form of a scalar.
pub fn double_montgomery<F: LemField>(value: F) -> [u8; 32] {
    // One in Montgomery form is the integer R; read as a canonical integer, it is the element R.
    let mut bytes = Vec::new();
    F::ONE.append_lem(&mut bytes);
    let r = F::from_canonical_le(&bytes).unwrap_or(F::ONE);
    bytes.clear();
    (value * r).append_lem(&mut bytes);
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = from;
    }
    out
}

pub(super) fn read_count<S: Source>(source: &S, table: &SectionTable) -> Result<u32, ZKeyError> {
    let id = ZKeySection::Coefficients.id();
    let section = table.get(id)?;
    let mut reader = section.reader(source, "zkey coefficients")?;
    let count = binfile::read_u32(&mut reader, "zkey coefficients")?;
    let expected = 4 + RECORD * u64::from(count);
    if section.size != expected {
        return Err(BinfileError::WrongSectionSize {
            id,
            expected,
            got: section.size,
        }
        .into());
    }
    Ok(count)
}

/// Iterator over the coefficient records in file order.
pub struct CoefficientReader<'a, S: Source + ?Sized> {
    reader: RangeReader<'a, S>,
    modulus: Vec<u8>,
    n_vars: u32,
    domain_size: u32,
    next: u64,
    end: u64,
}

impl<'a, S: Source> CoefficientReader<'a, S> {
    pub(super) fn new(zkey: &'a ZKey<S>) -> Result<Self, ZKeyError> {
        let mut reader = zkey.section_bytes(ZKeySection::Coefficients)?;
        let end = u64::from(reader.read_u32().map_err(io("zkey coefficients"))?);
        Ok(Self {
            reader,
            modulus: zkey.curve().scalar_modulus(),
            n_vars: zkey.header().n_vars,
            domain_size: zkey.header().domain_size,
            next: 0,
            end,
        })
    }

    fn read(&mut self) -> Result<Coefficient, ZKeyError> {
        let index = self.next;
        self.next += 1;
        let mut u32 = || self.reader.read_u32().map_err(io("zkey coefficients"));
        let (matrix, constraint, signal) = (u32()?, u32()?, u32()?);
        let mut value = [0; 32];
        self.reader
            .read_exact(&mut value)
            .map_err(io("zkey coefficients"))?;
        let matrix = match matrix {
            0 => Matrix::A,
            1 => Matrix::B,
            _ => return Err(ZKeyError::BadCoefficient { index }),
        };
        let canonical = value.iter().rev().lt(self.modulus.iter().rev());
        if constraint >= self.domain_size || signal >= self.n_vars || !canonical {
            return Err(ZKeyError::BadCoefficient { index });
        }
        Ok(Coefficient {
            matrix,
            constraint,
            signal,
            value,
        })
    }
}

impl<S: Source> Iterator for CoefficientReader<'_, S> {
    type Item = Result<Coefficient, ZKeyError>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.next < self.end).then(|| self.read())
    }
}
