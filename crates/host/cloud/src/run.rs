//! The objects of one run: `docs/formats/run-store.md`.
//!
//! Records are protobuf messages of `proto/ceremony/v1/job.proto`. Each is written once. A reader
//! follows numbered records by asking for the next number, so nobody lists or rewrites anything.

use std::path::Path;

use prost::Message;
use protocol::pb;

use crate::{ObjectKey, ObjectStore, RunId, StackId, StoreError};

/// Largest record a reader takes.
const RECORD_LIMIT: u64 = 1 << 20;

/// One run in a store.
#[derive(Debug, Clone, Copy)]
pub struct Run<'s> {
    store: &'s dyn ObjectStore,
    id: &'s RunId,
}

impl<'s> Run<'s> {
    /// The run `id` in `store`; nothing is read or written yet.
    pub fn new(store: &'s dyn ObjectStore, id: &'s RunId) -> Self {
        Self { store, id }
    }

    /// Name of the run.
    pub fn id(&self) -> &'s RunId {
        self.id
    }

    /// Writes the circuit: a source bundle (`docs/formats/sources.md`) or an r1cs, as the job's spec says.
    pub fn put_circuit(&self, bytes: &[u8]) -> Result<(), StoreError> {
        self.store
            .put_if_absent(&self.key("inputs/circuit")?, bytes)
    }

    /// As [`put_circuit`](Self::put_circuit), from a file of the user, which is copied: it stays his own.
    pub fn put_circuit_copy(&self, file: &Path) -> Result<(), StoreError> {
        self.store
            .copy_file_if_absent(&self.key("inputs/circuit")?, file)
    }

    /// The circuit; `None` if it has not been written.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] if it has more than `limit` bytes.
    pub fn circuit(&self, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(&self.key("inputs/circuit")?, limit)
    }

    /// Copies the circuit into `write`, a buffer at a time; gives its size.
    pub fn read_circuit(&self, write: &mut dyn std::io::Write) -> Result<u64, StoreError> {
        self.store.copy_to(&self.key("inputs/circuit")?, write)
    }

    /// Writes what a run in the cloud was planned to be: JSON, `docs/formats/run-store.md`.
    pub fn put_plan(&self, json: &[u8]) -> Result<(), StoreError> {
        self.store.put_if_absent(&self.key("plan")?, json)
    }

    /// The plan; `None` if it has not been written yet.
    pub fn plan(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(&self.key("plan")?, RECORD_LIMIT)
    }

    /// Writes an input of the machine from a file, which is copied.
    pub fn put_input(&self, name: &str, file: &Path) -> Result<(), StoreError> {
        self.store
            .copy_file_if_absent(&self.key(&format!("inputs/{name}"))?, file)
    }

    /// Size of an input; `None` if it is not there.
    pub fn input_size(&self, name: &str) -> Result<Option<u64>, StoreError> {
        self.store.size(&self.key(&format!("inputs/{name}"))?)
    }

    /// Notes the id of the stack that was made for an attempt to find a place.
    pub fn put_stack(&self, attempt: u32, id: &StackId) -> Result<(), StoreError> {
        let key = self.numbered("stacks", attempt.into())?;
        self.store.put_if_absent(&key, id.as_str().as_bytes())
    }

    /// The id of the stack of this attempt; `None` if none was noted, or what was noted is none.
    pub fn stack(&self, attempt: u32) -> Result<Option<StackId>, StoreError> {
        let key = self.numbered("stacks", attempt.into())?;
        let bytes = self.store.get(&key, RECORD_LIMIT)?;
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok()))
    }

    /// Whether anything was finished: an artifact, or the commit marker.
    pub fn holds_results(&self) -> Result<bool, StoreError> {
        if !self.store.list(&self.key("artifacts")?)?.is_empty() {
            return Ok(true);
        }
        Ok(self.store.size(&self.key("commit")?)?.is_some())
    }

    /// The status record with the highest number; `None` if there is none.
    pub fn last_status(&self) -> Result<Option<pb::Status>, StoreError> {
        let listed = self.store.list(&self.key("status")?)?;
        match listed.last() {
            Some(key) => self.get(key),
            None => Ok(None),
        }
    }

    /// The first control number that is free.
    pub fn next_control(&self) -> Result<u64, StoreError> {
        let mut next = 0_u64;
        while self.control(next)?.is_some() {
            next = next.saturating_add(1);
        }
        Ok(next)
    }

    /// Writes the initial key that the job's spec names, from a file of the user, which is copied.
    pub fn put_initial_copy(&self, file: &Path) -> Result<(), StoreError> {
        self.store
            .copy_file_if_absent(&self.key("inputs/initial")?, file)
    }

    /// Copies the initial key into `write`, a buffer at a time; gives its size.
    pub fn read_initial(&self, write: &mut dyn std::io::Write) -> Result<u64, StoreError> {
        self.store.copy_to(&self.key("inputs/initial")?, write)
    }

    /// Writes the job; the last thing the controller writes, so the host-agent finds everything.
    pub fn put_job(&self, job: &pb::Job) -> Result<(), StoreError> {
        self.put(&self.key("job")?, job)
    }

    /// The job; `None` if it has not been written yet.
    pub fn job(&self) -> Result<Option<pb::Job>, StoreError> {
        self.get(&self.key("job")?)
    }

    /// Writes a status record under its own sequence number.
    pub fn put_status(&self, status: &pb::Status) -> Result<(), StoreError> {
        self.put(&self.numbered("status", status.sequence)?, status)
    }

    /// The status record with this number; `None` if it has not been written yet.
    pub fn status(&self, sequence: u64) -> Result<Option<pb::Status>, StoreError> {
        self.get(&self.numbered("status", sequence)?)
    }

    /// Writes a control record under its own sequence number.
    pub fn put_control(&self, control: &pb::Control) -> Result<(), StoreError> {
        self.put(&self.numbered("control", control.sequence)?, control)
    }

    /// The control record with this number; `None` if it has not been written yet.
    pub fn control(&self, sequence: u64) -> Result<Option<pb::Control>, StoreError> {
        self.get(&self.numbered("control", sequence)?)
    }

    /// Writes an artifact from a complete file.
    pub fn put_artifact(&self, kind: pb::ArtifactKind, file: &Path) -> Result<(), StoreError> {
        self.store
            .put_file_if_absent(&self.artifact_key(kind)?, file)
    }

    /// Size of an artifact; `None` if it is not there.
    pub fn artifact_size(&self, kind: pb::ArtifactKind) -> Result<Option<u64>, StoreError> {
        self.store.size(&self.artifact_key(kind)?)
    }

    /// Copies an artifact that must have `size` bytes into `write`, a buffer at a time.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] and [`StoreError::TooSmall`] if it has another size.
    pub fn read_artifact(
        &self,
        kind: pb::ArtifactKind,
        size: u64,
        write: &mut dyn std::io::Write,
    ) -> Result<(), StoreError> {
        self.store
            .copy_sized(&self.artifact_key(kind)?, size, write)
    }

    /// Writes the commit marker: every artifact with its digest. The last thing the host-agent writes.
    pub fn commit(&self, done: &pb::JobDone) -> Result<(), StoreError> {
        self.put(&self.key("commit")?, done)
    }

    /// The commit marker; `None` if the run is not complete.
    pub fn committed(&self) -> Result<Option<pb::JobDone>, StoreError> {
        self.get(&self.key("commit")?)
    }

    /// Writes the host-agent's log from a file, which is copied: once, when everything else is written.
    pub fn put_log(&self, file: &Path) -> Result<(), StoreError> {
        self.store
            .copy_file_if_absent(&self.key("log/host-agent")?, file)
    }

    fn artifact_key(&self, kind: pb::ArtifactKind) -> Result<ObjectKey, StoreError> {
        let name = kind
            .as_str_name()
            .trim_start_matches("ARTIFACT_KIND_")
            .to_ascii_lowercase();
        self.key(&format!("artifacts/{}", name.replace('_', "-")))
    }

    fn numbered(&self, folder: &str, sequence: u64) -> Result<ObjectKey, StoreError> {
        self.key(&format!("{folder}/{sequence:010}"))
    }

    fn key(&self, name: &str) -> Result<ObjectKey, StoreError> {
        Ok(format!("runs/{}/{name}", self.id).parse()?)
    }

    fn put(&self, key: &ObjectKey, record: &impl Message) -> Result<(), StoreError> {
        self.store.put_if_absent(key, &record.encode_to_vec())
    }

    fn get<M: Message + Default>(&self, key: &ObjectKey) -> Result<Option<M>, StoreError> {
        let Some(bytes) = self.store.get(key, RECORD_LIMIT)? else {
            return Ok(None);
        };
        M::decode(bytes.as_slice())
            .map(Some)
            .map_err(|source| StoreError::Malformed {
                key: key.clone(),
                source,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FolderStore;

    #[test]
    fn records_come_back_in_order_and_are_never_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        let id: RunId = "r1".parse().unwrap();
        let run = Run::new(&store, &id);
        assert_eq!(run.status(0).unwrap(), None);
        for sequence in 0..3 {
            let note = pb::status::Kind::Note(format!("note {sequence}"));
            let status = pb::Status {
                sequence,
                time_ms: 7,
                kind: Some(note),
            };
            run.put_status(&status).unwrap();
            assert_eq!(run.status(sequence).unwrap(), Some(status));
        }
        let again = pb::Status {
            sequence: 1,
            time_ms: 8,
            kind: None,
        };
        assert_eq!(run.put_status(&again).unwrap_err().code(), "store_exists");
    }

    #[test]
    fn artifacts_are_named_by_kind() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path().join("store")).unwrap();
        let id: RunId = "r1".parse().unwrap();
        let run = Run::new(&store, &id);
        let file = folder.path().join("f");
        std::fs::write(&file, b"key").unwrap();
        run.put_artifact(pb::ArtifactKind::FinalZkey, &file)
            .unwrap();
        assert!(
            folder
                .path()
                .join("store/runs/r1/artifacts/final-zkey")
                .is_file()
        );
        let mut out = Vec::new();
        run.read_artifact(pb::ArtifactKind::FinalZkey, 3, &mut out)
            .unwrap();
        assert_eq!(out, b"key");
    }

    #[test]
    fn a_record_of_other_bytes_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        let id: RunId = "r1".parse().unwrap();
        store
            .put_if_absent(&"runs/r1/job".parse().unwrap(), b"\xff\xff")
            .unwrap();
        assert_eq!(
            Run::new(&store, &id).job().unwrap_err().code(),
            "store_malformed"
        );
    }
}
