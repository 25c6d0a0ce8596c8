//! The ceremony as a machine of typed stages, without I/O.
//!
//! It decides; the agent around it does the work and hands in what it found. Read in this order:
//!
//! * [`stages`]: one struct per stage, holding exactly what is true there, evidence included, and
//!   the one way onward from each. This is the story of a ceremony.
//! * [`machine`]: [`Ceremony`], the enum over them; [`Ceremony::advance`] takes a [`Command`] and
//!   refuses one that belongs to another stage without moving.
//! * [`boot`], [`circuit`], [`phase1`], [`initial`]: what is checked here rather than in the evidence crates.
//! * [`outputs`]: from the finished key to the manifest.
//!
//! A refusal that the host can mend (a relay's bad beacon, incomplete certificates) leaves the
//! stage as it was. A wrong input, or a failure of the enclave's own, ends the ceremony:
//! [`Failed`] is terminal and keeps its reason.

pub mod boot;
pub mod circuit;
pub mod command;
mod error;
mod failed;
pub mod initial;
pub mod machine;
pub mod outputs;
pub mod phase1;
mod receipts;
pub mod stages;

pub use boot::{Boot, CheckOutcome, Compilers, SelfCheck};
pub use circuit::{CircuitCompiled, CompiledCircuit};
pub use command::{Command, CommandKind};
pub use error::CeremonyError;
pub use failed::Failed;
pub use initial::{InitialKey, InitialVerified};
pub use machine::{Ceremony, Stage, Step};
pub use outputs::FinalKey;
pub use phase1::{Phase1File, Phase1Pinned};
