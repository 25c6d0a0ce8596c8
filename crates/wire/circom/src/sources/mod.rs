//! From a circuit's main file to a source bundle: what it includes, found as circom finds it.
//!
//! An include is looked for beside the file that names it, then in each library folder in order.
//! Only what is reached goes into the bundle, at places that keep every include meaning the same
//! file (`docs/formats/sources.md`); that is checked again on the finished bundle.

mod error;
mod includes;
mod place;
mod walk;

use std::path::{Path, PathBuf};

use manifest::sources::SourceBundle;

pub use error::CollectError;

/// Collects the sources of a circuit: its main file and library folders as for circom's `-l`.
///
/// A file may be reached by `../` beyond the folders named, as long as it is a `.circom` file: use
/// [`collect_within`] to forbid that.
pub fn collect(main: &Path, libraries: &[PathBuf]) -> Result<SourceBundle, CollectError> {
    place::bundle(&walk::walk(main, libraries, None)?)
}

/// Collects the sources of a circuit; a file outside `root` is refused. `root` must hold the main
/// file and the library folders.
pub fn collect_within(
    root: &Path,
    main: &Path,
    libraries: &[PathBuf],
) -> Result<SourceBundle, CollectError> {
    place::bundle(&walk::walk(main, libraries, Some(root))?)
}
