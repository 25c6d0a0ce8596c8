//! What is published: which files, under which names, with which digests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cloud::ObjectKey;
use formats::digest::Sha256Digest;
use manifest::report::{Href, Links};
use manifest::{ArtifactKind, Manifest, report, sums};

use super::archive;
use super::error::PublishError;
use crate::commands::verify::{self as verifying, Scratch};
use crate::error::CliError;
use crate::exit::Exit;

/// Name of the page beside the bundle.
const INDEX: &str = "index.html";
/// Stands before names where the ceremony is simulated.
const SIMULATED: &str = "SIMULATED-";
/// What a release shows besides the archive: what people fetch by itself.
const ALONE: [ArtifactKind; 5] = [
    ArtifactKind::FinalZkey,
    ArtifactKind::WitnessWasm,
    ArtifactKind::VerificationKey,
    ArtifactKind::VerifierSol,
    ArtifactKind::Manifest,
];

/// One file at the destination.
#[derive(Debug)]
pub(super) struct Item {
    /// Its name there.
    pub(super) key: ObjectKey,
    /// The file here.
    pub(super) file: PathBuf,
    pub(super) size: u64,
    pub(super) sha256: Sha256Digest,
    /// What it is in the bundle, if it is a file of it.
    pub(super) in_bundle: Option<String>,
}

impl Item {
    /// What browsers are told. Texts of a bundle are shown as text: nothing but our own pages is HTML.
    pub(super) fn content_type(&self) -> &'static str {
        let name = self.key.as_str();
        let ends = |end| Path::new(name).extension().is_some_and(|e| e == end);
        let own_page = match self.in_bundle.as_deref() {
            None => true,
            Some(path) => path == report::REPORT_FILE,
        };
        if ends("html") && own_page {
            "text/html; charset=utf-8"
        } else if ends("json") {
            "application/json"
        } else if ends("wasm") {
            "application/wasm"
        } else if ends("tar") {
            "application/x-tar"
        } else if ["zkey", "r1cs", "cbor"].into_iter().any(ends) {
            "application/octet-stream"
        } else {
            "text/plain; charset=utf-8"
        }
    }
}

/// Everything that is published, in the order in which it is written: the page and the list of digests last.
#[derive(Debug)]
pub(super) struct Goods {
    pub(super) simulated: bool,
    pub(super) manifest: Manifest,
    pub(super) documents: [Vec<u8>; 2],
    pub(super) items: Vec<Item>,
}

impl Goods {
    /// The goods of a bundle whose verification ended with `exit`; what is not in it is made in `scratch`.
    pub(super) fn collect(
        bundle: &Path,
        release: bool,
        exit: Exit,
        scratch: &Scratch,
    ) -> Result<Self, CliError> {
        if !matches!(exit, Exit::Success | Exit::SimulationOnly) {
            return Err(PublishError::NotVerified { exit }.into());
        }
        let manifest = verifying::manifest(bundle)?;
        let documents = [ArtifactKind::Attestation1, ArtifactKind::Attestation2]
            .map(|kind| read(&bundle.join(kind.name())));
        let [first, second] = documents;
        let documents = [first?, second?];
        let mut goods = Self {
            simulated: exit == Exit::SimulationOnly || manifest.is_simulation(),
            manifest,
            documents,
            items: Vec::new(),
        };
        let files = goods.bundle_files(bundle)?;
        if release {
            goods.add_release(bundle, &files, scratch)?;
        } else {
            goods.add_tree(bundle, &files)?;
        }
        goods.add_page(scratch)?;
        goods.add_sums(scratch)?;
        Ok(goods)
    }

    /// Name of the page.
    pub(super) fn index_name(&self) -> String {
        self.marked(INDEX)
    }

    /// Every file of the bundle with the digest that was verified.
    fn bundle_files(&self, bundle: &Path) -> Result<BTreeMap<String, Sha256Digest>, CliError> {
        let page = read(&bundle.join(report::REPORT_FILE))?;
        let [_, second] = &self.documents;
        let mut files = sums::entries(&self.manifest, second, &page);
        let list = sums::text(&files);
        files.insert(
            sums::SUMS_FILE.to_owned(),
            Sha256Digest::of(list.as_bytes()),
        );
        Ok(files)
    }

