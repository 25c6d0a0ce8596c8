//! The walk over the constraints with the points that belong to them.

use std::sync::mpsc::{Receiver, SyncSender};

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use formats::{
    curve::CurveParams,
    points::{LemPoint, PointReader, RawPoints},
    progress::ProgressSink,
    ptau::{LagrangeG1, Ptau},
    r1cs::{Matrix, R1cs},
    source::Source,
};

use super::{
    accumulate::SignalSums,
    coefficients::Records,
    error::SetupError,
    plan::{Pass, Sum},
    signed::Signed,
    terms::Terms,
};
use crate::EngineCurve;
use crate::positions::{index, position};

/// Terms collected before they are added up: bounds memory and feeds all threads.
const BATCH_TERMS: usize = 1 << 16;
/// Doublings of base points in a batch, and images of them: 16 MB of points in G1.
const BATCH_DOUBLINGS: u32 = 1 << 18;
/// The same in G2: 8 MB.
const BATCH_DOUBLINGS_G2: u32 = 1 << 16;
/// Points read at a time.
const BLOCK: usize = 1 << 10;
/// The same as a count in a file.
const BLOCK_POINTS: u64 = 1 << 10;
/// Constraints between two looks at the progress sink.
const CONSTRAINTS: u32 = 1 << 10;

/// Terms waiting to be added, with the points they multiply.
#[derive(Default)]
pub(super) struct Batch {
    bases: Vec<u8>,
    /// Which block each base is from, and which point of it.
    origins: Vec<(u32, u32)>,
    blocks: Vec<RawPoints>,
    terms: Terms,
    /// Doublings of all bases, and images.
    doublings: u32,
}

impl Batch {
    /// Adds the terms to sums of the batch's group.
    pub(super) fn add_to(&self, sums: &mut dyn SignalSums) -> Result<(), SetupError> {
        if self.terms.as_slice().is_empty() {
            return Ok(());
        }
        sums.add(&self.bases, &self.terms).map_err(|bad| {
            let origin = self.origins.get(bad.index).and_then(|(block, at)| {
                let block = self.blocks.get(index(*block))?;
                Some(block.malformed(index(*at), bad.source))
            });
            origin.map_or(SetupError::TooFewPoints { index: 0 }, SetupError::Points)
        })
    }

    fn clear(&mut self) {
        self.bases.clear();
        self.origins.clear();
        self.blocks.clear();
        self.terms.clear();
        self.doublings = 0;
    }
}

/// One batch for each run of base points.
#[derive(Default)]
pub(super) struct Batches {
    /// Lagrange points in G1.
    pub(super) tau: Batch,
    /// α times them.
    pub(super) alpha: Batch,
    /// β times them.
    pub(super) beta: Batch,
    /// Lagrange points in G2.
    pub(super) tau_g2: Batch,
}

impl Batches {
    /// Empty, with room for as much as another batch holds: growing copies, and the next one is alike.
    fn like(other: &Self) -> Self {
        let like = |batch: &Batch| Batch {
            bases: Vec::with_capacity(batch.bases.len()),
            origins: Vec::with_capacity(batch.origins.len()),
            blocks: Vec::new(),
            terms: Terms::like(&batch.terms),
            doublings: 0,
        };
        Self {
            tau: like(&other.tau),
            alpha: like(&other.alpha),
            beta: like(&other.beta),
            tau_g2: like(&other.tau_g2),
        }
    }

    fn all(&mut self) -> [&mut Batch; 4] {
        [
            &mut self.tau,
            &mut self.alpha,
            &mut self.beta,
            &mut self.tau_g2,
        ]
    }
}

/// The base points of one run, visited at ascending positions.
struct Bases<'a, S: Source, P: SWCurveConfig> {
    reader: PointReader<'a, S, Affine<P>>,
    block: Vec<u8>,
    raw: Option<RawPoints>,
    /// Position of the block's first point, and of the first after it.
    first: u64,
    end: u64,
    /// Position of the last base of the batch, and its doublings.
    last: Option<(u64, u32)>,
}

