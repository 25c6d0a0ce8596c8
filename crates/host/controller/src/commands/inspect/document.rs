//! An attestation document.

use attestation::{Anchor, AttestationError, PcrPolicy, RawDocument, VerifiedDocument};

use super::Findings;
use crate::checklist::Outcome;
use crate::exit::Exit;
use crate::words::chain;

/// PCRs with a meaning of their own.
const SHOWN: [u8; 6] = [0, 1, 2, 3, 4, 8];

pub(super) fn inspect(bytes: Vec<u8>, findings: &mut Findings<'_>) -> Exit {
    findings.fact("file", "attestation document");
    let raw = RawDocument(bytes);
    // Debug documents are shown too, and fail their own check below.
    let policy = PcrPolicy::unpinned().allowing_debug();
    let title = "chain to the AWS root and signature, at the document's own time";
    match raw.validate(&Anchor::AwsNitroG1, &policy) {
        Ok(document) => {
            show(&document, findings);
            findings
                .list
                .add("document-chain", title, &Outcome::Passed(String::new()));
            judge_debug(&document, findings);
            Exit::Success
        }
        Err(error) => match under_its_own_root(&raw, &policy) {
            Ok(document) if document.module_id().is_simulated() => {
                show(&document, findings);
                findings.fact("SIMULATION", "signed under a root that anyone can make");
                let title = "chain to the document's own root and signature (SIMULATION)";
                findings
                    .list
                    .add("document-chain", title, &Outcome::Passed(String::new()));
                judge_debug(&document, findings);
                Exit::SimulationOnly
            }
            _ => {
                findings
                    .list
                    .add("document-chain", title, &Outcome::Failed(chain(&error)));
                Exit::Success
            }
        },
    }
}

fn under_its_own_root(
    raw: &RawDocument,
    policy: &PcrPolicy,
) -> Result<VerifiedDocument, AttestationError> {
    let root = raw.certificates()?.into_iter().next().unwrap_or_default();
    raw.validate(&Anchor::Simulated(root), policy)
}

fn show(document: &VerifiedDocument, findings: &Findings<'_>) {
    findings.fact("module", document.module_id().as_str());
    findings.fact("time", format!("{} ms", document.time().0));
    for index in SHOWN {
        if let Some(value) = document.pcrs().get(&index) {
            findings.fact(&format!("PCR{index}"), hex::encode(value));
        }
    }
    for (name, value) in [
        ("nonce", document.nonce()),
        ("user data", document.user_data()),
        ("public key", document.public_key()),
    ] {
        findings.fact(name, value.map_or_else(|| "none".to_owned(), hex::encode));
    }
}

fn judge_debug(document: &VerifiedDocument, findings: &mut Findings<'_>) {
    let outcome = if document.is_debug() {
        Outcome::Failed(
            "PCR0, PCR1 or PCR2 is zero: its console can be read, its memory is not protected"
                .into(),
        )
    } else {
        Outcome::Passed(String::new())
    };
    findings
        .list
        .add("document-debug", "not from a debug-mode enclave", &outcome);
}
