//! The small files that everything hangs on: manifest and attestation documents.

use attestation::cose::{Envelope, MAX_DOCUMENT};
use attestation::payload::Payload;
use attestation::{
    Anchor, AttestationError, ContributionAttested, ManifestAttested, PcrPolicy, RawDocument,
    Statement, VerifiedDocument,
};
use drand::round_time_ms;
use manifest::manifest::{MAX_MANIFEST_BYTES, Manifest};
use manifest::report::utc;
use manifest::{AgentMode, ArtifactKind, ManifestError, RawManifest};

use crate::checklist::{Checklist, Fact, Outcome, StepId, Why, fact};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::options::{Trust, VerifyOptions};

/// What everything else is compared with.
pub(crate) struct Opened {
    pub(crate) manifest: Manifest,
    pub(crate) attestation_1: Vec<u8>,
    pub(crate) attestation_2: Vec<u8>,
}

/// What the documents show, as far as they hold.
pub(crate) struct Attested {
    pub(crate) contribution: ContributionAttested,
    pub(crate) second: VerifiedDocument,
}

/// Reads manifest and documents. Nothing else can be checked without them.
pub(crate) fn open(
    folder: &Folder,
    _options: &VerifyOptions<'_>,
    list: &mut Checklist,
) -> Option<Opened> {
    let manifest = read_manifest(folder, list)?;
    let attestation_1 = read_document(
        folder,
        StepId::Attestation1,
        ArtifactKind::Attestation1,
        list,
    );
    let attestation_2 = read_document(
        folder,
        StepId::Attestation2,
        ArtifactKind::Attestation2,
        list,
    );
    Some(Opened {
        manifest,
        attestation_1: attestation_1?,
        attestation_2: attestation_2?,
    })
}

fn read_manifest(folder: &Folder, list: &mut Checklist) -> Option<Manifest> {
    let limit = u64::try_from(MAX_MANIFEST_BYTES).unwrap_or(u64::MAX);
    let parsed = folder
        .read(ArtifactKind::Manifest.name(), limit)
        .and_then(|bytes| Ok(RawManifest(bytes).validate()?));
    match parsed {
        Ok(manifest) => {
            list.record(
                StepId::Manifest,
                Ok(vec![fact("manifest sha256", &manifest.sha256())]),
            );
            list.record(
                StepId::CeremonyId,
                Ok(vec![fact("ceremony id", &manifest.spec.id())]),
            );
            Some(manifest)
        }
        Err(failure) => {
            let id = match &failure {
                Failure::Manifest(ManifestError::CeremonyId { .. }) => StepId::CeremonyId,
                _ => StepId::Manifest,
            };
            list.record(id, Err(failure));
            None
        }
    }
}

fn read_document(
    folder: &Folder,
    step: StepId,
    kind: ArtifactKind,
    list: &mut Checklist,
) -> Option<Vec<u8>> {
    let limit = u64::try_from(MAX_DOCUMENT).unwrap_or(u64::MAX);
    match folder.read(kind.name(), limit) {
        Ok(bytes) => Some(bytes),
        Err(failure) => {
            list.record(step, Err(failure));
            None
        }
    }
}

/// What the requester can demand: their nonce, and no simulation.
pub(crate) fn requester(opened: &Opened, options: &VerifyOptions<'_>, list: &mut Checklist) {
    if let Some(nonce) = options.nonce {
        list.record(StepId::Nonce, check_nonce(&opened.manifest, &nonce));
    } else {
        list.skip(StepId::Nonce, Why::NotGiven("the requester's nonce"));
    }
    list.record(StepId::Mode, check_mode(&opened.manifest, options));
}

fn check_nonce(manifest: &Manifest, nonce: &[u8; 32]) -> Outcome {
    let (expected, got) = (
        hex::encode(nonce),
        hex::encode(manifest.spec.requester_nonce),
    );
    if expected == got {
        return Ok(vec![fact("requester's nonce", &got)]);
    }
    Err(Failure::Value {
        what: "the requester's nonce",
        expected,
        got,
    })
}

fn check_mode(manifest: &Manifest, options: &VerifyOptions<'_>) -> Outcome {
    let mode = manifest.agent_mode;
    match (mode, options.is_simulation()) {
        (AgentMode::Simulation, false) => Err(Failure::Simulated {
            part: "the enclave agent",
        }),
        (AgentMode::Production, true) => Err(Failure::ProductionUnderSimulation),
        _ => Ok(vec![
            fact("mode", &mode),
            fact("agent version", &manifest.agent_version),
        ]),
    }
}

