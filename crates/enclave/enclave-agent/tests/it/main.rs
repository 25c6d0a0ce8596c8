//! The agent over a Unix socket, as a host meets it: one program, so that what they share is compiled once.
#![allow(
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod backing;
mod ceremony;
mod chain;
mod common;
mod compile;
mod hostile;
