//! The canonical texts: spec, manifest, source bundle.

use manifest::sources::RawSourceBundle;
use manifest::{RawManifest, RawSpec, Spec};

use super::Findings;
use crate::checklist::Outcome;
use crate::exit::Exit;
use crate::words::chain;

pub(super) fn inspect(bytes: Vec<u8>, findings: &mut Findings<'_>) -> Exit {
    let title = "canonical, and its parts fit together";
    let first = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let magic = String::from_utf8_lossy(first).into_owned();
    findings.fact("file", &magic);
    let checked = match magic.as_str() {
        "attested-ceremony manifest v1" => manifest(bytes, findings),
        "attested-ceremony spec v1" => spec(bytes, findings),
        "attested-ceremony sources v1" => sources(&bytes, findings),
        "attested-ceremony receipt v1" => {
            findings.list.add(
                "text",
                title,
                &Outcome::NotChecked(
                    "receipts only mean something beside their manifest: controller verify BUNDLE"
                        .into(),
                ),
            );
            return Exit::Success;
        }
        _ => Err("unknown kind or version".to_owned()),
    };
    let outcome = checked.map_or_else(Outcome::Failed, |()| Outcome::Passed(String::new()));
    findings.list.add("text", title, &outcome);
    findings.list.add(
        "text-attested",
        "attested by an enclave",
        &Outcome::NotChecked("controller verify BUNDLE checks the attestations".into()),
    );
    Exit::Success
}

fn manifest(bytes: Vec<u8>, findings: &Findings<'_>) -> Result<(), String> {
    let manifest = RawManifest(bytes).validate().map_err(|e| chain(&e))?;
    findings.fact("sha256", manifest.sha256());
    findings.fact(
        "simulation",
        if manifest.is_simulation() {
            "YES"
        } else {
            "no"
        },
    );
    facts_of_spec(&manifest.spec, findings);
    for (kind, record) in &manifest.artifacts {
        findings.fact(kind.name(), record);
    }
    Ok(())
}

fn spec(bytes: Vec<u8>, findings: &Findings<'_>) -> Result<(), String> {
    let spec = RawSpec(bytes).validate().map_err(|e| chain(&e))?;
    facts_of_spec(&spec, findings);
    Ok(())
}

fn facts_of_spec(spec: &Spec, findings: &Findings<'_>) {
    findings.fact("ceremony", spec.id());
    findings.fact("beacon", spec.beacon.chain);
    findings.fact("margin", format!("{} ms", spec.beacon.margin_ms));
    findings.fact("phase 1", spec.phase1_family);
    findings.fact("requester nonce", hex::encode(spec.requester_nonce));
}

fn sources(bytes: &[u8], findings: &Findings<'_>) -> Result<(), String> {
    let bundle = RawSourceBundle(bytes).validate().map_err(|e| chain(&e))?;
    findings.fact("sha256", bundle.sha256());
    findings.fact("main", bundle.main().as_str());
    for file in bundle.files() {
        findings.fact(file.path().as_str(), file.sha256());
    }
    Ok(())
}
