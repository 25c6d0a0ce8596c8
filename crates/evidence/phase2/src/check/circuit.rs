//! The circuit's points in a key, against r1cs and powers of tau.
//!
//! With K of signal s = beta A_s + alpha B_s + C_s, the key's points are, up to the factor 1/delta of sections
//! 8 and 9, sums over the constraints c of coefficients times Lagrange points L_c. Both sides of a section are combined
//! with the same random coefficients: the key's side over signals, the ptau's side over constraints,
//! whose scalars are collected while the r1cs is walked once.

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::PrimeField;
use formats::curve::{CurveParams, G1Projective, G2Affine, G2Projective};
use formats::points::{LemPoint, PointError, PointReader, PointsError};
use formats::progress::{ProgressSink, Unit};
use formats::ptau::{LagrangeG1, MonomialG1, Ptau};
use formats::r1cs::{Matrix, R1cs, Term, TermReader};
use formats::source::Source;
use formats::zkey::{Coefficient, KeyPoints, ZKey, ZKeySection, double_montgomery};
use rayon::prelude::*;

use super::challenge::{Challenges, Purpose};
use super::error::{CheckError, KeyPoint};
use super::linear::LinearCombination;
use super::ratio::pairings_equal;
use super::recompute::BothSides;
use crate::EngineCurve;
use crate::sums::{BucketSums, Scalar, Use, Windows, bucket_sums, total};

/// Points handled at a time.
pub(super) const CHUNK: usize = 1 << 13;

/// The three files and what the comparison needs.
pub(super) struct CircuitCheck<'a> {
    pub(super) r1cs: &'a R1cs<&'a dyn Source>,
    pub(super) ptau: &'a Ptau<&'a dyn Source>,
    pub(super) zkey: &'a ZKey<&'a dyn Source>,
    pub(super) challenges: &'a Challenges,
    pub(super) progress: &'a dyn ProgressSink,
}

/// The ptau's side of all sections that depend on the constraints.
struct CircuitSums<C: CurveParams> {
    ic: G1Projective<C>,
    a: G1Projective<C>,
    b1: G1Projective<C>,
    b2: G2Projective<C>,
    c: G1Projective<C>,
}

/// Numbers of the G1 sums in [`CircuitCheck::expected_sums`].
const SUM_A: u32 = 0;
const SUM_B: u32 = 1;
const SUM_IC: u32 = 2;
const SUM_C: u32 = 3;
const N_SUMS: u32 = 4;
/// Longest digits of the scalars: their buckets take 4 MB a sum.
const MOST_DIGIT_BITS: u32 = 12;

/// Scalars of one chunk of constraints, one per row and use.
struct Rows<F> {
    first: u64,
    a: Vec<F>,
    b: Vec<F>,
    ic: PerMatrix<F>,
    c: PerMatrix<F>,
}

struct PerMatrix<F> {
    a: Vec<F>,
    b: Vec<F>,
    c: Vec<F>,
}

impl<'a> CircuitCheck<'a> {
    /// Coefficients and all points of an initial key, by combinations.
    pub(super) fn combine<C: EngineCurve>(&self) -> Result<(), CheckError> {
        let expected = self.all_but_c_and_h::<C>(true)?;
        self.section_c::<C>(&expected.c)?;
        self.section_h::<C>()
    }

    /// The same but for section 8, for which [`Self::section_c`] is left.
    pub(super) fn combine_without_c<C: EngineCurve>(&self) -> Result<(), CheckError> {
        self.all_but_c_and_h::<C>(false)?;
        self.section_h::<C>()
    }

    /// Counts and single points, which both methods want to be right.
    pub(super) fn header<C: EngineCurve>(&self) -> Result<(), CheckError> {
        self.counts()?;
        self.key_points(&self.zkey.key_points::<C>()?)
    }

