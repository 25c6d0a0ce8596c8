//! A whole SIMULATED ceremony over a Unix socket, and what goes wrong on the way.

use crate::common::{Host, MARGIN_MS, has_modules, initial_key, now_ms, ptau_for};
use drand::Round;
use formats::zkey::ZKey;
use manifest::RawManifest;
use manifest::spec::{CircuitInput, Phase1Family};
use protocol::backing::is_held;
use protocol::convert::kind_from_pb;
use protocol::pb::{ArtifactKind, GetArtifactRequest, SealRequest, Stage};
use protocol::{RemoteError, get_artifact};
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;
use tonic::Code;

async fn fetch(host: &mut Host, kind: ArtifactKind) -> Vec<u8> {
    let held = kind_from_pb(kind.into()).unwrap();
    if is_held(held) {
        let request = GetArtifactRequest {
            kind: kind.into(),
            offset: 0,
        };
        let refused = host.client.get_artifact(request).await.unwrap_err();
        assert_eq!(RemoteError::from(refused).code, "artifact_held");
        return host.files.get(held);
    }
    let mut file = tempfile::tempfile().unwrap();
    let copy = file.try_clone().unwrap();
    get_artifact(&mut host.client, kind, 1 << 30, copy, |_, _| {})
        .await
        .unwrap();
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_ceremony_is_sealed_and_its_manifest_names_what_was_made() {
    if !has_modules() {
        return;
    }
    let mut host = Host::start().await;
    let r1cs = testkit::small_r1cs(6);
    let assigned = host.reach_round_assigned(&r1cs).await;
    assert!(assigned.round_time_ms >= assigned.attested_time_ms + MARGIN_MS);

    // A host that cannot wait, and one that brings another round, move nothing.
    let next = Round::new(assigned.round + 1).unwrap();
    let error = host.apply_beacon(host.chain.sign(next)).await.unwrap_err();
    assert_eq!(error.code, "drand_round_mismatch", "{error:?}");
    assert_eq!(host.stage().await, Stage::RoundAssigned);

    let wait = assigned.round_time_ms.saturating_sub(now_ms());
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let beacon = host.chain.sign(Round::new(assigned.round).unwrap());
    host.apply_beacon(beacon).await.unwrap();
    let sealed = host.client.seal(SealRequest {}).await.unwrap().into_inner();
    assert_eq!(host.stage().await, Stage::Sealed);

    let manifest = RawManifest(sealed.manifest.to_vec()).validate().unwrap();
    assert!(manifest.is_simulation());
    assert_eq!(manifest.spec.circuit.input(), CircuitInput::R1cs);
    for (kind, expected) in [
        (ArtifactKind::R1cs, manifest::ArtifactKind::R1cs),
        (ArtifactKind::FinalZkey, manifest::ArtifactKind::FinalZkey),
        (ArtifactKind::Receipts, manifest::ArtifactKind::Receipts),
        (
            ArtifactKind::VerifierRuntime,
            manifest::ArtifactKind::VerifierRuntime,
        ),
    ] {
        let bytes = fetch(&mut host, kind).await;
        let record = manifest.record(expected).unwrap();
        assert_eq!(
            record.sha256,
            formats::digest::Sha256Digest::of(&bytes),
            "{expected}"
        );
    }
    assert_eq!(
        fetch(&mut host, ArtifactKind::Manifest).await,
        sealed.manifest
    );
    let key = fetch(&mut host, ArtifactKind::FinalZkey).await;
    assert_eq!(ZKey::open(key).unwrap().n_contributions(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn r16_every_command_in_the_wrong_stage_is_refused_and_moves_nothing() {
    let mut host = Host::start().await;
    assert_eq!(host.compile().await.unwrap_err().code, "wrong_stage");
    assert_eq!(host.check_phase1().await.unwrap_err().code, "wrong_stage");
    assert_eq!(
        host.check_initial_key().await.unwrap_err().code,
        "wrong_stage"
    );
    let error = host.contribute().await.unwrap_err();
    assert_eq!(error.code, "wrong_stage");
    assert_eq!(error.grpc, Code::FailedPrecondition);
    let error = host.submit(vec![]).await.unwrap_err();
    assert_eq!(error.code, "wrong_stage");
    let beacon = host.chain.sign(Round::new(1).unwrap());
    let error = host.apply_beacon(beacon).await.unwrap_err();
    assert_eq!(error.code, "wrong_stage");
    let error = host.client.seal(SealRequest {}).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    let request = GetArtifactRequest {
        kind: ArtifactKind::Manifest.into(),
        offset: 0,
    };
    let error = host.client.get_artifact(request).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert_eq!(host.stage().await, Stage::Booted);

    let r1cs = testkit::small_r1cs(6);
    let spec = host.r1cs_spec(&r1cs);
    host.open(&spec).await.unwrap();
    assert_eq!(host.open(&spec).await.unwrap_err().code, "wrong_stage");
    assert_eq!(host.stage().await, Stage::Opened);
}

/// A ceremony that waits for a ptau of this family; the circuit needs power 4.
async fn waiting_for_ptau(family: Phase1Family) -> Host {
    let mut host = Host::start().await;
    let r1cs = testkit::small_r1cs(6);
    let mut fields = (*host.r1cs_spec(&r1cs)).clone();
    fields.phase1_family = family;
    host.open(&fields.validate().unwrap()).await.unwrap();
    host.put(ArtifactKind::R1cs, &r1cs).await.unwrap();
    host.compile().await.unwrap();
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_a_ptau_that_nobody_published_ends_the_ceremony() {
    let mut host = waiting_for_ptau(Phase1Family::Hermez).await;
    let ptau = testkit::development_ptau(4);
    host.put(ArtifactKind::Ptau, &ptau).await.unwrap();
    let error = host.check_phase1().await.unwrap_err();
    assert_eq!(error.code, "ptau_hash", "{error:?}");
    let described = host.describe().await;
    assert_eq!(described.stage(), Stage::Failed);
    assert!(described.failure.starts_with("[ptau_hash]"));
    assert_eq!(host.check_phase1().await.unwrap_err().code, "wrong_stage");
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_the_published_ptau_passes_and_with_one_byte_flipped_it_does_not() {
    let Some(path) = testkit::shared_data("ptau/powersOfTau28_hez_final_08.ptau") else {
        return;
    };
    let genuine = std::fs::read(path).unwrap();
    let mut host = waiting_for_ptau(Phase1Family::Hermez).await;
    host.put(ArtifactKind::Ptau, &genuine).await.unwrap();
    host.check_phase1().await.unwrap();
    assert_eq!(host.stage().await, Stage::Phase1Ready);

    // In a point near the start, in the middle, and the last byte: the structure stays whole.
    for position in [1000, genuine.len() / 2, genuine.len() - 1] {
        let mut flipped = genuine.clone();
        flipped[position] ^= 1;
        let mut host = waiting_for_ptau(Phase1Family::Hermez).await;
        host.put(ArtifactKind::Ptau, &flipped).await.unwrap();
        let error = host.check_phase1().await.unwrap_err();
        assert_eq!(error.code, "ptau_hash", "byte {position}: {error:?}");
        assert_eq!(host.stage().await, Stage::Failed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_a_published_ptau_of_another_power_or_family_is_refused() {
    let (Some(power9), Some(power8)) = (
        testkit::shared_data("ptau/powersOfTau28_hez_final_09.ptau"),
        testkit::shared_data("ptau/powersOfTau28_hez_final_08.ptau"),
    ) else {
        return;
    };
    // A larger one is refused by its size, before a byte of it is taken.
    let mut host = waiting_for_ptau(Phase1Family::Hermez).await;
    let larger = std::fs::read(power9).unwrap();
    let error = host.put(ArtifactKind::Ptau, &larger).await.unwrap_err();
    assert_eq!(error.code(), "artifact_too_large");
    assert_eq!(host.stage().await, Stage::Compiled);
    // The other family publishes power 4, which is smaller than this file.
    let mut host = waiting_for_ptau(Phase1Family::Ppot0080).await;
    let other = std::fs::read(power8).unwrap();
    let error = host.put(ArtifactKind::Ptau, &other).await.unwrap_err();
    assert_eq!(error.code(), "artifact_too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn r11_a_truncated_ptau_is_refused_by_its_structure() {
    let ptau = testkit::development_ptau(4);
    let mut host = waiting_for_ptau(Phase1Family::Development).await;
    host.put(ArtifactKind::Ptau, &ptau[..ptau.len() - 1])
        .await
        .unwrap();
    let error = host.check_phase1().await.unwrap_err();
    assert_eq!(error.code, "binfile_section_overrun");
    assert_eq!(host.stage().await, Stage::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_one_changed_byte_in_each_section_of_the_initial_key_ends_the_ceremony() {
    let r1cs = testkit::small_r1cs(6);
    let ptau = ptau_for(&r1cs);
    let key = initial_key(&r1cs, &ptau);
    let table = ZKey::open(key.clone()).unwrap().table().clone();
    let mut seen = Vec::new();
    for id in 2..=10 {
        let section = table.get(id).unwrap();
        let at = usize::try_from(section.offset + section.size / 2).unwrap();
        let mut changed = key.clone();
        changed[at] ^= 1;
        let mut host = Host::start().await;
        host.reach_phase1_ready(&r1cs, &ptau).await;
        host.put(ArtifactKind::InitialZkey, &changed).await.unwrap();
        seen.push((id, host.check_initial_key().await.unwrap_err().code));
        assert_eq!(host.stage().await, Stage::Failed);
        assert_eq!(host.contribute().await.unwrap_err().code, "wrong_stage");
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
            (10, "check_circuit_hash"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_an_initial_key_that_already_has_a_contribution_ends_the_ceremony() {
    let r1cs = testkit::small_r1cs(6);
    let ptau = ptau_for(&r1cs);
    let initial = ZKey::open(initial_key(&r1cs, &ptau)).unwrap();
    let beacon = formats::zkey::BeaconParams::new(10, b"chosen by the host").unwrap();
    let mut contributed = Vec::new();
    phase2::beacon::apply_beacon(
        &initial,
        &beacon,
        None,
        &mut contributed,
        &formats::progress::NoProgress,
    )
    .unwrap();
    let mut host = Host::start().await;
    host.reach_phase1_ready(&r1cs, &ptau).await;
    host.put(ArtifactKind::InitialZkey, &contributed)
        .await
        .unwrap();
    let error = host.check_initial_key().await.unwrap_err();
    assert_eq!(error.code, "check_unexpected_contributions");
    assert_eq!(host.stage().await, Stage::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_an_initial_key_by_the_outdated_hash_rule_ends_the_ceremony() {
    let r1cs = testkit::small_r1cs(6);
    let ptau = ptau_for(&r1cs);
    let current = initial_key(&r1cs, &ptau);
    let outdated = testkit::outdated_initial_key(&current, &ptau);
    let hash = |key: &[u8]| ZKey::open(key.to_vec()).unwrap().circuit_hash();
    assert_ne!(hash(&current), hash(&outdated));
    let mut host = Host::start().await;
    host.reach_phase1_ready(&r1cs, &ptau).await;
    host.put(ArtifactKind::InitialZkey, &outdated)
        .await
        .unwrap();
    let error = host.check_initial_key().await.unwrap_err();
    assert_eq!(error.code, "initial_key_rule");
    assert_eq!(host.stage().await, Stage::Failed);
    let failure = host.describe().await.failure;
    assert!(failure.contains("initial_key_rule"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r13_another_r1cs_than_the_spec_s_ends_the_ceremony() {
    let mut host = Host::start().await;
    let spec = host.r1cs_spec(&testkit::small_r1cs(6));
    host.open(&spec).await.unwrap();
    host.put(ArtifactKind::R1cs, &testkit::small_r1cs(7))
        .await
        .unwrap();
    assert_eq!(host.compile().await.unwrap_err().code, "circuit_digest");
    assert_eq!(host.stage().await, Stage::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_certificate_and_a_missing_one_move_nothing() {
    let mut host = Host::start().await;
    let r1cs = testkit::small_r1cs(6);
    let ptau = ptau_for(&r1cs);
    host.reach_phase1_ready(&r1cs, &ptau).await;
    let key = initial_key(&r1cs, &ptau);
    host.put(ArtifactKind::InitialZkey, &key).await.unwrap();
    host.check_initial_key().await.unwrap();
    host.contribute().await.unwrap();
    let certificates = host.attest().await;
    let error = host.submit(certificates[1..].to_vec()).await.unwrap_err();
    assert_eq!(error.code, "certificate_count");
    let mut changed = certificates.clone();
    changed[4][100] ^= 1;
    let error = host.submit(changed).await.unwrap_err();
    assert_eq!(error.code, "certificate");
    assert_eq!(host.stage().await, Stage::Committed);
    host.submit(certificates).await.unwrap();
    assert_eq!(host.stage().await, Stage::RoundAssigned);
}
