//! Limits on the only process.

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};

use super::InitError;

/// No core dumps, and not to be attached to: the secret must not leave by either way.
pub(super) fn all() -> Result<(), InitError> {
    let failed = |what| move |source| InitError::Limit { what, source };
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(failed("core dumps"))?;
    prctl::set_dumpable(false).map_err(failed("being dumped"))
}
