//! SIMULATED enclave on one machine.
fn main() {}
