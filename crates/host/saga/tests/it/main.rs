//! Whole runs in the fake cloud: every crash, every error, every layer against orphans.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod commands;
mod ends;
mod faults;
mod layers;
mod permissions;
mod scene;
mod ways;
