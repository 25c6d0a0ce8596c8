use std::io;

/// Why a development ptau was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevPtauError {
    /// The power is 0 or too large for the field's roots of unity.
    #[error("power {power} is outside 1 to {max}")]
    PowerOutOfRange {
        /// Power asked for.
        power: u32,
        /// Largest possible power.
        max: u32,
    },
    /// The output could not be written.
    #[error("cannot write the development ptau")]
    Write(#[from] io::Error),
    /// The progress sink asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl DevPtauError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PowerOutOfRange { .. } => "devptau_power",
            Self::Write(_) => "devptau_write",
            Self::Cancelled => "devptau_cancelled",
        }
    }
}
