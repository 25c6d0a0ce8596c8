//! SIMULATED trust parts for one machine: an NSM with its own certificate chain. Never in an image.
//!
//! [`SimulatedNsm`] writes attestation documents of the real structure under a root it makes at
//! start and keeps in memory. The same verifier judges them, given that root. They prove nothing
//! about hardware: names say `SIMULATED - NOT AWS`, the module id is all zeros, and the verifier
//! refuses that id under AWS's root.

pub mod chain;
mod clock;
pub mod document;
mod nsm;

pub use clock::{Clock, FixedClock, SystemClock};
pub use nsm::{SimulatedNsm, SimulationError, measured_image};
