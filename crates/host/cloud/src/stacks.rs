//! Stacks of resources that are made and removed together: AWS CloudFormation.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::{CloudError, ErrorClass, StackId, StackName, Tags, Timestamp};

/// Stacks of one region.
pub trait Stacks: Debug + Send + Sync {
    /// Begins to make a stack. AWS: `cloudformation:CreateStack` with `TemplateBody`, `OnFailure` =
    /// `DELETE`, `Capabilities` = `CAPABILITY_IAM`, `ClientRequestToken` = `token`, so that a stack that
    /// cannot be made removes itself, also when nobody is left to ask for it.
    ///
    /// Twice with the same token: one stack. Should the service answer the second call with
    /// `AlreadyExists`, the caller looks the stack up by name and compares its tags.
    fn create(&self, stack: &NewStack<'_>) -> Result<StackId, CloudError>;

    /// Changes parameters and tags of a stack. AWS: `cloudformation:UpdateStack` with
    /// `UsePreviousTemplate`, `UsePreviousValue` for every parameter that is not in `parameters`, and
    /// `ClientRequestToken` = `token`. Twice: one update. That nothing had to change ("No updates are to
    /// be performed") is success.
    fn update(
        &self,
        id: &StackId,
        parameters: &BTreeMap<String, String>,
        tags: &Tags,
        token: &str,
    ) -> Result<(), CloudError>;

    /// Looks at one stack. AWS: `cloudformation:DescribeStacks` with `StackName` = id or name. Reads.
    ///
    /// `None`: there is no such stack ("does not exist"). By id a removed stack is still seen, as
    /// [`StackState::Deleted`]; by name it is not.
    fn describe(&self, stack: StackRef<'_>) -> Result<Option<Stack>, CloudError>;

    /// Every stack that is not removed and has a tag with this key. AWS: all pages of
    /// `cloudformation:DescribeStacks`, filtered here. Reads. New stacks may be missing for some seconds.
    fn list(&self, tag_key: &str) -> Result<Vec<Stack>, CloudError>;

    /// What made the stack fail, oldest first. AWS: all pages of `cloudformation:DescribeStackEvents` by
    /// id, those with `_FAILED`. Reads. Works on removed stacks.
    fn failures(&self, id: &StackId) -> Result<Vec<StackFailure>, CloudError>;

    /// Begins to remove a stack and all that it made. AWS: `cloudformation:DeleteStack` by id. Twice, or
    /// on a removed stack: success.
    fn delete(&self, id: &StackId) -> Result<(), CloudError>;
}

/// A stack to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewStack<'a> {
    /// Its name.
    pub name: &'a StackName,
    /// Template, at most 51,200 bytes.
    pub template: &'a str,
    /// Stack policy (`StackPolicyBody`), JSON: which resources no update may touch.
    pub policy: &'a str,
    /// Values of the template's parameters.
    pub parameters: &'a BTreeMap<String, String>,
    /// Tags, which the service hands down to what the stack makes.
    pub tags: &'a Tags,
    /// Names this request: the same token never makes a second stack. `[A-Za-z0-9-]`, at most 128 bytes.
    pub token: &'a str,
    /// It counts as failed if it is not ready after this many minutes.
    pub timeout_minutes: u32,
}

/// Names a stack.
#[derive(Debug, Clone, Copy)]
pub enum StackRef<'a> {
    /// This very stack.
    Id(&'a StackId),
    /// Whichever stack has the name now.
    Name(&'a StackName),
}

/// A stack as it is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Its id.
    pub id: StackId,
    /// Its name.
    pub name: StackName,
    /// Where it is in its life.
    pub state: StackState,
    /// The service's own words, for example `CREATE_IN_PROGRESS`.
    pub status: String,
    /// Why, if the service says.
    pub reason: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    pub tags: Tags,
    /// Values of the template's outputs.
    pub outputs: BTreeMap<String, String>,
}

/// Where a stack is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackState {
    /// Being made.
    Creating,
    /// There, with all that it holds. A failed update that was taken back counts too.
    Ready,
    /// Being changed.
    Updating,
    /// It could not be made, and has not been removed yet, or will not be removed by itself.
    Failed,
    /// Being removed.
    Deleting,
    /// It could not be removed: something of it is left.
    DeleteFailed,
    /// Gone.
    Deleted,
}

impl StackState {
    /// The state behind a `StackStatus` of CloudFormation. A word that is not known counts as `Failed`:
    /// there, and not usable.
    pub fn of_status(status: &str) -> Self {
        match status {
            "CREATE_IN_PROGRESS" | "REVIEW_IN_PROGRESS" => Self::Creating,
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" => Self::Ready,
            "UPDATE_IN_PROGRESS"
            | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
            | "UPDATE_ROLLBACK_IN_PROGRESS"
            | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => Self::Updating,
            "DELETE_IN_PROGRESS" => Self::Deleting,
            "DELETE_FAILED" => Self::DeleteFailed,
            "DELETE_COMPLETE" => Self::Deleted,
            _ => Self::Failed,
        }
    }
}

/// One resource that made a stack fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackFailure {
    /// Its name in the template.
    pub resource: String,
    /// The service's words.
    pub reason: String,
}

impl StackFailure {
    /// What kind of failure it is.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::of_reason(&self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_the_service_has_a_state() {
        for (status, state) in [
            ("CREATE_IN_PROGRESS", StackState::Creating),
            ("CREATE_FAILED", StackState::Failed),
            ("ROLLBACK_IN_PROGRESS", StackState::Failed),
            ("ROLLBACK_COMPLETE", StackState::Failed),
            ("UPDATE_ROLLBACK_FAILED", StackState::Failed),
            ("UPDATE_IN_PROGRESS", StackState::Updating),
            ("UPDATE_COMPLETE", StackState::Ready),
            ("DELETE_IN_PROGRESS", StackState::Deleting),
            ("DELETE_FAILED", StackState::DeleteFailed),
            ("DELETE_COMPLETE", StackState::Deleted),
            ("SOMETHING_NEW", StackState::Failed),
        ] {
            assert_eq!(StackState::of_status(status), state, "{status}");
        }
    }
}
