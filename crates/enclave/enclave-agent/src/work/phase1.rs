//! The ptau: its structure here, its digest in the machine's judgement.

use ceremony::{Command, Phase1File};
use formats::progress::ProgressSink;
use formats::ptau::Ptau;
use manifest::ArtifactKind;

use super::WorkError;
use crate::agent::Agent;

pub(crate) fn run(agent: &Agent, _: &dyn ProgressSink) -> Result<Command, WorkError> {
    let store = agent.store();
    let ptau = Ptau::open(store.open(ArtifactKind::Ptau)?)?;
    Ok(Command::CheckPhase1(Phase1File {
        record: store.record(ArtifactKind::Ptau)?,
        power: ptau.power(),
    }))
}
