//! Sources to r1cs and witness generator, or the r1cs as it was given.

use ceremony::circuit::{CircuitCounts, CompiledSources};
use ceremony::{Ceremony, Command, CompiledCircuit};
use circom::{Circom, CircomOptions, Outputs};
use formats::progress::{ProgressSink, Unit};
use formats::r1cs::R1cs;
use manifest::ArtifactKind;
use manifest::sources::{MAX_BUNDLE_BYTES, RawSourceBundle};
use manifest::spec::CircuitSpec;

use super::WorkError;
use crate::agent::Agent;

pub(crate) fn run(agent: &Agent, progress: &dyn ProgressSink) -> Result<Command, WorkError> {
    let circuit = agent.with(|ceremony| match ceremony {
        Ceremony::Opened(stage) => Ok(stage.spec().circuit.clone()),
        _ => Err(WorkError::Stage),
    })?;
    let store = agent.store();
    let sources = match &circuit {
        CircuitSpec::R1cs { .. } => None,
        CircuitSpec::Sources { options, .. } => Some(compile(agent, options, progress)?),
    };
    let r1cs = store.record(ArtifactKind::R1cs)?;
    let header = *R1cs::open(store.open(ArtifactKind::R1cs)?)?.header();
    Ok(Command::CompileCircuit(Box::new(CompiledCircuit {
        sources,
        r1cs,
        counts: CircuitCounts {
            constraints: header.n_constraints,
            wires: header.n_wires,
            outputs: header.n_outputs,
            public_inputs: header.n_public_inputs,
            private_inputs: header.n_private_inputs,
        },
    })))
}

fn compile(
    agent: &Agent,
    options: &CircomOptions,
    progress: &dyn ProgressSink,
) -> Result<CompiledSources, WorkError> {
    let store = agent.store();
    let limit = MAX_BUNDLE_BYTES;
    let bytes = store.read(ArtifactKind::CircuitBundle, limit)?;
    let files = RawSourceBundle(&bytes).validate()?;
    drop(bytes);
    let outputs = Outputs {
        r1cs: store.new_file(ArtifactKind::R1cs)?,
        wasm: store.new_file(ArtifactKind::WitnessWasm)?,
    };
    progress.step("load circuit compiler", Unit::Steps, None);
    let circom = Circom::load(agent.modules())?;
    progress.step("compile circuit", Unit::Steps, None);
    circom.compile(&files, options, agent.compiler_limits(), outputs, &|| {
        progress.is_cancelled()
    })?;
    // circom goes back in what it writes, so the r1cs goes out when it is whole.
    store.keep_unordered(ArtifactKind::R1cs, progress)?;
    let wasm = store.keep_unordered(ArtifactKind::WitnessWasm, progress)?;
    Ok(CompiledSources {
        bundle: store.record(ArtifactKind::CircuitBundle)?,
        files,
        wasm,
    })
}