    fn all_but_c_and_h<C: EngineCurve>(&self, with_c: bool) -> Result<CircuitSums<C>, CheckError> {
        self.coefficients::<C>()?;
        let expected = self.expected_sums::<C>(with_c)?;
        let wires = u64::from(self.zkey.header().n_vars);

        let mismatch = |section| CheckError::SectionMismatch { section };
        if self.g1_sum::<C>(ZKeySection::Ic, Purpose::K, 0)? != expected.ic {
            return Err(mismatch(ZKeySection::Ic));
        }
        if self.g1_sum::<C>(ZKeySection::A, Purpose::A, 0)? != expected.a {
            return Err(mismatch(ZKeySection::A));
        }
        if self.g1_sum::<C>(ZKeySection::B1, Purpose::B, 0)? != expected.b1 {
            return Err(mismatch(ZKeySection::B1));
        }
        self.step("check key: section B2", wires);
        let b2 = zkey_sum(
            self.zkey.b2_points::<C>()?,
            ZKeySection::B2,
            C::G2_SUBGROUP_DIGIT_BITS,
            |first, count| self.challenges.run(Purpose::B, first, count),
            self.progress,
        )?;
        if b2 != expected.b2 {
            return Err(mismatch(ZKeySection::B2));
        }

        Ok(expected)
    }

    /// Sections 8 and 9 of a finished key against those computed anew, in one equation. Where it does
    /// not hold, the section at fault is looked for.
    pub(super) fn both_scaled<C: EngineCurve>(
        &self,
        sides: &BothSides<C>,
    ) -> Result<(), CheckError> {
        let section = ZKeySection::C;
        self.scaled::<C>(section, &sides.key, &sides.computed)
            .or_else(|error| {
                self.section_h::<C>()?;
                Err(error)
            })
    }

    /// Section 8 against the combination of its points in the initial key.
    pub(super) fn section_c<C: EngineCurve>(
        &self,
        expected: &G1Projective<C>,
    ) -> Result<(), CheckError> {
        let c = self.g1_sum::<C>(ZKeySection::C, Purpose::K, self.first_private())?;
        self.scaled::<C>(ZKeySection::C, &c, expected)
    }

    /// Section 9 against the powers of tau.
    pub(super) fn section_h<C: EngineCurve>(&self) -> Result<(), CheckError> {
        let h = self.g1_sum::<C>(ZKeySection::H, Purpose::H, 0)?;
        self.scaled::<C>(ZKeySection::H, &h, &self.expected_h::<C>()?)
    }

    /// Whether a sum over points of the key is the expected one over delta.
    fn scaled<C: EngineCurve>(
        &self,
        section: ZKeySection,
        sum: &G1Projective<C>,
        expected: &G1Projective<C>,
    ) -> Result<(), CheckError> {
        let delta = self.zkey.key_points::<C>()?.delta2;
        let generator = G2Affine::<C>::generator();
        if pairings_equal::<C>(sum, &delta, expected, &generator) {
            Ok(())
        } else {
            Err(CheckError::SectionMismatch { section })
        }
    }

    /// Number of the first signal of section 8.
    fn first_private(&self) -> u64 {
        u64::from(self.zkey.header().n_public) + 1
    }

