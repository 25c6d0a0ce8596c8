//! One struct per stage, holding exactly what is true there. A stage is left by consuming it.
//!
//! ```text
//! Booted ─ spec ─▶ Opened ─ circuit ─▶ Compiled ─ ptau ─▶ Phase1Ready ─ 0000.zkey ─▶ InitialReady
//!   ─ 0001.zkey ─▶ Contributed ─ document 1 ─▶ Committed ─ certificates ─▶ RoundAssigned
//!   ─ drand round, final.zkey ─▶ Finalized ─ document 2 ─▶ Sealed
//! ```

use attestation::{ContributionAttested, ManifestAttested, RawDocument, VerifiedDocument};
use drand::{BeaconMatchesRound, DrandError, RawBeacon, Round, round_for, round_time_ms};
use formats::digest::Sha256Digest;
use manifest::receipt::{ReceiptError, Records};
use manifest::spec::CeremonyId;
use manifest::{ArtifactKind, ArtifactRecord, Manifest, ReceiptChain, ReceiptStage, Spec};

use crate::boot::Boot;
use crate::circuit::{CircuitCompiled, CompiledCircuit};
use crate::command::{AttestationDocument, Contribution};
use crate::error::CeremonyError;
use crate::initial::{self, InitialKey};
use crate::outputs::{self, FinalKey};
use crate::phase1::{Phase1File, Phase1Pinned};
use crate::receipts::Receipts;

/// A stage that was not left, and why.
#[derive(Debug)]
pub struct Refused<S> {
    /// The stage as it was.
    pub stage: S,
    /// Why.
    pub error: CeremonyError,
}

type Next<From, To> = Result<To, Box<Refused<From>>>;

/// Runs `judge`, then `onward` with its result; gives the stage back when it is refused.
fn step<S, E, T>(
    stage: S,
    judge: impl FnOnce(&S) -> Result<E, CeremonyError>,
    onward: impl FnOnce(S, E) -> T,
) -> Next<S, T> {
    match judge(&stage) {
        Ok(evidence) => Ok(onward(stage, evidence)),
        Err(error) => Err(Box::new(Refused { stage, error })),
    }
}

/// The agent runs; nothing was asked of it.
#[derive(Debug)]
pub struct Booted {
    boot: Boot,
}

impl Booted {
    pub(crate) fn new(boot: Boot) -> Self {
        Self { boot }
    }

    /// The agent.
    pub fn boot(&self) -> &Boot {
        &self.boot
    }

    /// Fixes the spec; its digest is the ceremony id from here on.
    pub fn open(self, spec: Spec) -> Next<Self, Opened> {
        step(
            self,
            |stage| {
                stage.boot.judge(&spec)?;
                let receipts = Receipts::first(&spec)?;
                Ok((spec, receipts))
            },
            |stage, (spec, receipts)| Opened {
                boot: stage.boot,
                spec,
                receipts,
            },
        )
    }
}

/// The spec is fixed.
#[derive(Debug)]
pub struct Opened {
    boot: Boot,
    spec: Spec,
    receipts: Receipts,
}

impl Opened {
    /// The agent.
    pub fn boot(&self) -> &Boot {
        &self.boot
    }

    /// What the requester asked for.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// SHA-256 of the spec.
    pub fn id(&self) -> CeremonyId {
        self.spec.id()
    }

    /// The receipts of the stages so far.
    pub fn receipts(&self) -> &ReceiptChain {
        &self.receipts.chain
    }

    /// The text of the last receipt.
    pub fn last_receipt(&self) -> &[u8] {
        &self.receipts.last
    }

    /// The chain with one more receipt.
    fn receipt(
        &self,
        stage: ReceiptStage,
        inputs: Records,
        outputs: Records,
    ) -> Result<Receipts, ReceiptError> {
        Receipts::add(self.receipts.chain.clone(), stage, inputs, outputs)
    }

    fn with(mut self, receipts: Receipts) -> Self {
        self.receipts = receipts;
        self
    }

