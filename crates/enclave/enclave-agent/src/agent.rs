//! [`Agent`]: the state behind the RPCs, and how a piece of work is run.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use attestation::nsm::SecurityModule;
use attestation::{Anchor, PcrPolicy};
use bytes::Bytes;
use ceremony::{Boot, Ceremony, Command, CommandKind, Compilers, SelfCheck, Stage};
use circom::Limits;
use formats::digest::Sha256Digest;
use formats::progress::ProgressSink;
use manifest::AgentMode;
use protocol::pb;
use protocol::status::to_status;
use solc::unpack::SOLC_WASM_SHA256;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tonic::Status;

use crate::backing::{Backing, BackingConfig};
use crate::convert;
use crate::error::AgentError;
use crate::events::Events;
use crate::progress::Reporter;
use crate::store::{Store, StoreError};
use crate::work::WorkError;

/// Version of this agent, written into the manifest.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Messages that wait for a caller who reads slowly.
const QUEUE_MESSAGES: usize = 16;

/// What an agent is started with.
#[derive(Debug)]
pub struct AgentConfig {
    /// Production or simulation. The program that was started decides, never the host.
    pub mode: AgentMode,
    /// Folder with `circom.wasm` and `solc.wasm`.
    pub modules: PathBuf,
    /// Folder for artifacts: made anew, or empty.
    pub work: PathBuf,
    /// Root that the security module's documents chain to.
    pub anchor: Anchor,
    /// Measurements that the security module's documents carry.
    pub pcrs: PcrPolicy,
    /// What was checked at the start.
    pub self_checks: Vec<SelfCheck>,
    /// What circom may use. The program that was started decides, never the host.
    pub compiler_limits: Limits,
    /// How the large files are held to their digests.
    pub backing: BackingConfig,
}

/// One agent: it runs one ceremony.
pub struct Agent {
    security: Arc<dyn SecurityModule>,
    modules: PathBuf,
    mode: AgentMode,
    self_checks: Vec<SelfCheck>,
    compiler_limits: Limits,
    store: Store,
    events: Arc<Events>,
    /// `None` only while a command is being judged, or after a panic in there.
    ceremony: Mutex<Option<Ceremony>>,
    /// One piece of work or transfer at a time.
    work: Arc<Semaphore>,
}

