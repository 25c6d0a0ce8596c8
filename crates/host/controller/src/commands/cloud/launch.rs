//! `run --cloud`: everything is checked and priced here, then shown and asked for, and only then made.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloud::RunId;
use infra::host_config::HostConfig;
use plan::{Estimate, estimate};
use saga::{Event, Input, Inputs, Limits, RunPlan, Saga, Watcher, Wish};
use sha2::{Digest, Sha256};

use super::offer::{self, Offer};
use super::receiver::{Bundler, OUT_NOTE};
use super::release::{self, Release};
use super::screen::Screen;
use super::seat::{self, Seat};
use super::show;
use super::sizing::Sizing;
use crate::cli::{InCloudArgs, RunArgs, Trust};
use crate::clouds::{Clouds, OpenCloud};
use crate::commands::ceremony::{CircuitBytes, Request, Where, run_id};
use crate::commands::{plan as planning, verify as verifying};
use crate::error::CliError;
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;
use crate::programs::find_modules;
use crate::work::WorkDisplay;

/// Runs the ceremony that was typed on a machine of its own, to the proof that nothing of it is left.
pub(in crate::commands) fn run(
    args: &RunArgs,
    clouds: &dyn Clouds,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let asked = &args.in_cloud;
    if args.enclaves > 1 {
        return Err(usage(
            "--enclaves is for ceremonies on this machine",
            Some(
                "run them one after the other, each with --initial and the final.zkey of the one before",
            ),
        ));
    }
    let simulation = asked.trust.trust == Some(Trust::Simulation);
    let request = Request::from_args(args, args.initial.as_deref(), Where::Cloud { simulation })?;
    let open = clouds.open(&asked.account)?;
    if let Some(topic) = &asked.alarm_topic
        && topic.region() != open.region.as_str()
    {
        return Err(usage(
            "--alarm-topic names a topic in another region than the run's",
            Some(
                "an alarm can only tell topics of its own region: name one there, or change --region",
            ),
        ));
    }
    let work = WorkDisplay::new(printer);
    let release = release(asked, &work)?;
    let (circuit, estimate) = measured(args, &request, &release, printer, &work)?;
    work.finish();
    if let Some(what) = estimate.impossible {
        return Err(CliError::Impossible { what });
    }
    printer.object(&json::Plan::new(&circuit, &estimate));
    planning::show(&circuit, &estimate, printer);

    let seat = Seat {
        run: run_id(&request)?,
        state: seat::state(&asked.state)?,
        open,
    };
    if seat.state.plan(&seat.run)?.is_some() {
        return Err(CliError::Begun {
            run: seat.run.to_string(),
        });
    }
    let sizing = sizing(&seat.open, &estimate, &release, asked)?;
    let host = host_config(&seat.run, &release, &sizing, asked);
    let plan = choose(&seat, &request, &release, &sizing, &host, asked)?;
    let offer = Offer::of(&plan, &sizing);
    offer.show(printer);
    if !asked.yes && !offer::is_accepted(printer)? {
        printer.status("nothing was made");
        return Ok(Exit::Interrupted);
    }
    begin(args, &seat, &request, &release, &host, plan, printer)
}

/// The release that was named; its image must measure what `--pcrs` says, if that is said.
fn release(asked: &InCloudArgs, work: &WorkDisplay<'_>) -> Result<Release, CliError> {
    let folder = asked.release.as_deref().ok_or_else(|| {
        usage(
            "--release is needed: the machine is started from its files",
            Some("name the folder of a release that you fetched, or made with scripts/release"),
        )
    })?;
    let release = Release::open(folder, work)?;
    if let Some(path) = &asked.trust.pcr_file.pcrs {
        let expected = verifying::from_file(path, &asked.trust.pcr_file)?;
        if expected.policy() != release::policy(release.pcrs) {
            return Err(CliError::Release {
                path: release.folder,
                what: format!("its image does not measure what {} says", path.display()),
            });
        }
    }
    Ok(release)
}

/// Compiles the circuit here: what the machine would refuse after ten minutes is refused now.
fn measured(
    args: &RunArgs,
    request: &Request,
    release: &Release,
    printer: &Printer,
    work: &WorkDisplay<'_>,
) -> Result<(plan::Circuit, Estimate), CliError> {
    let circuit = match &request.circuit {
        CircuitBytes::R1cs(path) => planning::read(path, false, work)?,
        CircuitBytes::Sources(bundle) => {
            let modules = match (&args.programs.modules, find_modules(None)) {
                (Some(named), _) => find_modules(Some(named))?,
                (None, Ok(beside)) => beside,
                // A release has the compilers too.
                (None, Err(_)) => release.folder.clone(),
            };
            let options = crate::commands::ceremony::circom_options(args.o0, args.o2);
            planning::compile(bundle, &options, &modules, printer, work)?
        }
    };
    let estimate = estimate(&circuit);
    Ok((circuit, estimate))
}

fn sizing(
    open: &OpenCloud,
    estimate: &Estimate,
    release: &Release,
    asked: &InCloudArgs,
) -> Result<Sizing, CliError> {
    let typed = &asked.instance_types;
    let stored = release.bytes.saturating_add(estimate.sizes.r1cs);
    let mut sizing = Sizing::of(estimate, release.image_bytes, stored, typed)?;
    let (region, architecture) = (&open.region, release.architecture);
    let fitting = saga::fitting(desk(open), region, architecture, &sizing.candidates)?;
    sizing.keep(fitting, !typed.is_empty());
    Ok(sizing)
}

/// While nothing is made, nobody is told.
fn desk(open: &OpenCloud) -> saga::Desk<'_> {
    saga::Desk {
        account: &*open.account,
        clock: &*open.clock,
        watcher: &Nobody,
        pace: open.pace,
    }
}

