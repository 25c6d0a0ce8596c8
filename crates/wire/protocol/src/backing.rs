//! The host's side of `Backing`: it keeps the enclave's large files and answers for their bytes.
//!
//! Nothing here is trusted by the enclave, which checks every piece against a digest of its own.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use manifest::ArtifactKind;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::EnclaveClient;
use crate::convert::kind_from_pb;
use crate::pb;
use crate::pb::backing_answer::What as Said;
use crate::pb::backing_request::What as Asked;
use crate::settings::{BACKING_REQUESTS, MAX_CHUNK_BYTES};
use crate::status::RemoteError;

/// The kinds whose bytes lie with the host: what grows with the circuit.
pub const HELD: [ArtifactKind; 5] = [
    ArtifactKind::R1cs,
    ArtifactKind::Ptau,
    ArtifactKind::InitialZkey,
    ArtifactKind::ContributionZkey,
    ArtifactKind::FinalZkey,
];

/// Whether the host keeps the bytes of `kind`.
pub fn is_held(kind: ArtifactKind) -> bool {
    HELD.contains(&kind)
}

/// Files by kind, read and written at positions by several threads at once.
pub trait Keeper: Send + Sync + 'static {
    /// Fills `buf` from `offset` on.
    fn read(&self, kind: ArtifactKind, offset: u64, buf: &mut [u8]) -> io::Result<()>;

    /// Takes bytes of a file that the enclave makes. They come in order, but may come twice.
    fn write(&self, kind: ArtifactKind, offset: u64, data: &[u8]) -> io::Result<()>;
}

/// Answers the enclave until the stream ends. The enclave's refusal (a fault of this host) and a lost
/// connection are errors; the end of the agent is not.
pub async fn keep_files(
    mut client: EnclaveClient<Channel>,
    keeper: Arc<dyn Keeper>,
) -> Result<(), RemoteError> {
    let (answers, receiver) = mpsc::channel(BACKING_REQUESTS);
    let mut requests = client
        .backing(ReceiverStream::new(receiver))
        .await?
        .into_inner();
    let places = Arc::new(Semaphore::new(BACKING_REQUESTS));
    while let Some(request) = requests.message().await? {
        // Never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            break;
        };
        let (keeper, answers) = (Arc::clone(&keeper), answers.clone());
        tokio::task::spawn_blocking(move || {
            // Nobody waits for it when the stream is gone.
            drop(answers.blocking_send(answer(keeper.as_ref(), &request)));
            drop(place);
        });
    }
    Ok(())
}

/// The answer to one request.
pub fn answer(keeper: &dyn Keeper, request: &pb::BackingRequest) -> pb::BackingAnswer {
    let what = match serve(keeper, request) {
        Ok(said) => said,
        Err(error) => Said::Failure(error.to_string()),
    };
    pb::BackingAnswer {
        id: request.id,
        what: Some(what),
    }
}

fn serve(keeper: &dyn Keeper, request: &pb::BackingRequest) -> io::Result<Said> {
    let kind = kind_from_pb(request.kind).map_err(io::Error::other)?;
    match &request.what {
        Some(Asked::Read(length)) => {
            let length = usize::try_from(*length).map_err(io::Error::other)?;
            if length > MAX_CHUNK_BYTES {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let mut data = vec![0; length];
            keeper.read(kind, request.offset, &mut data)?;
            Ok(Said::Data(Bytes::from(data)))
        }
        Some(Asked::Write(data)) => {
            keeper.write(kind, request.offset, data)?;
            Ok(Said::Written(pb::BackingWritten {}))
        }
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Keeper for Nothing {
        fn read(&self, _: ArtifactKind, _: u64, buf: &mut [u8]) -> io::Result<()> {
            buf.fill(7);
            Ok(())
        }
        fn write(&self, _: ArtifactKind, _: u64, _: &[u8]) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    fn said(kind: pb::ArtifactKind, what: Option<Asked>) -> Said {
        let request = pb::BackingRequest {
            id: 5,
            kind: kind.into(),
            offset: 0,
            what,
        };
        let answer = answer(&Nothing, &request);
        assert_eq!(answer.id, 5);
        answer.what.unwrap()
    }

    #[test]
    fn every_request_has_its_answer() {
        let kind = pb::ArtifactKind::Ptau;
        assert_eq!(
            said(kind, Some(Asked::Read(3))),
            Said::Data(Bytes::from_static(&[7; 3]))
        );
        for (kind, what) in [
            (kind, Some(Asked::Write(Bytes::from_static(b"x")))),
            (kind, Some(Asked::Read((1 << 20) + 1))),
            (kind, None),
            (pb::ArtifactKind::Unspecified, Some(Asked::Read(3))),
        ] {
            assert!(matches!(said(kind, what), Said::Failure(_)));
        }
    }
}
