//! The ramdisk: a cpio archive (newc) in the order of its list, in one gzip member.
//!
//! Owner and group 0, time 0, inode numbers counted from 1, no names of the machine it is made on.
//! `eif::cpio` names the source of the format.

use std::io;

use sha2::{Digest, Sha256};

use crate::list::{self, FileList, Kind};

/// deflate's level: the slowest and smallest.
const LEVEL: u8 = 9;

/// Why a ramdisk cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RamdiskError {
    /// The contents of a listed file cannot be had.
    #[error("contents of {path}")]
    Contents {
        /// Path in the ramdisk.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file's contents are not the ones that the list names.
    #[error("{path} has sha256:{got}, another digest than in the list")]
    OtherContents {
        /// Path in the ramdisk.
        path: String,
        /// What it has.
        got: String,
    },
    /// A file of 4 GiB or more.
    #[error("{path} is too large for a ramdisk")]
    TooLarge {
        /// Path in the ramdisk.
        path: String,
    },
}

/// The archive of `entries`; `contents` gives the bytes of a file by its path.
///
/// # Errors
/// [`RamdiskError`] names the file.
pub fn archive(
    entries: &FileList,
    mut contents: impl FnMut(&str) -> io::Result<Vec<u8>>,
) -> Result<Vec<u8>, RamdiskError> {
    let mut archive = Vec::new();
    let mut inode = 0_u32;
    for listed in entries.entries() {
        inode = inode.saturating_add(1);
        let path = &listed.path;
        let (kind, links, device, data) = match listed.kind {
            Kind::Folder => (list::FOLDER, 2, (0, 0), Vec::new()),
            Kind::Device { major, minor } => (list::DEVICE, 1, (major, minor), Vec::new()),
            Kind::File { sha256 } => {
                let data = contents(path).map_err(|source| RamdiskError::Contents {
                    path: path.clone(),
                    source,
                })?;
                let got = Sha256::digest(&data);
                if sha256.is_some_and(|listed| listed[..] != got[..]) {
                    let (path, got) = (path.clone(), hex::encode(got));
                    return Err(RamdiskError::OtherContents { path, got });
                }
                (list::FILE, 1, (0, 0), data)
            }
        };
        let too_large = |_| RamdiskError::TooLarge { path: path.clone() };
        let size = u32::try_from(data.len()).map_err(too_large)?;
        let name_size = u32::try_from(path.len() + 1).map_err(too_large)?;
        let mode = kind | listed.permissions;
        let fields = [
            inode, mode, 0, 0, links, 0, size, 0, 0, device.0, device.1, name_size, 0,
        ];
        entry(&mut archive, fields, path, &data);
    }
    entry(
        &mut archive,
        [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 11, 0],
        "TRAILER!!!",
        &[],
    );
    Ok(archive)
}

fn entry(archive: &mut Vec<u8>, fields: [u32; 13], path: &str, data: &[u8]) {
    archive.extend(b"070701");
    for field in fields {
        archive.extend(format!("{field:08x}").bytes());
    }
    archive.extend(path.bytes());
    archive.push(0);
    fill(archive);
    archive.extend(data);
    fill(archive);
}

/// Zeros up to a multiple of four.
fn fill(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}

/// One gzip member: no name, no time, no operating system.
pub fn gzip(archive: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
    file.extend(miniz_oxide::deflate::compress_to_vec(archive, LEVEL));
    file.extend(crc32fast::hash(archive).to_le_bytes());
    // RFC 1952: the length modulo 2^32.
    let [b0, b1, b2, b3, ..] = archive.len().to_le_bytes();
    file.extend([b0, b1, b2, b3]);
    file
}
