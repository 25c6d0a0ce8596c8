//! Why a call to the cloud did not do what was asked.

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action} failed: {class} ({code}): {message}")]
pub struct CloudError {
    /// The permission the call needs, for example `ec2:DescribeInstances`; `s3:PutObject` and the like
    /// for objects.
    pub action: &'static str,
    /// What kind of failure it is: what a caller decides by.
    pub class: ErrorClass,
    /// The provider's own code, for example `InsufficientInstanceCapacity`; empty if it gave none.
    pub code: String,
    /// The provider's own words.
    pub message: String,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ErrorClass {
    /// Too many calls; the same call may work a little later. Nothing was done.
    #[error("too many calls")]
    Throttled,
    /// The network or the service failed, or did not answer in time. Whether anything was done is
    /// not known; the same call may work a little later.
    #[error("no answer")]
    Transient,
    /// The provider has no machine of this type in this zone at the moment.
    #[error("no capacity")]
    Capacity,
    /// A quota of the account is used up.
    #[error("quota used up")]
    Quota,
    /// The identity may not do this, or there is none.
    #[error("not allowed")]
    Denied,
    /// There is no such thing, or it cannot be seen yet.
    #[error("not found")]
    NotFound,
    /// The name is taken.
    #[error("exists already")]
    AlreadyExists,
    /// The request is wrong: it will never work as it is.
    #[error("refused as invalid")]
    Invalid,
    /// Anything else.
    #[error("error")]
    Other,
}

impl ErrorClass {
    /// Every class.
    pub const ALL: [Self; 9] = [
        Self::Throttled,
        Self::Transient,
        Self::Capacity,
        Self::Quota,
        Self::Denied,
        Self::NotFound,
        Self::AlreadyExists,
        Self::Invalid,
        Self::Other,
    ];

    /// Whether the same call may work a little later.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Throttled | Self::Transient)
    }

    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Throttled => "cloud_throttled",
            Self::Transient => "cloud_unreachable",
            Self::Capacity => "cloud_capacity",
            Self::Quota => "cloud_quota",
            Self::Denied => "cloud_denied",
            Self::NotFound => "cloud_not_found",
            Self::AlreadyExists => "cloud_exists",
            Self::Invalid => "cloud_invalid",
            Self::Other => "cloud_error",
        }
    }

    /// The class of a reason that CloudFormation gives in words, for example in a stack's events:
    /// the service's own code stands somewhere in the sentence.
    pub fn of_reason(reason: &str) -> Self {
        let has = |any: &[&str]| any.iter().any(|code| reason.contains(code));
        if has(&[
            "InsufficientInstanceCapacity",
            "InsufficientHostCapacity",
            "InsufficientReservedInstanceCapacity",
            "do not have sufficient",
            // The type is not offered in that zone: another zone may have it.
            "requested instance type",
            "Unsupported",
        ]) {
            Self::Capacity
        } else if has(&["LimitExceeded", "vCPU capacity"]) {
            Self::Quota
        } else if has(&["AccessDenied", "UnauthorizedOperation", "not authorized"]) {
            Self::Denied
        } else if has(&["Throttling", "RequestLimitExceeded", "Rate exceeded"]) {
            Self::Throttled
        } else if has(&["InternalFailure", "InternalError", "ServiceUnavailable"]) {
            Self::Transient
        } else if has(&["already exists", "AlreadyExists"]) {
            Self::AlreadyExists
        } else if has(&["Invalid", "ValidationError", "Malformed"]) {
            Self::Invalid
        } else {
            Self::Other
        }
    }
}

impl CloudError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        self.class.code()
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<String> {
        Some(match self.class {
            ErrorClass::Throttled => "wait a minute and repeat the command".to_owned(),
            ErrorClass::Transient => {
                "check the network connection and repeat the command".to_owned()
            }
            ErrorClass::Capacity => {
                "name another region with --region or another type with --instance-type".to_owned()
            }
            ErrorClass::Quota => {
                "ask for a higher quota in the Service Quotas console, or name a smaller type with --instance-type"
                    .to_owned()
            }
            ErrorClass::Denied => format!(
                "the identity in use needs {}: infra/policies/controller.json has the whole list",
                self.action
            ),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_a_stack_are_told_apart() {
        for (reason, class) in [
            (
                "Resource handler returned message: \"We currently do not have sufficient r8g.4xlarge capacity in the Availability Zone you requested\"",
                ErrorClass::Capacity,
            ),
            (
                "Your requested instance type (r8g.4xlarge) is not supported in your requested Availability Zone (us-east-1e).",
                ErrorClass::Capacity,
            ),
            (
                "You have requested more vCPU capacity than your current vCPU limit of 5 allows",
                ErrorClass::Quota,
            ),
            (
                "API: ec2:RunInstances You are not authorized to perform this operation.",
                ErrorClass::Denied,
            ),
            ("Resource creation cancelled", ErrorClass::Other),
            (
                "ValidationError: Template format error",
                ErrorClass::Invalid,
            ),
        ] {
            assert_eq!(ErrorClass::of_reason(reason), class, "{reason}");
        }
    }

    #[test]
    fn a_denial_names_the_permission() {
        let error = CloudError {
            action: "ec2:DescribeInstances",
            class: ErrorClass::Denied,
            code: "UnauthorizedOperation".into(),
            message: "no".into(),
        };
        assert!(error.hint().unwrap().contains("ec2:DescribeInstances"));
        assert_eq!(error.code(), "cloud_denied");
    }
}
