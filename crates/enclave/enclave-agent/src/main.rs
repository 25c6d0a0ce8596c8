//! The `enclave-agent` program: the first process of the enclave, with the real security module, vsock
//! only, the AWS root, published ptau files and drand only. There is no option that weakens any of
//! it; the simulated and the emulated agent are other programs.

use std::process::ExitCode;
use std::sync::Arc;

use attestation::Anchor;
use enclave_agent::init::{self, Identity};
use manifest::AgentMode;

fn main() -> ExitCode {
    init::main(|security| {
        Ok(Identity {
            mode: AgentMode::Production,
            anchor: Anchor::AwsNitroG1,
            security: Arc::new(security),
        })
    })
}
