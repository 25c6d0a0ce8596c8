//! The verifier contract: from a verification key to Solidity text and the compiler's exact input.
//!
//! Everything here is a pure function of the key, so that anyone holding `verification_key.json`
//! gets the same `verifier.sol` and `verifier.input.json` byte for byte. Compiling it is the crate
//! `solc`'s work. `docs/formats/verifier.md` specifies the texts and the contract's verdicts.

mod convert;
mod field;
mod input;
mod key;
mod source;

use sha3::Digest as _;

pub use field::{FieldElement, FieldError};
pub use input::{
    COMPILER_VERSION, CONTRACT_NAME, EVM_VERSION, OPTIMIZER_RUNS, SOURCE_FILE, StandardJson,
    standard_json,
};
pub use key::{G1Point, G2Point, KeyError, VerifierKey};
pub use source::verifier_source;

/// The largest runtime code that Ethereum accepts, in bytes (EIP-170). Other chains may take more.
pub const MAX_DEPLOYED_CODE: usize = 24_576;

/// Keccak-256 of contract code, as `EXTCODEHASH` (EIP-1052) returns it for a deployed contract.
pub fn keccak256(code: &[u8]) -> [u8; 32] {
    sha3::Keccak256::digest(code).into()
}

#[cfg(test)]
mod tests {
    use super::keccak256;

    #[test]
    fn keccak256_of_empty_code_is_the_known_constant() {
        // EIP-1052's value for an account without code.
        assert_eq!(
            hex::encode(keccak256(&[])),
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        );
    }
}
