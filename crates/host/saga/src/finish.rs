//! The artifacts come home, are verified, and only then is everything removed.

use std::sync::Arc;

use cloud::run::Run;
use protocol::pb;

use crate::desk::{Event, Receiver, Verdict};
use crate::error::SagaError;
use crate::journal::Action;
use crate::outcome::{End, Outcome};
use crate::run::{Saga, ended};
use crate::teardown::Scope;

impl Saga<'_> {
    /// From the commit marker to the end.
    pub(crate) fn finish(&mut self, done: &pb::JobDone, receiver: &dyn Receiver) -> Outcome {
        let verdict = self
            .upload_is_complete(done)
            .and_then(|()| self.bring_home(receiver));
        match verdict {
            Ok(Verdict::Holds) => {
                let proof = self.tear_down(Scope::Everything);
                self.closed(End::Verified, proof)
            }
            // The bucket stays: what is in it may be needed to understand, or to try again.
            Ok(Verdict::Refused) => {
                let proof = self.tear_down(Scope::Compute);
                ended(End::Refused, proof)
            }
            Err(error) => {
                let proof = self.tear_down(Scope::Compute);
                ended(End::Error(error), proof)
            }
        }
    }

    /// Every artifact of the commit marker is in the bucket, with its size.
    fn upload_is_complete(&self, done: &pb::JobDone) -> Result<(), SagaError> {
        for info in &done.artifacts {
            let wrong = |artifact, what: String| Err(SagaError::Upload { artifact, what });
            let Ok(kind) = pb::ArtifactKind::try_from(info.kind) else {
                return wrong("unknown", format!("kind {}", info.kind));
            };
            match self.run().artifact_size(kind)? {
                Some(size) if size == info.size => {}
                Some(size) => {
                    let what = format!("{size} bytes in place of {}", info.size);
                    return wrong(kind.as_str_name(), what);
                }
                None => return wrong(kind.as_str_name(), "it is missing".to_owned()),
            }
        }
        Ok(())
    }

    fn bring_home(&mut self, receiver: &dyn Receiver) -> Result<Verdict, SagaError> {
        let (desk, now) = (self.desk, self.desk.clock.now());
        let store = Arc::clone(&self.store);
        let run = Run::new(&*store, &self.plan.run);
        // A bundle that got its name before a crash is whole.
        if !receiver.is_there()? {
            let bundle = receiver.name();
            desk.watcher.say(&Event::Step {
                name: "download",
                detail: &bundle,
            });
            self.journal.step(
                now,
                Action::Receive { bundle },
                |()| None,
                || desk.again(|| receiver.receive(run)),
            )?;
        }
        desk.watcher.say(&Event::Step {
            name: "verify",
            detail: &receiver.name(),
        });
        let verdict = receiver.verify(run)?;
        if verdict == Verdict::Holds {
            self.journal.note(desk.clock.now(), Action::Verify)?;
        }
        Ok(verdict)
    }
}
