//! `0000.zkey` from a circuit and powers of tau, byte for byte as snarkjs 0.7.6 writes it.
//!
//! Memory does not grow with the files: the r1cs and the ptau are walked once per section and range
//! of signals, and a range is as long as the memory budget allows.

mod accumulate;
mod circuit_hash;
mod coefficients;
mod error;
mod layout;
mod lockstep;
mod overrun;
mod write;

pub use circuit_hash::hash_h_differences;
pub use error::SetupError;
pub(crate) use write::initial_c;
pub use write::{InitialKeySummary, SetupOptions, new_initial_key};
