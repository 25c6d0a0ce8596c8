//! The development image in the emulator. Needs `CEREMONY_EMULATOR` and `CEREMONY_IMAGE`, which
//! `scripts/emulated --prepare` prints; skipped loudly without.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod boot;
mod faults;
mod images;

use std::time::Duration;

/// Far more than a boot and the agent's own time limits take, for machines that are busy with other tests.
const PATIENCE: Duration = Duration::from_mins(5);
