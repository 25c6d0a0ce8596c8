//! The contributions of a key: each continues the one before, and whoever made it knew its factor.

use ark_ec::short_weierstrass::Affine;
use ark_ec::{AffineRepr, CurveGroup};
use formats::curve::{Bls12381, Bn128, Curve, CurveParams, G1Affine, G2Affine};
use formats::digest::Blake2b512Digest;
use formats::progress::{ProgressSink, Unit};
use formats::source::Source;
use formats::zkey::{
    BeaconParams, Contribution, ContributionKind, ContributionName, KeyPoints, ZKey, ZKeySection,
};
use rayon::prelude::*;

use super::challenge::{Challenges, Purpose};
use super::circuit::{check_no_infinity, zkey_sum};
use super::error::CheckError;
use super::linear::times;
use super::ratio::{pairings_equal, product_is_one};
use crate::EngineCurve;
use crate::beacon::{self, MAX_COMPUTED_EXPONENT};
use crate::contribution::ContributionKey;
use crate::sampling::challenge_point;
use crate::transcript::{ChainTranscript, contribution_hash};

/// Contributions whose equations are checked together.
const BATCH: usize = 128;

/// One contribution that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContributionReport {
    /// BLAKE2b-512 that identifies it, as snarkjs prints it.
    pub hash: Blake2b512Digest,
    /// The beacon it was derived from, if it was.
    pub beacon: Option<BeaconParams>,
    /// The recorded name. Nothing vouches for it: anyone can change it in the file.
    pub unauthenticated_name: Option<ContributionName>,
}

/// What the contributions of a key show. Says nothing about the circuit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainReport {
    /// Curve of the key.
    pub curve: Curve,
    /// The circuit hash that the first contribution starts from. Not checked here.
    pub circuit_hash: Blake2b512Digest,
    /// All contributions, in order; at least one.
    pub contributions: Vec<ContributionReport>,
}

impl ChainReport {
    /// Whether the last contribution is a beacon: nobody could choose the result.
    pub fn ends_with_beacon(&self) -> bool {
        self.contributions
            .last()
            .is_some_and(|last| last.beacon.is_some())
    }
}

/// Checks a key alone: its single points, its contributions, and that every point of every section
/// is well-formed and in its group. Needs neither circuit nor powers of tau, and therefore cannot
/// say that the key belongs to any.
///
/// Refuses a key without contributions: delta is then the generator, and anyone can forge proofs.
pub fn check_chain<S: Source>(
    zkey: &ZKey<S>,
    challenge_key: &[u8; 32],
    progress: &dyn ProgressSink,
) -> Result<ChainReport, CheckError> {
    alone(&zkey.as_dyn(), &Challenges::new(challenge_key), progress)
}

fn alone(
    zkey: &ZKey<&dyn Source>,
    challenges: &Challenges,
    progress: &dyn ProgressSink,
) -> Result<ChainReport, CheckError> {
    match zkey.curve() {
        Curve::Bn128 => alone_on::<Bn128>(zkey, challenges, progress),
        Curve::Bls12381 => alone_on::<Bls12381>(zkey, challenges, progress),
    }
}

fn alone_on<C: EngineCurve>(
    zkey: &ZKey<&dyn Source>,
    challenges: &Challenges,
    progress: &dyn ProgressSink,
) -> Result<ChainReport, CheckError> {
    let points = zkey.key_points::<C>()?;
    check_no_infinity(&points)?;
    let contributions = finished_chain::<C, _>(zkey, challenges, progress)?;
    for coefficient in zkey.coefficients()? {
        coefficient?;
    }
    for section in [
        ZKeySection::Ic,
        ZKeySection::A,
        ZKeySection::B1,
        ZKeySection::C,
        ZKeySection::H,
    ] {
        progress.step(
            "check key: points",
            Unit::Points,
            Some(zkey.n_points(section)),
        );
        let reader = zkey.g1_points::<C>(section)?;
        let coefficients = |first, count| challenges.run(Purpose::A, first, count);
        zkey_sum(
            reader,
            section,
            C::G1_SUBGROUP_DIGIT_BITS,
            coefficients,
            progress,
        )
        .map(drop)?;
    }
    progress.step(
        "check key: points",
        Unit::Points,
        Some(zkey.n_points(ZKeySection::B2)),
    );
    let coefficients = |first, count| challenges.run(Purpose::B, first, count);
    let reader = zkey.b2_points::<C>()?;
    zkey_sum(
        reader,
        ZKeySection::B2,
        C::G2_SUBGROUP_DIGIT_BITS,
        coefficients,
        progress,
    )
    .map(drop)?;
    Ok(ChainReport {
        curve: zkey.curve(),
        circuit_hash: zkey.circuit_hash(),
        contributions,
    })
}

