//! `controller pcrs`: the measurements of an enclave image, computed from the file.

use std::path::Path;

use eif::{KernelBoundary, RawEif};

use crate::cli::PcrsArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;

/// Prints PCR0, PCR1 and PCR2 of an image of the one accepted form; refuses every other file.
pub(super) fn run(args: &PcrsArgs, printer: &Printer) -> Result<Exit, CliError> {
    let path: &Path = &args.file;
    let bytes = std::fs::read(path).map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })?;
    let image = RawEif(&bytes)
        .validate()
        .map_err(|source| CliError::Image {
            path: path.into(),
            source,
        })?;
    let pcrs = image.pcrs();
    printer.object(&json::Pcrs {
        pcr0: &hex::encode(pcrs.pcr0),
        pcr1: &hex::encode(pcrs.pcr1),
        pcr2: &hex::encode(pcrs.pcr2),
        command_line: image.command_line(),
        kernel_end_declared: image.kernel_boundary() == KernelBoundary::Declared,
    });
    for (index, value) in pcrs.numbered() {
        printer.result(&format!("PCR{index} {}", hex::encode(value)));
    }
    if image.kernel_boundary() == KernelBoundary::Unknown {
        printer.warn("note: the kernel is no bzImage; the PCRs do not tell where it ends");
    }
    Ok(Exit::Success)
}
