//! The Nitro Security Module behind `/dev/nsm`.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;

use attestation::nsm::{MAX_PUBLIC_KEY, MAX_USER_DATA};
use attestation::{ModuleDescription, NsmError, PcrState, SecurityModule};
use aws_nitro_enclaves_nsm_api::api::{Digest, ErrorCode, Request, Response};
use aws_nitro_enclaves_nsm_api::driver::nsm_process_request;

const DEVICE: &str = "/dev/nsm";
/// Registers of a module are numbered 0 to 31.
const MAX_PCR: u8 = 31;

/// The device. Opened once, at the start: a machine without it is found out there, not when the
/// first request fails.
#[derive(Debug)]
pub struct NitroSecurityModule {
    device: File,
}

impl NitroSecurityModule {
    /// Opens the device.
    ///
    /// # Errors
    /// [`NsmError::Unavailable`] where there is none.
    pub fn open() -> Result<Self, NsmError> {
        let device = OpenOptions::new()
            .read(true)
            .write(true)
            .open(DEVICE)
            .map_err(|error| NsmError::Unavailable {
                reason: format!("{DEVICE}: {error}"),
            })?;
        Ok(Self { device })
    }

    fn ask(&self, request: Request) -> Result<Response, NsmError> {
        match nsm_process_request(self.device.as_raw_fd(), request) {
            Response::Error(code) => Err(NsmError::Refused {
                code: error_name(&code).to_owned(),
            }),
            response => Ok(response),
        }
    }
}

impl SecurityModule for NitroSecurityModule {
    fn attest(
        &self,
        nonce: Option<&[u8]>,
        user_data: Option<&[u8]>,
        public_key: Option<&[u8]>,
    ) -> Result<Vec<u8>, NsmError> {
        within("nonce", MAX_USER_DATA, nonce)?;
        within("user_data", MAX_USER_DATA, user_data)?;
        within("public_key", MAX_PUBLIC_KEY, public_key)?;
        let request = Request::Attestation {
            nonce: nonce.map(|bytes| bytes.to_vec().into()),
            user_data: user_data.map(|bytes| bytes.to_vec().into()),
            public_key: public_key.map(|bytes| bytes.to_vec().into()),
        };
        match self.ask(request)? {
            Response::Attestation { document } => Ok(document),
            _ => Err(unexpected("Attestation")),
        }
    }

    fn random(&self) -> Result<[u8; 256], NsmError> {
        match self.ask(Request::GetRandom)? {
            Response::GetRandom { random } => {
                random.try_into().map_err(|_| unexpected("GetRandom"))
            }
            _ => Err(unexpected("GetRandom")),
        }
    }

    fn describe(&self) -> Result<ModuleDescription, NsmError> {
        match self.ask(Request::DescribeNSM)? {
            Response::DescribeNSM {
                version_major,
                version_minor,
                version_patch,
                module_id,
                max_pcrs,
                locked_pcrs,
                digest,
            } => Ok(ModuleDescription {
                module_id,
                simulated: false,
                version: (version_major, version_minor, version_patch),
                max_pcrs,
                locked_pcrs: locked_pcrs.into_iter().collect(),
                digest: digest_name(digest).to_owned(),
            }),
            _ => Err(unexpected("DescribeNSM")),
        }
    }

    fn describe_pcr(&self, index: u8) -> Result<PcrState, NsmError> {
        if index > MAX_PCR {
            return Err(NsmError::NoSuchPcr { index });
        }
        let request = Request::DescribePCR {
            index: u16::from(index),
        };
        match self.ask(request)? {
            Response::DescribePCR { lock, data } => Ok(PcrState {
                locked: lock,
                value: data.try_into().map_err(|_| unexpected("DescribePCR"))?,
            }),
            _ => Err(unexpected("DescribePCR")),
        }
    }
}

fn within(field: &'static str, max: usize, bytes: Option<&[u8]>) -> Result<(), NsmError> {
    match bytes {
        Some(bytes) if bytes.len() > max => Err(NsmError::TooLong {
            field,
            max,
            got: bytes.len(),
        }),
        _ => Ok(()),
    }
}

fn unexpected(request: &'static str) -> NsmError {
    NsmError::UnexpectedAnswer { request }
}

fn digest_name(digest: Digest) -> &'static str {
    match digest {
        Digest::SHA256 => "SHA256",
        Digest::SHA384 => "SHA384",
        Digest::SHA512 => "SHA512",
    }
}

fn error_name(code: &ErrorCode) -> &'static str {
    match code {
        ErrorCode::Success => "Success",
        ErrorCode::InvalidArgument => "InvalidArgument",
        ErrorCode::InvalidIndex => "InvalidIndex",
        ErrorCode::InvalidResponse => "InvalidResponse",
        ErrorCode::ReadOnlyIndex => "ReadOnlyIndex",
        ErrorCode::InvalidOperation => "InvalidOperation",
        ErrorCode::BufferTooSmall => "BufferTooSmall",
        ErrorCode::InputTooLarge => "InputTooLarge",
        ErrorCode::InternalError => "InternalError",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_the_device_is_found_out_at_the_start() {
        if std::path::Path::new(DEVICE).exists() {
            return;
        }
        assert!(matches!(
            NitroSecurityModule::open(),
            Err(NsmError::Unavailable { .. })
        ));
    }

    #[test]
    fn fields_beyond_the_module_s_limits_are_refused() {
        assert_eq!(within("nonce", 2, Some(&[0; 2])), Ok(()));
        assert_eq!(
            within("nonce", 2, Some(&[0; 3])),
            Err(NsmError::TooLong {
                field: "nonce",
                max: 2,
                got: 3
            })
        );
    }
}
