//! What must hold before a ceremony is opened. A check that fails keeps it closed; a check that
//! could not be made has failed.

mod machine;

use std::fs;
use std::path::Path;

use attestation::nsm::SecurityModule;
use ceremony::{CheckOutcome, SelfCheck};
use manifest::AgentMode;
use sha2::{Digest, Sha256};
use solc::unpack::SOLC_WASM_SHA256;

pub use machine::Machine;

const RNG_CURRENT: &str = "sys/class/misc/hw_random/rng_current";
const NSM_RNG: &str = "nsm-hwrng";
const SOLC_FILE: &str = "solc.wasm";

/// The checks of an enclave's agent. A development image makes the same ones and shows where an
/// emulator cannot be what an enclave is.
pub fn enclave(
    mode: AgentMode,
    security: &dyn SecurityModule,
    modules: &Path,
    machine: &Machine,
) -> Vec<SelfCheck> {
    let mut checks = vec![
        rng_current(&machine.read(RNG_CURRENT)),
        not_debug(security),
        nsm_random(security),
        core_limit(&machine.read("proc/self/limits")),
        no_swap(&machine.read("proc/meminfo")),
    ];
    checks.extend(machine::all(
        machine,
        security,
        mode == AgentMode::Simulation,
    ));
    checks.extend(compilers(modules));
    checks
}

/// SIMULATED: the same list; what only an enclave can have is marked as simulated, the modules are
/// really checked.
pub fn simulation(security: &dyn SecurityModule, modules: &Path) -> Vec<SelfCheck> {
    let simulated = |name| SelfCheck {
        name,
        outcome: CheckOutcome::Simulated,
        seen: "not an enclave".to_owned(),
    };
    let mut checks = vec![
        simulated("rng-current"),
        simulated("not-debug"),
        nsm_random(security),
        simulated("core-limit"),
        simulated("no-swap"),
    ];
    checks.extend(machine::NAMES.map(simulated));
    checks.extend(compilers(modules));
    checks
}

/// The modules are the pinned ones.
fn compilers(modules: &Path) -> [SelfCheck; 2] {
    [
        module(
            "module-circom",
            modules,
            circom::MODULE_FILE,
            circom::MODULE_SHA256,
        ),
        module(
            "module-solc",
            modules,
            SOLC_FILE,
            &hex::encode(SOLC_WASM_SHA256),
        ),
    ]
}

/// the kernel's random number generator is fed by the security module, not by a weak device.
fn rng_current(seen: &str) -> SelfCheck {
    judged("rng-current", seen.trim() == NSM_RNG, seen.trim())
}

/// PCR0 to PCR2 are not zero. They are in debug mode, where the console can be read.
fn not_debug(security: &dyn SecurityModule) -> SelfCheck {
    let name = "not-debug";
    for index in 0..3 {
        match security.describe_pcr(index) {
            Ok(state) if state.value != [0; 48] => {}
            Ok(_) => return judged(name, false, &format!("PCR{index} is zero")),
            Err(error) => return judged(name, false, &format!("PCR{index}: {error}")),
        }
    }
    judged(name, true, "PCR0, PCR1 and PCR2 are set")
}

/// the security module answers with random bytes that differ from draw to draw.
fn nsm_random(security: &dyn SecurityModule) -> SelfCheck {
    let name = "nsm-random";
    match (security.random(), security.random()) {
        (Ok(first), Ok(second)) => judged(name, first != second, "two draws were made"),
        (Err(error), _) | (_, Err(error)) => judged(name, false, &error.to_string()),
    }
}

/// no core dump can hold the secret.
fn core_limit(limits: &str) -> SelfCheck {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    let zero = matches!(words.as_slice(), ["0", "0", ..]);
    judged("core-limit", zero, &words.join(" "))
}

/// no swap can hold the secret. A kernel without swap has no list of it, but says how much there is.
fn no_swap(meminfo: &str) -> SelfCheck {
    let total = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("SwapTotal:"))
        .map_or("unknown", str::trim);
    judged("no-swap", total == "0 kB", total)
}

/// a compiler module is the pinned one; another would make another circuit or contract.
fn module(name: &'static str, folder: &Path, file: &str, pinned: &str) -> SelfCheck {
    match fs::read(folder.join(file)) {
        Ok(bytes) => {
            let digest = hex::encode(Sha256::digest(&bytes));
            judged(name, digest == pinned, &format!("sha256:{digest}"))
        }
        Err(error) => judged(name, false, &format!("{file}: {}", error.kind())),
    }
}

fn judged(name: &'static str, passed: bool, seen: &str) -> SelfCheck {
    let outcome = if passed {
        CheckOutcome::Passed
    } else {
        CheckOutcome::Failed
    };
    SelfCheck {
        name,
        outcome,
        seen: printable(seen),
    }
}

