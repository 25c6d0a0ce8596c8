//! Why there are no usable powers of tau.

use std::io;
use std::path::PathBuf;

use formats::ptau::PtauError as FormatError;

/// Why there are no usable powers of tau.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PtauError {
    /// The circuit needs more than was ever published.
    #[error("the circuit needs powers of tau 2^{needed}, the family ends at 2^{largest}")]
    TooLarge {
        /// Power the circuit needs.
        needed: u32,
        /// Largest published power.
        largest: u32,
    },
    /// The folder does not hold the file.
    #[error("no file {name} in {}", folder.display())]
    NotInFolder {
        /// The folder.
        folder: PathBuf,
        /// Name of the published file.
        name: &'static str,
    },
    /// It is another published file: of another power or family.
    #[error("{} has the size of {looks_like}, {wanted} is needed", path.display())]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// Name of the file that is needed.
        wanted: &'static str,
        /// Name of the published file of that size.
        looks_like: &'static str,
    },
    /// It is no published file: the size is wrong.
    #[error("{} is not {name}: expected {expected} bytes, got {got}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Name of the file that is needed.
        name: &'static str,
        /// Its size.
        expected: u64,
        /// Size of the file.
        got: u64,
        /// Why it is not even a well-formed ptau, if it is not.
        #[source]
        reason: Option<Box<FormatError>>,
    },
    /// It is no published file: the size is right, the bytes are not.
    #[error("{} is not {name}: expected {expected}, got {got}", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// Name of the file that is needed.
        name: &'static str,
        /// Published digest.
        expected: String,
        /// Digest of the file.
        got: String,
    },
    /// The file cannot be read or written.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file has a published digest but cannot be read as a ptau, or is not well-formed.
    #[error("powers of tau cannot be read")]
    Format(#[from] FormatError),
    /// The development file cannot be made.
    #[error("development powers of tau cannot be made")]
    Development(#[from] devptau::DevPtauError),
    /// Another process downloads the same file.
    #[error("{} is being downloaded by another process", path.display())]
    Busy {
        /// The partial file.
        path: PathBuf,
    },
    /// The server refused.
    #[error("{url}: status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The server has another number of bytes.
    #[error("{url} has {got} bytes, {name} has {expected}")]
    RemoteSize {
        /// What was asked for.
        url: String,
        /// Name of the file that is needed.
        name: &'static str,
        /// Its size.
        expected: u64,
        /// What the server announced or sent.
        got: u64,
    },
    /// The download failed, after retries.
    #[error("{url}: download failed")]
    Download {
        /// What was asked for.
        url: String,
        /// The last reason.
        source: reqwest::Error,
    },
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Client(#[from] crate::relay::RelayError),
}

impl PtauError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "ptau_too_large",
            Self::NotInFolder { .. } => "ptau_not_found",
            Self::OtherFile { .. } => "ptau_power",
            Self::Size { .. } | Self::RemoteSize { .. } => "ptau_size",
            Self::Digest { .. } => "ptau_hash",
            Self::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => "disk_full",
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "ptau_not_found"
            }
            Self::File { .. } => "ptau_file",
            Self::Format(error) => error.code(),
            Self::Development(_) => "ptau_development",
            Self::Busy { .. } => "ptau_busy",
            Self::Status { .. } | Self::Download { .. } | Self::Client(_) => "ptau_download",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotInFolder { name, .. } | Self::OtherFile { wanted: name, .. } => {
                Some(format!("get {name}; --ptau published downloads it"))
            }
            Self::Size { .. } | Self::Digest { .. } => Some(
                "files named like published ones are often something else: only the digest counts"
                    .to_owned(),
            ),
            Self::TooLarge { .. } => {
                Some("make the circuit smaller, or compile with --O2".to_owned())
            }
            Self::Status { .. } | Self::Download { .. } => {
                Some("download it another way and pass --ptau FILE".to_owned())
            }
            _ => None,
        }
    }
}
