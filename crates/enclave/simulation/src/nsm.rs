use crate::{
    chain,
    clock::Clock,
    document::{self, Fields, MapForm},
};
use attestation::{
    Anchor, ModuleDescription, ModuleId, NsmError, PcrState, PcrValue, SecurityModule, UnixMillis,
    nsm::{MAX_PUBLIC_KEY, MAX_USER_DATA},
    policy::instance_pcr,
};
use rcgen::KeyPair;
use sha2::{Digest, Sha384};
use std::{collections::BTreeMap, sync::Mutex};

/// Registers a simulated module has, as real ones.
const REGISTERS: u8 = 16;

/// SIMULATED security module: a fresh root for each value, kept in memory only.
pub struct SimulatedNsm {
    clock: Box<dyn Clock>,
    pcrs: BTreeMap<u8, PcrValue>,
    form: MapForm,
    keys: Vec<KeyPair>,
    root: Vec<u8>,
    issued: Mutex<Issued>,
}

/// Certificates below the root; made anew when the leaf expires, as on real hardware.
struct Issued {
    at: UnixMillis,
    below_root: Vec<Vec<u8>>,
}

/// Why there is no simulated module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// Making keys or certificates failed.
    #[error("SIMULATED certificate chain could not be made")]
    Chain(#[from] rcgen::Error),
}

impl SimulationError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Chain(_) => "simulation_chain",
        }
    }
}

impl SimulatedNsm {
    /// A module whose PCR0, PCR1 and PCR2 are given; zeros play an enclave in debug mode.
    ///
    /// # Errors
    /// [`SimulationError`].
    pub fn new(image: [PcrValue; 3], clock: impl Clock + 'static) -> Result<Self, SimulationError> {
        let now = clock.now();
        let plan = chain::plan(now);
        let keys = chain::fresh_keys(plan.len())?;
        let root = match (plan.first(), keys.first()) {
            (Some(params), Some(key)) => chain::self_sign(params, key)?,
            _ => Vec::new(),
        };
        let below_root = chain::issue_below_root(&plan, &keys)?;
        let mut pcrs: BTreeMap<u8, PcrValue> =
            (0..REGISTERS).map(|index| (index, [0; 48])).collect();
        pcrs.extend((0..3).zip(image));
        pcrs.insert(4, instance_pcr("i-00000000000000000"));
        Ok(Self {
            clock: Box::new(clock),
            pcrs,
            form: MapForm::default(),
            keys,
            root,
            issued: Mutex::new(Issued {
                at: now,
                below_root,
            }),
        })
    }

    /// Writes the map in this form from now on.
    #[must_use]
    pub fn with_map_form(mut self, form: MapForm) -> Self {
        self.form = form;
        self
    }

    /// DER of the root: what a verifier must be given, and what a bundle's maker writes beside it.
    pub fn root_der(&self) -> &[u8] {
        &self.root
    }

    /// The anchor of this module's documents.
    pub fn anchor(&self) -> Anchor {
        Anchor::Simulated(self.root.clone())
    }

    /// The fields of a document made now.
    ///
    /// # Errors
    /// A new leaf can not be issued.
    pub fn fields(
        &self,
        nonce: Option<&[u8]>,
        user_data: Option<&[u8]>,
        public_key: Option<&[u8]>,
    ) -> Result<Fields, NsmError> {
        let now = self.clock.now();
        let mut chain = vec![self.root.clone()];
        chain.extend(self.below_root(now)?);
        Ok(Fields {
            module_id: ModuleId::SIMULATED.to_owned(),
            timestamp: now.0,
            pcrs: self.pcrs.clone(),
            chain,
            public_key: public_key.map(<[u8]>::to_vec),
            user_data: user_data.map(<[u8]>::to_vec),
            nonce: nonce.map(<[u8]>::to_vec),
        })
    }

    /// Signs any payload with the leaf's key: how tests make documents that a module never writes.
    ///
    /// # Errors
    /// The payload is longer than an envelope can say.
    pub fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, NsmError> {
        self.keys
            .last()
            .and_then(|key| document::sign(payload, key.serialized_der()))
            .ok_or(NsmError::Simulation { reason: "signing" })
    }

    fn below_root(&self, now: UnixMillis) -> Result<Vec<Vec<u8>>, NsmError> {
        let failed = |reason| NsmError::Simulation { reason };
        let mut issued = self.issued.lock().map_err(|_| failed("poisoned lock"))?;
        let age_ms = now.0.saturating_sub(issued.at.0);
        if age_ms >= chain::LEAF_LIFE_S.saturating_mul(1000) || now < issued.at {
            // The root keeps its bytes; what it signs is new.
            issued.below_root = chain::issue_below_root(&chain::plan(now), &self.keys)
                .map_err(|_| failed("issuing"))?;
            issued.at = now;
        }
        Ok(issued.below_root.clone())
    }
}

impl SecurityModule for SimulatedNsm {
    fn attest(
        &self,
        nonce: Option<&[u8]>,
        user_data: Option<&[u8]>,
        public_key: Option<&[u8]>,
    ) -> Result<Vec<u8>, NsmError> {
        limit("nonce", nonce, MAX_USER_DATA)?;
        limit("user_data", user_data, MAX_USER_DATA)?;
        limit("public_key", public_key, MAX_PUBLIC_KEY)?;
        let fields = self.fields(nonce, user_data, public_key)?;
        self.sign(&document::payload(&fields.entries(), self.form))
    }

