//! The grammar that spec, receipts and manifest share: `docs/formats/manifest.md`.
//!
//! First line the magic, then `key value` lines in strictly ascending byte order, printable ASCII and LF only.
//! There is one spelling for every text: [`Entries::parse`] refuses what [`Entries::write`] would not write.

use std::collections::BTreeMap;

use thiserror::Error;

/// Why a text is not canonical. Lines are counted from 1, the magic is line 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// More bytes than any text of this kind can have.
    #[error("text of {got} bytes, at most {limit} allowed")]
    TooLong {
        /// Most bytes allowed.
        limit: usize,
        /// Bytes given.
        got: usize,
    },
    /// The first line is another one.
    #[error("first line is not `{expected}`")]
    Magic {
        /// The magic of this kind of text.
        expected: &'static str,
    },
    /// A byte outside 0x20–0x7e that is not a line end.
    #[error("byte 0x{byte:02x} at offset {offset} is neither printable ASCII nor a line feed")]
    Byte {
        /// Position of the byte in the text.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// The text does not end with exactly one LF.
    #[error("text does not end with exactly one line feed")]
    End,
    /// A line without a space between key and value.
    #[error("line {line} is not `key value`")]
    Line {
        /// Line number.
        line: usize,
    },
    /// A key that the grammar does not allow.
    #[error("key of line {line} is not allowed by the grammar")]
    Key {
        /// Line number, 0 when the text is being written.
        line: usize,
    },
    /// A key that does not come after the key of the line before.
    #[error("key of line {line} is not in ascending order")]
    Order {
        /// Line number.
        line: usize,
    },
    /// A value that is empty, has outer spaces or bytes that cannot be written.
    #[error("value of `{key}` is empty, has outer spaces or unprintable bytes")]
    Value {
        /// The key.
        key: String,
    },
    /// A key that must be there is not.
    #[error("key `{key}` is missing")]
    Missing {
        /// The key.
        key: String,
    },
    /// A key that this kind of text does not have.
    #[error("key `{key}` is not known")]
    Unknown {
        /// The key.
        key: String,
    },
    /// A value that is not spelt as its type demands.
    #[error("value of `{key}` is not {expected}")]
    Type {
        /// The key.
        key: String,
        /// What the value must be.
        expected: &'static str,
    },
}

impl CanonicalError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "canonical_too_long",
            Self::Magic { .. } => "canonical_magic",
            Self::Byte { .. } => "canonical_byte",
            Self::End => "canonical_end",
            Self::Line { .. } => "canonical_line",
            Self::Key { .. } => "canonical_key",
            Self::Order { .. } => "canonical_order",
            Self::Value { .. } => "canonical_value",
            Self::Missing { .. } => "canonical_missing",
            Self::Unknown { .. } => "canonical_unknown",
            Self::Type { .. } => "canonical_type",
        }
    }
}

/// The `key value` lines of one text, without its magic.
///
/// A reader takes out what it knows and ends with [`Entries::finish`], which refuses what is left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entries {
    lines: BTreeMap<String, String>,
}

impl Entries {
    /// No lines yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a whole text of at most `limit` bytes whose first line is `magic`.
    pub fn parse(text: &[u8], magic: &'static str, limit: usize) -> Result<Self, CanonicalError> {
        if text.len() > limit {
            return Err(CanonicalError::TooLong {
                limit,
                got: text.len(),
            });
        }
        let mut lines = printable(text)?.split('\n');
        if lines.next() != Some(magic) {
            return Err(CanonicalError::Magic { expected: magic });
        }
        // `split` ends with what follows the last LF: nothing, in a text that ends with one.
        if lines.next_back() != Some("") {
            return Err(CanonicalError::End);
        }
        let mut entries = BTreeMap::<String, String>::new();
        for (line, content) in (2usize..).zip(lines) {
            let (key, value) = content
                .split_once(' ')
                .ok_or(CanonicalError::Line { line })?;
            if !is_key(key) {
                return Err(CanonicalError::Key { line });
            }
            if !is_value(value) {
                return Err(CanonicalError::Value {
                    key: key.to_owned(),
                });
            }
            if entries
                .last_key_value()
                .is_some_and(|(last, _)| last.as_str() >= key)
            {
                return Err(CanonicalError::Order { line });
            }
            entries.insert(key.to_owned(), value.to_owned());
        }
        Ok(Self { lines: entries })
    }

    /// The whole text: magic, lines in ascending order, one LF after each.
    pub fn write(&self, magic: &'static str) -> Result<Vec<u8>, CanonicalError> {
        let mut text = String::from(magic);
        text.push('\n');
        for (key, value) in &self.lines {
            if !is_key(key) {
                return Err(CanonicalError::Key { line: 0 });
            }
            if !is_value(value) {
                return Err(CanonicalError::Value { key: key.clone() });
            }
            text.push_str(key);
            text.push(' ');
            text.push_str(value);
            text.push('\n');
        }
        Ok(text.into_bytes())
    }

