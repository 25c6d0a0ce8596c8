//! The r1cs file: circom's compiled circuit.
//!
//! Section 1 (header): `u32 n8 | prime[n8] | u32 nWires | u32 nOutputs | u32 nPublicInputs |
//! u32 nPrivateInputs | u64 nLabels | u32 nConstraints`. Section 2 (constraints): per constraint the linear
//! combinations A, B, C, each `u32 n | n x (u32 signal | coefficient[n8])`, coefficients canonical
//! little-endian, terms in no order. Section 3: one u64 label per wire. Sections 4 and 5: custom gates.
//! circom writes the sections in the order 2, 1, 3.
//! Wires: 0 is the constant one, then outputs, public inputs, private inputs, intermediate signals.

mod terms;

use std::io;

use crate::binfile::{self, BinfileError, SectionTable};
use crate::curve::Curve;
use crate::power::required_power;
use crate::source::Source;

pub use terms::{Matrix, Term, TermReader};

/// First bytes of the file.
pub const MAGIC: [u8; 4] = *b"r1cs";

const HEADER: u32 = 1;
const CONSTRAINTS: u32 = 2;
const LABELS: u32 = 3;
const CUSTOM_GATES: u32 = 4;
const CUSTOM_GATES_USES: u32 = 5;

/// Bytes of a term: u32 signal and a 32-byte coefficient.
const TERM_BYTES: u64 = 36;

/// Why bytes are not an r1cs that Groth16 can use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum R1csError {
    /// The container is malformed.
    #[error(transparent)]
    Container(#[from] BinfileError),
    /// The prime is not the scalar field of a known curve.
    #[error("prime of {n8} bytes is not the scalar field of bn128 or bls12381")]
    UnknownPrime {
        /// Bytes of the prime.
        n8: u32,
    },
    /// The circuit uses custom gates, which Groth16 does not prove: snarkjs ignores them, and the
    /// resulting key is unsound.
    #[error("circuit uses custom gates (section {section}), which Groth16 cannot prove")]
    CustomGates {
        /// The section that is there, 4 or 5.
        section: u32,
    },
    /// There is nothing to prove.
    #[error("circuit has no constraints")]
    NoConstraints,
    /// Fewer wires than the constant, outputs and public inputs take.
    #[error("{wires} wires, but outputs and public inputs alone take {needed}")]
    TooFewWires {
        /// Wires announced.
        wires: u32,
        /// 1 + outputs + public inputs.
        needed: u64,
    },
    /// More constraints than the constraint section can hold.
    #[error("{got} constraints announced, section 2 has room for {max}")]
    TooManyConstraints {
        /// Constraints announced.
        got: u32,
        /// Constraints of three empty linear combinations that fit.
        max: u64,
    },
    /// A linear combination announces more terms than the section has bytes for.
    #[error("constraint {constraint}, {matrix:?}: {got} terms announced, room for {max}")]
    TooManyTerms {
        /// Index of the constraint, from 0.
        constraint: u32,
        /// Which of the three.
        matrix: Matrix,
        /// Terms announced.
        got: u32,
        /// Terms that fit into the rest of the section.
        max: u64,
    },
    /// A term names a wire that does not exist.
    #[error("constraint {constraint}, {matrix:?}: wire {signal} of {wires}")]
    NoSuchWire {
        /// Index of the constraint, from 0.
        constraint: u32,
        /// Which of the three.
        matrix: Matrix,
        /// The wire named.
        signal: u32,
        /// Wires there are.
        wires: u32,
    },
    /// A coefficient is not below the prime.
    #[error("constraint {constraint}, {matrix:?}: coefficient of wire {signal} is not canonical")]
    CoefficientNotCanonical {
        /// Index of the constraint, from 0.
        constraint: u32,
        /// Which of the three.
        matrix: Matrix,
        /// The wire.
        signal: u32,
    },
    /// Bytes are left in section 2 after the last constraint.
    #[error("{count} bytes after the last constraint")]
    BytesAfterConstraints {
        /// How many.
        count: u64,
    },
}

impl R1csError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Container(error) => error.code(),
            Self::UnknownPrime { .. } => "r1cs_unknown_prime",
            Self::CustomGates { .. } => "r1cs_custom_gates",
            Self::NoConstraints => "r1cs_no_constraints",
            Self::TooFewWires { .. } => "r1cs_too_few_wires",
            Self::TooManyConstraints { .. } => "r1cs_too_many_constraints",
            Self::TooManyTerms { .. } => "r1cs_too_many_terms",
            Self::NoSuchWire { .. } => "r1cs_no_such_wire",
            Self::CoefficientNotCanonical { .. } => "r1cs_coefficient_not_canonical",
            Self::BytesAfterConstraints { .. } => "r1cs_bytes_after_constraints",
        }
    }
}

fn io(what: &'static str) -> impl Fn(io::Error) -> R1csError {
    move |source| R1csError::Container(BinfileError::Io { what, source })
}