    /// Takes the circuit; it must be the one that the spec names.
    pub fn compile(self, circuit: CompiledCircuit) -> Next<Self, Compiled> {
        step(
            self,
            |stage| {
                let input = stage.spec.circuit.input();
                let circuit = CircuitCompiled::mint(&stage.spec.circuit, circuit)?;
                let receipts = stage.receipt(
                    ReceiptStage::Compiled,
                    circuit.select(ReceiptStage::Compiled.inputs(input)),
                    circuit.select(ReceiptStage::Compiled.outputs(input)),
                )?;
                Ok((circuit, receipts))
            },
            |stage, (circuit, receipts)| Compiled {
                opened: stage.with(receipts),
                circuit,
            },
        )
    }
}

/// The circuit is compiled.
#[derive(Debug)]
pub struct Compiled {
    opened: Opened,
    circuit: CircuitCompiled,
}

impl Compiled {
    /// What was fixed at the opening.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The circuit.
    pub fn circuit(&self) -> &CircuitCompiled {
        &self.circuit
    }

    /// Takes the ptau; it must be the published one that belongs to the circuit.
    pub fn phase1(self, file: Phase1File) -> Next<Self, Phase1Ready> {
        step(
            self,
            |stage| {
                let family = stage.opened.spec.phase1_family;
                let needed = stage.circuit.facts().power;
                let phase1 = Phase1Pinned::mint(family, needed, file)?;
                let receipts = stage.opened.receipt(
                    ReceiptStage::Phase1Ready,
                    one(ArtifactKind::Ptau, phase1.record()),
                    Records::new(),
                )?;
                Ok((phase1, receipts))
            },
            |stage, (phase1, receipts)| Phase1Ready {
                opened: stage.opened.with(receipts),
                circuit: stage.circuit,
                phase1,
            },
        )
    }
}

/// Phase 1 is pinned.
#[derive(Debug)]
pub struct Phase1Ready {
    opened: Opened,
    circuit: CircuitCompiled,
    phase1: Phase1Pinned,
}

impl Phase1Ready {
    /// What was fixed at the opening.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The circuit.
    pub fn circuit(&self) -> &CircuitCompiled {
        &self.circuit
    }

    /// Judges by its digest whether a key is the one that the spec names; any fresh one is.
    pub fn judge_initial_record(&self, record: &ArtifactRecord) -> Result<(), CeremonyError> {
        initial::judge_record(self.opened.spec.initial, record)
    }

    /// Takes the initial key with the evidence that it belongs to r1cs and ptau.
    pub fn initial_key(self, key: InitialKey) -> Next<Self, InitialReady> {
        step(
            self,
            |stage| {
                initial::judge(stage.opened.spec.initial, &key)?;
                let receipts = stage.opened.receipt(
                    ReceiptStage::InitialReady,
                    one(ArtifactKind::InitialZkey, &key.record),
                    Records::new(),
                )?;
                Ok((key, receipts))
            },
            |stage, (initial, receipts)| InitialReady {
                opened: stage.opened.with(receipts),
                circuit: stage.circuit,
                phase1: stage.phase1,
                initial,
            },
        )
    }
}

/// The initial key is right.
#[derive(Debug)]
pub struct InitialReady {
    opened: Opened,
    circuit: CircuitCompiled,
    phase1: Phase1Pinned,
    initial: InitialKey,
}

impl InitialReady {
    /// What was fixed at the opening.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Takes 0001.zkey with the evidence that it continues 0000.zkey. The secret is gone by now.
    pub fn contribute(self, contribution: Contribution) -> Next<Self, Contributed> {
        step(
            self,
            |stage| {
                let receipts = stage.opened.receipt(
                    ReceiptStage::Contributed,
                    Records::new(),
                    one(ArtifactKind::ContributionZkey, &contribution.record),
                )?;
                Ok((contribution, receipts))
            },
            |stage, (contribution, receipts)| Contributed {
                opened: stage.opened.with(receipts),
                keys: Keys {
                    circuit: stage.circuit,
                    phase1: stage.phase1,
                    initial: stage.initial,
                    contribution,
                },
            },
        )
    }
}

/// Everything that is proved about the keys before the commitment.
#[derive(Debug)]
struct Keys {
    circuit: CircuitCompiled,
    phase1: Phase1Pinned,
    initial: InitialKey,
    contribution: Contribution,
}

/// The contribution is made.
#[derive(Debug)]
pub struct Contributed {
    opened: Opened,
    keys: Keys,
}

