//! `xtask sbom`: what a release is made of, as a CycloneDX 1.6 document.
//!
//! The components are what cargo resolves for the released programs (development dependencies are in
//! none of them), with the checksums of `Cargo.lock`, and the inputs that are no crates: the compilers'
//! npm packages and the kernel's source. The same checkout gives the same bytes: no time, no serial number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use serde_json::{Value, json};

/// The programs of a release.
const PROGRAMS: [&str; 3] = ["controller", "host-agent", "enclave-agent"];
/// The npm packages whose modules are in the image.
const NPM: [&str; 2] = ["circom2", "solc"];

/// Writes the document.
pub(crate) fn write(out: &str) -> Result<String, String> {
    let document = document()?;
    let components = document.get("components").and_then(Value::as_array);
    let count = components.map_or(0, Vec::len);
    let text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    std::fs::write(out, text + "\n").map_err(|error| format!("{out}: {error}"))?;
    Ok(format!("{out}: {count} components"))
}

fn document() -> Result<Value, String> {
    let metadata = MetadataCommand::new()
        .other_options([
            "--locked".to_owned(),
            // As scripts/release builds them.
            "--features=controller/aws,host-agent/aws".to_owned(),
            "--filter-platform=x86_64-unknown-linux-gnu".to_owned(),
        ])
        .exec()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let root = metadata.workspace_root.as_std_path();
    let checksums = checksums(&read(&root.join("Cargo.lock"))?);
    let edges = edges(&metadata)?;
    let programs: Vec<&Package> = metadata
        .packages
        .iter()
        .filter(|package| PROGRAMS.contains(&package.name.as_str()))
        .collect();
    if programs.len() != PROGRAMS.len() {
        return Err("a program of the release is not in the workspace".into());
    }
    let reached = reached(&edges, programs.iter().map(|package| &package.id));
    let packages: BTreeMap<&PackageId, &Package> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package))
        .collect();
    let mut components = Vec::new();
    let mut dependencies = BTreeMap::new();
    for id in &reached {
        let package = packages
            .get(id)
            .ok_or("cargo resolves an unknown package")?;
        components.push(component(package, &checksums));
        let needs: BTreeSet<String> = edges
            .get(*id)
            .into_iter()
            .flatten()
            .filter_map(|id| packages.get(id))
            .map(|package| purl(package))
            .collect();
        dependencies.insert(purl(package), needs);
    }
    components.extend(npm(&read(&root.join("package-lock.json"))?)?);
    components.push(kernel(&read(&root.join("enclave-image/inputs.sh"))?)?);
    components.sort_by_key(|component| component["bom-ref"].to_string());
    let version = programs.first().map(|package| package.version.to_string());
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {
            "type": "application", "bom-ref": "attested-ceremony", "name": "attested-ceremony", "version": version,
        }},
        "components": components,
        "dependencies": dependencies
            .into_iter()
            .map(|(purl, needs)| json!({"ref": purl, "dependsOn": needs}))
            .collect::<Vec<_>>(),
    }))
}

type Edges<'a> = BTreeMap<&'a PackageId, BTreeSet<&'a PackageId>>;

/// What each package is built with.
fn edges(metadata: &Metadata) -> Result<Edges<'_>, String> {
    let resolve = metadata.resolve.as_ref().ok_or("cargo resolved nothing")?;
    Ok(resolve
        .nodes
        .iter()
        .map(|node| {
            let built_with = node.deps.iter().filter(|dependency| {
                dependency
                    .dep_kinds
                    .iter()
                    .any(|kind| kind.kind != DependencyKind::Development)
            });
            (
                &node.id,
                built_with.map(|dependency| &dependency.pkg).collect(),
            )
        })
        .collect())
}

fn reached<'a>(
    edges: &Edges<'a>,
    from: impl Iterator<Item = &'a PackageId>,
) -> BTreeSet<&'a PackageId> {
    let mut open: Vec<&PackageId> = from.collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(edges.get(id).into_iter().flatten());
        }
    }
    reached
}

fn purl(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}

