//! Whole keys against circuit and powers of tau: the initial key, and a key of any age.

use ark_ec::AffineRepr;
use formats::curve::{Bls12381, Bn128, Curve, G1Affine, G2Affine};
use formats::digest::Blake2b512Digest;
use formats::progress::ProgressSink;
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::source::Source;
use formats::zkey::ZKey;

use super::chain::{ChainReport, ContributionReport, finished_chain};
use super::challenge::Challenges;
use super::circuit::CircuitCheck;
use super::circuit_hash::{self, CircuitHashRule};
use super::error::{CheckError, KeyPoint};
use super::method::{Method, Stage};
use crate::EngineCurve;
use crate::setup::Shape;
use crate::sums::has_endomorphism;

/// A key is the initial key of a circuit and a ptau. Minted by [`check_initial_key`] alone.
///
/// It cannot be forged:
///
/// ```compile_fail
/// let forged = phase2::check::InitialKeyVerified { circuit_hash: todo!(), rule: todo!() };
/// ```
///
/// nor used twice:
///
/// ```compile_fail
/// fn twice(token: phase2::check::InitialKeyVerified) {
///     drop(token);
///     drop(token);
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct InitialKeyVerified {
    circuit_hash: Blake2b512Digest,
    rule: CircuitHashRule,
}

impl InitialKeyVerified {
    /// The key's circuit hash.
    pub fn circuit_hash(&self) -> Blake2b512Digest {
        self.circuit_hash
    }

    /// By which rule it was made.
    pub fn circuit_hash_rule(&self) -> CircuitHashRule {
        self.rule
    }
}

/// Checks that a zkey is the initial key (`0000.zkey`) of a circuit and a ptau: no contributions,
/// delta and gamma the generators, all coefficients and points those of the circuit, and the
/// circuit hash theirs.
pub fn check_initial_key<S: Source, T: Source, U: Source>(
    r1cs: &R1cs<S>,
    ptau: &Ptau<T>,
    zkey: &ZKey<U>,
    challenge_key: &[u8; 32],
    progress: &dyn ProgressSink,
) -> Result<InitialKeyVerified, CheckError> {
    check_initial_key_by(r1cs, ptau, zkey, challenge_key, progress, None)
}

/// [`check_initial_key`] by a given method; the cheaper one without.
pub fn check_initial_key_by<S: Source, T: Source, U: Source>(
    r1cs: &R1cs<S>,
    ptau: &Ptau<T>,
    zkey: &ZKey<U>,
    challenge_key: &[u8; 32],
    progress: &dyn ProgressSink,
    method: Option<Method>,
) -> Result<InitialKeyVerified, CheckError> {
    let check = CircuitCheck {
        r1cs: &r1cs.as_dyn(),
        ptau: &ptau.as_dyn(),
        zkey: &zkey.as_dyn(),
        challenges: &Challenges::new(challenge_key),
        progress,
    };
    let rule = initial(&check, method)?;
    Ok(InitialKeyVerified {
        circuit_hash: zkey.circuit_hash(),
        rule,
    })
}

/// Not generic, like every function here that chooses the curve: so the engine is compiled once, in this
/// crate, and not again in each crate that calls it.
fn initial(
    check: &CircuitCheck<'_>,
    method: Option<Method>,
) -> Result<CircuitHashRule, CheckError> {
    match check.zkey.curve() {
        Curve::Bn128 => initial_on::<Bn128>(check, method),
        Curve::Bls12381 => initial_on::<Bls12381>(check, method),
    }
}

