//! The one function that holds the secret.

use std::io::Write;

use formats::{
    curve::{Bn128, Curve},
    progress::ProgressSink,
    source::Source,
    zkey::{ContributionKind, ContributionName, ZKey},
};
use phase2::contribution::{ContributionKey, Secrecy, Summary, apply};

use crate::{
    entropy::{self, Sources},
    error::ContributeError,
};

/// Draws a secret, writes the key that follows `previous` by it, and erases it.
///
/// Before the first byte is written the contribution's own proof is verified. The caller has checked
/// `previous` against circuit and powers of tau; here each point that meets the secret is checked
/// for its encoding and the curve equation once more. Progress is told per 16,384 points, which
/// shows nothing of the secret: every point takes the same steps.
///
/// On an error `out` holds an incomplete file, and the secret is erased all the same.
pub fn contribute<S: Source, W: Write + Send>(
    previous: &ZKey<S>,
    sources: &mut Sources<'_>,
    name: Option<ContributionName>,
    out: &mut W,
    progress: &dyn ProgressSink,
) -> Result<Summary, ContributeError> {
    if previous.curve() != Curve::Bn128 {
        return Err(ContributeError::WrongCurve {
            got: previous.curve(),
        });
    }
    let seed = entropy::seed(sources)?;
    let key = ContributionKey::<Bn128>::from_seed(&seed);
    drop(seed);
    let kind = ContributionKind::Ordinary;
    let result = apply(previous, &key, Secrecy::Secret, kind, name, out, progress);
    drop(key);
    Ok(result?)
}

#[cfg(test)]
mod tests;
