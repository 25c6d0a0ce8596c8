//! Reasons of the host to end the guest.

use std::io;

use crate::Output;

/// Why the guest was ended. Travels through wasmtime as the error of a host function.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// `proc_exit`.
    #[error("exit with status {status}")]
    Exit {
        /// Its argument.
        status: u32,
    },
    /// The watching thread asked for it: out of time, or cancelled.
    #[error("interrupted")]
    Interrupted,
    /// An output grew beyond its limit.
    #[error("the {output} grows beyond its limit")]
    OutputTooLarge {
        /// Which.
        output: Output,
    },
    /// An output could not be written.
    #[error("cannot write the {output}")]
    OutputIo {
        /// Which.
        output: Output,
        /// Why.
        source: io::Error,
    },
}
