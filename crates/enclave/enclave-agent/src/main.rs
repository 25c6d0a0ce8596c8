//! The `enclave-agent` program: the real security module, vsock only, the AWS root, published ptau
//! files and drand only. There is no option that weakens any of it; the simulated agent is another
//! program.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use attestation::{Anchor, PcrPolicy};
use enclave_agent::nsm::NitroSecurityModule;
use enclave_agent::{Agent, AgentConfig, selfcheck, serve};
use manifest::AgentMode;
use protocol::Transport;

/// Context id of the instance that started the enclave.
const PARENT_CID: u32 = 3;
const PORT: u32 = 5005;
const MODULES: &str = "/modules";
const WORK: &str = "/run/ceremony";

/// Why the agent could not start.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("the agent takes no arguments: what it does is measured, not configured")]
    Arguments,
    #[error(transparent)]
    SecurityModule(#[from] attestation::NsmError),
    #[error("work folder {WORK}")]
    Work(#[source] std::io::Error),
    #[error("runtime")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Serve(#[from] enclave_agent::ServeError),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), StartError> {
    if std::env::args_os().len() > 1 {
        return Err(StartError::Arguments);
    }
    let security = NitroSecurityModule::open()?;
    let modules = PathBuf::from(MODULES);
    let config = AgentConfig {
        mode: AgentMode::Production,
        self_checks: selfcheck::production(&security, &modules),
        modules,
        work: WORK.into(),
        anchor: Anchor::AwsNitroG1,
        pcrs: PcrPolicy::unpinned(),
        compiler_limits: circom::Limits::default(),
    };
    let agent = Agent::new(config, Arc::new(security)).map_err(StartError::Work)?;
    let transport = Transport::Vsock {
        cid: PARENT_CID,
        port: PORT,
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?
        .block_on(serve(agent, &transport, std::future::pending()))?;
    Ok(())
}

#[expect(
    clippy::print_stderr,
    reason = "the console of a program that cannot start"
)]
fn report(error: &dyn std::error::Error) {
    eprint!("error: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        eprint!(": {inner}");
        cause = inner.source();
    }
    eprintln!();
}
