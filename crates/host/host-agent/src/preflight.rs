//! The circuit compiled on the host: its size decides which powers of tau are fetched, and the initial
//! key is made from it. The enclave compiles the same sources again and believes only its own r1cs.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use circom::{Circom, CircomOptions, Limits, Outputs};
use formats::digest::{Sha256Digest, hash_source};
use formats::r1cs::R1cs;
use formats::source::FileSource;
use manifest::sources::RawSourceBundle;
use manifest::spec::CircuitSpec;

use crate::error::AgentError;
use crate::job::Task;
use crate::report::Reporter;
use crate::story::Config;

/// A compiled circuit.
#[derive(Debug)]
pub struct Circuit {
    /// The r1cs.
    pub r1cs: PathBuf,
    /// Its SHA-256.
    pub sha256: Sha256Digest,
    /// Smallest sufficient power.
    pub power: u32,
}

/// Compiles (or takes) the circuit and measures it.
pub async fn compile(
    config: &Config,
    task: &Task,
    reporter: &Arc<Reporter>,
) -> Result<Circuit, AgentError> {
    let r1cs = match &task.spec.circuit {
        CircuitSpec::R1cs { .. } => task.circuit.clone(),
        CircuitSpec::Sources { options, .. } => {
            compile_sources(config, task, *options, reporter).await?
        }
    };
    let reporter = Arc::clone(reporter);
    tokio::task::spawn_blocking(move || measure(r1cs, &reporter)).await?
}

async fn compile_sources(
    config: &Config,
    task: &Task,
    options: CircomOptions,
    reporter: &Arc<Reporter>,
) -> Result<PathBuf, AgentError> {
    let r1cs = config.work.join("circuit.r1cs");
    let wasm = config.work.join("circuit.wasm");
    let (modules, bundle) = (config.modules.clone(), task.circuit.clone());
    let (r1cs_file, wasm_file) = (create(&r1cs)?, create(&wasm)?);
    let reporter = Arc::clone(reporter);
    let compiled = tokio::task::spawn_blocking(move || {
        let bytes = std::fs::read(&bundle).map_err(|source| AgentError::File {
            action: "read",
            path: bundle.clone(),
            source,
        })?;
        let sources = RawSourceBundle(&bytes).validate()?;
        let outputs = Outputs {
            r1cs: r1cs_file,
            wasm: wasm_file,
        };
        // Of its own: the first load on a machine makes machine code, for most of a minute.
        reporter.begin("preflight: load compiler");
        let circom = Circom::load(&modules)?;
        reporter.begin("preflight: compile circuit");
        let limits = Limits::default();
        circom.compile(&sources, &options, &limits, outputs, &|| {
            reporter.is_cancelled()
        })?;
        Ok::<(), AgentError>(())
    });
    compiled.await??;
    Ok(r1cs)
}

fn measure(r1cs: PathBuf, reporter: &Reporter) -> Result<Circuit, AgentError> {
    let failed = |source| AgentError::File {
        action: "read",
        path: r1cs.clone(),
        source,
    };
    let source = FileSource::open(&r1cs).map_err(failed)?;
    let sha256 = hash_source(&source, reporter).map_err(failed)?.sha256;
    let opened = R1cs::open(source)?;
    let header = opened.header();
    let power = header.power();
    reporter.note(format!(
        "circuit: {} constraints, {} wires, {} outputs, {} public and {} private inputs; needs powers of tau 2^{power}",
        header.n_constraints,
        header.n_wires,
        header.n_outputs,
        header.n_public_inputs,
        header.n_private_inputs,
    ));
    Ok(Circuit {
        r1cs,
        sha256,
        power,
    })
}

fn create(path: &std::path::Path) -> Result<File, AgentError> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .map_err(|source| AgentError::File {
            action: "create",
            path: path.into(),
            source,
        })
}
