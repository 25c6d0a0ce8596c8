//! Draws the secret, uses it once, erases it. The only code that ever holds it.
//!
//! Read [`entropy`] (where the randomness comes from and how it is tested), then [`contribute`] (the
//! one function that holds the secret). The arithmetic is `phase2`'s, which borrows the key for the
//! time of one call.

pub mod entropy;
mod error;
mod health;
mod make;

pub use error::ContributeError;
pub use health::HealthError;
pub use make::contribute;
