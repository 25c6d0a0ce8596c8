//! Publishing the bundle of a whole ceremony: what is refused, and what lies there afterwards.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use cloud::{FolderStore, ObjectKey, ObjectStore, PresignedUrl, Shelf, StoreError};
use controller::cli::{Cli, CloudArgs};
use controller::clouds::{Clouds, OpenCloud};
use controller::{CliError, Exit, Printer};
use manifest::report::Href;

use crate::scene::{SQUARE, Scene, last_object};

const SIMULATED: [&str; 3] = ["--trust", "simulation", "--simulated"];

#[test]
fn a_bundle_is_published_and_what_must_not_be_is_refused() {
    let Some(scene) = Scene::new(SQUARE) else {
        return;
    };
    let run = scene.run(&["--ptau", "dev"]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    refusals(&scene);
    a_folder(&scene);
    a_release(&scene);
    a_bucket(&scene);
    a_public_bucket(&scene);
    an_altered_bundle(&scene);
}

/// Exit code and code of the error, if there is one.
fn publish(scene: &Scene, extra: &[&str]) -> (Option<i32>, String) {
    let output = scene.controller(&[&["--json", "publish", "bundle"], extra].concat());
    let last = last_object(&output);
    let code = last["code"].as_str().unwrap_or_default().to_owned();
    (output.status.code(), code)
}

fn refusals(scene: &Scene) {
    for (extra, exit, code) in [
        // Nothing about a simulation holds under AWS's root.
        (&["--to", "out"][..], 1, "publish_not_verified"),
        (&["--to", "out", "--simulated"], 1, "publish_not_verified"),
        (
            &["--to", "out", "--trust", "simulation"],
            2,
            "publish_simulated",
        ),
        (&["--to", "out", "--depth", "attestation"], 2, "usage"),
        (&["--to", "ftp://b/x"], 2, "usage"),
        (&["--to", "bundle/out"], 2, "usage"),
        (
            &["--to", "out", "--public", "http://b.example/"],
            2,
            "usage",
        ),
        (
            &["--to", "out", "--link-hours", "1", "--page", "p.html"],
            2,
            "usage",
        ),
    ] {
        assert_eq!(
            publish(scene, extra),
            (Some(exit), code.to_owned()),
            "{extra:?}"
        );
        assert!(
            !scene.path("out").exists(),
            "{extra:?} left something behind"
        );
    }
    assert!(!scene.path("bundle/out").exists());
    if !cfg!(feature = "aws") {
        let to_bucket = publish(
            scene,
            &[&["--to", "s3://bucket/x"], &SIMULATED[..]].concat(),
        );
        assert_eq!(to_bucket, (Some(3), "aws_not_built".to_owned()));
    }
}

fn a_folder(scene: &Scene) {
    let args = [
        &["--to", "out", "--public", "https://localhost:1/a"],
        &SIMULATED[..],
    ]
    .concat();
    let first = scene.controller(&[&["--json", "publish", "bundle"], &args[..]].concat());
    let said = last_object(&first);
    assert_eq!(first.status.code(), Some(5), "{first:?}");
    assert_eq!(said["type"], "published");
    assert_eq!(said["simulated"], true);
    assert_eq!(said["already"], 0);
    assert_eq!(said["public"], "https://localhost:1/a/SIMULATED-index.html");
    // Nobody listens there.
    assert_eq!(said["public_read"], false);
    for name in names(&scene.path("out")) {
        assert!(name.starts_with("SIMULATED-"), "{name}");
    }
    digests_hold(&scene.path("out"));
    let verified = scene.controller(&["verify", "out/SIMULATED-bundle", "--trust", "simulation"]);
    assert_eq!(verified.status.code(), Some(5), "{verified:?}");
    let page = fs::read_to_string(scene.path("out/SIMULATED-index.html")).unwrap();
    assert!(page.contains("<title>SIMULATION"), "{page}");
    let links = links(&page);
    assert!(links.contains("SIMULATED-bundle/final.zkey"), "{links:?}");
    assert!(
        links.iter().any(|link| link.ends_with(".circom")),
        "{links:?}"
    );
    for link in &links {
        assert!(scene.path("out").join(link).is_file(), "{link}");
    }

    let again = scene.controller(&[&["--json", "publish", "bundle"], &args[..]].concat());
    assert_eq!(last_object(&again)["written"], 0, "{again:?}");
    let key = scene.path("out/SIMULATED-bundle/final.zkey");
    fs::write(&key, b"another key").unwrap();
    let page = scene.path("out/SIMULATED-index.html");
    fs::remove_file(&page).unwrap();
    assert_eq!(publish(scene, &args), (Some(3), "publish_taken".to_owned()));
    assert_eq!(fs::read(&key).unwrap(), b"another key");
    assert!(
        !page.exists(),
        "nothing is written beside what cannot be replaced"
    );
}

fn a_release(scene: &Scene) {
    let args = [&["--to", "release", "--release"], &SIMULATED[..]].concat();
    assert_eq!(publish(scene, &args).0, Some(5));
    let release = scene.path("release");
    for name in names(&release) {
        assert!(release.join(&name).is_file(), "{name} is no file");
        assert!(name.starts_with("SIMULATED-"), "{name}");
    }
    digests_hold(&release);
    for link in links(&fs::read_to_string(release.join("SIMULATED-index.html")).unwrap()) {
        assert!(release.join(&link).is_file(), "{link}");
    }
    let unpacked = Command::new("tar")
        .args(["-xf", "SIMULATED-bundle.tar"])
        .current_dir(&release)
        .status()
        .unwrap();
    assert!(unpacked.success());
    let bundle = "release/SIMULATED-bundle";
    let verified = scene.controller(&["verify", bundle, "--trust", "simulation"]);
    assert_eq!(verified.status.code(), Some(5), "{verified:?}");
}

/// A bucket in a folder, with links as S3 signs them.
#[derive(Debug)]
struct Bucket(FolderStore);

#[derive(Debug)]
struct Folders(PathBuf);

impl Clouds for Folders {
    fn open(&self, _: &CloudArgs) -> Result<OpenCloud, CliError> {
        unreachable!("nothing but a place to publish is wanted")
    }

    fn shelf(&self, _: &CloudArgs, to: &str) -> Result<Box<dyn Shelf>, CliError> {
        let folder = self.0.join(to.strip_prefix("s3://").unwrap());
        Ok(Box::new(Bucket(FolderStore::open(folder)?)))
    }

    /// Two hosts that show a folder each.
    fn get(&self, url: &Href, limit: usize) -> Result<Vec<u8>, String> {
        let hosts = [
            ("https://b.example/a/", "out"),
            ("https://d.example/", "elsewhere"),
        ];
        let shown = hosts
            .iter()
            .find_map(|(host, folder)| Some((folder, url.reveal().strip_prefix(host)?)));
        let (folder, name) = shown.ok_or("no such host")?;
        let path = self.0.join(folder).join(name);
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        assert!(bytes.len() <= limit);
        Ok(bytes)
    }
}

impl ObjectStore for Bucket {
    fn put_if_absent(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.put_if_absent(key, bytes)
    }
    fn put_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
        self.0.put_file_if_absent(key, file)
    }
    fn copy_file_if_absent(&self, key: &ObjectKey, file: &Path) -> Result<(), StoreError> {
        self.0.copy_file_if_absent(key, file)
    }
    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.0.size(key)
    }
    fn read_at(&self, key: &ObjectKey, at: u64, buf: &mut [u8]) -> Result<usize, StoreError> {
        self.0.read_at(key, at, buf)
    }
    fn list(&self, prefix: &ObjectKey) -> Result<Vec<ObjectKey>, StoreError> {
        self.0.list(prefix)
    }
    fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.0.delete(key)
    }
}

