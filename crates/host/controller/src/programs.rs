//! Where the other programs and the compiler modules are.

use std::path::{Path, PathBuf};

use crate::cli::{LocalEnclave, ProgramArgs};
use crate::error::CliError;

/// Name of the folder of compiler modules.
const MODULES: &str = "modules";

/// Everything a local run starts or loads, found.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) host_agent: PathBuf,
    pub(crate) enclave_agent: PathBuf,
    pub(crate) modules: PathBuf,
    /// Memory for making the initial key, MiB.
    pub(crate) memory: u32,
}

impl Programs {
    /// Takes what was named, and looks beside this program for the rest.
    pub(crate) fn find(args: &ProgramArgs) -> Result<Self, CliError> {
        let beside = beside_this_program()?;
        let host_agent = args
            .host_agent
            .clone()
            .unwrap_or_else(|| beside.join("host-agent"));
        let enclave_agent = args.enclave_agent.clone().unwrap_or_else(|| {
            beside.join(match args.enclave {
                LocalEnclave::Simulated => "enclave-agent-simulated",
                LocalEnclave::Emulator => "enclave-emulator",
            })
        });
        require_file("the host-agent program", &host_agent)?;
        require_file("the enclave-agent program", &enclave_agent)?;
        Ok(Self {
            host_agent,
            enclave_agent,
            modules: find_modules(args.modules.as_deref())?,
            memory: args.memory,
        })
    }
}

/// The folder of compiler modules: as named, or `modules` beside this program or one level up.
pub(crate) fn find_modules(named: Option<&Path>) -> Result<PathBuf, CliError> {
    let path = if let Some(path) = named {
        path.to_owned()
    } else {
        let beside = beside_this_program()?;
        let inside = beside.join(MODULES);
        match beside.parent().map(|up| up.join(MODULES)) {
            Some(up) if !inside.is_dir() => up,
            _ => inside,
        }
    };
    require_file("the circom module", &path.join(circom::MODULE_FILE))?;
    Ok(path)
}

/// The folder of this program.
pub(crate) fn beside_this_program() -> Result<PathBuf, CliError> {
    let path = std::env::current_exe().map_err(|source| CliError::File {
        action: "find",
        path: "this program".into(),
        source,
    })?;
    Ok(path.parent().map_or_else(PathBuf::new, Path::to_path_buf))
}

fn require_file(what: &'static str, path: &Path) -> Result<(), CliError> {
    if path.is_file() {
        Ok(())
    } else {
        Err(CliError::NotInstalled {
            what,
            path: path.into(),
        })
    }
}
