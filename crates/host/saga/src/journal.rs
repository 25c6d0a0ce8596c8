//! The journal: every change is written down, flushed, before it is made.
//!
//! One JSON object a line. A line that was cut off by a crash is the last one, and counts as not
//! written: nothing was called after it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use cloud::{BucketName, RunId, StackId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::SagaError;

/// Version of a line.
const VERSION: u32 = 1;

/// A change, with all that is needed to repeat or undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Make the bucket.
    CreateBucket {
        /// Its name.
        bucket: String,
    },
    /// Close and tag the bucket.
    ConfigureBucket {
        /// Its name.
        bucket: String,
    },
    /// Write plan and inputs into the bucket.
    PutInputs,
    /// Write the job: the machine may begin.
    PutJob,
    /// Make the stack of an attempt.
    CreateStack {
        /// The attempt, from 0.
        attempt: u32,
        /// Name of the stack, and its client token.
        name: String,
    },
    /// Move the deadline of stack and bucket.
    MoveDeadline {
        /// To when.
        deadline: String,
    },
    /// Leave a command for the host-agent.
    Command {
        /// What.
        command: String,
    },
    /// Take the bundle home.
    Receive {
        /// Where it is put.
        bundle: String,
    },
    /// Verify the bundle.
    Verify,
    /// Remove a stack.
    DeleteStack {
        /// Its id.
        id: String,
    },
    /// End a machine.
    Terminate {
        /// Its id.
        instance: String,
    },
    /// Remove a disk.
    DeleteVolume {
        /// Its id.
        volume: String,
    },
    /// Remove all objects of a bucket, and the bucket.
    DeleteBucket {
        /// Its name.
        bucket: String,
    },
    /// Nothing of the run is left.
    Close,
}

impl Action {
    /// What takes the change back; `None` if it goes with the undoing of an earlier one, or is an
    /// undoing itself.
    pub fn undo(&self, id: Option<&StackId>) -> Option<Self> {
        match self {
            Self::CreateBucket { bucket } => Some(Self::DeleteBucket {
                bucket: bucket.clone(),
            }),
            // Without an id the stack is found by its name, which the attempt tells.
            Self::CreateStack { name, .. } => Some(Self::DeleteStack {
                id: id.map_or_else(|| name.clone(), ToString::to_string),
            }),
            _ => None,
        }
    }
}

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// It is about to be made.
    Begin,
    /// It was made.
    Done,
    /// It failed; whether anything was done is not known.
    Failed,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    v: u32,
    /// When, RFC 3339.
    pub at: String,
    /// How far the change is.
    pub mark: Mark,
    /// The change.
    pub action: Action,
    /// What was made, if it got an id; the error's code, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// The journal of one run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    entries: Vec<Entry>,
}

impl Journal {
    /// Opens the journal, making it if there is none.
    pub fn open(path: &Path) -> Result<Self, SagaError> {
        let failed = |action, source| SagaError::File {
            action,
            path: path.to_owned(),
            source,
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(failed("read", e)),
        };
        let whole = text
            .rfind('\n')
            .map_or("", |end| text.get(..=end).unwrap_or_default());
        let mut entries = Vec::new();
        for (index, line) in whole.lines().enumerate() {
            let entry = serde_json::from_str::<Entry>(line)
                .ok()
                .filter(|entry| entry.v == VERSION);
            entries.push(entry.ok_or_else(|| SagaError::Journal {
                path: path.to_owned(),
                line: index.saturating_add(1),
            })?);
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|e| failed("open", e))?;
        // What a crash left of a last line goes, so that the next line is one.
        let length = u64::try_from(whole.len()).unwrap_or(u64::MAX);
        if whole.len() < text.len() {
            file.set_len(length).map_err(|e| failed("write", e))?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            entries,
        })
    }

    /// The lines.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Writes that a change is about to be made, and makes it; then writes what came of it.
    pub(crate) fn step<T>(
        &mut self,
        now: Timestamp,
        action: Action,
        id: impl FnOnce(&T) -> Option<String>,
        change: impl FnOnce() -> Result<T, SagaError>,
    ) -> Result<T, SagaError> {
        self.write(now, Mark::Begin, action.clone(), None)?;
        match change() {
            Ok(made) => {
                self.write(now, Mark::Done, action, id(&made))?;
                Ok(made)
            }
            Err(error) => {
                let code = Some(error.code().to_owned());
                // The error itself matters more than that it could not be written down.
                drop(self.write(now, Mark::Failed, action, code));
                Err(error)
            }
        }
    }

    /// Whether this change was made.
    pub(crate) fn is_done(&self, wanted: impl Fn(&Action) -> bool) -> bool {
        let mut done = self.entries.iter().filter(|e| e.mark == Mark::Done);
        done.any(|entry| wanted(&entry.action))
    }

    /// The attempts that were begun, each with the id of its stack if that is known.
    pub(crate) fn attempts(&self) -> Vec<(u32, Option<StackId>)> {
        let mut attempts: Vec<(u32, Option<StackId>)> = Vec::new();
        for entry in &self.entries {
            let Action::CreateStack { attempt, .. } = &entry.action else {
                continue;
            };
            let id = entry.result.as_deref().filter(|_| entry.mark == Mark::Done);
            let id: Option<StackId> = id.and_then(|id| id.parse().ok());
            match attempts.iter_mut().find(|(known, _)| known == attempt) {
                Some((_, known)) => *known = id.or(known.take()),
                None => attempts.push((*attempt, id)),
            }
        }
        attempts
    }

    /// Changes that were begun and not taken back, newest first, as what takes them back.
    pub fn undone(&self) -> Vec<Action> {
        let mut open: Vec<Action> = Vec::new();
        for entry in self.entries.iter().rev() {
            let id = entry.result.as_deref().and_then(|id| id.parse().ok());
            if let Some(undo) = entry.action.undo(id.as_ref())
                && !open.contains(&undo)
                && !self.is_done(|done| *done == undo)
            {
                open.push(undo);
            }
        }
        open
    }

    fn write(
        &mut self,
        now: Timestamp,
        mark: Mark,
        action: Action,
        result: Option<String>,
    ) -> Result<(), SagaError> {
        let entry = Entry {
            v: VERSION,
            at: now.to_string(),
            mark,
            action,
            result,
        };
        // Plain enums and strings always have a JSON form.
        let mut line = serde_json::to_string(&entry).unwrap_or_default();
        line.push('\n');
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(|source| SagaError::File {
                action: "write",
                path: self.path.clone(),
                source,
            })?;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes a change that is made by being written.
    pub(crate) fn note(&mut self, now: Timestamp, action: Action) -> Result<(), SagaError> {
        self.write(now, Mark::Done, action, None)
    }
}