fn host_config(run: &RunId, release: &Release, sizing: &Sizing, asked: &InCloudArgs) -> HostConfig {
    let unit = Sha256::digest(infra::HOST_AGENT_UNIT).into();
    let mut artifacts = release.sha256.clone();
    artifacts.insert(UNIT.to_owned(), unit);
    HostConfig {
        run: run.to_string(),
        enclave_memory_mib: sizing.enclave_mib,
        enclave_cpus: sizing.enclave_cpus,
        pcrs: release.pcrs,
        host_memory_mib: sizing.host_mib,
        ptau_mirror: asked.ptau_mirror.as_ref().map(ToString::to_string),
        artifacts,
    }
}

fn choose(
    seat: &Seat,
    request: &Request,
    release: &Release,
    sizing: &Sizing,
    host: &HostConfig,
    asked: &InCloudArgs,
) -> Result<RunPlan, CliError> {
    let typed = asked
        .max_minutes
        .map(|minutes| Duration::from_mins(minutes.into()));
    let longest = typed.unwrap_or(sizing.patience);
    let wish = Wish {
        run: seat.run.clone(),
        ceremony: request.spec.id().to_string(),
        region: seat.open.region.clone(),
        architecture: release.architecture,
        candidates: sizing.candidates.clone(),
        volume: sizing.volume,
        other_costs: sizing.other_costs(longest),
        host_sha256: host.parameters_sha256(),
        mirror: host.ptau_mirror.clone().unwrap_or_default(),
        alarm_topic: asked.alarm_topic.clone(),
        keep_days: asked.keep_days,
        limits: Limits {
            max_usd: asked.max_usd,
            max: Some(longest),
        },
        simulation: asked.trust.trust == Some(Trust::Simulation),
    };
    Ok(saga::choose(desk(&seat.open), wish)?)
}

/// Writes down what the run is, here, and makes it.
fn begin(
    args: &RunArgs,
    seat: &Seat,
    request: &Request,
    release: &Release,
    host: &HostConfig,
    plan: RunPlan,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let inputs = inputs(seat, request, release, host)?;
    let out = std::path::absolute(&args.out).map_err(|source| CliError::File {
        action: "find",
        path: args.out.clone(),
        source,
    })?;
    let folder = seat.state.of(&seat.run);
    write(&folder.join(OUT_NOTE), out.as_os_str().as_bytes())?;
    seat.state.begin(&plan, &inputs)?;
    let trust = &args.in_cloud.trust;
    let receiver = Bundler::new(seat, None, trust, Some(&inputs), plan.simulation, printer)?;

    printer.object(&json::Started {
        run: seat.run.as_str(),
        ceremony: &plan.ceremony,
        simulation: plan.simulation,
    });
    printer.status(&format!("ceremony {}", plan.ceremony));
    printer.status(&format!(
        "run {}: `controller resume {}` takes it over from anywhere, `controller abort {}` ends it",
        seat.run, seat.run, seat.run
    ));
    let screen = Screen::new(printer)?;
    let blueprint = seat::blueprint();
    let journal = seat.state.journal(&seat.run)?;
    let mut saga = Saga::new(seat.desk(&screen), plan, journal, &blueprint)?;
    let outcome = saga.start(&inputs, &receiver);
    screen.finish();
    let exit = show::outcome(outcome, &seat.run, receiver.exit(), printer)?;
    if matches!(exit, Exit::Success | Exit::SimulationOnly) {
        printer.result(&format!("bundle: {}", out.display()));
    }
    Ok(exit)
}

/// Name of the unit among the inputs.
const UNIT: &str = "host-agent.service";

/// The inputs of the machine: files of the release, of the circuit, and those that are made here.
fn inputs(
    seat: &Seat,
    request: &Request,
    release: &Release,
    host: &HostConfig,
) -> Result<Inputs, CliError> {
    let folder = seat.state.of(&seat.run).join("inputs");
    fs::create_dir_all(&folder).map_err(|source| CliError::File {
        action: "create",
        path: folder.clone(),
        source,
    })?;
    let made = |name: &str, bytes: &[u8]| -> Result<Input, CliError> {
        let path = absolute(&folder)?.join(name);
        write(&path, bytes)?;
        let name = name.to_owned();
        Ok(Input { name, path })
    };
    let given = |name: &str, path: &Path| -> Result<Input, CliError> {
        let (name, path) = (name.to_owned(), absolute(path)?);
        Ok(Input { name, path })
    };
    let mut files = release.inputs.clone();
    files.push(made(UNIT, infra::HOST_AGENT_UNIT.as_bytes())?);
    files.push(match &request.circuit {
        CircuitBytes::Sources(bundle) => made("circuit", &bundle.encode())?,
        CircuitBytes::R1cs(path) => given("circuit", path)?,
    });
    if let Some(path) = &request.initial {
        files.push(given("initial", path)?);
    }
    files.push(made("host.json", &host.to_json())?);
    let job = request.job.clone();
    Ok(Inputs { files, job })
}

fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    path.canonicalize().map_err(|source| CliError::File {
        action: "find",
        path: path.into(),
        source,
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    fs::write(path, bytes).map_err(|source| CliError::File {
        action: "write",
        path: path.into(),
        source,
    })
}

fn usage(what: &str, hint: Option<&'static str>) -> CliError {
    CliError::Usage {
        what: what.to_owned(),
        hint,
    }
}

/// Nobody is told while nothing is made.
#[derive(Debug)]
struct Nobody;

impl Watcher for Nobody {
    fn say(&self, _: &Event<'_>) {}

    fn is_interrupted(&self) -> bool {
        false
    }
}
