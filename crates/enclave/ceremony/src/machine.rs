//! [`Ceremony`]: the enum over the stages, and the one function that moves it.

use std::fmt;

use manifest::spec::CeremonyId;

use crate::boot::Boot;
use crate::command::{Command, CommandKind};
use crate::error::CeremonyError;
use crate::failed::Failed;
use crate::stages::{
    Booted, Committed, Compiled, Contributed, Finalized, InitialReady, Opened, Phase1Ready,
    Refused, RoundAssigned, Sealed,
};

/// A ceremony in one of its stages.
#[derive(Debug)]
#[expect(missing_docs, reason = "the stages' structs are documented")]
pub enum Ceremony {
    Booted(Box<Booted>),
    Opened(Box<Opened>),
    Compiled(Box<Compiled>),
    Phase1Ready(Box<Phase1Ready>),
    InitialReady(Box<InitialReady>),
    Contributed(Box<Contributed>),
    Committed(Box<Committed>),
    RoundAssigned(Box<RoundAssigned>),
    Finalized(Box<Finalized>),
    Sealed(Box<Sealed>),
    Failed(Box<Failed>),
}

/// Where a ceremony stands after a command, and what became of the command.
#[derive(Debug)]
pub struct Step {
    /// The ceremony; in the same stage as before when the command was refused.
    pub ceremony: Ceremony,
    /// The stage that was reached, or why none was.
    pub outcome: Result<Stage, CeremonyError>,
}

impl Ceremony {
    /// A ceremony that nobody has opened yet.
    pub fn new(boot: Boot) -> Self {
        Self::Booted(Box::new(Booted::new(boot)))
    }

    /// Judges a command and moves to the next stage, or refuses.
    #[must_use]
    pub fn advance(self, command: Command) -> Step {
        match (self, command) {
            (Self::Booted(stage), Command::Open(spec)) => Step::of(stage.open(*spec)),
            (Self::Opened(stage), Command::CompileCircuit(circuit)) => {
                Step::of(stage.compile(*circuit))
            }
            (Self::Compiled(stage), Command::CheckPhase1(file)) => Step::of(stage.phase1(file)),
            (Self::Phase1Ready(stage), Command::CheckInitialKey(key)) => {
                Step::of(stage.initial_key(key))
            }
            (Self::InitialReady(stage), Command::Contribute(contribution)) => {
                Step::of(stage.contribute(contribution))
            }
            (Self::Contributed(stage), Command::AttestContribution(document)) => {
                Step::of(stage.attest(document))
            }
            (Self::Committed(stage), Command::SubmitCertificates(certificates)) => {
                Step::of(stage.assign_round(&certificates))
            }
            (Self::RoundAssigned(stage), Command::ApplyBeacon(key)) => {
                Step::of(stage.finalize(*key))
            }
            (Self::Finalized(stage), Command::Seal(document)) => Step::of(stage.seal(&document)),
            (ceremony, command) => {
                let error = ceremony.wrong_stage(command.kind());
                Step {
                    ceremony,
                    outcome: Err(error),
                }
            }
        }
    }

    /// Whether `command` belongs to this stage: asked before the work for it begins.
    pub fn expects(&self, command: CommandKind) -> Result<(), CeremonyError> {
        if self.stage() == Stage::before(command) {
            Ok(())
        } else {
            Err(self.wrong_stage(command))
        }
    }

    /// Ends the ceremony for a reason of the agent's: the work for a stage went wrong.
    #[must_use]
    pub fn fail(self, code: &'static str, message: String) -> Self {
        match self {
            Self::Failed(_) => self,
            other => Self::Failed(Box::new(Failed::new(
                other.stage(),
                other.id(),
                code,
                message,
            ))),
        }
    }

