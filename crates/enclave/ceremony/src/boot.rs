//! What is known when the agent has started, before anybody asked for anything.

use attestation::{Anchor, PcrPolicy};
use formats::digest::Sha256Digest;
use manifest::AgentMode;
use manifest::spec::{CircuitSpec, Spec};

use crate::error::CeremonyError;

/// The agent and the machine it runs on.
#[derive(Debug)]
pub struct Boot {
    /// Production or simulation; decided by which program was started.
    pub mode: AgentMode,
    /// Semantic version of the agent.
    pub agent_version: String,
    /// Every self-check that was made.
    pub self_checks: Vec<SelfCheck>,
    /// The compilers in this image.
    pub compilers: Compilers,
    /// Root that the enclave's own documents must chain to.
    pub anchor: Anchor,
    /// The measurements that the enclave's own documents must carry.
    pub pcrs: PcrPolicy,
}

/// SHA-256 of the WebAssembly modules that the agent runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compilers {
    /// circom.wasm.
    pub circom: Sha256Digest,
    /// solc.wasm.
    pub solc: Sha256Digest,
}

/// One self-check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfCheck {
    /// Stable name, for example `rng-current`; `[a-z0-9_.-]+`.
    pub name: &'static str,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What was seen, printable ASCII.
    pub seen: String,
}

/// How a self-check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOutcome {
    /// Made and passed.
    Passed,
    /// SIMULATION: the part that would be checked is simulated.
    Simulated,
    /// Made and failed: no ceremony is opened.
    Failed,
}

impl Boot {
    /// Judges whether this agent may run the ceremony that `spec` asks for.
    pub(crate) fn judge(&self, spec: &Spec) -> Result<(), CeremonyError> {
        self.judge_self_checks()?;
        if self.mode == AgentMode::Production && spec.is_simulation() {
            return Err(CeremonyError::SimulationAsked);
        }
        let expected = self.compilers.solc;
        let got = spec.compiler_solc;
        if got != expected {
            return Err(CeremonyError::Compiler {
                compiler: "solc",
                expected,
                got,
            });
        }
        if let CircuitSpec::Sources { compiler, .. } = &spec.circuit {
            let (expected, got) = (self.compilers.circom, *compiler);
            if got != expected {
                return Err(CeremonyError::Compiler {
                    compiler: "circom",
                    expected,
                    got,
                });
            }
        }
        Ok(())
    }

    fn judge_self_checks(&self) -> Result<(), CeremonyError> {
        for check in &self.self_checks {
            let bad = match check.outcome {
                CheckOutcome::Passed => false,
                CheckOutcome::Simulated => self.mode == AgentMode::Production,
                CheckOutcome::Failed => true,
            };
            if bad {
                return Err(CeremonyError::SelfCheck {
                    name: check.name,
                    seen: check.seen.clone(),
                });
            }
        }
        if self.self_checks.is_empty() {
            return Err(CeremonyError::NoSelfChecks);
        }
        Ok(())
    }
}
