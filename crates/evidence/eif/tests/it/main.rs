//! One accepted form, and every single change of it refused with its own reason.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::panic,
    reason = "tests"
)]

mod archive;
mod builder;
mod corpus;
mod refusals;
mod shifts;
