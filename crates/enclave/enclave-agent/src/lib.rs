//! The service inside the enclave: entropy, checks, contribution, attestation, beacon, seal.
//!
//! The machine in the crate `ceremony` decides what may happen; this crate does the work it asks for
//! and answers the host.
//!
//! * [`agent`]: [`Agent`], the state behind the RPCs, and how a piece of work is run.
//! * [`rpc`]: one handler per RPC.
//! * [`work`]: the work of each stage, one file each, on a blocking thread.
//! * [`store`]: artifacts by kind; [`backing`]: the large ones, whose bytes lie with the host;
//!   [`limits`]: what may come in.
//! * [`events`], [`progress`]: what the host may watch.
//! * [`selfcheck`]: what must hold before a ceremony is opened.
//! * [`nsm`]: the Nitro Security Module.
//! * [`serve`](fn@serve): the listening loop.
//! * [`init`]: the agent as the first process of the enclave.
//!
//! Memory does not grow with the circuit: every large file lies with the host and is read and written
//! in pieces.

pub mod agent;
pub mod backing;
mod clock;
mod convert;
pub mod error;
pub mod events;
pub mod init;
mod limits;
pub mod nsm;
mod progress;
mod rpc;
pub mod selfcheck;
mod serve;
pub mod store;
mod transfer;
mod work;

pub use agent::{Agent, AgentConfig};
pub use error::AgentError;
pub use serve::{ServeError, serve};
