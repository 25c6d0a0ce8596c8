//! What a caller demands of the measurements, and what everybody demands.

use crate::{
    error::AttestationError,
    payload::{ModuleId, PcrValue},
};
use sha2::{Digest, Sha384};
use std::collections::BTreeMap;

/// Expected PCRs. Debug mode is refused unless the caller says otherwise in so many words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PcrPolicy {
    expected: BTreeMap<u8, PcrValue>,
    debug_allowed: bool,
}

impl PcrPolicy {
    /// Demands no measurement: for looking at documents of unknown images. Still refuses debug mode.
    pub fn unpinned() -> Self {
        Self {
            expected: BTreeMap::new(),
            debug_allowed: false,
        }
    }

    /// Demands an image: PCR0 (image), PCR1 (kernel and boot ramdisk), PCR2 (application).
    pub fn image(pcr0: PcrValue, pcr1: PcrValue, pcr2: PcrValue) -> Self {
        Self::unpinned()
            .expecting(0, pcr0)
            .expecting(1, pcr1)
            .expecting(2, pcr2)
    }

    /// Demands one more register, for example PCR8 (signer of the image) or PCR3 (role of the host).
    #[must_use]
    pub fn expecting(mut self, index: u8, value: PcrValue) -> Self {
        self.expected.insert(index, value);
        self
    }

    /// Accepts debug mode: for looking only, never for a verdict about a ceremony.
    #[must_use]
    pub fn allowing_debug(mut self) -> Self {
        self.debug_allowed = true;
        self
    }

    /// The expected registers.
    pub fn expected(&self) -> &BTreeMap<u8, PcrValue> {
        &self.expected
    }

    /// Whether an image is demanded: PCR0, PCR1 and PCR2 are all given.
    pub fn pins_image(&self) -> bool {
        [0, 1, 2]
            .iter()
            .all(|index| self.expected.contains_key(index))
    }

    pub(crate) fn check(
        &self,
        module: &ModuleId,
        pcrs: &BTreeMap<u8, PcrValue>,
    ) -> Result<(), AttestationError> {
        if pcrs.get(&4) != Some(&instance_pcr(module.instance_id())) {
            return Err(AttestationError::Pcr4Mismatch);
        }
        if let (Some(index), false) = (debug_register(pcrs), self.debug_allowed) {
            return Err(AttestationError::DebugMode { index });
        }
        for (index, expected) in &self.expected {
            if pcrs.get(index) != Some(expected) {
                return Err(AttestationError::PcrMismatch {
                    index: *index,
                    expected: hex::encode(expected),
                    got: pcrs
                        .get(index)
                        .map_or_else(|| "absent".to_owned(), hex::encode),
                });
            }
        }
        Ok(())
    }
}

/// The first of PCR0, PCR1, PCR2 that is zero: all three are in debug mode. PCR3 is zero whenever
/// the host has no role, and PCR4 is set even in debug mode, so neither says anything.
pub(crate) fn debug_register(pcrs: &BTreeMap<u8, PcrValue>) -> Option<u8> {
    [0, 1, 2]
        .into_iter()
        .find(|index| pcrs.get(index).is_none_or(|value| *value == [0; 48]))
}

/// PCR4 of an enclave on this instance: SHA-384(48 zero bytes ‖ instance id).
pub fn instance_pcr(instance_id: &str) -> PcrValue {
    let mut hasher = Sha384::new();
    hasher.update([0_u8; 48]);
    hasher.update(instance_id.as_bytes());
    hasher.finalize().into()
}
