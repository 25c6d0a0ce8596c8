//! Documents that a module would never write, signed with a simulated chain.

use attestation::{
    Anchor, AttestationError, ModuleId, PcrPolicy, PcrValue, RawDocument, UnixMillis,
    VerifiedDocument,
};
use rcgen::{CertificateParams, KeyPair};
use simulation::{
    chain,
    document::{self, Entry, Fields, MapForm},
};
use std::collections::BTreeMap;

/// The time of every document here: 2026-09-21, 14:13:20 UTC.
pub const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

/// A simulated chain and its keys.
pub struct Forge {
    pub chain: Vec<Vec<u8>>,
    pub keys: Vec<KeyPair>,
}

impl Forge {
    /// The chain as the simulated module makes it.
    pub fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    /// A chain with changed certificate parameters.
    pub fn with_plan(edit: impl FnOnce(&mut Vec<CertificateParams>)) -> Self {
        Self::with(edit, |_| {})
    }

    /// A chain with changed parameters and keys.
    pub fn with(
        edit_plan: impl FnOnce(&mut Vec<CertificateParams>),
        edit_keys: impl FnOnce(&mut Vec<KeyPair>),
    ) -> Self {
        let mut plan = chain::plan(NOW);
        edit_plan(&mut plan);
        let mut keys = chain::fresh_keys(plan.len()).unwrap();
        edit_keys(&mut keys);
        let mut chain = vec![chain::self_sign(&plan[0], &keys[0]).unwrap()];
        chain.extend(chain::issue_below_root(&plan, &keys).unwrap());
        Self { chain, keys }
    }

    pub fn anchor(&self) -> Anchor {
        Anchor::Simulated(self.chain[0].clone())
    }

    /// What a genuine document of this chain says.
    pub fn fields(&self) -> Fields {
        let mut pcrs: BTreeMap<u8, PcrValue> =
            (0..16).map(|index| (index, [index + 1; 48])).collect();
        pcrs.insert(4, attestation::policy::instance_pcr("i-00000000000000000"));
        Fields {
            module_id: ModuleId::SIMULATED.to_owned(),
            timestamp: NOW.0,
            pcrs,
            chain: self.chain.clone(),
            public_key: None,
            user_data: Some(b"user data".to_vec()),
            nonce: Some(vec![9; 32]),
        }
    }

    /// A document with changed fields.
    pub fn document(&self, edit: impl FnOnce(&mut Fields)) -> Vec<u8> {
        let mut fields = self.fields();
        edit(&mut fields);
        self.sign(&document::payload(&fields.entries(), MapForm::Indefinite))
    }

    /// A document with changed entries of its map.
    pub fn document_of(&self, form: MapForm, edit: impl FnOnce(&mut Vec<Entry>)) -> Vec<u8> {
        let mut entries = self.fields().entries();
        edit(&mut entries);
        self.sign(&document::payload(&entries, form))
    }

    pub fn sign(&self, payload: &[u8]) -> Vec<u8> {
        document::sign(payload, self.keys.last().unwrap().serialized_der()).unwrap()
    }

    pub fn validate(&self, document: Vec<u8>) -> Result<VerifiedDocument, AttestationError> {
        RawDocument(document).validate(&self.anchor(), &PcrPolicy::unpinned())
    }
}