    /// The combination of the points of section 8 of an initial key, to be fed piece by piece.
    pub(super) fn initial_c<C: EngineCurve>(&self) -> InitialC<'_, C> {
        InitialC {
            challenges: self.challenges,
            sum: LinearCombination::new(self.zkey.n_points(ZKeySection::C), None),
            next: self.first_private(),
        }
    }

    fn counts(&self) -> Result<(), CheckError> {
        let (circuit, key) = (self.r1cs.header(), self.zkey.header());
        for (other, got) in [("r1cs", circuit.curve), ("ptau", self.ptau.curve())] {
            if got != key.curve {
                return Err(CheckError::DifferentCurves {
                    zkey: key.curve,
                    other,
                    got,
                });
            }
        }
        let (needed, got) = (circuit.power(), self.ptau.power());
        if needed > got {
            return Err(CheckError::PtauTooSmall { needed, got });
        }
        let domain = 1u64.checked_shl(needed).unwrap_or(u64::MAX);
        for (what, expected, got) in [
            ("wires", u64::from(circuit.n_wires), u64::from(key.n_vars)),
            (
                "public signals",
                u64::from(circuit.n_public()),
                u64::from(key.n_public),
            ),
            ("rows in the domain", domain, u64::from(key.domain_size)),
        ] {
            if expected != got {
                return Err(CheckError::CircuitMismatch {
                    what,
                    expected,
                    got,
                });
            }
        }
        Ok(())
    }

    fn key_points<C: CurveParams>(&self, key: &KeyPoints<C>) -> Result<(), CheckError> {
        let wrong = |point| Err(CheckError::WrongPoint { point });
        if key.alpha1 != only(self.ptau.monomial_g1::<C>(MonomialG1::AlphaTau, 0, 1)?)? {
            return wrong(KeyPoint::Alpha1);
        }
        if key.beta1 != only(self.ptau.monomial_g1::<C>(MonomialG1::BetaTau, 0, 1)?)? {
            return wrong(KeyPoint::Beta1);
        }
        if key.beta2 != self.ptau.beta_g2::<C>()? {
            return wrong(KeyPoint::Beta2);
        }
        check_no_infinity(key)
    }

    /// Section 4 record by record: the terms of A and B in file order, then one row per public signal.
    fn coefficients<C: CurveParams>(&self) -> Result<(), CheckError> {
        self.step(
            "check key: coefficients",
            u64::from(self.zkey.n_coefficients()),
        );
        let header = self.r1cs.header();
        let mut records = self.zkey.coefficients()?;
        let mut index = 0;
        let mut compare = |matrix, constraint, signal, value: C::Fr| {
            let expected = Coefficient {
                matrix,
                constraint,
                signal,
                value: double_montgomery(value),
            };
            let found = records.next().transpose()?;
            if found != Some(expected) {
                return Err(CheckError::CoefficientMismatch { index });
            }
            index += 1;
            self.advance(index)
        };
        let mut terms = self.r1cs.terms()?;
        while let Some(term) = terms.next_term()? {
            if term.matrix != Matrix::C {
                compare(
                    term.matrix,
                    term.constraint,
                    term.signal,
                    self.value(&term)?,
                )?;
            }
        }
        for signal in 0..=header.n_public() {
            let row = header.n_constraints.saturating_add(signal);
            compare(Matrix::A, row, signal, C::Fr::from(1u64))?;
        }
        if records.next().is_some() {
            return Err(CheckError::CoefficientMismatch { index });
        }
        Ok(())
    }

    /// Walks r1cs and Lagrange points once, constraint by constraint. Leaves section 8 out where it is
    /// not wanted: it takes half of the additions.
    fn expected_sums<C: EngineCurve>(&self, with_c: bool) -> Result<CircuitSums<C>, CheckError> {
        let header = self.r1cs.header();
        let rows = u64::from(header.n_constraints) + u64::from(header.n_public()) + 1;
        let power = header.power();
        self.step("check key: circuit", rows);
        let mut tau = self
            .ptau
            .lagrange_g1::<C>(LagrangeG1::Tau, power, 0, rows)?;
        let mut alpha = self
            .ptau
            .lagrange_g1::<C>(LagrangeG1::AlphaTau, power, 0, rows)?;
        let mut beta = self
            .ptau
            .lagrange_g1::<C>(LagrangeG1::BetaTau, power, 0, rows)?;
        let mut tau2 = self.ptau.lagrange_g2::<C>(power, 0, rows)?;
        let mut terms = self.r1cs.terms()?;
        let mut pending = terms.next_term()?;

        let windows = Windows::new(C::Fr::MODULUS_BIT_SIZE, rows, MOST_DIGIT_BITS);
        let mut g1 = bucket_sums::<C::G1Config>(N_SUMS, 1, windows);
        let mut g2 = bucket_sums::<C::G2Config>(1, 1, windows);
        let mut bytes = Vec::new();
        let mut first = 0;
        while first < rows {
            let n = usize::try_from(rows - first).map_or(CHUNK, |left| left.min(CHUNK));
            let scalars = self.rows::<C>(first, n, with_c, &mut terms, &mut pending)?;
            let [a, b] = [&scalars.a, &scalars.b].map(|scalars| signed(scalars));
            let ic = scalars.ic.signed();
            let c = scalars.c.signed();
            next_chunk(
                &mut tau,
                &mut bytes,
                n,
                &mut *g1,
                &[(SUM_A, &a), (SUM_B, &b), (SUM_IC, &ic.c), (SUM_C, &c.c)],
            )?;
            next_chunk(
                &mut beta,
                &mut bytes,
                n,
                &mut *g1,
                &[(SUM_IC, &ic.a), (SUM_C, &c.a)],
            )?;
            next_chunk(
                &mut alpha,
                &mut bytes,
                n,
                &mut *g1,
                &[(SUM_IC, &ic.b), (SUM_C, &c.b)],
            )?;
            next_chunk(&mut tau2, &mut bytes, n, &mut *g2, &[(0, &b)])?;
            let done = u64::try_from(n).unwrap_or(u64::MAX);
            first += done;
            self.progress.advance(done);
            self.go_on()?;
        }
        let only = |sides: Vec<_>| sides.into_iter().next().unwrap_or_default();
        let mut g1 = Vec::into_iter(only(g1.window_sums()?));
        let mut next = || total(windows, &g1.next().unwrap_or_default());
        Ok(CircuitSums::<C> {
            a: next(),
            b1: next(),
            ic: next(),
            c: next(),
            b2: total(
                windows,
                &g2.window_sums()?
                    .pop()
                    .and_then(|mut sums| sums.pop())
                    .unwrap_or_default(),
            ),
        })
    }

    /// The scalars of rows `first .. first + n`.
    fn rows<C: EngineCurve>(
        &self,
        first: u64,
        n: usize,
        with_c: bool,
        terms: &mut TermReader<'_, &'a dyn Source>,
        pending: &mut Option<Term>,
    ) -> Result<Rows<C::Fr>, CheckError> {
        let header = self.r1cs.header();
        let mut rows = Rows::new(first, n, with_c);
        while let Some(term) = *pending {
            if !rows.holds(u64::from(term.constraint)) {
                break;
            }
            rows.add(
                self.challenges,
                header.n_public(),
                u64::from(term.constraint),
                term.matrix,
                term.signal,
                self.value::<C::Fr>(&term)?,
            );
            *pending = terms.next_term()?;
        }
        for signal in 0..=header.n_public() {
            let row = u64::from(header.n_constraints) + u64::from(signal);
            if rows.holds(row) {
                let one = C::Fr::from(1u64);
                rows.add(
                    self.challenges,
                    header.n_public(),
                    row,
                    Matrix::A,
                    signal,
                    one,
                );
            }
        }
        Ok(rows)
    }

    /// The ptau's side of section 9: the odd elements of the Lagrange block of twice the domain, or
    /// the second half of that block where the field has no root of unity of its order.
    fn expected_h<C: CurveParams>(&self) -> Result<G1Projective<C>, CheckError> {
        let power = self.r1cs.header().power();
        let domain = 1u64.checked_shl(power).unwrap_or(u64::MAX);
        self.step("check key: powers of tau", domain);
        let contiguous = power == C::CURVE.two_adicity();
        let (first, count, step) = if contiguous {
            (domain, domain, 1)
        } else {
            (0, 2 * domain, 2)
        };
        let mut reader = self
            .ptau
            .lagrange_g1::<C>(LagrangeG1::Tau, power + 1, first, count)?;
        // The ptau is believed: no subgroup test, and so nothing is found outside.
        let section = ZKeySection::H;
        let width = C::CURVE.g1_bytes();
        let mut sum = LinearCombination::new(domain, None);
        let (mut bytes, mut used) = (Vec::new(), Vec::new());
        let mut done = 0;
        while reader.remaining() > 0 {
            let raw = reader
                .read_raw(&mut bytes, CHUNK)
                .map_err(CheckError::PtauPoints)?;
            // CHUNK is even: each chunk of pairs begins with an even element.
            used.clear();
            for point in bytes.chunks(width).skip(step - 1).step_by(step) {
                used.extend_from_slice(point);
            }
            let coefficients = self
                .challenges
                .run(Purpose::H, done, used.len() / width.max(1));
            sum.add(&used, &coefficients).map_err(|(index, source)| {
                CheckError::PtauPoints(raw.malformed(index * step + step - 1, source))
            })?;
            let n = u64::try_from(coefficients.len()).unwrap_or(u64::MAX);
            done += n;
            self.progress.advance(n);
            self.go_on()?;
        }
        sum.finish().map_err(|no| no.in_section(section))
    }

    /// The key's side of a G1 section; `first` is the number of the section's first signal.
    fn g1_sum<C: CurveParams>(
        &self,
        section: ZKeySection,
        purpose: Purpose,
        first: u64,
    ) -> Result<G1Projective<C>, CheckError> {
        self.step(step_name(section), self.zkey.n_points(section));
        zkey_sum(
            self.zkey.g1_points::<C>(section)?,
            section,
            C::G1_SUBGROUP_DIGIT_BITS,
            |at, count| self.challenges.run(purpose, first + at, count),
            self.progress,
        )
    }

    fn value<F: formats::points::LemField>(&self, term: &Term) -> Result<F, CheckError> {
        let other = self.r1cs.header().curve;
        term.value().ok_or(CheckError::DifferentCurves {
            zkey: self.zkey.curve(),
            other: "r1cs",
            got: other,
        })
    }

    fn step(&self, name: &'static str, total: u64) {
        self.progress.step(name, Unit::Points, Some(total));
    }

    fn advance(&self, done: u64) -> Result<(), CheckError> {
        const EVERY: u64 = 1 << 14;
        if done.is_multiple_of(EVERY) {
            self.progress.advance(EVERY);
            self.go_on()?;
        }
        Ok(())
    }

    fn go_on(&self) -> Result<(), CheckError> {
        if self.progress.is_cancelled() {
            Err(CheckError::Cancelled)
        } else {
            Ok(())
        }
    }
}

