//! The enclave's large files, kept on this host's disk: its own inputs where they are, what the enclave
//! makes in a folder of the run.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use manifest::ArtifactKind;
use protocol::EnclaveClient;
use protocol::backing::{Keeper, keep_files};
use tokio::task::JoinHandle;
use tonic::transport::Channel;

/// Pause before a lost stream is opened again.
const PAUSE: Duration = Duration::from_millis(500);

/// Files by kind.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    known: Mutex<BTreeMap<ArtifactKind, Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    path: PathBuf,
    file: Arc<File>,
}

impl Files {
    /// Makes `folder` for what the enclave makes.
    pub fn create(folder: PathBuf) -> io::Result<Arc<Self>> {
        std::fs::create_dir_all(&folder)?;
        Ok(Arc::new(Self {
            folder,
            known: Mutex::default(),
        }))
    }

    /// From now on this host's own file is the artifact. Nothing may change it until the run ends.
    pub fn hold(&self, kind: ArtifactKind, path: &Path) -> io::Result<()> {
        let known = Known {
            path: path.to_owned(),
            file: Arc::new(File::open(path)?),
        };
        self.lock().insert(kind, known);
        Ok(())
    }

    /// Where an artifact lies, if it is here.
    pub fn path(&self, kind: ArtifactKind) -> Option<PathBuf> {
        self.lock().get(&kind).map(|known| known.path.clone())
    }

    fn file(&self, kind: ArtifactKind) -> Option<Arc<File>> {
        self.lock().get(&kind).map(|known| Arc::clone(&known.file))
    }

    /// The file that the enclave writes; never one that was handed in.
    fn made(&self, kind: ArtifactKind) -> io::Result<Arc<File>> {
        let path = self.folder.join(kind.name());
        let mut all = self.lock();
        match all.get(&kind) {
            Some(known) if known.path == path => Ok(Arc::clone(&known.file)),
            Some(_) => Err(io::ErrorKind::PermissionDenied.into()),
            None => {
                let file = OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .open(&path)?;
                let file = Arc::new(file);
                let known = Known {
                    path,
                    file: Arc::clone(&file),
                };
                all.insert(kind, known);
                Ok(file)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ArtifactKind, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper for Files {
    fn read(&self, kind: ArtifactKind, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let file = self.file(kind).ok_or(io::ErrorKind::NotFound)?;
        file.read_exact_at(buf, offset)
    }

    fn write(&self, kind: ArtifactKind, offset: u64, data: &[u8]) -> io::Result<()> {
        self.made(kind)?.write_all_at(data, offset)
    }
}

/// A task that answers the enclave. Dropping it ends the conversation.
#[derive(Debug)]
pub struct Keeping(JoinHandle<()>);

impl Keeping {
    /// Begins to answer, and begins again when the stream is lost, as long as this lives.
    pub fn start(client: EnclaveClient<Channel>, files: Arc<Files>) -> Self {
        Self(tokio::spawn(async move {
            loop {
                let keeper: Arc<dyn Keeper> = Arc::<Files>::clone(&files);
                match keep_files(client.clone(), keeper).await {
                    Err(error) if !error.is_connection_loss() => {
                        // The work under way fails with the same words.
                        tracing::warn!("enclave: {error}");
                        return;
                    }
                    Err(error) => tracing::info!("stream of the large files: {error}"),
                    Ok(()) => {}
                }
                tokio::time::sleep(PAUSE).await;
            }
        }))
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_enclave_writes_never_lands_in_a_file_of_this_host() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("own.ptau");
        std::fs::write(&own, b"abcdef").unwrap();
        let files = Files::create(folder.path().join("kept")).unwrap();
        files.hold(ArtifactKind::Ptau, &own).unwrap();
        let refused = files.write(ArtifactKind::Ptau, 0, b"x").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        let mut buf = [0; 3];
        files.read(ArtifactKind::Ptau, 3, &mut buf).unwrap();
        assert_eq!(&buf, b"def");
        assert!(files.read(ArtifactKind::Ptau, 4, &mut buf).is_err());
        assert!(files.read(ArtifactKind::FinalZkey, 0, &mut buf).is_err());

        files.write(ArtifactKind::FinalZkey, 3, b"def").unwrap();
        files.write(ArtifactKind::FinalZkey, 0, b"abc").unwrap();
        let path = files.path(ArtifactKind::FinalZkey).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"abcdef");
        assert_eq!(std::fs::read(&own).unwrap(), b"abcdef");
    }
}
