//! The pinned Solidity compiler as a WebAssembly module in a sandbox.
//!
//! - [`unpack`]: `solc.wasm` out of the npm package's `soljson.js`, both pinned by SHA-256.

pub mod unpack;