    /// The stage.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Booted(_) => Stage::Booted,
            Self::Opened(_) => Stage::Opened,
            Self::Compiled(_) => Stage::Compiled,
            Self::Phase1Ready(_) => Stage::Phase1Ready,
            Self::InitialReady(_) => Stage::InitialReady,
            Self::Contributed(_) => Stage::Contributed,
            Self::Committed(_) => Stage::Committed,
            Self::RoundAssigned(_) => Stage::RoundAssigned,
            Self::Finalized(_) => Stage::Finalized,
            Self::Sealed(_) => Stage::Sealed,
            Self::Failed(_) => Stage::Failed,
        }
    }

    /// The ceremony id, once a spec was taken.
    pub fn id(&self) -> Option<CeremonyId> {
        match self {
            Self::Failed(failed) => failed.id(),
            other => other.opened().map(Opened::id),
        }
    }

    /// What is fixed since the ceremony was opened; `None` before, and after a failure.
    pub fn opened(&self) -> Option<&Opened> {
        match self {
            Self::Booted(_) | Self::Failed(_) => None,
            Self::Opened(stage) => Some(stage),
            Self::Compiled(stage) => Some(stage.opened()),
            Self::Phase1Ready(stage) => Some(stage.opened()),
            Self::InitialReady(stage) => Some(stage.opened()),
            Self::Contributed(stage) => Some(stage.opened()),
            Self::Committed(stage) => Some(stage.opened()),
            Self::RoundAssigned(stage) => Some(stage.opened()),
            Self::Finalized(stage) => Some(stage.opened()),
            Self::Sealed(stage) => Some(stage.opened()),
        }
    }

    fn wrong_stage(&self, command: CommandKind) -> CeremonyError {
        CeremonyError::WrongStage {
            stage: self.stage(),
            command,
            after: Stage::before(command),
        }
    }
}

impl Step {
    fn of<From, To>(result: Result<To, Box<Refused<From>>>) -> Self
    where
        Box<From>: Into<Ceremony>,
        Box<To>: Into<Ceremony>,
    {
        match result {
            Ok(next) => {
                let ceremony: Ceremony = Box::new(next).into();
                let outcome = Ok(ceremony.stage());
                Self { ceremony, outcome }
            }
            Err(refused) => {
                let Refused { stage, error } = *refused;
                let mut ceremony: Ceremony = Box::new(stage).into();
                if error.ends_ceremony() {
                    ceremony = ceremony.fail(error.code(), with_causes(&error));
                }
                Self {
                    ceremony,
                    outcome: Err(error),
                }
            }
        }
    }
}

fn with_causes(error: &CeremonyError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

macro_rules! from_stage {
    ($($name:ident),*) => {
        $(impl From<Box<$name>> for Ceremony {
            fn from(stage: Box<$name>) -> Self {
                Self::$name(stage)
            }
        })*
    };
}
from_stage!(
    Booted,
    Opened,
    Compiled,
    Phase1Ready,
    InitialReady,
    Contributed,
    Committed,
    RoundAssigned,
    Finalized,
    Sealed
);

/// Names of the stages, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the stages' structs are documented")]
pub enum Stage {
    Booted,
    Opened,
    Compiled,
    Phase1Ready,
    InitialReady,
    Contributed,
    Committed,
    RoundAssigned,
    Finalized,
    Sealed,
    Failed,
}

impl Stage {
    /// The stage in which `command` is possible.
    pub fn before(command: CommandKind) -> Self {
        match command {
            CommandKind::Open => Self::Booted,
            CommandKind::CompileCircuit => Self::Opened,
            CommandKind::CheckPhase1 => Self::Compiled,
            CommandKind::CheckInitialKey => Self::Phase1Ready,
            CommandKind::Contribute => Self::InitialReady,
            CommandKind::AttestContribution => Self::Contributed,
            CommandKind::SubmitCertificates => Self::Committed,
            CommandKind::ApplyBeacon => Self::RoundAssigned,
            CommandKind::Seal => Self::Finalized,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Booted => "booted",
            Self::Opened => "opened",
            Self::Compiled => "compiled",
            Self::Phase1Ready => "phase1-ready",
            Self::InitialReady => "initial-ready",
            Self::Contributed => "contributed",
            Self::Committed => "committed",
            Self::RoundAssigned => "round-assigned",
            Self::Finalized => "finalized",
            Self::Sealed => "sealed",
            Self::Failed => "failed",
        })
    }
}
