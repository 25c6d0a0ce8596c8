//! Real rounds of three chains and the cases that must be refused, from the folder of foreign data.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use drand::{
    ChainInfo, DrandError, RawBeacon, RawChainInfo, Round, latest_published, round_time_ms,
};
use serde_json::Value;

#[test]
fn real_rounds_of_each_chain_verify() {
    for name in ["default", "quicknet", "fastnet"] {
        let Some(file) = read(&format!("drand/{name}.json")) else {
            return;
        };
        let chain = chain(&file);
        match name {
            "default" => assert_eq!(chain, drand::DEFAULT),
            "quicknet" => assert_eq!(chain, drand::QUICKNET),
            _ => {}
        }
        let rounds = file["rounds"].as_array().unwrap();
        assert!(!rounds.is_empty());
        for round in rounds {
            let beacon = judge(&chain, round).unwrap_or_else(|e| panic!("{name} {round}: {e}"));
            assert_eq!(beacon.round().get(), round["round"].as_u64().unwrap());
        }
    }
}

#[test]
fn r30_beacons_of_other_chains_are_refused() {
    let names = ["default", "quicknet", "fastnet"];
    for mine in names {
        for other in names {
            let (Some(a), Some(b)) = (
                read(&format!("drand/{mine}.json")),
                read(&format!("drand/{other}.json")),
            ) else {
                return;
            };
            if mine == other {
                continue;
            }
            let chain = chain(&a);
            for round in b["rounds"].as_array().unwrap() {
                let refused = judge(&chain, round).unwrap_err();
                let length = |beacon: &Value| beacon["signature"].as_str().unwrap().len() / 2;
                if length(round) == chain.scheme().signature_len() {
                    let round = round["round"].as_u64().unwrap();
                    assert_eq!(refused, DrandError::SignatureInvalid { round });
                } else {
                    assert_eq!(
                        refused,
                        DrandError::SignatureLength {
                            expected: chain.scheme().signature_len(),
                            got: length(round)
                        }
                    );
                }
            }
        }
    }
}

#[test]
fn r30_each_invalid_case_is_refused_with_its_own_error() {
    let Some(cases) = read("drand/invalid.json") else {
        return;
    };
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 45);
    for case in cases {
        let chain_name = case["chain"].as_str().unwrap();
        let Some(file) = read(&format!("drand/{chain_name}.json")) else {
            return;
        };
        let chain = chain(&file);
        let name = case["name"].as_str().unwrap();
        let refused = judge(&chain, &case["beacon"]).unwrap_err();
        let expected = expected_error(name, chain_name, &chain, &case["beacon"]);
        assert_eq!(refused, expected, "{chain_name} {name}");
        // What the file leaves to policy is refused too: one beacon, one spelling.
        assert!(["reject", "policy"].contains(&case["expect"].as_str().unwrap()));
    }
}

fn expected_error(name: &str, chain_name: &str, chain: &ChainInfo, beacon: &Value) -> DrandError {
    let invalid = || DrandError::SignatureInvalid {
        round: beacon["round"].as_u64().unwrap(),
    };
    let expected = chain.scheme().signature_len();
    match name {
        "wrong_round_plus1"
        | "sig_of_other_round"
        | "beacon_of_other_chain"
        | "prev_bit_flip"
        | "prev_of_other_round" => invalid(),
        "sig_bit_flip" if chain_name == "quicknet" => DrandError::SignatureNotOnCurve,
        "sig_bit_flip" | "sig_not_in_subgroup" => DrandError::SignatureNotInSubgroup,
        "randomness_mismatch" => DrandError::RandomnessMismatch,
        "sig_truncated" => DrandError::SignatureLength {
            expected,
            got: expected - 1,
        },
        "sig_empty" => DrandError::SignatureLength { expected, got: 0 },
        "sig_nonhex" => DrandError::NotHex { field: "signature" },
        "round_zero" => DrandError::RoundZero,
        "round_negative" | "round_2p64" | "round_string" => DrandError::RoundText,
        "sig_infinity" => DrandError::SignatureInfinity,
        "prev_missing" => DrandError::PreviousSignatureMissing,
        "extra_previous_signature" => DrandError::PreviousSignatureUnexpected,
        other => panic!("case {other} is not known here"),
    }
}

#[test]
fn round_arithmetic_at_the_edges() {
    let Some(cases) = read("drand/round_at.json") else {
        return;
    };
    for case in cases.as_array().unwrap() {
        let Some(file) = read(&format!("drand/{}.json", case["chain"].as_str().unwrap())) else {
            return;
        };
        let chain = chain(&file);
        let ms = case["unix_seconds"].as_u64().unwrap() * 1000;
        match case["round_at"].as_u64() {
            Some(number) => {
                let round = latest_published(&chain, ms).unwrap();
                assert_eq!(round, Round::new(number).unwrap());
                assert_eq!(
                    round_time_ms(&chain, round).unwrap(),
                    case["round_time"].as_u64().unwrap() * 1000
                );
            }
            None => assert_eq!(
                latest_published(&chain, ms).unwrap_err(),
                DrandError::BeforeGenesis {
                    time_ms: ms,
                    genesis_ms: chain.genesis_s() * 1000
                }
            ),
        }
    }
}

/// As a relay's client does: fields from JSON, then the signature, then the claimed randomness.
fn judge(chain: &ChainInfo, beacon: &Value) -> Result<drand::Beacon, DrandError> {
    let checked = RawBeacon::from_text(
        &beacon["round"].to_string(),
        beacon["signature"].as_str().unwrap(),
        beacon
            .get("previous_signature")
            .map(|value| value.as_str().unwrap()),
    )?
    .validate(chain)?;
    checked
        .check_claimed_randomness(&hex::decode(beacon["randomness"].as_str().unwrap()).unwrap())?;
    Ok(checked)
}

fn chain(file: &Value) -> ChainInfo {
    let info = &file["chain_info"];
    let bytes = |key: &str| hex::decode(info[key].as_str().unwrap()).unwrap();
    RawChainInfo {
        hash: bytes("hash").try_into().unwrap(),
        public_key: bytes("public_key"),
        genesis_s: info["genesis_time"].as_u64().unwrap(),
        period_s: info["period"].as_u64().unwrap(),
        group_hash: bytes("groupHash").try_into().unwrap(),
        scheme_id: info["schemeID"].as_str().unwrap(),
        beacon_id: info["metadata"]["beaconID"].as_str().unwrap(),
    }
    .validate()
    .unwrap()
}

fn read(relative: &str) -> Option<Value> {
    let path = testkit::shared_data(relative)?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}
