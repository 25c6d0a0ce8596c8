//! Why the agent refuses, or cannot go on.

use attestation::nsm::NsmError;
use ceremony::CeremonyError;
use manifest::ArtifactKind;
use protocol::chunk::ChunkError;
use protocol::convert::ConvertError;
use protocol::status::Coded;
use tonic::Code;

use crate::store::StoreError;
use crate::work::WorkError;

/// Why the agent refuses, or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The ceremony refuses.
    #[error(transparent)]
    Ceremony(#[from] CeremonyError),
    /// The work for a stage went wrong: the ceremony has ended.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// Another piece of work or transfer is under way.
    #[error("the enclave is busy with another request")]
    Busy,
    /// A field of the request does not have its form.
    #[error("request")]
    Request(#[from] ConvertError),
    /// The nonce is not 32 bytes.
    #[error("nonce of {got} bytes, expected 32")]
    Nonce {
        /// Its length.
        got: usize,
    },
    /// An artifact that the enclave does not take in this stage.
    #[error("artifact {kind} is not taken in stage {stage}")]
    ArtifactNotTaken {
        /// The artifact.
        kind: ArtifactKind,
        /// The stage.
        stage: ceremony::Stage,
    },
    /// An artifact that is there already.
    #[error("artifact {kind} has been received already")]
    ArtifactExists {
        /// The artifact.
        kind: ArtifactKind,
    },
    /// An artifact of a size that cannot be right.
    #[error("artifact {kind} of {got} bytes is announced, at most {limit} can be right")]
    ArtifactTooLarge {
        /// The artifact.
        kind: ArtifactKind,
        /// Announced size.
        got: u64,
        /// The limit in this stage.
        limit: u64,
    },
    /// Artifacts go out only after the contribution.
    #[error("artifacts go out from stage contributed on, this is stage {stage}")]
    ArtifactNotYet {
        /// The stage.
        stage: ceremony::Stage,
    },
    /// A resume position behind the end.
    #[error("offset {offset} lies beyond the artifact's {size} bytes")]
    ArtifactOffset {
        /// Asked for.
        offset: u64,
        /// Size of the artifact.
        size: u64,
    },
    /// A rule of the transfer was broken.
    #[error("transfer")]
    Chunk(#[from] ChunkError),
    /// Parts of a transfer in the wrong order.
    #[error("{got} came where {expected} was expected")]
    Part {
        /// What belongs there.
        expected: &'static str,
        /// What came.
        got: &'static str,
    },
    /// The peer broke off a transfer.
    #[error("the transfer was broken off after {received} bytes")]
    BrokenOff {
        /// Bytes received.
        received: u64,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The security module failed.
    #[error("security module")]
    Nsm(#[from] NsmError),
    /// A task of the agent ended abnormally: a bug.
    #[error("a task of the agent ended abnormally")]
    Task,
}

impl Coded for AgentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Ceremony(error) => error.code(),
            Self::Work(error) => error.code(),
            Self::Busy => "busy",
            Self::Request(error) => error.code(),
            Self::Nonce { .. } => "nonce_length",
            Self::ArtifactNotTaken { .. } => "artifact_not_taken",
            Self::ArtifactExists { .. } => "artifact_exists",
            Self::ArtifactTooLarge { .. } => "artifact_too_large",
            Self::ArtifactNotYet { .. } => "artifact_not_yet",
            Self::ArtifactOffset { .. } => "artifact_offset",
            Self::Chunk(error) => error.code(),
            Self::Part { .. } => "transfer_part",
            Self::BrokenOff { .. } => "transfer_broken_off",
            Self::Store(error) => error.code(),
            Self::Nsm(error) => error.code(),
            Self::Task => "agent_task",
        }
    }

    fn grpc(&self) -> Code {
        match self {
            Self::Ceremony(CeremonyError::WrongStage { .. })
            | Self::ArtifactNotTaken { .. }
            | Self::Store(StoreError::Missing { .. } | StoreError::Held { .. })
            | Self::ArtifactNotYet { .. } => Code::FailedPrecondition,
            Self::ArtifactExists { .. } => Code::AlreadyExists,
            Self::Busy => Code::ResourceExhausted,
            Self::ArtifactOffset { .. } => Code::OutOfRange,
            Self::BrokenOff { .. } => Code::Aborted,
            Self::Store(StoreError::Backing(_)) => Code::DataLoss,
            Self::Store(_) | Self::Nsm(_) | Self::Task => Code::Internal,
            Self::Ceremony(_)
            | Self::Work(_)
            | Self::Request(_)
            | Self::Nonce { .. }
            | Self::ArtifactTooLarge { .. }
            | Self::Chunk(_)
            | Self::Part { .. } => Code::InvalidArgument,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Ceremony(error) => error.hint(),
            Self::Work(error) => error.hint(),
            Self::Busy => Some("one request works at a time; Watch shows which"),
            Self::Store(error) => error.hint(),
            _ => None,
        }
    }
}
