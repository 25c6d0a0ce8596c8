//! EMULATED enclave: an image in QEMU's `nitro-enclave` machine under plain emulation.
//!
//! * [`Machine`]: the two programs that are the machine.
//! * [`Parent`]: what an instance does for its enclave.
//! * [`relay`]: connections to the service inside.
//!
//! The virtual machine monitor's vsock is a Unix socket `VSOCK` that speaks `CONNECT PORT`; what
//! the machine connects to at port N of its parent arrives at the Unix socket `VSOCK_N`.

mod error;
mod machine;
mod parent;
pub mod relay;

use std::path::{Path, PathBuf};

pub use error::EmulatorError;
pub use machine::{Machine, Programs};
pub use parent::{HEARTBEAT, HEARTBEAT_PORT, LAST_WORDS_PORT, Parent};

/// The service's port inside.
pub const SERVICE: u32 = 5005;

/// The machine's vsock, for a machine whose sockets are in `folder`.
pub fn vsock(folder: &Path) -> PathBuf {
    folder.join("vm.vsock")
}
