use super::*;
use crate::fixtures::{builder, digest, record, spec_fields};

const SOURCES: CircuitInput = CircuitInput::Sources;

fn text(input: CircuitInput) -> String {
    String::from_utf8(builder(input).build().unwrap().text().to_vec()).unwrap()
}

fn refused(change: impl FnOnce(&mut ManifestBuilder)) -> ManifestError {
    let mut builder = builder(SOURCES);
    change(&mut builder);
    builder.build().unwrap_err()
}

#[test]
fn golden_bytes() {
    let expected = include_str!("../../tests/golden/manifest.sources.txt");
    assert_eq!(text(SOURCES), expected);
    let expected = include_str!("../../tests/golden/manifest.r1cs.txt");
    assert_eq!(text(CircuitInput::R1cs), expected);
}

#[test]
fn a_manifest_is_read_and_written_back() {
    for input in [SOURCES, CircuitInput::R1cs] {
        let manifest = builder(input).build().unwrap();
        let read = RawManifest(manifest.text().to_vec()).validate().unwrap();
        assert_eq!(read, manifest);
        assert_eq!(read.sha256(), Sha256Digest::of(manifest.text()));
    }
}

#[test]
fn the_spec_can_be_rebuilt_from_the_manifest() {
    let spec = spec_fields(SOURCES).validate().unwrap();
    let lines: String = text(SOURCES)
        .lines()
        .filter_map(|line| line.strip_prefix("spec."))
        .flat_map(|line| [line, "\n"])
        .collect();
    let rebuilt = format!("{}\n{lines}", crate::spec::MAGIC);
    assert_eq!(rebuilt.as_bytes(), spec.text());
}

#[test]
fn each_missing_line_is_refused() {
    let text = text(SOURCES);
    for (number, line) in text.lines().enumerate() {
        // One library, self-check or source more or less is another manifest, not a broken one.
        let optional = ["self_check.", "source."]
            .iter()
            .any(|prefix| line.starts_with(prefix));
        if optional {
            continue;
        }
        let without: String = text
            .lines()
            .enumerate()
            .filter(|(other, _)| *other != number)
            .flat_map(|(_, line)| [line, "\n"])
            .collect();
        assert!(
            RawManifest(without.into_bytes()).validate().is_err(),
            "without {line}"
        );
    }
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let kind = ArtifactKind::WitnessWasm;
    assert_eq!(
        refused(|m| {
            m.artifacts.remove(&kind);
        }),
        ManifestError::ArtifactMissing { kind }
    );
    let kind = ArtifactKind::Ptau;
    assert_eq!(
        refused(|m| {
            m.artifacts.insert(kind, record(kind));
        }),
        ManifestError::ArtifactUnexpected { kind }
    );
    assert_eq!(
        refused(|m| m.ptau.blake2b512 = None),
        ManifestError::ArtifactDigests {
            kind: ArtifactKind::Ptau
        }
    );
    assert_eq!(
        refused(|m| m.sources.clear()),
        ManifestError::SourceCount {
            got: 0,
            input: SOURCES
        }
    );
    let (expected, got) = (Phase1Family::Hermez, Phase1Family::Ppot0080);
    assert_eq!(
        refused(|m| m.phase1.family = got),
        ManifestError::Phase1Family { expected, got }
    );
    assert_eq!(
        refused(|m| m.circuit.constraints = 1024),
        ManifestError::Power {
            expected: 11,
            got: 10
        }
    );
    assert_eq!(
        refused(|m| m.phase1.power = 9),
        ManifestError::Phase1Power { needed: 10, got: 9 }
    );
    let mut r1cs = builder(CircuitInput::R1cs);
    r1cs.artifacts
        .insert(ArtifactKind::R1cs, record(ArtifactKind::Beacon));
    assert_eq!(r1cs.build(), Err(ManifestError::R1csNotAsSpecified));
    for version in [
        "1.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-A", "v1.0.0", "",
    ] {
        assert!(matches!(
            refused(|m| m.agent_version = version.to_owned()),
            ManifestError::Value {
                key: "agent.version",
                ..
            }
        ));
    }
}

#[test]
fn r02_a_production_manifest_names_no_simulated_part() {
    let part = |part: &str| ManifestError::SimulatedPart {
        part: part.to_owned(),
    };
    let development = |m: &mut ManifestBuilder| {
        let mut spec = spec_fields(SOURCES);
        spec.phase1_family = Phase1Family::Development;
        m.spec = spec.validate().unwrap();
        m.phase1.family = Phase1Family::Development;
    };
    assert_eq!(refused(development), part("phase1.family"));
    assert_eq!(
        refused(|m| {
            let seen = "no device".to_owned();
            let check = SelfCheck {
                result: SelfCheckResult::Simulated,
                seen,
            };
            m.self_checks.insert("rng".to_owned(), check);
        }),
        part("self_check.rng")
    );
    let mut simulation = builder(SOURCES);
    development(&mut simulation);
    simulation.agent_mode = AgentMode::Simulation;
    assert!(simulation.build().unwrap().is_simulation());
}

#[test]
fn the_ceremony_id_is_that_of_the_spec() {
    let text = text(SOURCES);
    let id = spec_fields(SOURCES).validate().unwrap().id();
    let got = CeremonyId(digest(0));
    let changed = text.replace(&format!("ceremony.id {id}"), &format!("ceremony.id {got}"));
    let error = ManifestError::CeremonyId { expected: id, got };
    assert_eq!(RawManifest(changed.into_bytes()).validate(), Err(error));
}
