//! What a plain clone can test: published rounds quoted here, a local key, and the arithmetic.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use blst::min_sig::SecretKey;
use drand::{
    Chain, ChainInfo, DEFAULT, DrandError, QUICKNET, RawBeacon, Round, Scheme, latest_published,
    round_for, round_time_ms, scheme::TAG_G1, scheme::TAG_G2,
};
use proptest::prelude::*;

/// Published by the League of Entropy: quicknet round 1001.
const QUICKNET_1001: &str = "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41";
const QUICKNET_1001_RANDOMNESS: &str =
    "b0a591ad1b9002cfc372ac6e30abd3da8d3088d4caae026961743474fb94235f";
/// Published by the League of Entropy: default round 1, which signs the group hash.
const DEFAULT_1: &str = "8d61d9100567de44682506aea1a7a6fa6e5491cd27a0a0ed349ef6910ac5ac20ff7bc3e09d7c046566c9f7f3c6f3b10104990e7cb424998203d8f7de586fb7fa5f60045417a432684f85093b06ca91c769f0e7ca19268375e659c2a2352b4655";
const DEFAULT_GROUP_HASH: &str = "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a";
/// A point of E(F_p) with x = 4 that is outside the prime-order subgroup.
const G1_OUTSIDE_SUBGROUP: &str = "800000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000004";

fn quicknet() -> RawBeacon {
    RawBeacon::from_text("1001", QUICKNET_1001, None).unwrap()
}

fn default_first() -> RawBeacon {
    RawBeacon::from_text("1", DEFAULT_1, Some(DEFAULT_GROUP_HASH)).unwrap()
}

#[test]
fn published_rounds_verify() {
    let beacon = quicknet().validate(&QUICKNET).unwrap();
    assert_eq!(hex::encode(beacon.randomness()), QUICKNET_1001_RANDOMNESS);
    default_first().validate(&DEFAULT).unwrap();
    assert_eq!(quicknet().pinned_chain(), Some(Chain::Quicknet));
    assert_eq!(default_first().pinned_chain(), Some(Chain::Default));
}

#[test]
fn r30_a_beacon_of_another_chain_is_refused() {
    assert_eq!(
        quicknet().validate(&DEFAULT).unwrap_err(),
        DrandError::SignatureLength {
            expected: 96,
            got: 48
        }
    );
    assert_eq!(
        default_first().validate(&QUICKNET).unwrap_err(),
        DrandError::SignatureLength {
            expected: 48,
            got: 96
        }
    );
    let beacon = quicknet().validate(&QUICKNET).unwrap();
    assert!(matches!(
        beacon.matching(&DEFAULT, Round::new(1001).unwrap()),
        Err(DrandError::ChainMismatch { .. })
    ));
}

#[test]
fn r30_the_tag_of_the_other_group_is_refused() {
    let key = SecretKey::key_gen(&[3; 32], &[]).unwrap();
    let chain = ChainInfo::local(&key.sk_to_pk().to_bytes(), 1000, 3).unwrap();
    let message = Scheme::UnchainedG1Rfc9380.message(9, &[]);
    let signed_under = |tag| RawBeacon {
        round: 9,
        signature: key.sign(&message, tag, &[]).to_bytes().to_vec(),
        previous_signature: Vec::new(),
    };
    signed_under(TAG_G1).validate(&chain).unwrap();
    assert_eq!(
        signed_under(TAG_G2).validate(&chain).unwrap_err(),
        DrandError::SignatureInvalid { round: 9 }
    );
}

#[test]
fn r30_each_single_change_of_a_beacon_has_its_own_error() {
    let refused = |change: fn(&mut RawBeacon)| {
        let mut raw = quicknet();
        change(&mut raw);
        raw.validate(&QUICKNET).unwrap_err()
    };
    assert_eq!(
        refused(|b| b.round = 1002),
        DrandError::SignatureInvalid { round: 1002 }
    );
    assert_eq!(refused(|b| b.round = 0), DrandError::RoundZero);
    assert_eq!(
        refused(|b| b.signature[0] ^= 0x20),
        DrandError::SignatureInvalid { round: 1001 },
        "the negated point"
    );
    assert_eq!(
        refused(|b| b.signature[0] &= 0x7f),
        DrandError::SignatureEncoding
    );
    assert_eq!(
        refused(|b| b.signature = [[0xbf].as_slice(), &[0xff; 47]].concat()),
        DrandError::SignatureEncoding,
        "x above the field's modulus"
    );
    assert_eq!(
        refused(|b| b.signature = [[0xc0].as_slice(), &[0; 47]].concat()),
        DrandError::SignatureInfinity
    );
    assert_eq!(
        refused(|b| b.signature = hex::decode(G1_OUTSIDE_SUBGROUP).unwrap()),
        DrandError::SignatureNotInSubgroup
    );
    assert_eq!(
        refused(|b| b.signature.push(0)),
        DrandError::SignatureLength {
            expected: 48,
            got: 49
        }
    );
    assert_eq!(
        refused(|b| b.signature.clear()),
        DrandError::SignatureLength {
            expected: 48,
            got: 0
        }
    );
    assert_eq!(
        refused(|b| b.previous_signature = vec![0; 48]),
        DrandError::PreviousSignatureUnexpected
    );

    let mut missing = default_first();
    missing.previous_signature.clear();
    assert_eq!(
        missing.validate(&DEFAULT).unwrap_err(),
        DrandError::PreviousSignatureMissing
    );
    let mut short = default_first();
    short.previous_signature.pop();
    assert_eq!(
        short.validate(&DEFAULT).unwrap_err(),
        DrandError::PreviousSignatureLength {
            expected: 32,
            got: 31
        }
    );
    let mut flipped = default_first();
    flipped.previous_signature[5] ^= 4;
    assert_eq!(
        flipped.validate(&DEFAULT).unwrap_err(),
        DrandError::SignatureInvalid { round: 1 }
    );
}

