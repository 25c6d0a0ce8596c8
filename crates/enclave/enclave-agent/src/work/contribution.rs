//! 0001.zkey: the secret is drawn, used and erased inside the crate `contribute`; here its result
//! is checked like anybody's.

use ceremony::command::Contribution;
use ceremony::{Ceremony, Command};
use contribute::entropy::{EntropySource, OperatingSystem, SourceFailed, Sources};
use formats::progress::ProgressSink;
use formats::zkey::{ContributionName, ZKey};
use manifest::ArtifactKind;
use phase2::check::check_contribution;

use super::{WorkError, challenge_key};
use crate::agent::Agent;

const OUT: ArtifactKind = ArtifactKind::ContributionZkey;

pub(crate) fn run(agent: &Agent, progress: &dyn ProgressSink) -> Result<Command, WorkError> {
    let (name, id) = agent.with(|ceremony| match ceremony {
        Ceremony::InitialReady(stage) => {
            let opened = stage.opened();
            Ok((opened.spec().contribution_name.clone(), opened.id()))
        }
        _ => Err(WorkError::Stage),
    })?;
    let name = ContributionName::new(name.as_bytes())?;
    let store = agent.store();
    let initial = ZKey::open(store.open(ArtifactKind::InitialZkey)?)?;

    let mut module = ModuleEntropy(agent.security());
    let mut sources = Sources {
        module: &mut module,
        system: &mut OperatingSystem,
        requester: &[],
        context: id.0.as_bytes(),
    };
    let mut out = store.make(OUT);
    contribute::contribute(&initial, &mut sources, name, &mut out, progress)?;
    let record = store.keep_made(OUT, out)?;

    let made = ZKey::open(store.open(OUT)?)?;
    let verified = check_contribution(&initial, &made, &challenge_key()?, progress)?;
    store.remove(ArtifactKind::InitialZkey)?;
    Ok(Command::Contribute(Contribution { record, verified }))
}

/// Random bytes of the security module.
struct ModuleEntropy<'a>(&'a dyn attestation::nsm::SecurityModule);

impl EntropySource for ModuleEntropy<'_> {
    fn name(&self) -> &'static str {
        "security module"
    }

    fn draw(&mut self, out: &mut [u8]) -> Result<usize, SourceFailed> {
        let random = zeroize::Zeroizing::new(self.0.random()?);
        let count = out.len().min(random.len());
        for (to, from) in out.iter_mut().zip(random.iter()) {
            *to = *from;
        }
        Ok(count)
    }
}
