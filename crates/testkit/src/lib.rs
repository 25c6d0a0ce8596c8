//! Fixtures and foreign data for tests. Never linked into a service.

mod emulators;
mod executable;
mod fixtures;
mod outdated;

use std::io::Write;
use std::path::{Path, PathBuf};

pub use emulators::{Emulator, EmulatorKind};
pub use executable::make_executable;
pub use fixtures::{development_ptau, small_r1cs, small_r1cs_over};
pub use outdated::outdated_initial_key;

/// Path of a file in the folder of real files made by others, `../shared/data` beside the checkout
/// (or the folder named by `CEREMONY_SHARED_DATA`). `None` where there is no such file: the caller
/// skips, and this function has said so on standard error.
#[must_use]
pub fn shared_data(relative: &str) -> Option<PathBuf> {
    let path = shared_data_folder().join(relative);
    if path.exists() {
        return Some(path);
    }
    skipped(&format!("no shared data: {relative}"));
    None
}

/// Says loudly that a test did not run its body: past the test runner's capture of printed lines,
/// which would hide it in a test that passes.
pub fn skipped(reason: &str) {
    let line = format!("SKIPPED ({reason})\n");
    // A closed standard error leaves nobody to tell.
    drop(std::io::stderr().write_all(line.as_bytes()));
}

/// The folder of compiler modules that `scripts/setup` fills: `CEREMONY_MODULES`, or `modules` in the
/// target folder this test program was built into. `None` where it lacks one of `files`: the caller
/// skips, and this function has said so on standard error.
#[must_use]
pub fn modules(files: &[&str]) -> Option<PathBuf> {
    let folder = modules_folder();
    if files.iter().all(|file| folder.join(file).exists()) {
        return Some(folder);
    }
    skipped("the compiler modules are not installed: run scripts/setup");
    None
}

/// Where [`modules`] looks.
#[must_use]
pub fn modules_folder() -> PathBuf {
    std::env::var_os("CEREMONY_MODULES").map_or_else(|| target().join("modules"), PathBuf::from)
}

/// cargo's target folder, from the place of the test program (`target/release/deps/NAME`).
#[must_use]
pub fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program
        .ancestors()
        .nth(3)
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Root of the checkout.
#[must_use]
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

fn shared_data_folder() -> PathBuf {
    std::env::var_os("CEREMONY_SHARED_DATA")
        .map_or_else(|| workspace_root().join("../shared/data"), PathBuf::from)
}
