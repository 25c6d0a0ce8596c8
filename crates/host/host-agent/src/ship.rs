//! Brings the artifacts out of the enclave, the large ones from this host's disk, into the run store;
//! then commits.

use std::path::Path;

use formats::digest::hash_source;
use formats::source::FileSource;
use protocol::pb;

use crate::error::AgentError;
use crate::report::Reporter;
use crate::session::Session;
use crate::story::Config;

/// What leaves the enclave, small things first. The rest was this host's own input, or is rebuilt by
/// the verifier.
const SHIPPED: [pb::ArtifactKind; 13] = [
    pb::ArtifactKind::Manifest,
    pb::ArtifactKind::Attestation1,
    pb::ArtifactKind::Attestation2,
    pb::ArtifactKind::Beacon,
    pb::ArtifactKind::Receipts,
    pb::ArtifactKind::VerificationKey,
    pb::ArtifactKind::VerifierSol,
    pb::ArtifactKind::VerifierInput,
    pb::ArtifactKind::VerifierCreation,
    pb::ArtifactKind::VerifierRuntime,
    pb::ArtifactKind::WitnessWasm,
    pb::ArtifactKind::R1cs,
    pb::ArtifactKind::FinalZkey,
];

/// Fetches every artifact the enclave has of [`SHIPPED`] and writes the commit marker.
pub async fn all(
    config: &Config,
    enclave: &mut Session,
    reporter: &Reporter,
) -> Result<pb::JobDone, AgentError> {
    let listed = enclave.describe([0; 32]).await?.artifacts;
    let folder = config.work.join("out");
    std::fs::create_dir_all(&folder).map_err(|source| AgentError::File {
        action: "create",
        path: folder.clone(),
        source,
    })?;
    let mut artifacts = Vec::new();
    for kind in SHIPPED {
        let Some(info) = listed.iter().find(|info| info.kind == i32::from(kind)) else {
            continue;
        };
        let (file, got) = if let Some(file) = enclave.kept(kind) {
            agree(&file, info, reporter)?;
            (file, info.clone())
        } else {
            let name = kind.as_str_name();
            let file = folder.join(name);
            let step = format!(
                "fetch {}",
                name.trim_start_matches("ARTIFACT_KIND_").to_lowercase()
            );
            let got = enclave.get(kind, &step, info.size, &file).await?;
            (file, got)
        };
        reporter.run().put_artifact(kind, &file)?;
        artifacts.push(got);
    }
    let done = pb::JobDone { artifacts };
    reporter.run().commit(&done)?;
    Ok(done)
}

/// A large file lies here already: it must be what the enclave's manifest says.
fn agree(file: &Path, info: &pb::ArtifactInfo, reporter: &Reporter) -> Result<(), AgentError> {
    let digests = FileSource::open(file)
        .and_then(|source| hash_source(&source, reporter))
        .map_err(|source| AgentError::File {
            action: "read",
            path: file.into(),
            source,
        })?;
    let (expected, got) = (digests.sha256.to_string(), hex::encode(&info.sha256));
    if expected == got {
        Ok(())
    } else {
        Err(AgentError::Disagreement {
            what: "sha256 of a file kept here",
            expected,
            got,
        })
    }
}
