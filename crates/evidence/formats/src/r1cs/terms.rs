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
    prime: Vec<u8>,
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
            prime: header.curve.scalar_modulus(),
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
        let signal = self.reader.read_u32().map_err(io("constraints"))?;
        if signal >= wires {
            return Err(R1csError::NoSuchWire {
                constraint,
                matrix,
                signal,
                wires,
            });
        }
        let mut coefficient = [0; 32];
        self.reader
            .read_exact(&mut coefficient)
            .map_err(io("constraints"))?;
        // Both little-endian and of equal length: compare from the top byte down.
        if coefficient.iter().rev().ge(self.prime.iter().rev()) {
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
