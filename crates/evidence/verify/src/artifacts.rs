//! Every file against its record, the receipts, the sources, phase 1, and what follows from the rest.

use std::path::Path;

use formats::digest::{Blake2b512Digest, FileDigests, Sha256Digest, hash_source};
use formats::ptau::published::{self, PtauFamily};
use formats::source::{FileSource, Source};
use manifest::manifest::Manifest;
use manifest::receipt::Records;
use manifest::report::{self, REPORT_FILE};
use manifest::sources::{MAX_FILE_BYTES, SourceBundle, SourcePath};
use manifest::spec::{CircuitSpec, Phase1Family};
use manifest::sums::{self, SOURCES_FOLDER, SUMS_FILE};
use manifest::{ArtifactKind, ArtifactRecord, RawReceipts};

use crate::checklist::{Checklist, GIVEN_COMPILED, Outcome, StepId, Why, fact};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::opening::Opened;
use crate::options::{Depth, VerifyOptions};

/// Most bytes of a report: a line for each of 10,000 sources, and change.
const MAX_REPORT_BYTES: u64 = 32 << 20;

pub(crate) fn check(
    folder: &Folder,
    opened: &Opened,
    options: &VerifyOptions<'_>,
    list: &mut Checklist,
) {
    let manifest = &opened.manifest;
    list.record(StepId::Receipts, receipts(folder, manifest));
    for kind in ArtifactKind::LISTED {
        let step = StepId::Artifact(kind);
        match manifest.record(kind) {
            None => list.skip(step, Why::DoesNotApply(GIVEN_COMPILED)),
            Some(_) if options.depth < Depth::Artifacts && !is_small(kind) => {
                list.skip(step, Why::Depth);
            }
            Some(record) => {
                list.record(step, artifact(folder, kind, record, options));
            }
        }
    }
    sources(folder, manifest, options, list);
    list.record(StepId::Phase1, phase1(manifest, options));
}

/// Files that [`Depth::Attestation`] reads anyway.
fn is_small(kind: ArtifactKind) -> bool {
    matches!(
        kind,
        ArtifactKind::Attestation1 | ArtifactKind::Beacon | ArtifactKind::Receipts
    )
}

/// size and digests of one file.
fn artifact(
    folder: &Folder,
    kind: ArtifactKind,
    record: &ArtifactRecord,
    options: &VerifyOptions<'_>,
) -> Outcome {
    let source = folder.open(kind.name())?;
    compare(kind.name(), "size", &record.size, &source.len())?;
    let digests = digests_of(kind.name(), &source, options)?;
    compare(kind.name(), "sha256", &record.sha256, &digests.sha256)?;
    if let Some(expected) = &record.blake2b512 {
        compare(kind.name(), "blake2b512", expected, &digests.blake2b512)?;
    }
    Ok(vec![
        fact("size", &record.size),
        fact("sha256", &record.sha256),
    ])
}

pub(crate) fn digests_of(
    path: &str,
    source: &FileSource,
    options: &VerifyOptions<'_>,
) -> Result<FileDigests, Failure> {
    hash_source(source, options.progress).map_err(|source| Failure::Unreadable {
        path: path.to_owned(),
        source,
    })
}

fn compare<T: PartialEq + ToString>(
    path: &str,
    what: &'static str,
    expected: &T,
    got: &T,
) -> Result<(), Failure> {
    if expected == got {
        return Ok(());
    }
    let (expected, got) = (expected.to_string(), got.to_string());
    Err(Failure::Record {
        path: path.to_owned(),
        what,
        expected,
        got,
    })
}

/// The chain of receipts ends in the manifest's head, and names the files that the manifest names.
fn receipts(folder: &Folder, manifest: &Manifest) -> Outcome {
    let limit = u64::try_from(RawReceipts::MAX_BYTES).unwrap_or(u64::MAX);
    let raw = RawReceipts(folder.read(ArtifactKind::Receipts.name(), limit)?);
    let chain = raw.validate(manifest.spec.id(), manifest.spec.circuit.input())?;
    let (expected, got) = (manifest.receipts_head, chain.head());
    if expected != got {
        let (expected, got) = (expected.to_string(), got.to_string());
        return Err(Failure::Value {
            what: "the head of the receipts",
            expected,
            got,
        });
    }
    for receipt in chain.receipts() {
        same_records(manifest, &receipt.inputs)?;
        same_records(manifest, &receipt.outputs)?;
    }
    Ok(vec![
        fact("receipts", &chain.receipts().len()),
        fact("head", &got),
    ])
}

fn same_records(manifest: &Manifest, records: &Records) -> Result<(), Failure> {
    for (kind, got) in records {
        let value = |expected: String, got: String| Failure::Value {
            what: "an artifact in the receipts",
            expected: format!("{kind} {expected}"),
            got: format!("{kind} {got}"),
        };
        match manifest.record(*kind) {
            Some(expected) if expected != got => {
                return Err(value(expected.to_string(), got.to_string()));
            }
            Some(_) => {}
            // The source bundle is the one thing that the manifest names by the spec alone.
            None => {
                let expected = manifest.spec.circuit.sha256();
                if expected != got.sha256 {
                    return Err(value(expected.to_string(), got.sha256.to_string()));
                }
            }
        }
    }
    Ok(())
}

fn sources(
    folder: &Folder,
    manifest: &Manifest,
    options: &VerifyOptions<'_>,
    list: &mut Checklist,
) {
    if matches!(manifest.spec.circuit, CircuitSpec::R1cs { .. }) {
        for step in [StepId::Sources, StepId::GivenSources] {
            list.skip(step, Why::DoesNotApply(GIVEN_COMPILED));
        }
        return;
    }
    if options.depth < Depth::Artifacts {
        list.skip(StepId::Sources, Why::Depth);
    } else {
        let bundle = source_bundle(folder, manifest);
        list.record(
            StepId::Sources,
            bundle.and_then(|bundle| same_bundle(manifest, &bundle)),
        );
    }
    match &options.source {
        None => list.skip(StepId::GivenSources, Why::NotGiven("a folder of sources")),
        Some(given) => {
            list.record(StepId::GivenSources, given_sources(manifest, given));
        }
    }
}

