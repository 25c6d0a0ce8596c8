//! The enclave as Amazon's `nitro-cli` runs it.
//!
//! * [`NitroEnclave`]: started, looked at, ended.
//! * [`command`]: `nitro-cli` through its JSON.
//! * [`advice`]: what to do about each of its error codes.
//! * [`last_words`]: what the enclave says before it ends.
//! * [`reserve`]: huge pages and processors, first thing after boot.

pub mod advice;
pub mod command;
mod error;
pub mod last_words;
pub mod reserve;

use std::path::PathBuf;

use infra::host_config::{HostConfig, Pcrs};
use protocol::Transport;

use crate::report::Reporter;
use command::{Described, NitroCli};
pub use error::NitroError;

/// Where the agent in the enclave listens.
const PORT: u32 = 5005;
/// Context ids below belong to the hypervisor, the machine itself and the parent.
const FIRST_CID: u32 = 4;

/// Which enclave is wanted.
#[derive(Debug, Clone)]
pub struct NitroChoice {
    /// The `nitro-cli` program.
    pub program: PathBuf,
    /// The enclave image.
    pub image: PathBuf,
    /// Memory, MiB.
    pub memory_mib: u32,
    /// Processors.
    pub cpus: u32,
    /// What the image must measure.
    pub pcrs: Pcrs,
}

impl NitroChoice {
    /// The enclave that a machine's `host.json` asks for.
    pub fn of(config: &HostConfig, program: PathBuf, image: PathBuf) -> Self {
        Self {
            program,
            image,
            memory_mib: config.enclave_memory_mib,
            cpus: config.enclave_cpus,
            pcrs: config.pcrs,
        }
    }
}

/// A running enclave. It is ended by [`stop`](Self::stop), or else when this value is dropped, and with the machine.
#[derive(Debug)]
pub struct NitroEnclave {
    cli: NitroCli,
    id: String,
    transport: Transport,
    ended: bool,
}

impl NitroEnclave {
    /// Starts the enclave and looks at what runs: not in debug mode, and with the measurements that are wanted. (What `nitro-cli` says
    /// proves nothing to anyone; it finds a mistake before hours are spent. The proof is the attestation.)
    pub async fn start(choice: &NitroChoice, reporter: &Reporter) -> Result<Self, NitroError> {
        let cli = NitroCli::new(choice.program.clone(), choice.memory_mib);
        // One machine, one ceremony: what runs here already was left behind.
        for old in cli.describe_enclaves().await? {
            reporter.note(format!(
                "ending the enclave {} that was left behind",
                old.id
            ));
            cli.terminate_enclave(&old.id).await?;
        }
        reporter.note(format!(
            "starting an enclave of {} MiB and {} processors",
            choice.memory_mib, choice.cpus
        ));
        let started = cli
            .run_enclave(&choice.image, choice.cpus, choice.memory_mib)
            .await?;
        let looked = async {
            let all = cli.describe_enclaves().await?;
            let described = all
                .iter()
                .find(|enclave| enclave.id == started.id)
                .ok_or_else(|| NitroError::Gone {
                    id: started.id.clone(),
                })?;
            judge(described, choice)?;
            if started.cid < FIRST_CID || described.cid != started.cid {
                return Err(NitroError::Answer {
                    call: "describe-enclaves",
                    problem: "another EnclaveCID than run-enclave said",
                });
            }
            Ok::<(), NitroError>(())
        };
        if let Err(error) = looked.await {
            if let Err(other) = cli.terminate_enclave(&started.id).await {
                tracing::warn!("{} is not ended: {other}", started.id);
            }
            return Err(error);
        }
        reporter.note(format!("enclave {} runs, measured as expected", started.id));
        Ok(Self {
            cli,
            id: started.id,
            transport: Transport::Vsock {
                cid: started.cid,
                port: PORT,
            },
            ended: false,
        })
    }

    /// Where its agent listens.
    pub fn transport(&self) -> Transport {
        self.transport.clone()
    }

    /// Ends it. A failure is only logged: the machine ends soon, and the enclave with it.
    pub async fn stop(mut self) {
        self.ended = true;
        if let Err(error) = self.cli.terminate_enclave(&self.id).await {
            tracing::warn!("{} is not ended: {error}", self.id);
        }
    }
}

impl Drop for NitroEnclave {
    /// A run that was stopped drops its enclave wherever it stands.
    fn drop(&mut self) {
        if !self.ended {
            self.cli.begin_to_terminate(&self.id);
        }
    }
}

/// Whether the enclave that runs is the one that is wanted.
fn judge(described: &Described, choice: &NitroChoice) -> Result<(), NitroError> {
    if described.flags != "NONE" {
        return Err(NitroError::Debug {
            flags: described.flags.clone(),
        });
    }
    if described.state != "RUNNING" {
        return Err(NitroError::State {
            state: described.state.clone(),
        });
    }
    for (index, (expected, got)) in choice.pcrs.iter().zip(&described.pcrs).enumerate() {
        if expected != got {
            return Err(NitroError::Pcr {
                index,
                expected: hex::encode(expected),
                got: hex::encode(got),
            });
        }
    }
    Ok(())
}
