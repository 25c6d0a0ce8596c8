//! Changes of one field.

use eif::{EifError, KernelBoundary, RawEif};

use crate::builder::{COMMAND_LINE, Image, archive, gzip, kernel, with_checksum};

fn refused(image: &Image) -> EifError {
    RawEif(&image.bytes()).validate().unwrap_err()
}

/// The reason after `change` of the good image.
fn after(change: impl FnOnce(&mut Image)) -> EifError {
    let mut image = Image::good();
    change(&mut image);
    refused(&image)
}

/// The reason after `change` of the good file; the checksum is made to hold again.
fn after_bytes(change: impl FnOnce(&mut Vec<u8>)) -> EifError {
    let mut file = Image::good().bytes();
    change(&mut file);
    RawEif(&with_checksum(file)).validate().unwrap_err()
}

#[test]
fn the_good_image_is_read() {
    let file = Image::good().bytes();
    let eif = RawEif(&file).validate().unwrap();
    assert_eq!(eif.kernel(), kernel());
    assert_eq!(eif.kernel_boundary(), KernelBoundary::Declared);
    assert_eq!(eif.command_line(), COMMAND_LINE);
    assert_eq!(eif.unmeasured_metadata(), Some(&b"{}"[..]));
    assert_eq!(eif.archive(), archive(&[("init", b"program")]));
    assert_eq!(eif.pcrs().pcr0, Image::good().pcr0());
    assert_eq!(eif.pcrs().pcr1, Image::good().pcr0());
    assert_eq!(
        hex::encode(eif.pcrs().pcr2),
        "21b9efbc184807662e966d34f390821309eeac6802309798826296bf3e8bec7c10edb30948c90ba67310f7b964fc500a"
    );
}

#[test]
fn metadata_may_be_missing() {
    let mut image = Image::good();
    let pcrs = RawEif(&image.bytes()).validate().unwrap().pcrs();
    image.sections.remove(2);
    let file = image.bytes();
    let eif = RawEif(&file).validate().unwrap();
    assert_eq!(eif.unmeasured_metadata(), None);
    assert_eq!(eif.pcrs(), pcrs, "metadata is in no PCR");
}

#[test]
fn fixed_fields_of_the_header() {
    assert_eq!(after(|i| i.magic = *b".eig"), EifError::Magic);
    assert_eq!(after(|i| i.version = 3), EifError::Version { got: 3 });
    assert_eq!(after(|i| i.flags = 1), EifError::HeaderFlags { got: 1 });
    let field = "the reserved field";
    assert_eq!(after(|i| i.reserved = 1), EifError::NotZero { field });
    let field = "the unused field";
    assert_eq!(after(|i| i.unused = 1), EifError::NotZero { field });
    // The fifth place, of which there is no section.
    let field = "a section's place behind the last";
    assert_eq!(
        after_bytes(|f| f[28 + 4 * 8] = 1),
        EifError::NotZero { field }
    );
    assert_eq!(
        after_bytes(|f| f[284 + 31 * 8] = 1),
        EifError::NotZero { field }
    );
}

#[test]
fn the_checksum() {
    let mut file = Image::good().bytes();
    let right = u32::from_be_bytes(file[544..548].try_into().unwrap());
    file[547] ^= 1;
    let (got, computed) = (right ^ 1, right);
    assert_eq!(
        RawEif(&file).validate().unwrap_err(),
        EifError::Crc { got, computed }
    );
    // Suggested memory: in no PCR, but in the checksum.
    let mut file = Image::good().bytes();
    file[15] ^= 1;
    assert!(matches!(
        RawEif(&file).validate(),
        Err(EifError::Crc { got, .. }) if got == right
    ));
}

#[test]
fn kinds_and_number_of_sections() {
    let ramdisk = gzip(&archive(&[]));
    assert_eq!(
        after(|i| i.sections.push((3, 0, ramdisk.clone()))),
        EifError::SectionCount { got: 5 }
    );
    assert_eq!(
        after(|i| i.sections.truncate(2)),
        EifError::SectionCount { got: 2 }
    );
    // Two ramdisks and no metadata.
    assert_eq!(
        after(|i| i.sections[2] = (3, 0, ramdisk)),
        EifError::SectionType {
            index: 2,
            expected: "metadata",
            got: 3
        }
    );
    // A signature in the place of the metadata.
    assert_eq!(
        after(|i| i.sections[2].0 = 4),
        EifError::SectionType {
            index: 2,
            expected: "metadata",
            got: 4
        }
    );
    assert_eq!(
        after(|i| i.sections.swap(0, 1)),
        EifError::SectionType {
            index: 0,
            expected: "kernel",
            got: 2
        }
    );
    assert_eq!(
        after(|i| i.sections[3].1 = 0x100),
        EifError::SectionFlags {
            section: "ramdisk",
            got: 0x100
        }
    );
}