impl Shelf for Bucket {
    fn put_for_people(
        &self,
        key: &ObjectKey,
        file: &Path,
        content_type: &str,
    ) -> Result<(), StoreError> {
        let html = Path::new(key.as_str())
            .extension()
            .is_some_and(|end| end == "html");
        assert_eq!(content_type.starts_with("text/html"), html, "{key}");
        self.0.copy_file_if_absent(key, file)
    }

    fn presign(&self, key: &ObjectKey, life: Duration) -> Result<Option<PresignedUrl>, StoreError> {
        Ok(Some(PresignedUrl::new(format!(
            "https://bucket.s3.eu-central-1.amazonaws.com/x/{key}?x-id=GetObject&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20261126%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20261126T120000Z&X-Amz-Expires={}&X-Amz-SignedHeaders=host&X-Amz-Signature={}",
            life.as_secs(),
            "0f".repeat(32)
        ))))
    }
}

fn a_bucket(scene: &Scene) {
    let (bundle, page) = (scene.path("bundle"), scene.path("links.html"));
    let typed = [
        &[
            "controller",
            "--quiet",
            "publish",
            bundle.to_str().unwrap(),
            "--to",
            "s3://bucket/x",
        ],
        &["--link-hours", "24", "--page", page.to_str().unwrap()][..],
        &SIMULATED[..],
    ]
    .concat();
    let run = || {
        let cli = Cli::try_parse_from(&typed).unwrap();
        let printer = Printer::new(&cli.output, true);
        controller::run_with(cli.command, &printer, &Folders(scene.path("buckets")))
    };
    assert_eq!(run(), Exit::SimulationOnly);
    let text = fs::read_to_string(&page).unwrap();
    let bucket = scene.path("buckets/bucket/x");
    let mut files = 0;
    for link in links(&text) {
        let (address, query) = link.split_once('?').unwrap();
        let name = address
            .strip_prefix("https://bucket.s3.eu-central-1.amazonaws.com/x/")
            .unwrap();
        assert!(bucket.join(name).is_file(), "{name}");
        assert!(query.contains("X-Amz-Expires=86400"), "{query}");
        files += 1;
    }
    assert!(files > 15, "{files}");
    assert!(text.contains("<title>SIMULATION"));
    let mode = fs::metadata(&page).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the page is a secret");
    // No signed link is in the bucket.
    let public = fs::read_to_string(bucket.join("SIMULATED-index.html")).unwrap();
    assert!(!public.contains("X-Amz-Signature"), "{public}");
    assert_eq!(run(), Exit::Usage, "a page of links is not written over");
}

