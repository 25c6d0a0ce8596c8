//! What every command about one run begins with.

use std::path::PathBuf;

use cloud::RunId;
use saga::{Blueprint, Desk, Saga, StateFolder};

use super::screen::Screen;
use crate::cli::{RunRef, StateArgs};
use crate::clouds::{Clouds, OpenCloud};
use crate::error::CliError;

/// A cloud, this machine's state, and the run that was named.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) open: OpenCloud,
    pub(crate) state: StateFolder,
    pub(crate) run: RunId,
}

impl Seat {
    pub(crate) fn take(clouds: &dyn Clouds, args: &RunRef) -> Result<Self, CliError> {
        let run: RunId = args.run.parse().map_err(|error| CliError::Usage {
            what: format!("{:?} is not a run's id: {error}", args.run),
            hint: Some("`controller runs` lists the runs there are"),
        })?;
        Ok(Self {
            open: clouds.open(&args.cloud)?,
            state: state(&args.state)?,
            run,
        })
    }

    pub(crate) fn desk<'a>(&'a self, screen: &'a Screen<'_>) -> Desk<'a> {
        desk(&self.open, screen)
    }

    /// The run, by what is kept here or by its bucket.
    pub(crate) fn saga<'a>(
        &'a self,
        screen: &'a Screen<'_>,
        blueprint: &'a Blueprint,
    ) -> Result<Saga<'a>, CliError> {
        let desk = self.desk(screen);
        let found = saga::find(desk, &self.state, &self.open.region, &self.run)?;
        let journal = self.state.journal(&self.run)?;
        Ok(Saga::new(desk, found.plan, journal, blueprint)?)
    }
}

pub(crate) fn desk<'a>(open: &'a OpenCloud, screen: &'a Screen<'_>) -> Desk<'a> {
    Desk {
        account: &*open.account,
        clock: &*open.clock,
        watcher: screen,
        pace: open.pace,
    }
}

/// The texts that a run's resources are made from.
pub(crate) fn blueprint() -> Blueprint {
    Blueprint {
        template: infra::RUN_TEMPLATE.to_owned(),
        stack_policy: infra::STACK_POLICY.to_owned(),
    }
}

/// The folder of plans and journals.
pub(crate) fn state(args: &StateArgs) -> Result<StateFolder, CliError> {
    let variable = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let folder = args.state.clone().or_else(|| {
        variable("XDG_STATE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".local/state")))
            .map(|base| base.join("attested-ceremony"))
    });
    folder.map(StateFolder::new).ok_or_else(|| CliError::Usage {
        what: "there is no folder to keep journals in".to_owned(),
        hint: Some("name one with --state, or set HOME"),
    })
}
