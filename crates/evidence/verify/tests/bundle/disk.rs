//! one change to the files of a genuine bundle, refused, with the artifact or step named.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use manifest::ArtifactKind;
use verify::{Report, Status, StepId, Verdict};

use crate::fixture::{Bundle, Knobs, make, verify_folder};

/// The step that must fail, with the code of its reason.
type Expected = (StepId, &'static str);

fn changed(name: &str, change: impl FnOnce(&Path)) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let bundle = Bundle::genuine();
    bundle.write(folder.path());
    change(folder.path());
    let report = verify_folder(folder.path(), &bundle.root, |_| {});
    assert_eq!(report.verdict(), Verdict::False, "{name}: {report}");
    report
}

fn refused(name: &str, (step, code): Expected, change: impl FnOnce(&Path)) {
    let report = changed(name, change);
    let failure = report
        .failures()
        .find(|failure| failure.id == step)
        .unwrap_or_else(|| panic!("{name}: step {step} did not fail: {report}"));
    let Status::Failed(reason) = &failure.status else {
        panic!("{name}")
    };
    assert_eq!(reason.code(), code, "{name}: {report}");
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Document 1 is read before the folder is listed.
fn absent_step(kind: ArtifactKind) -> StepId {
    match kind {
        ArtifactKind::Attestation1 => StepId::Attestation1,
        _ => StepId::Folder,
    }
}

#[test]
fn r35_each_listed_artifact_flipped() {
    for kind in ArtifactKind::LISTED {
        refused(
            kind.name(),
            (StepId::Artifact(kind), "verify_record"),
            |folder| {
                edit(&folder.join(kind.name()), |bytes| {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                });
            },
        );
    }
}

#[test]
fn r35_each_listed_artifact_longer_or_shorter() {
    for kind in ArtifactKind::LISTED {
        let expected = (StepId::Artifact(kind), "verify_record");
        refused(kind.name(), expected, |folder| {
            edit(&folder.join(kind.name()), |bytes| bytes.push(b'\n'));
        });
        refused(kind.name(), expected, |folder| {
            edit(&folder.join(kind.name()), |bytes| {
                bytes.truncate(bytes.len() - 1);
            });
        });
    }
}

#[test]
fn r35_each_listed_artifact_removed_renamed_or_linked() {
    for kind in ArtifactKind::LISTED {
        let step = absent_step(kind);
        refused(kind.name(), (step, "verify_missing"), |folder| {
            fs::remove_file(folder.join(kind.name())).unwrap();
        });
        let code = if step == StepId::Folder {
            "verify_unexpected"
        } else {
            "verify_missing"
        };
        refused(kind.name(), (step, code), |folder| {
            let other = folder.join(format!("{}.bak", kind.name()));
            fs::rename(folder.join(kind.name()), other).unwrap();
        });
        // The link leads to the very bytes.
        let elsewhere = tempfile::tempdir().unwrap();
        refused(kind.name(), (step, "verify_not_regular"), |folder| {
            let target = elsewhere.path().join("bytes");
            fs::copy(folder.join(kind.name()), &target).unwrap();
            fs::remove_file(folder.join(kind.name())).unwrap();
            symlink(target, folder.join(kind.name())).unwrap();
        });
    }
}

#[test]
fn r35_manifest_and_documents() {
    let flip = |name: &'static str, at: usize| {
        move |folder: &Path| edit(&folder.join(name), |bytes| bytes[at] ^= 1)
    };
    refused(
        "magic",
        (StepId::Manifest, "canonical_magic"),
        flip("manifest", 0),
    );
    refused(
        "second signature",
        (StepId::Attestation2, "attestation_signature"),
        |folder| {
            edit(&folder.join("attestation-2.cbor"), |bytes| {
                *bytes.last_mut().unwrap() ^= 1;
            });
        },
    );
    refused(
        "first signature",
        (StepId::Attestation1, "attestation_signature"),
        |folder| {
            edit(&folder.join("attestation-1.cbor"), |bytes| {
                *bytes.last_mut().unwrap() ^= 1;
            });
        },
    );
    for (name, step) in [
        ("manifest", StepId::Manifest),
        ("attestation-2.cbor", StepId::Attestation2),
        ("SHA256SUMS", StepId::Folder),
        ("report.html", StepId::Folder),
    ] {
        refused(name, (step, "verify_missing"), |folder| {
            fs::remove_file(folder.join(name)).unwrap();
        });
    }
    refused(
        "huge manifest",
        (StepId::Manifest, "verify_too_large"),
        |folder| {
            let file = fs::File::options()
                .write(true)
                .open(folder.join("manifest"))
                .unwrap();
            file.set_len(1 << 40).unwrap();
        },
    );
    refused(
        "huge document",
        (StepId::Attestation1, "verify_too_large"),
        |folder| {
            let path = folder.join("attestation-1.cbor");
            fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(1 << 40)
                .unwrap();
        },
    );
}

