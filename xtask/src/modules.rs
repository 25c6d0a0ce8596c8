//! `xtask modules`: the compilers as WebAssembly modules, out of the npm packages that
//! `package-lock.json` pins, into the folder the services load them from.
//!
//! Both modules are compared with the SHA-256 compiled into the crates that run them, so what npm
//! delivered is not trusted for more than being there.

use std::path::{Path, PathBuf};
use std::time::Instant;

use sha2::{Digest as _, Sha256};

/// Name of the Solidity module in the modules folder.
const SOLC_FILE: &str = "solc.wasm";

/// What the command line asks for.
struct Arguments {
    npm: PathBuf,
    out: PathBuf,
    warm: bool,
}

/// Writes `circom.wasm` and `solc.wasm`, and makes their machine code with `--warm`.
pub(crate) fn fill(words: &[&str]) -> Result<String, String> {
    let arguments = parse(words)?;
    let out = &arguments.out;
    std::fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let circom = read(&arguments.npm.join("circom2").join("circom.wasm"))?;
    pinned("circom.wasm", &circom, circom::MODULE_SHA256)?;
    write(&out.join(circom::MODULE_FILE), &circom)?;
    let soljson = read(&arguments.npm.join("solc").join("soljson.js"))?;
    let solc = solc::unpack::unpack(&soljson)
        .map_err(|error| format!("{error}\nhint: {}", error.hint()))?;
    write(&out.join(SOLC_FILE), &solc)?;
    let mut lines = vec![format!(
        "modules: circom.wasm, solc.wasm in {}",
        out.display()
    )];
    if arguments.warm {
        lines.push(timed("circom", || {
            circom::Circom::load(out)
                .map(drop)
                .map_err(|error| with_causes(&error))
        })?);
        lines.push(timed("solc", || {
            solc::Solc::load(out)
                .map(drop)
                .map_err(|error| with_causes(&error))
        })?);
    }
    Ok(lines.join("\n"))
}

fn parse(words: &[&str]) -> Result<Arguments, String> {
    let (mut npm, mut out, mut warm) = (None, None, false);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--warm" => warm = true,
            "--npm" => npm = rest.next().map(PathBuf::from),
            "--out" => out = rest.next().map(PathBuf::from),
            other => return Err(format!("unknown argument `{other}`")),
        }
    }
    match (npm, out) {
        (Some(npm), Some(out)) => Ok(Arguments { npm, out, warm }),
        _ => Err("modules needs --npm FOLDER and --out FOLDER".into()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| {
        format!(
            "{}: {error}\nhint: run `npm ci --ignore-scripts`",
            path.display()
        )
    })
}

fn pinned(name: &str, bytes: &[u8], expected: &str) -> Result<(), String> {
    let got = hex::encode(Sha256::digest(bytes));
    if got == expected {
        return Ok(());
    }
    Err(format!(
        "{name} has sha256 {got}, expected {expected}\nhint: run `npm ci --ignore-scripts` with the repository's package-lock.json"
    ))
}

/// Writes beside and renames, so that a module is there whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let beside = path.with_extension("part");
    std::fs::write(&beside, bytes)
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// An error and its causes, a line each.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| {
        format!("{text}\ncause: {cause}")
    })
}

fn timed(name: &str, load: impl FnOnce() -> Result<(), String>) -> Result<String, String> {
    let start = Instant::now();
    load().map_err(|error| format!("{name}: {error}"))?;
    Ok(format!(
        "{name}: loaded in {:.1} s, machine code is in the cache",
        start.elapsed().as_secs_f32()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_folders_are_needed() {
        assert!(parse(&["--npm", "a"]).is_err());
        assert!(parse(&["--npm"]).is_err());
        assert!(parse(&["--npm", "a", "--out", "b", "--hot"]).is_err());
        let arguments = parse(&["--out", "b", "--warm", "--npm", "a"]).unwrap();
        assert_eq!(arguments.out, Path::new("b"));
        assert_eq!(arguments.npm, Path::new("a"));
        assert!(arguments.warm);
    }

    #[test]
    fn another_module_is_refused() {
        let error = pinned("circom.wasm", b"\0asm", circom::MODULE_SHA256).unwrap_err();
        assert!(error.contains("expected 96fc92a9"), "{error}");
    }

    /// Paths below `folder` that are files, but for the notes that wasmtime keeps on their use.
    fn files(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{prefix}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                files(&entry.path(), &path, found);
            } else if entry.path().extension().is_none_or(|ext| ext != "stats") {
                found.push(path);
            }
        }
    }

    /// So that nothing is compiled to machine code inside an enclave.
    #[test]
    fn the_machine_code_in_the_image_is_all_that_loading_wants() {
        if testkit::modules(&["solc.wasm", "circom.wasm"]).is_none() {
            return;
        }
        let made = testkit::modules_folder();
        let image = tempfile::tempdir().unwrap();
        let list = include_str!("../../enclave-image/files.txt");
        let mut listed = Vec::new();
        for line in list
            .lines()
            .filter(|line| !line.starts_with('#') && line.contains(" modules"))
        {
            let words: Vec<&str> = line.split(' ').collect();
            let (path, below) = (
                image.path().join(words[2]),
                words[2].strip_prefix("modules/"),
            );
            match (words[0], below) {
                ("dir", _) => std::fs::create_dir(path).unwrap(),
                (_, Some(below)) => {
                    std::fs::copy(made.join(below), path).unwrap();
                    listed.push(words[2].to_owned());
                }
                _ => panic!("{line}"),
            }
        }
        let before: Vec<_> = listed
            .iter()
            .map(|path| std::fs::read(image.path().join(path)).unwrap())
            .collect();
        let modules = image.path().join("modules");
        circom::Circom::load(&modules).unwrap();
        solc::Solc::load(&modules).unwrap();
        let after: Vec<_> = listed
            .iter()
            .map(|path| std::fs::read(image.path().join(path)).unwrap())
            .collect();
        assert!(before == after);
        let mut found = Vec::new();
        files(&modules, "modules", &mut found);
        found.sort();
        assert_eq!(found, listed, "something was compiled");
    }
}
