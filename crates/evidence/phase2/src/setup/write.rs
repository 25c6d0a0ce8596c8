//! The initial key, section by section.

use std::{
    io::{self, Seek, SeekFrom, Write},
    num::NonZeroUsize,
    ops::Range,
};

use ark_ec::{
    AffineRepr,
    short_weierstrass::{Affine, SWCurveConfig},
};
use formats::{
    curve::{Bls12381, Bn128, Curve, CurveParams, G1Affine, G2Affine},
    digest::Blake2b512Digest,
    points::{LemField, LemPoint, PointError, PointReader},
    progress::{ProgressSink, Unit},
    ptau::{LagrangeG1, MonomialG1, Ptau},
    r1cs::R1cs,
    source::Source,
};

use super::{
    accumulate::SignalSums,
    circuit_hash::hash_h_differences,
    coefficients,
    error::SetupError,
    layout::{Layout, Place},
    lockstep::{self, Bases, Walk},
};
use crate::{
    EngineCurve,
    rescale::Scalar,
    sums::check_points,
    threads,
    transcript::{InfinityRule, PointHasher},
};

/// Points converted and written at a time.
const CHUNK: usize = 1 << 13;
/// Memory for reading, terms and conversion that is not part of the budget for sums.
const BUFFER_BYTES: u64 = 64 << 20;

/// How much of the machine to use.
#[derive(Clone, Copy, Debug)]
pub struct SetupOptions {
    /// Memory for the whole computation, in bytes. Less memory means more passes over the files;
    /// 64 MiB of buffers and a thousand signals a pass are the least.
    pub memory_bytes: u64,
    /// Threads; `None` for one per core.
    pub threads: Option<NonZeroUsize>,
}

impl Default for SetupOptions {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            threads: None,
        }
    }
}

/// What was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialKeySummary {
    /// csHash of the key.
    pub circuit_hash: Blake2b512Digest,
    /// Power of the evaluation domain.
    pub power: u32,
    /// Coefficients in section 4.
    pub n_coefficients: u32,
    /// Bytes of the key.
    pub size: u64,
}

/// The points of an initial key's section 8, one piece after the other in file form, without a key.
pub(crate) fn initial_c<C: EngineCurve, S: Source, T: Source>(
    r1cs: &R1cs<S>,
    ptau: &Ptau<T>,
    options: &SetupOptions,
    progress: &dyn ProgressSink,
    take: &mut dyn FnMut(&[u8]) -> Result<(), PointError>,
) -> Result<(), SetupError> {
    let setup = Setup {
        r1cs,
        ptau,
        options,
        progress,
    };
    let public = u64::from(r1cs.header().n_public()) + 1;
    for range in setup.ranges(<G1Affine<C> as LemPoint>::BYTES, public) {
        setup.step("circuit hash");
        let bases = setup.constraint_bases::<C>()?;
        let mut sums = lockstep::sums(r1cs, bases, range.clone(), progress)?;
        for (_, points) in in_chunks(range, &mut *sums) {
            take(&points)?;
        }
    }
    Ok(())
}

/// Writes `0000.zkey` for a circuit, from position 0 of `out`.
///
/// The file is not complete before this returns `Ok`: sections are written in the order of the
/// circuit hash, not of the file.
pub fn new_initial_key<S, T, W>(
    r1cs: &R1cs<S>,
    ptau: &Ptau<T>,
    out: &mut W,
    options: &SetupOptions,
    progress: &dyn ProgressSink,
) -> Result<InitialKeySummary, SetupError>
where
    S: Source,
    T: Source,
    W: Write + Seek + Send,
{
    let (curve, ptau_curve) = (r1cs.header().curve, ptau.curve());
    if curve != ptau_curve {
        return Err(SetupError::DifferentCurves {
            r1cs: curve,
            ptau: ptau_curve,
        });
    }
    let (needed, got) = (r1cs.header().power(), ptau.power());
    if needed > got {
        return Err(SetupError::PtauTooSmall { needed, got });
    }
    if needed > curve.two_adicity() {
        return Err(SetupError::CircuitTooLarge {
            needed,
            max: curve.two_adicity(),
        });
    }
    threads::run(options.threads, || {
        let setup = Setup {
            r1cs,
            ptau,
            options,
            progress,
        };
        match curve {
            Curve::Bn128 => setup.write::<Bn128, W>(out),
            Curve::Bls12381 => setup.write::<Bls12381, W>(out),
        }
    })
    .map_err(|threads| SetupError::Threads { threads })?
}

