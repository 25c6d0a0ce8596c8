//! final.zkey: its shape, its contributions, and its beacon undone.

use std::io;

use formats::curve::Bn128;
use formats::digest::HashingWriter;
use formats::r1cs::R1cs;
use formats::source::FileSource;
use formats::zkey::{BeaconParams, ZKey};
use manifest::manifest::Manifest;
use manifest::{ArtifactKind, Predecessor, PredecessorKind};
use phase2::check::{ContributionReport, check_chain};

use crate::checklist::{Checklist, Fact, Outcome, StepId, Why, fact};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::opening::Opened;
use crate::options::{Depth, VerifyOptions};

const STEPS: [StepId; 5] = [
    StepId::R1cs,
    StepId::KeyHeader,
    StepId::Contributions,
    StepId::BeaconRecord,
    StepId::BeaconUndo,
];

pub(crate) fn check(
    folder: &Folder,
    opened: &Opened,
    options: &VerifyOptions<'_>,
    list: &mut Checklist,
) {
    let manifest = &opened.manifest;
    if options.depth < Depth::Artifacts {
        for step in STEPS {
            list.skip(step, Why::Depth);
        }
        return;
    }
    list.record(StepId::R1cs, r1cs(folder, manifest));
    let key = match open_key(folder) {
        Ok(key) => key,
        Err(failure) => {
            list.record(StepId::KeyHeader, Err(failure));
            return;
        }
    };
    list.record(StepId::KeyHeader, header(&key, manifest));
    match check_chain(&key, &options.challenge("chain"), options.progress) {
        Ok(chain) => {
            list.record(
                StepId::Contributions,
                contributions(&chain.contributions, manifest),
            );
            list.record(
                StepId::BeaconRecord,
                beacon_record(&chain.contributions, manifest),
            );
        }
        Err(error) => {
            list.record(StepId::Contributions, Err(error.into()));
        }
    }
    list.record(StepId::BeaconUndo, undo(&key, manifest, options));
}

pub(crate) fn open_key(folder: &Folder) -> Result<ZKey<FileSource>, Failure> {
    Ok(ZKey::open(folder.open(ArtifactKind::FinalZkey.name())?)?)
}

fn r1cs(folder: &Folder, manifest: &Manifest) -> Outcome {
    let r1cs = R1cs::open(folder.open(ArtifactKind::R1cs.name())?)?;
    let (header, facts) = (r1cs.header(), &manifest.circuit);
    equal(
        "circuit.constraints",
        header.n_constraints,
        facts.constraints,
    )?;
    equal("circuit.wires", header.n_wires, facts.wires)?;
    equal("circuit.outputs", header.n_outputs, facts.outputs)?;
    equal(
        "circuit.public_inputs",
        header.n_public_inputs,
        facts.public_inputs,
    )?;
    equal(
        "circuit.private_inputs",
        header.n_private_inputs,
        facts.private_inputs,
    )?;
    equal("circuit.power", header.power(), facts.power)?;
    Ok(vec![
        fact("constraints", &facts.constraints),
        fact("wires", &facts.wires),
    ])
}

fn equal<T: Copy + PartialEq + ToString>(
    what: &'static str,
    expected: T,
    got: T,
) -> Result<(), Failure> {
    if expected == got {
        return Ok(());
    }
    Err(Failure::Value {
        what,
        expected: expected.to_string(),
        got: got.to_string(),
    })
}

fn header(key: &ZKey<FileSource>, manifest: &Manifest) -> Outcome {
    let (header, facts) = (key.header(), &manifest.circuit);
    let n_public = u64::from(facts.outputs) + u64::from(facts.public_inputs);
    equal(
        "public signals of final.zkey",
        n_public,
        u64::from(header.n_public),
    )?;
    equal("wires of final.zkey", facts.wires, header.n_vars)?;
    equal("power of final.zkey", facts.power, header.power())?;
    equal(
        "circuit hash of final.zkey",
        manifest.circuit_hash,
        key.circuit_hash(),
    )?;
    let points = key.key_points::<Bn128>()?;
    if points.delta2 == points.gamma2 {
        return Err(Failure::DeltaIsGamma);
    }
    Ok(vec![fact("circuit hash", &manifest.circuit_hash)])
}

