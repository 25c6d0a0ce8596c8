use super::*;
use crate::binfile::Writer;

/// `x * y = z` and an empty constraint, with one output z.
struct Circuit {
    header: Vec<u8>,
    constraints: Vec<u8>,
    extra: Vec<(u32, Vec<u8>)>,
}

fn small(value: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = value;
    bytes
}

fn combination(terms: &[(u32, [u8; 32])]) -> Vec<u8> {
    let mut out = u32::try_from(terms.len()).unwrap().to_le_bytes().to_vec();
    for (signal, coefficient) in terms {
        out.extend(signal.to_le_bytes());
        out.extend(coefficient);
    }
    out
}

impl Circuit {
    fn new() -> Self {
        let mut header = 32u32.to_le_bytes().to_vec();
        header.extend(Curve::Bn128.scalar_modulus());
        for count in [4u32, 1, 0, 2] {
            header.extend(count.to_le_bytes());
        }
        header.extend(4u64.to_le_bytes());
        header.extend(2u32.to_le_bytes());
        let constraints = [
            combination(&[(2, small(3))]),
            combination(&[(3, small(1)), (0, small(9))]),
            combination(&[(1, small(1))]),
            combination(&[]),
            combination(&[]),
            combination(&[]),
        ]
        .concat();
        Self {
            header,
            constraints,
            extra: vec![(LABELS, vec![0; 32])],
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let n = 2 + u32::try_from(self.extra.len()).unwrap();
        let mut writer = Writer::new(Vec::new(), MAGIC, 1, n).unwrap();
        writer.section(CONSTRAINTS, &self.constraints).unwrap();
        writer.section(HEADER, &self.header).unwrap();
        for (id, bytes) in &self.extra {
            writer.section(*id, bytes).unwrap();
        }
        writer.finish().unwrap()
    }

    fn open_error(&self) -> R1csError {
        R1cs::open(self.bytes()).unwrap_err()
    }

    fn terms_error(&self) -> R1csError {
        let r1cs = R1cs::open(self.bytes()).unwrap();
        r1cs.terms().unwrap().find_map(Result::err).unwrap()
    }
}

/// Offset of a count in the header, after `n8 | prime`.
const COUNTS: usize = 4 + 32;

#[test]
fn terms_come_in_file_order() {
    let r1cs = R1cs::open(Circuit::new().bytes()).unwrap();
    assert_eq!(r1cs.header().n_public(), 1);
    assert_eq!(r1cs.header().power(), 2);
    let terms: Vec<_> = r1cs.terms().unwrap().map(Result::unwrap).collect();
    let seen: Vec<_> = terms
        .iter()
        .map(|t| (t.constraint, t.matrix, t.signal, t.coefficient[0]))
        .collect();
    assert_eq!(
        seen,
        [
            (0, Matrix::A, 2, 3),
            (0, Matrix::B, 3, 1),
            (0, Matrix::B, 0, 9),
            (0, Matrix::C, 1, 1)
        ]
    );
    assert_eq!(terms[0].value::<ark_bn254::Fr>(), Some(3u64.into()));
}

#[test]
fn headers_that_cannot_be() {
    let mut circuit = Circuit::new();
    circuit.header[0] = 48;
    assert!(matches!(
        circuit.open_error(),
        R1csError::UnknownPrime { n8: 48 }
    ));

    let mut circuit = Circuit::new();
    circuit.header[4] ^= 2;
    assert!(matches!(
        circuit.open_error(),
        R1csError::UnknownPrime { n8: 32 }
    ));

    let mut circuit = Circuit::new();
    circuit.header[COUNTS] = 1;
    assert!(matches!(
        circuit.open_error(),
        R1csError::TooFewWires {
            wires: 1,
            needed: 2
        }
    ));

    let mut circuit = Circuit::new();
    circuit.header[COUNTS + 4..COUNTS + 16].fill(0xff);
    assert!(matches!(
        circuit.open_error(),
        R1csError::TooFewWires { wires: 4, .. }
    ));

    let mut circuit = Circuit::new();
    circuit.header[COUNTS + 24] = 0;
    assert!(matches!(circuit.open_error(), R1csError::NoConstraints));

    let mut circuit = Circuit::new();
    circuit.header[COUNTS + 24..COUNTS + 28].fill(0xff);
    assert!(matches!(
        circuit.open_error(),
        R1csError::TooManyConstraints {
            got: u32::MAX,
            max: 14
        }
    ));

    let mut circuit = Circuit::new();
    circuit.header.push(0);
    assert!(matches!(
        circuit.open_error(),
        R1csError::Container(BinfileError::WrongSectionSize {
            id: 1,
            expected: 64,
            got: 65
        })
    ));

    let mut circuit = Circuit::new();
    circuit.extra[0].1.push(0);
    assert!(matches!(
        circuit.open_error(),
        R1csError::Container(BinfileError::WrongSectionSize {
            id: 3,
            expected: 32,
            got: 33
        })
    ));
}

#[test]
fn custom_gates_are_refused() {
    for section in [4, 5] {
        let mut circuit = Circuit::new();
        circuit.extra.push((section, vec![0; 4]));
        assert!(
            R1cs::open(circuit.bytes()).is_ok(),
            "an empty list is no custom gate"
        );
        circuit.extra[1].1[0] = 1;
        assert!(
            matches!(circuit.open_error(), R1csError::CustomGates { section: s } if s == section)
        );
    }
}

#[test]
fn constraints_that_cannot_be() {
    let mut circuit = Circuit::new();
    circuit.constraints[0..4].fill(0xff);
    assert!(matches!(
        circuit.terms_error(),
        R1csError::TooManyTerms {
            constraint: 0,
            matrix: Matrix::A,
            got: u32::MAX,
            ..
        }
    ));

    let mut circuit = Circuit::new();
    circuit.constraints[4] = 4;
    assert!(matches!(
        circuit.terms_error(),
        R1csError::NoSuchWire {
            constraint: 0,
            matrix: Matrix::A,
            signal: 4,
            wires: 4
        }
    ));

    let mut circuit = Circuit::new();
    circuit.constraints[8..40].copy_from_slice(&Curve::Bn128.scalar_modulus());
    assert!(matches!(
        circuit.terms_error(),
        R1csError::CoefficientNotCanonical {
            constraint: 0,
            matrix: Matrix::A,
            signal: 2
        }
    ));

    let mut circuit = Circuit::new();
    circuit.constraints.extend([0; 4]);
    assert!(matches!(
        circuit.terms_error(),
        R1csError::BytesAfterConstraints { count: 4 }
    ));

    let mut circuit = Circuit::new();
    circuit.constraints.truncate(circuit.constraints.len() - 4);
    assert!(matches!(
        circuit.terms_error(),
        R1csError::Container(BinfileError::Io {
            what: "constraints",
            ..
        })
    ));
}

#[test]
fn terms_are_counted_without_being_read() {
    let r1cs = R1cs::open(Circuit::new().bytes()).unwrap();
    let counts = r1cs.terms().unwrap().count_terms(|_| true).unwrap();
    assert_eq!(counts, [1, 2, 1]);
    let mut cut = Circuit::new();
    // The last combination announces a term that is not there.
    let last = cut.constraints.len() - 4;
    cut.constraints[last] = 1;
    let r1cs = R1cs::open(cut.bytes()).unwrap();
    let error = r1cs.terms().unwrap().count_terms(|_| true).unwrap_err();
    assert!(
        matches!(error, R1csError::TooManyTerms { constraint: 1, .. }),
        "{error:?}"
    );
}
