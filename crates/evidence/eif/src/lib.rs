//! Enclave image files (EIF): a strict parser, the PCRs of an image, and the files in its ramdisk.
//!
//! The hypervisor measures the *contents* of an image's sections one after the other, without their
//! lengths. Bytes can therefore move from one section to the next without changing a PCR, and readers
//! that follow offsets and readers that walk the file can be shown different images. The parser here
//! accepts one form only: every byte of the file belongs to exactly one section, in one order, and
//! where the kernel ends, the command line ends and the ramdisk begins follows from their own contents.
//! So for a file that passes with [`KernelBoundary::Declared`], the PCRs determine the sections.
//!
//! * [`layout`] – where the fields of the file are.
//! * [`image`] – a [`RawEif`] becomes an [`Eif`].
//! * [`kernel`], [`gzip`] – what sections say about their own ends.
//! * [`cpio`] – the files of the ramdisk.
//! * [`measure`] – [`Pcrs`].
//!
//! Source of the format: the README and the `defs` of `aws-nitro-enclaves-image-format` 0.8.1; format
//! version 4.

pub mod cpio;
mod error;
pub mod gzip;
pub mod image;
pub mod kernel;
pub mod layout;
pub mod measure;

pub use cpio::Entry;
pub use error::EifError;
pub use image::{Eif, RawEif};
pub use kernel::KernelBoundary;
pub use measure::Pcrs;
