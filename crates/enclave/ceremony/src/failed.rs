//! The end of a ceremony that did not come to its last stage.

use manifest::spec::CeremonyId;

use crate::machine::Stage;

/// The ceremony ended early. Terminal; keeps its reason.
#[derive(Debug)]
pub struct Failed {
    last: Stage,
    id: Option<CeremonyId>,
    code: &'static str,
    message: String,
}

impl Failed {
    pub(crate) fn new(
        last: Stage,
        id: Option<CeremonyId>,
        code: &'static str,
        message: String,
    ) -> Self {
        Self {
            last,
            id,
            code,
            message,
        }
    }

    /// The last stage that was reached.
    pub fn last(&self) -> Stage {
        self.last
    }

    /// The ceremony id, if a spec had been taken.
    pub fn id(&self) -> Option<CeremonyId> {
        self.id
    }

    /// Stable code of the reason.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The reason.
    pub fn message(&self) -> &str {
        &self.message
    }
}
