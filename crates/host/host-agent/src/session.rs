//! The conversation with the enclave: one method per RPC, progress passed on, the host's own files in and out.

use std::fs::{File, OpenOptions};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use drand::RawBeacon;
use protocol::backing::is_held;
use protocol::convert::kind_from_pb;
use protocol::{
    EnclaveClient, RemoteError, TransferError, Transport, TransportError, pb, settings,
};
use tonic::transport::Channel;

use crate::backing::{Files, Keeping};
use crate::report::Reporter;

/// How often a download is taken up again after a lost connection.
const RESUMES: u32 = 5;

/// Why the conversation ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The enclave cannot be reached.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The enclave refused, or the connection was lost.
    #[error("enclave: {0}")]
    Remote(#[from] RemoteError),
    /// An artifact did not come through.
    #[error("transfer of {} failed", kind.as_str_name())]
    Transfer {
        /// The artifact.
        kind: pb::ArtifactKind,
        /// Why.
        source: TransferError,
    },
    /// A local file failed.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A stream of progress ended without a receipt.
    #[error("the enclave ended {call} without a receipt")]
    NoReceipt {
        /// The call.
        call: &'static str,
    },
}

impl SessionError {
    /// Stable code; the enclave's own where it sent one.
    pub fn code(&self) -> &str {
        match self {
            Self::Transport(error) => error.code(),
            Self::Remote(error) if error.is_connection_loss() => "enclave_lost",
            Self::Remote(error) => &error.code,
            Self::Transfer { source, .. } if source.is_connection_loss() => "enclave_lost",
            Self::Transfer { source, .. } => source.code(),
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "disk_full"
            }
            Self::File { .. } => "file",
            Self::NoReceipt { .. } => "no_receipt",
        }
    }

    /// The enclave's hint, if it gave one.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Transport(error) => Some(error.hint()),
            Self::Remote(error)
            | Self::Transfer {
                source: TransferError::Remote(error),
                ..
            } => {
                if error.is_connection_loss() {
                    Some(
                        "the enclave-agent ended or was stopped; its last lines are in the log (-v)",
                    )
                } else {
                    error.hint.as_deref()
                }
            }
            _ => None,
        }
    }
}

/// What `SubmitCertificates` answers.
#[derive(Debug, Clone, Copy)]
pub struct Assigned {
    /// The only round the enclave will take.
    pub round: u64,
    /// When it is published, milliseconds since the Unix epoch.
    pub round_time_ms: u64,
    /// Timestamp of attestation 1.
    pub attested_time_ms: u64,
}

/// An open connection.
#[derive(Debug)]
pub struct Session {
    client: EnclaveClient<Channel>,
    reporter: Arc<Reporter>,
    files: Arc<Files>,
    /// Answers the enclave for the bytes of its large files, as long as the session lasts.
    _keeping: Keeping,
}

