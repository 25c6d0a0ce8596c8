//! The compiler for the tests, from the modules folder.

use std::path::PathBuf;
use std::sync::OnceLock;

use solc::Solc;

/// The loaded compiler; `None` where `scripts/setup` has not fetched it, said loudly.
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

/// The modules folder, if `scripts/setup` has filled it.
pub(crate) fn folder() -> Option<PathBuf> {
    testkit::modules(&["solc.wasm"])
}
