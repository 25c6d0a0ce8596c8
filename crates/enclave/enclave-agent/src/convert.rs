//! Between the wire's types and ours.

use bytes::Bytes;
use ceremony::{CheckOutcome, SelfCheck, Stage};
use manifest::{AgentMode, ArtifactKind, ArtifactRecord};
use protocol::pb;

/// Stage on the wire.
pub(crate) fn stage(stage: Stage) -> pb::Stage {
    match stage {
        Stage::Booted => pb::Stage::Booted,
        Stage::Opened => pb::Stage::Opened,
        Stage::Compiled => pb::Stage::Compiled,
        Stage::Phase1Ready => pb::Stage::Phase1Ready,
        Stage::InitialReady => pb::Stage::InitialReady,
        Stage::Contributed => pb::Stage::Contributed,
        Stage::Committed => pb::Stage::Committed,
        Stage::RoundAssigned => pb::Stage::RoundAssigned,
        Stage::Finalized => pb::Stage::Finalized,
        Stage::Sealed => pb::Stage::Sealed,
        Stage::Failed => pb::Stage::Failed,
    }
}

/// Mode on the wire.
pub(crate) fn mode(mode: AgentMode) -> pb::AgentMode {
    match mode {
        AgentMode::Production => pb::AgentMode::Production,
        AgentMode::Simulation => pb::AgentMode::Simulation,
    }
}

/// A self-check on the wire. A simulated one reads so in its detail.
pub(crate) fn self_check(check: &SelfCheck) -> pb::SelfCheck {
    let detail = match check.outcome {
        CheckOutcome::Simulated => format!("SIMULATED: {}", check.seen),
        CheckOutcome::Passed | CheckOutcome::Failed => check.seen.clone(),
    };
    pb::SelfCheck {
        name: check.name.to_owned(),
        passed: check.outcome != CheckOutcome::Failed,
        detail,
    }
}

/// An artifact on the wire.
pub(crate) fn artifact(kind: ArtifactKind, record: &ArtifactRecord) -> pb::ArtifactInfo {
    pb::ArtifactInfo {
        kind: protocol::convert::kind_to_pb(kind).into(),
        size: record.size,
        sha256: Bytes::copy_from_slice(record.sha256.as_bytes()),
        blake2b512: record
            .blake2b512
            .as_ref()
            .map(|digest| Bytes::copy_from_slice(digest.as_bytes()))
            .unwrap_or_default(),
    }
}
