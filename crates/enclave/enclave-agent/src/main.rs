//! The `enclave-agent` program.
fn main() {}
