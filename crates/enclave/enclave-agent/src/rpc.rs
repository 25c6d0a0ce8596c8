//! One handler per RPC: form of the request, then the ceremony's judgement, then the work.

use std::pin::Pin;
use std::sync::Arc;

use attestation::Statement;
use bytes::Bytes;
use ceremony::{Ceremony, Command, CommandKind, Stage};
use manifest::RawSpec;
use manifest::spec::MAX_SPEC_BYTES;
use protocol::Enclave;
use protocol::pb;
use protocol::status::to_status;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::agent::{Agent, VERSION, failure_text};
use crate::convert;
use crate::error::AgentError;
use crate::store::StoreError;
use crate::transfer;
use crate::work;

/// Events that one watcher may lag behind before it is fed more.
const WATCH_BATCH: usize = 64;

type Answer<T> = Result<Response<T>, Status>;
type BoxStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The service: a shared agent.
#[derive(Clone)]
pub(crate) struct Service(pub(crate) Arc<Agent>);

fn refuse(error: impl Into<AgentError>) -> Status {
    to_status(&error.into())
}

fn stream<T: Send + 'static>(
    receiver: Result<mpsc::Receiver<Result<T, Status>>, AgentError>,
) -> Answer<BoxStream<T>> {
    let receiver = receiver.map_err(refuse)?;
    Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
}

/// Runs a short piece of work that may block: the security module's device, small files.
async fn blocking<T: Send + 'static>(
    agent: &Arc<Agent>,
    work: impl FnOnce(&Agent) -> Result<T, AgentError> + Send + 'static,
) -> Result<T, Status> {
    let agent = Arc::clone(agent);
    tokio::task::spawn_blocking(move || work(&agent))
        .await
        .map_err(|_| refuse(AgentError::Task))?
        .map_err(refuse)
}

#[tonic::async_trait]
impl Enclave for Service {
    async fn describe(
        &self,
        request: Request<pb::DescribeRequest>,
    ) -> Answer<pb::DescribeResponse> {
        let nonce = request.into_inner().nonce;
        let got = nonce.len();
        let nonce: [u8; 32] = nonce
            .as_ref()
            .try_into()
            .map_err(|_| refuse(AgentError::Nonce { got }))?;
        blocking(&self.0, move |agent| describe(agent, &nonce))
            .await
            .map(Response::new)
    }

    type WatchStream = BoxStream<pb::WatchResponse>;

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Answer<Self::WatchStream> {
        let from = request.into_inner().from_sequence;
        let (sender, receiver) = mpsc::channel(WATCH_BATCH);
        tokio::spawn(watch(Arc::clone(&self.0), from, sender));
        stream(Ok(receiver))
    }

    async fn open(&self, request: Request<pb::OpenRequest>) -> Answer<pb::OpenResponse> {
        let text = request.into_inner().spec;
        blocking(&self.0, move |agent| open(agent, text))
            .await
            .map(Response::new)
    }

    async fn put_artifact(
        &self,
        request: Request<Streaming<pb::PutArtifactRequest>>,
    ) -> Answer<pb::PutArtifactResponse> {
        let (kind, record) = transfer::receive(&self.0, request.into_inner())
            .await
            .map_err(refuse)?;
        Ok(Response::new(pb::PutArtifactResponse {
            artifact: Some(convert::artifact(kind, &record)),
        }))
    }

    type CompileCircuitStream = BoxStream<pb::CompileCircuitResponse>;

    async fn compile_circuit(
        &self,
        _: Request<pb::CompileCircuitRequest>,
    ) -> Answer<Self::CompileCircuitStream> {
        stream(self.0.run(CommandKind::CompileCircuit, work::compile::run))
    }

    type CheckPhase1Stream = BoxStream<pb::CheckPhase1Response>;

    async fn check_phase1(
        &self,
        _: Request<pb::CheckPhase1Request>,
    ) -> Answer<Self::CheckPhase1Stream> {
        stream(self.0.run(CommandKind::CheckPhase1, work::phase1::run))
    }

    type CheckInitialKeyStream = BoxStream<pb::CheckInitialKeyResponse>;

    async fn check_initial_key(
        &self,
        _: Request<pb::CheckInitialKeyRequest>,
    ) -> Answer<Self::CheckInitialKeyStream> {
        stream(self.0.run(CommandKind::CheckInitialKey, work::initial::run))
    }

    type ContributeStream = BoxStream<pb::ContributeResponse>;

    async fn contribute(
        &self,
        _: Request<pb::ContributeRequest>,
    ) -> Answer<Self::ContributeStream> {
        stream(self.0.run(CommandKind::Contribute, work::contribution::run))
    }

    async fn attest_contribution(
        &self,
        _: Request<pb::AttestContributionRequest>,
    ) -> Answer<pb::AttestContributionResponse> {
        blocking(&self.0, work::attest::contribution)
            .await
            .map(Response::new)
    }

    async fn submit_certificates(
        &self,
        request: Request<pb::SubmitCertificatesRequest>,
    ) -> Answer<pb::SubmitCertificatesResponse> {
        let request = request.into_inner();
        blocking(&self.0, move |agent| submit(agent, &request))
            .await
            .map(Response::new)
    }

    type ApplyBeaconStream = BoxStream<pb::ApplyBeaconResponse>;

