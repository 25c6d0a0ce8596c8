//! `controller plan`: what a ceremony of a circuit takes, before anything runs.

use std::fs::File;
use std::path::{Path, PathBuf};

use circom::{Circom, CircomOptions, Limits, Outputs};
use formats::r1cs::R1cs;
use formats::source::{FileSource, Source};
use manifest::sources::SourceBundle;
use plan::{Circuit, Estimate, OnInstance, estimate};

use super::ceremony::circom_options;
use crate::cli::PlanArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;
use crate::programs::find_modules;
use crate::words;
use crate::work::WorkDisplay;

/// Measures the circuit and shows the estimate. Wrong usage where no ceremony of it is possible.
pub(super) fn run(args: &PlanArgs, printer: &Printer) -> Result<Exit, CliError> {
    let work = WorkDisplay::new(printer);
    let circuit = measure(args, printer, &work)?;
    work.finish();
    let found = estimate(&circuit);
    printer.object(&json::Plan::new(&circuit, &found));
    show(&circuit, &found, printer);
    match found.impossible {
        None => Ok(Exit::Success),
        Some(what) => {
            printer.warn(&format!("this circuit's ceremony is not possible: {what}"));
            Ok(Exit::False)
        }
    }
}

fn measure(
    args: &PlanArgs,
    printer: &Printer,
    work: &WorkDisplay<'_>,
) -> Result<Circuit, CliError> {
    let is_r1cs = args.circuit.extension().is_some_and(|end| end == "r1cs");
    if is_r1cs {
        if !args.libraries.is_empty() || args.o0 || args.o1 || args.o2 {
            return Err(CliError::Usage {
                what: "-l and --O… are for .circom files".to_owned(),
                hint: None,
            });
        }
        return read(&args.circuit, false, work);
    }
    let modules = find_modules(args.modules.as_deref())?;
    let bundle = circom::sources::collect(&args.circuit, &args.libraries)?;
    let options = circom_options(args.o0, args.o2);
    compile(&bundle, &options, &modules, printer, work)
}

/// Compiles a circuit for its counts alone.
pub(super) fn compile(
    bundle: &SourceBundle,
    options: &CircomOptions,
    modules: &Path,
    printer: &Printer,
    work: &WorkDisplay<'_>,
) -> Result<Circuit, CliError> {
    let scratch =
        tempfile::tempdir().map_err(|source| file("create", &std::env::temp_dir(), source))?;
    let path = scratch.path().join("circuit.r1cs");
    let outputs = Outputs {
        r1cs: create(&path)?,
        wasm: create(&scratch.path().join("circuit.wasm"))?,
    };
    printer.status("compiling the circuit to measure it");
    Circom::load(modules)?.compile(bundle, options, &Limits::default(), outputs, &|| false)?;
    read(&path, true, work)
}

/// The counts of a compiled circuit.
pub(super) fn read(
    path: &Path,
    from_sources: bool,
    work: &WorkDisplay<'_>,
) -> Result<Circuit, CliError> {
    let source = FileSource::open(path).map_err(|source| file("read", path, source))?;
    let length = source.len();
    let refused = |error: phase2::setup::SetupError| CliError::Circuit(Box::new(error));
    let r1cs = R1cs::open(source).map_err(|error| refused(error.into()))?;
    Circuit::read(&r1cs, length, from_sources, work).map_err(refused)
}

fn create(path: &Path) -> Result<File, CliError> {
    File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|source| file("create", path, source))
}

fn file(action: &'static str, path: &Path, source: std::io::Error) -> CliError {
    CliError::File {
        action,
        path: PathBuf::from(path),
        source,
    }
}

/// The estimate for people.
pub(super) fn show(circuit: &Circuit, found: &Estimate, printer: &Printer) {
    let fact = |name: &str, value: String| printer.result(&format!("  {name:<22} {value}"));
    let bytes = |size| words::bytes(size);
    fact("curve", circuit.curve.name().to_owned());
    fact("constraints", circuit.constraints.to_string());
    fact("wires", circuit.wires.to_string());
    fact("public signals", circuit.public.to_string());
    let ptau = format!("2^{}, {}", found.power, bytes(found.sizes.ptau));
    fact("powers of tau", ptau);
    fact("compiled circuit", bytes(found.sizes.r1cs));
    fact("proving key", bytes(found.sizes.zkey));
    fact("bundle", bytes(found.bundle));
    fact("memory of the enclave", bytes(found.memory.enclave));
    fact("memory of the host", bytes(found.memory.host));
    fact("disk of the host", bytes(found.disk));
    printer.result("");
    printer.result("  estimated, by instance type        arithmetic        time      cost");
    for on in &found.instances {
        printer.result(&format!(
            "  {:<34} {:<14} {:>9} {:>7.2} USD",
            on.instance,
            on.arithmetic,
            duration(on.seconds),
            on.usd,
        ));
    }
    // The one that costs least; all with -v.
    let least = found
        .instances
        .iter()
        .min_by(|a, b| a.usd.total_cmp(&b.usd));
    let shown: Vec<&OnInstance> = if printer.verbosity() > 0 {
        found.instances.iter().collect()
    } else {
        least.into_iter().collect()
    };
    for on in shown {
        printer.result("");
        printer.result(&format!("  stages on {}", on.instance));
        for stage in &on.stages {
            printer.result(&format!(
                "    {:<8} {:<28} {:>9}",
                stage.place,
                stage.stage,
                duration(stage.seconds)
            ));
        }
    }
}

/// Seconds, minutes or hours, to two digits or so.
fn duration(seconds: f64) -> String {
    if seconds < 100.0 {
        format!("{seconds:.1} s")
    } else if seconds < 6000.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_short() {
        let shown = [0.04, 59.0, 600.0, 7200.0].map(duration);
        assert_eq!(shown, ["0.0 s", "59.0 s", "10 min", "2.0 h"]);
    }
}
