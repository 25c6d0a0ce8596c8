//! The bundle of a run in the cloud: fetched, put together, verified.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cloud::StoreError;
use cloud::run::Run;
use manifest::sources::{MAX_BUNDLE_BYTES, RawSourceBundle};
use manifest::spec::{CircuitSpec, RawSpec, Spec};
use saga::{Inputs, Receiver, SagaError, Verdict};

use super::seat::Seat;
use crate::cli::{Trust, TrustArgs};
use crate::commands::ceremony::{CircuitBytes, bundle};
use crate::commands::verify as verifying;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Printer;

/// Name of the note in a run's folder that says where its bundle goes.
pub(super) const OUT_NOTE: &str = "out";

/// What an enclave must measure.
enum Pcrs {
    /// As a file says that was signed, or is the caller's own.
    Stated(Box<::verify::Expected>),
    /// As the image that the run was given.
    Given([[u8; 48]; 3]),
}

/// Takes bundles home.
pub(crate) struct Bundler<'a> {
    out: PathBuf,
    /// What the enclave must measure; `None` for a simulated one.
    pcrs: Option<Pcrs>,
    /// The spec that was typed here, if it was: what the bucket says must be it.
    typed: Option<Vec<u8>>,
    printer: &'a Printer,
    exit: Mutex<Option<Exit>>,
}

impl std::fmt::Debug for Bundler<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Bundler").field(&self.out).finish()
    }
}

impl<'a> Bundler<'a> {
    /// `simulation`: as the run was begun. It makes nothing pass as more than a simulation: the exit code says so.
    pub(crate) fn new(
        seat: &Seat,
        out: Option<&Path>,
        trust: &TrustArgs,
        inputs: Option<&Inputs>,
        simulation: bool,
        printer: &'a Printer,
    ) -> Result<Self, CliError> {
        let out = match out {
            Some(out) => out.to_owned(),
            None => noted(seat)?,
        };
        let begun = match (simulation, &trust.pcr_file.pcrs) {
            (true, None) => Trust::Simulation,
            _ => Trust::Aws,
        };
        let pcrs = match (trust.trust.unwrap_or(begun), &trust.pcr_file.pcrs) {
            (Trust::Simulation, None) => None,
            (Trust::Simulation, Some(_)) => {
                return Err(CliError::Usage {
                    what: "expected PCRs are for --trust aws: a simulated image has none"
                        .to_owned(),
                    hint: None,
                });
            }
            (Trust::Aws, Some(path)) => Some(Pcrs::Stated(Box::new(verifying::from_file(
                path,
                &trust.pcr_file,
            )?))),
            (Trust::Aws, None) => Some(Pcrs::Given(given(inputs)?)),
        };
        Ok(Self {
            out,
            pcrs,
            typed: inputs.map(|inputs| inputs.job.spec.to_vec()),
            printer,
            exit: Mutex::new(None),
        })
    }

    /// How the verification ended, if there was one.
    pub(crate) fn exit(&self) -> Option<Exit> {
        *self.exit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spec(&self, run: Run<'_>) -> Result<Spec, CliError> {
        let job = run.job()?.ok_or(CliError::Bundle {
            what: "the run has no job",
        })?;
        if self.typed.as_ref().is_some_and(|typed| *typed != job.spec) {
            return Err(CliError::Bundle {
                what: "the bucket holds the job of another ceremony than the one that was typed here",
            });
        }
        Ok(RawSpec(job.spec.to_vec()).validate()?)
    }

    fn assemble(&self, run: Run<'_>) -> Result<(), CliError> {
        let circuit = match self.spec(run)?.circuit {
            CircuitSpec::Sources { .. } => {
                let bytes = run.circuit(MAX_BUNDLE_BYTES)?.ok_or(CliError::Bundle {
                    what: "the run has no circuit",
                })?;
                CircuitBytes::Sources(RawSourceBundle(&bytes).validate()?)
            }
            CircuitSpec::R1cs { .. } => CircuitBytes::R1cs(PathBuf::new()),
        };
        bundle::assemble(run, &circuit, &self.out)
    }
}

impl Receiver for Bundler<'_> {
    fn name(&self) -> String {
        self.out.display().to_string()
    }

    fn is_there(&self) -> Result<bool, SagaError> {
        // A bundle gets its name only when it is whole.
        Ok(self.out.join(manifest::sums::SUMS_FILE).is_file())
    }

    fn receive(&self, run: Run<'_>) -> Result<(), SagaError> {
        self.assemble(run).map_err(received)
    }

    fn verify(&self, run: Run<'_>) -> Result<Verdict, SagaError> {
        let trust = match &self.pcrs {
            None => ::verify::Trust::Simulation { root: None },
            Some(Pcrs::Given(pcrs)) => verifying::measured(*pcrs),
            Some(Pcrs::Stated(expected)) => ::verify::Trust::Aws {
                pcrs: expected.policy(),
                origin: expected.origin().clone(),
            },
        };
        let exit = self
            .spec(run)
            .and_then(|spec| verifying::after_run(&self.out, &spec, trust, self.printer))
            .map_err(received)?;
        *self.exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(exit);
        Ok(match exit {
            Exit::Success => Verdict::Holds,
            Exit::SimulationOnly if self.pcrs.is_none() => Verdict::Holds,
            _ => Verdict::Refused,
        })
    }
}

fn received(error: CliError) -> SagaError {
    match error {
        CliError::Store(error @ StoreError::Cloud { .. }) => error.into(),
        error => SagaError::Receive {
            code: error.code(),
            passing: false,
            source: Box::new(error),
        },
    }
}

fn noted(seat: &Seat) -> Result<PathBuf, CliError> {
    match std::fs::read(seat.state.of(&seat.run).join(OUT_NOTE)) {
        Ok(bytes) => {
            let out = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&bytes);
            Ok(PathBuf::from(out))
        }
        Err(_) => Err(CliError::Usage {
            what: "where the bundle goes is not known on this machine".to_owned(),
            hint: Some("name a folder with --out"),
        }),
    }
}

/// The PCRs of the image that the run was given, from this machine's own copy of `host.json`.
fn given(inputs: Option<&Inputs>) -> Result<[[u8; 48]; 3], CliError> {
    let unknown = || CliError::Usage {
        what: "what the enclave must measure is not known on this machine".to_owned(),
        hint: Some("name the release's PCRs with --pcrs"),
    };
    let host = inputs.and_then(|inputs| inputs.files.iter().find(|file| file.name == "host.json"));
    let path = &host.ok_or_else(unknown)?.path;
    let bytes = std::fs::read(path).map_err(|source| CliError::File {
        action: "read",
        path: path.clone(),
        source,
    })?;
    let config = infra::host_config::RawHostConfig(bytes).validate()?;
    Ok(config.pcrs)
}
