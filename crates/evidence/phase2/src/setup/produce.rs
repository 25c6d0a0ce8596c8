//! The computation of an initial key, part by part in the order of its circuit hash.
//!
//! Three things go on side by side: the walk over the constraints, the additions (on all threads),
//! and hashing with whatever the sink does.

use std::{ops::Range, sync::mpsc::sync_channel};

use ark_ec::AffineRepr;
use formats::{
    curve::{CurveParams, G1Affine, G2Affine},
    digest::Blake2b512Digest,
    points::{LemPoint, PointReader},
    progress::{ProgressSink, Unit},
    ptau::{LagrangeG1, MonomialG1, Ptau},
    r1cs::R1cs,
    source::Source,
    zkey::ZKeySection,
};
use vector::PositionError;

use super::{
    accumulate::{SignalSums, signal_sums},
    circuit_hash::{Difference, h_differences},
    coefficients::Records,
    error::SetupError,
    plan::{self, Pass, Sum},
    sink::{self, Message, Outlet, Part, PartSink},
    walk::{Batches, Walk},
};
use crate::{EngineCurve, sums::check_points, transcript::InfinityRule};

/// Points converted and handed over at a time.
const CHUNK: usize = 1 << 13;
/// Memory that is not part of the budget for sums: 108 MiB for reading, terms and conversion (measured at 2^23), and room
/// for pages of the files, which a control group counts.
const BUFFER_BYTES: u64 = 124 << 20;

/// Circuit and powers of tau, and how to work.
pub(crate) struct Setup<'a, S, T> {
    pub(crate) r1cs: &'a R1cs<S>,
    pub(crate) ptau: &'a Ptau<T>,
    /// Memory for the whole computation.
    pub(crate) memory_bytes: u64,
    pub(crate) progress: &'a dyn ProgressSink,
    /// Names of steps as the user sees them.
    pub(crate) steps: Steps,
}

/// Names of the steps.
#[derive(Clone, Copy)]
pub(crate) struct Steps {
    pub(crate) sums: fn(ZKeySection) -> &'static str,
    pub(crate) h: &'static str,
}