struct Setup<'a, S, T> {
    r1cs: &'a R1cs<S>,
    ptau: &'a Ptau<T>,
    options: &'a SetupOptions,
    progress: &'a dyn ProgressSink,
}

impl<S: Source, T: Source> Setup<'_, S, T> {
    fn write<C: EngineCurve, W: Write + Seek>(
        &self,
        out: &mut W,
    ) -> Result<InitialKeySummary, SetupError> {
        let power = self.r1cs.header().power();
        let n_coefficients = coefficients::count(self.r1cs, self.progress)?;
        let layout = Layout::new::<C>(self.r1cs.header(), n_coefficients);
        let mut out = Output { inner: out };
        let mut hasher = PointHasher::new(InfinityRule::Zeros);

        out.file_header()?;
        out.section(layout.protocol, &1_u32.to_le_bytes())?;
        out.section(layout.header, &self.header::<C>(&mut hasher)?)?;
        out.section_header(layout.coefficients)?;
        coefficients::write::<C::Fr, _, _>(
            self.r1cs,
            n_coefficients,
            &mut out,
            layout.coefficients.offset,
            self.progress,
        )?;
        self.ic_and_c::<C, W>(&layout, &mut out, &mut hasher)?;
        self.h::<C, W>(&layout, &mut out)?;
        self.a_and_b::<C, W>(&layout, &mut out, &mut hasher)?;

        let circuit_hash = hasher.digest();
        let mut contributions = circuit_hash.as_bytes().to_vec();
        contributions.extend_from_slice(&0_u32.to_le_bytes());
        out.section(layout.contributions, &contributions)?;
        out.inner.flush().map_err(SetupError::Write)?;
        Ok(InitialKeySummary {
            circuit_hash,
            power,
            n_coefficients,
            size: layout.file_size,
        })
    }

    /// `u32 n8q | q | u32 n8r | r | u32 nVars | u32 nPublic | u32 domainSize | alpha1 | beta1 | beta2
    /// | gamma2 | delta1 | delta2`; gamma and delta are the generators. The six points begin the
    /// circuit hash.
    fn header<C: CurveParams>(&self, hasher: &mut PointHasher) -> Result<Vec<u8>, SetupError> {
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
        let delta1 = G1Affine::<C>::generator();
        let delta2 = G2Affine::<C>::generator();

        let mut bytes = Vec::new();
        for modulus in [C::CURVE.base_modulus(), C::CURVE.scalar_modulus()] {
            let length = u32::try_from(modulus.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(&modulus);
        }
        for count in [circuit.n_wires, circuit.n_public(), domain] {
            bytes.extend_from_slice(&count.to_le_bytes());
        }
        for point in [alpha1, beta1] {
            point.append_lem(&mut bytes);
            hasher.point(&point);
        }
        for point in [beta2, delta2] {
            point.append_lem(&mut bytes);
            hasher.point(&point);
        }
        delta1.append_lem(&mut bytes);
        hasher.point(&delta1);
        delta2.append_lem(&mut bytes);
        hasher.point(&delta2);
        Ok(bytes)
    }

    /// Sections 3 and 8: β·A + α·B + C of each signal, first the public ones.
    fn ic_and_c<C: EngineCurve, W: Write + Seek>(
        &self,
        layout: &Layout,
        out: &mut Output<'_, W>,
        hasher: &mut PointHasher,
    ) -> Result<(), SetupError> {
        let circuit = self.r1cs.header();
        let public = u64::from(circuit.n_public()) + 1;
        let wires = u64::from(circuit.n_wires);
        out.section_header(layout.ic)?;
        out.section_header(layout.c)?;
        hasher.count(circuit.n_public() + 1);
        let mut hashed = 0;
        for range in self.ranges(<G1Affine<C> as LemPoint>::BYTES, 0) {
            let bases = self.constraint_bases::<C>()?;
            self.step("initial key: IC and C");
            let mut sums = lockstep::sums(self.r1cs, bases, range.clone(), self.progress)?;
            for (range, points) in in_chunks(range, &mut *sums) {
                let length = points.len() / <G1Affine<C> as LemPoint>::BYTES;
                let split = usize::try_from(public.saturating_sub(range.start))
                    .map_or(length, |n| n.min(length));
                let (ic, c) = points.split_at(split * <G1Affine<C> as LemPoint>::BYTES);
                hasher.file_points::<G1Affine<C>>(ic)?;
                out.points_at::<G1Affine<C>>(layout.ic.offset, range.start, ic)?;
                hashed += u64::try_from(split).unwrap_or(u64::MAX);
                if split < length || range.end == wires {
                    if hashed == public {
                        hash_h_differences::<C, T>(self.ptau, circuit.power(), hasher)?;
                        hasher.count(circuit.n_wires - circuit.n_public() - 1);
                        hashed = u64::MAX;
                    }
                    hasher.file_points::<G1Affine<C>>(c)?;
                    let first = range.start.max(public) - public;
                    out.points_at::<G1Affine<C>>(layout.c.offset, first, c)?;
                }
            }
        }
        Ok(())
    }

    /// Section 9: the odd elements of the Lagrange block of twice the domain; where the field has
    /// no root of that order, the second half of the block.
    fn h<C: EngineCurve, W: Write + Seek>(
        &self,
        layout: &Layout,
        out: &mut Output<'_, W>,
    ) -> Result<(), SetupError> {
        let power = self.r1cs.header().power();
        let domain = 1_u64 << power;
        self.progress
            .step("initial key: H", Unit::Points, Some(domain));
        out.section_header(layout.h)?;
        let contiguous = power == C::CURVE.two_adicity();
        let first = if contiguous { domain } else { 0 };
        let count = if contiguous { domain } else { 2 * domain };
        let mut reader = self
            .ptau
            .lagrange_g1::<C>(LagrangeG1::Tau, power + 1, first, count)?;
        let width = <G1Affine<C> as LemPoint>::BYTES;
        let (mut bytes, mut kept) = (Vec::new(), Vec::new());
        let mut done = 0;
        while reader.remaining() > 0 {
            if self.progress.is_cancelled() {
                return Err(SetupError::Cancelled);
            }
            let raw = reader.read_raw(&mut bytes, CHUNK)?;
            check_points::<C::G1Config>(&bytes)
                .map_err(|bad| raw.malformed(bad.index, bad.source))?;
            kept.clear();
            let (skip, step) = if contiguous { (0, 1) } else { (1, 2) };
            for point in bytes.chunks(width).skip(skip).step_by(step) {
                kept.extend_from_slice(point);
            }
            out.points_at::<G1Affine<C>>(layout.h.offset, done, &kept)?;
            let n = u64::try_from(kept.len() / width).unwrap_or(u64::MAX);
            done += n;
            self.progress.advance(n);
        }
        Ok(())
    }

    /// Sections 5, 6 and 7.
    fn a_and_b<C: EngineCurve, W: Write + Seek>(
        &self,
        layout: &Layout,
        out: &mut Output<'_, W>,
        hasher: &mut PointHasher,
    ) -> Result<(), SetupError> {
        self.plain::<C::G1Config, _, W>(layout.a, "initial key: A", out, hasher, || {
            let walk = Walk::new(self.lagrange::<C>(LagrangeG1::Tau)?);
            Ok(Bases {
                a: Some(walk),
                b: None,
                c: None,
            })
        })?;
        self.plain::<C::G1Config, _, W>(layout.b1, "initial key: B1", out, hasher, || {
            let walk = Walk::new(self.lagrange::<C>(LagrangeG1::Tau)?);
            Ok(Bases {
                a: None,
                b: Some(walk),
                c: None,
            })
        })?;
        self.plain::<C::G2Config, _, W>(layout.b2, "initial key: B2", out, hasher, || {
            let power = self.r1cs.header().power();
            let reader = self.ptau.lagrange_g2::<C>(power, 0, 1 << power)?;
            Ok(Bases {
                a: None,
                b: Some(Walk::new(reader)),
                c: None,
            })
        })
    }

    /// A section with one point per signal, counted and hashed.
    fn plain<'t, P, F, W>(
        &'t self,
        place: Place,
        step: &'static str,
        out: &mut Output<'_, W>,
        hasher: &mut PointHasher,
        bases: F,
    ) -> Result<(), SetupError>
    where
        P: SWCurveConfig<ScalarField: LemField + Scalar>,
        Affine<P>: LemPoint,
        F: Fn() -> Result<Bases<'t, T, P>, SetupError>,
        W: Write + Seek,
    {
        out.section_header(place)?;
        hasher.count(self.r1cs.header().n_wires);
        for range in self.ranges(<Affine<P> as LemPoint>::BYTES, 0) {
            self.step(step);
            let mut sums = lockstep::sums(self.r1cs, bases()?, range.clone(), self.progress)?;
            for (range, points) in in_chunks(range, &mut *sums) {
                hasher.file_points::<Affine<P>>(&points)?;
                out.points_at::<Affine<P>>(place.offset, range.start, &points)?;
            }
        }
        Ok(())
    }

    /// The bases of β·A + α·B + C.
    fn constraint_bases<C: CurveParams>(&self) -> Result<Bases<'_, T, C::G1Config>, SetupError> {
        Ok(Bases {
            a: Some(Walk::new(self.lagrange::<C>(LagrangeG1::BetaTau)?)),
            b: Some(Walk::new(self.lagrange::<C>(LagrangeG1::AlphaTau)?)),
            c: Some(Walk::new(self.lagrange::<C>(LagrangeG1::Tau)?)),
        })
    }

    fn lagrange<C: CurveParams>(
        &self,
        block: LagrangeG1,
    ) -> Result<PointReader<'_, T, G1Affine<C>>, SetupError> {
        let power = self.r1cs.header().power();
        Ok(self.ptau.lagrange_g1::<C>(block, power, 0, 1 << power)?)
    }

    fn step(&self, name: &'static str) {
        let constraints = self.r1cs.header().n_constraints;
        self.progress
            .step(name, Unit::Constraints, Some(constraints.into()));
    }

    /// The signals from `first` on, in ranges whose sums fit the budget.
    fn ranges(
        &self,
        bytes_per_signal: usize,
        first: u64,
    ) -> impl Iterator<Item = Range<u64>> + use<S, T> {
        let wires = u64::from(self.r1cs.header().n_wires);
        let width = u64::try_from(bytes_per_signal).unwrap_or(u64::MAX);
        let budget = self.options.memory_bytes.saturating_sub(BUFFER_BYTES);
        let length = (budget / width).max(1000);
        (0..wires.saturating_sub(first).div_ceil(length)).map(move |index| {
            let start = first + index * length;
            start..wires.min(start + length)
        })
    }
}

