//! The service on the untrusted host: inputs, initial key, enclave start, feeding, relay.
//!
//! * [`story`]: a run from its first step to its last.
//! * [`job`]: what is asked for; [`preflight`]: the circuit compiled on the host, to size everything.
//! * [`ptau`]: powers of tau from a file, a folder, a URL, or made here for development.
//! * [`initial_key`][]: 0000.zkey.
//! * [`enclave_process`], [`nitro`], [`session`]: the enclave-agent as a process or in a Nitro Enclave, and the conversation with it.
//! * [`backing`]: the enclave's large files, kept on this host's disk.
//! * [`beacon`], [`relay`]: waiting for the round, asking relays.
//! * [`ship`]: artifacts into the run store; [`upload`]: the store written with retries, and read back.
//! * [`store`]: the run store that was named.
//! * [`report`]: the run's status log; [`watch`]: control records, the deadline, heartbeats.
//! * [`observe`]: metrics and the log of JSON lines.
//! * [`cli`]: what can be typed.

pub mod backing;
pub mod beacon;
pub mod cli;
pub mod enclave_process;
mod error;
pub mod initial_key;
pub mod job;
pub mod nitro;
pub mod observe;
pub mod preflight;
pub mod ptau;
pub mod relay;
pub mod report;
pub mod session;
pub mod ship;
pub mod store;
pub mod story;
pub mod upload;
pub mod watch;

pub use error::{AgentError, Failed, Phase};
