//! The image that was built, and others made of its parts.

use std::path::PathBuf;

use eif::Eif;
use eif_writer::{FileList, ramdisk};

/// The image and the emulator's programs, as the environment names them; or nothing, and a loud word
/// about it.
pub(crate) fn named() -> Option<(PathBuf, PathBuf)> {
    let named = |name| std::env::var_os(name).map(PathBuf::from);
    if let (Some(image), Some(programs)) = (named("CEREMONY_IMAGE"), named("CEREMONY_EMULATOR")) {
        return Some((image, programs));
    }
    testkit::skipped("no emulator: run `scripts/emulated --prepare` and evaluate what it prints");
    None
}

/// The image's bytes.
pub(crate) fn image() -> Option<Vec<u8>> {
    named().map(|(image, _)| std::fs::read(image).unwrap())
}

/// The image with another list of files; what `eif` has, it keeps, anything else is empty.
pub(crate) fn with_files(eif: &Eif<'_>, list: &str) -> Vec<u8> {
    let list = FileList::parse(list).unwrap();
    let archive = ramdisk::archive(&list, |path| Ok(contents(eif.archive(), path))).unwrap();
    with_archive(eif, &archive)
}

pub(crate) fn with_archive(eif: &Eif<'_>, archive: &[u8]) -> Vec<u8> {
    packed(
        eif.kernel(),
        eif.command_line().as_bytes(),
        &ramdisk::gzip(archive),
    )
}

/// Contents of a file of an archive that our writer made.
pub(crate) fn contents(archive: &[u8], path: &str) -> Vec<u8> {
    let number = |at: usize| {
        let digits = std::str::from_utf8(&archive[at..at + 8]).unwrap();
        usize::from_str_radix(digits, 16).unwrap()
    };
    let mut at = 0;
    while at < archive.len() {
        let (size, name_size) = (number(at + 54), number(at + 94));
        let name = &archive[at + 110..at + 110 + name_size - 1];
        let start = (at + 110 + name_size).next_multiple_of(4);
        if name == path.as_bytes() {
            return archive[start..start + size].to_vec();
        }
        at = (start + size).next_multiple_of(4);
    }
    Vec::new()
}

/// An image of any parts: the writer would refuse them.
pub(crate) fn packed(kernel: &[u8], command_line: &[u8], ramdisk: &[u8]) -> Vec<u8> {
    let sections = [(1_u16, kernel), (2, command_line), (3, ramdisk)];
    let size = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap();
    let (mut offsets, mut sizes) = ([0_u64; 32], [0_u64; 32]);
    let mut at = 548;
    for (index, (_, contents)) in sections.iter().enumerate() {
        offsets[index] = at;
        sizes[index] = size(contents);
        at += 12 + size(contents);
    }
    let mut file = b".eif\0\x04\0\0".to_vec();
    file.extend((1_u64 << 30).to_be_bytes());
    file.extend(2_u64.to_be_bytes());
    file.extend([0, 0, 0, 3]);
    file.extend(offsets.iter().chain(&sizes).flat_map(|n| n.to_be_bytes()));
    file.extend([0; 8]);
    for (kind, contents) in sections {
        file.extend(kind.to_be_bytes());
        file.extend([0, 0]);
        file.extend(size(contents).to_be_bytes());
        file.extend(contents);
    }
    let mut crc = crc32fast::Hasher::new();
    crc.update(&file[..544]);
    crc.update(&file[548..]);
    file[544..548].copy_from_slice(&crc.finalize().to_be_bytes());
    file
}