#[test]
fn places_and_sizes_of_sections() {
    let good = Image::good();
    let start = 548 + 12 + 2048;
    assert_eq!(
        after_bytes(|f| f[28 + 8 + 7] ^= 1),
        EifError::Offset {
            section: "command line",
            expected: start,
            got: start ^ 1
        }
    );
    let size = COMMAND_LINE.len() as u64;
    // In the file's header, then in the section's.
    assert_eq!(
        after_bytes(|f| f[284 + 8 + 7] ^= 1),
        EifError::SizesDiffer {
            section: "command line",
            in_section: size,
            in_file: size ^ 1
        }
    );
    assert_eq!(
        after_bytes(|f| f[start as usize + 11] ^= 1),
        EifError::SizesDiffer {
            section: "command line",
            in_section: size ^ 1,
            in_file: size
        }
    );
    assert_eq!(after_bytes(|f| f.push(0)), EifError::Trailing { count: 1 });
    assert_eq!(
        after_bytes(|f| f.truncate(f.len() - 1)),
        EifError::Truncated { what: "ramdisk" }
    );
    assert_eq!(
        after(|i| i.sections[1].2.clear()),
        EifError::Empty {
            section: "command line"
        }
    );
    for length in [0, 3] {
        assert_eq!(
            RawEif(&good.bytes()[..length]).validate().unwrap_err(),
            EifError::Magic
        );
    }
    assert_eq!(
        RawEif(&good.bytes()[..547]).validate().unwrap_err(),
        EifError::Truncated { what: "header" }
    );
}

#[test]
fn sizes_near_the_largest_number_are_refused_without_allocating() {
    let start = 548 + 12 + 2048;
    for size in [u64::MAX, u64::MAX - 12, 1 << 62] {
        let error = after_bytes(|f| {
            f[284 + 8..284 + 16].copy_from_slice(&size.to_be_bytes());
            f[start + 4..start + 12].copy_from_slice(&size.to_be_bytes());
        });
        let what = "command line";
        assert_eq!(error, EifError::Truncated { what });
    }
}

#[test]
fn the_command_line_is_printable_and_short() {
    for byte in [0, b'\n', b'\t', 0x7f, 0x80, 0xff] {
        assert_eq!(
            after(|i| i.sections[1].2[5] = byte),
            EifError::CommandLineByte { at: 5, byte }
        );
    }
    let longest = vec![b'a'; 2047];
    assert!(
        RawEif(&Image::of(&kernel(), &longest, &gzip(&archive(&[]))).bytes())
            .validate()
            .is_ok()
    );
    assert_eq!(
        after(|i| i.sections[1].2 = vec![b'a'; 2048]),
        EifError::CommandLineLength {
            got: 2048,
            max: 2047
        }
    );
}

#[test]
fn a_kernel_has_the_length_it_says() {
    assert_eq!(
        after(|i| i.sections[0].2.push(0)),
        EifError::KernelLength {
            declared: 2048,
            got: 2049
        }
    );
    assert_eq!(
        after(|i| i.sections[0].2[0x1f1] = 0),
        EifError::KernelLength {
            declared: 5 * 512 + 1024,
            got: 2048
        }
    );
    let mut image = Image::good();
    image.sections[0].2[0x202] = b'h';
    let file = image.bytes();
    let eif = RawEif(&file).validate().unwrap();
    assert_eq!(eif.kernel_boundary(), KernelBoundary::Unknown);
}

#[test]
fn the_ramdisk_is_one_gzip_member() {
    let reason = |reason| EifError::NotGzip { reason };
    assert_eq!(
        after(|i| i.sections[3].2 = archive(&[("init", b"x")])),
        reason("it does not begin with 1f 8b"),
        "an archive that is not compressed"
    );
    assert_eq!(
        after(|i| i.sections[3].2.truncate(9)),
        reason("shorter than a header")
    );
    assert_eq!(
        after(|i| i.sections[3].2[2] = 7),
        reason("the method is not deflate")
    );
    assert_eq!(
        after(|i| i.sections[3].2[3] = 4),
        reason("the header has extra fields")
    );
    let second = gzip(b"more");
    assert_eq!(
        after(|i| i.sections[3].2.extend(&second)),
        EifError::MoreThanOneMember {
            count: second.len()
        }
    );
    assert_eq!(
        after(|i| i.sections[3].2.push(0)),
        EifError::MoreThanOneMember { count: 1 }
    );
    assert_eq!(
        after(|i| *i.sections[3].2.last_mut().unwrap() ^= 1),
        EifError::GzipTrailer { field: "length" }
    );
    assert_eq!(
        after(|i| {
            let at = i.sections[3].2.len() - 8;
            i.sections[3].2[at] ^= 1;
        }),
        EifError::GzipTrailer { field: "CRC-32" }
    );
    assert_eq!(
        after(|i| {
            let length = i.sections[3].2.len() - 1;
            i.sections[3].2.truncate(length);
        }),
        EifError::Truncated {
            what: "ramdisk's gzip trailer"
        }
    );
    assert_eq!(
        after(|i| i.sections[3].2.truncate(14)),
        EifError::Truncated {
            what: "ramdisk's compressed data"
        }
    );
    // Block type 3 does not exist.
    assert!(matches!(
        after(|i| i.sections[3].2[10] |= 6),
        EifError::Deflate { .. }
    ));
}

#[test]
fn a_member_may_carry_a_file_name() {
    let mut image = Image::good();
    let ramdisk = &mut image.sections[3].2;
    ramdisk[3] = 8;
    ramdisk.splice(10..10, *b"initrd\0");
    assert!(RawEif(&image.bytes()).validate().is_ok());
}

#[test]
fn a_ramdisk_that_grows_without_end_is_refused() {
    // 600 MB of zeros from 600 kB.
    let zeros = vec![0; 600 << 20];
    let bomb = gzip(&zeros);
    drop(zeros);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(
        after(|i| i.sections[3].2 = bomb),
        EifError::TooLarge { max: 512 << 20 }
    );
}
