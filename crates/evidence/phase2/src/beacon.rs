//! The public contribution at the end of a ceremony: applied, and undone again.
//!
//! Everything in a beacon's contribution follows from the key before it and from the public value,
//! so anyone can take it away again and must get the file that was there before.

use std::io::Write;

use ark_ec::AffineRepr;
use formats::{
    curve::{Bls12381, Bn128, Curve, G1Affine},
    digest::Sha256Digest,
    progress::ProgressSink,
    source::Source,
    zkey::{BeaconParams, Contribution, ContributionKind, ContributionName, ZKey},
};

use crate::{
    EngineCurve,
    contribution::{self, ContributionError, ContributionKey, Secrecy, rewrite},
    transcript::{ChainTranscript, contribution_hash},
};

/// Most iterations that are computed, as a power of two. The format allows 2^63; 2^30 already take
/// minutes and add nothing to a value from a threshold signature.
pub const MAX_COMPUTED_EXPONENT: u8 = 30;

/// The seed of a beacon's key: SHA-256 iterated 2^exp times, the first time over the value itself.
///
/// Refuses more than 2^[`MAX_COMPUTED_EXPONENT`] iterations.
pub fn seed(beacon: &BeaconParams) -> Result<[u8; 32], ContributionError> {
    let exponent = beacon.iterations_exp();
    if exponent > MAX_COMPUTED_EXPONENT {
        return Err(ContributionError::TooManyIterations {
            exponent,
            max: MAX_COMPUTED_EXPONENT,
        });
    }
    let mut digest = Sha256Digest::of(beacon.value());
    for _ in 1..1_u64 << exponent {
        digest = Sha256Digest::of(digest.as_bytes());
    }
    Ok(*digest.as_bytes())
}

/// Writes the key with the beacon's contribution. Deterministic: the same bytes for the same input.
pub fn apply_beacon<S: Source, W: Write + Send>(
    previous: &ZKey<S>,
    beacon: &BeaconParams,
    name: Option<ContributionName>,
    out: &mut W,
    progress: &dyn ProgressSink,
) -> Result<contribution::Summary, ContributionError> {
    apply(&previous.as_dyn(), beacon, name, out, progress)
}

fn apply(
    previous: &ZKey<&dyn Source>,
    beacon: &BeaconParams,
    name: Option<ContributionName>,
    out: &mut (dyn Write + Send),
    progress: &dyn ProgressSink,
) -> Result<contribution::Summary, ContributionError> {
    match previous.curve() {
        Curve::Bn128 => apply_on::<Bn128>(previous, beacon, name, out, progress),
        Curve::Bls12381 => apply_on::<Bls12381>(previous, beacon, name, out, progress),
    }
}

fn apply_on<C: EngineCurve>(
    previous: &ZKey<&dyn Source>,
    beacon: &BeaconParams,
    name: Option<ContributionName>,
    mut out: &mut (dyn Write + Send),
    progress: &dyn ProgressSink,
) -> Result<contribution::Summary, ContributionError> {
    let key = ContributionKey::<C>::from_seed(&seed(beacon)?);
    let kind = ContributionKind::Beacon(beacon.clone());
    contribution::apply(
        previous,
        &key,
        Secrecy::Public,
        kind,
        name,
        &mut out,
        progress,
    )
}

/// Writes the key as it was before its last contribution, which must be a beacon.
///
/// The beacon's record is recomputed and compared, so that what is taken away is what
/// [`apply_beacon`] would have put there. A key that was written by a contribution comes back byte
/// for byte; an initial key comes back with its sections in the order of their numbers.
pub fn undo_beacon<S: Source, W: Write + Send>(
    zkey: &ZKey<S>,
    out: &mut W,
    progress: &dyn ProgressSink,
) -> Result<UndoneBeacon, ContributionError> {
    undo(&zkey.as_dyn(), out, progress)
}

/// What was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneBeacon {
    /// Value and iterations.
    pub beacon: BeaconParams,
    /// The name in the record.
    pub name: Option<ContributionName>,
    /// The record's contribution hash.
    pub hash: formats::digest::Blake2b512Digest,
    /// Contributions that are left.
    pub contributions_left: u32,
}

fn undo(
    zkey: &ZKey<&dyn Source>,
    out: &mut (dyn Write + Send),
    progress: &dyn ProgressSink,
) -> Result<UndoneBeacon, ContributionError> {
    match zkey.curve() {
        Curve::Bn128 => undo_on::<Bn128>(zkey, out, progress),
        Curve::Bls12381 => undo_on::<Bls12381>(zkey, out, progress),
    }
}

fn undo_on<C: EngineCurve>(
    zkey: &ZKey<&dyn Source>,
    mut out: &mut (dyn Write + Send),
    progress: &dyn ProgressSink,
) -> Result<UndoneBeacon, ContributionError> {
    let contributions_left = zkey
        .n_contributions()
        .checked_sub(1)
        .ok_or(ContributionError::LastIsNoBeacon)?;
    let mut transcript = ChainTranscript::new(&zkey.circuit_hash());
    let mut delta_before = G1Affine::<C>::generator();
    let mut records = zkey.contributions::<C>()?;
    for _ in 0..contributions_left {
        let record = records.next().ok_or(ContributionError::LastIsNoBeacon)??;
        transcript.absorb(&record);
        delta_before = record.delta_after;
    }
    let last: Contribution<C> = records.next().ok_or(ContributionError::LastIsNoBeacon)??;
    let ContributionKind::Beacon(beacon) = &last.kind else {
        return Err(ContributionError::LastIsNoBeacon);
    };

    let key = ContributionKey::<C>::from_seed(&seed(beacon)?);
    let mut points = zkey.key_points::<C>()?;
    let expected = key.record(
        &transcript,
        &delta_before,
        last.kind.clone(),
        last.name.clone(),
    )?;
    if expected != last || last.delta_after != points.delta1 {
        return Err(ContributionError::BeaconMismatch);
    }
    points.delta1 = delta_before;
    points.delta2 = key.divide_g2(&points.delta2)?;
    let removed = u64::try_from(last.to_bytes().len()).unwrap_or(u64::MAX);
    rewrite::Rewrite {
        zkey,
        points: &points,
        factor: key.rescaler(Secrecy::Public, rewrite::Direction::Multiply)?,
        records: rewrite::Records::WithoutLast { bytes: removed },
        progress,
    }
    .write(&mut out)?;
    Ok(UndoneBeacon {
        beacon: beacon.clone(),
        name: last.name.clone(),
        hash: contribution_hash(&last),
        contributions_left,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_hashed_exactly_so_often() {
        let beacon = BeaconParams::new(10, b"beacon").unwrap();
        let mut expected = Sha256Digest::of(b"beacon");
        for _ in 0..1023 {
            expected = Sha256Digest::of(expected.as_bytes());
        }
        assert_eq!(seed(&beacon).unwrap(), *expected.as_bytes());
    }

    #[test]
    fn r19_too_many_iterations_are_refused() {
        for exponent in [31, 63] {
            let beacon = BeaconParams::new(exponent, b"beacon").unwrap();
            assert!(matches!(
                seed(&beacon),
                Err(ContributionError::TooManyIterations { exponent: got, max: 30 }) if got == exponent
            ));
        }
    }
}