/// The sums of a range in pieces, in signal order, file form.
fn in_chunks(
    range: Range<u64>,
    sums: &mut dyn SignalSums,
) -> impl Iterator<Item = (Range<u64>, Vec<u8>)> {
    let chunk = u64::try_from(CHUNK).unwrap_or(u64::MAX);
    let mut next = range.start;
    std::iter::from_fn(move || {
        let start = next;
        next = range.end.min(start + chunk);
        let first = usize::try_from(start - range.start).ok()?;
        let count = usize::try_from(next - start).ok()?;
        (count > 0).then(|| (start..next, sums.export(first, count)))
    })
}

fn only<S: Source, P: LemPoint>(mut points: PointReader<'_, S, P>) -> Result<P, SetupError> {
    Ok(points
        .next()
        .ok_or(SetupError::TooFewPoints { index: 0 })??)
}

/// The file being written, at positions that the layout gives.
pub(super) struct Output<'a, W> {
    inner: &'a mut W,
}

impl<W: Write + Seek> Output<'_, W> {
    pub(super) fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), SetupError> {
        let mut write = || -> io::Result<()> {
            self.inner.seek(SeekFrom::Start(offset))?;
            self.inner.write_all(bytes)
        };
        write().map_err(SetupError::Write)
    }

    fn file_header(&mut self) -> Result<(), SetupError> {
        let mut bytes = Vec::from(b"zkey");
        for word in [1_u32, 10] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        self.write_at(0, &bytes)
    }

    fn section_header(&mut self, place: Place) -> Result<(), SetupError> {
        let mut bytes = Vec::from(place.id.to_le_bytes());
        bytes.extend_from_slice(&place.size.to_le_bytes());
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.write_at(place.offset.saturating_sub(length), &bytes)
    }

    fn section(&mut self, place: Place, bytes: &[u8]) -> Result<(), SetupError> {
        self.section_header(place)?;
        self.write_at(place.offset, bytes)
    }

    /// Writes points in file form at their index in a section.
    fn points_at<P: LemPoint>(
        &mut self,
        section: u64,
        first: u64,
        points: &[u8],
    ) -> Result<(), SetupError> {
        let width = u64::try_from(P::BYTES).unwrap_or(u64::MAX);
        self.write_at(section + first * width, points)
    }
}
