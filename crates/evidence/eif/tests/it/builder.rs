//! An image put together field by field, so that a test can change one of them.

use std::io::Write as _;

use sha2::{Digest, Sha384};

/// Parts of an image. The defaults of [`Image::good`] are accepted.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) magic: [u8; 4],
    pub(crate) version: u16,
    pub(crate) flags: u16,
    pub(crate) reserved: u16,
    pub(crate) unused: u32,
    /// Type, flags and contents.
    pub(crate) sections: Vec<(u16, u16, Vec<u8>)>,
}

pub(crate) const COMMAND_LINE: &str = "reboot=k panic=1 pci=off console=ttyS0";

impl Image {
    pub(crate) fn good() -> Self {
        Self::of(
            &kernel(),
            COMMAND_LINE.as_bytes(),
            &gzip(&archive(&[("init", b"program")])),
        )
    }

    pub(crate) fn of(kernel: &[u8], command_line: &[u8], ramdisk: &[u8]) -> Self {
        Self {
            magic: *b".eif",
            version: 4,
            flags: 0,
            reserved: 0,
            unused: 0,
            sections: vec![
                (1, 0, kernel.to_vec()),
                (2, 0, command_line.to_vec()),
                (5, 0, b"{}".to_vec()),
                (3, 0, ramdisk.to_vec()),
            ],
        }
    }

    /// The file, its places, sizes and checksum correct.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut offsets = [0_u64; 32];
        let mut sizes = [0_u64; 32];
        let mut at = 548;
        for (index, (_, _, contents)) in self.sections.iter().enumerate() {
            offsets[index] = at;
            sizes[index] = contents.len() as u64;
            at += 12 + contents.len() as u64;
        }
        let mut file = Vec::new();
        file.extend(self.magic);
        file.extend(self.version.to_be_bytes());
        file.extend(self.flags.to_be_bytes());
        file.extend((1_u64 << 30).to_be_bytes());
        file.extend(2_u64.to_be_bytes());
        file.extend(self.reserved.to_be_bytes());
        file.extend((self.sections.len() as u16).to_be_bytes());
        file.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
        file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        file.extend(self.unused.to_be_bytes());
        file.extend([0; 4]);
        for (kind, flags, contents) in &self.sections {
            file.extend(kind.to_be_bytes());
            file.extend(flags.to_be_bytes());
            file.extend((contents.len() as u64).to_be_bytes());
            file.extend(contents);
        }
        with_checksum(file)
    }

    /// PCR0 by the rule, whatever the parser thinks of the file.
    pub(crate) fn pcr0(&self) -> [u8; 48] {
        let mut data = Sha384::new();
        for (kind, _, contents) in &self.sections {
            if matches!(kind, 1..=3) {
                data.update(contents);
            }
        }
        let mut register = Sha384::new();
        register.update([0; 48]);
        register.update(data.finalize());
        register.finalize().into()
    }
}

pub(crate) fn with_checksum(mut file: Vec<u8>) -> Vec<u8> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&file[..544]);
    crc.update(&file[548..]);
    file[544..548].copy_from_slice(&crc.finalize().to_be_bytes());
    file
}

/// 2,048 bytes that say so, as a bzImage does.
pub(crate) fn kernel() -> Vec<u8> {
    let mut kernel: Vec<u8> = (0..2048_u32).map(|i| (i * 7 % 251) as u8).collect();
    kernel[0x1f1] = 1;
    kernel[0x1f4..0x1f8].copy_from_slice(&64_u32.to_le_bytes());
    kernel[0x202..0x206].copy_from_slice(b"HdrS");
    kernel
}

/// A cpio archive of files.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (path, contents) in files {
        entry(&mut archive, 0o100_755, path, contents);
    }
    entry(&mut archive, 0, "TRAILER!!!", b"");
    archive
}

pub(crate) fn entry(archive: &mut Vec<u8>, mode: u32, path: &str, contents: &[u8]) {
    let fields = [
        1,
        mode,
        0,
        0,
        1,
        0,
        contents.len() as u32,
        0,
        0,
        0,
        0,
        path.len() as u32 + 1,
        0,
    ];
    archive.extend(b"070701");
    for field in fields {
        write!(archive, "{field:08x}").unwrap();
    }
    archive.extend(path.as_bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend(contents);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

/// One gzip member.
pub(crate) fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    file.extend(miniz_oxide::deflate::compress_to_vec(contents, 9));
    file.extend(crc32fast::hash(contents).to_le_bytes());
    file.extend((contents.len() as u32).to_le_bytes());
    file
}
