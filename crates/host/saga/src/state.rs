//! What this machine keeps of its runs: plan, inputs and journal, a folder each.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use cloud::RunId;

use crate::error::SagaError;
use crate::journal::Journal;
use crate::plan::{RawPlan, RunPlan};
use crate::prepare::Inputs;

/// The folder of all runs.
#[derive(Debug, Clone)]
pub struct StateFolder(PathBuf);

impl StateFolder {
    /// The folder; nothing is made yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of one run.
    pub fn of(&self, run: &RunId) -> PathBuf {
        self.0.join("runs").join(run.as_str())
    }

    /// The runs that have a folder, ascending.
    pub fn runs(&self) -> Result<Vec<RunId>, SagaError> {
        let folder = self.0.join("runs");
        let failed = |source| SagaError::File {
            action: "list",
            path: folder.clone(),
            source,
        };
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed(e)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            runs.extend(name.to_str().and_then(|name| name.parse::<RunId>().ok()));
        }
        runs.sort();
        Ok(runs)
    }

    /// Makes the run's folder and writes plan and inputs into it, the plan last. Written before anything is made.
    pub fn begin(&self, plan: &RunPlan, inputs: &Inputs) -> Result<(), SagaError> {
        let folder = self.of(&plan.run);
        std::fs::create_dir_all(&folder).map_err(|source| SagaError::File {
            action: "create",
            path: folder.clone(),
            source,
        })?;
        write(&folder.join("inputs.json"), &inputs.to_json())?;
        write(&folder.join("plan.json"), &plan.to_json())
    }

    /// The run's plan; `None` if it was not typed here.
    pub fn plan(&self, run: &RunId) -> Result<Option<RunPlan>, SagaError> {
        let json = read(&self.of(run).join("plan.json"))?;
        json.map(|json| RawPlan::from_json(&json)?.validate())
            .transpose()
    }

    /// The run's inputs; `None` if it was not typed here.
    pub fn inputs(&self, run: &RunId) -> Result<Option<Inputs>, SagaError> {
        let json = read(&self.of(run).join("inputs.json"))?;
        json.map(|json| Inputs::from_json(&json)).transpose()
    }

    /// The run's journal, made if there is none.
    pub fn journal(&self, run: &RunId) -> Result<Journal, SagaError> {
        let folder = self.of(run);
        std::fs::create_dir_all(&folder).map_err(|source| SagaError::File {
            action: "create",
            path: folder.clone(),
            source,
        })?;
        Journal::open(&folder.join("journal"))
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, SagaError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SagaError::File {
            action: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

/// Writes a file whole: under another name, flushed, then renamed.
fn write(path: &Path, bytes: &[u8]) -> Result<(), SagaError> {
    let temporary = path.with_extension("partial");
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    });
    written.map_err(|source| SagaError::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}
