//! The committed corpus in `tests/vectors/attestation`, replayed, and a few thousand changes of it.
//!
//! `cargo test -p attestation --test it -- --ignored` writes it anew.
use crate::common::Forge;
use attestation::{
    Anchor, PcrPolicy, RawDocument, UnixMillis, certificate::Certificate, cose::Envelope,
    payload::Payload,
};
use simulation::document::MapForm;
use std::path::PathBuf;

fn folder() -> PathBuf {
    testkit::workspace_root().join("tests/vectors/attestation")
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

#[test]
fn the_documents_of_the_corpus_verify_forever() {
    let anchor = Anchor::Simulated(read("root.der"));
    for name in ["indefinite.cbor", "definite.cbor"] {
        let verified = RawDocument(read(name))
            .validate(&anchor, &PcrPolicy::unpinned())
            .unwrap();
        assert_eq!(verified.time(), UnixMillis(1_790_000_000_000));
        assert_eq!(verified.user_data(), Some(b"user data".as_slice()));
        assert_eq!(verified.nonce(), Some([9; 32].as_slice()));
    }
}

#[test]
fn r17_no_change_of_the_corpus_makes_a_parser_panic() {
    let anchor = Anchor::Simulated(read("root.der"));
    let seeds = ["indefinite.cbor", "definite.cbor", "root.der"].map(read);
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    let mut parsed = 0;
    for seed in &seeds {
        for _ in 0..3000 {
            let bytes = random.change(seed);
            parsed += usize::from(Envelope::parse(&bytes).is_ok());
            parsed += usize::from(Payload::parse(bytes.get(8..).unwrap_or_default()).is_ok());
            parsed += usize::from(Certificate::parse(&bytes).is_ok());
        }
        for _ in 0..100 {
            let bytes = random.change(seed);
            let outcome = RawDocument(bytes.clone()).validate(&anchor, &PcrPolicy::unpinned());
            assert!(bytes == *seed || outcome.is_err());
        }
    }
    // Some changes leave a form intact, so the parsers were reached beyond their first bytes.
    assert!(parsed > 100, "{parsed} parsed");
}

#[test]
#[ignore = "writes the corpus"]
fn write_the_corpus() {
    let forge = Forge::new();
    std::fs::create_dir_all(folder()).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder().join(name), bytes).unwrap();
    write("root.der", &forge.chain[0]);
    write(
        "indefinite.cbor",
        &forge.document_of(MapForm::Indefinite, |_| {}),
    );
    write(
        "definite.cbor",
        &forge.document_of(MapForm::Definite, |_| {}),
    );
}

struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below.max(1)).unwrap()).unwrap()
    }

    /// One to four edits: a changed byte, a cut, an inserted byte or a repeated part.
    fn change(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.next(3) {
            let at = self.next(bytes.len());
            match self.next(4) {
                0 if !bytes.is_empty() => bytes[at] = u8::try_from(self.next(256)).unwrap(),
                1 => bytes.truncate(at),
                2 => bytes.insert(at, u8::try_from(self.next(256)).unwrap()),
                _ => {
                    let part = bytes[at..(at + 16).min(bytes.len())].to_vec();
                    bytes.splice(at..at, part);
                }
            }
        }
        bytes
    }
}
