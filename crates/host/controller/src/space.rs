//! Room on disks.

use std::path::Path;

use crate::error::CliError;

/// Bytes that this user can still write where `path` is.
pub(crate) fn available(path: &Path) -> Result<u64, CliError> {
    let stat = rustix::fs::statvfs(path).map_err(|error| CliError::File {
        action: "ask for the free space of",
        path: path.into(),
        source: error.into(),
    })?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Refuses what will not fit.
pub(crate) fn check(path: &Path, needed: u64) -> Result<(), CliError> {
    let available = available(path)?;
    if needed > available {
        return Err(CliError::NoSpace {
            path: path.into(),
            needed,
            available,
        });
    }
    Ok(())
}
