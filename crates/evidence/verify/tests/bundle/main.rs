//! Whole bundles: genuine ones hold, and every single change of one is refused by name.
//!
//! Everything here is SIMULATED and made in this process: development ptau, simulated security
//! module, local beacon. No compiler is needed: the witness generator and the contract code of the
//! fixture are stand-ins that only [`verify::Depth::Full`] would tell from compiled ones.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "tests"
)]

mod attested;
mod chain;
mod disk;
mod fixture;
mod genuine;
