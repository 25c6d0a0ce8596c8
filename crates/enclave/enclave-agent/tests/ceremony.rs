//! A whole SIMULATED ceremony over a Unix socket, and what goes wrong on the way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::panic,
    reason = "tests"
)]

mod common;

use common::{Host, has_modules, initial_key, now_ms, ptau_for};
use drand::Round;
use formats::zkey::ZKey;
use manifest::{RawManifest, spec::CircuitInput};
use protocol::get_artifact;
use protocol::pb::{ArtifactKind, GetArtifactRequest, SealRequest, Stage};
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;
use tonic::Code;

async fn fetch(host: &mut Host, kind: ArtifactKind) -> Vec<u8> {
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
    let assigned = host.to_round_assigned(&r1cs).await;
    assert!(assigned.round_time_ms >= assigned.attested_time_ms + common::MARGIN_MS);

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

#[tokio::test(flavor = "multi_thread")]
async fn r10_a_ptau_with_a_flipped_byte_is_not_the_published_one() {
    let mut host = Host::start().await;
    let r1cs = testkit::small_r1cs(6);
    let mut fields = (*host.r1cs_spec(&r1cs)).clone();
    fields.phase1_family = manifest::spec::Phase1Family::Ppot0080;
    let spec = fields.validate().unwrap();
    host.open(&spec).await.unwrap();
    host.put(ArtifactKind::R1cs, &r1cs).await.unwrap();
    host.compile().await.unwrap();
    host.put(ArtifactKind::Ptau, &ptau_for(&r1cs))
        .await
        .unwrap();
    let error = host.check_phase1().await.unwrap_err();
    assert_eq!(error.code, "ptau_hash", "{error:?}");
    let described = host.describe().await;
    assert_eq!(described.stage(), Stage::Failed);
    assert!(described.failure.starts_with("[ptau_hash]"));
    assert_eq!(host.check_phase1().await.unwrap_err().code, "wrong_stage");
}

#[tokio::test(flavor = "multi_thread")]
async fn r11_a_truncated_ptau_is_refused() {
    let mut host = Host::start().await;
    let r1cs = testkit::small_r1cs(6);
    let ptau = ptau_for(&r1cs);
    let spec = host.r1cs_spec(&r1cs);
    host.open(&spec).await.unwrap();
    host.put(ArtifactKind::R1cs, &r1cs).await.unwrap();
    host.compile().await.unwrap();
    host.put(ArtifactKind::Ptau, &ptau[..ptau.len() - 1])
        .await
        .unwrap();
    host.check_phase1().await.unwrap_err();
    assert_eq!(host.stage().await, Stage::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_an_initial_key_with_one_changed_point_ends_the_ceremony() {
    let mut host = Host::start().await;
    let r1cs = testkit::small_r1cs(6);
    let ptau = ptau_for(&r1cs);
    host.to_phase1_ready(&r1cs, &ptau).await;
    let mut key = initial_key(&r1cs, &ptau);
    // The last section written is not the header: a point of a long section changes.
    let middle = key.len() / 2;
    key[middle] ^= 1;
    host.put(ArtifactKind::InitialZkey, &key).await.unwrap();
    host.check_initial_key().await.unwrap_err();
    assert_eq!(host.stage().await, Stage::Failed);
    assert_eq!(host.contribute().await.unwrap_err().code, "wrong_stage");
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
    host.to_phase1_ready(&r1cs, &ptau).await;
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