/// The contributions of a key that is to be used: at least one, and delta is not gamma.
pub(super) fn finished_chain<C: EngineCurve, S: Source>(
    zkey: &ZKey<S>,
    challenges: &Challenges,
    progress: &dyn ProgressSink,
) -> Result<Vec<ContributionReport>, CheckError> {
    if zkey.n_contributions() == 0 {
        return Err(CheckError::NoContributions);
    }
    let contributions = contributions::<C, S>(zkey, challenges, progress)?;
    let points = zkey.key_points::<C>()?;
    if points.delta2 == points.gamma2 || points.delta1 == G1Affine::<C>::generator() {
        return Err(CheckError::DeltaIsGamma);
    }
    Ok(contributions)
}

/// Checks all contributions and that the key's delta is what they leave.
pub(super) fn contributions<C: EngineCurve, S: Source>(
    zkey: &ZKey<S>,
    challenges: &Challenges,
    progress: &dyn ProgressSink,
) -> Result<Vec<ContributionReport>, CheckError> {
    progress.step(
        "check contributions",
        Unit::Steps,
        Some(zkey.n_contributions().into()),
    );
    let mut walk = Walk::<C>::new(zkey, challenges);
    for contribution in zkey.contributions::<C>()? {
        walk.next(contribution?)?;
        if walk.batch.len() == BATCH {
            walk.check_batch(progress)?;
        }
    }
    walk.check_batch(progress)?;
    check_delta(&zkey.key_points::<C>()?, &walk.delta)?;
    Ok(walk.reports)
}

fn check_delta<C: CurveParams>(key: &KeyPoints<C>, last: &G1Affine<C>) -> Result<(), CheckError> {
    if key.delta1 != *last {
        return Err(CheckError::DeltaNotLast);
    }
    let generator = G1Affine::<C>::generator();
    let same = pairings_equal::<C>(
        &key.delta1.into_group(),
        &G2Affine::<C>::generator(),
        &generator.into_group(),
        &key.delta2,
    );
    if same {
        Ok(())
    } else {
        Err(CheckError::DeltasDiffer)
    }
}

/// A contribution whose equations are still to be checked.
struct Step<C: CurveParams> {
    index: u32,
    delta_before: G1Affine<C>,
    record: Contribution<C>,
}

struct Walk<'a, C: CurveParams> {
    challenges: &'a Challenges,
    transcript: ChainTranscript,
    delta: G1Affine<C>,
    next_index: u32,
    iterations_left: u64,
    batch: Vec<Step<C>>,
    /// Contributions that the progress sink does not know of yet.
    left_to_report: u64,
    reports: Vec<ContributionReport>,
}

impl<'a, C: EngineCurve> Walk<'a, C> {
    fn new<S: Source>(zkey: &ZKey<S>, challenges: &'a Challenges) -> Self {
        Self {
            challenges,
            transcript: ChainTranscript::new(&zkey.circuit_hash()),
            delta: G1Affine::<C>::generator(),
            next_index: 0,
            iterations_left: 1 << MAX_COMPUTED_EXPONENT,
            batch: Vec::new(),
            left_to_report: 0,
            reports: Vec::new(),
        }
    }