    /// Sets a line; the last value given for a key counts.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "takes numbers and references alike"
    )]
    pub fn set(&mut self, key: impl Into<String>, value: impl ToString) {
        self.lines.insert(key.into(), value.to_string());
    }

    /// Takes a line that must be there.
    pub fn take(&mut self, key: &str) -> Result<String, CanonicalError> {
        self.take_optional(key)
            .ok_or_else(|| CanonicalError::Missing {
                key: key.to_owned(),
            })
    }

    /// Takes a line that may be there.
    pub fn take_optional(&mut self, key: &str) -> Option<String> {
        self.lines.remove(key)
    }

    /// Takes a line that must be there and be spelt as `T` writes itself.
    pub fn take_as<T: Spelling>(&mut self, key: &str) -> Result<T, CanonicalError> {
        spelt(key, &self.take(key)?)
    }

    /// Takes all lines whose keys begin with `prefix`, in order, with the prefix cut off.
    pub fn take_prefixed(&mut self, prefix: &str) -> BTreeMap<String, String> {
        let (with, without) = std::mem::take(&mut self.lines)
            .into_iter()
            .partition(|(key, _)| key.starts_with(prefix));
        self.lines = without;
        let with: BTreeMap<String, String> = with;
        with.into_iter()
            .map(|(key, value)| {
                (
                    key.strip_prefix(prefix).unwrap_or_default().to_owned(),
                    value,
                )
            })
            .collect()
    }

    /// Makes entries of lines that were taken out with [`Entries::take_prefixed`].
    pub fn from_lines(lines: BTreeMap<String, String>) -> Self {
        Self { lines }
    }

    /// The lines in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Refuses any line that was not taken.
    pub fn finish(self) -> Result<(), CanonicalError> {
        match self.lines.into_iter().next() {
            Some((key, _)) => Err(CanonicalError::Unknown { key }),
            None => Ok(()),
        }
    }
}

/// A type with exactly one spelling as a value.
pub trait Spelling: Sized {
    /// What a value must be, for the error message.
    const EXPECTED: &'static str;
    /// Reads a value; `None` when it is not the one spelling of anything.
    fn read(value: &str) -> Option<Self>;
}

/// Reads `value` as a `T`; the error names `key`.
pub fn spelt<T: Spelling>(key: &str, value: &str) -> Result<T, CanonicalError> {
    T::read(value).ok_or_else(|| CanonicalError::Type {
        key: key.to_owned(),
        expected: T::EXPECTED,
    })
}

macro_rules! integer_spelling {
    ($($int:ty),*) => {$(
        impl Spelling for $int {
            const EXPECTED: &'static str = "a decimal integer without leading zeros";
            fn read(value: &str) -> Option<Self> {
                let number: Self = value.parse().ok()?;
                (number.to_string() == value).then_some(number)
            }
        }
    )*};
}
integer_spelling!(u8, u32, u64);

/// A closed set of words: an enum with one spelling for each variant.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// The word that canonical texts use.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::canonical::Spelling for $name {
            const EXPECTED: &'static str = $expected;
            fn read(value: &str) -> Option<Self> {
                match value { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use word;

/// Bytes as lower-case hex.
impl Spelling for Vec<u8> {
    const EXPECTED: &'static str = "lower-case hex";
    fn read(value: &str) -> Option<Self> {
        let bytes = hex::decode(value).ok()?;
        (hex::encode(&bytes) == value).then_some(bytes)
    }
}

impl<const N: usize> Spelling for [u8; N] {
    const EXPECTED: &'static str = "lower-case hex of the right length";
    fn read(value: &str) -> Option<Self> {
        <Vec<u8> as Spelling>::read(value)?.try_into().ok()
    }
}

/// The text as `&str` if every byte may stand in a canonical text.
fn printable(text: &[u8]) -> Result<&str, CanonicalError> {
    let bad = text
        .iter()
        .enumerate()
        .find(|&(_, &byte)| byte != b'\n' && !matches!(byte, 0x20..=0x7e));
    if let Some((offset, &byte)) = bad {
        return Err(CanonicalError::Byte { offset, byte });
    }
    // Printable ASCII is UTF-8: this cannot fail after the check above.
    std::str::from_utf8(text).map_err(|error| CanonicalError::Byte {
        offset: error.valid_up_to(),
        byte: 0,
    })
}

/// Keys that carry a percent-encoded path after their prefix.
const PATH_PREFIX: &str = "source.";

fn is_key(key: &str) -> bool {
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'))
    };
    match key.strip_prefix(PATH_PREFIX) {
        Some(path) => percent_decode(path).is_some_and(|decoded| !decoded.is_empty()),
        None => plain(key),
    }
}

fn is_value(value: &str) -> bool {
    !value.is_empty()
        && !value.starts_with(' ')
        && !value.ends_with(' ')
        && value.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// Bytes that stand for themselves in a percent-encoded value.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-')
}

/// Writes bytes outside `[A-Za-z0-9_./-]` as `%XX`, upper-case hex.
pub fn percent_encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if is_unreserved(byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&hex::encode_upper([byte]));
        }
    }
    text
}

/// Reads what [`percent_encode`] wrote and nothing else.
pub fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [] => break,
            [b'%', high, low, tail @ ..] => {
                bytes.extend(hex::decode([*high, *low]).ok()?);
                rest = tail;
            }
            [byte, tail @ ..] => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    (percent_encode(&bytes) == text).then_some(bytes)
}

/// A text that is percent-encoded where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PercentText(pub String);

impl Spelling for PercentText {
    const EXPECTED: &'static str = "percent-encoded UTF-8";
    fn read(value: &str) -> Option<Self> {
        String::from_utf8(percent_decode(value)?).ok().map(Self)
    }
}

#[cfg(test)]
mod tests;
