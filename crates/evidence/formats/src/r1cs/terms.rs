//! Streaming reader of the constraints: one term at a time, whatever a constraint's length.

use super::{R1csError, R1csHeader, TERM_BYTES, io};
use crate::binfile::Section;
use crate::points::LemField;
use crate::source::{RangeReader, Source};

/// One of the three linear combinations of a constraint `A * B = C`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matrix {
    /// Left factor.
    A,
    /// Right factor.
    B,
    /// Product.
    C,
}

/// One term of a linear combination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Index of the constraint, from 0.
    pub constraint: u32,
    /// Which linear combination.
    pub matrix: Matrix,
    /// The wire, below the number of wires.
    pub signal: u32,
    /// The coefficient: canonical little-endian, below the prime.
    pub coefficient: [u8; 32],
}

impl Term {
    /// The coefficient as a field element; `None` only when `F` is not the circuit's field.
    pub fn value<F: LemField>(&self) -> Option<F> {
        F::from_canonical_le(&self.coefficient)
    }
}

/// Iterator over all terms in file order: constraint by constraint, A before B before C.
///
/// A linear combination without terms yields nothing. After the last constraint the iterator checks
/// that the section ends there; after an error it yields nothing more.
pub struct TermReader<'a, S: Source + ?Sized> {
    reader: RangeReader<'a, S>,
    /// Limbs of the prime, the highest first.
    prime: [u64; 4],
    n_wires: u32,
    n_constraints: u32,
    constraint: u32,
    matrix: Matrix,
    /// Terms left in the current linear combination; `None` before its count was read.
    left: Option<u32>,
    finished: bool,
}

impl<'a, S: Source> TermReader<'a, S> {
    pub(super) fn new(
        source: &'a S,
        section: Section,
        header: &R1csHeader,
    ) -> Result<Self, R1csError> {
        Ok(Self {
            reader: section.reader(source, "constraints")?,
            prime: limbs(&header.curve.scalar_modulus()),
            n_wires: header.n_wires,
            n_constraints: header.n_constraints,
            constraint: 0,
            matrix: Matrix::A,
            left: None,
            finished: false,
        })
    }

    /// The next term, `None` after the last.
    pub fn next_term(&mut self) -> Result<Option<Term>, R1csError> {
        while !self.finished {
            match self.left {
                None if self.constraint == self.n_constraints => {
                    self.finished = true;
                    let count = self.reader.remaining();
                    if count != 0 {
                        return Err(R1csError::BytesAfterConstraints { count });
                    }
                }
                None => self.left = Some(self.read_count()?),
                Some(0) => self.next_combination(),
                Some(left) => {
                    self.left = Some(left - 1);
                    return self.read_term().map(Some);
                }
            }
        }
        Ok(None)
    }

    /// Counts the terms of A, B and C from here on; wires and coefficients are not looked at.
    /// `go_on` is told every so often how many more constraints are counted; where it says no, the
    /// count ends there.
    pub fn count_terms(
        mut self,
        mut go_on: impl FnMut(u64) -> bool,
    ) -> Result<[u64; 3], R1csError> {
        /// Constraints between two calls.
        const EVERY: u32 = 1 << 16;
        let mut counts = [0; 3];
        let mut told = self.constraint;
        while self.constraint < self.n_constraints {
            for count in &mut counts {
                let terms = u64::from(self.read_count()?);
                *count += terms;
                self.reader
                    .skip(terms * TERM_BYTES)
                    .map_err(io("constraints"))?;
            }
            self.constraint += 1;
            if self.constraint - told >= EVERY {
                if !go_on(u64::from(self.constraint - told)) {
                    break;
                }
                told = self.constraint;
            }
        }
        Ok(counts)
    }

    fn next_combination(&mut self) {
        self.left = None;
        self.matrix = match self.matrix {
            Matrix::A => Matrix::B,
            Matrix::B => Matrix::C,
            Matrix::C => {
                self.constraint += 1;
                Matrix::A
            }
        };
    }

    fn read_count(&mut self) -> Result<u32, R1csError> {
        let got = self.reader.read_u32().map_err(io("constraints"))?;
        let max = self.reader.remaining() / TERM_BYTES;
        if u64::from(got) > max {
            let (constraint, matrix) = (self.constraint, self.matrix);
            return Err(R1csError::TooManyTerms {
                constraint,
                matrix,
                got,
                max,
            });
        }
        Ok(got)
    }

    fn read_term(&mut self) -> Result<Term, R1csError> {
        let (constraint, matrix, wires) = (self.constraint, self.matrix, self.n_wires);
        let bytes: [u8; TERM] = self.reader.read_array().map_err(io("constraints"))?;
        let (mut number, mut coefficient) = ([0; 4], [0; 32]);
        let (signal_bytes, coefficient_bytes) = bytes.split_at(number.len());
        number.copy_from_slice(signal_bytes);
        coefficient.copy_from_slice(coefficient_bytes);
        let signal = u32::from_le_bytes(number);
        if signal >= wires {
            return Err(R1csError::NoSuchWire {
                constraint,
                matrix,
                signal,
                wires,
            });
        }
        if limbs(&coefficient) >= self.prime {
            return Err(R1csError::CoefficientNotCanonical {
                constraint,
                matrix,
                signal,
            });
        }
        Ok(Term {
            constraint,
            matrix,
            signal,
            coefficient,
        })
    }
}

/// Bytes of a term, [`TERM_BYTES`] as a length.
const TERM: usize = 4 + 32;

/// A little-endian number of 32 bytes, the highest limb first: ordered as numbers are.
fn limbs(bytes: &[u8]) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    limbs
}

impl<S: Source> Iterator for TermReader<'_, S> {
    type Item = Result<Term, R1csError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.next_term().transpose();
        if matches!(item, Some(Err(_))) {
            self.finished = true;
        }
        item
    }
}
