//! Keys that others contributed to first, and ceremonies in sequence.

use formats::digest::Sha256Digest;
use manifest::spec::CircuitInput;
use manifest::{InitialSpec, ManifestBuilder, PredecessorKind, RawManifest};
use verify::sequence::{LinkError, check_link};
use verify::{Depth, Report, Status, Step, StepId, Verdict};

use crate::fixture::{Bundle, Knobs, make};

fn step(report: &Report, id: StepId) -> &Step {
    let mut steps = report.steps().iter();
    steps.find(|step| step.id == id).unwrap()
}

fn chained(predecessors: u8, manifest: fn(&mut ManifestBuilder)) -> Bundle {
    make(&Knobs {
        predecessors,
        manifest,
        ..Knobs::default()
    })
}

#[test]
fn a_continued_key_holds_and_names_all_who_were_before() {
    for predecessors in [1, 2, 3] {
        let report = chained(predecessors, |_| {}).verify(|_| {});
        assert_eq!(report.verdict(), Verdict::HoldsUnderSimulation, "{report}");
        let step = step(&report, StepId::Contributions);
        let before = step
            .facts
            .iter()
            .filter(|fact| fact.name.starts_with("before the enclave: "))
            .filter(|fact| !fact.name.contains("unauthenticated"));
        assert_eq!(before.count(), usize::from(predecessors));
        let named = |fact: &&verify::Fact| fact.name.contains("name (unauthenticated)");
        let ann = step.facts.iter().find(named).unwrap();
        assert_eq!(ann.value, "Ann <b>");
    }
}

#[test]
fn the_page_shows_names_as_unauthenticated_and_escaped() {
    let bundle = chained(2, |_| {});
    let page = String::from_utf8(bundle.files["report.html"].clone()).unwrap();
    assert!(page.contains("Contributions before the enclave&#39;s"));
    assert!(page.contains("name (unauthenticated): Ann &lt;b&gt;"));
    assert!(page.contains("2 beacon"));
    assert!(page.contains("<th>0003.zkey</th>") || page.contains("0003.zkey"));
}

#[test]
fn r39_other_predecessors_in_the_manifest_than_in_the_key_fail() {
    let lies: [fn(&mut ManifestBuilder); 4] = [
        |manifest| manifest.predecessors.swap(0, 1),
        |manifest| manifest.predecessors[0].kind = PredecessorKind::Beacon,
        |manifest| manifest.predecessors[0].unauthenticated_name = b"Bob".to_vec(),
        |manifest| manifest.predecessors[1].hash = manifest.predecessors[0].hash,
    ];
    for lie in lies {
        let report = chained(2, lie).verify(|_| {});
        assert_eq!(report.verdict(), Verdict::False);
        let Status::Failed(failure) = &step(&report, StepId::Contributions).status else {
            panic!("{report}");
        };
        assert_eq!(failure.code(), "verify_value");
    }
    // One too many or too few is seen by the count.
    let lies: [fn(&mut ManifestBuilder); 2] = [
        |manifest| drop(manifest.predecessors.pop()),
        |manifest| manifest.predecessors.push(manifest.predecessors[0].clone()),
    ];
    for lie in lies {
        let report = chained(2, lie).verify(|_| {});
        let Status::Failed(failure) = &step(&report, StepId::Contributions).status else {
            panic!("{report}");
        };
        assert_eq!(failure.code(), "verify_contribution_count");
    }
}

#[test]
fn a_given_r1cs_is_said_to_be_what_is_attested() {
    let bundle = make(&Knobs {
        input: CircuitInput::R1cs,
        ..Knobs::default()
    });
    let report = bundle.verify(|options| options.depth = Depth::Full);
    for id in [StepId::Sources, StepId::GivenSources, StepId::Recompile] {
        let Status::NotChecked(why) = &step(&report, id).status else {
            panic!("{report}");
        };
        assert!(
            why.to_string()
                .contains("the r1cs is attested, not the source")
        );
    }
    let page = String::from_utf8(bundle.files["report.html"].clone()).unwrap();
    assert!(page.contains("only the r1cs is attested"));
}

#[test]
fn links_hold_between_neighbours_only() {
    let manifest = |bundle: &Bundle| {
        let text = bundle.files["manifest"].clone();
        RawManifest(text).validate().unwrap()
    };
    let first = manifest(&chained(0, |_| {}));
    let fresh = manifest(&chained(0, |_| {}));
    assert!(matches!(
        check_link(&first, &fresh),
        Err(LinkError::InitialKey { got, .. }) if got == "a fresh one"
    ));
    // What continues the first one, by what its manifest says.
    let mut builder = (*first).clone();
    let mut fields = (*first.spec).clone();
    let sha256 = first
        .record(manifest::ArtifactKind::FinalZkey)
        .unwrap()
        .sha256;
    fields.initial = InitialSpec::Chain { sha256 };
    fields.requester_nonce = [1; 32];
    builder.spec = fields.clone().validate().unwrap();
    builder.initial_zkey.sha256 = sha256;
    builder.predecessors = [
        (
            first.contribution.hash,
            PredecessorKind::Contribution,
            "attested",
        ),
        (first.contribution.beacon_hash, PredecessorKind::Beacon, ""),
    ]
    .map(|(hash, kind, name)| manifest::Predecessor {
        hash,
        kind,
        unauthenticated_name: name.as_bytes().to_vec(),
    })
    .to_vec();
    let second = builder.clone().build().unwrap();
    check_link(&first, &second).unwrap();

    let mut other = builder.clone();
    other.predecessors.truncate(1);
    let other = other.build().unwrap();
    assert_eq!(check_link(&first, &other), Err(LinkError::Predecessors));

    let mut other = builder.clone();
    other.ptau.sha256 = Sha256Digest::new([1; 32]);
    let other = other.build().unwrap();
    assert_eq!(
        check_link(&first, &other).unwrap_err().code(),
        "verify_link_differs"
    );

    let mut other = builder;
    let sha256 = Sha256Digest::new([2; 32]);
    fields.initial = InitialSpec::Chain { sha256 };
    other.spec = fields.validate().unwrap();
    other.initial_zkey.sha256 = sha256;
    let other = other.build().unwrap();
    assert_eq!(
        check_link(&first, &other).unwrap_err().code(),
        "verify_link_initial_key"
    );
}
