//! `0000.zkey` from a circuit and powers of tau, byte for byte as snarkjs 0.7.6 writes it.
//!
//! Memory does not grow with the files: the r1cs and the ptau are walked once for as many sums as the
//! memory budget allows, and again for the others.

mod accumulate;
mod circuit_hash;
mod coefficients;
mod eisenstein;
mod error;
mod ladder;
mod layout;
mod overrun;
mod part;
mod plan;
mod produce;
mod shape;
mod signed;
mod sink;
mod terms;
mod walk;
mod write;

pub use circuit_hash::hash_h_differences;
pub use error::SetupError;
pub(crate) use produce::{Setup, Steps};
pub use shape::{Additions, Shape};
pub(crate) use sink::{Part, PartSink};
pub use write::{InitialKeySummary, SetupOptions, new_initial_key};
