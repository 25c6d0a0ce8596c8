//! The pinned Solidity compiler as a WebAssembly module in a sandbox.
