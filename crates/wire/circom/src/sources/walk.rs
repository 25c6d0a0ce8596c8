//! Following include statements from the main file, on the requester's own file system.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Component, Path, PathBuf};

use manifest::sources::{MAX_FILE_BYTES, MAX_FILES, SourcesError};

use super::error::CollectError;
use super::includes::{Include, includes};

/// What was reached, at absolute paths without `.` or `..`.
pub(super) struct Walk {
    pub(super) main: PathBuf,
    pub(super) libraries: Vec<PathBuf>,
    /// Folders that hold files: the main file's, the libraries', each grown as far as its files
    /// reached by `../`. Every file is inside at least one.
    pub(super) trees: Vec<PathBuf>,
    pub(super) files: BTreeMap<PathBuf, Source>,
}

/// One file reached.
pub(super) struct Source {
    pub(super) content: Vec<u8>,
    /// Its includes and where they were found.
    pub(super) includes: Vec<(Include, PathBuf)>,
}

struct Walker<'a> {
    root: Option<&'a Path>,
    walk: Walk,
    /// The place at which each real file was reached first.
    real: BTreeMap<PathBuf, PathBuf>,
    queue: VecDeque<PathBuf>,
}

pub(super) fn walk(
    main: &Path,
    libraries: &[PathBuf],
    root: Option<&Path>,
) -> Result<Walk, CollectError> {
    let main = main_place(main)?;
    let libraries = libraries
        .iter()
        .map(|path| folder(path).ok_or_else(|| CollectError::LibraryMissing { path: path.clone() }))
        .collect::<Result<Vec<_>, _>>()?;
    let root = root
        .map(|path| {
            folder(path).ok_or_else(|| CollectError::RootMissing {
                path: path.to_owned(),
            })
        })
        .transpose()?;
    if let Some(root) = &root {
        for path in libraries.iter().chain([&main]) {
            if !path.starts_with(root) {
                return Err(CollectError::OutsideRoot {
                    path: path.clone(),
                    root: root.clone(),
                });
            }
        }
    }
    let mut trees = vec![parent(&main)];
    trees.extend(libraries.iter().cloned());
    let mut walker = Walker {
        root: root.as_deref(),
        walk: Walk {
            main: main.clone(),
            libraries,
            trees,
            files: BTreeMap::new(),
        },
        real: BTreeMap::new(),
        queue: VecDeque::new(),
    };
    walker.reach(main)?;
    while let Some(path) = walker.queue.pop_front() {
        walker.read(path)?;
    }
    Ok(walker.walk)
}

