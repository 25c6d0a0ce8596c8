//! Runs asynchronous calls of the SDK for callers that block.

use std::future::Future;
use std::io;
use std::sync::mpsc;

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

/// Threads for calls. Uploads of parts run side by side on them; TLS and digests are most of their work.
const THREADS: usize = 2;

/// A runtime of its own, so that a caller inside another one can wait without entering it.
#[derive(Debug)]
pub(crate) struct Driver {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

/// The work ended without a result: it panicked.
#[derive(Debug)]
pub(crate) struct Lost;

impl Driver {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("aws")
            .enable_all()
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
        })
    }

    /// Runs `work` and waits for its result. A caller on a worker thread of another runtime hands that
    /// runtime's other tasks over while it waits.
    pub(crate) fn wait<T, F>(&self, work: F) -> Result<T, Lost>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let runtime = self.runtime.as_ref().ok_or(Lost)?;
        let (result, waiting) = mpsc::sync_channel(1);
        drop(runtime.spawn(async move {
            // A caller that is gone needs no result.
            drop(result.send(work.await));
        }));
        let receive = move || waiting.recv().map_err(|_| Lost);
        match Handle::try_current() {
            Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => {
                tokio::task::block_in_place(receive)
            }
            _ => receive(),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Waiting for the threads is not allowed inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn slow() -> u32 {
        tokio::task::yield_now().await;
        7
    }

    #[test]
    fn a_result_comes_back_outside_and_inside_of_every_kind_of_runtime() {
        let driver = Driver::start().unwrap();
        assert_eq!(driver.wait(slow()).unwrap(), 7);
        let many = Builder::new_multi_thread().enable_all().build().unwrap();
        assert_eq!(many.block_on(async { driver.wait(slow()).unwrap() }), 7);
        let one = Builder::new_current_thread().enable_all().build().unwrap();
        one.block_on(async {
            assert_eq!(driver.wait(slow()).unwrap(), 7);
            drop(driver);
        });
    }

    #[test]
    fn work_that_panics_is_an_error_and_not_a_hang() {
        let driver = Driver::start().unwrap();
        assert!(
            driver
                .wait::<(), _>(async { panic!("on purpose") })
                .is_err()
        );
    }
}
