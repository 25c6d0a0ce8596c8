//! Documents of the real structure, genuine ones and changed ones.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::semicolon_if_nothing_returned,
    unreachable_pub,
    reason = "tests"
)]

mod chain_mutations;
mod common;
mod payload_mutations;
mod real_documents;
mod statements;
