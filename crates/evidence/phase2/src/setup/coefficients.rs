//! Section 4: the A and B coefficients in file order, for the prover's evaluation of the circuit.

use formats::{
    points::LemField,
    progress::{ProgressSink, Unit},
    r1cs::{Matrix, R1cs},
    source::Source,
    zkey::ZKeySection,
};

use super::{
    error::SetupError,
    layout::COEFFICIENT,
    sink::{Message, Outlet, Part},
};

/// Bytes handed over at a time.
const CHUNK: usize = 1 << 18;
/// Bytes before the first record: their count.
const COUNT_BYTES: u64 = 4;

/// Number of coefficients: the terms of A and B and one per public signal and the constant.
pub(super) fn count<S: Source>(
    r1cs: &R1cs<S>,
    progress: &dyn ProgressSink,
) -> Result<u32, SetupError> {
    let header = r1cs.header();
    let constraints = Some(header.n_constraints.into());
    progress.step("initial key: circuit", Unit::Constraints, constraints);
    let [a, b, _] = r1cs.terms()?.count_terms(|constraints| {
        progress.advance(constraints);
        !progress.is_cancelled()
    })?;
    if progress.is_cancelled() {
        return Err(SetupError::Cancelled);
    }
    let count = a
        .saturating_add(b)
        .saturating_add(u64::from(header.n_public()) + 1);
    u32::try_from(count).map_err(|_| SetupError::TooManyCoefficients { got: count })
}

/// Writes `u32 matrix | u32 constraint | u32 signal | value` behind the count. The value is v·R² mod
/// r, R = 2^256: the Montgomery form of v·R.
pub(super) struct Records<'a, F> {
    outlet: &'a Outlet,
    next: u64,
    buffer: Vec<u8>,
    /// R²
    factor: F,
    /// What one comes to, and the last coefficient with what it came to.
    one: [u8; 32],
    last: ([u8; 32], [u8; 32]),
}

impl<'a, F: LemField> Records<'a, F> {
    pub(super) fn new(outlet: &'a Outlet) -> Result<Self, SetupError> {
        let mut own = Self {
            outlet,
            next: COUNT_BYTES,
            buffer: Vec::new(),
            factor: F::from(2_u64).pow([512]),
            one: [0; 32],
            last: ([0; 32], [0; 32]),
        };
        own.one = own.value(&ONE)?;
        Ok(own)
    }

    /// The record of a term; those of C have none.
    pub(super) fn push(
        &mut self,
        matrix: Matrix,
        row: u64,
        signal: u32,
        coefficient: &[u8; 32],
    ) -> Result<(), SetupError> {
        let matrix = match matrix {
            Matrix::A => 0,
            Matrix::B => 1,
            Matrix::C => return Ok(()),
        };
        // Most are one; others come in runs.
        let value = if *coefficient == ONE {
            self.one
        } else if *coefficient == self.last.0 {
            self.last.1
        } else {
            let value = self.value(coefficient)?;
            self.last = (*coefficient, value);
            value
        };
        self.record(matrix, row, signal, &value)
    }

    /// The record of a public signal's row.
    pub(super) fn push_one(&mut self, row: u64, signal: u32) -> Result<(), SetupError> {
        let one = self.one;
        self.record(0, row, signal, &one)
    }

    /// Hands over what is left.
    pub(super) fn finish(mut self) -> Result<(), SetupError> {
        self.flush()
    }

    fn value(&self, coefficient: &[u8; 32]) -> Result<[u8; 32], SetupError> {
        let value = F::from_canonical_le(coefficient).ok_or(SetupError::CurveMismatch)?;
        let mut bytes = Vec::with_capacity(32);
        (value * self.factor).append_canonical_le(&mut bytes);
        bytes.try_into().map_err(|_| SetupError::CurveMismatch)
    }

    fn record(
        &mut self,
        matrix: u32,
        row: u64,
        signal: u32,
        value: &[u8; 32],
    ) -> Result<(), SetupError> {
        let row = u32::try_from(row).map_err(|_| SetupError::TooManyCoefficients { got: row })?;
        let mut record = [0; COEFFICIENT];
        let (words, own) = record.split_at_mut(COEFFICIENT - value.len());
        for (bytes, word) in words
            .as_chunks_mut()
            .0
            .iter_mut()
            .zip([matrix, row, signal])
        {
            *bytes = word.to_le_bytes();
        }
        own.copy_from_slice(value);
        self.buffer.extend_from_slice(&record);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SetupError> {
        let room = CHUNK + COEFFICIENT;
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(room));
        let offset = self.next;
        self.next += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.outlet.send(Message::Part(Part {
            section: ZKeySection::Coefficients,
            offset,
            bytes,
        }))
    }
}

/// One, canonical little-endian.
const ONE: [u8; 32] = {
    let mut one = [0; 32];
    one[0] = 1;
    one
};
