//! The roots a document may chain to.

use sha2::{Digest, Sha256};

/// Root of AWS Nitro Enclaves, CN=aws.nitro-enclaves, 2019 to 2049, as AWS publishes it.
const AWS_NITRO_ROOT_G1: &[u8] = include_bytes!("aws_nitro_root_g1.der");

/// SHA-256 of that certificate's DER, as AWS's documentation prints it. A test compares.
pub const AWS_NITRO_ROOT_G1_SHA256: [u8; 32] = [
    0x64, 0x1a, 0x03, 0x21, 0xa3, 0xe2, 0x44, 0xef, 0xe4, 0x56, 0x46, 0x31, 0x95, 0xd6, 0x06, 0x31,
    0x7e, 0xd7, 0xcd, 0xcc, 0x3c, 0x17, 0x56, 0xe0, 0x98, 0x93, 0xf3, 0xc6, 0x8f, 0x79, 0xbb, 0x5b,
];

/// The root that a verifier trusts. Closed: there is no way to name a third kind of root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// AWS's own root, compiled in.
    AwsNitroG1,
    /// SIMULATED: DER of a root that one machine made. Documents under it prove nothing about hardware.
    Simulated(Vec<u8>),
}

/// Which kind of root a document was verified to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnchorKind {
    /// AWS's root.
    AwsNitroG1,
    /// SIMULATED.
    Simulated,
}

impl Anchor {
    /// DER of the root certificate.
    pub fn der(&self) -> &[u8] {
        match self {
            Self::AwsNitroG1 => AWS_NITRO_ROOT_G1,
            Self::Simulated(der) => der,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> AnchorKind {
        match self {
            Self::AwsNitroG1 => AnchorKind::AwsNitroG1,
            Self::Simulated(_) => AnchorKind::Simulated,
        }
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.der()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_root_is_the_published_one() {
        assert_eq!(Anchor::AwsNitroG1.sha256(), AWS_NITRO_ROOT_G1_SHA256);
        assert_eq!(
            hex::encode(AWS_NITRO_ROOT_G1_SHA256),
            "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"
        );
    }
}
