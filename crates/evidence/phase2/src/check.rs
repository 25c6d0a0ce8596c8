//! Is a key what it says it is? The checks that mint evidence.
//!
//! All of them stream: memory does not depend on the files. Long runs of points are computed anew and
//! compared byte for byte, or, where that is cheaper ([`Method`]) or the only way, compared by
//! random linear combinations with 128-bit coefficients, so that a wrong point passes with probability
//! 2^-128 per section, provided that the file was fixed before the coefficients were known:
//!
//! * `challenge_key` is 32 bytes of fresh randomness that the caller draws after the files are fixed
//!   (received in full and hashed, or opened from a disk nobody else writes to), keeps to itself and
//!   uses for one check only.
//!
//! The powers of tau are believed as they are. Whoever calls these functions pins the ptau by its
//! digest (`formats::ptau::published`).

mod chain;
mod challenge;
mod circuit;
mod circuit_hash;
mod continued;
mod error;
mod key;
mod linear;
mod method;
mod ratio;
mod recompute;
mod step;

pub use chain::{ChainReport, ContributionReport, check_chain};
pub use circuit_hash::CircuitHashRule;
pub use continued::{ContinuedKeyVerified, check_continued_key};
pub use error::{CheckError, KeyPoint};
pub use key::{
    InitialKeyVerified, KeyReport, check_initial_key, check_initial_key_by, check_key, check_key_by,
};
pub use method::Method;
pub use step::{ContributionVerified, FinalKeyVerified, check_beacon, check_contribution};
