//! The pinned circom compiler as a WebAssembly module in a sandbox.
//!
//! circom is a separate program under its own licence. It comes as `circom.wasm` from the npm
//! package `circom2` 0.2.23 (circom 2.2.3), is checked against [`MODULE_SHA256`] before it is
//! loaded, and runs under wasmtime with nothing but what [`Circom::compile`] hands it: the files
//! of one [`SourceBundle`](manifest::sources::SourceBundle) to read, two files to write. There is
//! no network, no environment, no file system, no real clock and no randomness to be had, and
//! memory, time and output are limited.
//!
//! [`sources`] is the requester's side: it collects the files a circuit includes into a bundle.

mod compiler;
mod diagnostics;
mod error;
mod limits;
mod sandbox;
pub mod sources;

pub use compiler::{Circom, CompileReport, MODULE_FILE, MODULE_SHA256, Outputs};
pub use diagnostics::Diagnostics;
pub use error::{CircomError, Output};
pub use limits::Limits;
pub use manifest::spec::{CircomOptions, Simplification};
pub use sources::CollectError;
