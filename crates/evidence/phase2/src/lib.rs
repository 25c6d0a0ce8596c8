//! The phase-2 engine: initial key, rescaling, beacon, and the checks that mint evidence.

pub mod beacon;
pub mod check;
pub mod contribution;
mod engine_curve;
pub mod export;
mod pipeline;
mod positions;
pub mod rescale;
pub mod rng;
pub mod sampling;
pub mod setup;
mod sums;
mod threads;
pub mod transcript;

pub use engine_curve::EngineCurve;
