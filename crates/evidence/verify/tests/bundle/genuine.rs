//! Genuine bundles hold, at every depth, and say what they are and what was not looked at.

use std::fs;

use manifest::ArtifactKind;
use manifest::spec::CircuitInput;
use verify::{Depth, Status, StepId, Trust, Verdict, Why};

use crate::fixture::{Bundle, Knobs, POWER, make, root_in, verify_folder};

#[test]
fn a_genuine_bundle_holds_under_simulation_and_says_so_first() {
    let report = Bundle::genuine().verify(|_| {});
    assert_eq!(report.verdict(), Verdict::HoldsUnderSimulation, "{report}");
    assert!(report.first_line().starts_with("SIMULATION"));
    assert!(report.to_string().starts_with("SIMULATION"));
    let passed = |step: &&verify::Step| matches!(step.status, Status::Passed);
    assert!(
        report.steps().iter().filter(passed).count() >= 34,
        "{report}"
    );
}

#[test]
fn a_bundle_of_a_given_r1cs_holds_too() {
    let bundle = make(&Knobs {
        input: CircuitInput::R1cs,
        ..Knobs::default()
    });
    let report = bundle.verify(|_| {});
    assert_eq!(report.verdict(), Verdict::HoldsUnderSimulation, "{report}");
}

#[test]
fn without_a_root_the_documents_own_root_counts() {
    let bundle = Bundle::genuine();
    assert_eq!(root_in(&bundle.files["attestation-1.cbor"]), bundle.root);
    let report = bundle.verify(|options| options.trust = Trust::Simulation { root: None });
    assert_eq!(report.verdict(), Verdict::HoldsUnderSimulation, "{report}");
}

#[test]
fn every_step_is_listed_once_in_order_at_every_depth() {
    for depth in [Depth::Attestation, Depth::Artifacts, Depth::Full] {
        let report = Bundle::genuine().verify(|options| options.depth = depth);
        let ids: Vec<_> = report.steps().iter().map(|step| step.id).collect();
        assert_eq!(ids, StepId::all());
    }
}

#[test]
fn r02_a_simulated_bundle_never_holds_under_aws() {
    let pcrs = attestation::PcrPolicy::image([0xa0; 48], [0xa1; 48], [0xa2; 48]);
    let origin = verify::Origin::Caller;
    let report = Bundle::genuine().verify(|options| options.trust = Trust::Aws { pcrs, origin });
    assert_eq!(report.verdict(), Verdict::False);
    for step in [
        StepId::Mode,
        StepId::Attestation1,
        StepId::Attestation2,
        StepId::Margin,
        StepId::Phase1,
    ] {
        assert!(
            report.failures().any(|failure| failure.id == step),
            "{step}: {report}"
        );
    }
}

#[test]
fn r06_the_requesters_nonce_is_compared() {
    let report = Bundle::genuine().verify(|options| options.nonce = Some([0x77; 32]));
    assert_eq!(report.verdict(), Verdict::HoldsUnderSimulation, "{report}");
    let report = Bundle::genuine().verify(|options| options.nonce = Some([0x78; 32]));
    let failures: Vec<_> = report.failures().map(|step| step.id).collect();
    assert_eq!(failures, [StepId::Nonce]);
}

#[test]
fn r13_given_sources_are_compared_file_by_file() {
    let given = tempfile::tempdir().unwrap();
    for file in crate::fixture::sources().files() {
        // The main tree as the requester has it: without the leading `circuit/`.
        let path = file.path().as_str();
        let target = given
            .path()
            .join(path.strip_prefix("circuit/").unwrap_or(path));
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, file.content()).unwrap();
    }
    let folder = given.path().to_owned();
    let check = || Bundle::genuine().verify(|options| options.source = Some(folder.clone()));
    assert_eq!(check().verdict(), Verdict::HoldsUnderSimulation);
    for file in ["main.circom", "sub/part.circom", "lib0/gate.circom"] {
        let path = folder.join(file);
        let before = fs::read(&path).unwrap();
        fs::write(&path, b"other").unwrap();
        let failures: Vec<_> = check().failures().map(|step| step.id).collect();
        assert_eq!(failures, [StepId::GivenSources], "{file}");
        fs::write(&path, before).unwrap();
    }
}

#[test]
fn r40_the_attestation_depth_reads_only_small_files() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = Bundle::genuine();
    bundle.write(folder.path());
    // A terabyte of nothing in place of the key: at this depth nobody reads it.
    let key = fs::File::options()
        .write(true)
        .open(folder.path().join("final.zkey"))
        .unwrap();
    key.set_len(1 << 40).unwrap();
    let report = verify_folder(folder.path(), &bundle.root, |options| {
        options.depth = Depth::Attestation;
    });
    assert_eq!(report.verdict(), Verdict::HoldsUnderSimulation, "{report}");
    let step = StepId::Artifact(ArtifactKind::FinalZkey);
    let status = &report
        .steps()
        .iter()
        .find(|other| other.id == step)
        .unwrap()
        .status;
    assert!(matches!(status, Status::NotChecked(Why::Depth)));
    // At the next depth its length alone gives it away.
    let report = verify_folder(folder.path(), &bundle.root, |_| {});
    assert!(report.failures().any(|failure| failure.id == step));
}

#[test]
fn the_full_depth_is_incomplete_without_what_it_needs() {
    let ptau = testkit::development_ptau(POWER);
    let report = Bundle::genuine().verify(|options| {
        options.depth = Depth::Full;
        options.ptau = Some(&ptau);
    });
    assert_eq!(report.verdict(), Verdict::Incomplete, "{report}");
    assert!(report.first_line().starts_with("SIMULATION"));
    let status = |id| {
        &report
            .steps()
            .iter()
            .find(|step| step.id == id)
            .unwrap()
            .status
    };
    assert!(
        matches!(status(StepId::KeyAgainstCircuit), Status::Passed),
        "{report}"
    );
    for id in [StepId::Recompile, StepId::RecompileContract] {
        assert!(matches!(status(id), Status::NotChecked(Why::NotGiven(_))));
    }
    let mut other = ptau.clone();
    *other.last_mut().unwrap() ^= 1;
    let report = Bundle::genuine().verify(|options| {
        options.depth = Depth::Full;
        options.ptau = Some(&other);
    });
    let failures: Vec<_> = report.failures().map(|step| step.id).collect();
    assert_eq!(failures, [StepId::KeyAgainstCircuit]);
}
