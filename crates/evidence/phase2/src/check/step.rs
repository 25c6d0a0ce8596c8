//! One key against the key before it: exactly one more contribution, and nothing else changed.

use formats::curve::{Bls12381, Bn128, Curve};
use formats::digest::Blake2b512Digest;
use formats::points::PointError;
use formats::progress::{ProgressSink, Unit};
use formats::source::Source;
use formats::zkey::{BeaconParams, ZKey, ZKeyError, ZKeySection};

use super::chain::{ContributionReport, finished_chain};
use super::challenge::{Challenges, Purpose};
use super::circuit::{CHUNK, check_no_infinity};
use super::error::{CheckError, KeyPoint};
use super::linear::LinearCombination;
use super::ratio::pairings_equal;
use crate::EngineCurve;
use crate::sums::BadSide;

/// A key follows another one by one contribution. Minted by [`check_contribution`] alone.
///
/// ```compile_fail
/// let forged = phase2::check::ContributionVerified { hash: todo!() };
/// ```
///
/// ```compile_fail
/// fn twice(token: phase2::check::ContributionVerified) {
///     drop(token);
///     drop(token);
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ContributionVerified {
    hash: Blake2b512Digest,
}

impl ContributionVerified {
    /// The contribution's hash, as snarkjs prints it.
    pub fn hash(&self) -> Blake2b512Digest {
        self.hash
    }
}

/// A key follows another one by the expected beacon. Minted by [`check_beacon`] alone.
///
/// ```compile_fail
/// let forged = phase2::check::FinalKeyVerified { hash: todo!() };
/// ```
///
/// ```compile_fail
/// fn twice(token: phase2::check::FinalKeyVerified) {
///     drop(token);
///     drop(token);
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct FinalKeyVerified {
    hash: Blake2b512Digest,
}

impl FinalKeyVerified {
    /// The beacon's contribution hash, as snarkjs prints it.
    pub fn hash(&self) -> Blake2b512Digest {
        self.hash
    }
}

/// Checks that `next` is `previous` with one more contribution of any kind.
///
/// That `previous` is right must be known already: from [`super::check_initial_key`], or from this
/// function.
pub fn check_contribution<S: Source, T: Source>(
    previous: &ZKey<S>,
    next: &ZKey<T>,
    challenge_key: &[u8; 32],
    progress: &dyn ProgressSink,
) -> Result<ContributionVerified, CheckError> {
    let last = follows(previous, next, challenge_key, progress)?;
    Ok(ContributionVerified { hash: last.hash })
}

/// Checks that `next` is `previous` with the contribution of this beacon.
pub fn check_beacon<S: Source, T: Source>(
    previous: &ZKey<S>,
    next: &ZKey<T>,
    expected: &BeaconParams,
    challenge_key: &[u8; 32],
    progress: &dyn ProgressSink,
) -> Result<FinalKeyVerified, CheckError> {
    let last = follows(previous, next, challenge_key, progress)?;
    if last.beacon.as_ref() != Some(expected) {
        return Err(CheckError::NotTheExpectedBeacon);
    }
    Ok(FinalKeyVerified { hash: last.hash })
}

fn follows<S: Source, T: Source>(
    previous: &ZKey<S>,
    next: &ZKey<T>,
    challenge_key: &[u8; 32],
    progress: &dyn ProgressSink,
) -> Result<ContributionReport, CheckError> {
    let (zkey, got) = (next.curve(), previous.curve());
    if zkey != got {
        return Err(CheckError::DifferentCurves {
            zkey,
            other: "key before",
            got,
        });
    }
    let step = Step {
        previous: &previous.as_dyn(),
        next: &next.as_dyn(),
        challenges: &Challenges::new(challenge_key),
        progress,
    };
    step.check()
}

/// The sections that a contribution multiplies.
const SCALED: [ZKeySection; 2] = [ZKeySection::C, ZKeySection::H];

struct Step<'a> {
    previous: &'a ZKey<&'a dyn Source>,
    next: &'a ZKey<&'a dyn Source>,
    challenges: &'a Challenges,
    progress: &'a dyn ProgressSink,
}

