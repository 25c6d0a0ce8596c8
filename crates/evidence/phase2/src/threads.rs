//! Where the parallel work runs.

use std::num::NonZeroUsize;

/// Runs `work` on a pool of its own, or on the process's pool where no number is given. `Err` holds
/// the number of threads that could not be started.
pub(crate) fn run<R: Send>(
    threads: Option<NonZeroUsize>,
    work: impl FnOnce() -> R + Send,
) -> Result<R, usize> {
    let Some(threads) = threads else {
        return Ok(work());
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.get())
        .build()
        .map(|pool| pool.install(work))
        .map_err(|_| threads.get())
}