impl Agent {
    /// An agent that waits for `Open`.
    pub fn new(
        config: AgentConfig,
        security: Arc<dyn SecurityModule>,
    ) -> std::io::Result<Arc<Self>> {
        let boot = Boot {
            mode: config.mode,
            agent_version: VERSION.to_owned(),
            self_checks: config.self_checks.clone(),
            compilers: compilers()?,
            anchor: config.anchor,
            pcrs: config.pcrs,
        };
        // Told to nobody: no chunk can be looked for that passes for another.
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Arc::new(Self {
            security,
            modules: config.modules,
            mode: config.mode,
            self_checks: config.self_checks,
            compiler_limits: config.compiler_limits,
            store: Store::create(&config.work, Backing::new(key, config.backing))?,
            events: Arc::default(),
            ceremony: Mutex::new(Some(Ceremony::new(boot))),
            work: Arc::new(Semaphore::new(1)),
        }))
    }

    /// The files.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What may be watched.
    pub fn events(&self) -> &Arc<Events> {
        &self.events
    }

    pub(crate) fn security(&self) -> &dyn SecurityModule {
        self.security.as_ref()
    }

    pub(crate) fn modules(&self) -> &std::path::Path {
        &self.modules
    }

    pub(crate) fn compiler_limits(&self) -> &Limits {
        &self.compiler_limits
    }

    pub(crate) fn mode(&self) -> AgentMode {
        self.mode
    }

    pub(crate) fn self_checks(&self) -> &[SelfCheck] {
        &self.self_checks
    }

    /// Looks at the ceremony.
    pub(crate) fn with<T, E: From<AgentError>>(
        &self,
        look: impl FnOnce(&Ceremony) -> Result<T, E>,
    ) -> Result<T, E> {
        match self.lock().as_ref() {
            Some(ceremony) => look(ceremony),
            None => Err(AgentError::Task.into()),
        }
    }

    /// Takes the one permit to work, or says that the agent is busy.
    pub(crate) fn begin(&self) -> Result<OwnedSemaphorePermit, AgentError> {
        Arc::clone(&self.work)
            .try_acquire_owned()
            .map_err(|_| AgentError::Busy)
    }

    /// Lets the machine judge a command. The receipt is that of the stage reached.
    pub(crate) fn advance(&self, command: Command) -> Result<pb::Receipt, AgentError> {
        let mut slot = self.lock();
        let ceremony = slot.take().ok_or(AgentError::Task)?;
        let step = ceremony.advance(command);
        if let Ceremony::Failed(failed) = &step.ceremony
            && step.outcome.is_err()
        {
            self.events
                .push(pb::event::Kind::Failure(failure_text(failed)));
        }
        let receipt = step
            .ceremony
            .opened()
            .map(|opened| opened.last_receipt().to_vec());
        *slot = Some(step.ceremony);
        drop(slot);
        let stage = step.outcome?;
        self.events
            .push(pb::event::Kind::StageReached(convert::stage(stage).into()));
        Ok(pb::Receipt {
            stage: convert::stage(stage).into(),
            text: receipt.map(Bytes::from).unwrap_or_default(),
        })
    }

    /// Ends the ceremony because its work went wrong.
    pub(crate) fn fail(&self, code: &'static str, message: String) {
        let mut slot = self.lock();
        if let Some(ceremony) = slot.take() {
            let ceremony = ceremony.fail(code, message);
            if let Ceremony::Failed(failed) = &ceremony {
                self.events
                    .push(pb::event::Kind::Failure(failure_text(failed)));
            }
            *slot = Some(ceremony);
        }
    }

    /// Runs the work for `command` on a blocking thread and streams its progress, then its receipt.
    ///
    /// The work goes on when the caller is lost: the stage it reached shows in `Describe`.
    pub(crate) fn run<M: WorkMessage>(
        self: &Arc<Self>,
        command: CommandKind,
        work: impl FnOnce(&Agent, &dyn ProgressSink) -> Result<Command, WorkError> + Send + 'static,
    ) -> Result<mpsc::Receiver<Result<M, Status>>, AgentError> {
        let permit = self.begin()?;
        self.with(|ceremony| ceremony.expects(command).map_err(AgentError::from))?;
        let (messages, receiver) = mpsc::channel(QUEUE_MESSAGES);
        let (progress, mut reports) = mpsc::channel(QUEUE_MESSAGES);
        let agent = Arc::clone(self);
        let worker = tokio::task::spawn_blocking(move || {
            let reporter = Reporter::new(progress, Arc::clone(&agent.events));
            // What the host did wrong with a file comes out of a parser as an input/output error, or
            // was seen in a chunk that nobody used: it is the cause all the same.
            let done = work(&agent, &reporter);
            let done = match agent.store.backing().fault() {
                Some(fault) => Err(StoreError::from(fault).into()),
                None => done,
            };
            let result = match done {
                Ok(command) => agent.advance(command),
                Err(error) => {
                    agent.fail(error.code(), with_causes(&error));
                    Err(error.into())
                }
            };
            drop(permit);
            result
        });
        let agent = Arc::clone(self);
        tokio::spawn(async move {
            while let Some(report) = reports.recv().await {
                if messages.send(Ok(M::progress(report))).await.is_err() {
                    break;
                }
            }
            let end = worker.await.unwrap_or_else(|_| {
                let error = AgentError::Task;
                agent.fail("agent_task", error.to_string());
                Err(error)
            });
            let message = end.map(M::receipt).map_err(|error| to_status(&error));
            // The caller may be gone.
            drop(messages.send(message).await);
        });
        Ok(receiver)
    }

    /// The stage now.
    pub fn stage(&self) -> Stage {
        self.lock().as_ref().map_or(Stage::Failed, Ceremony::stage)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Ceremony>> {
        // After a panic in the machine the slot is empty, which every user of it refuses.
        self.ceremony.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message of a streaming answer: progress, or the receipt at the end.
pub(crate) trait WorkMessage: Send + 'static {
    fn progress(progress: pb::Progress) -> Self;
    fn receipt(receipt: pb::Receipt) -> Self;
}

macro_rules! work_message {
    ($($message:ident in $module:ident),*) => {
        $(
            impl WorkMessage for pb::$message {
                fn progress(progress: pb::Progress) -> Self {
                    Self { part: Some(pb::$module::Part::Progress(progress)) }
                }
                fn receipt(receipt: pb::Receipt) -> Self {
                    Self { part: Some(pb::$module::Part::Receipt(receipt)) }
                }
            }
        )*
    };
}
work_message!(
    CompileCircuitResponse in compile_circuit_response,
    CheckPhase1Response in check_phase1_response,
    CheckInitialKeyResponse in check_initial_key_response,
    ContributeResponse in contribute_response,
    ApplyBeaconResponse in apply_beacon_response
);

/// Digests of the modules that this agent runs; each is checked again when it is loaded.
fn compilers() -> std::io::Result<Compilers> {
    Ok(Compilers {
        circom: circom::MODULE_SHA256
            .parse()
            .map_err(std::io::Error::other)?,
        solc: Sha256Digest::new(SOLC_WASM_SHA256),
    })
}

pub(crate) fn failure_text(failed: &ceremony::Failed) -> String {
    format!("[{}] {}", failed.code(), failed.message())
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
