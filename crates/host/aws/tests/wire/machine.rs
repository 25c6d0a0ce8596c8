//! What the user data does on a machine, done by the test: tags, `host.json`, files by their SHA-256, host-agent.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;

use cloud::{InstanceState, ObjectKey, ObjectStore, RunId, Which};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::world::{World, program};

/// Largest input, bytes.
const LIMIT: u64 = 1 << 30;

pub(crate) struct Machine {
    host_agent: Child,
}

impl Machine {
    /// Starts the host-agent that the run was given, in place of the instance that the stack made.
    pub(crate) fn boot(world: &World, run: &RunId) -> Self {
        let machines = world
            .compute()
            .compute
            .instances(Which::OfRun(run))
            .unwrap();
        let [machine] = &machines[..] else {
            panic!("{machines:?}")
        };
        assert_eq!(machine.state, InstanceState::Running);
        let tag = |name: &str| machine.tags.get(name).unwrap().to_owned();
        let bucket = tag("attested-ceremony-bucket");
        assert_eq!(bucket, world.bucket(run).to_string());
        assert_eq!(tag("attested-ceremony-run"), run.as_str());

        let store = world.buckets().buckets.store(&bucket.parse().unwrap());
        let fetch = |name: &str, sha256: &str| fetch(&store, run, name, sha256);
        let host = fetch("host.json", &tag("attested-ceremony-parameters"));
        let config: Value = serde_json::from_slice(&host).unwrap();
        let folder = world.path(&format!("machine-{run}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("host.json"), &host).unwrap();
        for (name, sha256) in config["artifacts"].as_object().unwrap() {
            let bytes = fetch(name, sha256.as_str().unwrap());
            fs::write(folder.join(name), bytes).unwrap();
        }
        let agent = folder.join("host-agent");
        testkit::make_executable(&agent).unwrap();
        Self::start(world, run, &bucket, &agent)
    }

    fn start(world: &World, run: &RunId, bucket: &str, agent: &Path) -> Self {
        let folder = agent.parent().unwrap().to_owned();
        let mut command = world.command(agent);
        command
            .args(["--store", &format!("s3://{bucket}"), "--run", run.as_str()])
            .arg("--host-config")
            .arg(folder.join("host.json"))
            .arg("--work")
            .arg(folder.join("work"))
            // The same modules as were fetched, with their machine code made before.
            .arg("--modules")
            .arg(&world.modules)
            .arg("--enclave-agent")
            .arg(program("enclave-agent-simulated"))
            .args(["--memory", "256", "--heartbeat", "2"])
            .arg("--log-json")
            .arg(folder.join("host-agent.jsonl"))
            .stdout(Stdio::null());
        Self {
            host_agent: command.spawn().unwrap(),
        }
    }

    /// The host-agent's exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.host_agent.wait().unwrap().code()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.host_agent.kill());
        drop(self.host_agent.wait());
    }
}

fn fetch(store: &Arc<dyn ObjectStore>, run: &RunId, name: &str, sha256: &str) -> Vec<u8> {
    let key: ObjectKey = format!("runs/{run}/inputs/{name}").parse().unwrap();
    let bytes = store.get(&key, LIMIT).unwrap().unwrap();
    assert_eq!(hex::encode(Sha256::digest(&bytes)), sha256, "{name}");
    bytes
}
