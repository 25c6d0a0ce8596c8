//! The security module: what an enclave asks its device for. Real ones and simulated ones implement it.

use crate::payload::PcrValue;

/// Most bytes of nonce or user data in a request.
pub const MAX_USER_DATA: usize = 512;
/// Most bytes of a public key in a request.
pub const MAX_PUBLIC_KEY: usize = 1024;

/// A Nitro Security Module, or its simulation.
pub trait SecurityModule: Send + Sync {
    /// A signed attestation document over the arguments.
    ///
    /// # Errors
    /// An argument is too long, or the device fails.
    fn attest(
        &self,
        nonce: Option<&[u8]>,
        user_data: Option<&[u8]>,
        public_key: Option<&[u8]>,
    ) -> Result<Vec<u8>, NsmError>;

    /// 256 bytes from the module's random generator.
    ///
    /// # Errors
    /// The device fails or gives fewer.
    fn random(&self) -> Result<[u8; 256], NsmError>;

    /// What the module says of itself.
    ///
    /// # Errors
    /// The device fails.
    fn describe(&self) -> Result<ModuleDescription, NsmError>;

    /// One register.
    ///
    /// # Errors
    /// The index is above 31, or the device fails.
    fn describe_pcr(&self, index: u8) -> Result<PcrState, NsmError>;
}

/// A module's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleDescription {
    /// Id, `i-…-enc…`.
    pub module_id: String,
    /// True when there is no hardware behind it.
    pub simulated: bool,
    /// Firmware version: major, minor, patch.
    pub version: (u16, u16, u16),
    /// Number of registers.
    pub max_pcrs: u16,
    /// Registers that can no longer change.
    pub locked_pcrs: Vec<u16>,
    /// Digest of the registers, `SHA384`.
    pub digest: String,
}

/// A register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PcrState {
    /// Whether it can no longer change.
    pub locked: bool,
    /// Its value.
    pub value: PcrValue,
}

/// Why the module gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NsmError {
    /// There is no device, or it can not be opened.
    #[error("no security module: {reason}")]
    Unavailable {
        /// What the operating system said.
        reason: String,
    },
    /// A request the module does not take.
    #[error("{field} has {got} bytes, the module takes at most {max}")]
    TooLong {
        /// `nonce`, `user_data` or `public_key`.
        field: &'static str,
        /// Limit.
        max: usize,
        /// Seen.
        got: usize,
    },
    /// A register that does not exist.
    #[error("there is no pcr{index}")]
    NoSuchPcr {
        /// Asked for.
        index: u8,
    },
    /// The module answered with an error code.
    #[error("the security module answered {code}")]
    Refused {
        /// Name of the code.
        code: String,
    },
    /// The module answered something else than was asked.
    #[error("unexpected answer of the security module to {request}")]
    UnexpectedAnswer {
        /// Name of the request.
        request: &'static str,
    },
    /// Signing, or the operating system's randomness, failed in the simulation.
    #[error("SIMULATED module failed: {reason}")]
    Simulation {
        /// What failed.
        reason: &'static str,
    },
}

impl NsmError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "nsm_unavailable",
            Self::TooLong { .. } => "nsm_request_too_long",
            Self::NoSuchPcr { .. } => "nsm_no_such_pcr",
            Self::Refused { .. } => "nsm_refused",
            Self::UnexpectedAnswer { .. } => "nsm_unexpected_answer",
            Self::Simulation { .. } => "nsm_simulation",
        }
    }
}
