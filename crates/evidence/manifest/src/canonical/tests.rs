use super::*;
use proptest::prelude::*;

const TEST_MAGIC: &str = "attested-ceremony test v1";

fn parse(text: &str) -> Result<Entries, CanonicalError> {
    Entries::parse(text.as_bytes(), TEST_MAGIC, 1000)
}

fn text(lines: &str) -> String {
    format!("{TEST_MAGIC}\n{lines}")
}

#[test]
fn a_text_is_read_and_written_back() {
    let lines = "a 1\na.b x y\nsource.A%20b/C.circom 5 sha256:00\nz_-9 ~!\"\n";
    let entries = parse(&text(lines)).unwrap();
    assert_eq!(entries.write(TEST_MAGIC).unwrap(), text(lines).into_bytes());
    assert_eq!(parse(&text("")).unwrap(), Entries::new());
}

#[test]
fn every_breach_of_the_grammar_has_its_own_error() {
    let value = |key: &str| CanonicalError::Value {
        key: key.to_owned(),
    };
    for (lines, error) in [
        ("a 1", CanonicalError::End),
        ("a 1\n\n", CanonicalError::Line { line: 3 }),
        ("\na 1\n", CanonicalError::Line { line: 2 }),
        ("a\n", CanonicalError::Line { line: 2 }),
        ("a \n", value("a")),
        ("a  1\n", value("a")),
        ("a 1 \n", value("a")),
        (" a 1\n", CanonicalError::Key { line: 2 }),
        ("A 1\n", CanonicalError::Key { line: 2 }),
        ("a%20 1\n", CanonicalError::Key { line: 2 }),
        ("source. 1\n", CanonicalError::Key { line: 2 }),
        ("source.a%2fb 1\n", CanonicalError::Key { line: 2 }),
        ("source.a%2Fb 1\n", CanonicalError::Key { line: 2 }),
        ("source.a%2 1\n", CanonicalError::Key { line: 2 }),
        ("b 1\na 1\n", CanonicalError::Order { line: 3 }),
        ("a 1\na 1\n", CanonicalError::Order { line: 3 }),
        (
            "a 1\r\n",
            CanonicalError::Byte {
                offset: 29,
                byte: 13,
            },
        ),
        (
            "a \t1\n",
            CanonicalError::Byte {
                offset: 28,
                byte: 9,
            },
        ),
        (
            "a \u{e9}\n",
            CanonicalError::Byte {
                offset: 28,
                byte: 0xc3,
            },
        ),
        (
            "a \u{7f}\n",
            CanonicalError::Byte {
                offset: 28,
                byte: 0x7f,
            },
        ),
    ] {
        assert_eq!(parse(&text(lines)), Err(error), "{lines:?}");
    }
    let magic = CanonicalError::Magic {
        expected: TEST_MAGIC,
    };
    assert_eq!(parse("attested-ceremony test v2\n"), Err(magic.clone()));
    assert_eq!(parse(""), Err(magic));
    assert_eq!(parse(TEST_MAGIC), Err(CanonicalError::End));
    let long = text(&format!("a {}\n", "x".repeat(1000)));
    assert_eq!(
        parse(&long),
        Err(CanonicalError::TooLong {
            limit: 1000,
            got: 1029
        })
    );
}

#[test]
fn unknown_missing_and_misspelt_keys_are_refused() {
    let mut entries = parse(&text("a 07\nb 7\nc.x 1\nd 1\n")).unwrap();
    let kind = CanonicalError::Type {
        key: "a".to_owned(),
        expected: u64::EXPECTED,
    };
    assert_eq!(entries.take_as::<u64>("a"), Err(kind));
    assert_eq!(entries.take_as::<u64>("b"), Ok(7));
    assert_eq!(
        entries.take("b"),
        Err(CanonicalError::Missing {
            key: "b".to_owned()
        })
    );
    assert_eq!(
        entries.take_prefixed("c.").into_keys().collect::<Vec<_>>(),
        ["x"]
    );
    assert_eq!(
        entries.finish(),
        Err(CanonicalError::Unknown {
            key: "d".to_owned()
        })
    );
}

#[test]
fn what_cannot_be_read_is_not_written() {
    let mut entries = Entries::new();
    entries.set("a", "line\nline");
    assert_eq!(
        entries.write(TEST_MAGIC),
        Err(CanonicalError::Value {
            key: "a".to_owned()
        })
    );
    let mut entries = Entries::new();
    entries.set("a b", "1");
    assert_eq!(
        entries.write(TEST_MAGIC),
        Err(CanonicalError::Key { line: 0 })
    );
}

#[test]
fn integers_and_hex_have_one_spelling() {
    for text in ["", "+1", "-1", "01", "1 ", "18446744073709551616", "0x1"] {
        assert_eq!(u64::read(text), None, "{text}");
    }
    assert_eq!(u64::read("18446744073709551615"), Some(u64::MAX));
    assert_eq!(<[u8; 2]>::read("00ff"), Some([0, 255]));
    for text in ["00FF", "00f", "00fff", "0x00ff", ""] {
        assert_eq!(<[u8; 2]>::read(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn percent_encoding_is_a_bijection(bytes: Vec<u8>) {
        prop_assert_eq!(percent_decode(&percent_encode(&bytes)), Some(bytes));
    }

    #[test]
    fn what_is_decoded_encodes_back(text in "[ -~]{0,12}") {
        if let Some(bytes) = percent_decode(&text) {
            prop_assert_eq!(percent_encode(&bytes), text);
        }
    }

    #[test]
    fn what_is_parsed_is_written_back(lines in "([a-c][ ]?[0-9 ]?\n?){0,8}") {
        let text = text(&lines);
        if let Ok(entries) = parse(&text) {
            prop_assert_eq!(entries.write(TEST_MAGIC).unwrap(), text.into_bytes());
        }
    }
}
