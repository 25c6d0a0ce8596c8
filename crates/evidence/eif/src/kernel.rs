//! How long a bzImage says that it is.
//!
//! Source: the kernel's `Documentation/arch/x86/boot.rst`: `setup_sects` (byte 0x1f1; 0 means 4) sectors
//! of 512 bytes follow the boot sector, then `syssize` (0x1f4, little-endian) paragraphs of 16 bytes.

use crate::error::EifError;

const SETUP_SECTS: usize = 0x1f1;
const SYSSIZE: usize = 0x1f4;
const HEADER_MAGIC: usize = 0x202;

/// Whether the kernel itself says where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelBoundary {
    /// It is a bzImage and has exactly the length that its own header says: no byte of the command
    /// line can have been moved into it, nor out of it.
    Declared,
    /// It is no bzImage. The PCRs do not tell where it ends.
    Unknown,
}

/// Compares the section's length with the one in the kernel's header.
pub(crate) fn boundary(kernel: &[u8]) -> Result<KernelBoundary, EifError> {
    let Some(declared) = declared_length(kernel) else {
        return Ok(KernelBoundary::Unknown);
    };
    let got = u64::try_from(kernel.len()).unwrap_or(u64::MAX);
    if declared == got {
        Ok(KernelBoundary::Declared)
    } else {
        Err(EifError::KernelLength { declared, got })
    }
}

/// The length in bytes by the kernel's own header, `None` for anything but a bzImage.
pub fn declared_length(kernel: &[u8]) -> Option<u64> {
    if kernel.get(HEADER_MAGIC..HEADER_MAGIC + 4)? != b"HdrS" {
        return None;
    }
    let sectors = match *kernel.get(SETUP_SECTS)? {
        0 => 4,
        sectors => u64::from(sectors),
    };
    let paragraphs = kernel.get(SYSSIZE..)?.first_chunk().copied()?;
    // At most 2^8 sectors and 2^32 paragraphs: no overflow in 64 bits.
    Some((sectors + 1) * 512 + u64::from(u32::from_le_bytes(paragraphs)) * 16)
}
