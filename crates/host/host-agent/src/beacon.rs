//! Attestation 1's certificates back to the enclave, and the beacon round to it when its time has come.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use attestation::{AttestationError, RawDocument};
use bytes::Bytes;
use drand::{Chain, RawBeacon, Round};
use manifest::spec::BeaconChain;
use protocol::pb;

use crate::error::AgentError;
use crate::job::{BeaconChoice, Task};
use crate::relay;
use crate::report::Reporter;
use crate::session::Assigned;
use crate::story::Config;

/// The certificates of attestation 1, as they stand in it: the enclave checks them.
pub(crate) fn certificates(document: &Bytes) -> Result<Vec<Bytes>, AttestationError> {
    let certificates = RawDocument(document.to_vec()).certificates()?;
    Ok(certificates.into_iter().map(Bytes::from).collect())
}

/// Waits for the assigned round and gets it.
pub async fn obtain(
    config: &Config,
    task: &Task,
    assigned: Assigned,
    reporter: &Reporter,
) -> Result<RawBeacon, AgentError> {
    let round = Round::new(assigned.round)?;
    reporter.note(format!(
        "beacon round {} of {} at {} ms, committed at {} ms",
        assigned.round, task.spec.beacon.chain, assigned.round_time_ms, assigned.attested_time_ms
    ));
    wait(assigned.round_time_ms, reporter).await?;
    match &task.beacon {
        BeaconChoice::Local(chain) => Ok(chain.sign(round)),
        BeaconChoice::Relays(relays) => {
            let chain = match task.spec.beacon.chain {
                BeaconChain::Quicknet => Chain::Quicknet,
                BeaconChain::Default => Chain::Default,
                BeaconChain::Local => {
                    return Err(AgentError::Job {
                        what: "relays for a local beacon",
                    });
                }
            };
            let client = relay::http_client()?;
            let patience = config.beacon_patience;
            Ok(relay::fetch(&client, relays, chain.info(), round, patience).await?)
        }
    }
}

/// Sleeps until `time_ms` by this host's clock, which nobody believes: a round that is asked for too
/// early is not there yet, and the enclave takes no other.
async fn wait(time_ms: u64, reporter: &Reporter) -> Result<(), AgentError> {
    let total = time_ms.saturating_sub(now_ms());
    loop {
        if reporter.is_cancelled() {
            return Err(AgentError::Stopped);
        }
        let left = time_ms.saturating_sub(now_ms()).min(total);
        reporter.progress(pb::Progress {
            step: "wait for the beacon round (ms)".to_owned(),
            done: total.saturating_sub(left),
            total,
            unit: pb::Unit::Steps.into(),
        });
        if left == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(left.min(250))).await;
    }
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}
