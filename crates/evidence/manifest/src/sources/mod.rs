//! The source bundle: a circuit's sources as one canonical byte string (`docs/formats/sources.md`).
//!
//! The requester hashes it, the enclave compiles it, the bundle ships it. There is exactly one
//! encoding of a set of files, and a reader refuses everything else, so that the SHA-256 of the
//! bytes names the circuit.

mod bundle;
mod header;
mod path;
#[cfg(test)]
mod tests;
mod unpack;

pub use bundle::{RawSourceBundle, SourceBundle, SourceBundleBuilder, SourceFile};
pub use path::{PathError, SourcePath};

use std::path::PathBuf;

/// First line of a bundle.
pub const MAGIC: &str = "attested-ceremony sources v1";
/// Most files in a bundle.
pub const MAX_FILES: usize = 10_000;
/// Most bytes in one file.
pub const MAX_FILE_BYTES: u64 = 16 << 20;
/// Most bytes in all files together.
pub const MAX_CONTENT_BYTES: u64 = 64 << 20;
/// Most library folders.
pub const MAX_LIBRARIES: usize = 64;
/// Most bytes of header before the contents: 10,000 longest lines.
pub const MAX_HEADER_BYTES: usize = 18 << 20;
/// Most bytes of an encoded bundle: what a receiver may be asked to hold.
pub const MAX_BUNDLE_BYTES: u64 = (18 << 20) + MAX_CONTENT_BYTES;

/// Why bytes or files are not a source bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourcesError {
    /// The first line is another one.
    #[error("not a source bundle: the first line is not `{MAGIC}`")]
    Magic,
    /// No empty line ends the header within the bytes there are (or within the limit).
    #[error("the header of the source bundle does not end")]
    HeaderEnd,
    /// A header line that is none of `library`, `main`, `file`, or one out of order.
    #[error("line {line} of the source bundle's header is out of place or unknown")]
    Line {
        /// Line number, the first is 1.
        line: usize,
    },
    /// A size that is not a decimal number without leading zeros.
    #[error("line {line} of the source bundle's header: the size is not a plain decimal number")]
    Size {
        /// Line number, the first is 1.
        line: usize,
    },
    /// A digest that is not 64 lower-case hex digits.
    #[error(
        "line {line} of the source bundle's header: the digest is not 64 lower-case hex digits"
    )]
    Digest {
        /// Line number, the first is 1.
        line: usize,
    },
    /// A path that breaks a rule.
    #[error("line {line} of the source bundle's header: {source}")]
    Path {
        /// Line number, the first is 1.
        line: usize,
        /// The rule.
        source: PathError,
    },
    /// Files not strictly ascending by path.
    #[error("files of the source bundle are not strictly ascending: `{path}`")]
    Order {
        /// The file that does not follow the one before.
        path: SourcePath,
    },
    /// Two paths that some file systems take for one.
    #[error("`{first}` and `{second}` differ only by upper and lower case")]
    CaseFold {
        /// The earlier path.
        first: SourcePath,
        /// The later path.
        second: SourcePath,
    },
    /// A file whose path is also a folder of another file.
    #[error("`{file}` is a file and a folder of `{inside}`")]
    FileAndFolder {
        /// The file.
        file: SourcePath,
        /// The file below it.
        inside: SourcePath,
    },
    /// `main` is not one of the files.
    #[error("the main file `{main}` is not in the source bundle")]
    MainMissing {
        /// The main file named.
        main: SourcePath,
    },
    /// A library folder that holds no file.
    #[error("the library folder `{library}` holds no file of the source bundle")]
    EmptyLibrary {
        /// The folder named.
        library: SourcePath,
    },
    /// A library folder named twice.
    #[error("the library folder `{library}` is named twice")]
    LibraryTwice {
        /// The folder named.
        library: SourcePath,
    },
    /// No file at all.
    #[error("the source bundle holds no file")]
    NoFiles,
    /// More files or libraries than a bundle may hold.
    #[error("the source bundle holds more than {limit} {what}")]
    TooMany {
        /// `files` or `libraries`.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// A file that is too large.
    #[error("`{path}` has {size} bytes, more than {MAX_FILE_BYTES}")]
    FileTooLarge {
        /// The file.
        path: SourcePath,
        /// Its announced size in bytes.
        size: u64,
    },
    /// All files together are too large.
    #[error("the sources have more than {MAX_CONTENT_BYTES} bytes together")]
    TooLarge,
    /// Fewer content bytes than the header announces.
    #[error("the source bundle ends early: {expected} bytes of content announced, {got} there")]
    Truncated {
        /// Bytes announced.
        expected: u64,
        /// Bytes there.
        got: u64,
    },
    /// More content bytes than the header announces.
    #[error("{extra} bytes follow the source bundle")]
    Trailing {
        /// Bytes too many.
        extra: u64,
    },
    /// A file whose content has another digest.
    #[error("the content of `{path}` does not match its digest")]
    ContentDigest {
        /// The file.
        path: SourcePath,
    },
    /// The folder to unpack into already exists.
    #[error("`{}` already exists", path.display())]
    FolderExists {
        /// The folder.
        path: PathBuf,
    },
    /// Writing the sources to a folder failed.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl SourcesError {
    /// Stable code of this error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Magic => "sources_magic",
            Self::HeaderEnd => "sources_header_end",
            Self::Line { .. } => "sources_line",
            Self::Size { .. } => "sources_size",
            Self::Digest { .. } => "sources_digest",
            Self::Path { .. } => "sources_path",
            Self::Order { .. } => "sources_order",
            Self::CaseFold { .. } => "sources_case_fold",
            Self::FileAndFolder { .. } => "sources_file_and_folder",
            Self::MainMissing { .. } => "sources_main_missing",
            Self::EmptyLibrary { .. } => "sources_empty_library",
            Self::LibraryTwice { .. } => "sources_library_twice",
            Self::NoFiles => "sources_no_files",
            Self::TooMany { .. } => "sources_too_many",
            Self::FileTooLarge { .. } => "sources_file_too_large",
            Self::TooLarge => "sources_too_large",
            Self::Truncated { .. } => "sources_truncated",
            Self::Trailing { .. } => "sources_trailing",
            Self::ContentDigest { .. } => "sources_content_digest",
            Self::FolderExists { .. } => "sources_folder_exists",
            Self::Write { .. } => "sources_write",
        }
    }
}
