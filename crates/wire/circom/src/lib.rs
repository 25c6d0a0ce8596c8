//! The pinned circom compiler as a WebAssembly module in a sandbox.
