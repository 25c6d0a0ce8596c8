//! What a ceremony takes: sizes, memory, time and cost from a circuit's counts, before anything runs.
//!
//! * [`Circuit`]: what is known of a circuit. [`Sizes`]: bytes of every file, by the formats' formulas.
//! * [`estimate`]: memory, disk, and time and cost on every instance type of [`machine::TYPES`].
//! * [`table`]: the tables of `docs/scale.md`.
//! * [`costs`]: the measured constants, each with its machine. `docs/scale.md` explains the model.
//!
//! Bytes are exact. Times are estimates: they say which machine to take, and bound what a run may cost.

mod circuit;
pub mod costs;
mod estimate;
pub mod machine;
mod sizes;
mod table;

pub use circuit::Circuit;
pub use estimate::{Estimate, Memory, OnInstance, StageTime, estimate};
pub use sizes::Sizes;
pub use table::table;