macro_rules! progress_call {
    ($(#[$doc:meta])* $name:ident, $request:ty, $part:path) => {
        $(#[$doc])*
        pub async fn $name(&mut self, request: $request) -> Result<pb::Receipt, SessionError> {
            use $part as Part;
            let call = stringify!($name);
            let mut stream = self.client.$name(request).await.map_err(RemoteError::from)?.into_inner();
            let mut receipt = None;
            while let Some(message) = stream.message().await.map_err(RemoteError::from)? {
                match message.part {
                    Some(Part::Progress(progress)) => self.reporter.progress(progress),
                    Some(Part::Receipt(last)) => receipt = Some(last),
                    None => {}
                }
            }
            receipt.ok_or(SessionError::NoReceipt { call })
        }
    };
}

impl Session {
    /// Connects, and keeps the enclave's large files from here on; those that it makes lie in `folder`.
    pub async fn connect(
        transport: &Transport,
        folder: PathBuf,
        reporter: Arc<Reporter>,
    ) -> Result<Self, SessionError> {
        let client = settings::enclave_client(transport.connect().await?);
        let files = Files::create(folder.clone()).map_err(|source| SessionError::File {
            path: folder,
            source,
        })?;
        Ok(Self {
            _keeping: Keeping::start(client.clone(), Arc::clone(&files)),
            client,
            reporter,
            files,
        })
    }

    /// The file of this host that is the artifact, if it is one of the large ones.
    pub fn kept(&self, kind: pb::ArtifactKind) -> Option<PathBuf> {
        kind_from_pb(kind.into())
            .ok()
            .and_then(|kind| self.files.path(kind))
    }

    /// Who the enclave is; `nonce` comes back in its boot attestation.
    pub async fn describe(
        &mut self,
        nonce: [u8; 32],
    ) -> Result<pb::DescribeResponse, SessionError> {
        let request = pb::DescribeRequest {
            nonce: Bytes::copy_from_slice(&nonce),
        };
        Ok(self
            .client
            .describe(request)
            .await
            .map_err(RemoteError::from)?
            .into_inner())
    }

    /// Fixes the spec; gives the ceremony id the enclave computed.
    pub async fn open(&mut self, spec: &[u8]) -> Result<Bytes, SessionError> {
        let request = pb::OpenRequest {
            spec: Bytes::copy_from_slice(spec),
        };
        let answer = self
            .client
            .open(request)
            .await
            .map_err(RemoteError::from)?
            .into_inner();
        Ok(answer.ceremony_id)
    }

    /// Sends a file as an artifact. A large one is asked for again later: it must stay as it is.
    pub async fn put(
        &mut self,
        kind: pb::ArtifactKind,
        step: &str,
        path: &Path,
    ) -> Result<pb::ArtifactInfo, SessionError> {
        let failed = |source| SessionError::File {
            path: path.into(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        if let Ok(kind) = kind_from_pb(kind.into())
            && is_held(kind)
        {
            self.files.hold(kind, path).map_err(failed)?;
        }
        let reporter = Arc::clone(&self.reporter);
        let step = step.to_owned();
        let progress = move |done| reporter.progress(bytes_progress(&step, done, size));
        let source = BufReader::with_capacity(256 << 10, file);
        protocol::put_artifact(&mut self.client, kind, size, source, progress)
            .await
            .map_err(|source| SessionError::Transfer { kind, source })
    }

    /// Fetches an artifact of at most `limit` bytes into a new file; a lost connection is taken up
    /// again at the byte where it ended.
    pub async fn get(
        &mut self,
        kind: pb::ArtifactKind,
        step: &str,
        limit: u64,
        path: &Path,
    ) -> Result<pb::ArtifactInfo, SessionError> {
        let failed = |source| SessionError::File {
            path: path.into(),
            source,
        };
        File::create_new(path).map_err(failed)?;
        let mut attempt = 0;
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(path)
                .map_err(failed)?;
            let reporter = Arc::clone(&self.reporter);
            let progress = move |done, total| reporter.progress(bytes_progress(step, done, total));
            match protocol::get_artifact(&mut self.client, kind, limit, file, progress).await {
                Ok(info) => return Ok(info),
                Err(error) if error.is_connection_loss() && attempt < RESUMES => {
                    attempt += 1;
                    tracing::warn!("{}: {error}; resuming", kind.as_str_name());
                    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                }
                Err(source) => return Err(SessionError::Transfer { kind, source }),
            }
        }
    }

    progress_call!(
        /// Compiles the source bundle.
        compile_circuit, pb::CompileCircuitRequest, pb::compile_circuit_response::Part
    );
    progress_call!(
        /// Checks the ptau.
        check_phase1, pb::CheckPhase1Request, pb::check_phase1_response::Part
    );
    progress_call!(
        /// Checks 0000.zkey.
        check_initial_key, pb::CheckInitialKeyRequest, pb::check_initial_key_response::Part
    );
    progress_call!(
        /// Makes 0001.zkey.
        contribute, pb::ContributeRequest, pb::contribute_response::Part
    );
    progress_call!(
        /// Applies the beacon and exports everything.
        apply_beacon, pb::ApplyBeaconRequest, pb::apply_beacon_response::Part
    );

    /// Attestation 1.
    pub async fn attest_contribution(&mut self) -> Result<Bytes, SessionError> {
        let request = pb::AttestContributionRequest {};
        let answer = self
            .client
            .attest_contribution(request)
            .await
            .map_err(RemoteError::from)?;
        Ok(answer.into_inner().attestation)
    }

    /// Returns the certificate chain of attestation 1; gives the round the enclave assigned.
    pub async fn submit_certificates(
        &mut self,
        certificates: Vec<Bytes>,
    ) -> Result<Assigned, SessionError> {
        let request = pb::SubmitCertificatesRequest { certificates };
        let answer = self
            .client
            .submit_certificates(request)
            .await
            .map_err(RemoteError::from)?;
        let pb::SubmitCertificatesResponse {
            attested_time_ms,
            round,
            round_time_ms,
            ..
        } = answer.into_inner();
        Ok(Assigned {
            round,
            round_time_ms,
            attested_time_ms,
        })
    }

    /// Closes the ceremony.
    pub async fn seal(&mut self) -> Result<(), SessionError> {
        self.client
            .seal(pb::SealRequest {})
            .await
            .map_err(RemoteError::from)?;
        Ok(())
    }
}

/// The request that carries a beacon.
pub fn beacon_request(beacon: RawBeacon) -> pb::ApplyBeaconRequest {
    pb::ApplyBeaconRequest {
        round: beacon.round,
        signature: beacon.signature.into(),
        previous_signature: beacon.previous_signature.into(),
    }
}

fn bytes_progress(step: &str, done: u64, total: u64) -> pb::Progress {
    pb::Progress {
        step: step.to_owned(),
        done,
        total,
        unit: pb::Unit::Bytes.into(),
    }
}