    fn random(&self) -> Result<[u8; 256], NsmError> {
        let mut bytes = [0_u8; 256];
        getrandom::fill(&mut bytes).map_err(|_| NsmError::Simulation {
            reason: "randomness",
        })?;
        Ok(bytes)
    }

    fn describe(&self) -> Result<ModuleDescription, NsmError> {
        Ok(ModuleDescription {
            module_id: ModuleId::SIMULATED.to_owned(),
            simulated: true,
            version: (1, 0, 0),
            max_pcrs: 32,
            locked_pcrs: (0..u16::from(REGISTERS)).collect(),
            digest: "SHA384".to_owned(),
        })
    }

    fn describe_pcr(&self, index: u8) -> Result<PcrState, NsmError> {
        self.pcrs
            .get(&index)
            .map(|value| PcrState {
                locked: true,
                value: *value,
            })
            .ok_or(NsmError::NoSuchPcr { index })
    }
}

fn limit(field: &'static str, value: Option<&[u8]>, max: usize) -> Result<(), NsmError> {
    match value.map_or(0, <[u8]>::len) {
        got if got > max => Err(NsmError::TooLong { field, max, got }),
        _ => Ok(()),
    }
}

/// SIMULATED measurements of a program that runs outside any enclave, from the SHA-384 of its file.
/// Extended like real registers, and marked so that they equal no image's.
pub fn measured_image(program_sha384: &[u8; 48]) -> [PcrValue; 3] {
    let extend = |name: &str| {
        let mut hasher = Sha384::new();
        hasher.update([0_u8; 48]);
        hasher.update(b"SIMULATED - NOT AWS ");
        hasher.update(name.as_bytes());
        hasher.update(program_sha384);
        hasher.finalize().into()
    };
    [extend("pcr0"), extend("pcr1"), extend("pcr2")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;
    use attestation::{AttestationError, PcrPolicy, RawDocument};
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

    fn module() -> SimulatedNsm {
        SimulatedNsm::new(measured_image(&[7; 48]), FixedClock(NOW)).unwrap()
    }

    #[test]
    fn its_documents_verify_in_both_map_forms() {
        for form in [MapForm::Indefinite, MapForm::Definite] {
            let module = module().with_map_form(form);
            let bytes = module.attest(Some(&[1; 32]), Some(b"data"), None).unwrap();
            let document = RawDocument(bytes)
                .validate(&module.anchor(), &PcrPolicy::unpinned())
                .unwrap();
            assert_eq!(document.time(), NOW);
            assert_eq!(document.nonce(), Some([1; 32].as_slice()));
            assert_eq!(document.user_data(), Some(b"data".as_slice()));
            assert_eq!(document.public_key(), None);
            assert!(document.module_id().is_simulated());
            assert!(!document.is_debug());
        }
    }

    #[test]
    fn each_module_has_a_root_of_its_own() {
        let (one, other) = (module(), module());
        let document = RawDocument(one.attest(None, None, None).unwrap());
        assert!(matches!(
            document.validate(&other.anchor(), &PcrPolicy::unpinned()),
            Err(AttestationError::NotThePinnedRoot { .. })
        ));
    }

    #[test]
    fn limits_of_a_request_are_those_of_the_device() {
        let module = module();
        let long = [0; 1025];
        module
            .attest(Some(&long[..512]), Some(&long[..512]), Some(&long[..1024]))
            .unwrap();
        let too_long = |field, max| {
            Err(NsmError::TooLong {
                field,
                max,
                got: max + 1,
            })
        };
        assert_eq!(
            module.attest(Some(&long[..513]), None, None),
            too_long("nonce", 512)
        );
        assert_eq!(
            module.attest(None, Some(&long[..513]), None),
            too_long("user_data", 512)
        );
        assert_eq!(
            module.attest(None, None, Some(&long)),
            too_long("public_key", 1024)
        );
    }

    #[test]
    fn a_long_ceremony_gets_new_certificates_under_the_same_root() {
        struct Moving(Arc<AtomicU64>);
        impl Clock for Moving {
            fn now(&self) -> UnixMillis {
                UnixMillis(self.0.load(Ordering::Relaxed))
            }
        }
        let time = Arc::new(AtomicU64::new(NOW.0));
        let module = SimulatedNsm::new(measured_image(&[7; 48]), Moving(time.clone())).unwrap();
        let chain = || {
            let document = RawDocument(module.attest(None, None, None).unwrap());
            let document = document
                .validate(&module.anchor(), &PcrPolicy::unpinned())
                .unwrap();
            document.chain().to_vec()
        };
        let first = chain();
        time.store(NOW.0 + 2 * 3_600_000, Ordering::Relaxed);
        assert_eq!(chain(), first);
        time.store(NOW.0 + 4 * 3_600_000, Ordering::Relaxed);
        let later = chain();
        assert_eq!(later[0], first[0]);
        assert_ne!(later[4], first[4]);
    }

    #[test]
    fn it_says_that_it_is_simulated() {
        let module = module();
        assert!(module.describe().unwrap().simulated);
        let root = String::from_utf8_lossy(module.root_der()).into_owned();
        assert!(root.contains(chain::ORGANISATION));
        assert_ne!(module.random().unwrap(), module.random().unwrap());
        assert_eq!(
            module.describe_pcr(16),
            Err(NsmError::NoSuchPcr { index: 16 })
        );
    }
}
