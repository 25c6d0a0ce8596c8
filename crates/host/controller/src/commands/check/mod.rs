//! `controller check`: was phase 2 really done for this key?

mod vkey;
mod zkey;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::checklist::Checklist;
use crate::cli::CheckArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Printer;

/// A verification key has a few hundred bytes for each public signal.
const VKEY_LIMIT: u64 = 64 << 20;

/// Checks the file: a JSON text as a verification key, anything else as a zkey.
pub(super) fn run(args: &CheckArgs, printer: &Printer) -> Result<Exit, CliError> {
    let mut list = Checklist::new(printer);
    if is_json(&args.file)? {
        if args.r1cs.is_some() {
            let what =
                "--r1cs and --ptau are for zkeys: a verification key has not the points".to_owned();
            return Err(CliError::Usage { what, hint: None });
        }
        vkey::check(&read_small(&args.file)?, &mut list);
    } else {
        zkey::check(args, printer, &mut list)?;
    }
    let holds = "nothing is wrong in what was checked";
    Ok(list.conclude(holds, "this key must not be used", Exit::Success))
}

/// Whether the first byte that is no white space opens a JSON object.
fn is_json(path: &Path) -> Result<bool, CliError> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(64).read_to_end(&mut head))
        .map_err(|source| CliError::File {
            action: "read",
            path: path.into(),
            source,
        })?;
    Ok(head.trim_ascii_start().starts_with(b"{"))
}

fn read_small(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    };
    if std::fs::metadata(path).map_err(failed)?.len() > VKEY_LIMIT {
        return Err(failed(std::io::Error::from(
            std::io::ErrorKind::FileTooLarge,
        )));
    }
    std::fs::read(path).map_err(failed)
}
