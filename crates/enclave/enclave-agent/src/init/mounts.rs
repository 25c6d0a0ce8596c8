//! The four file systems that the agent uses.

use nix::mount::{MsFlags, mount};

use super::InitError;

struct Mount {
    target: &'static str,
    kind: &'static str,
    flags: MsFlags,
    options: Option<&'static str>,
}

/// Mounts them. Nothing else is ever mounted.
pub(super) fn all() -> Result<(), InitError> {
    let no_programs = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let mounts = [
        // The NSM device; made by the kernel, without a program that follows its events.
        Mount {
            target: "/dev",
            kind: "devtmpfs",
            flags: no_programs,
            options: Some("mode=0755"),
        },
        // The machine's state for the self-checks, and the runtime's number of processors.
        Mount {
            target: "/proc",
            kind: "proc",
            flags: no_programs | MsFlags::MS_NODEV,
            options: None,
        },
        Mount {
            target: "/sys",
            kind: "sysfs",
            flags: no_programs | MsFlags::MS_NODEV | MsFlags::MS_RDONLY,
            options: None,
        },
        // Artifacts. The first file system has half of the memory at most, too little for large keys.
        Mount {
            target: "/run",
            kind: "tmpfs",
            flags: no_programs | MsFlags::MS_NODEV,
            options: Some("mode=0700,size=90%"),
        },
    ];
    for Mount {
        target,
        kind,
        flags,
        options,
    } in mounts
    {
        mount(Some(kind), target, Some(kind), flags, options)
            .map_err(|source| InitError::Mount { target, source })?;
    }
    Ok(())
}
