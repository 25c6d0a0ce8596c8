//! What circom prints, made fit to be shown: no colours, no control characters, no more than fits.

use std::fmt;

/// Most bytes of diagnostics kept.
const MAX_BYTES: usize = 8 << 10;

/// Cleaned words of the compiler: printable text and line feeds, at most 8 KiB.
///
/// The text comes from a circuit somebody else may have written. It is shown, never interpreted,
/// except for circom's error codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(String);

impl Diagnostics {
    /// Cleans raw output. Colour sequences go, other control characters become `?`.
    pub(crate) fn clean(raw: &[u8]) -> Self {
        let text = String::from_utf8_lossy(raw);
        let mut clean = String::new();
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            if clean.len() > MAX_BYTES {
                clean.push_str("\n[...]");
                break;
            }
            match character {
                '\u{1b}' => skip_escape(&mut rest),
                '\n' => clean.push('\n'),
                '\t' => clean.push(' '),
                '\r' => {}
                other if other.is_control() || is_bidi(other) => clean.push('?'),
                other => clean.push(other),
            }
        }
        Self(clean.trim().to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether circom reported an error with this code, for example `P1001`.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.0.contains(&format!("error[{code}]"))
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Skips a control sequence `ESC [ … letter`.
fn skip_escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if rest.peek() != Some(&'[') {
        return;
    }
    rest.next();
    for character in rest.by_ref() {
        if ('\u{40}'..='\u{7e}').contains(&character) {
            return;
        }
    }
}

/// Characters that change the direction of the text around them.
fn is_bidi(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_control_characters_do_not_reach_the_terminal() {
        let raw = b"\x1b[1m\x1b[31merror[P1001]\x1b[0m: x\x07\x1b]0;title\x07\r\n\xff\xe2\x80\xaeb";
        let clean = Diagnostics::clean(raw);
        assert_eq!(clean.as_str(), "error[P1001]: x?]0;title?\n\u{fffd}?b");
        assert!(clean.has_code("P1001"));
        assert!(!clean.has_code("P1002"));
    }

    #[test]
    fn a_flood_is_cut() {
        let clean = Diagnostics::clean(&vec![b'a'; 1 << 20]);
        assert!(clean.as_str().len() < MAX_BYTES + 100);
        assert!(clean.as_str().ends_with("[...]"));
    }
}
