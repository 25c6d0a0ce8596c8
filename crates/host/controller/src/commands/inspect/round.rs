//! A drand round: a relay's answer, or the `beacon.json` of a bundle.

use drand::{RawBeacon, round_time_ms};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Findings;
use crate::checklist::Outcome;
use crate::exit::Exit;

pub(super) fn inspect(bytes: &[u8], findings: &mut Findings<'_>) -> Exit {
    let title = "a drand round";
    let beacon = match parse(bytes) {
        Ok(beacon) => beacon,
        Err(reason) => {
            findings
                .list
                .add("round-format", title, &Outcome::Failed(reason));
            return Exit::Success;
        }
    };
    findings.fact("file", "drand round");
    findings.fact("round", beacon.round);
    findings.fact("randomness", hex::encode(Sha256::digest(&beacon.signature)));
    findings
        .list
        .add("round-format", title, &Outcome::Passed(String::new()));
    let title = "signature verifies under a pinned chain";
    let outcome = match beacon.pinned_chain() {
        Some(chain) => {
            let time = drand::Round::new(beacon.round)
                .and_then(|round| round_time_ms(chain.info(), round))
                .map_or_else(|_| String::new(), |ms| format!(", published at {ms} ms"));
            Outcome::Passed(format!("{}{time}", chain.name()))
        }
        None => Outcome::Failed("under neither quicknet nor default".into()),
    };
    findings.list.add("round-signature", title, &outcome);
    Exit::Success
}

fn parse(bytes: &[u8]) -> Result<RawBeacon, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| format!("not JSON: {e}"))?;
    let round = match value.get("round") {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        _ => return Err("no round".into()),
    };
    let text = |field| value.get(field).and_then(Value::as_str);
    let signature = text("signature").ok_or("no signature")?;
    RawBeacon::from_text(&round, signature, text("previous_signature")).map_err(|e| e.to_string())
}
