//! Names of objects and of runs: checked once, then safe to join to a folder or to put into a URL.

use std::fmt;
use std::str::FromStr;

/// Longest key in bytes.
const MAX_KEY: usize = 512;
/// Longest component in bytes.
const MAX_COMPONENT: usize = 128;
/// Most components.
const MAX_DEPTH: usize = 16;

/// Name of an object: one to sixteen components of `[A-Za-z0-9_@][A-Za-z0-9._@-]*`, joined by `/`.
///
/// No component can be `.`, `..` or hidden, none can hold a separator, a percent sign, a control
/// character or a byte outside ASCII, so a key never means another path after decoding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components, in order.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl FromStr for ObjectKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_KEY {
            return Err(KeyError::TooLong {
                limit: MAX_KEY,
                got: text.len(),
            });
        }
        let mut depth = 0_usize;
        for component in text.split('/') {
            // Sources of npm packages have such names: `@scope/package`, `_shared.circom`.
            check_component(component, b"_@", b"._-@")?;
            depth = depth.saturating_add(1);
        }
        if depth > MAX_DEPTH {
            return Err(KeyError::TooDeep {
                limit: MAX_DEPTH,
                got: depth,
            });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Name of a run: one component of a key, at most 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.len() > 64 {
            return Err(KeyError::TooLong {
                limit: 64,
                got: text.len(),
            });
        }
        check_component(text, b"", b"._-")?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Beside letters and digits, `starts` may stand first and `others` anywhere after that.
fn check_component(component: &str, starts: &[u8], others: &[u8]) -> Result<(), KeyError> {
    let Some(&first) = component.as_bytes().first() else {
        return Err(KeyError::EmptyComponent);
    };
    if component.len() > MAX_COMPONENT {
        return Err(KeyError::TooLong {
            limit: MAX_COMPONENT,
            got: component.len(),
        });
    }
    if !first.is_ascii_alphanumeric() && !starts.contains(&first) {
        return Err(KeyError::BadStart { byte: first });
    }
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || others.contains(b);
    match component.as_bytes().iter().find(|b| !allowed(b)) {
        Some(&byte) => Err(KeyError::BadByte { byte }),
        None => Ok(()),
    }
}

/// Why a text is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Longer than allowed.
    #[error("name of {got} bytes, at most {limit} are allowed")]
    TooLong {
        /// Most bytes allowed.
        limit: usize,
        /// Bytes given.
        got: usize,
    },
    /// More components than allowed.
    #[error("name of {got} components, at most {limit} are allowed")]
    TooDeep {
        /// Most components allowed.
        limit: usize,
        /// Components given.
        got: usize,
    },
    /// Empty name, leading, trailing or doubled `/`.
    #[error("empty component in a name")]
    EmptyComponent,
    /// A component starts with something that no name starts with: `..` and hidden files too.
    #[error("a component starts with byte 0x{byte:02x}, which no name starts with")]
    BadStart {
        /// The byte.
        byte: u8,
    },
    /// A byte outside `[A-Za-z0-9._@-]`.
    #[error("byte 0x{byte:02x} is not allowed in a name")]
    BadByte {
        /// The byte.
        byte: u8,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_keys_are_taken() {
        for key in [
            "job",
            "runs/r-1/status/0000000001",
            "runs/r1/artifacts/final.zkey",
            "bundle/circuit/@scope/package/_shared.circom",
        ] {
            assert_eq!(key.parse::<ObjectKey>().unwrap().as_str(), key);
        }
    }

    #[test]
    fn r42_r51_names_that_leave_the_store_are_refused() {
        let cases: [(&str, KeyError); 18] = [
            ("", KeyError::EmptyComponent),
            ("/etc/passwd", KeyError::EmptyComponent),
            ("out/", KeyError::EmptyComponent),
            ("out//x", KeyError::EmptyComponent),
            ("..", KeyError::BadStart { byte: b'.' }),
            (".", KeyError::BadStart { byte: b'.' }),
            ("out/../../x", KeyError::BadStart { byte: b'.' }),
            ("out/./x", KeyError::BadStart { byte: b'.' }),
            (".hidden", KeyError::BadStart { byte: b'.' }),
            ("-rf", KeyError::BadStart { byte: b'-' }),
            ("~root", KeyError::BadStart { byte: b'~' }),
            ("a%2e%2e%2fb", KeyError::BadByte { byte: b'%' }),
            ("a\\..\\b", KeyError::BadByte { byte: b'\\' }),
            ("a\0b", KeyError::BadByte { byte: 0 }),
            ("a\nb", KeyError::BadByte { byte: b'\n' }),
            ("c:evil", KeyError::BadByte { byte: b':' }),
            ("a b", KeyError::BadByte { byte: b' ' }),
            ("$(id)", KeyError::BadStart { byte: b'$' }),
        ];
        for (key, expected) in cases {
            assert_eq!(key.parse::<ObjectKey>().unwrap_err(), expected, "{key:?}");
        }
        let long = "a".repeat(129);
        assert_eq!(
            long.parse::<ObjectKey>().unwrap_err(),
            KeyError::TooLong {
                limit: 128,
                got: 129
            }
        );
        assert_eq!(
            ["a"; 17].join("/").parse::<ObjectKey>().unwrap_err(),
            KeyError::TooDeep { limit: 16, got: 17 }
        );
        assert_eq!(
            "a/b".parse::<RunId>().unwrap_err(),
            KeyError::BadByte { byte: b'/' }
        );
        for run in ["@r", "_r"] {
            assert!(matches!(
                run.parse::<RunId>(),
                Err(KeyError::BadStart { .. })
            ));
        }
        assert_eq!(
            "r@1".parse::<RunId>().unwrap_err(),
            KeyError::BadByte { byte: b'@' }
        );
        assert_eq!(
            "ü".parse::<RunId>().unwrap_err(),
            KeyError::BadStart { byte: 0xc3 }
        );
    }
}
