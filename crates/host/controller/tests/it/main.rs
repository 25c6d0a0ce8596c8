//! The program as a user runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod chain;
mod cli;
mod cloud;
mod emulated;
mod faults;
mod launch;
mod measurements;
mod publish;
mod scene;
mod whole;
