//! What a host that keeps files can do wrong.

use std::time::Duration;

use manifest::ArtifactKind;

/// What the host did with a file that it keeps. Each ends the ceremony.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackingError {
    /// Other bytes than were received, or made, before.
    #[error("the host returned other bytes for chunk {chunk} of {kind}")]
    Digest {
        /// The file.
        kind: ArtifactKind,
        /// Number of the chunk, from 0.
        chunk: u64,
    },
    /// Too few or too many bytes.
    #[error("the host returned {got} bytes for chunk {chunk} of {kind}, {expected} were asked for")]
    Length {
        /// The file.
        kind: ArtifactKind,
        /// Number of the chunk, from 0.
        chunk: u64,
        /// Bytes of the chunk.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// An answer of another form: bytes for a write, or none at all.
    #[error("the host's answer for chunk {chunk} of {kind} is none to what was asked")]
    Answer {
        /// The file.
        kind: ArtifactKind,
        /// Number of the chunk, from 0.
        chunk: u64,
    },
    /// An answer that nobody waits for.
    #[error("the host answered request {id}, which does not wait for an answer")]
    Unsolicited {
        /// The number in the answer.
        id: u64,
    },
    /// The host says that it cannot.
    #[error("the host cannot serve chunk {chunk} of {kind}: {reason}")]
    Refused {
        /// The file.
        kind: ArtifactKind,
        /// Number of the chunk, from 0.
        chunk: u64,
        /// The host's word.
        reason: String,
    },
    /// A connection, but no answer in time.
    #[error("the host did not answer for chunk {chunk} of {kind} within {} ms", patience.as_millis())]
    Silent {
        /// The file.
        kind: ArtifactKind,
        /// Number of the chunk, from 0.
        chunk: u64,
        /// The limit.
        patience: Duration,
    },
    /// No connection in time.
    #[error("nobody was there to serve chunk {chunk} of {kind} for {} ms", patience.as_millis())]
    Lost {
        /// The file.
        kind: ArtifactKind,
        /// Number of the chunk, from 0.
        chunk: u64,
        /// The limit.
        patience: Duration,
    },
}

impl BackingError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Digest { .. } => "backing_digest",
            Self::Length { .. } => "backing_length",
            Self::Answer { .. } => "backing_answer",
            Self::Unsolicited { .. } => "backing_unsolicited",
            Self::Refused { .. } => "backing_refused",
            Self::Silent { .. } => "backing_silent",
            Self::Lost { .. } => "backing_lost",
        }
    }

    /// What the operator can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Digest { .. } | Self::Length { .. } => {
                "nothing may change the host-agent's work folder and ptau during a run; if nothing did, check its disk"
            }
            Self::Answer { .. } | Self::Unsolicited { .. } => {
                "use the host-agent of the same release as the enclave"
            }
            Self::Refused { .. } => "the host-agent's disk must hold all files of the ceremony",
            Self::Silent { .. } => "the host is too slow or overloaded: use a faster disk",
            Self::Lost { .. } => "the host-agent must stay connected while the enclave works",
        }
    }
}