/// What was seen as the manifest can hold it: printable ASCII, not empty, no space at its ends.
fn printable(seen: &str) -> String {
    let text: String = seen
        .chars()
        .map(|c| {
            if c == ' ' || c.is_ascii_graphic() {
                c
            } else {
                '?'
            }
        })
        .take(200)
        .collect();
    match text.trim() {
        "" => "nothing".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

#[cfg(test)]
mod whole;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use attestation::{ModuleDescription, NsmError, PcrState};
    use std::collections::BTreeSet;

    /// A security module that answers as it is told.
    pub(crate) struct Module {
        pub(crate) locked: BTreeSet<u16>,
        pub(crate) digest: &'static str,
        pub(crate) pcr: [u8; 48],
        /// Each draw is filled with the next byte, or with the same one.
        pub(crate) stuck: bool,
        draws: std::sync::atomic::AtomicU8,
    }

    impl Module {
        pub(crate) fn good() -> Self {
            Self {
                locked: (0..16).collect(),
                digest: "SHA384",
                pcr: [1; 48],
                stuck: false,
                draws: 0.into(),
            }
        }
    }

    impl SecurityModule for Module {
        fn attest(
            &self,
            _: Option<&[u8]>,
            _: Option<&[u8]>,
            _: Option<&[u8]>,
        ) -> Result<Vec<u8>, NsmError> {
            Err(NsmError::UnexpectedAnswer {
                request: "Attestation",
            })
        }

        fn random(&self) -> Result<[u8; 256], NsmError> {
            let next = self
                .draws
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok([if self.stuck { 0 } else { next }; 256])
        }

        fn describe(&self) -> Result<ModuleDescription, NsmError> {
            Ok(ModuleDescription {
                module_id: "i-0-enc0".into(),
                simulated: false,
                version: (1, 0, 0),
                max_pcrs: 32,
                locked_pcrs: self.locked.iter().copied().collect(),
                digest: self.digest.into(),
            })
        }

        fn describe_pcr(&self, index: u8) -> Result<PcrState, NsmError> {
            let value = if index == 1 { self.pcr } else { [1; 48] };
            Ok(PcrState {
                locked: true,
                value,
            })
        }
    }

    #[test]
    fn r2_a_stuck_generator_and_debug_mode_fail() {
        assert_eq!(nsm_random(&Module::good()).outcome, CheckOutcome::Passed);
        let mut stuck = Module::good();
        stuck.stuck = true;
        assert_eq!(nsm_random(&stuck).outcome, CheckOutcome::Failed);
        assert_eq!(not_debug(&Module::good()).outcome, CheckOutcome::Passed);
        let mut debug = Module::good();
        debug.pcr = [0; 48];
        let check = not_debug(&debug);
        assert_eq!(check.outcome, CheckOutcome::Failed);
        assert_eq!(check.seen, "PCR1 is zero");
    }

    #[test]
    fn only_the_nsm_s_generator_passes() {
        assert_eq!(rng_current("nsm-hwrng\n").outcome, CheckOutcome::Passed);
        for other in ["", "none\n", "virtio_rng.0\n", "nsm-hwrng2\n"] {
            assert_eq!(
                rng_current(other).outcome,
                CheckOutcome::Failed,
                "{other:?}"
            );
        }
    }

    #[test]
    fn only_a_core_limit_of_zero_passes() {
        let line = |soft, hard| format!("Max core file size        {soft}   {hard}   bytes\n");
        assert_eq!(core_limit(&line("0", "0")).outcome, CheckOutcome::Passed);
        for (soft, hard) in [("0", "unlimited"), ("unlimited", "unlimited"), ("1", "1")] {
            assert_eq!(core_limit(&line(soft, hard)).outcome, CheckOutcome::Failed);
        }
        assert_eq!(core_limit("").outcome, CheckOutcome::Failed);
    }

    #[test]
    fn r23_swap_or_not_knowing_fails() {
        let judge = |text: &str| no_swap(text).outcome;
        assert_eq!(
            judge("MemFree: 1 kB\nSwapTotal:             0 kB\n"),
            CheckOutcome::Passed
        );
        assert_eq!(judge("SwapTotal:         4 kB\n"), CheckOutcome::Failed);
        assert_eq!(judge("/proc/meminfo: x"), CheckOutcome::Failed);
    }

    #[test]
    fn a_changed_module_fails() {
        let folder = tempfile::tempdir().unwrap();
        let pinned = hex::encode(Sha256::digest(b"module"));
        let check = || module("m", folder.path(), "m.wasm", &pinned).outcome;
        assert_eq!(check(), CheckOutcome::Failed);
        std::fs::write(folder.path().join("m.wasm"), b"module").unwrap();
        assert_eq!(check(), CheckOutcome::Passed);
        std::fs::write(folder.path().join("m.wasm"), b"modulf").unwrap();
        assert_eq!(check(), CheckOutcome::Failed);
    }

    #[test]
    fn what_was_seen_is_one_line_of_ascii() {
        assert_eq!(printable("\n\u{1b}x é "), "??x ?");
        assert_eq!(printable("  "), "nothing");
    }
}
