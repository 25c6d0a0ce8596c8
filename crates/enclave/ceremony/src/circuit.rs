//! The circuit: that what was compiled is what the spec names.

use std::collections::BTreeMap;

use formats::power::required_power;
use manifest::manifest::{CircuitFacts, SourceRecord};
use manifest::receipt::Records;
use manifest::sources::{SourceBundle, SourcePath};
use manifest::spec::{CircuitInput, CircuitSpec};
use manifest::{ArtifactKind, ArtifactRecord};

use crate::error::CeremonyError;

/// What the agent hands in after it compiled the circuit, or took it as r1cs.
#[derive(Debug)]
pub struct CompiledCircuit {
    /// The bundle that was compiled; `None` when the circuit was given as r1cs.
    pub sources: Option<CompiledSources>,
    /// The r1cs in the store.
    pub r1cs: ArtifactRecord,
    /// Numbers from the r1cs's header.
    pub counts: CircuitCounts,
}

/// A bundle and what the compiler made of it.
#[derive(Debug)]
pub struct CompiledSources {
    /// The bundle as it was received.
    pub bundle: ArtifactRecord,
    /// The same, parsed.
    pub files: SourceBundle,
    /// The witness generator.
    pub wasm: ArtifactRecord,
}

/// Numbers from an r1cs header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitCounts {
    /// Constraints.
    pub constraints: u32,
    /// Wires, the constant one included.
    pub wires: u32,
    /// Public outputs.
    pub outputs: u32,
    /// Public inputs.
    pub public_inputs: u32,
    /// Private inputs.
    pub private_inputs: u32,
}

/// Evidence: the circuit in the store is the one that the spec names, compiled in this enclave
/// unless it was given compiled.
///
/// Cannot be made outside this crate:
///
/// ```compile_fail
/// let forged = ceremony::CircuitCompiled { records: Default::default() };
/// ```
///
/// Cannot be used twice:
///
/// ```compile_fail
/// fn twice(token: ceremony::CircuitCompiled) -> [ceremony::CircuitCompiled; 2] {
///     [token.clone(), token]
/// }
/// ```
#[derive(Debug)]
pub struct CircuitCompiled {
    facts: CircuitFacts,
    records: Records,
    sources: BTreeMap<SourcePath, SourceRecord>,
}

impl CircuitCompiled {
    /// The only way to the token: the digest, the main file and the libraries are those of the spec.
    pub(crate) fn mint(
        spec: &CircuitSpec,
        circuit: CompiledCircuit,
    ) -> Result<Self, CeremonyError> {
        let mut records = Records::from([(ArtifactKind::R1cs, circuit.r1cs)]);
        let mut sources = BTreeMap::new();
        match (spec, circuit.sources) {
            (CircuitSpec::R1cs { .. }, None) => {
                expect_digest(spec, records.get(&ArtifactKind::R1cs))?;
            }
            (
                CircuitSpec::Sources {
                    main, libraries, ..
                },
                Some(compiled),
            ) => {
                expect_digest(spec, Some(&compiled.bundle))?;
                expect_layout(main, libraries, &compiled.files)?;
                for file in compiled.files.files() {
                    let record = SourceRecord {
                        size: u64::try_from(file.content().len()).unwrap_or(u64::MAX),
                        sha256: file.sha256(),
                    };
                    sources.insert(file.path().clone(), record);
                }
                records.insert(ArtifactKind::CircuitBundle, compiled.bundle);
                records.insert(ArtifactKind::WitnessWasm, compiled.wasm);
            }
            (CircuitSpec::R1cs { .. }, Some(_)) | (CircuitSpec::Sources { .. }, None) => {
                return Err(CeremonyError::CircuitInput {
                    expected: spec.input(),
                });
            }
        }
        Ok(Self {
            facts: facts(&circuit.counts)?,
            records,
            sources,
        })
    }

    /// Numbers of the circuit.
    pub fn facts(&self) -> &CircuitFacts {
        &self.facts
    }

    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    pub(crate) fn sources(&self) -> &BTreeMap<SourcePath, SourceRecord> {
        &self.sources
    }

    /// The records of `kinds`, for a receipt.
    pub(crate) fn select(&self, kinds: &[ArtifactKind]) -> Records {
        kinds
            .iter()
            .filter_map(|kind| Some((*kind, self.records.get(kind)?.clone())))
            .collect()
    }
}

fn expect_digest(spec: &CircuitSpec, record: Option<&ArtifactRecord>) -> Result<(), CeremonyError> {
    let expected = spec.sha256();
    match record {
        Some(record) if record.sha256 == expected => Ok(()),
        Some(record) => Err(CeremonyError::CircuitDigest {
            expected,
            got: record.sha256,
        }),
        None => Err(CeremonyError::CircuitInput {
            expected: spec.input(),
        }),
    }
}

/// The spec repeats the bundle's main file and libraries for people to read: they must agree.
fn expect_layout(
    main: &SourcePath,
    libraries: &[SourcePath],
    files: &SourceBundle,
) -> Result<(), CeremonyError> {
    if files.main() != main {
        return Err(CeremonyError::CircuitMain {
            expected: main.as_str().to_owned(),
            got: files.main().as_str().to_owned(),
        });
    }
    if files.libraries() == libraries {
        Ok(())
    } else {
        Err(CeremonyError::CircuitLibraries {
            expected: libraries.len(),
            got: files.libraries().len(),
        })
    }
}

fn facts(counts: &CircuitCounts) -> Result<CircuitFacts, CeremonyError> {
    if counts.constraints == 0 {
        return Err(CeremonyError::NoConstraints);
    }
    Ok(CircuitFacts {
        constraints: counts.constraints,
        wires: counts.wires,
        outputs: counts.outputs,
        public_inputs: counts.public_inputs,
        private_inputs: counts.private_inputs,
        power: required_power(counts.constraints, counts.public_inputs, counts.outputs),
    })
}

/// The artifact that the host puts in before the circuit can be compiled or taken.
pub fn handed_in(input: CircuitInput) -> ArtifactKind {
    match input {
        CircuitInput::Sources => ArtifactKind::CircuitBundle,
        CircuitInput::R1cs => ArtifactKind::R1cs,
    }
}
