//! `xtask proto`: the Rust types of `proto/ceremony/v1`, written to `crates/wire/protocol/src/gen`.
//!
//! The generated code is checked in, so that no build script runs when a service is compiled and
//! review sees every change of the wire. `--check` generates again and compares.

use std::path::{Path, PathBuf};

use prost_types::FileDescriptorSet;

const FOLDER: &str = "crates/wire/protocol/src/gen";
const FILE: &str = "ceremony.v1.rs";
const SOURCES: [&str; 3] = [
    "ceremony/v1/types.proto",
    "ceremony/v1/enclave.proto",
    "ceremony/v1/job.proto",
];

/// Writes the generated code.
pub(crate) fn write() -> Result<String, String> {
    let text = generated()?;
    let folder = root().join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let path = folder.join(FILE);
    std::fs::write(&path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(format!("{FOLDER}/{FILE}: {} lines", text.lines().count()))
}

/// Compares the checked-in code with what the definitions give now.
pub(crate) fn check() -> Result<String, String> {
    let path = root().join(FOLDER).join(FILE);
    let written =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let now = generated()?;
    if written == now {
        return Ok(format!("{FOLDER}/{FILE}: unchanged"));
    }
    let line = written
        .lines()
        .zip(now.lines())
        .take_while(|(old, new)| old == new)
        .count()
        + 1;
    Err(format!(
        "{FOLDER}/{FILE} differs from proto/ at line {line}\nhint: run `cargo run --release -p xtask -- proto` and commit the file"
    ))
}

fn generated() -> Result<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/proto-gen");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    tonic_prost_build::configure()
        .bytes(".")
        .build_transport(false)
        .emit_rerun_if_changed(false)
        .out_dir(&folder)
        .compile_fds(descriptors()?)
        .map_err(|error| format!("code generation: {error}"))?;
    let path = folder.join(FILE);
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn descriptors() -> Result<FileDescriptorSet, String> {
    protox::compile(SOURCES, [root().join("proto")]).map_err(|error| format!("proto: {error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf)
}
