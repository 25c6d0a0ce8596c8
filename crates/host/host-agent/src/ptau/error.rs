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
    #[error("{url} has {got} bytes, {expected} are published")]
    RemoteSize {
        /// What was asked for.
        url: String,
        /// Published size.
        expected: u64,
        /// What the server announced or sent.
        got: u64,
    },
    /// The server answered with other bytes than were asked for.
    #[error("{url}: asked for {expected}, got {got:?}")]
    Range {
        /// What was asked for.
        url: String,
        /// The range.
        expected: String,
        /// What came instead.
        got: String,
    },
    /// The answer ended early, after retries.
    #[error("{url}: the answer ended at byte {got} instead of {expected}")]
    Cut {
        /// What was asked for.
        url: String,
        /// End of what was asked for.
        expected: u64,
        /// Where it ended.
        got: u64,
    },
    /// Nothing came for a long time, after retries.
    #[error("{url}: nothing for {seconds} s")]
    Silent {
        /// What was asked for.
        url: String,
        /// Seconds waited.
        seconds: f32,
    },
    /// The download failed, after retries.
    #[error("{url}: download failed: {reason}")]
    Download {
        /// What was asked for.
        url: String,
        /// The last reason.
        reason: String,
    },
    /// The mirror's bucket failed, after retries.
    #[error("{object} cannot be read")]
    Mirror {
        /// The object.
        object: String,
        /// Why.
        source: Box<cloud::StoreError>,
    },
    /// Nobody is known who has the file.
    #[error("no place is known that has {name}")]
    NoOrigin {
        /// Name of the published file.
        name: &'static str,
    },
    /// Somebody asked to stop; what has arrived is kept for the next time.
    #[error("the download was stopped")]
    Stopped,
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
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
            Self::Status { .. }
            | Self::Range { .. }
            | Self::Cut { .. }
            | Self::Silent { .. }
            | Self::Download { .. }
            | Self::Mirror { .. }
            | Self::NoOrigin { .. }
            | Self::Client(_) => "ptau_download",
            Self::Stopped => "stopped",
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
            Self::Status { .. }
            | Self::Range { .. }
            | Self::Cut { .. }
            | Self::Silent { .. }
            | Self::Mirror { .. }
            | Self::Download { .. } => Some(
                "what has arrived is kept: run again, or get the file another way and pass --ptau FILE"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
