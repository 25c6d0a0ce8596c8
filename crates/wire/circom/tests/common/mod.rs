//! What the tests of this crate share: the compiler, bundles from literals, compilation into memory.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use circom::{Circom, CircomError, CircomOptions, CompileReport, Limits, Outputs};
use manifest::sources::{SourceBundle, SourcePath};

/// The compiler; `None` where `scripts/setup` has not fetched it, said loudly.
pub(crate) fn compiler() -> Option<&'static Circom> {
    static COMPILER: OnceLock<Option<Circom>> = OnceLock::new();
    COMPILER
        .get_or_init(|| modules().map(|folder| Circom::load(&folder).expect("the pinned module")))
        .as_ref()
}

/// The modules folder, if `scripts/setup` has filled it.
pub(crate) fn modules() -> Option<PathBuf> {
    testkit::modules(&[circom::MODULE_FILE])
}

pub(crate) fn path(text: &str) -> SourcePath {
    SourcePath::new(text).unwrap()
}

/// A bundle whose first file is the main one.
pub(crate) fn bundle(files: &[(&str, &str)], libraries: &[&str]) -> SourceBundle {
    let mut builder = SourceBundle::builder(path(files[0].0));
    for (place, content) in files {
        builder = builder.file(path(place), content.as_bytes().to_vec());
    }
    for library in libraries {
        builder = builder.library(path(library));
    }
    builder.build().unwrap()
}

/// A bundle of one file.
pub(crate) fn single(content: &str) -> SourceBundle {
    bundle(&[("circuit/main.circom", content)], &[])
}

pub(crate) struct Compiled {
    pub(crate) report: CompileReport,
    pub(crate) r1cs: Vec<u8>,
    pub(crate) wasm: Vec<u8>,
}

pub(crate) fn compile(bundle: &SourceBundle) -> Result<Compiled, CircomError> {
    compile_with(bundle, CircomOptions::default(), &Limits::default())
}

pub(crate) fn compile_with(
    bundle: &SourceBundle,
    options: CircomOptions,
    limits: &Limits,
) -> Result<Compiled, CircomError> {
    let [mut r1cs, mut wasm] = [(); 2].map(|()| tempfile::tempfile().unwrap());
    let outputs = Outputs {
        r1cs: r1cs.try_clone().unwrap(),
        wasm: wasm.try_clone().unwrap(),
    };
    let circom = compiler().expect("asked for before");
    let report = circom.compile(bundle, &options, limits, outputs, &|| false)?;
    Ok(Compiled {
        report,
        r1cs: content(&mut r1cs),
        wasm: content(&mut wasm),
    })
}

pub(crate) fn content(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Writes files below a folder.
pub(crate) fn write(folder: &Path, files: &[(&str, &str)]) {
    for (place, content) in files {
        let file = folder.join(place);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
}