    fn marked(&self, name: &str) -> String {
        if self.simulated {
            format!("{SIMULATED}{name}")
        } else {
            name.to_owned()
        }
    }

    /// The bundle as it is, in a folder.
    fn add_tree(
        &mut self,
        bundle: &Path,
        files: &BTreeMap<String, Sha256Digest>,
    ) -> Result<(), CliError> {
        let folder = self.marked("bundle");
        for (path, sha256) in files {
            let name = format!("{folder}/{path}");
            self.add(&name, &bundle.join(path), *sha256, Some(path.clone()))?;
        }
        Ok(())
    }

    /// The bundle as one archive, and some of its files.
    fn add_release(
        &mut self,
        bundle: &Path,
        files: &BTreeMap<String, Sha256Digest>,
        scratch: &Scratch,
    ) -> Result<(), CliError> {
        let folder = self.marked("bundle");
        let tar = scratch.path("bundle.tar");
        let sha256 = archive::write(bundle, &folder, files, &tar)?;
        self.add(&format!("{folder}.tar"), &tar, sha256, None)?;
        for kind in ALONE {
            if let Some(sha256) = files.get(kind.name()) {
                let (name, path) = (self.marked(kind.name()), kind.name().to_owned());
                self.add(&name, &bundle.join(&path), *sha256, Some(path))?;
            }
        }
        Ok(())
    }

    /// The bundle's report page, with links to what lies beside it.
    fn add_page(&mut self, scratch: &Scratch) -> Result<(), CliError> {
        let beside = |name: &str| {
            Href::beside(name).map_err(|source| PublishError::Link {
                name: name.to_owned(),
                source,
            })
        };
        let mut links = self.links(|item| beside(item.key.as_str()))?;
        let list = self.marked(sums::SUMS_FILE);
        links.others.push((list.clone(), beside(&list)?));
        let text = self.page(&links)?;
        self.add_made(&self.index_name(), text.as_bytes(), scratch)
    }

    /// Digests of everything else.
    fn add_sums(&mut self, scratch: &Scratch) -> Result<(), CliError> {
        let entries = self.items.iter();
        let entries = entries.map(|item| (item.key.to_string(), item.sha256));
        let text = sums::text(&entries.collect());
        let text = if self.simulated {
            format!("# SIMULATED ceremony: no production result\n{text}")
        } else {
            text
        };
        self.add_made(&self.marked(sums::SUMS_FILE), text.as_bytes(), scratch)
    }

    /// A link to each item, by what it is.
    pub(super) fn links(
        &self,
        mut link: impl FnMut(&Item) -> Result<Href, PublishError>,
    ) -> Result<Links, PublishError> {
        let mut links = Links::default();
        for item in &self.items {
            let href = link(item)?;
            match &item.in_bundle {
                Some(path) => {
                    links.files.insert(path.clone(), href);
                }
                None => links.others.push((item.key.to_string(), href)),
            }
        }
        Ok(links)
    }

    /// The report page with these links.
    pub(super) fn page(&self, links: &Links) -> Result<String, CliError> {
        let [first, second] = &self.documents;
        Ok(report::render_published(
            &self.manifest,
            first,
            second,
            links,
        )?)
    }

    fn add(
        &mut self,
        name: &str,
        file: &Path,
        sha256: Sha256Digest,
        in_bundle: Option<String>,
    ) -> Result<(), CliError> {
        let key: ObjectKey = name.parse().map_err(|source| PublishError::Name {
            path: name.to_owned(),
            source,
        })?;
        let metadata = fs::symlink_metadata(file).map_err(|source| CliError::File {
            action: "read",
            path: file.into(),
            source,
        })?;
        self.items.push(Item {
            key,
            file: file.into(),
            size: metadata.len(),
            sha256,
            in_bundle,
        });
        Ok(())
    }

    fn add_made(&mut self, name: &str, bytes: &[u8], scratch: &Scratch) -> Result<(), CliError> {
        let file = scratch.path(name);
        fs::write(&file, bytes).map_err(|source| CliError::File {
            action: "write",
            path: file.clone(),
            source,
        })?;
        self.add(name, &file, Sha256Digest::of(bytes), None)
    }
}

/// A small file: it was verified, and so is within the verifier's limits.
fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|source| CliError::File {
        action: "read",
        path: path.into(),
        source,
    })
}
