//! `solc.wasm` out of the npm package's `soljson.js`.
//!
//! The package `solc` carries the compiler as one script: the WebAssembly module as a string
//! literal, followed by Emscripten's JavaScript glue. The literal is base64 of LZ4 blocks, each
//! after its length in four little-endian bytes and independent of the others; length 0 ends it. Only the
//! module is taken; this crate is its host instead of the glue.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256};

/// Version of the npm package `solc` and of the compiler in it.
pub const SOLC_VERSION: &str = manifest::solidity::COMPILER_VERSION;

/// SHA-256 of the package's file `soljson.js`.
pub const SOLJSON_SHA256: [u8; 32] = [
    0x22, 0x1d, 0x7a, 0x66, 0x73, 0x78, 0xb5, 0x06, 0x8d, 0x91, 0x3e, 0x75, 0xfe, 0x09, 0x25, 0x07,
    0xe0, 0x61, 0x36, 0x3c, 0xd1, 0xd2, 0x3b, 0x64, 0xc4, 0x9a, 0xe8, 0x2f, 0xeb, 0xab, 0xad, 0x4c,
];

/// SHA-256 of the unpacked module.
pub const SOLC_WASM_SHA256: [u8; 32] = [
    0xdf, 0x14, 0xc4, 0xe5, 0xee, 0x58, 0xb2, 0x7f, 0x06, 0xb6, 0xce, 0x99, 0x66, 0xd6, 0xde, 0x6d,
    0x63, 0x82, 0xdb, 0xe6, 0xb4, 0x3e, 0x41, 0xa3, 0x87, 0xc9, 0x81, 0x26, 0x48, 0xaf, 0xca, 0x1e,
];

/// Size of the unpacked module in bytes.
pub const SOLC_WASM_SIZE: usize = 22_012_583;

/// Why a script did not give the module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// The script is not the pinned one.
    #[error("soljson.js has SHA-256 {got}, expected {expected}")]
    OtherScript {
        /// Pinned digest, hex.
        expected: String,
        /// Digest of the script given, hex.
        got: String,
    },
    /// The script holds no string literal with the module in it.
    #[error("soljson.js holds no packed module")]
    NoPayload,
    /// The literal is not base64.
    #[error("the packed module is not base64")]
    NotBase64,
    /// The LZ4 block is damaged, or ends early or late.
    #[error("the packed module's LZ4 block is damaged")]
    BadBlock,
    /// The unpacked module is not the pinned one.
    #[error("the unpacked module has SHA-256 {got}, expected {expected}")]
    OtherModule {
        /// Pinned digest, hex.
        expected: String,
        /// Digest of what was unpacked, hex.
        got: String,
    },
}

impl UnpackError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherScript { .. } => "solc_unpack_other_script",
            Self::NoPayload => "solc_unpack_no_payload",
            Self::NotBase64 => "solc_unpack_not_base64",
            Self::BadBlock => "solc_unpack_bad_block",
            Self::OtherModule { .. } => "solc_unpack_other_module",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        "install exactly the version of the npm package solc that package-lock.json names"
    }
}

/// Unpacks `solc.wasm` from the pinned `soljson.js`.
///
/// Script and module are both compared with their pinned SHA-256, so the result is one fixed file.
pub fn unpack(soljson: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let got = Sha256::digest(soljson);
    if got[..] != SOLJSON_SHA256 {
        return Err(UnpackError::OtherScript {
            expected: hex::encode(SOLJSON_SHA256),
            got: hex::encode(got),
        });
    }
    let module = decode(soljson, SOLC_WASM_SIZE)?;
    let got = Sha256::digest(&module);
    if got[..] != SOLC_WASM_SHA256 {
        return Err(UnpackError::OtherModule {
            expected: hex::encode(SOLC_WASM_SHA256),
            got: hex::encode(got),
        });
    }
    Ok(module)
}

/// The payload of a script laid out like soljson.js, of exactly `size` bytes.
fn decode(script: &[u8], size: usize) -> Result<Vec<u8>, UnpackError> {
    let packed = BASE64
        .decode(longest_literal(script)?)
        .map_err(|_| UnpackError::NotBase64)?;
    let mut rest = packed.as_slice();
    let mut module = vec![0; size];
    let mut filled = 0;
    loop {
        let (head, tail) = rest.split_at_checked(4).ok_or(UnpackError::BadBlock)?;
        let length = head
            .try_into()
            .map(u32::from_le_bytes)
            .ok()
            .and_then(|length| usize::try_from(length).ok())
            .ok_or(UnpackError::BadBlock)?;
        if length == 0 {
            return if tail.is_empty() && filled == size {
                Ok(module)
            } else {
                Err(UnpackError::BadBlock)
            };
        }
        let (block, tail) = tail.split_at_checked(length).ok_or(UnpackError::BadBlock)?;
        let place = module.get_mut(filled..).ok_or(UnpackError::BadBlock)?;
        let written =
            lz4_flex::block::decompress_into(block, place).map_err(|_| UnpackError::BadBlock)?;
        filled = filled.saturating_add(written);
        rest = tail;
    }
}

/// The module is by far the longest thing between two double quotes.
fn longest_literal(script: &[u8]) -> Result<&[u8], UnpackError> {
    script
        .split(|byte| *byte == b'"')
        .max_by_key(|part| part.len())
        .filter(|part| part.len() < script.len() && !part.is_empty())
        .ok_or(UnpackError::NoPayload)
}

/// The script's alphabet is the standard one; it leaves out the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    /// A script as the package lays it out, around `module`.
    fn script(module: &[u8]) -> Vec<u8> {
        let mut packed = vec![];
        for part in module.chunks(7000) {
            let block = lz4_flex::block::compress(part);
            packed.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
            packed.extend(block);
        }
        packed.extend([0; 4]);
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(packed);
        format!(
            "var Module = load(\"{text}\", {});\nrun(\"x\");",
            module.len()
        )
        .into_bytes()
    }

    fn module() -> Vec<u8> {
        (0..5000_u32).flat_map(|i| (i * i).to_le_bytes()).collect()
    }

    #[test]
    fn a_payload_comes_out_as_it_went_in() {
        let module = module();
        assert_eq!(decode(&script(&module), module.len()), Ok(module));
    }

    #[test]
    fn a_script_that_is_not_the_pinned_one_is_refused() {
        let error = unpack(&script(&module())).unwrap_err();
        assert!(matches!(error, UnpackError::OtherScript { .. }), "{error}");
        assert_eq!(error.code(), "solc_unpack_other_script");
    }

    #[test]
    fn a_payload_of_another_size_is_refused() {
        let module = module();
        let text = script(&module);
        assert_eq!(decode(&text, module.len() - 1), Err(UnpackError::BadBlock));
        assert_eq!(decode(&text, module.len() + 1), Err(UnpackError::BadBlock));
    }

    #[test]
    fn a_script_without_payload_is_refused() {
        assert_eq!(decode(b"", 1), Err(UnpackError::NoPayload));
        assert_eq!(decode(b"no quotes", 1), Err(UnpackError::NoPayload));
        assert_eq!(decode(b"x(\"!!!!!!!!\")", 1), Err(UnpackError::NotBase64));
        assert_eq!(decode(b"x(\"AAAA\")", 1), Err(UnpackError::BadBlock));
        // A length beyond the end.
        assert_eq!(decode(b"x(\"////fwAAAAA\")", 1), Err(UnpackError::BadBlock));
    }
}
