//! `controller inspect`: what a single file of the trade holds, and what can be checked about it alone.

mod binary;
mod document;
mod image;
mod round;
mod text;

use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::checklist::Checklist;
use crate::cli::InspectArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::json;
use crate::printer::Printer;
use crate::words;

/// Texts and documents are read whole, up to this size.
const SMALL: u64 = 128 << 20;

/// What was found, said as it is found.
pub(super) struct Findings<'p> {
    printer: &'p Printer,
    pub(super) list: Checklist<'p>,
}

impl Findings<'_> {
    /// One thing the file says. Nothing about it has been verified.
    pub(super) fn fact(&self, name: &str, value: impl Display) {
        let value = words::one_line(&format!("{value}"));
        self.printer.object(&json::Fact {
            name,
            value: &value,
        });
        self.printer.result(&format!("  {name:<22} {value}"));
    }
}

/// Says what the file is by its first bytes, and looks into it.
pub(super) fn run(args: &InspectArgs, printer: &Printer) -> Result<Exit, CliError> {
    let path = args.file.as_path();
    let mut findings = Findings {
        printer,
        list: Checklist::new(printer),
    };
    let head = head(path)?;
    let exit = match head.as_slice() {
        [b'r', b'1', b'c', b's', ..] => binary::r1cs(path, &mut findings)?,
        [b'p', b't', b'a', b'u', ..] => binary::ptau(path, &mut findings)?,
        [b'z', b'k', b'e', b'y', ..] => binary::zkey(path, &mut findings)?,
        // COSE_Sign1: an array of four, with or without its tag.
        [0x84 | 0xd2, ..] => document::inspect(small(path)?, &mut findings),
        [b'.', b'e', b'i', b'f', ..] => image::inspect(&small(path)?, &mut findings),
        [b'{', ..] => round::inspect(&small(path)?, &mut findings),
        head if head.starts_with(b"attested-ceremony ") => {
            text::inspect(small(path)?, &mut findings)
        }
        _ => return Err(CliError::UnknownFile { path: path.into() }),
    };
    Ok(findings.list.conclude(
        "nothing wrong was found",
        "the file is not what it should be",
        exit,
    ))
}

fn head(path: &Path) -> Result<Vec<u8>, CliError> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(64).read_to_end(&mut head))
        .map_err(|source| CliError::File {
            action: "read",
            path: path.into(),
            source,
        })?;
    Ok(head)
}

/// The whole of a file that cannot be large.
fn small(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > SMALL {
        return Err(failed(std::io::Error::from(
            std::io::ErrorKind::FileTooLarge,
        )));
    }
    std::fs::read(path).map_err(failed)
}
