//! The foreign referee: `snarkjs zkey verify` on the bundle's key.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use manifest::ArtifactKind;

use crate::checklist::{Checklist, Outcome};
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::words;

/// Asks snarkjs as well. `exit` is our own verdict, which stands unless snarkjs refuses the key.
pub(super) fn agrees(
    bundle: &Path,
    ptau: &Path,
    exit: Exit,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let program = find().ok_or_else(|| CliError::NotInstalled {
        what: "snarkjs (npm package, found in node_modules of this folder or above)",
        path: PathBuf::from("node_modules/snarkjs/build/cli.cjs"),
    })?;
    let output = Command::new("node")
        .arg(program)
        .args(["zkey", "verify"])
        .arg(bundle.join(ArtifactKind::R1cs.name()))
        .arg(ptau)
        .arg(bundle.join(ArtifactKind::FinalZkey.name()))
        .output()
        .map_err(|source| CliError::File {
            action: "run",
            path: "node".into(),
            source,
        })?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let accepted = output.status.success() && said.contains("ZKey Ok!");
    let mut list = Checklist::new(printer);
    list.add(
        "snarkjs",
        "snarkjs accepts final.zkey for this r1cs and ptau",
        &if accepted {
            Outcome::Passed("ZKey Ok!".to_owned())
        } else {
            let last = said.lines().last().unwrap_or_default();
            Outcome::Failed(words::one_line(last))
        },
    );
    Ok(if accepted { exit } else { Exit::False })
}

/// snarkjs in the nearest `node_modules`, from the current folder upwards.
fn find() -> Option<OsString> {
    let here = std::env::current_dir().ok()?;
    here.ancestors()
        .map(|folder| folder.join("node_modules/snarkjs/build/cli.cjs"))
        .find(|path| path.is_file())
        .map(PathBuf::into_os_string)
}
