//! The store and the providers against emulators that speak the real protocol over a real connection.
//!
//! What these cannot show, because no emulator models it: whether AWS lets these credentials do these calls;
//! "requester pays"; that links end when they say; that a bucket's policy refuses what it says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod account;
mod conformance;
mod faults;
mod line;
mod s3;
mod world;
