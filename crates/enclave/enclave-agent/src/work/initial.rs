//! 0000.zkey: follows from r1cs and ptau, and has no contribution yet.

use ceremony::Command;
use ceremony::command::InitialKey;
use formats::progress::ProgressSink;
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::zkey::ZKey;
use manifest::ArtifactKind;
use phase2::check::check_initial_key;

use super::{WorkError, challenge_key};
use crate::agent::Agent;

pub(crate) fn run(agent: &Agent, progress: &dyn ProgressSink) -> Result<Command, WorkError> {
    let store = agent.store();
    let zkey = ZKey::open(store.open(ArtifactKind::InitialZkey)?)?;
    let r1cs = R1cs::open(store.open(ArtifactKind::R1cs)?)?;
    let ptau = Ptau::open(store.open(ArtifactKind::Ptau)?)?;
    // Drawn now: the bytes of all three files are fixed by the digests of their chunks.
    let verified = check_initial_key(&r1cs, &ptau, &zkey, &challenge_key()?, progress)?;
    // The largest file is not needed any more, and neither are the digests of its chunks.
    store.remove(ArtifactKind::Ptau)?;
    Ok(Command::CheckInitialKey(InitialKey {
        record: store.record(ArtifactKind::InitialZkey)?,
        verified,
    }))
}
