//! Verification key and verifier contract: functions of final.zkey.

use formats::curve::Bn128;
use manifest::ArtifactKind;
use manifest::manifest::Manifest;
use manifest::solidity::{VerifierKey, keccak256, standard_json, verifier_source};
use phase2::export::VerificationKey;

use crate::artifacts::same_file;
use crate::checklist::{Checklist, Outcome, StepId, Why, fact};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::key::open_key;
use crate::opening::Opened;
use crate::options::{Depth, VerifyOptions};

/// Most bytes of a key's or a contract's text: far above those of a contract that any chain takes.
const MAX_TEXT_BYTES: u64 = 16 << 20;

pub(crate) fn check(
    folder: &Folder,
    opened: &Opened,
    options: &VerifyOptions<'_>,
    list: &mut Checklist,
) {
    let steps = [
        StepId::VerificationKey,
        StepId::VerifierSource,
        StepId::VerifierInput,
        StepId::RuntimeCode,
    ];
    if options.depth < Depth::Artifacts {
        for step in steps {
            list.skip(step, Why::Depth);
        }
        return;
    }
    match expected_texts(folder) {
        Ok(texts) => {
            let from = "final.zkey";
            list.record(
                StepId::VerificationKey,
                same(
                    folder,
                    ArtifactKind::VerificationKey,
                    &texts.verification_key,
                    from,
                ),
            );
            list.record(
                StepId::VerifierSource,
                same(folder, ArtifactKind::VerifierSol, &texts.source, from),
            );
            list.record(
                StepId::VerifierInput,
                same(folder, ArtifactKind::VerifierInput, &texts.input, from),
            );
        }
        Err(failure) => {
            list.record(StepId::VerificationKey, Err(failure));
        }
    }
    list.record(StepId::RuntimeCode, runtime_code(folder, &opened.manifest));
}

struct Texts {
    verification_key: String,
    source: String,
    input: String,
}

fn expected_texts(folder: &Folder) -> Result<Texts, Failure> {
    let key = VerificationKey::<Bn128>::from_zkey(&open_key(folder)?)?;
    let contract_key =
        VerifierKey::from_points(&key.alpha1, &key.beta2, &key.gamma2, &key.delta2, &key.ic)?;
    let source = verifier_source(&contract_key);
    let input = standard_json(&source).as_str().to_owned();
    Ok(Texts {
        verification_key: key.to_json(),
        source,
        input,
    })
}

fn same(folder: &Folder, kind: ArtifactKind, expected: &str, from: &'static str) -> Outcome {
    same_file(
        folder,
        kind.name(),
        MAX_TEXT_BYTES,
        expected.as_bytes(),
        from,
    )
}

/// the runtime code is what the creation code leaves on chain, and has the attested hash.
fn runtime_code(folder: &Folder, manifest: &Manifest) -> Outcome {
    let creation = code(folder, ArtifactKind::VerifierCreation)?;
    let runtime = code(folder, ArtifactKind::VerifierRuntime)?;
    if runtime.is_empty() || !creation.ends_with(&runtime) || creation == runtime {
        return Err(Failure::RuntimeNotTail);
    }
    let (expected, got) = (
        hex::encode(manifest.runtime_keccak256),
        hex::encode(keccak256(&runtime)),
    );
    if expected != got {
        return Err(Failure::Value {
            what: "keccak-256 of the runtime code",
            expected,
            got,
        });
    }
    Ok(vec![
        fact("keccak-256 of the runtime code", &got),
        fact("bytes", &runtime.len()),
    ])
}

pub(crate) fn code(folder: &Folder, kind: ArtifactKind) -> Result<Vec<u8>, Failure> {
    let text = folder.read(kind.name(), MAX_TEXT_BYTES)?;
    let code = hex::decode(&text).map_err(|_| Failure::NotHex { path: kind.name() })?;
    if hex::encode(&code).as_bytes() != text {
        return Err(Failure::NotHex { path: kind.name() });
    }
    Ok(code)
}
