//! Section 4: the A and B coefficients in file order, for the prover's evaluation of the circuit.

use std::io::{Seek, Write};

use formats::{
    points::LemField,
    progress::ProgressSink,
    r1cs::{Matrix, R1cs},
    source::Source,
};

use super::{error::SetupError, layout::COEFFICIENT_BYTES, write::Output};

/// Coefficients written at a time.
const CHUNK: usize = 1 << 12;

/// Number of coefficients: the terms of A and B and one per public signal and the constant.
pub(super) fn count<S: Source>(
    r1cs: &R1cs<S>,
    progress: &dyn ProgressSink,
) -> Result<u32, SetupError> {
    let header = r1cs.header();
    progress.step(
        "initial key: circuit",
        formats::progress::Unit::Constraints,
        Some(header.n_constraints.into()),
    );
    let mut count = u64::from(header.n_public()) + 1;
    let mut terms = r1cs.terms()?;
    let mut seen = 0;
    while let Some(term) = terms.next_term()? {
        count += u64::from(term.matrix != Matrix::C);
        if term.constraint != seen {
            progress.advance(u64::from(term.constraint - seen));
            seen = term.constraint;
        }
    }
    u32::try_from(count).map_err(|_| SetupError::TooManyCoefficients { got: count })
}

/// Writes `u32 n | n × (u32 matrix | u32 constraint | u32 signal | value)` at `offset`. The value is
/// v·R² mod r, R = 2^256: the Montgomery form of v·R.
pub(super) fn write<F, S, W>(
    r1cs: &R1cs<S>,
    count: u32,
    out: &mut Output<'_, W>,
    offset: u64,
    progress: &dyn ProgressSink,
) -> Result<(), SetupError>
where
    F: LemField,
    S: Source,
    W: Write + Seek,
{
    out.write_at(offset, &count.to_le_bytes())?;
    let mut records = Records {
        out,
        next: offset + 4,
        buffer: Vec::new(),
        factor: F::from(2_u64).pow([512]),
    };
    let mut terms = r1cs.terms()?;
    while let Some(term) = terms.next_term()? {
        let matrix = match term.matrix {
            Matrix::A => 0,
            Matrix::B => 1,
            Matrix::C => continue,
        };
        let value = term.value().ok_or(SetupError::CurveMismatch)?;
        records.push(matrix, term.constraint.into(), term.signal, value)?;
        if progress.is_cancelled() {
            return Err(SetupError::Cancelled);
        }
    }
    let header = r1cs.header();
    for public in 0..=header.n_public() {
        let row = u64::from(header.n_constraints) + u64::from(public);
        records.push(0, row, public, F::ONE)?;
    }
    records.flush()
}

struct Records<'a, 'b, F, W> {
    out: &'a mut Output<'b, W>,
    next: u64,
    buffer: Vec<u8>,
    /// R²
    factor: F,
}

impl<F: LemField, W: Write + Seek> Records<'_, '_, F, W> {
    fn push(&mut self, matrix: u32, row: u64, signal: u32, value: F) -> Result<(), SetupError> {
        let row = u32::try_from(row).map_err(|_| SetupError::TooManyCoefficients { got: row })?;
        for word in [matrix, row, signal] {
            self.buffer.extend_from_slice(&word.to_le_bytes());
        }
        (value * self.factor).append_canonical_le(&mut self.buffer);
        if self.buffer.len() >= CHUNK * usize::try_from(COEFFICIENT_BYTES).unwrap_or(1) {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SetupError> {
        self.out.write_at(self.next, &self.buffer)?;
        self.next += u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
        self.buffer.clear();
        Ok(())
    }
}