impl<'a, S: Source, P: SWCurveConfig> Bases<'a, S, P>
where
    Affine<P>: LemPoint,
{
    fn new(reader: PointReader<'a, S, Affine<P>>) -> Self {
        Self {
            reader,
            block: Vec::new(),
            raw: None,
            first: 0,
            end: 0,
            last: None,
        }
    }

    /// One more term of a base that is not before the last one.
    fn push(
        &mut self,
        batch: &mut Batch,
        index: u64,
        (signal, place): (u32, u32),
        value: &Signed,
    ) -> Result<(), SetupError> {
        let known = match self.last {
            Some((last, known)) if last == index => known,
            _ => {
                self.append(index, batch)?;
                0
            }
        };
        let doublings = value.doublings().max(known);
        batch.doublings += doublings - known + value.images();
        self.last = Some((index, doublings));
        let row = position(batch.origins.len()).saturating_sub(1);
        batch.terms.push(row, signal, place, value);
        Ok(())
    }

    /// Appends the point at `index`.
    fn append(&mut self, index: u64, batch: &mut Batch) -> Result<(), SetupError> {
        let end = SetupError::TooFewPoints { index };
        while index >= self.end {
            // Blocks of which nothing is used are not read.
            let unused = (index - self.end) / BLOCK_POINTS * BLOCK_POINTS;
            self.reader.skip_points(unused)?;
            self.end += unused;
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
        batch.bases.extend_from_slice(point);
        if batch.blocks.last() != Some(&raw) {
            batch.blocks.push(raw);
        }
        let block = position(batch.blocks.len()).saturating_sub(1);
        batch.origins.push((block, position(at)));
        Ok(())
    }
}

/// Walks the constraints once and hands batches of terms to those who add them.
pub(super) struct Walk<'a, S: Source, T: Source, C: CurveParams> {
    r1cs: &'a R1cs<S>,
    pass: &'a Pass,
    progress: &'a dyn ProgressSink,
    tau: Bases<'a, T, C::G1Config>,
    alpha: Bases<'a, T, C::G1Config>,
    beta: Bases<'a, T, C::G1Config>,
    tau_g2: Bases<'a, T, C::G2Config>,
    batches: Batches,
    full: SyncSender<Batches>,
    empty: Receiver<Batches>,
}

impl<'a, S: Source, T: Source, C: EngineCurve> Walk<'a, S, T, C> {
    /// Batches go out through `full` and may come back through `empty`.
    pub(super) fn new(
        r1cs: &'a R1cs<S>,
        ptau: &'a Ptau<T>,
        pass: &'a Pass,
        progress: &'a dyn ProgressSink,
        full: SyncSender<Batches>,
        empty: Receiver<Batches>,
    ) -> Result<Self, SetupError> {
        let power = r1cs.header().power();
        let g1 = |block| ptau.lagrange_g1::<C>(block, power, 0, 1 << power);
        Ok(Self {
            r1cs,
            pass,
            progress,
            tau: Bases::new(g1(LagrangeG1::Tau)?),
            alpha: Bases::new(g1(LagrangeG1::AlphaTau)?),
            beta: Bases::new(g1(LagrangeG1::BetaTau)?),
            tau_g2: Bases::new(ptau.lagrange_g2::<C>(power, 0, 1 << power)?),
            batches: Batches::default(),
            full,
            empty,
        })
    }

