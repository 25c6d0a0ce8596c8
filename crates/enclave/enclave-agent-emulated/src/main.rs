//! DEVELOPMENT agent for an emulated enclave: the production agent's start, checks and service, with
//! documents that are signed by a SIMULATED chain.
//!
//! An emulator's security module measures the image, locks the registers and gives random bytes as
//! the real one does; what it cannot do is sign. This program takes all of that from the device and lets
//! the crate `simulation` write the documents, with a root made anew at each start. Its mode is
//! `simulation`, so its bundles hold under `--trust simulation` only and say so; its image has other PCRs
//! than the production image, which has no code for this.

use std::process::ExitCode;
use std::sync::Arc;

use attestation::{ModuleDescription, NsmError, PcrState, SecurityModule};
use enclave_agent::init::{self, Identity};
use enclave_agent::nsm::NitroSecurityModule;
use manifest::AgentMode;
use simulation::{SimulatedNsm, SystemClock};

fn main() -> ExitCode {
    init::main(|device| {
        let mut pcrs = [[0; 48]; 3];
        for (index, value) in (0_u8..).zip(&mut pcrs) {
            *value = device.describe_pcr(index)?.value;
        }
        let signer = SimulatedNsm::new(pcrs, SystemClock)?;
        Ok(Identity {
            mode: AgentMode::Simulation,
            anchor: signer.anchor(),
            security: Arc::new(Emulated { device, signer }),
        })
    })
}

/// The emulated device for everything but signatures.
struct Emulated {
    device: NitroSecurityModule,
    signer: SimulatedNsm,
}

impl SecurityModule for Emulated {
    fn attest(
        &self,
        nonce: Option<&[u8]>,
        user_data: Option<&[u8]>,
        public_key: Option<&[u8]>,
    ) -> Result<Vec<u8>, NsmError> {
        self.signer.attest(nonce, user_data, public_key)
    }

    fn random(&self) -> Result<[u8; 256], NsmError> {
        self.device.random()
    }

    fn describe(&self) -> Result<ModuleDescription, NsmError> {
        Ok(ModuleDescription {
            simulated: true,
            ..self.device.describe()?
        })
    }

    fn describe_pcr(&self, index: u8) -> Result<PcrState, NsmError> {
        self.device.describe_pcr(index)
    }
}