impl Walker<'_> {
    /// Notes a file to be read, once, and that no other place is the same file.
    fn reach(&mut self, path: PathBuf) -> Result<(), CollectError> {
        let real = std::fs::canonicalize(&path).map_err(|source| CollectError::Read {
            path: path.clone(),
            source,
        })?;
        match self.real.get(&real) {
            Some(first) if *first == path => return Ok(()),
            Some(first) => {
                return Err(CollectError::OneFileTwice {
                    first: first.clone(),
                    second: path,
                });
            }
            None => {}
        }
        if self.real.len() >= MAX_FILES {
            return Err(CollectError::Bundle(SourcesError::TooMany {
                what: "files",
                limit: MAX_FILES,
            }));
        }
        self.real.insert(real, path.clone());
        self.queue.push_back(path);
        Ok(())
    }

    fn read(&mut self, path: PathBuf) -> Result<(), CollectError> {
        let content = read_bounded(&path)?;
        let text = std::str::from_utf8(&content).map_err(|error| CollectError::NotUtf8 {
            path: path.clone(),
            offset: error.valid_up_to(),
        })?;
        let mut resolved = Vec::new();
        for include in includes(text) {
            let target = self.resolve(&path, &include)?;
            self.reach(target.clone())?;
            resolved.push((include, target));
        }
        let source = Source {
            content,
            includes: resolved,
        };
        self.walk.files.insert(path, source);
        Ok(())
    }

    /// Where an include is found: beside its file, then in the libraries in order.
    fn resolve(&mut self, file: &Path, include: &Include) -> Result<PathBuf, CollectError> {
        let named = Path::new(&include.path);
        if named.is_absolute() {
            return Err(CollectError::IncludeAbsolute {
                file: file.to_owned(),
                line: include.line,
                include: include.path.clone(),
            });
        }
        let beside = parent(file);
        let mut looked = Vec::new();
        let folders = std::iter::once(beside.clone()).chain(self.walk.libraries.clone());
        for (index, folder) in folders.enumerate() {
            let candidate = folder.join(named);
            let Some(place) = place(file, include, &candidate, index == 0)? else {
                looked.push(normal(&candidate));
                continue;
            };
            if named
                .extension()
                .is_none_or(|extension| extension != "circom")
            {
                return Err(CollectError::IncludeNotCircom {
                    file: file.to_owned(),
                    line: include.line,
                    include: include.path.clone(),
                });
            }
            self.hold(file, include, &folder, &place)?;
            return Ok(place);
        }
        Err(CollectError::IncludeMissing {
            file: file.to_owned(),
            line: include.line,
            include: include.path.clone(),
            looked,
        })
    }

    /// Sees to it that one tree holds the place and the folder it was found from: where none does,
    /// the tree it was reached from grows.
    fn hold(
        &mut self,
        file: &Path,
        include: &Include,
        from: &Path,
        place: &Path,
    ) -> Result<(), CollectError> {
        let leaves = |root: &Path| CollectError::IncludeLeavesRoot {
            file: file.to_owned(),
            line: include.line,
            include: include.path.clone(),
            root: root.to_owned(),
        };
        if let Some(root) = self.root {
            let real = std::fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
            if !place.starts_with(root) || !real.starts_with(root) {
                return Err(leaves(root));
            }
        }
        // A tree that holds both ends keeps the way between them; two trees would be moved apart.
        let holds_both = |tree: &PathBuf| place.starts_with(tree) && from.starts_with(tree);
        if self.walk.trees.iter().any(holds_both) {
            return Ok(());
        }
        let grown = self
            .walk
            .trees
            .iter_mut()
            .filter(|tree| from.starts_with(&**tree))
            .max_by_key(|tree| tree.components().count());
        let Some(tree) = grown else {
            return Err(leaves(from));
        };
        let common = common_folder(tree, place);
        // The whole file system is not a folder of sources.
        if common.parent().is_none() {
            return Err(leaves(tree));
        }
        *tree = common;
        Ok(())
    }
}

/// The place of a candidate if it is a file. What the letters of the path mean, what the
/// system makes of it and what circom sees from the including file's real place must be one.
fn place(
    file: &Path,
    include: &Include,
    candidate: &Path,
    beside: bool,
) -> Result<Option<PathBuf>, CollectError> {
    let place = normal(candidate);
    let by_letters = real_file(&place);
    let mut other = real_file(candidate);
    if beside && other == by_letters {
        let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        other = real_file(&parent(&real).join(&include.path));
    }
    if by_letters == other {
        return Ok(by_letters.map(|_| place));
    }
    let or_nothing = |path: Option<PathBuf>| path.unwrap_or_else(|| "nothing".into());
    Err(CollectError::IncludeAmbiguous {
        file: file.to_owned(),
        line: include.line,
        include: include.path.clone(),
        first: or_nothing(by_letters),
        second: or_nothing(other),
    })
}

/// The main file's place: its folder without links, its own name as given.
fn main_place(main: &Path) -> Result<PathBuf, CollectError> {
    let missing = || CollectError::MainMissing {
        path: main.to_owned(),
    };
    let name = main.file_name().ok_or_else(missing)?;
    let folder = match main.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let place = std::fs::canonicalize(folder)
        .map_err(|_| missing())?
        .join(name);
    if place.is_file() {
        Ok(place)
    } else {
        Err(missing())
    }
}

fn folder(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path)
        .ok()
        .filter(|path| path.is_dir())
}

fn real_file(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path)
        .ok()
        .filter(|path| path.is_file())
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, CollectError> {
    let error = |source| CollectError::Read {
        path: path.to_owned(),
        source,
    };
    let size = std::fs::metadata(path).map_err(error)?.len();
    if size > MAX_FILE_BYTES {
        let limit = std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            format!("{size} bytes, more than {MAX_FILE_BYTES}"),
        );
        return Err(error(limit));
    }
    std::fs::read(path).map_err(error)
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

/// An absolute path without `.` and `..`, by its letters.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// The longest folder that holds both.
fn common_folder(folder: &Path, file: &Path) -> PathBuf {
    folder
        .components()
        .zip(file.components())
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one)
        .collect()
}
