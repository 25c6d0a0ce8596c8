//! `xtask image-deps`: everything that is compiled into the enclave image, as a checked-in list.
//!
//! A new line in `enclave-image/dependencies.txt` is a new party to trust; CI regenerates the list
//! and fails on a difference, so that review sees it.

use std::path::{Path, PathBuf};
use std::process::Command;

const LIST: &str = "enclave-image/dependencies.txt";

/// Writes the list.
pub(crate) fn write() -> Result<String, String> {
    let list = dependencies()?;
    let path = root().join(LIST);
    std::fs::write(&path, &list).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(format!("{LIST}: {} lines", list.lines().count()))
}

/// Compares the checked-in list with the dependency graph of now.
pub(crate) fn check() -> Result<String, String> {
    let path = root().join(LIST);
    let written =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let now = dependencies()?;
    if written == now {
        return Ok(format!("{LIST}: {} lines, unchanged", now.lines().count()));
    }
    let added = now
        .lines()
        .filter(|line| !written.lines().any(|old| old == *line));
    let removed = written
        .lines()
        .filter(|line| !now.lines().any(|new| new == *line));
    let difference: Vec<String> = added
        .map(|line| format!("  + {line}"))
        .chain(removed.map(|line| format!("  - {line}")))
        .collect();
    Err(format!(
        "the enclave image's dependencies changed:\n{}\nhint: if that is meant, run `cargo run --release -p xtask -- image-deps` and commit {LIST}",
        difference.join("\n")
    ))
}

fn dependencies() -> Result<String, String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "tree",
            "--locked",
            "-p",
            "enclave-agent",
            "-e",
            "normal,build",
        ])
        .args(["--target", "x86_64-unknown-linux-gnu", "--prefix", "none"])
        .args(["--format", "{p} [{f}]"])
        .output()
        .map_err(|error| format!("cargo tree: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "cargo tree: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| without_folder(line.trim_end_matches(" (*)")))
        .filter(|line| !line.is_empty())
        .collect();
    lines.sort();
    lines.dedup();
    if lines.is_empty() {
        return Err("cargo tree printed nothing".into());
    }
    Ok(lines.join("\n") + "\n")
}

/// Crates of this workspace are printed with their folder, which differs from checkout to checkout.
fn without_folder(line: &str) -> String {
    match (line.find(" (/"), line.rfind(") [")) {
        (Some(start), Some(end)) if start < end => {
            let (head, rest) = line.split_at(start);
            let tail = rest.get(end - start + 1..).unwrap_or_default();
            format!("{head}{tail}")
        }
        _ => line.to_owned(),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::without_folder;

    #[test]
    fn the_folder_of_a_workspace_crate_is_left_out() {
        assert_eq!(
            without_folder("phase2 v0.1.0 (/somewhere/phase2) [a,b]"),
            "phase2 v0.1.0 [a,b]"
        );
        assert_eq!(without_folder("hex v0.4.3 [alloc]"), "hex v0.4.3 [alloc]");
        assert_eq!(
            without_folder("x v1.0.0 (proc-macro) []"),
            "x v1.0.0 (proc-macro) []"
        );
    }
}
