//! Development powers-of-tau files with a KNOWN tau: SIMULATION ONLY, for tests and for runs on one
//! machine.
//!
//! Anyone can forge proofs for a key made from such a file: tau, alpha and beta are hashes of the
//! public labels in [`secrets`]. The layout is that of a prepared snarkjs file (version 1, sections
//! 1–7 and 12–15, no contributions), with the top block of section 12 as a file has it that was
//! prepared at its own power: it lacks the highest power of tau.

mod error;
mod lagrange;
mod secrets;
mod write;

pub use error::DevPtauError;
pub use secrets::{KnownSecrets, LABEL};
pub use write::{MAX_POWER, file_size, write};
