//! PCR0, PCR1 and PCR2 of an image.
//!
//! A register starts as 48 zero bytes and is extended once: `SHA-384(old value || SHA-384(data))`.
//! The data of PCR0 is every measured section, of PCR1 kernel, command line and first ramdisk, of PCR2
//! the further ramdisks, in each case contents only and without lengths. With a single ramdisk PCR1
//! equals PCR0 and PCR2 is the extension by nothing.
//!
//! Source: the README of `aws-nitro-enclaves-image-format`; held against `eif_build` in the tests of
//! the crate `eif-writer`.

use sha2::{Digest, Sha384};

/// The measurements of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pcrs {
    /// The whole image.
    pub pcr0: [u8; 48],
    /// Kernel, command line and first ramdisk.
    pub pcr1: [u8; 48],
    /// Further ramdisks: none here.
    pub pcr2: [u8; 48],
}

impl Pcrs {
    /// Of an image with one ramdisk.
    pub(crate) fn of(kernel: &[u8], command_line: &[u8], ramdisk: &[u8]) -> Self {
        let image = extended(&[kernel, command_line, ramdisk]);
        Self {
            pcr0: image,
            pcr1: image,
            pcr2: extended(&[]),
        }
    }

    /// The registers with their numbers.
    pub fn numbered(&self) -> [(u8, &[u8; 48]); 3] {
        [(0, &self.pcr0), (1, &self.pcr1), (2, &self.pcr2)]
    }
}

fn extended(parts: &[&[u8]]) -> [u8; 48] {
    let mut data = Sha384::new();
    for part in parts {
        data.update(part);
    }
    let mut register = Sha384::new();
    register.update([0; 48]);
    register.update(data.finalize());
    register.finalize().into()
}