fn component(package: &Package, checksums: &BTreeMap<(String, String), String>) -> Value {
    let key = (package.name.to_string(), package.version.to_string());
    let mut component = json!({
        "type": "library", "bom-ref": purl(package), "purl": purl(package),
        "name": key.0, "version": key.1,
    });
    let Some(fields) = component.as_object_mut() else {
        return component;
    };
    if let Some(checksum) = checksums.get(&key) {
        let hashes = json!([{"alg": "SHA-256", "content": checksum}]);
        fields.insert("hashes".to_owned(), hashes);
    }
    if let Some(license) = &package.license {
        // The old way to write OR.
        let licenses = json!([{"expression": license.replace('/', " OR ")}]);
        fields.insert("licenses".to_owned(), licenses);
    }
    component
}

/// Checksums of `Cargo.lock` by name and version. Crates of this workspace have none.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |line: &str, key: &str| {
        let value = line.strip_prefix(key)?.strip_prefix(" = \"")?;
        value.strip_suffix('"').map(str::to_owned)
    };
    lock.split("[[package]]")
        .filter_map(|section| {
            let find = |key| section.lines().find_map(|line| value(line, key));
            Some(((find("name")?, find("version")?), find("checksum")?))
        })
        .collect()
}

fn npm(lock: &str) -> Result<Vec<Value>, String> {
    let lock: Value = serde_json::from_str(lock).map_err(|error| error.to_string())?;
    NPM.iter()
        .map(|name| {
            let package = lock
                .get("packages")
                .and_then(|packages| packages.get(format!("node_modules/{name}")));
            let text = |key| {
                package
                    .and_then(|package| package.get(key)?.as_str())
                    .ok_or(format!("package-lock.json: {name} has no {key}"))
            };
            let purl = format!("pkg:npm/{name}@{}", text("version")?);
            Ok(json!({
                "type": "library", "bom-ref": purl, "purl": purl,
                "name": name, "version": text("version")?,
                "licenses": [{"expression": text("license")?}],
                "properties": [{"name": "npm:integrity", "value": text("integrity")?}],
            }))
        })
        .collect()
}

fn kernel(inputs: &str) -> Result<Value, String> {
    let value = |key: &str| {
        inputs
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .ok_or(format!("enclave-image/inputs.sh: no {key}"))
    };
    let (name, version) = (value("KERNEL_PACKAGE")?, value("KERNEL_PACKAGE_VERSION")?);
    let purl = format!("pkg:deb/debian/{name}@{version}");
    Ok(json!({
        "type": "operating-system", "bom-ref": purl, "purl": purl,
        "name": name, "version": version,
        "licenses": [{"expression": "GPL-2.0-only WITH Linux-syscall-note"}],
        "hashes": [{"alg": "SHA-256", "content": value("KERNEL_SOURCE_SHA256")?}],
    }))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_there_and_what_only_tests_use_is_not() {
        let document = document().unwrap();
        let components = document["components"].as_array().unwrap();
        let names: BTreeSet<&str> = components
            .iter()
            .map(|component| component["name"].as_str().unwrap())
            .collect();
        for name in [
            "controller",
            "wasmtime",
            "blst",
            "circom2",
            "linux-source-6.12",
        ] {
            assert!(names.contains(name), "{name}");
        }
        for name in ["testkit", "revm"] {
            assert!(!names.contains(name), "{name}");
        }
        // Every foreign component can be recognised by its bytes.
        let root = cargo_metadata::MetadataCommand::new()
            .no_deps()
            .exec()
            .unwrap();
        for component in components {
            let own = root
                .packages
                .iter()
                .any(|package| purl(package) == component["bom-ref"].as_str().unwrap());
            let hash = component.get("hashes").or(component.get("properties"));
            assert_eq!(own, hash.is_none(), "{component}");
            assert!(component.get("licenses").is_some(), "{component}");
        }
        let references: BTreeSet<_> = components.iter().map(|c| c["bom-ref"].as_str()).collect();
        assert_eq!(references.len(), components.len());
    }

    #[test]
    fn the_same_checkout_gives_the_same_document() {
        assert_eq!(document().unwrap(), document().unwrap());
    }
}
