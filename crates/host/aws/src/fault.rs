//! What a service answered, or why it did not, as an error of `cloud`: a class, the service's own code, and
//! its words on one bounded line.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use cloud::{CloudError, ErrorClass};

/// Most bytes of foreign words that are kept.
const WORDS_LIMIT: usize = 600;
/// Code of a call that had no credentials to sign with.
pub(crate) const NO_CREDENTIALS: &str = "NoCredentials";

/// Judges an error of the SDK. `action` is the permission that the call needs.
pub(crate) fn of<E>(action: &'static str, error: &SdkError<E, HttpResponse>) -> CloudError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    if let SdkError::ServiceError(service) = error {
        let code = service.err().code().unwrap_or_default();
        let words = match (service.err().message(), status) {
            (Some(message), _) => message.to_owned(),
            (None, Some(status)) => format!("status {status}"),
            (None, None) => "no reason given".to_owned(),
        };
        return CloudError {
            action,
            class: class(code, &words, status),
            code: line(code),
            message: line(&words),
        };
    }
    let words = line(&chain(error));
    if mentions_credentials(error) {
        return CloudError {
            action,
            class: ErrorClass::Denied,
            code: NO_CREDENTIALS.to_owned(),
            message: words,
        };
    }
    CloudError {
        action,
        class: class("", "", status),
        code: String::new(),
        message: words,
    }
}

/// The service gave no answer that can be used.
pub(crate) fn no_answer(action: &'static str, words: &str) -> CloudError {
    with_class(action, ErrorClass::Transient, words)
}

/// A fault that no service named.
pub(crate) fn with_class(action: &'static str, class: ErrorClass, words: &str) -> CloudError {
    CloudError {
        action,
        class,
        code: String::new(),
        message: line(words),
    }
}

/// By the service's code where it says enough, else by the status of HTTP.
fn class(code: &str, words: &str, status: Option<u16>) -> ErrorClass {
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "AllAccessDisabled"
        | "AuthFailure"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "OptInRequired"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "SignatureDoesNotMatch"
        | "UnauthorizedOperation" => ErrorClass::Denied,
        "RequestLimitExceeded"
        | "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => ErrorClass::Throttled,
        "InsufficientHostCapacity"
        | "InsufficientInstanceCapacity"
        | "InsufficientReservedInstanceCapacity"
        | "Unsupported" => ErrorClass::Capacity,
        "InstanceLimitExceeded"
        | "LimitExceeded"
        | "LimitExceededException"
        | "MaxSpotInstanceCountExceeded"
        | "TooManyBuckets"
        | "VcpuLimitExceeded" => ErrorClass::Quota,
        "AlreadyExistsException"
        | "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "PreconditionFailed" => ErrorClass::AlreadyExists,
        // CloudFormation says it in words only.
        "ValidationError" if words.contains("does not exist") => ErrorClass::NotFound,
        code if code.starts_with("NoSuch")
            || code.ends_with(".NotFound")
            || code.ends_with("NotFoundException") =>
        {
            ErrorClass::NotFound
        }
        _ => match status {
            Some(401 | 403) => ErrorClass::Denied,
            Some(404) => ErrorClass::NotFound,
            // The same call a moment later may find nobody in between.
            Some(409) => ErrorClass::Transient,
            Some(412) => ErrorClass::AlreadyExists,
            Some(429) => ErrorClass::Throttled,
            Some(400..=499) => ErrorClass::Invalid,
            _ => ErrorClass::Transient,
        },
    }
}

fn mentions_credentials(error: &(dyn Error + 'static)) -> bool {
    let mut at = Some(error);
    while let Some(error) = at {
        if error.is::<CredentialsError>() {
            return true;
        }
        at = error.source();
    }
    false
}

/// The error and its causes, without what they repeat.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.to_string();
        if !text.contains(&inner) {
            text.push_str(": ");
            text.push_str(&inner);
        }
        cause = error.source();
    }
    text
}

/// Foreign words on one line.
fn line(text: &str) -> String {
    let mut kept = String::new();
    for c in text.chars() {
        if kept.len() >= WORDS_LIMIT {
            kept.push('…');
            break;
        }
        kept.push(if c.is_control() { ' ' } else { c });
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_have_their_class() {
        for (code, words, status, expected) in [
            ("AccessDenied", "", Some(403), ErrorClass::Denied),
            ("RequestTimeTooSkewed", "", Some(403), ErrorClass::Denied),
            ("SlowDown", "", Some(503), ErrorClass::Throttled),
            ("NoSuchBucket", "", Some(404), ErrorClass::NotFound),
            (
                "InvalidInstanceID.NotFound",
                "",
                Some(400),
                ErrorClass::NotFound,
            ),
            (
                "InsufficientInstanceCapacity",
                "",
                Some(500),
                ErrorClass::Capacity,
            ),
            ("VcpuLimitExceeded", "", Some(400), ErrorClass::Quota),
            (
                "PreconditionFailed",
                "",
                Some(412),
                ErrorClass::AlreadyExists,
            ),
            (
                "ValidationError",
                "Stack with id x does not exist",
                Some(400),
                ErrorClass::NotFound,
            ),
            (
                "ValidationError",
                "Template format error",
                Some(400),
                ErrorClass::Invalid,
            ),
            ("OperationAborted", "", Some(409), ErrorClass::Transient),
            ("InternalError", "", Some(500), ErrorClass::Transient),
            ("", "", Some(404), ErrorClass::NotFound),
            ("", "", None, ErrorClass::Transient),
        ] {
            assert_eq!(class(code, words, status), expected, "{code:?} {status:?}");
        }
    }

    #[test]
    fn foreign_words_are_one_bounded_line() {
        assert_eq!(line("a\nb\x1b[2J"), "a b [2J");
        assert!(line(&"ü".repeat(4000)).len() < WORDS_LIMIT + 8);
    }
}
