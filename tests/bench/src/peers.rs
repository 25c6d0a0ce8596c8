//! The programs in the table, and how each step is asked of them.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use vector::Level;

use crate::{
    engine::{BEACON, BEACON_EXPONENT, Step},
    error::BenchError,
    measure::{self, Run},
};

/// A program that can run the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// This workspace's engine, with the fastest arithmetic that the processor has.
    Ours,
    /// The same with slower arithmetic, by its name.
    At(&'static str),
    /// snarkjs, as installed by npm.
    Snarkjs,
    /// snarkrs, as installed by cargo.
    Snarkrs,
}

impl Program {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Ours => "this engine".into(),
            Self::At(level) => format!("this engine, {level}"),
            Self::Snarkjs => "snarkjs 0.7.6".into(),
            Self::Snarkrs => "snarkrs 0.1.0".into(),
        }
    }

    /// Whether it is this workspace's engine.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::At(_))
    }

    /// Short name for files.
    pub(crate) fn tag(self) -> String {
        match self {
            Self::Ours => "ours".into(),
            Self::At(level) => format!("ours-{}", level.replace(' ', "-")),
            Self::Snarkjs => "snarkjs".into(),
            Self::Snarkrs => "snarkrs".into(),
        }
    }
}

/// Where the peers are.
pub(crate) struct Peers {
    pub(crate) snarkjs: PathBuf,
    /// `None` where it could not be installed.
    pub(crate) snarkrs: Option<PathBuf>,
}

/// Files of a step in the order new: r1cs ptau out; contribute and beacon: in out; verify: r1cs ptau
/// key.
pub(crate) type Files<'a> = &'a [&'a Path];

impl Peers {
    pub(crate) fn programs(&self) -> impl Iterator<Item = Program> {
        let slower = Level::all().skip(1).map(|level| Program::At(level.name()));
        [Program::Ours]
            .into_iter()
            .chain(slower)
            .chain([Program::Snarkjs])
            .chain(self.snarkrs.is_some().then_some(Program::Snarkrs))
    }

    /// Runs a step and makes sure that it did its work: snarkjs's exit code says nothing.
    pub(crate) fn run(
        &self,
        program: Program,
        step: Step,
        files: Files<'_>,
    ) -> Result<Run, BenchError> {
        let (executable, arguments) = self.command(program, step, files)?;
        let run = measure::run(&executable, &arguments)?;
        let done = match (program, step) {
            (Program::Snarkjs, Step::Verify) => run.output.contains("ZKey Ok!"),
            (Program::Snarkjs, _) => !run.output.contains("ERROR") && written(files),
            (Program::Ours | Program::At(_), Step::Verify) => {
                run.success && run.output.contains("2 contributions")
            }
            (Program::Snarkrs, Step::Verify) => run.success,
            (_, _) => run.success && written(files),
        };
        if done {
            Ok(run)
        } else {
            let skipped = run.output.chars().count().saturating_sub(600);
            Err(BenchError::Failed {
                program: program.name(),
                step: step.name().into(),
                output: run.output.chars().skip(skipped).collect(),
            })
        }
    }

    fn command(
        &self,
        program: Program,
        step: Step,
        files: Files<'_>,
    ) -> Result<(OsString, Vec<OsString>), BenchError> {
        let mut arguments: Vec<OsString> = Vec::new();
        let executable = match program {
            Program::Ours | Program::At(_) => {
                arguments.extend(["engine", step.name()].map(OsString::from));
                if let Program::At(level) = program {
                    arguments.extend(["--level", level].map(OsString::from));
                }
                std::env::current_exe()
                    .map_err(BenchError::io("find this program"))?
                    .into_os_string()
            }
            Program::Snarkjs => {
                arguments.push(self.snarkjs.clone().into_os_string());
                "node".into()
            }
            Program::Snarkrs => self.snarkrs.clone().unwrap_or_default().into_os_string(),
        };
        if !program.is_ours() {
            let words: &[&str] = match (program, step) {
                (_, Step::New) => &["groth16", "setup"],
                (_, Step::Contribute) => &["zkey", "contribute"],
                (_, Step::Beacon) => &["zkey", "beacon"],
                (Program::Snarkjs, Step::Verify) => &["zkv"],
                (_, Step::Verify) => &["zkey", "verify", "r1cs"],
            };
            arguments.extend(words.iter().map(OsString::from));
        }
        arguments.extend(files.iter().map(|file| OsStr::new(file).to_owned()));
        match (program, step) {
            (Program::Ours | Program::At(_), _) | (_, Step::New | Step::Verify) => {}
            (_, Step::Contribute) => arguments.push("-e=benchmark entropy".into()),
            (_, Step::Beacon) => {
                arguments.push(BEACON.map(|byte| format!("{byte:02x}")).concat().into());
                arguments.push(BEACON_EXPONENT.to_string().into());
            }
        }
        Ok((executable, arguments))
    }
}

fn written(files: Files<'_>) -> bool {
    files
        .last()
        .and_then(|path| path.metadata().ok())
        .is_some_and(|metadata| metadata.len() > 0)
}
