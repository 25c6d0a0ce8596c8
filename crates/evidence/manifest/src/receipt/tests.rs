use super::*;
use crate::fixtures::{receipts, records, spec_fields};

const SOURCES: CircuitInput = CircuitInput::Sources;

fn id() -> CeremonyId {
    spec_fields(SOURCES).validate().unwrap().id()
}

fn validate(bytes: Vec<u8>) -> Result<ReceiptChain, ReceiptError> {
    RawReceipts(bytes).validate(id(), SOURCES)
}

#[test]
fn golden_bytes() {
    let expected = include_str!("../../tests/golden/receipts.txt");
    assert_eq!(
        String::from_utf8(receipts(SOURCES).to_bytes()).unwrap(),
        expected
    );
}

#[test]
fn receipts_are_read_and_written_back() {
    for input in [SOURCES, CircuitInput::R1cs] {
        let chain = receipts(input);
        let id = spec_fields(input).validate().unwrap().id();
        let read = RawReceipts(chain.to_bytes()).validate(id, input).unwrap();
        assert_eq!(read, chain);
        assert!(read.is_complete());
    }
}

#[test]
fn a_stage_out_of_order_is_refused() {
    let mut chain = ReceiptChain::new(id(), SOURCES);
    let got = ReceiptStage::Compiled;
    let inputs = records(got.inputs(SOURCES));
    let outputs = records(got.outputs(SOURCES));
    let error = ReceiptError::Stage {
        index: 0,
        expected: ReceiptStage::Opened,
        got,
    };
    assert_eq!(chain.append(got, inputs, outputs), Err(error));
    assert_eq!(chain.head(), NO_PREVIOUS);
}

#[test]
fn artifacts_of_a_stage_are_exact() {
    let mut chain = ReceiptChain::new(id(), SOURCES);
    let stage = ReceiptStage::Opened;
    let error = ReceiptError::Artifacts { index: 0, stage };
    let extra = records(&[ArtifactKind::Ptau]);
    assert_eq!(chain.append(stage, extra, Records::new()), Err(error));
    chain.append(stage, Records::new(), Records::new()).unwrap();
    let stage = ReceiptStage::Compiled;
    let error = ReceiptError::Artifacts { index: 1, stage };
    let outputs = records(&[ArtifactKind::R1cs]);
    let inputs = records(stage.inputs(SOURCES));
    assert_eq!(chain.append(stage, inputs, outputs), Err(error));
}

#[test]
fn a_changed_receipt_breaks_the_chain() {
    let bytes = String::from_utf8(receipts(SOURCES).to_bytes()).unwrap();
    // The first receipt's ceremony, an artifact of the second, the order of the file, its ends.
    let other = bytes.replacen(&id().to_string(), &"0".repeat(64), 1);
    assert_eq!(
        validate(other.into_bytes()),
        Err(ReceiptError::Ceremony { index: 0 })
    );
    let size = bytes.replacen("circuit.wasm 12 ", "circuit.wasm 13 ", 1);
    assert_eq!(
        validate(size.into_bytes()),
        Err(ReceiptError::Previous { index: 2 })
    );
    let (first, rest) = bytes.split_once("\n\n").unwrap();
    let got = ReceiptStage::Compiled;
    let error = ReceiptError::Stage {
        index: 0,
        expected: ReceiptStage::Opened,
        got,
    };
    assert_eq!(validate(rest.as_bytes().to_vec()), Err(error));
    let error = ReceiptError::Length {
        expected: 8,
        got: 1,
    };
    assert_eq!(validate(format!("{first}\n\n").into_bytes()), Err(error));
    assert_eq!(
        validate(Vec::new()),
        Err(ReceiptError::Length {
            expected: 8,
            got: 0
        })
    );
    assert_eq!(
        validate(bytes.trim_end().as_bytes().to_vec()),
        Err(ReceiptError::Framing)
    );
    let tail = format!("{bytes}\n");
    assert_eq!(validate(tail.into_bytes()), Err(ReceiptError::Framing));
    let twice = format!("{bytes}{bytes}");
    let error = ReceiptError::Length {
        expected: 8,
        got: 9,
    };
    assert_eq!(validate(twice.into_bytes()), Err(error));
    let unknown = bytes.replacen("input.ptau", "input.ptaw", 1);
    let key = "input.ptaw".to_owned();
    let source = CanonicalError::Unknown { key };
    let error = ReceiptError::Canonical { index: 2, source };
    assert_eq!(validate(unknown.into_bytes()), Err(error));
}
