//! Every level that this processor has, and plain models of all, against the library's arithmetic: the
//! differential tests that the unsafe code rests on.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code"
)]

mod additions;
mod chains;
mod fields;
mod ladder;
mod uncompressed;

use crate::Level;

/// The levels that can be tested here; says which cannot.
fn levels() -> impl Iterator<Item = Level> {
    let models = [Level::IntegerModel, Level::FloatModel];
    Level::ALL.into_iter().chain(models).filter(|level| {
        if !level.is_available() {
            eprintln!("SKIPPED (this processor has no {})", level.name());
        }
        level.is_available()
    })
}
