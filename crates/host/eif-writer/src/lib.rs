//! Makes enclave image files: a deterministic ramdisk and the EIF around it.
//!
//! The same inputs give the same bytes: no clock, no owner, no order of a folder comes in, and the
//! compressor is a pinned crate.
//!
//! * [`list`] – which files a ramdisk holds ([`FileList`]), from the checked-in text.
//! * [`ramdisk`] – the cpio archive and its gzip form.
//! * [`write`](fn@write) – the EIF, byte for byte what `eif_build` 0.2.1 writes.

pub mod list;
mod pack;
pub mod ramdisk;

pub use list::{FileList, ListError};
pub use pack::{BuildMetadata, ImageMetadata, WriteError, write};
