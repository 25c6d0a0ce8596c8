use super::*;
use crate::fixtures::spec_fields;

type Change = fn(&mut SpecFields);

fn text(input: CircuitInput) -> String {
    String::from_utf8(spec_fields(input).validate().unwrap().text().to_vec()).unwrap()
}

#[test]
fn golden_bytes() {
    let expected = include_str!("../../tests/golden/spec.sources.txt");
    assert_eq!(text(CircuitInput::Sources), expected);
    let expected = include_str!("../../tests/golden/spec.r1cs.txt");
    assert_eq!(text(CircuitInput::R1cs), expected);
}

#[test]
fn a_spec_is_read_and_written_back() {
    for input in [CircuitInput::Sources, CircuitInput::R1cs] {
        let spec = spec_fields(input).validate().unwrap();
        let read = RawSpec(spec.text().to_vec()).validate().unwrap();
        assert_eq!(read, spec);
        assert_eq!(
            read.id().to_string(),
            Sha256Digest::of(spec.text()).to_string()
        );
    }
}

#[test]
fn r06_every_field_changes_the_ceremony_id() {
    let spec = spec_fields(CircuitInput::Sources);
    let original = spec.clone().validate().unwrap().id();
    let changes: [fn(&mut SpecFields); 7] = [
        |spec| spec.requester_nonce[31] ^= 1,
        |spec| spec.beacon.margin_ms += 1,
        |spec| spec.phase1_family = Phase1Family::Ppot0080,
        |spec| spec.contribution_name.push('x'),
        |spec| spec.compiler_solc = Sha256Digest::new([1; 32]),
        |spec| {
            spec.circuit = CircuitSpec::R1cs {
                sha256: spec.circuit.sha256(),
            }
        },
        |spec| {
            let CircuitSpec::Sources { libraries, .. } = &mut spec.circuit else {
                panic!()
            };
            libraries.reverse();
        },
    ];
    for change in changes {
        let mut changed = spec.clone();
        change(&mut changed);
        assert_ne!(changed.validate().unwrap().id(), original);
    }
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    let changes: [(Change, &str); 10] = [
        (
            |spec| spec.beacon.iterations_exp = 11,
            "beacon.iterations_exp",
        ),
        (|spec| spec.beacon.period_s = 0, "beacon.period_s"),
        (|spec| spec.beacon.genesis_s = 1 << 32, "beacon.genesis_s"),
        (|spec| spec.beacon.margin_ms = 0, "beacon.margin_ms"),
        (
            |spec| spec.beacon.margin_ms = 86_400_001,
            "beacon.margin_ms",
        ),
        (
            |spec| spec.beacon.public_key.truncate(95),
            "beacon.public_key",
        ),
        (|spec| spec.contribution_name.clear(), "contribution.name"),
        (
            |spec| spec.contribution_name = "n".repeat(65),
            "contribution.name",
        ),
        (
            |spec| spec.contribution_name.push('\n'),
            "contribution.name",
        ),
        (
            |spec| {
                let CircuitSpec::Sources {
                    libraries, main, ..
                } = &mut spec.circuit
                else {
                    panic!()
                };
                *libraries = vec![main.clone(); 65];
            },
            "circuit.library",
        ),
    ];
    for (change, expected) in changes {
        let mut changed = spec_fields(CircuitInput::Sources);
        change(&mut changed);
        match changed.validate() {
            Err(SpecError::Range { key, .. }) => assert_eq!(key, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn r30_pinned_chains_take_no_other_parameters() {
    let changes: [fn(&mut BeaconSpec); 4] = [
        |beacon| beacon.chain = BeaconChain::Default,
        |beacon| beacon.chain_hash[0] ^= 1,
        |beacon| beacon.genesis_s += 1,
        |beacon| beacon.period_s += 1,
    ];
    for change in changes {
        let mut spec = spec_fields(CircuitInput::Sources);
        change(&mut spec.beacon);
        let chain = spec.beacon.chain;
        assert_eq!(spec.validate(), Err(SpecError::ChainNotPinned { chain }));
    }
}

#[test]
fn options_and_libraries_have_one_spelling() {
    for (right, wrong) in [
        ("--O1 --prime bn128", "--O1 --prime bls12381"),
        ("--O1 --prime bn128", "--prime bn128 --O1"),
    ] {
        let changed = text(CircuitInput::Sources).replace(right, wrong);
        let error = RawSpec(changed.into_bytes()).validate().unwrap_err();
        assert!(
            matches!(&error, SpecError::Canonical(CanonicalError::Type { key, .. })
                if key == "circom.options"),
            "{error}"
        );
    }
    let gap = text(CircuitInput::Sources).replace("circuit.library.1", "circuit.library.2");
    let error = SpecError::LibraryGap { expected: 1 };
    assert_eq!(RawSpec(gap.into_bytes()).validate(), Err(error));
}

#[test]
fn keys_of_sources_do_not_go_with_an_r1cs() {
    let sources = text(CircuitInput::Sources);
    let r1cs = sources.replace("circuit.input sources", "circuit.input r1cs");
    let error = SpecError::Input {
        key: "circuit.library",
        input: "r1cs",
    };
    assert_eq!(RawSpec(r1cs.into_bytes()).validate(), Err(error));
    let missing = text(CircuitInput::R1cs).replace("circuit.input r1cs", "circuit.input sources");
    let error = CanonicalError::Missing {
        key: "circuit.main".to_owned(),
    };
    assert_eq!(RawSpec(missing.into_bytes()).validate(), Err(error.into()));
}

#[test]
fn r14_a_path_that_leaves_the_bundle_is_refused() {
    for path in [
        "../main.circom",
        "/main.circom",
        "circuit/../x.circom",
        "a%2Fb",
        "C%3A/x",
    ] {
        let changed = text(CircuitInput::Sources).replace(
            "circuit.main circuit/main.circom",
            &format!("circuit.main {path}"),
        );
        let key = "circuit.main".to_owned();
        let error = CanonicalError::Type {
            key,
            expected: SourcePath::EXPECTED,
        };
        assert_eq!(
            RawSpec(changed.into_bytes()).validate(),
            Err(error.into()),
            "{path}"
        );
    }
}