impl Contributed {
    /// What was fixed at the opening.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// SHA-256 of 0001.zkey: what document 1 must be about.
    pub fn commitment(&self) -> Sha256Digest {
        self.keys.contribution.record.sha256
    }

    /// Takes the document over 0001.zkey; it must verify like anybody's.
    pub fn attest(self, document: AttestationDocument) -> Next<Self, Committed> {
        step(
            self,
            |stage| {
                let boot = &stage.opened.boot;
                let verified = verify(boot, &document)?;
                let attested = ContributionAttested::mint(
                    &verified,
                    stage.commitment().as_bytes(),
                    stage.opened.id().0.as_bytes(),
                )?;
                let receipts = stage.opened.receipt(
                    ReceiptStage::Committed,
                    Records::new(),
                    one(ArtifactKind::Attestation1, &document.record),
                )?;
                Ok((document, verified, attested, receipts))
            },
            |stage, (document, verified, attested, receipts)| Committed {
                opened: stage.opened.with(receipts),
                keys: stage.keys,
                document,
                verified,
                attested,
            },
        )
    }
}

/// The contribution is attested; nothing random is known yet.
#[derive(Debug)]
pub struct Committed {
    opened: Opened,
    keys: Keys,
    document: AttestationDocument,
    verified: VerifiedDocument,
    attested: ContributionAttested,
}

impl Committed {
    /// What was fixed at the opening.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The host shows that it holds document 1 by returning its certificates; the round follows
    /// from the attested time.
    pub fn assign_round(self, certificates: &[Vec<u8>]) -> Next<Self, RoundAssigned> {
        step(
            self,
            |stage| {
                stage.judge_certificates(certificates)?;
                let spec = &stage.opened.spec;
                let chain = spec.chain().info();
                let round = round_for(chain, stage.attested.time_ms(), spec.beacon.margin_ms)?;
                let time = round_time_ms(chain, round)?;
                let receipts = stage.opened.receipt(
                    ReceiptStage::RoundAssigned,
                    Records::new(),
                    Records::new(),
                )?;
                Ok((round, time, receipts))
            },
            |stage, (round, round_time_ms, receipts)| RoundAssigned {
                opened: stage.opened.with(receipts),
                keys: stage.keys,
                document: stage.document,
                attested: stage.attested,
                round,
                round_time_ms,
            },
        )
    }

    fn judge_certificates(&self, got: &[Vec<u8>]) -> Result<(), CeremonyError> {
        let expected = self.verified.chain();
        if got.len() != expected.len() {
            return Err(CeremonyError::CertificateCount {
                expected: expected.len(),
                got: got.len(),
            });
        }
        match got.iter().zip(expected).position(|(got, own)| got != own) {
            Some(index) => Err(CeremonyError::Certificate { index }),
            None => Ok(()),
        }
    }
}

/// The one round that will be taken is fixed.
#[derive(Debug)]
pub struct RoundAssigned {
    opened: Opened,
    keys: Keys,
    document: AttestationDocument,
    attested: ContributionAttested,
    round: Round,
    round_time_ms: u64,
}

impl RoundAssigned {
    /// What was fixed at the opening.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Time of document 1, milliseconds since the Unix epoch.
    pub fn attested_time_ms(&self) -> u64 {
        self.attested.time_ms()
    }

    /// The round.
    pub fn round(&self) -> Round {
        self.round
    }

    /// When it is due, milliseconds since the Unix epoch.
    pub fn round_time_ms(&self) -> u64 {
        self.round_time_ms
    }

    /// Judges what a relay answered: the spec's chain, this round, a true signature.
    pub fn judge_beacon(&self, beacon: RawBeacon) -> Result<BeaconMatchesRound, CeremonyError> {
        let chain = self.opened.spec.chain().info();
        Ok(beacon.validate(chain)?.matching(chain, self.round)?)
    }

