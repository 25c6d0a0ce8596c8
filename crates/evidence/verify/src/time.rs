//! Beacon and time: the round was not known when the contribution was committed to.

use drand::{Chain, RawBeacon, Round, round_for, round_time_ms};
use manifest::ArtifactKind;
use manifest::beacon_json::{BeaconJson, MAX_BEACON_BYTES};
use manifest::report::utc;

use crate::checklist::{Checklist, Outcome, StepId, Why, fact};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::opening::{Attested, Opened, manifest_attested};
use crate::options::VerifyOptions;

/// Least margin on quicknet: ten rounds.
const LEAST_MARGIN_QUICKNET_MS: u64 = 30_000;
/// Least margin on drand's default chain: two rounds.
const LEAST_MARGIN_DEFAULT_MS: u64 = 60_000;

pub(crate) fn check(
    folder: &Folder,
    opened: &Opened,
    attested: Option<Attested>,
    options: &VerifyOptions<'_>,
    list: &mut Checklist,
) {
    list.record(StepId::Margin, margin(opened, options));
    let beacon = read_beacon(folder);
    let Some(attested) = attested else {
        for step in [StepId::Round, StepId::TimeOrder] {
            list.skip(step, Why::Blocked(StepId::Attestation1));
        }
        list.record(
            StepId::Beacon,
            beacon.and_then(|json| genuine(opened, json, None)),
        );
        return;
    };
    let assigned = assigned_round(opened, &attested);
    let round = assigned.as_ref().ok().copied();
    list.record(
        StepId::Round,
        assigned.and_then(|round| same_round(opened, round)),
    );
    list.record(
        StepId::Beacon,
        beacon.and_then(|json| genuine(opened, json, round)),
    );
    if let Some(round) = round {
        list.record(StepId::TimeOrder, time_order(opened, &attested, round));
    } else {
        list.skip(StepId::TimeOrder, Why::Blocked(StepId::Round));
    }
}

/// the margin is the policy's at least; the local chain only exists under simulation trust.
fn margin(opened: &Opened, options: &VerifyOptions<'_>) -> Outcome {
    let spec = &opened.manifest.spec;
    let got = spec.beacon.margin_ms;
    let least = match spec.chain() {
        Chain::Quicknet => LEAST_MARGIN_QUICKNET_MS,
        Chain::Default => LEAST_MARGIN_DEFAULT_MS,
        Chain::Local(_) if options.is_simulation() => 0,
        Chain::Local(_) => {
            return Err(Failure::Simulated {
                part: "the beacon chain",
            });
        }
    };
    if got < least {
        return Err(Failure::Margin {
            chain: spec.beacon.chain.as_str(),
            least,
            got,
        });
    }
    Ok(vec![
        fact("margin", &format!("{got} ms")),
        fact("beacon chain", &spec.beacon.chain),
    ])
}

/// The round that document 1's time assigns. No other time counts.
fn assigned_round(opened: &Opened, attested: &Attested) -> Result<Round, Failure> {
    let spec = &opened.manifest.spec;
    let attested_ms = attested.contribution.time_ms();
    expect(
        "contribution.attested_time_ms",
        attested_ms,
        opened.manifest.contribution.attested_time_ms,
    )?;
    Ok(round_for(
        spec.chain().info(),
        attested_ms,
        spec.beacon.margin_ms,
    )?)
}

fn same_round(opened: &Opened, assigned: Round) -> Outcome {
    expect("beacon.round", assigned.get(), opened.manifest.beacon.round)?;
    Ok(vec![fact("round", &assigned)])
}

fn read_beacon(folder: &Folder) -> Result<BeaconJson, Failure> {
    let limit = u64::try_from(MAX_BEACON_BYTES).unwrap_or(u64::MAX);
    let bytes = folder.read(ArtifactKind::Beacon.name(), limit)?;
    Ok(BeaconJson::parse(&bytes)?)
}

/// the signature holds under the chain of the spec and the randomness follows from it.
fn genuine(opened: &Opened, json: BeaconJson, assigned: Option<Round>) -> Outcome {
    let (spec, facts) = (&opened.manifest.spec, &opened.manifest.beacon);
    if json.chain != spec.beacon.chain {
        let (expected, got) = (spec.beacon.chain.to_string(), json.chain.to_string());
        return Err(Failure::Value {
            what: "chain in beacon.json",
            expected,
            got,
        });
    }
    let raw = RawBeacon {
        round: json.round,
        signature: json.signature,
        previous_signature: json.previous_signature.unwrap_or_default(),
    };
    let beacon = raw.validate(spec.chain().info())?;
    beacon.check_claimed_randomness(&json.randomness)?;
    beacon.check_claimed_randomness(&facts.randomness)?;
    let round = assigned.map_or_else(|| Round::new(facts.round), Ok)?;
    let matched = beacon.matching(spec.chain().info(), round)?;
    Ok(vec![
        fact("chain hash", &hex::encode(spec.chain().info().hash())),
        fact("round", &matched.round()),
        fact("randomness", &hex::encode(matched.randomness())),
    ])
}

/// T1 + margin ≤ round time ≤ T2, and document 2 comes from document 1's enclave.
fn time_order(opened: &Opened, attested: &Attested, round: Round) -> Outcome {
    let manifest = &opened.manifest;
    let info = manifest.spec.chain().info();
    let round_ms = round_time_ms(info, round)?;
    expect(
        "beacon.round_time_ms",
        round_ms,
        manifest.beacon.round_time_ms,
    )?;
    let committed_ms = attested.contribution.time_ms();
    let earliest_ms = committed_ms.saturating_add(manifest.spec.beacon.margin_ms);
    if round_ms < earliest_ms {
        return Err(Failure::TimeOrder {
            earlier: "the end of the margin",
            earlier_ms: earliest_ms,
            later: "the beacon round",
            later_ms: round_ms,
        });
    }
    let sealed = manifest_attested(opened, attested, round)?;
    Ok(vec![
        fact("contribution attested", &utc(committed_ms)),
        fact("beacon published", &utc(round_ms)),
        fact("manifest attested", &utc(sealed.time().0)),
    ])
}

fn expect(what: &'static str, expected: u64, got: u64) -> Result<(), Failure> {
    if expected == got {
        return Ok(());
    }
    Err(Failure::Value {
        what,
        expected: expected.to_string(),
        got: got.to_string(),
    })
}