fn signed<F: PrimeField<BigInt = ark_ff::BigInt<4>>>(values: &[F]) -> Vec<Scalar> {
    values.par_iter().map(|value| Scalar::of(*value)).collect()
}

impl<F: PrimeField<BigInt = ark_ff::BigInt<4>>> PerMatrix<F> {
    fn signed(&self) -> PerMatrix<Scalar> {
        PerMatrix {
            a: signed(&self.a),
            b: signed(&self.b),
            c: signed(&self.c),
        }
    }
}

impl<F: PrimeField> Rows<F> {
    fn new(first: u64, n: usize, with_c: bool) -> Self {
        let zeros = |n| vec![F::ZERO; n];
        let three = |n| PerMatrix {
            a: zeros(n),
            b: zeros(n),
            c: zeros(n),
        };
        Self {
            first,
            a: zeros(n),
            b: zeros(n),
            ic: three(n),
            // Without places for them, scalars are not collected.
            c: three(if with_c { n } else { 0 }),
        }
    }

    fn holds(&self, row: u64) -> bool {
        self.offset(row).is_some_and(|at| at < self.a.len())
    }

    fn offset(&self, row: u64) -> Option<usize> {
        row.checked_sub(self.first)
            .and_then(|at| usize::try_from(at).ok())
    }

