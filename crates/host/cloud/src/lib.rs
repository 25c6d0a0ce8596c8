//! The object store between controller and host-agent: a folder on one machine, a bucket in the cloud.
//!
//! * [`ObjectKey`]: a name that cannot leave the store, checked once.
//! * [`ObjectStore`]: objects are written once, whole, and never changed.
//! * [`FolderStore`]: the store in a local folder.
//! * [`run`]: which objects a run has (`docs/formats/run-store.md`), typed.

mod error;
mod folder;
mod key;
pub mod run;
mod store;

pub use error::StoreError;
pub use folder::FolderStore;
pub use key::{KeyError, ObjectKey, RunId};
pub use store::ObjectStore;
