//! Places in the bundle: `circuit/` for the tree of the main file, `lib0/`, `lib1/`, … for
//! libraries outside it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use manifest::sources::{PathError, SourceBundle, SourcePath};

use super::error::CollectError;
use super::walk::Walk;

/// Makes the bundle of what was reached.
pub(super) fn bundle(walk: &Walk) -> Result<SourceBundle, CollectError> {
    let tops = tops(walk);
    let mut places = BTreeMap::new();
    for path in walk.files.keys() {
        places.insert(path.as_path(), place(path, &tops)?);
    }
    let main = place(&walk.main, &tops)?;
    let mut builder = SourceBundle::builder(main);
    let mut libraries: Vec<SourcePath> = Vec::new();
    for folder in &walk.libraries {
        // A library nothing was found in cannot change what an include means.
        let used = walk.files.keys().any(|path| path.starts_with(folder));
        if !used {
            continue;
        }
        let library = place(folder, &tops)?;
        if !libraries.contains(&library) {
            libraries.push(library.clone());
            builder = builder.library(library);
        }
    }
    for (path, source) in &walk.files {
        if let Some(place) = places.get(path.as_path()) {
            builder = builder.file(place.clone(), source.content.clone());
        }
    }
    let bundle = builder.build()?;
    check_meaning(walk, &bundle, &places)?;
    Ok(bundle)
}

/// The trees that lie in no other one, with their names in the bundle.
fn tops(walk: &Walk) -> Vec<(PathBuf, String)> {
    let mut tops: Vec<&PathBuf> = Vec::new();
    for tree in &walk.trees {
        let inside_another = walk
            .trees
            .iter()
            .any(|other| other != tree && tree.starts_with(other));
        let holds_something = walk.files.keys().any(|path| path.starts_with(tree));
        if !inside_another && holds_something && !tops.contains(&tree) {
            tops.push(tree);
        }
    }
    let mut number = 0_usize;
    tops.into_iter()
        .map(|tree| {
            if walk.main.starts_with(tree) {
                return (tree.clone(), "circuit".to_owned());
            }
            let name = format!("lib{number}");
            number += 1;
            (tree.clone(), name)
        })
        .collect()
}

/// The path in the bundle of a file or folder inside one of the trees.
fn place(path: &Path, tops: &[(PathBuf, String)]) -> Result<SourcePath, CollectError> {
    let name_error = |source| CollectError::Name {
        path: path.to_owned(),
        source,
    };
    let (name, inside) = tops
        .iter()
        .find_map(|(tree, name)| Some((name, path.strip_prefix(tree).ok()?)))
        .ok_or(name_error(PathError::Absolute))?;
    let mut text = name.clone();
    for component in inside.components() {
        let Component::Normal(component) = component else {
            return Err(name_error(PathError::Dots));
        };
        text.push('/');
        text.push_str(component.to_str().ok_or(name_error(PathError::NotUtf8))?);
    }
    SourcePath::new(&text).map_err(name_error)
}

/// Resolves every include again inside the bundle, as the compiler will, and wants the same file.
fn check_meaning(
    walk: &Walk,
    bundle: &SourceBundle,
    places: &BTreeMap<&Path, SourcePath>,
) -> Result<(), CollectError> {
    for (path, source) in &walk.files {
        let Some(from) = places.get(path.as_path()) else {
            continue;
        };
        for (include, target) in &source.includes {
            let found = resolve_inside(bundle, from, &include.path);
            if found.as_ref() != places.get(target.as_path()) {
                return Err(CollectError::IncludeMoved {
                    file: path.clone(),
                    line: include.line,
                    include: include.path.clone(),
                });
            }
        }
    }
    Ok(())
}

fn resolve_inside(bundle: &SourceBundle, from: &SourcePath, include: &str) -> Option<SourcePath> {
    let beside = from.as_str().rsplit_once('/').map_or("", |split| split.0);
    let libraries = bundle.libraries().iter().map(SourcePath::as_str);
    std::iter::once(beside)
        .chain(libraries)
        .filter_map(|folder| SourcePath::new(&joined(folder, include)).ok())
        .find(|path| bundle.file(path).is_some())
}

/// Joins by letters; `..` at the root stays there, as in the compiler's sandbox.
fn joined(folder: &str, include: &str) -> String {
    let mut components: Vec<&str> = Vec::new();
    for component in folder.split('/').chain(include.split('/')) {
        match component {
            "" | "." => {}
            ".." => {
                components.pop();
            }
            other => components.push(other),
        }
    }
    components.join("/")
}