/// Both documents: genuine, about this ceremony, of one enclave with the expected measurements.
pub(crate) fn documents(
    opened: &Opened,
    options: &VerifyOptions<'_>,
    list: &mut Checklist,
) -> Option<Attested> {
    let manifest = &opened.manifest;
    let anchor = anchor(&opened.attestation_1, &options.trust);
    let id = *manifest.spec.id().0.as_bytes();

    let second = genuine(&opened.attestation_2, anchor.as_ref(), options);
    let second = state(StepId::Attestation2, second, list, |document| {
        let statement = Statement::Manifest { ceremony_id: id };
        statement.check(document, manifest.sha256().as_bytes())
    });
    let first = genuine(&opened.attestation_1, anchor.as_ref(), options);
    let first = state(StepId::Attestation1, first, list, |document| {
        let statement = Statement::Contribution { ceremony_id: id };
        statement.check(document, manifest.contribution_zkey.sha256.as_bytes())
    });
    let (first, second) = (first?, second?);
    measurements(&first, options, list);
    list.record(StepId::SameEnclave, same_enclave(&first, &second));
    let sha256 = manifest.contribution_zkey.sha256;
    match ContributionAttested::mint(&first, sha256.as_bytes(), &id) {
        Ok(contribution) => Some(Attested {
            contribution,
            second,
        }),
        Err(error) => {
            list.record(StepId::Attestation1, Err(error.into()));
            None
        }
    }
}

/// The root that counts. Under simulation without a given root it is the one that document 1 carries.
fn anchor(first: &[u8], trust: &Trust) -> Result<Anchor, AttestationError> {
    match trust {
        Trust::Aws { .. } => Ok(Anchor::AwsNitroG1),
        Trust::Simulation { root: Some(root) } => Ok(Anchor::Simulated(root.clone())),
        Trust::Simulation { root: None } => {
            let envelope = Envelope::parse(first).map_err(AttestationError::Envelope)?;
            let payload = Payload::parse(envelope.payload)?;
            let root = payload
                .cabundle
                .first()
                .map(|root| root.to_vec())
                .unwrap_or_default();
            Ok(Anchor::Simulated(root))
        }
    }
}

fn genuine(
    document: &[u8],
    anchor: Result<&Anchor, &AttestationError>,
    options: &VerifyOptions<'_>,
) -> Result<VerifiedDocument, AttestationError> {
    let unpinned = PcrPolicy::unpinned();
    let policy = match &options.trust {
        Trust::Aws { pcrs, .. } => pcrs,
        Trust::Simulation { .. } => &unpinned,
    };
    let anchor = anchor.map_err(Clone::clone)?;
    RawDocument(document.to_vec()).validate(anchor, policy)
}

/// Writes down whether a document is genuine and states what it must. What its measurements are
/// accused of belongs to the step about measurements.
fn state(
    step: StepId,
    document: Result<VerifiedDocument, AttestationError>,
    list: &mut Checklist,
    statement: impl FnOnce(&VerifiedDocument) -> Result<(), AttestationError>,
) -> Option<VerifiedDocument> {
    let document = match document {
        Ok(document) => document,
        Err(error) => {
            let measured = matches!(
                error,
                AttestationError::PcrMismatch { .. } | AttestationError::DebugMode { .. }
            );
            let step = if measured { StepId::Measurements } else { step };
            list.record(step, Err(error.into()));
            return None;
        }
    };
    let outcome = statement(&document).map(|()| document_facts(&document));
    list.record(step, outcome.map_err(Failure::from))
        .then_some(document)
}

fn document_facts(document: &VerifiedDocument) -> Vec<Fact> {
    vec![
        fact("signed at", &utc(document.time().0)),
        fact("module", &document.module_id().as_str()),
        fact("nonce", &hex::encode(document.nonce().unwrap_or_default())),
    ]
}

fn measurements(first: &VerifiedDocument, options: &VerifyOptions<'_>, list: &mut Checklist) {
    let mut facts: Vec<Fact> = (0..=2)
        .filter_map(|index| Some((index, first.pcrs().get(&index)?)))
        .map(|(index, value)| fact(format!("PCR{index}"), &hex::encode(value)))
        .collect();
    match &options.trust {
        Trust::Aws { pcrs, .. } if !pcrs.pins_image() => {
            list.skip(
                StepId::Measurements,
                Why::NotGiven("expected PCR0, PCR1 and PCR2"),
            );
        }
        Trust::Simulation { .. } => {
            list.skip(
                StepId::Measurements,
                Why::DoesNotApply("a simulated module measures nothing"),
            );
        }
        // `validate` compared them already: a document with others did not come this far.
        Trust::Aws { origin, .. } => {
            facts.push(fact("expected by", origin));
            list.record(StepId::Measurements, Ok(facts));
        }
    }
}

fn same_enclave(first: &VerifiedDocument, second: &VerifiedDocument) -> Outcome {
    let differs = |what| Err(AttestationError::OtherEnclave { what }.into());
    if first.module_id() != second.module_id() {
        return differs("module_id");
    }
    if first.pcrs() != second.pcrs() {
        return differs("pcrs");
    }
    Ok(vec![fact("module", &first.module_id().as_str())])
}

/// The last word of document 2, once the round's time is known.
pub(crate) fn manifest_attested(
    opened: &Opened,
    attested: &Attested,
    round: drand::Round,
) -> Result<ManifestAttested, Failure> {
    let manifest = &opened.manifest;
    let round_time = round_time_ms(manifest.spec.chain().info(), round)?;
    let id = *manifest.spec.id().0.as_bytes();
    let (sha256, first) = (manifest.sha256(), &attested.contribution);
    let minted =
        ManifestAttested::mint(&attested.second, sha256.as_bytes(), &id, first, round_time);
    Ok(minted?)
}
