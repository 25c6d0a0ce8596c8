use std::io::Cursor;

use super::*;

const MAGIC: [u8; 4] = *b"test";

fn two_sections() -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new()), MAGIC, 1, 2).unwrap();
    writer.section(7, b"seven").unwrap();
    writer.begin(2).unwrap();
    writer.write_all(b"tw").unwrap();
    writer.write_all(b"o").unwrap();
    writer.end().unwrap();
    writer.finish().unwrap().into_inner()
}

fn table(bytes: &Vec<u8>) -> Result<SectionTable, BinfileError> {
    SectionTable::read(bytes, MAGIC, 1)
}

#[test]
fn what_is_written_is_read_back() {
    let bytes = two_sections();
    let table = table(&bytes).unwrap();
    assert_eq!(
        table.sections(),
        [
            Section {
                id: 7,
                offset: 24,
                size: 5
            },
            Section {
                id: 2,
                offset: 41,
                size: 3
            }
        ]
    );
    table.refuse_trailing_bytes().unwrap();
    table.refuse_unknown(&[2, 7]).unwrap();
    let mut text = [0; 3];
    table
        .get(2)
        .unwrap()
        .reader(&bytes, "two")
        .unwrap()
        .read_exact(&mut text)
        .unwrap();
    assert_eq!(&text, b"two");
    assert!(table.get_sized(7, 5).is_ok());
}

#[test]
fn r20_each_malformed_table_has_its_own_error() {
    let good = two_sections();
    let change = |at: usize, with: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + with.len()].copy_from_slice(with);
        table(&bytes)
    };
    assert!(matches!(
        change(0, b"x"),
        Err(BinfileError::BadMagic {
            got: [b'x', ..],
            ..
        })
    ));
    assert!(matches!(
        change(4, &[2]),
        Err(BinfileError::UnsupportedVersion {
            expected: 1,
            got: 2
        })
    ));
    assert!(matches!(
        change(8, &[0xff; 4]),
        Err(BinfileError::TooManySections {
            got: u32::MAX,
            max: 2
        })
    ));
    assert!(matches!(
        change(29, &[7]),
        Err(BinfileError::DuplicateSection { id: 7 })
    ));
    assert!(matches!(
        change(33, &[4]),
        Err(BinfileError::SectionOverrun {
            index: 1,
            id: 2,
            size: 4,
            available: 3
        })
    ));
    // A size that would wrap around when added to the offset.
    assert!(matches!(
        change(16, &[0xff; 8]),
        Err(BinfileError::SectionOverrun {
            index: 0,
            size: u64::MAX,
            ..
        })
    ));
    // The first section grows over the second one's header.
    assert!(matches!(
        change(16, &[10]),
        Err(BinfileError::MissingSectionHeader { index: 1 })
    ));

    let table = change(8, &[1]).unwrap();
    assert!(matches!(
        table.refuse_trailing_bytes(),
        Err(BinfileError::TrailingBytes { count: 15 })
    ));
    assert!(matches!(
        table.refuse_unknown(&[2]),
        Err(BinfileError::UnknownSection { id: 7 })
    ));
    assert!(matches!(
        table.get(2),
        Err(BinfileError::MissingSection { id: 2 })
    ));
    assert!(matches!(
        table.get_sized(7, 6),
        Err(BinfileError::WrongSectionSize {
            id: 7,
            expected: 6,
            got: 5
        })
    ));
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let good = two_sections();
    for len in 0..good.len() {
        assert!(table(&good[..len].to_vec()).is_err(), "cut to {len} bytes");
    }
}

#[test]
fn the_writer_refuses_what_its_announcements_do_not_cover() {
    let mut writer = Writer::new(Vec::new(), MAGIC, 1, 1).unwrap();
    assert!(writer.write_all(b"outside").is_err());
    writer.begin_sized(1, 3).unwrap();
    assert!(writer.begin_sized(2, 3).is_err());
    writer.write_all(b"ab").unwrap();
    assert!(writer.end_sized().is_err());
    assert!(writer.begin_sized(2, 0).is_err());
    assert!(
        Writer::new(Vec::new(), MAGIC, 1, 1)
            .unwrap()
            .finish()
            .is_err()
    );
}