/// The counts of a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct R1csHeader {
    /// Curve whose scalar field the circuit is over.
    pub curve: Curve,
    /// Wires, the constant one included.
    pub n_wires: u32,
    /// Outputs: public.
    pub n_outputs: u32,
    /// Public inputs.
    pub n_public_inputs: u32,
    /// Private inputs.
    pub n_private_inputs: u32,
    /// Labels of the source program, optimised-away signals included.
    pub n_labels: u64,
    /// Constraints, at least one.
    pub n_constraints: u32,
}

impl R1csHeader {
    /// Public signals: outputs and public inputs.
    pub fn n_public(&self) -> u32 {
        // `R1cs::open` made sure that they are fewer than the wires.
        self.n_outputs.saturating_add(self.n_public_inputs)
    }

    /// Power of the evaluation domain, and of the smallest ptau that serves.
    pub fn power(&self) -> u32 {
        required_power(self.n_constraints, self.n_public_inputs, self.n_outputs)
    }
}

/// An opened r1cs: header checked, constraints to be streamed.
#[derive(Debug)]
pub struct R1cs<S> {
    source: S,
    header: R1csHeader,
    constraints: binfile::Section,
}

impl<S: Source> R1cs<S> {
    /// Reads section table and header. Reads a few hundred bytes, whatever the file's size.
    ///
    /// Refuses custom gates (sections 4 and 5, unless they list none) and circuits without constraints: no sound Groth16 key exists for them.
    pub fn open(source: S) -> Result<Self, R1csError> {
        let table = SectionTable::read(&source, MAGIC, 1)?;
        for section in [CUSTOM_GATES, CUSTOM_GATES_USES] {
            let Some(found) = table.find(section) else {
                continue;
            };
            // Some circom versions always write these two sections: a zero count each.
            let count = found
                .reader(&source, "custom gates")?
                .read_u32()
                .map_err(io("custom gates"))?;
            if count != 0 || found.size != 4 {
                return Err(R1csError::CustomGates { section });
            }
        }
        table.refuse_unknown(&[HEADER, CONSTRAINTS, LABELS, CUSTOM_GATES, CUSTOM_GATES_USES])?;
        table.refuse_trailing_bytes()?;

        let header = Self::read_header(&source, &table)?;
        let constraints = table.get(CONSTRAINTS)?;
        // Three empty linear combinations take 12 bytes.
        let max = constraints.size / 12;
        if u64::from(header.n_constraints) > max {
            return Err(R1csError::TooManyConstraints {
                got: header.n_constraints,
                max,
            });
        }
        if table.find(LABELS).is_some() {
            table.get_sized(LABELS, 8 * u64::from(header.n_wires))?;
        }
        Ok(Self {
            source,
            header,
            constraints,
        })
    }

    fn read_header(source: &S, table: &SectionTable) -> Result<R1csHeader, R1csError> {
        const REST: u64 = 4 + 4 * 4 + 8 + 4;
        let section = table.get(HEADER)?;
        let mut reader = section.reader(source, "r1cs header")?;
        let mut u32 = || reader.read_u32().map_err(io("r1cs header"));
        let n8 = u32()?;
        if n8 != 32 {
            return Err(R1csError::UnknownPrime { n8 });
        }
        table.get_sized(HEADER, REST + u64::from(n8))?;
        let mut prime = [0; 32];
        binfile::read(&mut reader, &mut prime, "r1cs header")?;
        let curve = Curve::from_scalar_modulus(&prime).ok_or(R1csError::UnknownPrime { n8 })?;
        let mut u32 = || reader.read_u32().map_err(io("r1cs header"));
        let (n_wires, n_outputs, n_public_inputs, n_private_inputs) =
            (u32()?, u32()?, u32()?, u32()?);
        let n_labels = u64::from(u32()?) | (u64::from(u32()?) << 32);
        let n_constraints = u32()?;

        // Private inputs are not counted: circom drops the wires of those that no constraint uses.
        let needed = 1 + u64::from(n_outputs) + u64::from(n_public_inputs);
        if needed > u64::from(n_wires) {
            return Err(R1csError::TooFewWires {
                wires: n_wires,
                needed,
            });
        }
        if n_constraints == 0 {
            return Err(R1csError::NoConstraints);
        }
        Ok(R1csHeader {
            curve,
            n_wires,
            n_outputs,
            n_public_inputs,
            n_private_inputs,
            n_labels,
            n_constraints,
        })
    }

    /// The same circuit by reference, in one type for all sources: code for it is compiled once.
    pub fn as_dyn(&self) -> R1cs<&dyn Source> {
        R1cs {
            source: &self.source,
            header: self.header,
            constraints: self.constraints,
        }
    }

    /// The circuit's counts.
    pub fn header(&self) -> &R1csHeader {
        &self.header
    }

    /// Streams all terms of all constraints, in file order.
    pub fn terms(&self) -> Result<TermReader<'_, S>, R1csError> {
        TermReader::new(&self.source, self.constraints, &self.header)
    }
}

#[cfg(test)]
mod tests;
