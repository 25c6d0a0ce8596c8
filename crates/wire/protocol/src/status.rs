//! Errors as gRPC statuses with a stable code, and back.

use std::error::Error;

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

const CODE_KEY: &str = "ceremony-code";
const HINT_KEY: &str = "ceremony-hint";
const MAX_TEXT_BYTES: usize = 4096;

/// An error that can be answered over the wire.
pub trait Coded: Error {
    /// Stable code, for example `wrong_stage`. Listed in docs/error-codes.md.
    fn code(&self) -> &'static str;

    /// The gRPC status it is sent under.
    fn grpc(&self) -> Code;

    /// What the user can do about it.
    fn hint(&self) -> Option<&'static str> {
        None
    }
}

/// The status for `error`: its message and causes, its code and hint as metadata.
pub fn to_status(error: &(impl Coded + ?Sized)) -> Status {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        message.push_str(": ");
        message.push_str(&inner.to_string());
        cause = inner.source();
    }
    let mut status = Status::new(error.grpc(), bounded(&message));
    let metadata = status.metadata_mut();
    metadata.insert(CODE_KEY, MetadataValue::from_static(error.code()));
    if let Some(hint) = error.hint()
        && let Ok(value) = MetadataValue::try_from(hint)
    {
        metadata.insert(HINT_KEY, value);
    }
    status
}

/// A peer's refusal as the other side reads it. Every text is the peer's word, cut to 4 KiB and
/// freed of control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct RemoteError {
    /// The gRPC status code.
    pub grpc: Code,
    /// Stable code of the refusal, or the name of the gRPC code where the peer sent none.
    pub code: String,
    /// The peer's message.
    pub message: String,
    /// The peer's hint.
    pub hint: Option<String>,
}

impl RemoteError {
    /// Whether the connection broke, as against a refusal by the peer: what was begun may be
    /// tried again on a new connection.
    pub fn is_connection_loss(&self) -> bool {
        matches!(self.grpc, Code::Unavailable | Code::Cancelled) || self.is_transport_unknown()
    }

    /// Tonic reports a connection that died inside a stream as `Unknown` without our code.
    fn is_transport_unknown(&self) -> bool {
        matches!(self.grpc, Code::Unknown | Code::Internal) && self.code.starts_with("grpc_")
    }
}

impl From<&Status> for RemoteError {
    fn from(status: &Status) -> Self {
        let text = |key: &str| {
            status
                .metadata()
                .get(key)
                .and_then(|value| value.to_str().ok())
                .map(bounded)
        };
        Self {
            grpc: status.code(),
            code: text(CODE_KEY).unwrap_or_else(|| grpc_name(status.code()).to_owned()),
            message: bounded(status.message()),
            hint: text(HINT_KEY),
        }
    }
}

impl From<Status> for RemoteError {
    fn from(status: Status) -> Self {
        Self::from(&status)
    }
}

fn grpc_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "grpc_ok",
        Code::Cancelled => "grpc_cancelled",
        Code::Unknown => "grpc_unknown",
        Code::InvalidArgument => "grpc_invalid_argument",
        Code::DeadlineExceeded => "grpc_deadline_exceeded",
        Code::NotFound => "grpc_not_found",
        Code::AlreadyExists => "grpc_already_exists",
        Code::PermissionDenied => "grpc_permission_denied",
        Code::ResourceExhausted => "grpc_resource_exhausted",
        Code::FailedPrecondition => "grpc_failed_precondition",
        Code::Aborted => "grpc_aborted",
        Code::OutOfRange => "grpc_out_of_range",
        Code::Unimplemented => "grpc_unimplemented",
        Code::Internal => "grpc_internal",
        Code::Unavailable => "grpc_unavailable",
        Code::DataLoss => "grpc_data_loss",
        Code::Unauthenticated => "grpc_unauthenticated",
    }
}

fn bounded(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end)
        .unwrap_or_default()
        .chars()
        .map(|character| {
            if character.is_control() && character != '\n' {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("wrong stage")]
    struct Refusal(#[source] std::io::Error);

    impl Coded for Refusal {
        fn code(&self) -> &'static str {
            "wrong_stage"
        }
        fn grpc(&self) -> Code {
            Code::FailedPrecondition
        }
        fn hint(&self) -> Option<&'static str> {
            Some("open the ceremony first")
        }
    }

    #[test]
    fn code_message_causes_and_hint_come_through() {
        let refusal = Refusal(std::io::Error::other("the cause"));
        let remote = RemoteError::from(to_status(&refusal));
        assert_eq!(remote.code, "wrong_stage");
        assert_eq!(remote.grpc, Code::FailedPrecondition);
        assert_eq!(remote.message, "wrong stage: the cause");
        assert_eq!(remote.hint.as_deref(), Some("open the ceremony first"));
        assert!(!remote.is_connection_loss());
    }

    #[test]
    fn a_peer_s_text_is_cut_and_freed_of_control_characters() {
        let status = Status::unknown(format!("\u{1b}[31m{}", "é".repeat(10_000)));
        let remote = RemoteError::from(status);
        assert!(remote.message.len() <= MAX_TEXT_BYTES + 2);
        assert!(!remote.message.contains('\u{1b}'));
        assert_eq!(remote.code, "grpc_unknown");
    }
}
