//! Both attestations: the security module signs what the machine says it must sign.

use attestation::Statement;
use bytes::Bytes;
use ceremony::command::AttestationDocument;
use ceremony::{Ceremony, Command, CommandKind};
use manifest::ArtifactKind;
use protocol::pb;

use crate::agent::Agent;
use crate::error::AgentError;

/// Document 1, over 0001.zkey.
pub(crate) fn contribution(agent: &Agent) -> Result<pb::AttestContributionResponse, AgentError> {
    let _permit = agent.begin()?;
    let (nonce, statement) = agent.with(|ceremony| match ceremony {
        Ceremony::Contributed(stage) => Ok((
            *stage.commitment().as_bytes(),
            Statement::Contribution {
                ceremony_id: *stage.opened().id().0.as_bytes(),
            },
        )),
        other => Err(wrong_stage(other, CommandKind::AttestContribution)),
    })?;
    let document = sign(agent, ArtifactKind::Attestation1, &nonce, &statement)?;
    let attestation = Bytes::from(document.bytes.clone());
    let receipt = agent.advance(Command::AttestContribution(document))?;
    Ok(pb::AttestContributionResponse {
        attestation,
        receipt: Some(receipt),
    })
}

/// Manifest and receipts into the store, then document 2 over the manifest.
pub(crate) fn seal(agent: &Agent) -> Result<pb::SealResponse, AgentError> {
    let _permit = agent.begin()?;
    let (manifest, receipts, nonce, statement) = agent.with(|ceremony| match ceremony {
        Ceremony::Finalized(stage) => Ok((
            stage.manifest().text().to_vec(),
            stage.opened().receipts().to_bytes(),
            *stage.manifest().sha256().as_bytes(),
            Statement::Manifest {
                ceremony_id: *stage.opened().id().0.as_bytes(),
            },
        )),
        other => Err(wrong_stage(other, CommandKind::Seal)),
    })?;
    agent.store().put(ArtifactKind::Receipts, &receipts)?;
    agent.store().put(ArtifactKind::Manifest, &manifest)?;
    let document = sign(agent, ArtifactKind::Attestation2, &nonce, &statement)?;
    let attestation = Bytes::from(document.bytes.clone());
    let receipt = agent.advance(Command::Seal(document))?;
    Ok(pb::SealResponse {
        manifest: manifest.into(),
        attestation,
        receipt: Some(receipt),
    })
}

fn sign(
    agent: &Agent,
    kind: ArtifactKind,
    nonce: &[u8; 32],
    statement: &Statement,
) -> Result<AttestationDocument, AgentError> {
    let bytes = agent
        .security()
        .attest(Some(nonce), Some(&statement.user_data()), None)?;
    let record = agent.store().put(kind, &bytes)?;
    Ok(AttestationDocument { bytes, record })
}

fn wrong_stage(ceremony: &Ceremony, command: CommandKind) -> AgentError {
    match ceremony.expects(command) {
        Err(error) => error.into(),
        Ok(()) => AgentError::Task,
    }
}
