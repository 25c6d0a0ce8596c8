//! The committed corpus of every parser, and thousands of mutations of it: each file is judged as
//! its name says, nothing panics, and no format has a second spelling.
//!
//! A file's name begins with `accepted` or with the code of the refusal, then `-` or the extension.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::path::PathBuf;

use corpus::{Accepted, PARSERS, Parser};

fn files(parser: &Parser) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = testkit::workspace_root()
        .join("tests/vectors")
        .join(parser.name);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        // Trust anchors of the corpus lie beside its files.
        .filter(|path| {
            path.extension().is_none_or(|extension| extension != "der") || {
                parser.name == "certificate"
            }
        })
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The verdict as it begins a file's name.
fn judged(parser: &Parser, bytes: &[u8]) -> String {
    match (parser.parse)(bytes) {
        Ok(Accepted::Read) => "accepted".to_owned(),
        Ok(Accepted::Written(written)) => {
            assert_eq!(written, bytes, "{}", parser.name);
            "accepted".to_owned()
        }
        Err(code) => code,
    }
}

#[test]
fn every_file_is_judged_as_its_name_says() {
    let mut wrong = Vec::new();
    for parser in &PARSERS {
        let (mut accepted, mut refused) = (0, 0);
        for (name, bytes) in files(parser) {
            let verdict = judged(parser, &bytes);
            let rest = name.strip_prefix(&verdict);
            if !rest.is_some_and(|rest| rest.starts_with(['-', '.'])) {
                wrong.push(format!("{}/{name}: {verdict}", parser.name));
            }
            if verdict == "accepted" {
                accepted += 1;
            } else {
                refused += 1;
            }
        }
        assert!(accepted >= 1, "{}: no accepted file", parser.name);
        assert!(refused >= 2, "{}: {refused} refused files", parser.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn r17_no_mutation_of_the_corpus_makes_a_parser_panic() {
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    for parser in &PARSERS {
        // Pairings and certificate chains take a hundred times as long as a header.
        let rounds = match parser.name {
            "attestation" | "drand_beacon" => 50,
            _ => 2000,
        };
        for (_, seed) in files(parser) {
            for _ in 0..rounds {
                judged(parser, &random.change(&seed));
            }
        }
    }
}

#[test]
fn every_parser_has_its_fuzz_target() {
    let folder = testkit::workspace_root().join("fuzz");
    let listed = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for parser in &PARSERS {
        let name = parser.name;
        let path = format!("fuzz_targets/{name}.rs");
        assert!(listed.contains(&format!("path = \"{path}\"")), "{name}");
        let target = std::fs::read_to_string(folder.join(path)).unwrap();
        assert!(
            target.contains(&format!("fuzz(\"{name}\", data)")),
            "{name}"
        );
    }
}

/// A fixed stream of changes.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below.max(1)).unwrap()).unwrap()
    }

    /// One to three edits: a changed byte, a cut, an inserted byte or a repeated part. Half of them
    /// hit the first 128 bytes, where magic, counts and sizes are.
    fn change(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.next(3) {
            let reach = if self.next(2) == 0 { 128 } else { usize::MAX };
            let at = self.next(bytes.len().min(reach));
            let any = u8::try_from(self.next(256)).unwrap();
            match self.next(8) {
                _ if bytes.is_empty() => bytes.push(any),
                0 => bytes[at] = 0xff,
                1 => bytes[at] = 0,
                2 => bytes[at] ^= 1 << self.next(8),
                3 => bytes[at] = any,
                4 => bytes.truncate(at),
                5 => bytes.insert(at, b" \n%.0a~\xff"[self.next(8)]),
                6 => drop(bytes.remove(at)),
                _ => {
                    let part = bytes[at..(at + 16).min(bytes.len())].to_vec();
                    bytes.splice(at..at, part);
                }
            }
        }
        bytes
    }
}