    fn add(
        &mut self,
        challenges: &Challenges,
        n_public: u32,
        row: u64,
        matrix: Matrix,
        signal: u32,
        value: F,
    ) {
        let Some(at) = self.offset(row) else { return };
        let challenges = challenges.of_signal(u64::from(signal));
        let times = |challenge: u128| {
            let challenge = F::from(challenge);
            if value.is_one() {
                challenge
            } else if (-value).is_one() {
                -challenge
            } else {
                value * challenge
            }
        };
        let own = match matrix {
            Matrix::A => Some((&mut self.a, challenges.a)),
            Matrix::B => Some((&mut self.b, challenges.b)),
            Matrix::C => None,
        };
        if let Some((own, challenge)) = own
            && let Some(scalar) = own.get_mut(at)
        {
            *scalar += times(challenge);
        }
        let k = if signal <= n_public {
            &mut self.ic
        } else {
            &mut self.c
        };
        let k = match matrix {
            Matrix::A => &mut k.a,
            Matrix::B => &mut k.b,
            Matrix::C => &mut k.c,
        };
        if let Some(scalar) = k.get_mut(at) {
            *scalar += times(challenges.k);
        }
    }
}

/// See [`CircuitCheck::initial_c`].
pub(super) struct InitialC<'a, C: CurveParams> {
    challenges: &'a Challenges,
    sum: LinearCombination<C::G1Config>,
    next: u64,
}

