//! The agent as the first and only process of its machine: what the kernel leaves to do before the
//! service can listen, and what remains to be said when it cannot.
//!
//! In order: the root file system is compared with its list, before anything is mounted over it; four
//! file systems are mounted; limits are set; the parent gets the heartbeat it waits for (before any
//! slow check: it ends an enclave that stays silent); the self-checks are made; the service listens.
//!
//! * [`mounts`], [`limits`], [`parent`] – one of these steps each.
//! * [`files`], [`command_line`] – what the measured parts must look like from inside.

pub mod command_line;
pub mod files;
mod limits;
mod mounts;
pub mod parent;

use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use attestation::nsm::SecurityModule;
use attestation::{Anchor, PcrPolicy};
use manifest::AgentMode;
use nix::sys::reboot::{RebootMode, reboot};
use protocol::Transport;

use crate::agent::{Agent, AgentConfig};
use crate::backing::BackingConfig;
use crate::nsm::NitroSecurityModule;
use crate::selfcheck::{self, Machine};
use crate::serve::{ServeError, serve};
use parent::Parent;

/// Port of the service.
pub const PORT: u32 = 5005;
/// The root file system: the ramdisk's files.
const ROOT: &str = "/";
/// Where the image holds the compiler modules.
const MODULES: &str = "/modules";
/// Where artifacts go: memory of the enclave.
const WORK: &str = "/run/ceremony";

/// Who the program is. The program that is in the image decides, never the host.
pub struct Identity {
    /// Production, or a development image that says so everywhere.
    pub mode: AgentMode,
    /// Root that the documents of `security` chain to.
    pub anchor: Anchor,
    /// The security module.
    pub security: Arc<dyn SecurityModule>,
}

/// What an identity could not be had for.
pub type IdentityError = Box<dyn Error + Send + Sync>;

/// Why the enclave ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// Started by another process, or with arguments.
    #[error("this program is the first process of an enclave and takes no arguments")]
    NotInit,
    /// A file system could not be mounted.
    #[error("cannot mount {target}")]
    Mount {
        /// Where.
        target: &'static str,
        /// The kernel's reason.
        #[source]
        source: nix::Error,
    },
    /// A limit could not be set.
    #[error("cannot set the limit on {what}")]
    Limit {
        /// What it limits.
        what: &'static str,
        /// The kernel's reason.
        #[source]
        source: nix::Error,
    },
    /// The parent did not answer the heartbeat.
    #[error("no parent answered the heartbeat")]
    NoParent,
    /// No security module.
    #[error("security module")]
    SecurityModule(#[from] attestation::NsmError),
    /// The program's identity could not be made.
    #[error("identity")]
    Identity(#[source] IdentityError),
    /// The folder for artifacts, or the runtime.
    #[error("{what}")]
    System {
        /// What was to be had.
        what: &'static str,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The service could not listen, or stopped.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The service ended although nothing asked it to.
    #[error("the service ended")]
    Ended,
}

impl InitError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotInit => "init_not_first",
            Self::Mount { .. } => "init_mount",
            Self::Limit { .. } => "init_limit",
            Self::NoParent => "init_no_parent",
            Self::SecurityModule(_) => "init_security_module",
            Self::Identity(_) => "init_identity",
            Self::System { .. } => "init_system",
            Self::Serve(ServeError::Transport(error)) => error.code(),
            Self::Serve(_) => "init_serve",
            Self::Ended => "init_ended",
        }
    }
}

/// Runs the enclave. Returns only where it was not started as the first process; otherwise, when it
/// cannot go on, it says why to the parent and ends the machine.
pub fn main(identify: fn(NitroSecurityModule) -> Result<Identity, IdentityError>) -> ExitCode {
    if std::process::id() != 1 || std::env::args_os().len() > 1 {
        report(&InitError::NotInit);
        return ExitCode::FAILURE;
    }
    let mut parent = None;
    let Err(error) = run(identify, &mut parent);
    let text = report(&error);
    parent::last_words(parent, &text);
    // The kernel panics if its first process ends, which ends the machine as well.
    reboot(RebootMode::RB_AUTOBOOT).ok();
    ExitCode::FAILURE
}

fn run(
    identify: fn(NitroSecurityModule) -> Result<Identity, IdentityError>,
    parent: &mut Option<Parent>,
) -> Result<Infallible, InitError> {
    let root_files = files::compare(Path::new(ROOT));
    mounts::all()?;
    limits::all()?;
    let found = parent::heartbeat().ok_or(InitError::NoParent)?;
    *parent = Some(found);
    let identity = identify(NitroSecurityModule::open()?).map_err(InitError::Identity)?;
    let machine = Machine {
        root: ROOT.into(),
        root_files,
        command_line: std::fs::read_to_string("/proc/cmdline").unwrap_or_default(),
    };
    let system = |what| move |source| InitError::System { what, source };
    let config = AgentConfig {
        mode: identity.mode,
        self_checks: selfcheck::enclave(
            identity.mode,
            identity.security.as_ref(),
            MODULES.as_ref(),
            &machine,
        ),
        modules: MODULES.into(),
        work: WORK.into(),
        anchor: identity.anchor,
        pcrs: PcrPolicy::unpinned(),
        compiler_limits: circom::Limits::default(),
        backing: BackingConfig::default(),
    };
    let agent = Agent::new(config, identity.security).map_err(system("work folder"))?;
    let transport = Transport::Vsock {
        cid: found.cid(),
        port: PORT,
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(system("runtime"))?
        .block_on(serve(agent, &transport, std::future::pending()))?;
    Err(InitError::Ended)
}

/// One line: on the console, where there is one, and returned for the parent.
#[expect(clippy::print_stderr, reason = "the console of an enclave that ends")]
fn report(error: &InitError) -> String {
    let mut text = format!("[{}] {error}", error.code());
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    eprintln!("error: {text}");
    text
}
