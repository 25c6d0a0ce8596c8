//! Keys that others have contributed to: what the enclave takes, and what it refuses.

use crate::common::{Host, has_modules, initial_key, now_ms, ptau_for};
use drand::Round;
use formats::curve::Bn128;
use formats::digest::Sha256Digest;
use formats::progress::NoProgress;
use formats::zkey::{BeaconParams, ContributionKind, ContributionName, ZKey};
use manifest::{InitialSpec, PredecessorKind, RawManifest};
use phase2::contribution::{ContributionKey, Secrecy, apply};
use protocol::RemoteError;
use protocol::pb::{ArtifactKind, SealRequest, Stage};
use std::time::Duration;

fn contributed(before: Vec<u8>, seed: u8) -> Vec<u8> {
    let key = ContributionKey::<Bn128>::from_seed(&[seed; 32]);
    let name = ContributionName::new(b"Ann").unwrap();
    let mut out = Vec::new();
    apply(
        &ZKey::open(before).unwrap(),
        &key,
        Secrecy::Public,
        ContributionKind::Ordinary,
        name,
        &mut out,
        &NoProgress,
    )
    .unwrap();
    out
}

fn with_beacon(before: Vec<u8>) -> Vec<u8> {
    let params = BeaconParams::new(10, b"a public value").unwrap();
    let mut out = Vec::new();
    phase2::beacon::apply_beacon(
        &ZKey::open(before).unwrap(),
        &params,
        None,
        &mut out,
        &NoProgress,
    )
    .unwrap();
    out
}

struct Files {
    r1cs: Vec<u8>,
    ptau: Vec<u8>,
    fresh: Vec<u8>,
    /// One contribution, a beacon, one contribution.
    chain: Vec<u8>,
}

fn files() -> Files {
    let r1cs = testkit::small_r1cs(6);
    let ptau = ptau_for(&r1cs);
    let fresh = initial_key(&r1cs, &ptau);
    let chain = contributed(with_beacon(contributed(fresh.clone(), 1)), 2);
    Files {
        r1cs,
        ptau,
        fresh,
        chain,
    }
}

/// A ceremony whose spec names `named`, and which got `given`: how the check ends.
async fn check(files: &Files, named: Option<&[u8]>, given: &[u8]) -> (Host, Option<RemoteError>) {
    let mut host = Host::start().await;
    let mut fields = (*host.r1cs_spec(&files.r1cs)).clone();
    if let Some(named) = named {
        let sha256 = Sha256Digest::of(named);
        fields.initial = InitialSpec::Chain { sha256 };
    }
    host.open(&fields.validate().unwrap()).await.unwrap();
    host.put(ArtifactKind::R1cs, &files.r1cs).await.unwrap();
    host.compile().await.unwrap();
    host.put(ArtifactKind::Ptau, &files.ptau).await.unwrap();
    host.check_phase1().await.unwrap();
    host.put(ArtifactKind::InitialZkey, given).await.unwrap();
    let end = host.check_initial_key().await.err();
    (host, end)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_contributions_is_continued_and_the_manifest_names_them() {
    if !has_modules() {
        return;
    }
    let files = files();
    let (mut host, end) = check(&files, Some(&files.chain), &files.chain).await;
    assert!(end.is_none(), "{end:?}");
    host.contribute().await.unwrap();
    let certificates = host.attest().await;
    let assigned = host.submit(certificates).await.unwrap();
    let wait = assigned.round_time_ms.saturating_sub(now_ms());
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let beacon = host.chain.sign(Round::new(assigned.round).unwrap());
    host.apply_beacon(beacon).await.unwrap();
    let sealed = host.client.seal(SealRequest {}).await.unwrap().into_inner();
    let manifest = RawManifest(sealed.manifest.to_vec()).validate().unwrap();
    let kinds: Vec<_> = manifest.predecessors.iter().map(|p| p.kind).collect();
    assert_eq!(
        kinds,
        [
            PredecessorKind::Contribution,
            PredecessorKind::Beacon,
            PredecessorKind::Contribution
        ]
    );
    assert_eq!(manifest.predecessors[0].unauthenticated_name, b"Ann");
    let key = host.files.get(manifest::ArtifactKind::FinalZkey);
    assert_eq!(ZKey::open(key).unwrap().n_contributions(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_another_key_than_the_spec_s_ends_the_ceremony() {
    let files = files();
    let longer = contributed(files.chain.clone(), 3);
    for (named, given, expected) in [
        (Some(&files.chain), &longer, "initial_key_digest"),
        (Some(&files.chain), &files.fresh, "initial_key_digest"),
        (Some(&files.fresh), &files.fresh, "check_no_contributions"),
        (None, &files.chain, "check_unexpected_contributions"),
    ] {
        let named = named.map(Vec::as_slice);
        let (mut host, end) = check(&files, named, given).await;
        assert_eq!(end.unwrap().code, expected);
        assert_eq!(host.stage().await, Stage::Failed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_one_changed_byte_in_each_section_of_a_continued_key_ends_the_ceremony() {
    let files = files();
    let table = ZKey::open(files.chain.clone()).unwrap().table().clone();
    let mut seen = Vec::new();
    for id in 2..=10 {
        let section = table.get(id).unwrap();
        let mut at = usize::try_from(section.offset + section.size / 2).unwrap();
        if id == 10 {
            // The first record's proof.
            at = usize::try_from(section.offset).unwrap() + 68 + 70;
        }
        let mut changed = files.chain.clone();
        changed[at] ^= 1;
        // The requester named the changed file: the digest does not help.
        let (mut host, end) = check(&files, Some(&changed), &changed).await;
        seen.push((id, end.unwrap().code));
        assert_eq!(host.stage().await, Stage::Failed);
    }
    let seen: Vec<(u32, &str)> = seen.iter().map(|(id, code)| (*id, code.as_str())).collect();
    assert_eq!(
        seen,
        [
            (2, "zkey_header_point"),
            (3, "point_not_on_curve"),
            (4, "check_coefficient"),
            (5, "point_not_on_curve"),
            (6, "point_not_on_curve"),
            (7, "point_not_on_curve"),
            (8, "point_not_on_curve"),
            (9, "point_not_on_curve"),
            (10, "zkey_contribution_point"),
        ]
    );
}