impl<S: Source, T: Source> Setup<'_, S, T> {
    /// Hands all sections but the first to `sink`; of section 10 nothing. Gives the circuit hash by
    /// this rule.
    pub(crate) fn whole<C: EngineCurve, K: PartSink>(
        &self,
        rule: InfinityRule,
        sink: &mut K,
    ) -> Result<Blake2b512Digest, K::Error> {
        let digest = sink::run::<C, K>(Some(rule), sink, |outlet| {
            self.header::<C>(outlet)?;
            let [g1, g2, budget] = self.sizes::<C>();
            let wires = u64::from(self.r1cs.header().n_wires);
            let mut records = Some(Records::new(outlet)?);
            for pass in plan::whole(wires, g1, g2, budget) {
                self.pass::<C>(&pass, records.take(), Some(outlet), outlet)?;
                if pass.has(Sum::K) && pass.range.end == wires {
                    self.h::<C>(outlet)?;
                }
            }
            Ok(())
        })?;
        // With a rule there is always a digest.
        digest.ok_or_else(|| K::Error::from(SetupError::Cancelled))
    }

    /// Hands section 8 alone to `sink`.
    pub(crate) fn only_c<C: EngineCurve, K: PartSink>(&self, sink: &mut K) -> Result<(), K::Error> {
        sink::run::<C, K>(None, sink, |outlet| {
            let [g1, g2, budget] = self.sizes::<C>();
            let header = self.r1cs.header();
            let private = u64::from(header.n_public()) + 1..u64::from(header.n_wires);
            for pass in plan::ranges(Sum::K, private, g1, g2, budget) {
                self.pass::<C>(&pass, None, None, outlet)?;
            }
            Ok(())
        })
        .map(drop)
    }

    /// Bytes of the points, and memory for sums.
    fn sizes<C: CurveParams>(&self) -> [u64; 3] {
        let [g1, g2] = [G1Affine::<C>::BYTES, G2Affine::<C>::BYTES]
            .map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX));
        [g1, g2, self.memory_bytes.saturating_sub(BUFFER_BYTES)]
    }

    /// `u32 n8q | q | u32 n8r | r | u32 nVars | u32 nPublic | u32 domainSize | alpha1 | beta1 | beta2
    /// | gamma2 | delta1 | delta2`; gamma and delta are the generators. The six points begin the
    /// circuit hash.
    fn header<C: CurveParams>(&self, outlet: &Outlet) -> Result<(), SetupError> {
        let circuit = self.r1cs.header();
        let domain = 1_u32
            .checked_shl(circuit.power())
            .ok_or(SetupError::CircuitTooLarge {
                needed: circuit.power(),
                max: C::CURVE.two_adicity(),
            })?;
        let alpha1: G1Affine<C> = only(self.ptau.monomial_g1::<C>(MonomialG1::AlphaTau, 0, 1)?)?;
        let beta1: G1Affine<C> = only(self.ptau.monomial_g1::<C>(MonomialG1::BetaTau, 0, 1)?)?;
        let beta2: G2Affine<C> = self.ptau.beta_g2::<C>()?;
        let mut bytes = Vec::new();
        for modulus in [C::CURVE.base_modulus(), C::CURVE.scalar_modulus()] {
            let length = u32::try_from(modulus.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(&modulus);
        }
        for count in [circuit.n_wires, circuit.n_public(), domain] {
            bytes.extend_from_slice(&count.to_le_bytes());
        }
        let g1 = |points: &[G1Affine<C>]| lem(points);
        let g2 = |points: &[G2Affine<C>]| lem(points);
        let generators = (G1Affine::<C>::generator(), G2Affine::<C>::generator());
        let points = [
            (false, g1(&[alpha1, beta1])),
            (true, g2(&[beta2, generators.1])),
            (false, g1(&[generators.0])),
            (true, g2(&[generators.1])),
        ];
        for (in_g2, points) in points {
            bytes.extend_from_slice(&points);
            outlet.send(if in_g2 {
                Message::G2(points)
            } else {
                Message::G1(points)
            })?;
        }
        outlet.send(Message::Part(Part {
            section: ZKeySection::Header,
            offset: 0,
            bytes,
        }))
    }

    /// Walks the constraints, adds up the sums of a pass and hands them over. `counts` takes what the
    /// circuit hash has between the sections.
    fn pass<C: EngineCurve>(
        &self,
        pass: &Pass,
        records: Option<Records<'_, C::Fr>>,
        counts: Option<&Outlet>,
        outlet: &Outlet,
    ) -> Result<(), SetupError> {
        let first = pass.sums.first().copied();
        let name = (self.steps.sums)(first.map_or(ZKeySection::C, section));
        let constraints = u64::from(self.r1cs.header().n_constraints);
        self.progress
            .step(name, Unit::Constraints, Some(constraints));
        let length = pass.range.end.saturating_sub(pass.range.start);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let in_g1 = if pass.n_g1() > 0 { length } else { 0 };
        let mut g1 = signal_sums::<C::G1Config>(in_g1, pass.n_g1());
        let in_g2 = if pass.has(Sum::B2) { length } else { 0 };
        let mut g2 = signal_sums::<C::G2Config>(in_g2, 1);
        self.add::<C>(pass, records, &mut *g1, &mut *g2)?;
        for sum in &pass.sums {
            match (sum, pass.place(*sum)) {
                (Sum::K, Some(place)) => {
                    self.export_k::<C>(pass, place, &mut *g1, counts, outlet)?;
                }
                (_, Some(place)) => {
                    self.export(*sum, place, pass, &mut *g1, counts, outlet)?;
                }
                (_, None) => self.export(*sum, 0, pass, &mut *g2, counts, outlet)?,
            }
        }
        Ok(())
    }

    /// The walk in a thread of its own, the additions here.
    fn add<C: EngineCurve>(
        &self,
        pass: &Pass,
        records: Option<Records<'_, C::Fr>>,
        g1: &mut dyn SignalSums,
        g2: &mut dyn SignalSums,
    ) -> Result<(), SetupError> {
        let (send, full) = sync_channel::<Batches>(1);
        let (give_back, empty) = sync_channel::<Batches>(2);
        let walk = Walk::<S, T, C>::new(self.r1cs, self.ptau, pass, self.progress, send, empty)?;
        std::thread::scope(|scope| {
            let walker = scope.spawn(move || walk.run(records));
            let mut add = |batches: &Batches| {
                for batch in [&batches.tau, &batches.alpha, &batches.beta] {
                    batch.add_to(g1)?;
                }
                batches.tau_g2.add_to(g2)
            };
            let mut added = Ok(());
            for batches in full {
                added = add(&batches);
                if added.is_err() {
                    break;
                }
                // The walker may have no more use for them.
                give_back.try_send(batches).ok();
            }
            let walked = walker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            added.and(walked)
        })
    }

    /// IC, the differences of powers of tau, and C.
    fn export_k<C: EngineCurve>(
        &self,
        pass: &Pass,
        place: usize,
        sums: &mut dyn SignalSums,
        counts: Option<&Outlet>,
        outlet: &Outlet,
    ) -> Result<(), SetupError> {
        let circuit = self.r1cs.header();
        let width = G1Affine::<C>::BYTES;
        let bytes = u64::try_from(width).unwrap_or(u64::MAX);
        let public = u64::from(circuit.n_public()) + 1;
        for chunk in in_chunks(&pass.range, place, sums) {
            let (range, mut points) = chunk?;
            if let (0, Some(counts)) = (range.start, counts) {
                counts.send(Message::Count(circuit.n_public() + 1))?;
            }
            let split = usize::try_from(public.saturating_sub(range.start))
                .map_or(points.len(), |n| n.saturating_mul(width).min(points.len()));
            let c = points.split_off(split);
            if !points.is_empty() {
                outlet.send(Message::Part(Part {
                    section: ZKeySection::Ic,
                    offset: range.start * bytes,
                    bytes: points,
                }))?;
            }
            if let Some(counts) = counts
                && range.start < public
                && public <= range.end
            {
                self.differences::<C>(counts)?;
                counts.send(Message::Count(circuit.n_wires - circuit.n_public() - 1))?;
            }
            if !c.is_empty() {
                outlet.send(Message::Part(Part {
                    section: ZKeySection::C,
                    offset: (range.start.max(public) - public) * bytes,
                    bytes: c,
                }))?;
            }
        }
        Ok(())
    }

    fn differences<C: EngineCurve>(&self, outlet: &Outlet) -> Result<(), SetupError> {
        let power = self.r1cs.header().power();
        h_differences::<C, T>(self.ptau, power, &mut |difference| {
            if self.progress.is_cancelled() {
                return Err(SetupError::Cancelled);
            }
            outlet.send(match difference {
                Difference::Count(count) => Message::Count(count),
                Difference::Points(bytes) => Message::G1(bytes),
                Difference::Overrun(bytes) => Message::Raw(bytes),
            })
        })
    }

    /// A section with one point per signal.
    fn export(
        &self,
        sum: Sum,
        place: usize,
        pass: &Pass,
        sums: &mut dyn SignalSums,
        counts: Option<&Outlet>,
        outlet: &Outlet,
    ) -> Result<(), SetupError> {
        if let (0, Some(counts)) = (pass.range.start, counts) {
            counts.send(Message::Count(self.r1cs.header().n_wires))?;
        }
        let mut offset = None;
        for chunk in in_chunks(&pass.range, place, sums) {
            let (range, bytes) = chunk?;
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let width = length / (range.end - range.start).max(1);
            let at = offset.unwrap_or(range.start * width);
            offset = Some(at + length);
            outlet.send(Message::Part(Part {
                section: section(sum),
                offset: at,
                bytes,
            }))?;
        }
        Ok(())
    }

    /// Section 9: the odd elements of the Lagrange block of twice the domain; where the field has
    /// no root of that order, the second half of the block.
    fn h<C: EngineCurve>(&self, outlet: &Outlet) -> Result<(), SetupError> {
        let power = self.r1cs.header().power();
        let domain = 1_u64 << power;
        self.progress.step(self.steps.h, Unit::Points, Some(domain));
        let contiguous = power == C::CURVE.two_adicity();
        let first = if contiguous { domain } else { 0 };
        let count = if contiguous { domain } else { 2 * domain };
        let (skip, step) = if contiguous { (0, 1) } else { (1, 2) };
        let mut reader = self
            .ptau
            .lagrange_g1::<C>(LagrangeG1::Tau, power + 1, first, count)?;
        let width = G1Affine::<C>::BYTES;
        let mut block = Vec::new();
        let mut offset = 0;
        while reader.remaining() > 0 {
            if self.progress.is_cancelled() {
                return Err(SetupError::Cancelled);
            }
            // CHUNK is even: each chunk of pairs begins with an even element.
            let raw = reader.read_raw(&mut block, CHUNK)?;
            let mut bytes = Vec::with_capacity(block.len() / step);
            for point in block.chunks(width).skip(skip).step_by(step) {
                bytes.extend_from_slice(point);
            }
            check_points::<C::G1Config>(&bytes)
                .map_err(|bad| raw.malformed(bad.index * step + skip, bad.source))?;
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            outlet.send(Message::Part(Part {
                section: ZKeySection::H,
                offset,
                bytes,
            }))?;
            offset += length;
            self.progress
                .advance(length / u64::try_from(width).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

fn section(sum: Sum) -> ZKeySection {
    match sum {
        Sum::K => ZKeySection::C,
        Sum::A => ZKeySection::A,
        Sum::B1 => ZKeySection::B1,
        Sum::B2 => ZKeySection::B2,
    }
}

/// The sums of a range in pieces, in signal order, file form.
fn in_chunks(
    range: &Range<u64>,
    place: usize,
    sums: &mut dyn SignalSums,
) -> impl Iterator<Item = Result<(Range<u64>, Vec<u8>), PositionError>> {
    let chunk = u64::try_from(CHUNK).unwrap_or(u64::MAX);
    let range = range.clone();
    let mut next = range.start;
    std::iter::from_fn(move || {
        let start = next;
        next = range.end.min(start + chunk);
        let first = usize::try_from(start - range.start).ok()?;
        let count = usize::try_from(next - start).ok()?;
        (count > 0).then(|| Ok((start..next, sums.export(place, first, count)?)))
    })
}

fn lem<P: LemPoint>(points: &[P]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for point in points {
        point.append_lem(&mut bytes);
    }
    bytes
}

fn only<S: Source, P: LemPoint>(mut points: PointReader<'_, S, P>) -> Result<P, SetupError> {
    Ok(points
        .next()
        .ok_or(SetupError::TooFewPoints { index: 0 })??)
}
