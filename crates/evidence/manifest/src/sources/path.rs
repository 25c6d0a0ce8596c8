//! Paths inside a source bundle: relative, normal, and the same file on every file system.

use std::fmt;

/// Most bytes of a path.
const MAX_PATH_BYTES: usize = 512;
/// Most components of a path.
const MAX_COMPONENTS: usize = 32;
/// Most bytes of one component.
const MAX_COMPONENT_BYTES: usize = 255;

/// A path that breaks a rule of `docs/formats/sources.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Nothing there.
    #[error("the path is empty")]
    Empty,
    /// Longer than 512 bytes.
    #[error("the path has {got} bytes, more than {MAX_PATH_BYTES}")]
    TooLong {
        /// Bytes of the path.
        got: usize,
    },
    /// More than 32 components.
    #[error("the path has more than {MAX_COMPONENTS} components")]
    TooDeep,
    /// Starts with `/`.
    #[error("the path is absolute")]
    Absolute,
    /// Two slashes in a row, or one at the end.
    #[error("the path has an empty component")]
    EmptyComponent,
    /// A component longer than 255 bytes.
    #[error("a component of the path has {got} bytes, more than {MAX_COMPONENT_BYTES}")]
    ComponentTooLong {
        /// Bytes of the component.
        got: usize,
    },
    /// `.` or `..`.
    #[error("the path has a component `.` or `..`")]
    Dots,
    /// A control character, `\` or `:`.
    #[error("the path holds the forbidden character {character:?}")]
    Character {
        /// The character.
        character: char,
    },
    /// Not UTF-8 once decoded.
    #[error("the path is not UTF-8")]
    NotUtf8,
    /// A percent code that is malformed, or one for a byte that stands for itself.
    #[error("the path is not percent-encoded in the one allowed way")]
    Encoding,
}

/// A checked path inside a source bundle. Ordered by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePath(String);

impl SourcePath {
    /// Checks a plain path, `/`-separated.
    pub fn new(path: &str) -> Result<Self, PathError> {
        if path.is_empty() {
            return Err(PathError::Empty);
        }
        if path.len() > MAX_PATH_BYTES {
            return Err(PathError::TooLong { got: path.len() });
        }
        if path.starts_with('/') {
            return Err(PathError::Absolute);
        }
        for (index, component) in path.split('/').enumerate() {
            if index >= MAX_COMPONENTS {
                return Err(PathError::TooDeep);
            }
            check_component(component)?;
        }
        Ok(Self(path.to_owned()))
    }

    /// Checks a percent-encoded path as it stands in a header.
    pub fn decode(encoded: &str) -> Result<Self, PathError> {
        if encoded.len() > 3 * MAX_PATH_BYTES {
            return Err(PathError::TooLong { got: encoded.len() });
        }
        let mut bytes = Vec::with_capacity(encoded.len());
        let mut rest = encoded.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            if *first != b'%' {
                bytes.push(*first);
                rest = after;
                continue;
            }
            let Some((code, after)) = after.split_first_chunk::<2>() else {
                return Err(PathError::Encoding);
            };
            let mut byte = [0_u8];
            hex::decode_to_slice(code, &mut byte).map_err(|_| PathError::Encoding)?;
            bytes.extend_from_slice(&byte);
            rest = after;
        }
        let plain = String::from_utf8(bytes).map_err(|_| PathError::NotUtf8)?;
        let path = Self::new(&plain)?;
        // One spelling only: what would not be written back so is refused.
        if path.encode() == encoded {
            Ok(path)
        } else {
            Err(PathError::Encoding)
        }
    }

    /// The path percent-encoded: bytes outside `[A-Za-z0-9_./-]` are `%XX` with upper-case hex.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut encoded = String::with_capacity(self.0.len());
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-') {
                encoded.push(char::from(byte));
            } else {
                encoded.push('%');
                encoded.push_str(&hex::encode_upper([byte]));
            }
        }
        encoded
    }

    /// The path, plain.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components, at least one.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Whether this path lies in the folder (at any depth, and is not the folder itself).
    #[must_use]
    pub fn is_inside(&self, folder: &SourcePath) -> bool {
        self.0
            .strip_prefix(folder.as_str())
            .is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn check_component(component: &str) -> Result<(), PathError> {
    if component.is_empty() {
        return Err(PathError::EmptyComponent);
    }
    if component.len() > MAX_COMPONENT_BYTES {
        return Err(PathError::ComponentTooLong {
            got: component.len(),
        });
    }
    if matches!(component, "." | "..") {
        return Err(PathError::Dots);
    }
    match component
        .chars()
        .find(|character| character.is_control() || matches!(character, '\\' | ':'))
    {
        Some(character) => Err(PathError::Character { character }),
        None => Ok(()),
    }
}