impl Step<'_> {
    fn check(&self) -> Result<ContributionReport, CheckError> {
        match self.next.curve() {
            Curve::Bn128 => self.check_on::<Bn128>(),
            Curve::Bls12381 => self.check_on::<Bls12381>(),
        }
    }

    fn check_on<C: EngineCurve>(&self) -> Result<ContributionReport, CheckError> {
        self.headers::<C>()?;
        self.records::<C>()?;
        let mut reports = finished_chain::<C, _>(self.next, self.challenges, self.progress)?;
        for section in [
            ZKeySection::Ic,
            ZKeySection::Coefficients,
            ZKeySection::A,
            ZKeySection::B1,
            ZKeySection::B2,
        ] {
            self.same_bytes(section)?;
        }
        if !self.scaled_alike::<C>(&SCALED)? {
            // Which one is at fault: the first, or else the other.
            let [c, h] = SCALED;
            let section = if self.scaled_alike::<C>(&[c])? { h } else { c };
            return Err(CheckError::SectionRatio { section });
        }
        reports.pop().ok_or(CheckError::NoContributions)
    }

    /// Whether all points of these sections were multiplied by the inverse of delta's change: one
    /// combination of both keys with the same coefficients, and one pairing equation.
    fn scaled_alike<C: EngineCurve>(&self, sections: &[ZKeySection]) -> Result<bool, CheckError> {
        let points = sections.iter().map(|section| self.next.n_points(*section));
        let digit_bits = C::G1_SUBGROUP_DIGIT_BITS;
        // The key before is known to be right: subgroups are tested on the new one, the first side.
        let mut sum = LinearCombination::with_sides(2, points.sum(), digit_bits);
        for section in sections {
            self.add_section::<C>(*section, &mut sum)?;
        }
        let section = sections.first().copied().unwrap_or(ZKeySection::C);
        let sums = sum.finish_sides();
        let mut sums = sums.map_err(|no| no.in_section(section))?.into_iter();
        let mut next = || sums.next().unwrap_or_default();
        let (new, old) = (next(), next());
        let before = self.previous.key_points::<C>()?.delta2;
        let after = self.next.key_points::<C>()?.delta2;
        Ok(pairings_equal::<C>(&new, &after, &old, &before))
    }

    fn add_section<C: EngineCurve>(
        &self,
        section: ZKeySection,
        sum: &mut LinearCombination<C::G1Config>,
    ) -> Result<(), CheckError> {
        let (name, purpose) = match section {
            ZKeySection::C => ("check contribution: section C", Purpose::K),
            _ => ("check contribution: section H", Purpose::H),
        };
        let total = self.next.n_points(section);
        self.progress.step(name, Unit::Points, Some(total));
        let mut old = self.previous.g1_points::<C>(section)?;
        let mut new = self.next.g1_points::<C>(section)?;
        let (mut old_bytes, mut new_bytes) = (Vec::new(), Vec::new());
        let mut done = 0;
        while new.remaining() > 0 {
            let raw_old = old
                .read_raw(&mut old_bytes, CHUNK)
                .map_err(CheckError::Points)?;
            let raw_new = new
                .read_raw(&mut new_bytes, CHUNK)
                .map_err(CheckError::Points)?;
            let coefficients = self.challenges.run(purpose, done, raw_new.count);
            sum.add_sides(&[&new_bytes, &old_bytes], &coefficients)
                .map_err(|BadSide { side, point }| match (side, point.source) {
                    (_, PointError::NotInSubgroup) => CheckError::OutsideSubgroup { section },
                    (0, source) => CheckError::Points(raw_new.malformed(point.index, source)),
                    (_, source) => CheckError::Points(raw_old.malformed(point.index, source)),
                })?;
            let n = u64::try_from(raw_new.count).unwrap_or(u64::MAX);
            done += n;
            self.progress.advance(n);
            if self.progress.is_cancelled() {
                return Err(CheckError::Cancelled);
            }
        }
        Ok(())
    }

    /// Counts, and all single points but delta.
    fn headers<C: EngineCurve>(&self) -> Result<(), CheckError> {
        let (old, new) = (self.previous.header(), self.next.header());
        for (what, expected, got) in [
            ("wires", old.n_vars, new.n_vars),
            ("public signals", old.n_public, new.n_public),
            ("rows in the domain", old.domain_size, new.domain_size),
        ] {
            let (expected, got) = (u64::from(expected), u64::from(got));
            if expected != got {
                return Err(CheckError::CircuitMismatch {
                    what,
                    expected,
                    got,
                });
            }
        }
        let (old, new) = (
            self.previous.key_points::<C>()?,
            self.next.key_points::<C>()?,
        );
        check_no_infinity(&new)?;
        for (point, same) in [
            (KeyPoint::Alpha1, old.alpha1 == new.alpha1),
            (KeyPoint::Beta1, old.beta1 == new.beta1),
            (KeyPoint::Beta2, old.beta2 == new.beta2),
            (KeyPoint::Gamma2, old.gamma2 == new.gamma2),
        ] {
            if !same {
                return Err(CheckError::WrongPoint { point });
            }
        }
        Ok(())
    }

    /// The circuit hash and all records of the key before, and one more.
    fn records<C: EngineCurve>(&self) -> Result<(), CheckError> {
        let expected = self.previous.n_contributions().checked_add(1);
        if self.previous.circuit_hash() != self.next.circuit_hash()
            || expected != Some(self.next.n_contributions())
        {
            return Err(CheckError::NotTheNext);
        }
        let old = self.previous.contributions::<C>()?;
        for (old, new) in old.zip(self.next.contributions::<C>()?) {
            if old? != new? {
                return Err(CheckError::NotTheNext);
            }
        }
        Ok(())
    }

    fn same_bytes(&self, section: ZKeySection) -> Result<(), CheckError> {
        let (mut old, mut new) = (
            self.previous.section_bytes(section)?,
            self.next.section_bytes(section)?,
        );
        let changed = CheckError::SectionChanged { section };
        self.progress.step(
            "compare with the key before",
            Unit::Bytes,
            Some(new.remaining()),
        );
        if old.remaining() != new.remaining() {
            return Err(changed);
        }
        let (mut a, mut b) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        while new.remaining() > 0 {
            let n = usize::try_from(new.remaining()).map_or(a.len(), |left| left.min(1 << 16));
            a.resize(n, 0);
            b.resize(n, 0);
            let io = |source| {
                let what = section.name();
                ZKeyError::Container(formats::binfile::BinfileError::Io { what, source })
            };
            old.read_exact(&mut a).map_err(io)?;
            new.read_exact(&mut b).map_err(io)?;
            if a != b {
                return Err(changed);
            }
            self.progress.advance(u64::try_from(n).unwrap_or(u64::MAX));
            if self.progress.is_cancelled() {
                return Err(CheckError::Cancelled);
            }
        }
        Ok(())
    }
}
