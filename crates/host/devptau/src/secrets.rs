//! What a real ceremony destroys and this file publishes.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use formats::digest::Blake2b512Digest;

/// Prefix of the three hashed labels.
pub const LABEL: &str = "attested-ceremony development ptau, known to everyone, simulation only: ";

/// tau, alpha and beta of every development file.
#[derive(Clone, Copy)]
pub struct KnownSecrets {
    /// The point that the powers are taken of.
    pub tau: Fr,
    /// Factor of the alpha powers.
    pub alpha: Fr,
    /// Factor of the beta powers.
    pub beta: Fr,
}

impl KnownSecrets {
    /// BLAKE2b-512 of `LABEL` and the name, little-endian, modulo the group order.
    #[must_use]
    pub fn published() -> Self {
        let scalar = |name: &str| {
            let digest = Blake2b512Digest::of(format!("{LABEL}{name}").as_bytes());
            Fr::from_le_bytes_mod_order(digest.as_bytes())
        };
        Self {
            tau: scalar("tau"),
            alpha: scalar("alpha"),
            beta: scalar("beta"),
        }
    }
}