    /// Everything but the pairings, which are left for the batch.
    fn next(&mut self, record: Contribution<C>) -> Result<(), CheckError> {
        let index = self.next_index;
        self.next_index += 1;
        let at_infinity = [record.delta_after, record.g1_s, record.g1_sx]
            .iter()
            .any(Affine::is_zero);
        if at_infinity || record.g2_spx.is_zero() {
            return Err(CheckError::ContributionAtInfinity { index });
        }
        if record.transcript != self.transcript.challenge(&record.g1_s, &record.g1_sx) {
            return Err(CheckError::WrongTranscript { index });
        }
        if record.delta_after == self.delta {
            return Err(CheckError::DeltaUnchanged { index });
        }
        if let ContributionKind::Beacon(beacon) = &record.kind {
            self.check_beacon(index, beacon, &record)?;
        }
        self.reports.push(ContributionReport {
            hash: contribution_hash(&record),
            beacon: match &record.kind {
                ContributionKind::Ordinary => None,
                ContributionKind::Beacon(beacon) => Some(beacon.clone()),
            },
            unauthenticated_name: record.name.clone(),
        });
        self.transcript.absorb(&record);
        let delta_before = self.delta;
        self.delta = record.delta_after;
        self.left_to_report += 1;
        // The equations of a beacon's record hold: it was computed from the factor.
        if record.kind == ContributionKind::Ordinary {
            self.batch.push(Step {
                index,
                delta_before,
                record,
            });
        }
        Ok(())
    }

    /// A beacon's whole record follows from its value and what comes before.
    fn check_beacon(
        &mut self,
        index: u32,
        params: &BeaconParams,
        record: &Contribution<C>,
    ) -> Result<(), CheckError> {
        let exponent = params.iterations_exp();
        let left = self.iterations_left;
        let too_many = CheckError::TooManyIterations {
            index,
            exponent,
            left,
        };
        let iterations = 1u64.checked_shl(exponent.into()).unwrap_or(u64::MAX);
        let Some(left) = left.checked_sub(iterations) else {
            return Err(too_many);
        };
        self.iterations_left = left;
        let seed = beacon::seed(params).map_err(|_| too_many)?;
        let expected = ContributionKey::<C>::from_seed(&seed)
            .record(
                &self.transcript,
                &self.delta,
                record.kind.clone(),
                record.name.clone(),
            )
            .map_err(|_| CheckError::BeaconMismatch { index })?;
        if expected == *record {
            Ok(())
        } else {
            Err(CheckError::BeaconMismatch { index })
        }
    }

    /// For each contribution e(g1_s, g2_spx) = e(g1_sx, g2_sp) and e(before, g2_spx) = e(after, g2_sp),
    /// all in one product with random weights; one by one where that fails, to name the culprit.
    fn check_batch(&mut self, progress: &dyn ProgressSink) -> Result<(), CheckError> {
        progress.advance(std::mem::take(&mut self.left_to_report));
        if progress.is_cancelled() {
            return Err(CheckError::Cancelled);
        }
        if self.batch.is_empty() {
            return Ok(());
        }
        let pairs: Vec<_> = self
            .batch
            .par_iter()
            .flat_map_iter(|step| step.weighted_pairs(self.challenges))
            .collect();
        if !product_is_one::<C>(&pairs) {
            for step in &self.batch {
                step.check_alone()?;
            }
            // Each equation holds, so their weighted product does: not reached. Refuse all the same.
            let index = self.next_index.saturating_sub(1);
            return Err(CheckError::BadProofOfKnowledge { index });
        }
        self.batch.clear();
        Ok(())
    }
}

impl<C: EngineCurve> Step<C> {
    fn challenge_point(&self) -> G2Affine<C> {
        challenge_point(&self.record.transcript)
    }

    fn weighted_pairs(&self, challenges: &Challenges) -> [(G1Affine<C>, G2Affine<C>); 2] {
        let at = 2 * u64::from(self.index);
        let proof = challenges.coefficient(Purpose::Contribution, at);
        let delta = challenges.coefficient(Purpose::Contribution, at + 1);
        let record = &self.record;
        let left = times(&record.g1_s, proof) + times(&self.delta_before, delta);
        let right = times(&record.g1_sx, proof) + times(&record.delta_after, delta);
        [
            (left.into_affine(), record.g2_spx),
            ((-right).into_affine(), self.challenge_point()),
        ]
    }

    fn check_alone(&self) -> Result<(), CheckError> {
        let index = self.index;
        let record = &self.record;
        let g2_sp = self.challenge_point();
        let same = |before: &G1Affine<C>, after: &G1Affine<C>| {
            let (before, after) = (before.into_group(), after.into_group());
            pairings_equal::<C>(&before, &record.g2_spx, &after, &g2_sp)
        };
        if !same(&record.g1_s, &record.g1_sx) {
            return Err(CheckError::BadProofOfKnowledge { index });
        }
        if !same(&self.delta_before, &record.delta_after) {
            return Err(CheckError::BadDeltaStep { index });
        }
        Ok(())
    }
}
