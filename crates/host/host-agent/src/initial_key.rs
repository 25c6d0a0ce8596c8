//! Makes 0000.zkey. The enclave checks every point of it; nothing here is believed.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use formats::source::FileSource;
use phase2::setup::{SetupOptions, new_initial_key};

use crate::error::AgentError;
use crate::preflight::Circuit;
use crate::ptau::PtauError;
use crate::report::Reporter;
use crate::story::Config;

/// Writes the initial key of `circuit` into the work folder.
pub async fn make(
    config: &Config,
    circuit: &Circuit,
    ptau: &Path,
    reporter: &Arc<Reporter>,
) -> Result<PathBuf, AgentError> {
    let out = config.work.join("0000.zkey");
    let (r1cs, ptau, reporter) = (circuit.r1cs.clone(), ptau.to_owned(), Arc::clone(reporter));
    let options = SetupOptions {
        memory_bytes: config.memory_bytes,
        threads: None,
    };
    tokio::task::spawn_blocking(move || {
        let r1cs = R1cs::open(open(&r1cs)?)?;
        let ptau = Ptau::open(open(&ptau)?).map_err(PtauError::from)?;
        let failed = |source| AgentError::File {
            action: "write",
            path: out.clone(),
            source,
        };
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&out).map_err(failed)?);
        let summary = new_initial_key(&r1cs, &ptau, &mut file, &options, &*reporter)?;
        file.flush().map_err(failed)?;
        reporter.note(format!(
            "initial key: {} bytes, circuit hash {}",
            summary.size, summary.circuit_hash
        ));
        Ok(out)
    })
    .await?
}

fn open(path: &Path) -> Result<FileSource, AgentError> {
    FileSource::open(path).map_err(|source| AgentError::File {
        action: "read",
        path: path.into(),
        source,
    })
}
