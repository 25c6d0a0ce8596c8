//! The service inside the enclave: entropy, checks, contribution, attestation, beacon, seal.
