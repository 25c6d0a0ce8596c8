//! `controller check`: was phase 2 really done for this key?

mod code;
mod key;
mod solidity;
mod vkey;
mod words;
mod zkey;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::checklist::{Checklist, Outcome};
use crate::cli::CheckArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Printer;

/// A verification key has a few hundred bytes for each public signal, a contract about as many.
const TEXT_LIMIT: u64 = 64 << 20;
/// So much of a file is looked at to tell what it is.
const HEAD: u64 = 1 << 16;

/// Checks the file: a zkey by its magic, then a verification key, a contract's code or its source.
pub(super) fn run(args: &CheckArgs, printer: &Printer) -> Result<Exit, CliError> {
    let mut list = Checklist::new(printer);
    let head = read_head(&args.file)?;
    let judged = if head.starts_with(b"zkey") || !is_text(&head) {
        zkey::check(args, printer, &mut list)?;
        true
    } else if args.r1cs.is_some() {
        let what = "--r1cs and --ptau are for zkeys: this file has not the points".to_owned();
        return Err(CliError::Usage { what, hint: None });
    } else {
        check_text(&read_small(&args.file)?, &args.file, &mut list)?
    };
    let exit = if judged {
        Exit::Success
    } else {
        Exit::Incomplete
    };
    let holds = if judged {
        "nothing is wrong in what was checked"
    } else {
        "this could not be checked"
    };
    Ok(list.conclude(holds, "this key must not be used", exit))
}

/// Judges a text; false if it holds no key that can be judged.
fn check_text(bytes: &[u8], path: &Path, list: &mut Checklist<'_>) -> Result<bool, CliError> {
    if let Some(code) = code::in_text(bytes) {
        return Ok(words::find(&code::pushed(&code)).judge(list));
    }
    if bytes.trim_ascii_start().starts_with(b"{") {
        vkey::check(bytes, list);
        return Ok(true);
    }
    if !solidity::is_solidity(bytes) {
        return Err(CliError::UnknownFile { path: path.into() });
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        let reason = "the source is not UTF-8".into();
        let title = "the points of a Groth16 verification key";
        list.add("contract-points", title, &Outcome::Failed(reason));
        return Ok(true);
    };
    Ok(match solidity::read(text) {
        solidity::Source::Named(key) => {
            key::judge(*key, list);
            true
        }
        solidity::Source::Numbers(numbers) => words::find(&numbers).judge(list),
    })
}

/// Whether these bytes are text: what is none goes to the zkey parser, which says what is wrong.
fn is_text(head: &[u8]) -> bool {
    let start = head.trim_ascii_start();
    start.starts_with(b"{") || solidity::is_solidity(head) || {
        let digits = start.strip_prefix(b"0x").unwrap_or(start).trim_ascii_end();
        !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit)
    }
}

fn read_head(path: &Path) -> Result<Vec<u8>, CliError> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD).read_to_end(&mut head))
        .map_err(|source| failed(path, source))?;
    Ok(head)
}

fn read_small(path: &Path) -> Result<Vec<u8>, CliError> {
    let size = std::fs::metadata(path).map_err(|source| failed(path, source))?;
    if size.len() > TEXT_LIMIT {
        let source = std::io::Error::from(std::io::ErrorKind::FileTooLarge);
        return Err(failed(path, source));
    }
    std::fs::read(path).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: std::io::Error) -> CliError {
    CliError::File {
        action: "read",
        path: path.into(),
        source,
    }
}

#[cfg(test)]
mod tests;