    /// A token says that its beacon is of some chain and round; here, that they are this stage's.
    fn judge_round(&self, token: &BeaconMatchesRound) -> Result<(), DrandError> {
        let chain = self.opened.spec.chain().info();
        if token.beacon().chain_hash() != chain.hash() {
            return Err(DrandError::ChainMismatch {
                expected: hex::encode(chain.hash()),
                got: hex::encode(token.beacon().chain_hash()),
            });
        }
        if token.round() != self.round {
            return Err(DrandError::RoundMismatch {
                expected: self.round.get(),
                got: token.round().get(),
            });
        }
        Ok(())
    }

    pub(crate) fn circuit(&self) -> &CircuitCompiled {
        &self.keys.circuit
    }

    pub(crate) fn phase1(&self) -> &Phase1Pinned {
        &self.keys.phase1
    }

    pub(crate) fn initial(&self) -> &InitialKey {
        &self.keys.initial
    }

    pub(crate) fn contribution(&self) -> &Contribution {
        &self.keys.contribution
    }

    pub(crate) fn document(&self) -> &AttestationDocument {
        &self.document
    }

    /// Takes the final key and everything made from it, and writes the manifest.
    pub fn finalize(self, key: FinalKey) -> Next<Self, Finalized> {
        step(
            self,
            |stage| {
                stage.judge_round(&key.beacon)?;
                let input = stage.opened.spec.circuit.input();
                let select = |kinds: &[ArtifactKind]| -> Records {
                    kinds
                        .iter()
                        .filter_map(|kind| Some((*kind, key.records.get(kind)?.clone())))
                        .collect()
                };
                let receipts = stage.opened.receipt(
                    ReceiptStage::Finalized,
                    select(ReceiptStage::Finalized.inputs(input)),
                    select(ReceiptStage::Finalized.outputs(input)),
                )?;
                let manifest = outputs::manifest(stage, &key, &receipts.chain)?;
                Ok((key, receipts, manifest))
            },
            |stage, (key, receipts, manifest)| Finalized {
                opened: stage.opened.with(receipts),
                keys: stage.keys,
                attested: stage.attested,
                round_time_ms: stage.round_time_ms,
                key,
                manifest,
            },
        )
    }
}

/// The beacon is applied; the manifest is written.
#[derive(Debug)]
pub struct Finalized {
    opened: Opened,
    keys: Keys,
    attested: ContributionAttested,
    round_time_ms: u64,
    key: FinalKey,
    manifest: Manifest,
}

impl Finalized {
    /// What was fixed at the opening.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// What document 2 must be about.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Takes the document over the manifest; of the same enclave as document 1, and not before the
    /// round was due.
    pub fn seal(self, document: &AttestationDocument) -> Next<Self, Sealed> {
        step(
            self,
            |stage| {
                let verified = verify(&stage.opened.boot, document)?;
                Ok(ManifestAttested::mint(
                    &verified,
                    stage.manifest.sha256().as_bytes(),
                    stage.opened.id().0.as_bytes(),
                    &stage.attested,
                    stage.round_time_ms,
                )?)
            },
            |stage, sealed| Sealed {
                evidence: Evidence {
                    keys: stage.keys,
                    attested: stage.attested,
                    key: stage.key,
                    sealed,
                },
                opened: stage.opened,
                manifest: stage.manifest,
            },
        )
    }
}

/// Everything is done and attested.
#[derive(Debug)]
pub struct Sealed {
    opened: Opened,
    manifest: Manifest,
    evidence: Evidence,
}

/// The evidence of all stages: a sealed ceremony cannot be made without it.
#[derive(Debug)]
#[expect(dead_code, reason = "evidence is held, not read")]
struct Evidence {
    keys: Keys,
    attested: ContributionAttested,
    key: FinalKey,
    sealed: ManifestAttested,
}

impl Sealed {
    /// What was fixed at the opening.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The manifest that document 2 is about.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Time of document 1, milliseconds since the Unix epoch.
    pub fn attested_time_ms(&self) -> u64 {
        self.evidence.attested.time_ms()
    }
}

/// The enclave's own document gets no credit: the same checks as for anybody's.
fn verify(boot: &Boot, document: &AttestationDocument) -> Result<VerifiedDocument, CeremonyError> {
    Ok(RawDocument(document.bytes.clone()).validate(&boot.anchor, &boot.pcrs)?)
}

fn one(kind: ArtifactKind, record: &ArtifactRecord) -> Records {
    Records::from([(kind, record.clone())])
}
