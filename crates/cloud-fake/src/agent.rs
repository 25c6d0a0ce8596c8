//! The host-agent of a machine, acted out: its records, its artifacts, its end.

use cloud::{InstanceId, InstanceState, ObjectKey, RunId};
use prost::Message;
use protocol::pb;
use sha2::{Digest, Sha256};

use crate::settings::Behaviour;
use crate::world::{Event, World};

#[derive(Debug, Clone)]
pub(crate) struct Agent {
    run: Option<RunId>,
    bucket: String,
    /// When it began.
    since_ms: Option<u64>,
    sequence: u64,
}

impl Agent {
    pub(crate) fn new(run: Option<RunId>, bucket: &str) -> Self {
        Self {
            run,
            bucket: bucket.to_owned(),
            since_ms: None,
            sequence: 0,
        }
    }
}

impl World {
    /// One turn of the host-agent; it comes again after its interval.
    pub(crate) fn agent_acts(&mut self, id: &InstanceId) {
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        if instance.state.now() != Some(InstanceState::Running) {
            return;
        }
        let now = self.now_ms;
        let since = *instance.agent.since_ms.get_or_insert(now);
        let Some(run) = instance.agent.run.clone() else {
            return;
        };
        let plan = self.settings.agent.clone();
        let worked = now.saturating_sub(since);
        let work = u64::try_from(plan.work.as_millis()).unwrap_or(u64::MAX);
        let halfway = worked >= work / 2;
        match plan.behaviour {
            Behaviour::NeverStarts => return,
            Behaviour::Hangs if halfway => return,
            Behaviour::MachineLost if halfway => {
                return self.end_instance(id, "Server.InternalError");
            }
            Behaviour::Fails if halfway => {
                return self.agent_fails(id, "ptau_hash", "the powers of tau were altered");
            }
            _ => {}
        }
        if self.object(id, &run, "job").is_none() {
            return self.agent_fails(id, "no_job", "there is no job");
        }
        if self.is_aborted(id, &run) {
            return self.agent_fails(id, "stopped", "stopped on request");
        }
        if worked >= work {
            return self.agent_finishes(id, &run);
        }
        let kind = pb::status::Kind::Note(format!("worked for {} s", worked / 1000));
        if self.write_status(id, &run, kind) {
            self.after(plan.interval.as_secs(), Event::Agent(id.clone()));
        } else {
            // Nowhere to write to: the unit ends.
            self.power_off(id);
        }
    }

    fn agent_finishes(&mut self, id: &InstanceId, run: &RunId) {
        let mut artifacts = Vec::new();
        let all = self.settings.agent.artifacts.clone();
        let last = all.last().map(|(kind, _)| *kind);
        for (kind, bytes) in all {
            let name = kind
                .as_str_name()
                .trim_start_matches("ARTIFACT_KIND_")
                .to_ascii_lowercase();
            let mut sha256 = Sha256::digest(&bytes).to_vec();
            if self.settings.agent.behaviour == Behaviour::Lies
                && let Some(first) = sha256.first_mut()
            {
                *first ^= 1;
            }
            artifacts.push(pb::ArtifactInfo {
                kind: kind.into(),
                size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
                sha256: sha256.into(),
                ..pb::ArtifactInfo::default()
            });
            if self.settings.agent.behaviour == Behaviour::Loses && Some(kind) == last {
                continue;
            }
            self.put(
                id,
                run,
                &format!("artifacts/{}", name.replace('_', "-")),
                bytes,
            );
        }
        let done = pb::JobDone { artifacts };
        if self.put(id, run, "commit", done.encode_to_vec()) {
            self.committed.insert(run.clone());
            self.write_status(id, run, pb::status::Kind::Done(done));
        }
        self.power_off(id);
    }

    fn agent_fails(&mut self, id: &InstanceId, code: &str, message: &str) {
        let Some(run) = self.instances.get(id).and_then(|i| i.agent.run.clone()) else {
            return;
        };
        let failure = pb::JobFailure {
            code: code.to_owned(),
            message: message.to_owned(),
            phase: "phase1".to_owned(),
            ..pb::JobFailure::default()
        };
        self.write_status(id, &run, pb::status::Kind::Failure(failure));
        self.power_off(id);
    }

    fn power_off(&mut self, id: &InstanceId) {
        if self.settings.layers.agent_poweroff {
            self.end_instance(id, "Client.InstanceInitiatedShutdown: the host-agent ended");
        }
    }

    fn is_aborted(&mut self, id: &InstanceId, run: &RunId) -> bool {
        (0..)
            .map_while(|number| self.object(id, run, &format!("control/{number:010}")))
            .filter_map(|bytes| pb::Control::decode(bytes.as_slice()).ok())
            .any(|control| matches!(control.command, Some(pb::control::Command::Abort(true))))
    }

    fn write_status(&mut self, id: &InstanceId, run: &RunId, kind: pb::status::Kind) -> bool {
        let now = self.now_ms;
        let Some(instance) = self.instances.get_mut(id) else {
            return false;
        };
        let sequence = instance.agent.sequence;
        instance.agent.sequence = sequence.saturating_add(1);
        let status = pb::Status {
            sequence,
            time_ms: now,
            kind: Some(kind),
        };
        self.put(
            id,
            run,
            &format!("status/{sequence:010}"),
            status.encode_to_vec(),
        )
    }

    fn put(&mut self, id: &InstanceId, run: &RunId, name: &str, bytes: Vec<u8>) -> bool {
        let Some(bucket) = self.instances.get(id).map(|i| i.agent.bucket.clone()) else {
            return false;
        };
        let Ok(key) = format!("runs/{run}/{name}").parse::<ObjectKey>() else {
            return false;
        };
        let Some(bucket) = self.bucket(&bucket) else {
            return false;
        };
        bucket.objects.entry(key).or_insert(bytes);
        true
    }

    fn object(&mut self, id: &InstanceId, run: &RunId, name: &str) -> Option<Vec<u8>> {
        let bucket = self.instances.get(id)?.agent.bucket.clone();
        let key: ObjectKey = format!("runs/{run}/{name}").parse().ok()?;
        self.bucket(&bucket)?.objects.get(&key).cloned()
    }
}
