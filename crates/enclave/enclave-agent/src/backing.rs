//! The large files: their bytes lie with the host, what tells them apart from others lies here.
//!
//! r1cs, ptau and keys grow with the circuit and hold no secret; only that they are unchanged matters.
//! While such a file comes in, or is made, a [`Table`] is filled with one keyed digest per chunk.
//! Later each chunk is asked for again and compared with its digest before one byte of it is used.
//!
//! * [`table`]: digests per chunk; [`source`]: positional reads; [`writer`]: a file as it is made.
//! * [`link`]: requests to the host, its answers, what is kept for a moment, time limits.
//! * [`error`]: what a host can do wrong, each with its name.
//!
//! docs/adr/0007-the-host-keeps-the-large-files.md says why; docs/protocol.md how.

pub mod error;
pub mod link;
pub mod source;
pub mod table;
pub mod writer;

use std::time::Duration;

use protocol::settings::MAX_CHUNK_BYTES;

pub use error::BackingError;
pub use link::Backing;
pub use source::BackedSource;
pub use table::Table;
pub use writer::BackedWriter;

/// How the files are cut and how long the host has. The program that was started decides, never the
/// host.
#[derive(Debug, Clone, Copy)]
pub struct BackingConfig {
    /// Bytes of a chunk, 1 to 1 MiB.
    pub chunk_bytes: usize,
    /// A request must be answered within this time, over how many connections it may take.
    pub patience: Duration,
}

impl Default for BackingConfig {
    fn default() -> Self {
        Self {
            chunk_bytes: MAX_CHUNK_BYTES,
            patience: Duration::from_mins(2),
        }
    }
}
