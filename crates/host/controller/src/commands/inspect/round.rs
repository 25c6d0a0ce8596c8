//! A drand round: a relay's answer, or the `beacon.json` of a bundle.

use drand::{RawBeacon, round_time_ms};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Findings;
use crate::checklist::Outcome;
use crate::exit::Exit;

pub(super) fn inspect(bytes: &[u8], findings: &mut Findings<'_>) -> Exit {
    let title = "a drand round";
    let (beacon, said) = match parse(bytes) {
        Ok(parsed) => parsed,
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
    let outcome = match (beacon.pinned_chain(), said) {
        (Some(chain), _) => {
            let time = drand::Round::new(beacon.round)
                .and_then(|round| round_time_ms(chain.info(), round))
                .map_or_else(|_| String::new(), |ms| format!(", published at {ms} ms"));
            Outcome::Passed(format!("{}{time}", chain.name()))
        }
        (None, Some(chain)) if !is_pinned(&chain) => Outcome::NotChecked(format!(
            "the file names chain {chain}, which is not pinned; `verify` has its key from the bundle"
        )),
        (None, _) => Outcome::Failed("under neither quicknet nor default".into()),
    };
    findings.list.add("round-signature", title, &outcome);
    match outcome {
        Outcome::NotChecked(_) => Exit::Incomplete,
        Outcome::Passed(_) | Outcome::Failed(_) => Exit::Success,
    }
}

/// Whether a chain's name or hash, as `beacon.json` has it, is one whose key is compiled in.
fn is_pinned(chain: &str) -> bool {
    [drand::Chain::Quicknet, drand::Chain::Default]
        .iter()
        .any(|pinned| chain == pinned.name() || chain == hex::encode(pinned.info().hash()))
}

/// The round, and the chain that a bundle's `beacon.json` names.
fn parse(bytes: &[u8]) -> Result<(RawBeacon, Option<String>), String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| format!("not JSON: {e}"))?;
    let round = match value.get("round") {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        _ => return Err("no round".into()),
    };
    let text = |field| value.get(field).and_then(Value::as_str);
    let signature = text("signature").ok_or("no signature")?;
    let beacon = RawBeacon::from_text(&round, signature, text("previous_signature"))
        .map_err(|e| e.to_string())?;
    Ok((beacon, text("chain").map(crate::words::one_line)))
}