    async fn apply_beacon(
        &self,
        request: Request<pb::ApplyBeaconRequest>,
    ) -> Answer<Self::ApplyBeaconStream> {
        let beacon = request
            .into_inner()
            .try_into()
            .map_err(|error| refuse(AgentError::Request(error)))?;
        // Judged before the work begins: a relay's bad answer moves nothing.
        let beacon = self
            .0
            .with(|ceremony| match ceremony {
                Ceremony::RoundAssigned(stage) => {
                    stage.judge_beacon(beacon).map_err(AgentError::from)
                }
                other => Err(match other.expects(CommandKind::ApplyBeacon) {
                    Err(error) => error.into(),
                    Ok(()) => AgentError::Task,
                }),
            })
            .map_err(refuse)?;
        stream(
            self.0
                .run(CommandKind::ApplyBeacon, move |agent, progress| {
                    work::finalize::run(agent, beacon, progress)
                }),
        )
    }

    async fn seal(&self, _: Request<pb::SealRequest>) -> Answer<pb::SealResponse> {
        blocking(&self.0, work::attest::seal)
            .await
            .map(Response::new)
    }

    type GetArtifactStream = BoxStream<pb::GetArtifactResponse>;

    async fn get_artifact(
        &self,
        request: Request<pb::GetArtifactRequest>,
    ) -> Answer<Self::GetArtifactStream> {
        let request = request.into_inner();
        let stage = self.0.stage();
        if !(Stage::Contributed..=Stage::Sealed).contains(&stage) {
            return Err(refuse(AgentError::ArtifactNotYet { stage }));
        }
        let kind = protocol::convert::kind_from_pb(request.kind)
            .map_err(|error| refuse(AgentError::Request(error)))?;
        let (record, source) = blocking(&self.0, move |agent| {
            Ok((agent.store().record(kind)?, agent.store().open_file(kind)?))
        })
        .await?;
        stream(transfer::send(kind, &record, source, request.offset))
    }

    type BackingStream = BoxStream<pb::BackingRequest>;

    async fn backing(
        &self,
        request: Request<Streaming<pb::BackingAnswer>>,
    ) -> Answer<Self::BackingStream> {
        let attached = self.0.store().backing().attach(request.into_inner());
        stream(attached.map_err(|error| StoreError::from(error).into()))
    }
}

fn describe(agent: &Agent, nonce: &[u8; 32]) -> Result<pb::DescribeResponse, AgentError> {
    let document =
        agent
            .security()
            .attest(Some(nonce), Some(&Statement::Boot.user_data()), None)?;
    let artifacts = agent
        .store()
        .records()
        .iter()
        .map(|(kind, record)| convert::artifact(*kind, record))
        .collect();
    agent.with(|ceremony| {
        Ok(pb::DescribeResponse {
            agent_version: VERSION.to_owned(),
            mode: convert::mode(agent.mode()).into(),
            stage: convert::stage(ceremony.stage()).into(),
            ceremony_id: ceremony
                .id()
                .map(|id| Bytes::copy_from_slice(id.0.as_bytes()))
                .unwrap_or_default(),
            failure: match ceremony {
                Ceremony::Failed(failed) => failure_text(failed),
                _ => String::new(),
            },
            boot_attestation: document.into(),
            self_checks: agent
                .self_checks()
                .iter()
                .map(convert::self_check)
                .collect(),
            artifacts,
        })
    })
}

fn open(agent: &Agent, text: Bytes) -> Result<pb::OpenResponse, AgentError> {
    let _permit = agent.begin()?;
    agent.with(|ceremony| {
        ceremony
            .expects(CommandKind::Open)
            .map_err(AgentError::from)
    })?;
    if text.len() > MAX_SPEC_BYTES {
        let error = protocol::convert::ConvertError::TooLong {
            field: "spec",
            limit: MAX_SPEC_BYTES,
            got: text.len(),
        };
        return Err(error.into());
    }
    let spec = RawSpec(text.into())
        .validate()
        .map_err(ceremony::CeremonyError::from)?;
    let ceremony_id = Bytes::copy_from_slice(spec.id().0.as_bytes());
    let receipt = agent.advance(Command::Open(Box::new(spec)))?;
    Ok(pb::OpenResponse {
        ceremony_id,
        receipt: Some(receipt),
    })
}

fn submit(
    agent: &Agent,
    request: &pb::SubmitCertificatesRequest,
) -> Result<pb::SubmitCertificatesResponse, AgentError> {
    let _permit = agent.begin()?;
    let certificates = protocol::convert::certificates(request)?;
    let receipt = agent.advance(Command::SubmitCertificates(certificates))?;
    agent.with(|ceremony| match ceremony {
        Ceremony::RoundAssigned(stage) => Ok(pb::SubmitCertificatesResponse {
            attested_time_ms: stage.attested_time_ms(),
            round: stage.round().get(),
            round_time_ms: stage.round_time_ms(),
            receipt: Some(receipt),
        }),
        _ => Err(AgentError::Task),
    })
}

/// Feeds a watcher from the log: what is kept, then what comes, until it is gone.
async fn watch(
    agent: Arc<Agent>,
    mut from: u64,
    sender: mpsc::Sender<Result<pb::WatchResponse, Status>>,
) {
    let mut bell = agent.events().bell();
    loop {
        bell.mark_unchanged();
        let events = agent.events().from(from, WATCH_BATCH);
        if events.is_empty() {
            tokio::select! {
                () = sender.closed() => return,
                rung = bell.changed() => if rung.is_err() { return },
            }
        }
        for event in events {
            from = event.sequence.saturating_add(1);
            let message = pb::WatchResponse { event: Some(event) };
            if sender.send(Ok(message)).await.is_err() {
                return;
            }
        }
    }
}