/// A bucket with a web server before it that shows it, or shows something else.
fn a_public_bucket(scene: &Scene) {
    let bundle = scene.path("bundle");
    let publish = |public: &str| {
        let to = ["--to", "s3://out", "--public", public];
        let publish = ["controller", "--quiet", "publish", bundle.to_str().unwrap()];
        let typed = [&publish[..], &to[..], &SIMULATED[..]].concat();
        let cli = Cli::try_parse_from(&typed).unwrap();
        let printer = Printer::new(&cli.output, true);
        controller::run_with(cli.command, &printer, &Folders(scene.path("public")))
    };
    assert_eq!(publish("https://b.example/a"), Exit::SimulationOnly);
    let other = scene.path("public/elsewhere");
    fs::create_dir_all(&other).unwrap();
    for name in ["SIMULATED-SHA256SUMS", "SIMULATED-index.html"] {
        let bytes = fs::read(scene.path("public/out").join(name)).unwrap();
        fs::write(other.join(name), &bytes).unwrap();
    }
    let elsewhere = "https://b.example/a/../elsewhere";
    assert_eq!(publish(elsewhere), Exit::Usage, "an address with dots");
    let elsewhere = "https://d.example";
    assert_eq!(publish(elsewhere), Exit::SimulationOnly);
    let page = other.join("SIMULATED-index.html");
    let mut bytes = fs::read(&page).unwrap();
    bytes[0] ^= 1;
    fs::write(&page, bytes).unwrap();
    assert_eq!(publish(elsewhere), Exit::False);
}

fn an_altered_bundle(scene: &Scene) {
    let key = scene.find("final.zkey");
    let mut bytes = fs::read(&key).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&key, bytes).unwrap();
    let args = [&["--to", "altered"], &SIMULATED[..]].concat();
    let refused = (Some(1), "publish_not_verified".to_owned());
    assert_eq!(publish(scene, &args), refused);
    assert!(!scene.path("altered").exists());
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect()
}

/// As a person checks them.
fn digests_hold(folder: &Path) {
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "SIMULATED-SHA256SUMS"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let list = fs::read_to_string(folder.join("SIMULATED-SHA256SUMS")).unwrap();
    assert!(list.starts_with("# SIMULATED"), "{list}");
}

/// Everything that the page leads to.
fn links(page: &str) -> BTreeSet<String> {
    page.split("href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"))
        .collect()
}
