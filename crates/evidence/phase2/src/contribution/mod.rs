//! One contribution: a new factor for delta, a proof that its maker knows it, and all points that
//! depend on delta multiplied by its inverse.
//!
//! The factor comes from outside as a [`ContributionKey`]: drawn in secret by the crate
//! `contribute`, or derived from a public value by [`crate::beacon`].

mod error;
mod key;
pub(crate) mod rewrite;

use std::io::Write;

use ark_ec::{AffineRepr, pairing::Pairing};
use formats::{
    curve::{G1Affine, G2Affine},
    digest::Blake2b512Digest,
    progress::ProgressSink,
    source::Source,
    zkey::{Contribution, ContributionKind, ContributionName, KeyPoints, ZKey},
};

pub use error::ContributionError;
pub use key::ContributionKey;
pub use rewrite::Secrecy;

use crate::{
    EngineCurve,
    sampling::challenge_point,
    transcript::{ChainTranscript, contribution_hash},
};
use rewrite::{Direction, Records, Rewrite};

/// What a contribution left behind. Nothing secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// BLAKE2b-512 that identifies the contribution, as snarkjs prints it.
    pub hash: Blake2b512Digest,
    /// Contributions in the new key.
    pub n_contributions: u32,
    /// Bytes of the new key.
    pub size: u64,
}

/// Writes the key that follows `previous` when its delta is multiplied by the key's scalar.
///
/// Before anything is written the new record is checked as a verifier would: its proof of knowledge
/// holds, delta has changed, and its random point is new in this chain.
pub fn apply<C: EngineCurve, S: Source, W: Write + Send>(
    previous: &ZKey<S>,
    key: &ContributionKey<C>,
    secrecy: Secrecy,
    kind: ContributionKind,
    name: Option<ContributionName>,
    out: &mut W,
    progress: &dyn ProgressSink,
) -> Result<Summary, ContributionError> {
    let before = previous.key_points::<C>()?;
    let transcript = chain_before(previous, key)?;
    let record = key.record(&transcript, &before.delta1, kind, name)?;
    let after = KeyPoints {
        delta1: record.delta_after,
        delta2: key.multiply_g2(&before.delta2)?,
        ..before
    };
    check_own(&before, &after, &record)?;
    let n_contributions = previous
        .n_contributions()
        .checked_add(1)
        .ok_or(ContributionError::TooManyContributions)?;
    let size = Rewrite {
        zkey: previous,
        points: &after,
        factor: key.rescaler(secrecy, Direction::Divide)?,
        records: Records::WithNew {
            bytes: record.to_bytes(),
        },
        progress,
    }
    .write(out)?;
    Ok(Summary {
        hash: contribution_hash(&record),
        n_contributions,
        size,
    })
}

/// The transcript up to the new contribution. Refuses a key whose random point was used before:
/// then the randomness is broken.
fn chain_before<C: EngineCurve, S: Source>(
    previous: &ZKey<S>,
    key: &ContributionKey<C>,
) -> Result<ChainTranscript, ContributionError> {
    let mut transcript = ChainTranscript::new(&previous.circuit_hash());
    for (index, record) in previous.contributions::<C>()?.enumerate() {
        let record = record?;
        if record.g1_s == *key.g1_s() {
            return Err(ContributionError::ReusedKey { index });
        }
        transcript.absorb(&record);
    }
    Ok(transcript)
}

/// What every verifier will check of this contribution.
fn check_own<C: EngineCurve>(
    before: &KeyPoints<C>,
    after: &KeyPoints<C>,
    record: &Contribution<C>,
) -> Result<(), ContributionError> {
    if before.delta1.is_zero() || before.delta2.is_zero() || after.delta1 == before.delta1 {
        return Err(ContributionError::DeltaUnchanged);
    }
    let g2_sp: G2Affine<C> = challenge_point(&record.transcript);
    let holds = same_ratio::<C>(&record.g1_s, &record.g1_sx, &g2_sp, &record.g2_spx)
        && same_ratio::<C>(&before.delta1, &after.delta1, &g2_sp, &record.g2_spx)
        && same_ratio::<C>(&before.delta1, &after.delta1, &before.delta2, &after.delta2);
    if holds {
        Ok(())
    } else {
        Err(ContributionError::OwnProofFails)
    }
}

/// Whether b1/a1 in G1 is b2/a2 in G2: e(b1, a2) = e(a1, b2), none being infinity.
fn same_ratio<C: EngineCurve>(
    a1: &G1Affine<C>,
    b1: &G1Affine<C>,
    a2: &G2Affine<C>,
    b2: &G2Affine<C>,
) -> bool {
    let finite = !(a1.is_zero() || b1.is_zero() || a2.is_zero() || b2.is_zero());
    finite && C::Pairing::pairing(*b1, *a2) == C::Pairing::pairing(*a1, *b2)
}
