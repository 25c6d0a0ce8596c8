//! Links of a published page: two shapes, and nothing else ever stands in an `href`.

use std::collections::BTreeMap;
use std::fmt;

use super::utc;

/// Longest link in bytes: a signed link with a session token has about 2,000.
const MAX_LINK: usize = 4096;

/// A link that a page may hold: a file beside the page or below it, or an `https` address.
///
/// Never a script, never another scheme, never a way out of the page's folder. What is between the
/// quotes of an `href` needs no escaping but that of `&`.
#[derive(Clone, PartialEq, Eq)]
pub struct Href(String);

impl Href {
    /// A file beside the page or below it, `/`-separated; anything but `[A-Za-z0-9._~-]` becomes `%XX`.
    ///
    /// # Errors
    /// [`HrefError`] for an absolute path, an empty component, `.` and `..`.
    pub fn beside(path: &str) -> Result<Self, HrefError> {
        let mut text = String::with_capacity(path.len());
        for (index, component) in path.split('/').enumerate() {
            if matches!(component, "" | "." | "..") {
                return Err(HrefError::Path);
            }
            if index > 0 {
                text.push('/');
            }
            encode(component, &mut text);
        }
        Self::checked(text)
    }

    /// An `https` address with a host in lower case, a path, and perhaps a query: printable ASCII as
    /// RFC 3986 has it, no user, no fragment, no `.` or `..` among the path's components, encoded or not.
    ///
    /// # Errors
    /// [`HrefError`] for anything else.
    pub fn https(text: &str) -> Result<Self, HrefError> {
        let rest = text.strip_prefix("https://").ok_or(HrefError::Scheme)?;
        let (host, rest) = rest.split_once('/').ok_or(HrefError::Path)?;
        let allowed =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
        let (name, port) = host.split_once(':').unwrap_or((host, "443"));
        if name.is_empty()
            || name.starts_with(['.', '-'])
            || !name.bytes().all(allowed)
            || port.parse::<u16>().is_err()
        {
            return Err(HrefError::Host);
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&b);
        if !path.bytes().all(|b| plain(b) || b == b'/')
            || !query.bytes().all(|b| plain(b) || matches!(b, b'/' | b'?'))
        {
            return Err(HrefError::Character);
        }
        let dots = |component: &str| {
            matches!(
                component.to_ascii_lowercase().replace("%2e", ".").as_str(),
                "." | ".."
            )
        };
        if path.split('/').any(dots) {
            return Err(HrefError::Path);
        }
        Self::checked(text.to_owned())
    }

    fn checked(text: String) -> Result<Self, HrefError> {
        if text.len() > MAX_LINK {
            return Err(HrefError::TooLong { got: text.len() });
        }
        Ok(Self(text))
    }

    /// The link, for a page or a person. A signed one is a secret: never into a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Without the query, which may hold a signature.
impl fmt::Debug for Href {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = self.0.split('?').next().unwrap_or_default();
        write!(f, "Href({public})")
    }
}

fn encode(component: &str, text: &mut String) {
    for byte in component.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'-') {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&hex::encode_upper([byte]));
        }
    }
}

/// Why a text is no link of a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HrefError {
    /// Another scheme than `https`.
    #[error("a link is not of the form https://HOST/PATH")]
    Scheme,
    /// Not a host name in lower case.
    #[error("a link names no host")]
    Host,
    /// No path, or one that leaves its folder.
    #[error(
        "the path of a link is absent, absolute where it must not be, or has `.` or `..` in it"
    )]
    Path,
    /// A character that no link here holds.
    #[error("a link holds a character that is not allowed in it")]
    Character,
    /// Longer than any link here.
    #[error("a link of {got} bytes, at most {MAX_LINK} are allowed")]
    TooLong {
        /// Bytes given.
        got: usize,
    },
}

impl HrefError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Scheme => "link_scheme",
            Self::Host => "link_host",
            Self::Path => "link_path",
            Self::Character => "link_character",
            Self::TooLong { .. } => "link_length",
        }
    }
}

/// Where a published page finds the files.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// Links by path in the bundle: `final.zkey`, `circuit/main.circom`.
    pub files: BTreeMap<String, Href>,
    /// What is there besides the files that the page lists anyway: text and link, in this order.
    pub others: Vec<(String, Href)>,
    /// When the links end, milliseconds since the Unix epoch; `None`: they do not.
    pub until_ms: Option<u64>,
}

impl Links {
    pub(super) fn until(&self) -> Option<String> {
        self.until_ms.map(utc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r52_links_have_one_of_two_shapes() {
        for (path, link) in [
            ("final.zkey", "final.zkey"),
            (
                "bundle/circuit/my lib/ä.circom",
                "bundle/circuit/my%20lib/%C3%A4.circom",
            ),
            ("a&b\"c<'>", "a%26b%22c%3C%27%3E"),
            ("javascript:alert(1)", "javascript%3Aalert%281%29"),
            ("%2e%2e/x", "%252e%252e/x"),
        ] {
            assert_eq!(Href::beside(path).unwrap().reveal(), link);
        }
        for path in ["", "/etc/passwd", "a//b", "a/../b", "..", "./a", "a/"] {
            assert_eq!(Href::beside(path), Err(HrefError::Path), "{path:?}");
        }
        for text in [
            "https://bucket.s3.eu-central-1.amazonaws.com/public/a/final.zkey",
            "https://b.example:8443/a?X-Amz-Expires=900&X-Amz-Signature=0f",
            "https://ceremonies.example/",
        ] {
            assert_eq!(Href::https(text).unwrap().reveal(), text);
        }
        for (text, error) in [
            ("http://b.example/a", HrefError::Scheme),
            ("javascript:alert(1)", HrefError::Scheme),
            ("HTTPS://b.example/a", HrefError::Scheme),
            ("//b.example/a", HrefError::Scheme),
            ("https://b.example", HrefError::Path),
            ("https://user@b.example/a", HrefError::Host),
            ("https:///a", HrefError::Host),
            ("https://-b/a", HrefError::Host),
            ("https://b.example:99999/a", HrefError::Host),
            ("https://b.example\\@evil/a", HrefError::Host),
            ("https://b.example/a#x", HrefError::Character),
            ("https://b.example/a b", HrefError::Character),
            ("https://b.example/a\"onclick=", HrefError::Character),
            ("https://b.example/<script>", HrefError::Character),
            ("https://b.example/a\n", HrefError::Character),
            ("https://b.example/a/../b", HrefError::Path),
            ("https://b.example/a/%2E%2e/b", HrefError::Path),
        ] {
            assert_eq!(Href::https(text), Err(error), "{text:?}");
        }
        let long = format!("https://b.example/{}", "a".repeat(MAX_LINK));
        assert!(matches!(Href::https(&long), Err(HrefError::TooLong { .. })));
    }

    #[test]
    fn r52_a_signature_is_not_in_debug_output() {
        let link = Href::https("https://b.example/a?X-Amz-Signature=secret").unwrap();
        assert_eq!(format!("{link:?}"), "Href(https://b.example/a)");
    }
}