/// Rebuilds the source bundle from the folder, comparing every file with the manifest.
pub(crate) fn source_bundle(folder: &Folder, manifest: &Manifest) -> Result<SourceBundle, Failure> {
    let CircuitSpec::Sources {
        main, libraries, ..
    } = &manifest.spec.circuit
    else {
        return Err(Failure::NotImplemented);
    };
    let mut builder = SourceBundle::builder(main.clone());
    for library in libraries {
        builder = builder.library(library.clone());
    }
    for (path, record) in &manifest.sources {
        let name = format!("{SOURCES_FOLDER}/{path}");
        let content = folder.read(&name, MAX_FILE_BYTES)?;
        compare_source(&name, record, &content)?;
        builder = builder.file(path.clone(), content);
    }
    Ok(builder.build()?)
}

fn compare_source(
    name: &str,
    record: &manifest::manifest::SourceRecord,
    content: &[u8],
) -> Result<(), Failure> {
    let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
    compare(name, "size", &record.size, &size)?;
    compare(name, "sha256", &record.sha256, &Sha256Digest::of(content))
}

fn same_bundle(manifest: &Manifest, bundle: &SourceBundle) -> Outcome {
    let (expected, got) = (manifest.spec.circuit.sha256(), bundle.sha256());
    if expected != got {
        let (expected, got) = (expected.to_string(), got.to_string());
        return Err(Failure::Value {
            what: "the digest of the source bundle",
            expected,
            got,
        });
    }
    Ok(vec![
        fact("files", &manifest.sources.len()),
        fact("source bundle sha256", &got),
    ])
}

/// every source file is in the caller's folder, with the same bytes.
fn given_sources(manifest: &Manifest, given: &Path) -> Outcome {
    let given = Folder::new(given);
    for (path, record) in &manifest.sources {
        let content = read_given(&given, path)?;
        compare_source(path.as_str(), record, &content)?;
    }
    Ok(vec![fact("files", &manifest.sources.len())])
}

fn read_given(given: &Folder, path: &SourcePath) -> Result<Vec<u8>, Failure> {
    match (
        given.read(path.as_str(), MAX_FILE_BYTES),
        path.as_str().strip_prefix("circuit/"),
    ) {
        (Err(Failure::Missing { .. }), Some(inner)) => given.read(inner, MAX_FILE_BYTES),
        (result, _) => result,
    }
}

/// Phase 1 is one of the published files, or simulation is trusted.
fn phase1(manifest: &Manifest, options: &VerifyOptions<'_>) -> Outcome {
    let (family, power) = (manifest.phase1.family, manifest.phase1.power);
    let table_family = match family {
        Phase1Family::Hermez => PtauFamily::Hermez,
        Phase1Family::Ppot0080 => PtauFamily::Ppot0080,
        Phase1Family::Development if options.is_simulation() => {
            return Ok(vec![fact(
                "phase 1",
                &format!("SIMULATED development ptau, power {power}"),
            )]);
        }
        Phase1Family::Development => return Err(Failure::Simulated { part: "phase 1" }),
    };
    let record = &manifest.ptau;
    let digests = FileDigests {
        size: record.size,
        sha256: record.sha256,
        blake2b512: record.blake2b512.unwrap_or(Blake2b512Digest::new([0; 64])),
    };
    let not_published = Failure::NotPublished {
        family: family.as_str(),
        power,
    };
    let published = published::find(table_family, power).filter(|file| file.matches(&digests));
    let file = published.ok_or(not_published)?;
    // The smallest sufficient one: a circuit hash from 2^15 on depends on the ptau's power.
    let smallest = (manifest.circuit.power..=power)
        .find(|power| published::find(table_family, *power).is_some());
    if smallest != Some(power) {
        let expected = smallest.unwrap_or(manifest.circuit.power).to_string();
        return Err(Failure::Value {
            what: "phase1.power",
            expected,
            got: power.to_string(),
        });
    }
    Ok(vec![
        fact("phase 1", &file.file_name),
        fact("sha256", &record.sha256),
    ])
}

/// report.html and SHA256SUMS: recomputed, compared byte for byte.
pub(crate) fn derived(folder: &Folder, opened: &Opened, list: &mut Checklist) {
    let Opened {
        manifest,
        attestation_1,
        attestation_2,
    } = opened;
    let page = match report::render(manifest, attestation_1, attestation_2) {
        Ok(page) => page,
        Err(error) => {
            list.record(StepId::ReportPage, Err(error.into()));
            return;
        }
    };
    let from = "the manifest and the attestation documents";
    list.record(
        StepId::ReportPage,
        same_file(folder, REPORT_FILE, MAX_REPORT_BYTES, page.as_bytes(), from),
    );
    let text = sums::render(manifest, attestation_2, page.as_bytes());
    let from = "the other files of the bundle";
    list.record(
        StepId::Sums,
        same_file(folder, SUMS_FILE, MAX_REPORT_BYTES, text.as_bytes(), from),
    );
}

pub(crate) fn same_file(
    folder: &Folder,
    path: &'static str,
    limit: u64,
    expected: &[u8],
    from: &'static str,
) -> Outcome {
    if folder.read(path, limit)? == expected {
        return Ok(vec![fact("sha256", &Sha256Digest::of(expected))]);
    }
    Err(Failure::NotDerived { path, from })
}
