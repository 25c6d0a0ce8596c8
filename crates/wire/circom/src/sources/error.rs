//! Why a circuit's sources could not be collected.

use std::io;
use std::path::PathBuf;

use manifest::sources::{PathError, SourcesError};

/// Why a circuit's sources could not be collected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// No such main file.
    #[error("there is no circuit file `{}`", path.display())]
    MainMissing {
        /// The path given.
        path: PathBuf,
    },
    /// A library folder that is none.
    #[error("there is no library folder `{}`", path.display())]
    LibraryMissing {
        /// The path given.
        path: PathBuf,
    },
    /// The root folder is none.
    #[error("there is no include root `{}`", path.display())]
    RootMissing {
        /// The path given.
        path: PathBuf,
    },
    /// A file that cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A source file that is not UTF-8.
    #[error("`{}` is not UTF-8 text (byte {offset})", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Position of the first byte that does not fit.
        offset: usize,
    },
    /// An include that is nowhere.
    #[error("{}:{line}: included file `{include}` not found", file.display())]
    IncludeMissing {
        /// The including file.
        file: PathBuf,
        /// Line of the statement.
        line: usize,
        /// What it names.
        include: String,
        /// Where it was looked for, in order.
        looked: Vec<PathBuf>,
    },
    /// An absolute include.
    #[error("{}:{line}: include of the absolute path `{include}`", file.display())]
    IncludeAbsolute {
        /// The including file.
        file: PathBuf,
        /// Line of the statement.
        line: usize,
        /// What it names.
        include: String,
    },
    /// An include of something that is not a circom file by its name.
    #[error("{}:{line}: include of `{include}`, which is not a .circom file", file.display())]
    IncludeNotCircom {
        /// The including file.
        file: PathBuf,
        /// Line of the statement.
        line: usize,
        /// What it names.
        include: String,
    },
    /// An include that leads out of the include root.
    #[error("{}:{line}: include of `{include}` leaves the include root `{}`", file.display(), root.display())]
    IncludeLeavesRoot {
        /// The including file.
        file: PathBuf,
        /// Line of the statement.
        line: usize,
        /// What it names.
        include: String,
        /// The root.
        root: PathBuf,
    },
    /// The main file or a library folder outside the include root.
    #[error("`{}` is outside the include root `{}`", path.display(), root.display())]
    OutsideRoot {
        /// The file or folder.
        path: PathBuf,
        /// The root.
        root: PathBuf,
    },
    /// Symbolic links make an include mean two different files.
    #[error("{}:{line}: through symbolic links, include of `{include}` means both `{}` and `{}`", file.display(), first.display(), second.display())]
    IncludeAmbiguous {
        /// The including file.
        file: PathBuf,
        /// Line of the statement.
        line: usize,
        /// What it names.
        include: String,
        /// The one place.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// One file reached at two places, which circom would read twice.
    #[error("`{}` and `{}` are one file through a symbolic link", first.display(), second.display())]
    OneFileTwice {
        /// The place found first.
        first: PathBuf,
        /// The place found later.
        second: PathBuf,
    },
    /// Moving the files into the bundle would change what an include means.
    #[error("{}:{line}: include of `{include}` would mean another file inside the bundle", file.display())]
    IncludeMoved {
        /// The including file.
        file: PathBuf,
        /// Line of the statement.
        line: usize,
        /// What it names.
        include: String,
    },
    /// A file whose name cannot stand in a bundle.
    #[error("the path `{}` cannot stand in a source bundle: {source}", path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// The rule it breaks.
        source: PathError,
    },
    /// The sources as a whole break a rule of the bundle.
    #[error("the sources do not make a bundle")]
    Bundle(#[from] SourcesError),
}

impl CollectError {
    /// Stable code of this error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MainMissing { .. } => "circuit_missing",
            Self::LibraryMissing { .. } => "library_missing",
            Self::RootMissing { .. } => "root_missing",
            Self::Read { .. } => "source_read",
            Self::NotUtf8 { .. } => "source_not_utf8",
            Self::IncludeMissing { .. } => "include_missing",
            Self::IncludeAbsolute { .. } => "include_absolute",
            Self::IncludeNotCircom { .. } => "include_not_circom",
            Self::IncludeLeavesRoot { .. } => "include_leaves_root",
            Self::OutsideRoot { .. } => "outside_root",
            Self::IncludeAmbiguous { .. } => "include_ambiguous",
            Self::OneFileTwice { .. } => "source_twice",
            Self::IncludeMoved { .. } => "include_moved",
            Self::Name { .. } => "source_name",
            Self::Bundle(source) => source.code(),
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::MainMissing { .. } => "name the file that holds `component main`".into(),
            Self::LibraryMissing { .. } => {
                "correct the -l folder; for npm libraries run `npm ci` first".into()
            }
            Self::RootMissing { .. } | Self::OutsideRoot { .. } => {
                "name a folder that holds the circuit and all its libraries".into()
            }
            Self::Read { .. } => "look at the file's permissions".into(),
            Self::NotUtf8 { .. } => "save the file as UTF-8: circom reads nothing else".into(),
            Self::IncludeMissing { looked, .. } => {
                let looked: Vec<String> = looked
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                format!(
                    "looked for {}; add the folder it is relative to with -l",
                    looked.join(", ")
                )
            }
            Self::IncludeAbsolute { .. } => {
                "name the file relative to a library folder and give that folder with -l".into()
            }
            Self::IncludeNotCircom { .. } => {
                "sources are published in the bundle, so only .circom files are taken".into()
            }
            Self::IncludeLeavesRoot { .. } => {
                "move the file into the include root, or name a higher root".into()
            }
            Self::IncludeAmbiguous { .. } | Self::OneFileTwice { .. } => {
                "install the libraries as plain folders, not as links (npm instead of pnpm, or `node-linker=hoisted`)".into()
            }
            Self::IncludeMoved { .. } => {
                "name the library folder once, and include through it".into()
            }
            Self::Name { .. } => "rename the file or folder".into(),
            Self::Bundle(_) => "docs/formats/sources.md has the rules and limits".into(),
        }
    }
}
