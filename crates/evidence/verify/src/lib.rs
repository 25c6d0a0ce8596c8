//! The offline verifier: a bundle in, a checklist out.
//!
//! [`verify_bundle`] needs no network, no clock and nobody's word. Every step of the checklist ends
//! as passed, failed with its reason, or not checked with the reason why; the [`Verdict`] follows
//! from the steps and from nothing else.
//!
//! * [`expected`]: expected measurements from a file, and who vouches for them.
//! * [`options`]: whom to trust, how deep to look, what the caller lends (compilers, a ptau).
//! * [`checklist`]: the steps, and what becomes of them.
//! * [`report`]: the whole of it, for people and machines.
//! * [`sequence`]: several bundles, each continuing the one before.
//!
//! The steps themselves: [`folder`] (files), `opening` (manifest and documents), `time` (beacon and
//! rounds), `artifacts` (digests, sources, receipts), `key` (final.zkey), `contract`, `full`.

mod artifacts;
pub mod checklist;
mod contract;
pub mod expected;
mod failure;
pub mod folder;
mod full;
mod key;
mod opening;
pub mod options;
pub mod report;
pub mod sequence;
mod time;

use std::path::Path;

pub use checklist::{Checklist, Fact, Status, Step, StepId, Why};
pub use expected::{Expected, ExpectedError, Origin, RawExpected};
pub use failure::Failure;
pub use options::{
    CircuitCompiler, CompiledCircuit, CompiledContract, ContractCompiler, Depth, EffectError,
    Trust, VerifyOptions,
};
pub use report::{Report, Verdict};

use crate::folder::Folder;
use crate::opening::Opened;

/// Checks a bundle and says what was found. Never fails: what cannot be read is a step's result.
pub fn verify_bundle(folder: &Path, options: &VerifyOptions<'_>) -> Report {
    let mut list = Checklist::new();
    let folder = Folder::new(folder);
    if let Some(opened) = opening::open(&folder, options, &mut list) {
        run(&folder, options, &opened, &mut list);
    }
    Report::new(options, list)
}

fn run(folder: &Folder, options: &VerifyOptions<'_>, opened: &Opened, list: &mut Checklist) {
    list.record(StepId::Folder, folder.check_listing(&opened.manifest));
    opening::requester(opened, options, list);
    let attested = opening::documents(opened, options, list);
    time::check(folder, opened, attested, options, list);
    artifacts::check(folder, opened, options, list);
    key::check(folder, opened, options, list);
    contract::check(folder, opened, options, list);
    full::check(folder, opened, options, list);
    artifacts::derived(folder, opened, list);
}
