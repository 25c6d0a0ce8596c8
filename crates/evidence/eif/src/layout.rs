//! Where the fields of an EIF are. All numbers are big-endian.
//!
//! | bytes | field |
//! |---|---|
//! | 0..4 | `.eif` |
//! | 4..6 | format version, 4 |
//! | 6..8 | flags; bit 0: aarch64 |
//! | 8..16, 16..24 | memory in bytes and number of processors that the maker suggests |
//! | 24..26 | reserved, 0 |
//! | 26..28 | number of sections |
//! | 28..284 | offset of each section's header, 32 places |
//! | 284..540 | size of each section's contents, 32 places |
//! | 540..544 | unused, 0 |
//! | 544..548 | CRC-32 (IEEE) of everything else in the file |
//!
//! The sections follow, each with a header of its own: type (2 bytes), flags (2), size of the
//! contents (8).

/// The first bytes.
pub const MAGIC: [u8; 4] = *b".eif";
/// The only version that is read and written.
pub const VERSION: u16 = 4;
/// Places for sections in the header.
pub const MAX_SECTIONS: usize = 32;
/// Size of the header, bytes.
pub const HEADER_LEN: usize = 548;
/// Size of a section's header, bytes.
pub const SECTION_HEADER_LEN: usize = 12;
/// Where the CRC is: the last field of the header.
pub const CRC_AT: usize = HEADER_LEN - 4;

/// Type of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionType {
    /// The kernel, a bzImage on x86_64.
    Kernel,
    /// The kernel's command line, without a NUL.
    CommandLine,
    /// An initramfs archive.
    Ramdisk,
    /// Signature over the PCRs, and its certificate.
    Signature,
    /// JSON about the build. In no PCR.
    Metadata,
}

impl SectionType {
    /// As it stands in the section's header.
    pub fn number(self) -> u16 {
        match self {
            Self::Kernel => 1,
            Self::CommandLine => 2,
            Self::Ramdisk => 3,
            Self::Signature => 4,
            Self::Metadata => 5,
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::CommandLine => "command line",
            Self::Ramdisk => "ramdisk",
            Self::Signature => "signature",
            Self::Metadata => "metadata",
        }
    }

    /// From a section's header.
    pub fn from_number(number: u16) -> Option<Self> {
        [
            Self::Kernel,
            Self::CommandLine,
            Self::Ramdisk,
            Self::Signature,
            Self::Metadata,
        ]
        .into_iter()
        .find(|kind| kind.number() == number)
    }
}
