//! Random orders of commands, and single refusals: no stage is reached but by its own command with
//! what it demands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod model;
mod refusals;
mod world;