impl<C: EngineCurve> InitialC<'_, C> {
    /// The next points, in file form.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), PointError> {
        let count = bytes.len() / C::CURVE.g1_bytes();
        let coefficients = self.challenges.run(Purpose::K, self.next, count);
        self.next += u64::try_from(count).unwrap_or(u64::MAX);
        self.sum
            .add(bytes, &coefficients)
            .map_err(|(_, source)| source)
    }

    /// The combination of all.
    pub(super) fn finish(self) -> Result<G1Projective<C>, CheckError> {
        let section = ZKeySection::C;
        self.sum.finish().map_err(|no| no.in_section(section))
    }
}

/// No single point of a key may be the point at infinity.
pub(super) fn check_no_infinity<C: CurveParams>(key: &KeyPoints<C>) -> Result<(), CheckError> {
    for (point, is_infinity) in [
        (KeyPoint::Alpha1, key.alpha1.is_zero()),
        (KeyPoint::Beta1, key.beta1.is_zero()),
        (KeyPoint::Beta2, key.beta2.is_zero()),
        (KeyPoint::Gamma2, key.gamma2.is_zero()),
        (KeyPoint::Delta1, key.delta1.is_zero()),
        (KeyPoint::Delta2, key.delta2.is_zero()),
    ] {
        if is_infinity {
            return Err(CheckError::Infinity { point });
        }
    }
    if key.gamma2 != G2Affine::<C>::generator() {
        return Err(CheckError::GammaNotGenerator);
    }
    Ok(())
}

/// The random combination of a run of a key's points; `coefficients` gives those of `count` points
/// from a position in the run on.
pub(super) fn zkey_sum<S, P>(
    mut reader: PointReader<'_, S, Affine<P>>,
    section: ZKeySection,
    subgroup_digit_bits: Option<u32>,
    coefficients: impl Fn(u64, usize) -> Vec<u128>,
    progress: &dyn ProgressSink,
) -> Result<Projective<P>, CheckError>
where
    S: Source,
    P: SWCurveConfig,
    Affine<P>: LemPoint,
{
    let mut sum = LinearCombination::new(reader.remaining(), subgroup_digit_bits);
    let mut bytes = Vec::new();
    let mut done = 0;
    while reader.remaining() > 0 {
        let raw = reader
            .read_raw(&mut bytes, CHUNK)
            .map_err(CheckError::Points)?;
        sum.add(&bytes, &coefficients(done, raw.count)).map_err(
            |(index, source)| match source {
                PointError::NotInSubgroup => CheckError::OutsideSubgroup { section },
                source => CheckError::Points(raw.malformed(index, source)),
            },
        )?;
        let n = u64::try_from(raw.count).unwrap_or(u64::MAX);
        done += n;
        progress.advance(n);
        if progress.is_cancelled() {
            return Err(CheckError::Cancelled);
        }
    }
    sum.finish().map_err(|no| no.in_section(section))
}

fn step_name(section: ZKeySection) -> &'static str {
    match section {
        ZKeySection::Ic => "check key: section IC",
        ZKeySection::A => "check key: section A",
        ZKeySection::B1 => "check key: section B1",
        ZKeySection::C => "check key: section C",
        ZKeySection::H => "check key: section H",
        _ => "check key",
    }
}

/// Adds the next points of a ptau's section to the sums.
fn next_chunk<S: Source, P: SWCurveConfig>(
    reader: &mut PointReader<'_, S, Affine<P>>,
    bytes: &mut Vec<u8>,
    n: usize,
    sums: &mut dyn BucketSums<P>,
    uses: &[Use<'_>],
) -> Result<(), CheckError>
where
    Affine<P>: LemPoint,
{
    let raw = reader.read_raw(bytes, n).map_err(CheckError::PtauPoints)?;
    sums.add(&[bytes], uses)
        .map_err(|bad| CheckError::PtauPoints(raw.malformed(bad.point.index, bad.point.source)))
}

pub(super) fn only<S: Source, P: LemPoint>(
    mut points: PointReader<'_, S, P>,
) -> Result<P, CheckError> {
    let eof = || PointsError::Io {
        section: 0,
        source: std::io::ErrorKind::UnexpectedEof.into(),
    };
    points
        .next()
        .unwrap_or_else(|| Err(eof()))
        .map_err(CheckError::PtauPoints)
}
