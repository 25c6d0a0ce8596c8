//! The initial key: follows from r1cs and ptau, and has no contribution yet or only right ones.

use ceremony::{Ceremony, Command, InitialKey, InitialVerified};
use formats::progress::ProgressSink;
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::zkey::ZKey;
use manifest::{ArtifactKind, InitialSpec};
use phase2::check::{check_continued_key, check_initial_key};

use super::{WorkError, challenge_key};
use crate::agent::Agent;

pub(crate) fn run(agent: &Agent, progress: &dyn ProgressSink) -> Result<Command, WorkError> {
    let store = agent.store();
    let record = store.record(ArtifactKind::InitialZkey)?;
    let spec = agent.with(|ceremony| match ceremony {
        Ceremony::Phase1Ready(stage) => {
            // Another file than the spec's is not worth the look.
            stage.judge_initial_record(&record)?;
            Ok::<_, WorkError>(stage.opened().spec().initial)
        }
        _ => Err(WorkError::Stage),
    })?;
    let zkey = ZKey::open(store.open(ArtifactKind::InitialZkey)?)?;
    let r1cs = R1cs::open(store.open(ArtifactKind::R1cs)?)?;
    let ptau = Ptau::open(store.open(ArtifactKind::Ptau)?)?;
    // Drawn now: the bytes of all three files are fixed by the digests of their chunks.
    let challenge = challenge_key()?;
    let verified = match spec {
        InitialSpec::Fresh => InitialVerified::Fresh(check_initial_key(
            &r1cs, &ptau, &zkey, &challenge, progress,
        )?),
        InitialSpec::Chain { .. } => InitialVerified::Chain(check_continued_key(
            &r1cs, &ptau, &zkey, &challenge, progress,
        )?),
    };
    // The largest file is not needed any more, and neither are the digests of its chunks.
    store.remove(ArtifactKind::Ptau)?;
    Ok(Command::CheckInitialKey(InitialKey { record, verified }))
}
