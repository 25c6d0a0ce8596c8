//! Helpers of the cross-crate tests.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "test helpers"
)]

pub mod circuits;
pub mod referee;
