//! `beacon.json`: the drand round that was applied, in exactly one spelling.

use thiserror::Error;

use crate::canonical::Spelling;
use crate::spec::BeaconChain;

/// Most bytes of a `beacon.json` that can be valid.
pub const MAX_BEACON_BYTES: usize = 1024;

/// Why a `beacon.json` is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BeaconJsonError {
    /// More bytes than a beacon can have.
    #[error("beacon.json of {got} bytes, at most {limit} allowed")]
    TooLong {
        /// Most bytes allowed.
        limit: usize,
        /// Bytes given.
        got: usize,
    },
    /// A line that is not the one that belongs there.
    #[error("line {line} of beacon.json is not {expected}")]
    Line {
        /// Line number, from 1.
        line: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// The right fields, but not spelt as this format spells them.
    #[error("beacon.json is not spelt canonically")]
    Spelling,
}

impl BeaconJsonError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "beacon_json_too_long",
            Self::Line { .. } => "beacon_json_line",
            Self::Spelling => "beacon_json_spelling",
        }
    }
}

/// A round as the file states it. Nothing about its signature has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeaconJson {
    /// The chain.
    pub chain: BeaconChain,
    /// The round.
    pub round: u64,
    /// SHA-256 of the signature, as the file claims.
    pub randomness: [u8; 32],
    /// Compressed signature: 48 or 96 bytes.
    pub signature: Vec<u8>,
    /// Signature of the round before; `None` on unchained chains.
    pub previous_signature: Option<Vec<u8>>,
}

impl BeaconJson {
    /// The file's bytes: one field a line, two-space indent, LF at the end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut fields = vec![
            format!("  \"chain\": \"{}\"", self.chain),
            format!("  \"round\": {}", self.round),
            format!("  \"randomness\": \"{}\"", hex::encode(self.randomness)),
            format!("  \"signature\": \"{}\"", hex::encode(&self.signature)),
        ];
        if let Some(previous) = &self.previous_signature {
            fields.push(format!(
                "  \"previous_signature\": \"{}\"",
                hex::encode(previous)
            ));
        }
        format!("{{\n{}\n}}\n", fields.join(",\n")).into_bytes()
    }

    /// Reads the file's bytes; refuses any other spelling of the same round.
    pub fn parse(bytes: &[u8]) -> Result<Self, BeaconJsonError> {
        if bytes.len() > MAX_BEACON_BYTES {
            let (limit, got) = (MAX_BEACON_BYTES, bytes.len());
            return Err(BeaconJsonError::TooLong { limit, got });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BeaconJsonError::Spelling)?;
        let mut lines = Lines {
            lines: text.split('\n'),
            number: 0,
        };
        lines.exactly("{", "an opening brace")?;
        let beacon = Self {
            chain: lines.value(quoted, "chain", "the chain's name")?,
            round: lines.value(field, "round", "the round's number")?,
            randomness: lines.value(quoted, "randomness", "32 bytes of randomness in hex")?,
            signature: lines.value(quoted, "signature", "the signature in hex")?,
            previous_signature: lines.optional_hex("previous_signature"),
        };
        // One spelling: whatever was read above must be written back byte for byte.
        if beacon.to_bytes() == bytes {
            Ok(beacon)
        } else {
            Err(BeaconJsonError::Spelling)
        }
    }
}

struct Lines<'a> {
    lines: std::str::Split<'a, char>,
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.number += 1;
        self.lines.next()
    }

    fn exactly(&mut self, wanted: &str, expected: &'static str) -> Result<(), BeaconJsonError> {
        match self.next() {
            Some(line) if line == wanted => Ok(()),
            _ => Err(BeaconJsonError::Line {
                line: self.number,
                expected,
            }),
        }
    }

    /// The value of the next line, which must be the field `name`; `find` takes it out of the line.
    fn value<T: Spelling>(
        &mut self,
        find: fn(&'a str, &str) -> Option<&'a str>,
        name: &str,
        expected: &'static str,
    ) -> Result<T, BeaconJsonError> {
        let value = self
            .next()
            .and_then(|line| find(line, name))
            .and_then(T::read);
        value.ok_or(BeaconJsonError::Line {
            line: self.number,
            expected,
        })
    }

    fn optional_hex(&mut self, name: &str) -> Option<Vec<u8>> {
        Spelling::read(quoted(self.next()?, name)?)
    }
}

/// The value of the line `  "NAME": VALUE` with or without a comma at its end.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let value = line
        .strip_prefix("  \"")?
        .strip_prefix(name)?
        .strip_prefix("\": ")?;
    Some(value.strip_suffix(',').unwrap_or(value))
}

fn quoted<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    field(line, name)?.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quicknet() -> BeaconJson {
        BeaconJson {
            chain: BeaconChain::Quicknet,
            round: 1000,
            randomness: [0xfe; 32],
            signature: vec![0xb4; 48],
            previous_signature: None,
        }
    }

    fn chained() -> BeaconJson {
        let previous_signature = Some(vec![0xa1; 96]);
        BeaconJson {
            chain: BeaconChain::Default,
            previous_signature,
            ..quicknet()
        }
    }

    #[test]
    fn golden_bytes() {
        let expected = format!(
            "{{\n  \"chain\": \"default\",\n  \"round\": 1000,\n  \"randomness\": \"{}\",\n  \
             \"signature\": \"{}\",\n  \"previous_signature\": \"{}\"\n}}\n",
            "fe".repeat(32),
            "b4".repeat(48),
            "a1".repeat(96)
        );
        assert_eq!(String::from_utf8(chained().to_bytes()).unwrap(), expected);
    }

    #[test]
    fn reads_what_it_writes() {
        for beacon in [quicknet(), chained()] {
            assert_eq!(BeaconJson::parse(&beacon.to_bytes()), Ok(beacon));
        }
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let text = String::from_utf8(quicknet().to_bytes()).unwrap();
        let line = |line, expected| Err(BeaconJsonError::Line { line, expected });
        for (from, to, error) in [
            ("{\n", "{ \n", line(1, "an opening brace")),
            ("quicknet", "fastnet", line(2, "the chain's name")),
            ("1000", "01000", line(3, "the round's number")),
            ("1000", "1e3", line(3, "the round's number")),
            ("1000", "\"1000\"", line(3, "the round's number")),
            ("fefe", "FEFE", line(4, "32 bytes of randomness in hex")),
            ("\"fe", "\"", line(4, "32 bytes of randomness in hex")),
            ("b4b4", "b4b", line(5, "the signature in hex")),
            ("\n}\n", "\n}", Err(BeaconJsonError::Spelling)),
            ("\n}\n", "\n}\n\n", Err(BeaconJsonError::Spelling)),
            ("\n}\n", "\n}\n ", Err(BeaconJsonError::Spelling)),
            (
                "\n}\n",
                ",\n  \"previous_signature\": \"\"\n\n}\n",
                Err(BeaconJsonError::Spelling),
            ),
            (
                "\n}\n",
                ",\n  \"more\": 1\n}\n",
                Err(BeaconJsonError::Spelling),
            ),
            ("1000,", "1000", Err(BeaconJsonError::Spelling)),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from} -> {to}");
            assert_eq!(
                BeaconJson::parse(changed.as_bytes()),
                error,
                "{from} -> {to}"
            );
        }
        let long = vec![b' '; MAX_BEACON_BYTES + 1];
        let error = BeaconJsonError::TooLong {
            limit: 1024,
            got: 1025,
        };
        assert_eq!(BeaconJson::parse(&long), Err(error));
    }
}