fn initial_on<C: EngineCurve>(
    check: &CircuitCheck<'_>,
    method: Option<Method>,
) -> Result<CircuitHashRule, CheckError> {
    let got = check.zkey.n_contributions();
    if got != 0 {
        return Err(CheckError::UnexpectedContributions { got });
    }
    let points = check.zkey.key_points::<C>()?;
    if points.delta1 != G1Affine::<C>::generator() {
        return Err(CheckError::WrongPoint {
            point: KeyPoint::Delta1,
        });
    }
    if points.delta2 != G2Affine::<C>::generator() {
        return Err(CheckError::WrongPoint {
            point: KeyPoint::Delta2,
        });
    }
    check.header::<C>()?;
    match cheaper::<C>(check, Stage::Initial, method)? {
        Method::Recompute => Ok(check.recompute::<C>(Stage::Initial)?.0),
        Method::Combine => {
            check.combine::<C>()?;
            circuit_hash::of_initial_key::<C, _, _>(check.ptau, check.zkey)
        }
    }
}

fn cheaper<C: EngineCurve>(
    check: &CircuitCheck<'_>,
    stage: Stage,
    method: Option<Method>,
) -> Result<Method, CheckError> {
    if let Some(method) = method {
        return Ok(method);
    }
    let shape = Shape::of(check.r1cs, check.progress)?;
    let wires = u64::from(check.r1cs.header().n_wires);
    let endomorphism = has_endomorphism::<C::G1Config>();
    Ok(Method::cheaper(&shape, wires, stage, endomorphism))
}

/// What was found about a key with contributions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyReport {
    /// Its contributions.
    pub chain: ChainReport,
    /// By which rule its circuit hash was made.
    pub circuit_hash_rule: CircuitHashRule,
}

/// Checks a key with contributions, made by anyone, against circuit and powers of tau. Needs no
/// initial key: its points are combined or recomputed from r1cs and ptau.
///
/// Refuses a key without contributions: [`CheckError::NoContributions`].
pub fn check_key<S: Source, T: Source, U: Source>(
    r1cs: &R1cs<S>,
    ptau: &Ptau<T>,
    zkey: &ZKey<U>,
    challenge_key: &[u8; 32],
    progress: &dyn ProgressSink,
) -> Result<KeyReport, CheckError> {
    check_key_by(r1cs, ptau, zkey, challenge_key, progress, None)
}

/// [`check_key`] by a given method; the cheaper one without.
pub fn check_key_by<S: Source, T: Source, U: Source>(
    r1cs: &R1cs<S>,
    ptau: &Ptau<T>,
    zkey: &ZKey<U>,
    challenge_key: &[u8; 32],
    progress: &dyn ProgressSink,
    method: Option<Method>,
) -> Result<KeyReport, CheckError> {
    let check = CircuitCheck {
        r1cs: &r1cs.as_dyn(),
        ptau: &ptau.as_dyn(),
        zkey: &zkey.as_dyn(),
        challenges: &Challenges::new(challenge_key),
        progress,
    };
    let (contributions, circuit_hash_rule) = finished(&check, method)?;
    let circuit_hash = zkey.circuit_hash();
    let chain = ChainReport {
        curve: zkey.curve(),
        circuit_hash,
        contributions,
    };
    Ok(KeyReport {
        chain,
        circuit_hash_rule,
    })
}

type Finished = (Vec<ContributionReport>, CircuitHashRule);

fn finished(check: &CircuitCheck<'_>, method: Option<Method>) -> Result<Finished, CheckError> {
    match check.zkey.curve() {
        Curve::Bn128 => finished_on::<Bn128>(check, method),
        Curve::Bls12381 => finished_on::<Bls12381>(check, method),
    }
}

fn finished_on<C: EngineCurve>(
    check: &CircuitCheck<'_>,
    method: Option<Method>,
) -> Result<Finished, CheckError> {
    let contributions = finished_chain::<C, _>(check.zkey, check.challenges, check.progress)?;
    check.header::<C>()?;
    let rule = match cheaper::<C>(check, Stage::Finished, method)? {
        Method::Recompute => {
            let (rule, sides) = check.recompute::<C>(Stage::Finished)?;
            check.both_scaled::<C>(&sides)?;
            rule
        }
        Method::Combine => {
            check.combine_without_c::<C>()?;
            let (rule, initial_c) = circuit_hash::of_circuit::<C>(check)?;
            check.section_c::<C>(&initial_c)?;
            rule
        }
    };
    Ok((contributions, rule))
}
