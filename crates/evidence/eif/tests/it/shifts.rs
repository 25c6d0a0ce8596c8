//! Bytes moved over a section's boundary keep every PCR. The parser refuses each such file.

use eif::{EifError, RawEif};

use crate::builder::{COMMAND_LINE, Image, archive, gzip, kernel};

/// The parts of the good image with `kernel` and `command line` cut elsewhere.
fn cut(first: usize, second: usize) -> Image {
    let all = measured();
    Image::of(&all[..first], &all[first..second], &all[second..])
}

/// What is measured, in one piece.
fn measured() -> Vec<u8> {
    let mut all = kernel();
    all.extend(COMMAND_LINE.as_bytes());
    all.extend(gzip(&archive(&[("init", b"program")])));
    all
}

const FIRST: usize = 2048;
const SECOND: usize = FIRST + COMMAND_LINE.len();

#[test]
fn the_beginning_of_the_command_line_moved_into_the_kernel() {
    let shifted = cut(FIRST + "reboot=k panic=1 ".len(), SECOND);
    assert_eq!(shifted.pcr0(), Image::good().pcr0());
    assert_eq!(
        RawEif(&shifted.bytes()).validate().unwrap_err(),
        EifError::KernelLength {
            declared: 2048,
            got: 2065
        }
    );
}

#[test]
fn the_end_of_the_command_line_moved_into_the_ramdisk() {
    let shifted = cut(FIRST, SECOND - 4);
    assert_eq!(shifted.pcr0(), Image::good().pcr0());
    let reason = "it does not begin with 1f 8b";
    assert_eq!(
        RawEif(&shifted.bytes()).validate().unwrap_err(),
        EifError::NotGzip { reason }
    );
}

#[test]
fn a_file_of_an_uncompressed_ramdisk_moved_into_the_command_line() {
    let all = archive(&[("aaa-policy", b"strict"), ("init", b"program")]);
    let rest = archive(&[("init", b"program")]);
    let (policy, rest_again) = all.split_at(all.len() - rest.len());
    assert_eq!(rest_again, rest);
    let whole = Image::of(&kernel(), COMMAND_LINE.as_bytes(), &all);
    let command_line = [COMMAND_LINE.as_bytes(), policy].concat();
    let shifted = Image::of(&kernel(), &command_line, &rest);
    assert_eq!(shifted.pcr0(), whole.pcr0());
    // Both are refused: such a ramdisk must not be published either.
    let reason = "it does not begin with 1f 8b";
    for (image, expected) in [
        (&whole, EifError::NotGzip { reason }),
        (
            &shifted,
            EifError::CommandLineByte {
                at: COMMAND_LINE.len() + 110 + "aaa-policy".len(),
                byte: 0,
            },
        ),
    ] {
        assert_eq!(RawEif(&image.bytes()).validate().unwrap_err(), expected);
    }
}

#[test]
fn of_all_cuts_of_the_measured_bytes_one_is_accepted() {
    let end = measured().len();
    let mut accepted = Vec::new();
    for first in 1..SECOND + 40 {
        for second in [first + 1, SECOND - 1, SECOND, SECOND + 1, end - 20, end - 1] {
            if second <= first || second >= end {
                continue;
            }
            if RawEif(&cut(first, second).bytes()).validate().is_ok() {
                accepted.push((first, second));
            }
        }
    }
    for second in FIRST + 1..end {
        if RawEif(&cut(FIRST, second).bytes()).validate().is_ok() {
            accepted.push((FIRST, second));
        }
    }
    accepted.sort_unstable();
    accepted.dedup();
    assert_eq!(accepted, [(FIRST, SECOND)]);
}
