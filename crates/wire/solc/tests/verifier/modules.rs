//! The compiler for the tests: unpacked from the npm package of the checkout.

use std::path::PathBuf;
use std::sync::OnceLock;

use solc::Solc;

/// The loaded compiler, or `None` with a loud word where the npm package is not installed.
///
/// `CEREMONY_MODULES` names a folder that holds `solc.wasm` already. The machine code is cached in
/// the build's own folder, so only the first run compiles it.
pub(crate) fn solc() -> Option<&'static Solc> {
    static SOLC: OnceLock<Option<Solc>> = OnceLock::new();
    SOLC.get_or_init(|| Some(Solc::load(&folder()?).unwrap()))
        .as_ref()
}

/// The npm package's script.
pub(crate) fn soljson() -> Option<Vec<u8>> {
    let path = testkit::workspace_root().join("node_modules/solc/soljson.js");
    if !path.exists() {
        testkit::skipped("no node_modules/solc: run `npm ci --ignore-scripts`");
        return None;
    }
    Some(std::fs::read(path).unwrap())
}

/// The folder that holds `solc.wasm`.
pub(crate) fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("CEREMONY_MODULES") {
        return Some(folder.into());
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("modules");
    let module = folder.join("solc.wasm");
    if !module.exists() {
        let wasm = solc::unpack::unpack(&soljson()?).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        // Another test process may be doing the same: the file appears whole or not at all.
        let draft = folder.join(format!("solc.wasm.{}", std::process::id()));
        std::fs::write(&draft, wasm).unwrap();
        std::fs::rename(draft, module).unwrap();
    }
    Some(folder)
}