#[test]
fn each_bit_of_a_signature_matters() {
    for bit in 0..48 * 8 {
        let mut raw = quicknet();
        raw.signature[bit / 8] ^= 1 << (bit % 8);
        assert!(raw.validate(&QUICKNET).is_err(), "bit {bit}");
    }
}

#[test]
fn text_fields_have_one_spelling() {
    for round in [
        "",
        "-1",
        "+1",
        "1.0",
        "1e3",
        " 1",
        "18446744073709551616",
        "\"1\"",
        "0x1",
    ] {
        let refused = RawBeacon::from_text(round, QUICKNET_1001, None).unwrap_err();
        assert_eq!(refused, DrandError::RoundText, "{round:?}");
    }
    for signature in ["zz", "0", "0xb3", &QUICKNET_1001.to_uppercase()] {
        let refused = RawBeacon::from_text("1001", signature, None).unwrap_err();
        assert_eq!(refused, DrandError::NotHex { field: "signature" });
    }
    let refused = RawBeacon::from_text("1", DEFAULT_1, Some("xy")).unwrap_err();
    assert_eq!(
        refused,
        DrandError::NotHex {
            field: "previous_signature"
        }
    );
}

#[test]
fn the_token_is_for_the_assigned_round_and_the_computed_randomness() {
    let beacon = quicknet().validate(&QUICKNET).unwrap();
    assert_eq!(
        beacon.check_claimed_randomness(&[0; 32]).unwrap_err(),
        DrandError::RandomnessMismatch
    );
    assert_eq!(
        beacon
            .matching(&QUICKNET, Round::new(1000).unwrap())
            .unwrap_err(),
        DrandError::RoundMismatch {
            expected: 1000,
            got: 1001
        }
    );
    let token = quicknet()
        .validate(&QUICKNET)
        .unwrap()
        .matching(&QUICKNET, Round::new(1001).unwrap())
        .unwrap();
    assert_eq!(hex::encode(token.randomness()), QUICKNET_1001_RANDOMNESS);
}

#[test]
fn rounds_of_a_known_document_time() {
    // Timestamp of a genuine document; the rounds follow from the chains' published genesis and period.
    let attested_ms = 1_770_065_027_502;
    assert_eq!(
        round_for(&QUICKNET, attested_ms, 60_000).unwrap().get(),
        25_753_908
    );
    assert_eq!(
        round_for(&DEFAULT, attested_ms, 60_000).unwrap().get(),
        5_821_136
    );
}

#[test]
fn r29_the_round_is_the_ceiling_at_the_edges() {
    let genesis_ms = QUICKNET.genesis_s() * 1000;
    let round = |ms, margin| round_for(&QUICKNET, ms, margin).unwrap().get();
    assert_eq!(round(genesis_ms, 0), 1);
    assert_eq!(round(genesis_ms + 1, 0), 2);
    assert_eq!(round(genesis_ms + 3000, 0), 2);
    assert_eq!(round(genesis_ms + 3001, 0), 3);
    assert_eq!(round(genesis_ms, 60_000), 21);
    assert_eq!(
        round_for(&QUICKNET, genesis_ms - 1, 0).unwrap_err(),
        DrandError::BeforeGenesis {
            time_ms: genesis_ms - 1,
            genesis_ms
        }
    );
    assert_eq!(
        round_for(&QUICKNET, u64::MAX, 1).unwrap_err(),
        DrandError::TimeOverflow
    );
    let last = Round::new(u64::MAX).unwrap();
    assert_eq!(
        round_time_ms(&QUICKNET, last).unwrap_err(),
        DrandError::TimeOverflow
    );
    assert_eq!(Round::new(0).unwrap_err(), DrandError::RoundZero);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r29_round_time_is_at_least_the_margin_and_less_than_a_period_later(
        after_genesis_ms in 0_u64..400_000_000_000_000,
        margin_ms in 0_u64..86_400_000,
        default in any::<bool>(),
    ) {
        let chain = if default { &DEFAULT } else { &QUICKNET };
        let attested_ms = chain.genesis_s() * 1000 + after_genesis_ms;
        let round = round_for(chain, attested_ms, margin_ms).unwrap();
        let wait_ms = round_time_ms(chain, round).unwrap() - attested_ms;
        prop_assert!(wait_ms >= margin_ms);
        prop_assert!(wait_ms < margin_ms + chain.period_s() * 1000);
    }

    #[test]
    fn r28_the_round_is_a_function_of_attested_time_and_margin_alone(
        after_genesis_ms in 1_u64..400_000_000_000_000,
        margin_ms in 1_u64..86_400_000,
    ) {
        let attested_ms = QUICKNET.genesis_s() * 1000 + after_genesis_ms;
        let round = round_for(&QUICKNET, attested_ms, margin_ms).unwrap();
        // Never a round that is already out at the attested time.
        prop_assert!(round > latest_published(&QUICKNET, attested_ms).unwrap());
        // One margin for the sum: only attested + margin matters, nothing else is read.
        prop_assert_eq!(round, round_for(&QUICKNET, attested_ms + margin_ms, 0).unwrap());
    }

    #[test]
    fn no_bytes_make_the_parser_panic_or_pass(
        signature in proptest::collection::vec(any::<u8>(), 0..100),
        round in any::<u64>(),
        previous in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        for chain in [&QUICKNET, &DEFAULT] {
            let raw = RawBeacon { round, signature: signature.clone(), previous_signature: previous.clone() };
            prop_assert!(raw.validate(chain).is_err());
        }
    }
}