    /// Every term, and one row per public signal after the constraints, which belongs to A. With
    /// `records` also writes section 4.
    pub(super) fn run(mut self, mut records: Option<Records<C::Fr>>) -> Result<(), SetupError> {
        let places = Places::new(self.pass);
        let mut terms = self.r1cs.terms()?;
        let mut seen = 0;
        // Coefficients come in runs.
        let mut last = ([0; 32], Signed::of::<C::Fr>(&[0; 32])?);
        while let Some(term) = terms.next_term()? {
            if term.constraint - seen >= CONSTRAINTS {
                self.go_on(u64::from(term.constraint - seen))?;
                seen = term.constraint;
            }
            let row = u64::from(term.constraint);
            if term.coefficient != last.0 {
                last = (term.coefficient, Signed::of::<C::Fr>(&term.coefficient)?);
            }
            if let Some(records) = &mut records {
                records.push(term.matrix, row, term.signal, &term.coefficient)?;
            }
            if let Some(signal) = self.position(term.signal) {
                self.push(&places, term.matrix, row, signal, &last.1)?;
            }
        }
        let header = self.r1cs.header();
        self.go_on(u64::from(header.n_constraints.saturating_sub(seen)))?;
        for public in 0..=header.n_public() {
            let row = u64::from(header.n_constraints) + u64::from(public);
            if let Some(records) = &mut records {
                records.push_one(row, public)?;
            }
            if let Some(signal) = self.position(public) {
                self.push(&places, Matrix::A, row, signal, &Signed::ONE)?;
            }
        }
        if let Some(records) = records {
            records.finish()?;
        }
        self.flush()
    }

    fn go_on(&self, constraints: u64) -> Result<(), SetupError> {
        self.progress.advance(constraints);
        if self.progress.is_cancelled() {
            return Err(SetupError::Cancelled);
        }
        Ok(())
    }

    /// Position of a signal in the range, `None` outside it.
    fn position(&self, signal: u32) -> Option<u32> {
        let signal = u64::from(signal);
        if !self.pass.range.contains(&signal) {
            return None;
        }
        u32::try_from(signal - self.pass.range.start).ok()
    }

    fn push(
        &mut self,
        places: &Places,
        matrix: Matrix,
        row: u64,
        signal: u32,
        value: &Signed,
    ) -> Result<(), SetupError> {
        let g1 = |place: u32| (signal, place);
        let Batches {
            tau,
            alpha,
            beta,
            tau_g2,
        } = &mut self.batches;
        match matrix {
            Matrix::A => {
                if let Some(a) = places.a {
                    self.tau.push(tau, row, g1(a), value)?;
                }
                if let Some(k) = places.k {
                    self.beta.push(beta, row, g1(k), value)?;
                }
            }
            Matrix::B => {
                if let Some(b) = places.b1 {
                    self.tau.push(tau, row, g1(b), value)?;
                }
                if places.b2 {
                    self.tau_g2.push(tau_g2, row, (signal, 0), value)?;
                }
                if let Some(k) = places.k {
                    self.alpha.push(alpha, row, g1(k), value)?;
                }
            }
            Matrix::C => {
                if let Some(k) = places.k {
                    self.tau.push(tau, row, g1(k), value)?;
                }
            }
        }
        let in_g1 = [&*tau, alpha, beta];
        let terms: usize = in_g1.iter().map(|batch| batch.terms.as_slice().len()).sum();
        let doublings: u32 = in_g1.iter().map(|batch| batch.doublings).sum();
        if terms + tau_g2.terms.as_slice().len() >= BATCH_TERMS
            || doublings >= BATCH_DOUBLINGS
            || tau_g2.doublings >= BATCH_DOUBLINGS_G2
        {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SetupError> {
        let next = self.empty.try_recv().map_or_else(
            |_| Batches::like(&self.batches),
            |mut batches| {
                batches.all().into_iter().for_each(Batch::clear);
                batches
            },
        );
        let full = std::mem::replace(&mut self.batches, next);
        for last in [
            &mut self.tau.last,
            &mut self.alpha.last,
            &mut self.beta.last,
        ] {
            *last = None;
        }
        self.tau_g2.last = None;
        // Whoever stopped taking has the reason.
        self.full.send(full).map_err(|_| SetupError::Cancelled)
    }
}

/// Where the sums of a signal stand.
struct Places {
    k: Option<u32>,
    a: Option<u32>,
    b1: Option<u32>,
    b2: bool,
}

impl Places {
    fn new(pass: &Pass) -> Self {
        let place = |sum| {
            let place = pass.place(sum)?;
            u32::try_from(place).ok()
        };
        Self {
            k: place(Sum::K),
            a: place(Sum::A),
            b1: place(Sum::B1),
            b2: pass.has(Sum::B2),
        }
    }
}
