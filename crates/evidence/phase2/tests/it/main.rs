//! The engine against its own files and other people's: one program, so that what they share is compiled once.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod check_foreign;
mod check_own;
mod contribution;
mod fixtures;
mod initial_key;
