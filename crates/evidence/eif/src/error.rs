//! Why a file is not the one form of EIF that is accepted.

use crate::layout::SectionType;

/// Why a file is not the one form of EIF that is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EifError {
    /// The file does not begin with `.eif`.
    #[error("not an EIF: it does not begin with \".eif\"")]
    Magic,
    /// The file ends inside a field.
    #[error("the file ends inside its {what}")]
    Truncated {
        /// What is cut.
        what: &'static str,
    },
    /// Another format version.
    #[error("format version {got}, expected 4")]
    Version {
        /// Version in the file.
        got: u16,
    },
    /// Header flags other than none.
    #[error("header flags {got:#06x}: only images for x86_64 (flags 0) are known")]
    HeaderFlags {
        /// Flags in the file.
        got: u16,
    },
    /// A field that must be zero is not.
    #[error("{field} of the header is not zero")]
    NotZero {
        /// The field.
        field: &'static str,
    },
    /// Neither three nor four sections.
    #[error(
        "{got} sections, expected kernel, command line, metadata (which may be missing) and one ramdisk"
    )]
    SectionCount {
        /// Number in the header.
        got: u16,
    },
    /// A section of another type than the one that belongs there.
    #[error("section {index} has type {got}, expected the {expected}")]
    SectionType {
        /// From 0.
        index: usize,
        /// What belongs there.
        expected: &'static str,
        /// Number of the type in the file.
        got: u16,
    },
    /// A section's flags are not zero.
    #[error("the {section} has flags {got:#06x}, expected none")]
    SectionFlags {
        /// The section.
        section: &'static str,
        /// Its flags.
        got: u16,
    },
    /// The header's offset is not where the section begins.
    #[error("the header puts the {section} at {got}, it begins at {expected}")]
    Offset {
        /// The section.
        section: &'static str,
        /// End of what comes before it.
        expected: u64,
        /// Offset in the header.
        got: u64,
    },
    /// The two sizes of a section differ.
    #[error("the {section} has {in_section} bytes by its own header, {in_file} by the file's")]
    SizesDiffer {
        /// The section.
        section: &'static str,
        /// Size in its header.
        in_section: u64,
        /// Size in the file's header.
        in_file: u64,
    },
    /// A section has no contents.
    #[error("the {section} is empty")]
    Empty {
        /// The section.
        section: &'static str,
    },
    /// Bytes behind the last section.
    #[error("{count} bytes follow the last section")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// The checksum does not hold.
    #[error("CRC-32 is {got:08x} in the header, {computed:08x} over the file")]
    Crc {
        /// In the header.
        got: u32,
        /// Over the file.
        computed: u32,
    },
    /// The command line holds something else than printable ASCII.
    #[error("byte {at} of the command line is {byte:#04x}, expected printable ASCII")]
    CommandLineByte {
        /// Position in the section.
        at: usize,
        /// The byte.
        byte: u8,
    },
    /// The kernel would cut the command line.
    #[error("the command line has {got} bytes, the kernel reads at most {max}")]
    CommandLineLength {
        /// Its length.
        got: usize,
        /// The kernel's limit.
        max: usize,
    },
    /// The kernel section is not as long as the kernel says.
    #[error("the kernel says that it has {declared} bytes, its section has {got}")]
    KernelLength {
        /// By the kernel's own header.
        declared: u64,
        /// Of the section.
        got: u64,
    },
    /// The ramdisk is not gzip.
    #[error("the ramdisk is not a gzip file: {reason}")]
    NotGzip {
        /// What is not as RFC 1952 has it, or as it is accepted here.
        reason: &'static str,
    },
    /// The ramdisk's compressed data is damaged.
    #[error("the ramdisk cannot be decompressed: {reason}")]
    Deflate {
        /// The decompressor's reason.
        reason: String,
    },
    /// The ramdisk grows too large.
    #[error("the ramdisk holds more than {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// Bytes behind the one gzip member: another member, or anything else.
    #[error("{count} bytes follow the ramdisk's one gzip member")]
    MoreThanOneMember {
        /// How many.
        count: usize,
    },
    /// Checksum or length at the end of the gzip member.
    #[error("the ramdisk's gzip {field} does not hold")]
    GzipTrailer {
        /// `CRC-32` or `length`.
        field: &'static str,
    },
    /// The ramdisk's contents are not one cpio archive.
    #[error("ramdisk, entry {entry}: {reason}")]
    Cpio {
        /// From 0.
        entry: usize,
        /// What is wrong.
        reason: &'static str,
    },
}

impl EifError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Magic => "eif_magic",
            Self::Truncated { .. } => "eif_truncated",
            Self::Version { .. } => "eif_version",
            Self::HeaderFlags { .. } => "eif_header_flags",
            Self::NotZero { .. } => "eif_not_zero",
            Self::SectionCount { .. } => "eif_section_count",
            Self::SectionType { .. } => "eif_section_type",
            Self::SectionFlags { .. } => "eif_section_flags",
            Self::Offset { .. } => "eif_offset",
            Self::SizesDiffer { .. } => "eif_sizes_differ",
            Self::Empty { .. } => "eif_empty_section",
            Self::Trailing { .. } => "eif_trailing",
            Self::Crc { .. } => "eif_crc",
            Self::CommandLineByte { .. } => "eif_command_line_byte",
            Self::CommandLineLength { .. } => "eif_command_line_length",
            Self::KernelLength { .. } => "eif_kernel_length",
            Self::NotGzip { .. } => "eif_not_gzip",
            Self::Deflate { .. } => "eif_deflate",
            Self::TooLarge { .. } => "eif_too_large",
            Self::MoreThanOneMember { .. } => "eif_more_than_one_member",
            Self::GzipTrailer { .. } => "eif_gzip_trailer",
            Self::Cpio { .. } => "eif_cpio",
        }
    }

    pub(crate) fn wrong_type(index: usize, expected: SectionType, got: u16) -> Self {
        Self::SectionType {
            index,
            expected: expected.name(),
            got,
        }
    }
}
