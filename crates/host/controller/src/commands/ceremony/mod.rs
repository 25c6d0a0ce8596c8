//! `controller run`: asks for a ceremony, follows it, puts the bundle together and verifies it.

pub(in crate::commands) mod bundle;
mod host;
mod request;

use std::path::{Path, PathBuf};

use cloud::run::Run;
use cloud::{FolderStore, RunId};
use manifest::ArtifactKind;

pub(in crate::commands) use request::{CircuitBytes, Request, Where};
pub(crate) use request::{circom_options, parse_nonce};

use crate::cli::RunArgs;
use crate::clouds::Clouds;
use crate::error::CliError;
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;
use crate::programs::Programs;

const BANNER: &str = "\
SIMULATION: host and enclave are ordinary processes of this machine. Whoever controls it can know the
secret. The key of this ceremony must not protect anything of value.";

/// Runs the ceremony that was typed: in the cloud, or here, or so many in sequence.
pub(super) fn run(
    args: &RunArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    check_out(&args.out)?;
    if args.in_cloud.cloud.is_some() {
        return super::cloud::run(args, clouds, printer);
    }
    if !args.local {
        return Err(CliError::Usage {
            what: "where does it run? --local or --cloud aws is needed".to_owned(),
            hint: None,
        });
    }
    if let Some(option) = args.in_cloud.typed_in_vain() {
        return Err(CliError::Usage {
            what: format!("{option} is for runs in the cloud, not for --local"),
            hint: Some("leave it out, or run with --cloud aws"),
        });
    }
    if args.enclaves == 1 {
        return one(args, &args.out, args.initial.as_deref(), printer);
    }
    if args.nonce.is_some() {
        return Err(CliError::Usage {
            what: "--nonce names one ceremony, --enclaves asks for several".to_owned(),
            hint: None,
        });
    }
    std::fs::create_dir_all(&args.out).map_err(|source| CliError::File {
        action: "create",
        path: args.out.clone(),
        source,
    })?;
    let mut initial = args.initial.clone();
    for number in 1..=args.enclaves {
        printer.status(&format!("enclave {number} of {}", args.enclaves));
        let out = args.out.join(number.to_string());
        match one(args, &out, initial.as_deref(), printer)? {
            Exit::Success => {}
            exit => return Ok(exit),
        }
        initial = Some(out.join(ArtifactKind::FinalZkey.name()));
    }
    printer.status("verifying that each bundle continues the one before");
    super::verify::links(&args.out, usize::from(args.enclaves), printer)
}

/// Runs one ceremony that adds to `initial`, or to a fresh key.
fn one(
    args: &RunArgs,
    out: &Path,
    initial: Option<&Path>,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let request = Request::from_args(args, initial, Where::Here)?;
    let programs = Programs::find(&args.programs)?;
    let id = run_id(&request)?;
    printer.warn(BANNER);
    let (ceremony, simulation) = (request.spec.id().to_string(), true);
    printer.object(&json::Started {
        run: id.as_str(),
        ceremony: &ceremony,
        simulation,
    });
    printer.status(&format!("ceremony {ceremony}"));

    let place = Place::of(args, out, &id);
    std::fs::create_dir_all(&place.work).map_err(|source| CliError::File {
        action: "create",
        path: place.work.clone(),
        source,
    })?;
    let store = FolderStore::open(&place.store)?;
    let run = Run::new(&store, &id);
    match &request.circuit {
        CircuitBytes::Sources(bundle) => run.put_circuit(&bundle.encode())?,
        CircuitBytes::R1cs(path) => run.put_circuit_copy(path)?,
    }
    if let Some(path) = &request.initial {
        run.put_initial_copy(path)?;
    }
    run.put_job(&request.job)?;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(CliError::Start)?;
    let supervised = host::run(&store, &id, &place.work, &programs, printer);
    runtime.block_on(supervised)?;

    let exit = finish(run, &request, out, printer);
    if matches!(exit, Ok(Exit::Success)) {
        printer.result(&format!("bundle: {}", out.display()));
        place.tidy(args.store.is_some(), &id, printer);
    } else {
        printer.warn(&format!(
            "records and artifacts are kept in {}",
            place.store.display()
        ));
    }
    exit
}

/// Puts the bundle together and verifies it. Success only if it holds.
fn finish(
    run: Run<'_>,
    request: &Request,
    out: &Path,
    printer: &Printer,
) -> Result<Exit, CliError> {
    bundle::assemble(run, &request.circuit, out)?;
    printer.status("verifying the bundle");
    let trust = verify::Trust::Simulation { root: None };
    match super::verify::after_run(out, &request.spec, trust, printer)? {
        // What was asked for: a simulation, complete and consistent. Its first line says what it is.
        Exit::SimulationOnly => Ok(Exit::Success),
        exit => Ok(exit),
    }
}

/// Refuses a folder that holds something.
pub(in crate::commands) fn check_out(out: &Path) -> Result<(), CliError> {
    match std::fs::read_dir(out) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(CliError::OutExists { path: out.into() }),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => {
            Err(CliError::OutExists { path: out.into() })
        }
        Err(source) => Err(CliError::File {
            action: "read",
            path: out.into(),
            source,
        }),
    }
}

/// The run is named after its ceremony, which the nonce makes unique.
pub(in crate::commands) fn run_id(request: &Request) -> Result<RunId, CliError> {
    let id = request.spec.id().to_string();
    let name = format!("run-{}", id.get(..16).unwrap_or(&id));
    name.parse()
        .map_err(|error| CliError::Store(cloud::StoreError::Key(error)))
}

/// Where the run's records and intermediate files are.
struct Place {
    store: PathBuf,
    work: PathBuf,
}

impl Place {
    fn of(args: &RunArgs, out: &Path, id: &RunId) -> Self {
        let beside = || {
            let name = out
                .file_name()
                .map_or_else(|| "bundle".into(), ToOwned::to_owned);
            let mut name: std::ffi::OsString = name;
            name.push(".run");
            out.with_file_name(name)
        };
        let store = args.store.clone().unwrap_or_else(beside);
        let work = store.join("work").join(id.as_str());
        Self { store, work }
    }

    /// After success: the intermediate files go, and with them a store that was only for this run.
    fn tidy(&self, keep_store: bool, id: &RunId, printer: &Printer) {
        let mut folders = vec![self.work.clone()];
        if !keep_store {
            folders.push(self.store.join("runs").join(id.as_str()));
            folders.push(self.store.join(".partial"));
        }
        for folder in folders {
            if let Err(error) = std::fs::remove_dir_all(&folder) {
                printer.status(&format!(
                    "{} could not be removed: {error}",
                    folder.display()
                ));
            }
        }
        // Not empty: another run's records are in there, so they stay.
        for folder in ["work", "runs", ""] {
            drop(std::fs::remove_dir(self.store.join(folder)));
        }
    }
}
