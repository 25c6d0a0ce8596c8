//! One thing that was looked at.

use std::error::Error;

use cloud::CloudError;

use crate::error::CliError;
use crate::words;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// As it must be.
    Ok,
    /// A run may need more, or something else needs attention.
    Warning,
    /// A run would fail.
    Failed,
    /// It could not be asked, although a run needs it.
    NotChecked,
}

impl Status {
    /// Stable word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::NotChecked => "not-checked",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Stable name.
    pub(crate) id: &'static str,
    /// What it is.
    pub(crate) title: &'static str,
    pub(crate) status: Status,
    /// What was seen.
    pub(crate) detail: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

impl Row {
    pub(crate) fn ok(id: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            id,
            title,
            status: Status::Ok,
            detail: detail.into(),
            hint: None,
        }
    }

    /// The same thing, found to be otherwise.
    pub(crate) fn but(mut self, status: Status, hint: impl Into<String>) -> Self {
        self.status = status;
        self.hint = Some(hint.into());
        self
    }

    /// A call failed: what may pass could not be checked, everything else is a failure.
    pub(crate) fn refused(id: &'static str, title: &'static str, error: &CloudError) -> Self {
        let status = if error.class.is_passing() {
            Status::NotChecked
        } else {
            Status::Failed
        };
        Self {
            status,
            hint: error.hint(),
            ..Self::ok(id, title, format!("{error} [{}]", error.code()))
        }
    }

    /// Something failed before any call.
    pub(crate) fn error(id: &'static str, title: &'static str, error: &CliError) -> Self {
        let cause: &dyn Error = error;
        Self {
            status: Status::Failed,
            hint: error.hint(),
            ..Self::ok(
                id,
                title,
                format!("{} [{}]", words::chain(cause), error.code()),
            )
        }
    }

    /// What cannot be asked because something before it failed.
    pub(crate) fn blocked(id: &'static str, title: &'static str, by: &str) -> Self {
        Self {
            status: Status::NotChecked,
            ..Self::ok(id, title, format!("not asked: {by}"))
        }
    }
}