#[test]
fn r35_each_line_of_the_manifest_is_covered_by_document_2() {
    // A change that leaves the manifest well-formed and consistent: only the signature knows.
    for (from, to) in [
        ("agent.version 0.1.0", "agent.version 0.1.1"),
        (
            "self_check.rng-current simulated no",
            "self_check.rng-current passed no",
        ),
        ("beacon.round_time_ms 17", "beacon.round_time_ms 18"),
        (
            "contribution.attested_time_ms 17",
            "contribution.attested_time_ms 18",
        ),
        ("circuit.private_inputs 1", "circuit.private_inputs 2"),
    ] {
        refused(
            from,
            (StepId::Attestation2, "attestation_nonce"),
            |folder| {
                edit(&folder.join("manifest"), |bytes| {
                    let text = String::from_utf8(bytes.clone()).unwrap();
                    let changed = text.replacen(from, to, 1);
                    assert_ne!(changed, text, "{from}");
                    *bytes = changed.into_bytes();
                });
            },
        );
    }
    refused(
        "nonce of the spec",
        (StepId::CeremonyId, "manifest_ceremony_id"),
        |folder| {
            edit(&folder.join("manifest"), |bytes| {
                let text = String::from_utf8(bytes.clone()).unwrap();
                *bytes = text
                    .replace(&"77".repeat(32), &"78".repeat(32))
                    .into_bytes();
            });
        },
    );
}

#[test]
fn r35_derived_files() {
    refused(
        "report",
        (StepId::ReportPage, "verify_not_derived"),
        |folder| {
            edit(&folder.join("report.html"), |bytes| {
                let text = String::from_utf8(bytes.clone()).unwrap();
                *bytes = text.replacen("SIMULATION", "PRODUCTION", 1).into_bytes();
            });
        },
    );
    refused("sums", (StepId::Sums, "verify_not_derived"), |folder| {
        edit(&folder.join("SHA256SUMS"), |bytes| bytes[0] ^= 1);
    });
}

#[test]
fn r35_files_that_do_not_belong() {
    let unexpected = (StepId::Folder, "verify_unexpected");
    for name in [
        "README",
        ".hidden",
        "circuit/circuit/extra.circom",
        "circuit/x",
        "final.zkey~",
    ] {
        refused(name, unexpected, |folder| {
            fs::write(folder.join(name), b"x").unwrap();
        });
    }
    refused("empty folder", unexpected, |folder| {
        fs::create_dir(folder.join("empty")).unwrap();
    });
    refused("folder of a folder", unexpected, |folder| {
        fs::create_dir(folder.join("circuit/circuit/deeper")).unwrap();
    });
    refused("folder linked", unexpected, |folder| {
        let circuit = folder.join("circuit/lib0");
        fs::rename(&circuit, folder.join("circuit/lib1")).unwrap();
        symlink("lib1", circuit).unwrap();
    });
    refused(
        "folder for a file",
        (StepId::Folder, "verify_not_regular"),
        |folder| {
            fs::remove_file(folder.join("verifier.sol")).unwrap();
            fs::create_dir(folder.join("verifier.sol")).unwrap();
        },
    );
}

#[test]
fn r13_a_changed_source_file() {
    for name in [
        "circuit/main.circom",
        "circuit/sub/part.circom",
        "lib0/gate.circom",
    ] {
        refused(name, (StepId::Sources, "verify_record"), |folder| {
            edit(&folder.join("circuit").join(name), |bytes| bytes[0] ^= 1);
        });
        refused(name, (StepId::Folder, "verify_missing"), |folder| {
            fs::remove_file(folder.join("circuit").join(name)).unwrap();
        });
    }
}

#[test]
fn r35_two_files_swapped() {
    for (one, other, kind) in [
        (
            "verifier.creation.hex",
            "verifier.runtime.hex",
            ArtifactKind::VerifierRuntime,
        ),
        (
            "verifier.sol",
            "verifier.input.json",
            ArtifactKind::VerifierSol,
        ),
        ("circuit.r1cs", "final.zkey", ArtifactKind::FinalZkey),
    ] {
        refused(one, (StepId::Artifact(kind), "verify_record"), |folder| {
            let (one, other) = (folder.join(one), folder.join(other));
            let bytes = fs::read(&one).unwrap();
            fs::copy(&other, &one).unwrap();
            fs::write(other, bytes).unwrap();
        });
    }
    refused(
        "documents",
        (StepId::Attestation2, "attestation_statement_kind"),
        |folder| {
            let (one, other) = (
                folder.join("attestation-1.cbor"),
                folder.join("attestation-2.cbor"),
            );
            let bytes = fs::read(&one).unwrap();
            fs::copy(&other, &one).unwrap();
            fs::write(other, bytes).unwrap();
        },
    );
}

#[test]
fn r07_files_of_another_run() {
    // Another run has its own simulated root: nothing of it holds under this one's.
    let other = make(&Knobs {
        spec: |spec| spec.requester_nonce = [0x99; 32],
        ..Knobs::default()
    });
    for (name, step, code) in [
        (
            "attestation-1.cbor",
            StepId::Attestation1,
            "attestation_root",
        ),
        (
            "attestation-2.cbor",
            StepId::Attestation2,
            "attestation_root",
        ),
        ("manifest", StepId::Attestation2, "attestation_ceremony"),
        ("receipts", StepId::Receipts, "receipt_ceremony"),
        ("report.html", StepId::ReportPage, "verify_not_derived"),
        ("SHA256SUMS", StepId::Sums, "verify_not_derived"),
    ] {
        refused(name, (step, code), |folder| {
            fs::write(folder.join(name), &other.files[name]).unwrap();
        });
    }
}