/// Name of the stack of an attempt; its client token as well.
pub(crate) fn create_stack(run: &RunId, attempt: u32) -> Result<Action, SagaError> {
    let name = run.stack(attempt)?.to_string();
    Ok(Action::CreateStack { attempt, name })
}

/// Making a bucket.
pub(crate) fn create_bucket(bucket: &BucketName) -> Action {
    Action::CreateBucket {
        bucket: bucket.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> Action {
        Action::CreateBucket { bucket: "b".into() }
    }

    #[test]
    fn a_change_is_on_disk_before_it_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        let seen = journal.step(
            Timestamp(0),
            bucket(),
            |_| Some("id".into()),
            || Ok(std::fs::read_to_string(&path).unwrap()),
        );
        assert_eq!(
            seen.unwrap(),
            "{\"v\":1,\"at\":\"1970-01-01T00:00:00Z\",\"mark\":\"begin\",\"action\":{\"create-bucket\":{\"bucket\":\"b\"}}}\n"
        );
        let again = Journal::open(&path).unwrap();
        assert_eq!(again.entries().len(), 2);
        assert_eq!(again.entries()[1].mark, Mark::Done);
        assert_eq!(again.entries()[1].result.as_deref(), Some("id"));
    }

    #[test]
    fn a_line_that_was_cut_off_counts_as_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        journal.note(Timestamp(0), bucket()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..whole.len() {
            let mut torn = whole.clone();
            torn.extend_from_slice(&whole[..cut]);
            std::fs::write(&path, &torn).unwrap();
            let mut journal = Journal::open(&path).unwrap();
            let complete = usize::from(cut == whole.len());
            assert_eq!(journal.entries().len(), 1 + complete);
            journal.note(Timestamp(1), Action::Close).unwrap();
            assert_eq!(Journal::open(&path).unwrap().entries().len(), 2);
        }
    }

    #[test]
    fn a_line_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        for bad in [
            "{}\n",
            "x\n",
            "{\"v\":2,\"at\":\"\",\"mark\":\"done\",\"action\":\"close\"}\n",
        ] {
            std::fs::write(&path, bad).unwrap();
            let refused = Journal::open(&path);
            assert!(
                matches!(refused, Err(SagaError::Journal { line: 1, .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn what_was_begun_and_not_taken_back_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("journal")).unwrap();
        let now = Timestamp(0);
        let failing = |(): &()| None;
        journal.note(now, bucket()).unwrap();
        let create = Action::CreateStack {
            attempt: 0,
            name: "n".into(),
        };
        let failed = journal.step(now, create, failing, || {
            Err(SagaError::StackSlow { minutes: 1 })
        });
        assert_eq!(failed.unwrap_err().code(), "run_stack_slow");
        let delete_stack = Action::DeleteStack { id: "n".into() };
        let delete_bucket = Action::DeleteBucket { bucket: "b".into() };
        assert_eq!(
            journal.undone(),
            [delete_stack.clone(), delete_bucket.clone()]
        );
        journal.note(now, delete_stack).unwrap();
        assert_eq!(journal.undone(), [delete_bucket]);
        assert_eq!(journal.attempts(), [(0, None)]);
    }
}
