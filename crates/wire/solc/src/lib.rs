//! The pinned Solidity compiler as a WebAssembly module in a sandbox.
//!
//! The compiler is the one of the npm package `solc`, taken out of its JavaScript and run by a
//! small host of our own: no Node, no files, no clock, no environment, no network. What it gives
//! is a function of its input alone, the same as under Node.
//!
//! - [`Solc`]: loads the module and compiles the verifier contract.
//! - [`CompiledContract`]: creation code and runtime code.
//! - [`Limits`]: memory and time of one compilation.
//! - [`unpack`]: `solc.wasm` out of the npm package's `soljson.js`, both pinned by SHA-256.

mod compiler;
mod contract;
mod error;
mod host;
mod limits;
pub mod unpack;

pub use compiler::{MODULE_FILE, Solc};
pub use contract::CompiledContract;
pub use error::SolcError;
pub use limits::Limits;
