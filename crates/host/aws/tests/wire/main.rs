//! Whole runs in the cloud, over the wire: the programs as they are released, with the SDKs in them, against emulators
//! of AWS on the loopback interface. SIMULATION: no machine is started, so the test does what a machine's user data
//! does, and a simulated enclave-agent stands in for the enclave.
//!
//! What the emulators do not model, so not shown here: that the machine boots and may do what its role says, nitro-cli,
//! the effect of deadlines and schedules, capacity.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod machine;
mod runs;
mod world;
