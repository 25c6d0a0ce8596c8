//! `SHA256SUMS`: for people with `sha256sum -c`. A function of the rest of the bundle.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use formats::digest::Sha256Digest;

use crate::artifact::ArtifactKind;
use crate::manifest::Manifest;

/// File name of the list.
pub const SUMS_FILE: &str = "SHA256SUMS";
/// Folder of the bundled sources.
pub const SOURCES_FOLDER: &str = "circuit";

/// The text: `HEX  PATH` for every other file of the bundle, ascending by path.
pub fn render(manifest: &Manifest, attestation_2: &[u8], report_html: &[u8]) -> String {
    text(&entries(manifest, attestation_2, report_html))
}

/// Every file of the bundle but the list itself: path and digest.
///
/// What the manifest lists is not read again: a file that differs from it is found by its digest.
pub fn entries(
    manifest: &Manifest,
    attestation_2: &[u8],
    report_html: &[u8],
) -> BTreeMap<String, Sha256Digest> {
    let mut lines = BTreeMap::new();
    for (kind, record) in &manifest.artifacts {
        lines.insert(kind.name().to_owned(), record.sha256);
    }
    for (path, source) in &manifest.sources {
        lines.insert(format!("{SOURCES_FOLDER}/{path}"), source.sha256);
    }
    for (name, digest) in [
        (ArtifactKind::Manifest.name(), manifest.sha256()),
        (
            ArtifactKind::Attestation2.name(),
            Sha256Digest::of(attestation_2),
        ),
        (crate::report::REPORT_FILE, Sha256Digest::of(report_html)),
    ] {
        lines.insert(name.to_owned(), digest);
    }
    lines
}

/// Paths and digests as `sha256sum -c` reads them. No path of a bundle needs an escape: `\` and control
/// characters are in none.
pub fn text(entries: &BTreeMap<String, Sha256Digest>) -> String {
    let mut text = String::new();
    for (path, digest) in entries {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "{digest}  {path}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::builder;
    use crate::spec::CircuitInput;

    #[test]
    fn every_file_has_its_line_in_order() {
        let manifest = builder(CircuitInput::Sources).build().unwrap();
        let text = render(&manifest, b"document", b"page");
        let paths: Vec<_> = text
            .lines()
            .map(|line| line.split_once("  ").unwrap().1)
            .collect();
        let expected = [
            "attestation-1.cbor",
            "attestation-2.cbor",
            "beacon.json",
            "circuit.r1cs",
            "circuit.wasm",
            "circuit/circuit/main.circom",
            "circuit/lib1/my lib/a.circom",
            "final.zkey",
            "manifest",
            "receipts",
            "report.html",
            "verification_key.json",
            "verifier.creation.hex",
            "verifier.input.json",
            "verifier.runtime.hex",
            "verifier.sol",
        ];
        assert_eq!(paths, expected);
        let page = format!("{}  report.html", Sha256Digest::of(b"page"));
        assert!(text.lines().any(|line| line == page));
    }
}
