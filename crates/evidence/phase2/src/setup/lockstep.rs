//! The walk over the constraints with the points that belong to them, for one section of the key.

use std::ops::Range;

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::Field;
use formats::{
    points::{LemField, LemPoint, PointReader},
    progress::ProgressSink,
    r1cs::{Matrix, R1cs},
    source::Source,
};

use super::{
    accumulate::{Sums, Term},
    error::SetupError,
};

/// Terms collected before they are added up: bounds memory and feeds all threads.
const CHUNK_TERMS: usize = 1 << 15;

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
    position: u64,
    point: Affine<P>,
}

impl<'a, S: Source, P: SWCurveConfig> Walk<'a, S, P>
where
    Affine<P>: LemPoint,
{
    pub(super) fn new(reader: PointReader<'a, S, Affine<P>>) -> Self {
        Self {
            reader,
            position: 0,
            point: Affine::identity(),
        }
    }

    /// The point at `index`, which is not below the index before.
    fn at(&mut self, index: u64) -> Result<Affine<P>, SetupError> {
        while self.position <= index {
            self.point = self
                .reader
                .next()
                .ok_or(SetupError::TooFewPoints { index })??;
            self.position += 1;
        }
        Ok(self.point)
    }
}

/// The sums of one range of signals: every term of the matrices that have bases, and one row per
/// public signal after the constraints, which belongs to A.
pub(super) fn sums<S, T, P>(
    r1cs: &R1cs<S>,
    mut bases: Bases<'_, T, P>,
    range: Range<u64>,
    progress: &dyn ProgressSink,
) -> Result<Sums<P>, SetupError>
where
    S: Source,
    T: Source,
    P: SWCurveConfig<ScalarField: LemField>,
    Affine<P>: LemPoint,
{
    let mut chunk = Chunk::new(Sums::new(range));
    let mut terms = r1cs.terms()?;
    let mut seen = 0;
    while let Some(term) = terms.next_term()? {
        progress.advance(u64::from(term.constraint.saturating_sub(seen)));
        seen = term.constraint;
        let Some(signal) = chunk.sums.position(term.signal) else {
            continue;
        };
        if let Some(walk) = bases.of(term.matrix) {
            let coefficient = term.value().ok_or(SetupError::CurveMismatch)?;
            chunk.push(
                walk,
                term.constraint.into(),
                term.matrix,
                signal,
                coefficient,
            )?;
        }
        if chunk.terms.len() >= CHUNK_TERMS {
            if progress.is_cancelled() {
                return Err(SetupError::Cancelled);
            }
            chunk.flush();
        }
    }
    let header = r1cs.header();
    progress.advance(u64::from(header.n_constraints.saturating_sub(seen)));
    for public in 0..=header.n_public() {
        if let (Some(signal), Some(walk)) = (chunk.sums.position(public), bases.a.as_mut()) {
            let row = u64::from(header.n_constraints) + u64::from(public);
            chunk.push(walk, row, Matrix::A, signal, P::ScalarField::ONE)?;
            if chunk.terms.len() >= CHUNK_TERMS {
                chunk.flush();
            }
        }
    }
    chunk.flush();
    Ok(chunk.sums)
}

/// Terms waiting to be added, with the points they multiply.
struct Chunk<P: SWCurveConfig> {
    sums: Sums<P>,
    bases: Vec<Affine<P>>,
    terms: Vec<Term<P::ScalarField>>,
    /// Constraint and matrix of the last base.
    last: Option<(u64, Matrix)>,
}

impl<P: SWCurveConfig> Chunk<P>
where
    Affine<P>: LemPoint,
{
    fn new(sums: Sums<P>) -> Self {
        Self {
            sums,
            bases: Vec::new(),
            terms: Vec::with_capacity(CHUNK_TERMS),
            last: None,
        }
    }

    fn push<S: Source>(
        &mut self,
        walk: &mut Walk<'_, S, P>,
        constraint: u64,
        matrix: Matrix,
        signal: usize,
        coefficient: P::ScalarField,
    ) -> Result<(), SetupError> {
        if self.last != Some((constraint, matrix)) {
            self.bases.push(walk.at(constraint)?);
            self.last = Some((constraint, matrix));
        }
        self.terms.push(Term {
            row: self.bases.len() - 1,
            signal,
            coefficient,
        });
        Ok(())
    }

    fn flush(&mut self) {
        self.sums.add(&self.bases, &self.terms);
        self.bases.clear();
        self.terms.clear();
        self.last = None;
    }
}
