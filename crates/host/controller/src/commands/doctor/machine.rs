//! What a run needs on this machine.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use formats::digest::HashingWriter;

use super::row::{Row, Status};
use crate::cli::DoctorArgs;
use crate::commands::cloud::state;
use crate::programs::{beside_this_program, find_modules};
use crate::{space, words};

/// Less is no room for anything.
const LEAST: u64 = 1 << 30;
const GIB: u64 = 1 << 30;

pub(super) fn look(args: &DoctorArgs) -> Vec<Row> {
    let mut rows = modules(args.modules.as_deref());
    rows.push(programs());
    rows.push(journals(args));
    rows.push(disk(
        "disk",
        "room for a bundle in this folder",
        Path::new("."),
        u64::from(args.disk).saturating_mul(GIB),
    ));
    rows.push(disk(
        "temporary",
        "room for temporary files",
        &std::env::temp_dir(),
        LEAST,
    ));
    rows
}

/// The pinned compilers: a local run, `plan`, and `verify --depth full` load them, and a machine is given them.
fn modules(named: Option<&Path>) -> Vec<Row> {
    let circom = ("circom", "circom module");
    let solc = ("solc", "solc module");
    let folder = match find_modules(named) {
        Ok(folder) => folder,
        Err(error) => {
            return vec![
                Row::error(circom.0, circom.1, &error),
                Row::blocked(solc.0, solc.1, "the folder of modules was not found"),
            ];
        }
    };
    let pinned = hex::encode(solc::unpack::SOLC_WASM_SHA256);
    vec![
        module(
            circom,
            &folder.join(circom::MODULE_FILE),
            circom::MODULE_SHA256,
        ),
        module(solc, &folder.join(solc::MODULE_FILE), &pinned),
    ]
}

fn module((id, title): (&'static str, &'static str), path: &Path, pinned: &str) -> Row {
    let mut out = HashingWriter::new(io::sink());
    let read = File::open(path).and_then(|mut file| io::copy(&mut file, &mut out));
    let shown = path.display();
    if let Err(error) = read {
        let row = Row::ok(id, title, format!("{shown}: {error}"));
        return row.but(
            Status::Failed,
            "run scripts/setup, or name the folder with --modules",
        );
    }
    let got = out.finish().1.sha256.to_string();
    let row = Row::ok(id, title, format!("{shown}, sha256 {got}"));
    if got == pinned {
        return row;
    }
    let hint = format!("it is not the pinned one ({pinned}): run scripts/setup");
    row.but(Status::Failed, hint)
}

/// The other services, which `run --local` starts.
fn programs() -> Row {
    let (id, title) = ("programs", "programs of a local run");
    let folder = match beside_this_program() {
        Ok(folder) => folder,
        Err(error) => return Row::error(id, title, &error),
    };
    let missing: Vec<&str> = ["host-agent", "enclave-agent-simulated"]
        .into_iter()
        .filter(|name| !folder.join(name).is_file())
        .collect();
    if missing.is_empty() {
        Row::ok(id, title, format!("in {}", folder.display()))
    } else {
        let detail = format!("not in {}: {}", folder.display(), missing.join(", "));
        Row::ok(id, title, detail).but(
            Status::Warning,
            "`run --local` needs them: build them, or name them with --host-agent and --enclave-agent",
        )
    }
}

/// Plans and journals are written before anything is made in the cloud.
fn journals(args: &DoctorArgs) -> Row {
    let (id, title) = ("state", "folder of plans and journals");
    let folder = match state(&args.state) {
        Ok(state) => state.path().to_owned(),
        Err(error) => return Row::error(id, title, &error),
    };
    let row = Row::ok(id, title, folder.display().to_string());
    match nearest(&folder) {
        Some(there) if there.is_dir() && is_writable(&there) => row,
        _ => row.but(
            Status::Failed,
            "it cannot be written: name another with --state or CEREMONY_STATE",
        ),
    }
}

fn disk(id: &'static str, title: &'static str, path: &Path, wanted: u64) -> Row {
    let free = match space::available(path) {
        Ok(free) => free,
        Err(error) => return Row::error(id, title, &error),
    };
    let row = Row::ok(
        id,
        title,
        format!("{} free in {}", words::bytes(free), path.display()),
    );
    let hint = "free some, or work elsewhere; `controller plan CIRCUIT` says what a circuit takes";
    if free < LEAST.min(wanted) {
        row.but(Status::Failed, hint)
    } else if free < wanted {
        row.but(Status::Warning, hint)
    } else {
        row
    }
}

/// The path, or the first folder above it that exists.
fn nearest(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .find(|path| path.exists())
        .map(Path::to_path_buf)
}

fn is_writable(path: &Path) -> bool {
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::access(path, access).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_must_be_the_pinned_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("circom.wasm");
        let names = ("circom", "circom module");
        let absent = module(names, &path, "00");
        assert_eq!(absent.status, Status::Failed);
        std::fs::write(&path, b"x").unwrap();
        let other = module(names, &path, "00");
        assert_eq!(other.status, Status::Failed);
        assert!(other.hint.unwrap().contains("scripts/setup"));
        let pinned = formats::digest::Sha256Digest::of(b"x").to_string();
        assert_eq!(module(names, &path, &pinned).status, Status::Ok);
        let rows = modules(Some(&folder.path().join("none")));
        assert_eq!(rows[0].status, Status::Failed);
        assert_eq!(rows[1].status, Status::NotChecked);
        let rows = modules(Some(folder.path()));
        assert_eq!(
            (rows[0].status, rows[1].status),
            (Status::Failed, Status::Failed)
        );
    }

    #[test]
    fn a_disk_is_judged_by_what_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let status = |wanted| disk("disk", "t", folder.path(), wanted).status;
        assert_eq!(status(1), Status::Ok);
        assert_ne!(status(u64::MAX), Status::Ok);
        let none = disk("disk", "t", &folder.path().join("none"), 1);
        assert_eq!(none.status, Status::Failed);
    }
}
