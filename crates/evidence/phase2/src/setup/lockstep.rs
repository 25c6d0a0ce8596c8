//! The walk over the constraints with the points that belong to them, for one section of the key.

use std::ops::Range;

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::Field;
use formats::{
    points::{LemField, LemPoint, PointReader, RawPoints},
    progress::ProgressSink,
    r1cs::{Matrix, R1cs},
    source::Source,
};

use super::{
    accumulate::{SignalSums, Term, signal_sums},
    error::SetupError,
};
use crate::rescale::Scalar;

/// Terms collected before they are added up: bounds memory and feeds all threads.
const CHUNK_TERMS: usize = 1 << 15;
/// Doublings of base points in a chunk: 8 MB of points of G2.
const CHUNK_DOUBLINGS: u32 = 1 << 16;
/// Points read at a time.
const BLOCK: usize = 1 << 10;

/// Lagrange points for the three linear combinations of a constraint, as far as a section uses
/// them.
pub(super) struct Bases<'a, S: Source, P: SWCurveConfig> {
    pub(super) a: Option<Walk<'a, S, P>>,
    pub(super) b: Option<Walk<'a, S, P>>,
    pub(super) c: Option<Walk<'a, S, P>>,
}

impl<'a, S: Source, P: SWCurveConfig> Bases<'a, S, P> {
    fn of(&mut self, matrix: Matrix) -> Option<&mut Walk<'a, S, P>> {
        match matrix {
            Matrix::A => self.a.as_mut(),
            Matrix::B => self.b.as_mut(),
            Matrix::C => self.c.as_mut(),
        }
    }
}

/// A run of points, visited at ascending positions.
pub(super) struct Walk<'a, S: Source, P: SWCurveConfig> {
    reader: PointReader<'a, S, Affine<P>>,
    block: Vec<u8>,
    raw: Option<RawPoints>,
    /// Position of the block's first point, and of the first after it.
    first: u64,
    end: u64,
}

/// Which point of which block a base is.
type Origin = (RawPoints, usize);

impl<'a, S: Source, P: SWCurveConfig> Walk<'a, S, P>
where
    Affine<P>: LemPoint,
{
    pub(super) fn new(reader: PointReader<'a, S, Affine<P>>) -> Self {
        Self {
            reader,
            block: Vec::new(),
            raw: None,
            first: 0,
            end: 0,
        }
    }

    /// Appends the point at `index`, which is not below the index before.
    fn append(&mut self, index: u64, bytes: &mut Vec<u8>) -> Result<Origin, SetupError> {
        let end = SetupError::TooFewPoints { index };
        while index >= self.end {
            let raw = self.reader.read_raw(&mut self.block, BLOCK)?;
            if raw.count == 0 {
                return Err(end);
            }
            self.first = self.end;
            self.end += u64::try_from(raw.count).unwrap_or(u64::MAX);
            self.raw = Some(raw);
        }
        let width = <Affine<P> as LemPoint>::BYTES;
        let at = index.checked_sub(self.first).map(usize::try_from);
        let (Some(Ok(at)), Some(raw)) = (at, self.raw) else {
            return Err(end);
        };
        let point = self.block.chunks_exact(width).nth(at).ok_or(end)?;
        bytes.extend_from_slice(point);
        Ok((raw, at))
    }
}

/// The sums of one range of signals: every term of the matrices that have bases, and one row per
/// public signal after the constraints, which belongs to A.
pub(super) fn sums<S, T, P>(
    r1cs: &R1cs<S>,
    mut bases: Bases<'_, T, P>,
    range: Range<u64>,
    progress: &dyn ProgressSink,
) -> Result<Box<dyn SignalSums>, SetupError>
where
    S: Source,
    T: Source,
    P: SWCurveConfig<ScalarField: LemField + Scalar>,
    Affine<P>: LemPoint,
{
    let mut chunk = Chunk::new::<P>(range);
    let mut terms = r1cs.terms()?;
    let mut seen = 0;
    while let Some(term) = terms.next_term()? {
        progress.advance(u64::from(term.constraint.saturating_sub(seen)));
        seen = term.constraint;
        let Some(signal) = chunk.position(term.signal) else {
            continue;
        };
        if let Some(walk) = bases.of(term.matrix) {
            let coefficient: P::ScalarField = term.value().ok_or(SetupError::CurveMismatch)?;
            chunk.push(
                walk,
                term.constraint.into(),
                term.matrix,
                signal,
                coefficient,
            )?;
            if progress.is_cancelled() {
                return Err(SetupError::Cancelled);
            }
        }
    }
    let header = r1cs.header();
    progress.advance(u64::from(header.n_constraints.saturating_sub(seen)));
    for public in 0..=header.n_public() {
        if let (Some(signal), Some(walk)) = (chunk.position(public), bases.a.as_mut()) {
            let row = u64::from(header.n_constraints) + u64::from(public);
            chunk.push(walk, row, Matrix::A, signal, P::ScalarField::ONE)?;
        }
    }
    chunk.flush()?;
    Ok(chunk.sums)
}

/// Terms waiting to be added, with the points they multiply.
struct Chunk {
    range: Range<u64>,
    sums: Box<dyn SignalSums>,
    bases: Vec<u8>,
    origins: Vec<Origin>,
    terms: Vec<Term>,
    /// Doublings of all bases, and of the last one.
    doublings: (u32, u32),
    /// Constraint and matrix of the last base.
    last: Option<(u64, Matrix)>,
}

impl Chunk {
    fn new<P: SWCurveConfig>(range: Range<u64>) -> Self
    where
        Affine<P>: LemPoint,
    {
        Self {
            sums: signal_sums::<P>(&range),
            range,
            bases: Vec::new(),
            origins: Vec::new(),
            terms: Vec::with_capacity(CHUNK_TERMS),
            doublings: (0, 0),
            last: None,
        }
    }

    /// Position of a signal in the range, `None` outside it.
    fn position(&self, signal: u32) -> Option<u32> {
        let signal = u64::from(signal);
        if !self.range.contains(&signal) {
            return None;
        }
        u32::try_from(signal - self.range.start).ok()
    }

    fn push<S: Source, P: SWCurveConfig<ScalarField: Scalar>>(
        &mut self,
        walk: &mut Walk<'_, S, P>,
        constraint: u64,
        matrix: Matrix,
        signal: u32,
        coefficient: P::ScalarField,
    ) -> Result<(), SetupError>
    where
        Affine<P>: LemPoint,
    {
        let (all, last) = self.doublings;
        if self.terms.len() >= CHUNK_TERMS || all + last >= CHUNK_DOUBLINGS {
            self.flush()?;
        }
        if self.last != Some((constraint, matrix)) {
            self.origins.push(walk.append(constraint, &mut self.bases)?);
            self.last = Some((constraint, matrix));
            self.doublings = (self.doublings.0 + self.doublings.1, 0);
        }
        let row = u32::try_from(self.origins.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let term = Term::new(row, signal, coefficient);
        self.doublings.1 = self.doublings.1.max(term.doublings());
        self.terms.push(term);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SetupError> {
        self.sums.add(&self.bases, &self.terms).map_err(|bad| {
            match self.origins.get(bad.index) {
                Some((raw, index)) => SetupError::Points(raw.malformed(*index, bad.source)),
                None => SetupError::TooFewPoints { index: 0 },
            }
        })?;
        self.bases.clear();
        self.origins.clear();
        self.terms.clear();
        self.doublings = (0, 0);
        self.last = None;
        Ok(())
    }
}
