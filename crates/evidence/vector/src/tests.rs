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
use crate::register::plain::Plain;

/// The levels that can be tested here, and the models; says which levels cannot.
fn levels() -> impl Iterator<Item = Level> {
    for name in ["AVX-512 IFMA", "AVX-512", "AVX2"] {
        if Level::all().all(|level| level.name() != name) {
            eprintln!("SKIPPED (this processor has no {name})");
        }
    }
    let models = [
        Level::IntegerModel(Plain::ZERO),
        Level::FloatModel(Plain::ZERO),
    ];
    Level::all().chain(models)
}