/// the manifest's predecessors and two contributions, known by their hashes. Names are shown as
/// what they are.
fn contributions(reports: &[ContributionReport], manifest: &Manifest) -> Outcome {
    let before = manifest.predecessors.len();
    let count = || Failure::ContributionCount {
        expected: before.saturating_add(2),
        got: reports.len(),
    };
    let (predecessors, own) = reports.split_at_checked(before).ok_or_else(count)?;
    let [contribution, beacon] = own else {
        return Err(count());
    };
    if contribution.beacon.is_some() {
        return Err(Failure::ContributionKind { index: before });
    }
    if beacon.beacon.is_none() {
        let index = before.saturating_add(1);
        return Err(Failure::ContributionKind { index });
    }
    let mut seen = predecessors_seen(predecessors, manifest)?;
    let facts = &manifest.contribution;
    equal("hash of the contribution", facts.hash, contribution.hash)?;
    equal(
        "hash of the beacon's contribution",
        facts.beacon_hash,
        beacon.hash,
    )?;
    seen.push(fact("contribution hash", &contribution.hash));
    seen.push(fact("beacon hash", &beacon.hash));
    for (report, whose) in [(contribution, "contribution"), (beacon, "beacon")] {
        if let Some(name) = &report.unauthenticated_name {
            seen.push(fact(
                format!("name of the {whose} (unauthenticated)"),
                &name.to_text(),
            ));
        }
    }
    Ok(seen)
}

/// The contributions that the enclave found in its initial key are those of the final key.
fn predecessors_seen(
    reports: &[ContributionReport],
    manifest: &Manifest,
) -> Result<Vec<Fact>, Failure> {
    let mut seen = Vec::new();
    for (number, (report, expected)) in reports.iter().zip(&manifest.predecessors).enumerate() {
        let name = report.unauthenticated_name.as_ref();
        let got = Predecessor {
            hash: report.hash,
            kind: match report.beacon {
                None => PredecessorKind::Contribution,
                Some(_) => PredecessorKind::Beacon,
            },
            unauthenticated_name: name.map_or_else(Vec::new, |name| name.as_bytes().to_vec()),
        };
        if got != *expected {
            return Err(Failure::Value {
                what: "a contribution before the enclave's",
                expected: expected.to_string(),
                got: got.to_string(),
            });
        }
        let title = format!(
            "before the enclave: {} {}",
            number.saturating_add(1),
            got.kind
        );
        seen.push(fact(&*title, &got.hash));
        if let Some(name) = name {
            seen.push(fact(
                format!("{title}, name (unauthenticated)"),
                &name.to_text(),
            ));
        }
    }
    Ok(seen)
}

/// the record carries the verified randomness and the spec's iterations.
fn beacon_record(reports: &[ContributionReport], manifest: &Manifest) -> Outcome {
    let beacon = reports.last().and_then(|last| last.beacon.as_ref());
    let index = reports.len().saturating_sub(1);
    let beacon: &BeaconParams = beacon.ok_or(Failure::ContributionKind { index })?;
    let randomness = hex::encode(manifest.beacon.randomness);
    equal(
        "beacon value in final.zkey",
        randomness.as_str(),
        hex::encode(beacon.value()).as_str(),
    )?;
    let exponent = manifest.spec.beacon.iterations_exp;
    equal(
        "beacon iterations in final.zkey",
        exponent,
        beacon.iterations_exp(),
    )?;
    Ok(vec![
        fact("beacon value", &hex::encode(beacon.value())),
        fact("iterations", &format!("2^{exponent}")),
    ])
}

/// the beacon's step is public, so it can be undone; what was there before is what document 1
/// covers. The rebuilt file goes into a hash and nowhere else.
fn undo(key: &ZKey<FileSource>, manifest: &Manifest, options: &VerifyOptions<'_>) -> Outcome {
    let mut out = HashingWriter::new(io::sink());
    phase2::beacon::undo_beacon(key, &mut out, options.progress)?;
    let (_, digests) = out.finish();
    let record = &manifest.contribution_zkey;
    equal(
        "sha256 of the rebuilt 0001.zkey",
        record.sha256,
        digests.sha256,
    )?;
    equal("size of the rebuilt 0001.zkey", record.size, digests.size)?;
    if let Some(expected) = record.blake2b512 {
        equal(
            "blake2b512 of the rebuilt 0001.zkey",
            expected,
            digests.blake2b512,
        )?;
    }
    Ok(vec![fact("sha256 of 0001.zkey", &digests.sha256)])
}
