//! What goes wrong in a command: with a stable code, the exit code, and what to do.

use std::path::PathBuf;
use std::process::ExitStatus;

use crate::exit::Exit;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// Arguments that do not go together, or have no meaning.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
        /// What to type instead.
        hint: Option<&'static str>,
    },
    /// The folder for the bundle is not empty.
    #[error("{} exists and is not empty", path.display())]
    OutExists {
        /// The folder.
        path: PathBuf,
    },
    /// A program or module that should be there is not.
    #[error("{what} not found at {}", path.display())]
    NotInstalled {
        /// What is missing.
        what: &'static str,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is of no known kind.
    #[error("{} is none of the files this command knows", path.display())]
    UnknownFile {
        /// The file.
        path: PathBuf,
    },
    /// The enclave image is not of the one accepted form.
    #[error("{} is refused as an enclave image", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is not as it must be.
        source: eif::EifError,
    },
    /// A file of expected measurements is not believed.
    #[error("{} is not believed as a file of expected measurements", path.display())]
    Expected {
        /// The file.
        path: PathBuf,
        /// Why.
        source: verify::ExpectedError,
    },
    /// A file of expected measurements has no signature.
    #[error("{} has no signature", path.display())]
    Unsigned {
        /// The file.
        path: PathBuf,
    },
    /// A release is not what it says it is.
    #[error("the release in {} is refused: {what}", path.display())]
    Release {
        /// Its folder.
        path: PathBuf,
        /// What is not as it must be.
        what: String,
    },
    /// No machine can hold the ceremony.
    #[error("this circuit's ceremony is not possible: {what}")]
    Impossible {
        /// Why.
        what: &'static str,
    },
    /// The run exists.
    #[error("the run {run} was begun already")]
    Begun {
        /// The run.
        run: String,
    },
    /// A file failed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The compiled circuit is refused.
    #[error("the compiled circuit is refused")]
    Circuit(#[source] Box<phase2::setup::SetupError>),
    /// The circuit's files cannot be collected.
    #[error("the circuit's files cannot be collected")]
    Collect(#[from] circom::CollectError),
    /// The source bundle is refused.
    #[error("the circuit's source bundle is refused")]
    Sources(#[from] manifest::sources::SourcesError),
    /// The spec is refused.
    #[error("the ceremony's spec is refused")]
    Spec(#[from] manifest::spec::SpecError),
    /// The initial key is refused.
    #[error("the initial key is refused")]
    InitialKey(#[from] formats::zkey::ZKeyError),
    /// The manifest is refused.
    #[error("the manifest is refused")]
    Manifest(#[from] manifest::ManifestError),
    /// An attestation document cannot be read.
    #[error("an attestation document cannot be read")]
    Attestation(#[from] attestation::AttestationError),
    /// circom cannot be loaded.
    #[error("the circom module cannot be loaded")]
    Circom(#[from] circom::CircomError),
    /// solc cannot be loaded.
    #[error("the solc module cannot be loaded")]
    Solc(#[from] solc::SolcError),
    /// Development powers of tau cannot be made.
    #[error("development powers of tau cannot be made")]
    Development(#[from] devptau::DevPtauError),
    /// The beacon chain cannot be made.
    #[error("the beacon chain cannot be made")]
    Beacon(#[from] local_beacon::LocalBeaconError),
    /// The operating system has no randomness.
    #[error("no randomness from the operating system: {0}")]
    Randomness(getrandom::Error),
    /// The run store failed.
    #[error("the run store failed")]
    Store(#[from] cloud::StoreError),
    /// The host-agent cannot be started or watched.
    #[error("host-agent cannot be started")]
    Start(#[source] std::io::Error),
    /// The host-agent ended without saying why.
    #[error("host-agent ended without a result: {status}")]
    HostAgentEnded {
        /// How it ended.
        status: ExitStatus,
    },
    /// The run failed; its last record says where and why.
    #[error(
        "the ceremony failed in phase {} (enclave stage: {})\n{}",
        .0.phase, .0.stage, .0.message
    )]
    Run(Box<RunFailure>),
    /// An artifact in the store is not what the commit marker says.
    #[error("artifact {name} is not what the host-agent committed: expected {expected}, got {got}")]
    Artifact {
        /// The artifact.
        name: &'static str,
        /// Committed digest.
        expected: String,
        /// Digest of the bytes.
        got: String,
    },
    /// The commit marker names a size that no artifact of this kind has.
    #[error("artifact {name} would have {got} bytes, at most {limit} are possible")]
    ArtifactSize {
        /// The artifact.
        name: &'static str,
        /// Most bytes.
        limit: u64,
        /// Bytes in the marker.
        got: u64,
    },
    /// A disk is too small for what is to be written.
    #[error("{needed} bytes are to be written in {}, {available} are free", path.display())]
    NoSpace {
        /// Where.
        path: PathBuf,
        /// Bytes to be written.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
    /// The bundle cannot be put together.
    #[error("the bundle cannot be put together: {what}")]
    Bundle {
        /// What is missing or wrong.
        what: &'static str,
    },
    /// A bundle was not published, or not as it should be.
    #[error(transparent)]
    Publish(#[from] crate::PublishError),
    /// No cloud can be used.
    #[error(transparent)]
    Provider(#[from] crate::ProviderError),
    /// A run in the cloud did not do what was asked.
    #[error(transparent)]
    Saga(#[from] saga::SagaError),
    /// A call to the cloud failed.
    #[error("a call to the cloud failed")]
    Cloud(#[from] cloud::CloudError),
    /// What a machine is told is not as it must be.
    #[error("what the machine is told is refused")]
    HostConfig(#[from] infra::host_config::HostConfigError),
    /// The machine is gone, or its time is over, without a last word.
    #[error("the run {run} ended without a last word: {finding}")]
    Lost {
        /// The run.
        run: String,
        /// What was found.
        finding: String,
        /// The end of the machine's console.
        console: Option<String>,
    },
    /// Interrupted by the user.
    #[error("interrupted")]
    Interrupted {
        /// Where the records and the finished artifacts are.
        store: PathBuf,
    },
}

/// How a run failed.
#[derive(Debug)]
pub struct RunFailure {
    /// Part of the run.
    pub phase: String,
    /// Last stage the enclave reached.
    pub stage: &'static str,
    /// Stable code.
    pub code: String,
    /// Reason with its causes.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Where the records and the finished artifacts are.
    pub store: PathBuf,
}

impl CliError {
    /// Stable code.
    pub fn code(&self) -> String {
        match self {
            Self::Usage { .. } => "usage",
            Self::OutExists { .. } => "out_exists",
            Self::NotInstalled { .. } => "not_installed",
            Self::UnknownFile { .. } => "unknown_file",
            Self::Image { source, .. } => source.code(),
            Self::Expected { source, .. } => source.code(),
            Self::Unsigned { .. } => "expected_unsigned",
            Self::Release { .. } => "release",
            Self::Impossible { .. } => "run_impossible",
            Self::Begun { .. } => "run_begun",
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "disk_full"
            }
            Self::File { .. } => "file",
            Self::Circuit(error) => error.code(),
            Self::Collect(error) => error.code(),
            Self::Sources(error) => error.code(),
            Self::Spec(error) => error.code(),
            Self::InitialKey(error) => error.code(),
            Self::Manifest(error) => error.code(),
            Self::Attestation(error) => error.code(),
            Self::Circom(error) => error.code(),
            Self::Solc(error) => error.code(),
            Self::Development(error) => error.code(),
            Self::Beacon(error) => error.code(),
            Self::Randomness(_) => "randomness",
            Self::Store(error) => error.code(),
            Self::Start(_) => "host_agent_start",
            Self::HostAgentEnded { .. } => "host_agent_ended",
            Self::Run(failure) => &failure.code,
            Self::Artifact { .. } => "artifact_digest",
            Self::ArtifactSize { .. } => "artifact_size",
            Self::NoSpace { .. } => "disk_full",
            Self::Bundle { .. } => "bundle",
            Self::Publish(error) => error.code(),
            Self::Provider(error) => error.code(),
            Self::Saga(error) => error.code(),
            Self::Cloud(error) => error.code(),
            Self::HostConfig(error) => error.code(),
            Self::Lost { .. } => "run_lost",
            Self::Interrupted { .. } => "interrupted",
        }
        .to_owned()
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::OutExists { .. } | Self::Begun { .. } => Exit::Usage,
            Self::Release { .. }
            | Self::Impossible { .. }
            | Self::Image { .. }
            | Self::Expected { .. }
            | Self::Unsigned { .. } => Exit::False,
            Self::Interrupted { .. } => Exit::Interrupted,
            Self::Publish(error) => error.exit(),
            _ => Exit::Incomplete,
        }
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => hint.map(str::to_owned),
            Self::OutExists { .. } => Some("choose another folder with --out".to_owned()),
            Self::NotInstalled { .. } => {
                Some("run scripts/setup, or name the place with the option of that name".to_owned())
            }
            Self::Image { .. } => Some(
                "the PCRs of such a file do not say what it holds; docs/image.md has the accepted form"
                    .to_owned(),
            ),
            Self::Release { .. } => {
                Some("fetch the release again, or make it with scripts/release".to_owned())
            }
            Self::Begun { run } => Some(format!(
                "`controller resume {run}` takes it over; without --nonce every run is a new one"
            )),
            Self::Expected { .. } => Some(
                "take file, signature and key from the publisher again; the key by another way than the file"
                    .to_owned(),
            ),
            Self::Unsigned { .. } => Some(
                "put its .minisig beside it or name it with --pcrs-signature; --pcrs-unsigned accepts a file that you made yourself"
                    .to_owned(),
            ),
            Self::Collect(error) => Some(error.hint()),
            Self::Run(failure) => {
                let kept = format!(
                    "records and finished artifacts are kept in {}",
                    failure.store.display()
                );
                Some(match &failure.hint {
                    Some(hint) => format!("{hint}\n      {kept}"),
                    None => kept,
                })
            }
            Self::Interrupted { store } => Some(format!(
                "records and finished artifacts are kept in {}",
                store.display()
            )),
            Self::Publish(error) => error.hint().map(str::to_owned),
            Self::Provider(error) => error.hint(),
            Self::Saga(error) => error.hint(),
            Self::Cloud(error) => error.hint(),
            Self::Lost { console, .. } => console
                .as_ref()
                .map(|text| format!("the end of its console:\n{text}")),
            Self::HostAgentEnded { .. } => Some("run again with -v to see what it logs".to_owned()),
            _ => None,
        }
    }
}
