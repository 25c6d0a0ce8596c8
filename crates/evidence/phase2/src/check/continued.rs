//! A key that others have contributed to, before it is continued.

use formats::digest::Blake2b512Digest;
use formats::progress::ProgressSink;
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::source::Source;
use formats::zkey::ZKey;

use super::chain::ContributionReport;
use super::circuit_hash::CircuitHashRule;
use super::error::CheckError;
use super::key::{KeyReport, check_key};

/// A key belongs to a circuit and a ptau, and each of its contributions follows the one before with a
/// proof of knowledge. Minted by [`check_continued_key`] alone.
///
/// It cannot be forged:
///
/// ```compile_fail
/// let forged = phase2::check::ContinuedKeyVerified { report: todo!() };
/// ```
///
/// nor used twice:
///
/// ```compile_fail
/// fn twice(token: phase2::check::ContinuedKeyVerified) {
///     drop(token);
///     drop(token);
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ContinuedKeyVerified {
    report: KeyReport,
}

impl ContinuedKeyVerified {
    /// The key's circuit hash.
    pub fn circuit_hash(&self) -> Blake2b512Digest {
        self.report.chain.circuit_hash
    }

    /// By which rule it was made.
    pub fn circuit_hash_rule(&self) -> CircuitHashRule {
        self.report.circuit_hash_rule
    }

    /// The contributions, oldest first; at least one. Their names are unauthenticated.
    pub fn contributions(&self) -> &[ContributionReport] {
        &self.report.chain.contributions
    }
}

/// Checks a key with contributions, made by anyone, as [`check_key`] does.
pub fn check_continued_key<S: Source, T: Source, U: Source>(
    r1cs: &R1cs<S>,
    ptau: &Ptau<T>,
    zkey: &ZKey<U>,
    challenge_key: &[u8; 32],
    progress: &dyn ProgressSink,
) -> Result<ContinuedKeyVerified, CheckError> {
    let report = check_key(r1cs, ptau, zkey, challenge_key, progress)?;
    Ok(ContinuedKeyVerified { report })
}
