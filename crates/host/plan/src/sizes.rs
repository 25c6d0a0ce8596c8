//! Bytes of every file, by the formats' formulas.

use formats::curve::Curve;
use serde::Serialize;

use crate::Circuit;

/// Bytes of the files of a ceremony.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// The compiled circuit.
    pub r1cs: u64,
    /// Smallest sufficient powers of tau, without the records of its contributions (a few kB each).
    pub ptau: u64,
    /// The initial key; later ones are longer by their records, less than a kilobyte each.
    pub zkey: u64,
}

impl Sizes {
    /// Of one circuit.
    #[must_use]
    pub fn of(circuit: &Circuit) -> Self {
        Self {
            r1cs: circuit.r1cs_bytes,
            ptau: ptau(circuit.curve, circuit.power()),
            zkey: zkey(circuit),
        }
    }
}

const FILE_HEADER: u64 = 12;
const SECTION_HEADER: u64 = 12;

/// A ptau prepared for phase 2 with sections 1 to 7 and 12 to 15 (docs/formats/ptau.md).
fn ptau(curve: Curve, power: u32) -> u64 {
    const SECTIONS: u64 = 11;
    let [g1, g2] = points(curve);
    let n = 1_u64.checked_shl(power).unwrap_or(u64::MAX / (1 << 12));
    let header = 4 + bytes(curve.n8q()) + 8;
    let monomials = (2 * n - 1) * g1 + n * g2 + 2 * n * g1 + g2;
    let no_contributions = 4;
    // The blocks of all smaller domains, and in G1 one of twice the domain.
    let lagrange = (4 * n - 1) * g1 + (2 * n - 1) * (g2 + 2 * g1);
    FILE_HEADER + SECTIONS * SECTION_HEADER + header + monomials + no_contributions + lagrange
}

/// An initial key (docs/formats/zkey.md).
fn zkey(circuit: &Circuit) -> u64 {
    const SECTIONS: u64 = 10;
    const COEFFICIENT: u64 = 44;
    let [g1, g2] = points(circuit.curve);
    let field_sizes = bytes(circuit.curve.n8q()) + bytes(circuit.curve.n8r());
    let header = 2 * 4 + field_sizes + 3 * 4 + 3 * g1 + 3 * g2;
    let coefficients = 4 + COEFFICIENT * circuit.coefficients();
    // IC and C make up one point for each signal, as A and B1 do.
    let signals = circuit.wires * (3 * g1 + g2);
    let h = circuit.domain() * g1;
    let contributions = 64 + 4;
    FILE_HEADER
        + SECTIONS * SECTION_HEADER
        + 4
        + header
        + coefficients
        + signals
        + h
        + contributions
}

/// Bytes of a point in G1 and in G2.
fn points(curve: Curve) -> [u64; 2] {
    [bytes(curve.g1_bytes()), bytes(curve.g2_bytes())]
}

fn bytes(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use formats::{progress::NoProgress, ptau::Ptau, r1cs::R1cs, source::Source};
    use phase2::setup::{SetupOptions, new_initial_key};
    use testkit::{development_ptau, small_r1cs};

    use super::*;

    #[test]
    fn sizes_are_those_of_the_files() {
        for (constraints, power) in [(3, 3), (200, 8)] {
            let bytes = small_r1cs(constraints);
            let length = Source::len(bytes.as_slice());
            let r1cs = R1cs::open(bytes).unwrap();
            let circuit = Circuit::read(&r1cs, length, false, &NoProgress).unwrap();
            assert_eq!(circuit.power(), r1cs.header().power());
            let ptau = development_ptau(power);
            let sizes = Sizes::of(&circuit);
            if circuit.power() == power {
                assert_eq!(sizes.ptau, Source::len(ptau.as_slice()));
            }
            let ptau = Ptau::open(ptau).unwrap();
            let mut key = Cursor::new(Vec::new());
            let options = SetupOptions::default();
            let summary = new_initial_key(&r1cs, &ptau, &mut key, &options, &NoProgress).unwrap();
            assert_eq!(sizes.zkey, summary.size);
            assert_eq!(circuit.coefficients(), u64::from(summary.n_coefficients));
        }
    }

    /// From the published table: 77.31 GB and 1.2 GB, whose records of contributions are not counted.
    #[test]
    fn published_files_are_a_little_longer() {
        for file in formats::ptau::published::table() {
            let own = ptau(Curve::Bn128, file.power);
            assert!(file.size >= own, "2^{}", file.power);
            assert!(file.size - own < 1 << 20, "2^{}: {}", file.power, file.size);
        }
    }
}
