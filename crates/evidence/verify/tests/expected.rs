//! Files of expected measurements: what was signed, and every way in which a file was not.
//!
//! The signatures in `tests/expected` were made with Debian's minisign 0.11 and keys that were thrown
//! away: `minisign -G -W`, `minisign -S -m pcr-values.json -t COMMENT`; `legacy.minisig` with `-l`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use attestation::PcrPolicy;
use verify::{Expected, ExpectedError, Origin, RawExpected};

const FILE: &[u8] = include_bytes!("expected/pcr-values.json");
const SIGNATURE: &str = include_str!("expected/pcr-values.json.minisig");
const LEGACY: &str = include_str!("expected/legacy.minisig");
const KEY: &str = include_str!("expected/throw-away.pub");
const OTHER: &str = include_str!("expected/other.pub");

fn signed(file: &[u8], signature: &str, key: &str) -> Result<Expected, ExpectedError> {
    RawExpected(file).signed(signature, key)
}

fn policy() -> PcrPolicy {
    PcrPolicy::image([0xa0; 48], [0xa1; 48], [0xa2; 48])
}

#[test]
fn what_was_signed_is_believed_and_says_by_whom() {
    let bare = KEY.lines().last().unwrap();
    for key in [KEY, bare] {
        let expected = signed(FILE, SIGNATURE, key).unwrap();
        assert_eq!(expected.policy(), policy());
        assert_eq!(
            *expected.origin(),
            Origin::Signed {
                key: bare.to_owned(),
                comment: "SIMULATED release, for tests".to_owned(),
            }
        );
    }
}

#[test]
fn a_file_altered_in_any_byte_is_refused() {
    for at in 0..FILE.len() {
        let mut file = FILE.to_vec();
        file[at] ^= 1;
        assert_eq!(
            signed(&file, SIGNATURE, KEY),
            Err(ExpectedError::Altered),
            "byte {at}"
        );
    }
    for file in [&FILE[1..], &FILE[..FILE.len() - 1], &[FILE, b"\n"].concat()] {
        assert_eq!(signed(file, SIGNATURE, KEY), Err(ExpectedError::Altered));
    }
}

#[test]
fn an_altered_trusted_comment_is_refused() {
    let altered = SIGNATURE.replace("SIMULATED release", "SIMULATED Release");
    assert_ne!(altered, SIGNATURE);
    assert_eq!(signed(FILE, &altered, KEY), Err(ExpectedError::Altered));
    // What stands above it is signed by nobody, and says nothing here.
    let above = SIGNATURE.replace("throw-away key", "another key");
    assert_ne!(above, SIGNATURE);
    assert_eq!(signed(FILE, &above, KEY), signed(FILE, SIGNATURE, KEY));
}

#[test]
fn another_key_is_refused() {
    assert_eq!(signed(FILE, SIGNATURE, OTHER), Err(ExpectedError::OtherKey));
    for key in ["", "RW", "untrusted comment: nothing below"] {
        let error = signed(FILE, SIGNATURE, key).unwrap_err();
        assert_eq!(error.code(), "expected_key", "{key}");
    }
}

#[test]
fn no_signature_or_half_of_one_is_refused() {
    let lines: Vec<&str> = SIGNATURE.lines().collect();
    for count in 0..lines.len() {
        let error = signed(FILE, &lines[..count].join("\n"), KEY).unwrap_err();
        assert_eq!(error.code(), "expected_signature_form", "{count} lines");
    }
    // Without the trusted comment's own signature.
    let cut = SIGNATURE.trim_end().strip_suffix(lines[3]).unwrap();
    assert!(signed(FILE, cut, KEY).is_err());
    // The older form of signature signs the bytes themselves instead of their digest.
    assert_eq!(
        signed(FILE, LEGACY, KEY).unwrap_err().code(),
        "expected_signature_form"
    );
}

#[test]
fn a_file_that_nobody_signed_says_so() {
    let expected = RawExpected(FILE).unsigned().unwrap();
    assert_eq!(expected.policy(), policy());
    assert_eq!(
        expected.origin().to_string(),
        "a file that nobody signed: your own choice"
    );
    // As nitro-cli prints it: nothing around the registers.
    let value: serde_json::Value = serde_json::from_slice(FILE).unwrap();
    let bare = value["Measurements"].to_string();
    let bare = RawExpected(bare.as_bytes()).unsigned().unwrap();
    assert_eq!(bare.policy(), policy());
}

#[test]
fn a_file_of_another_form_is_refused() {
    let text = std::str::from_utf8(FILE).unwrap();
    let code = |text: &str| RawExpected(text.as_bytes()).unsigned().unwrap_err().code();
    assert_eq!(code(""), "expected_form");
    assert_eq!(code("{}"), "expected_form");
    assert_eq!(code(&text.replace("PCR1", "PCR7")), "expected_form");
    assert_eq!(
        code(&text.replace("PCR1", "PCR0")),
        "expected_form",
        "twice"
    );
    assert_eq!(
        code(&text.replace("\"architecture\"", "\"PCR0\"")),
        "expected_form",
        "inside and outside"
    );
    assert_eq!(code(&text.replace("a2a2", "a2")), "expected_register");
    assert_eq!(code(&text.replace("a2a2", "zzzz")), "expected_register");
    assert_eq!(code(&" ".repeat((1 << 20) + 1)), "expected_too_large");
}
