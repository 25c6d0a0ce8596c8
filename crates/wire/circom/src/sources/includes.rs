//! Finding the include statements of a source file, as circom's own reader would.
//!
//! circom strips comments before it knows of strings: `//` inside a string starts a comment. So
//! does this.

/// One include statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Include {
    /// What stands between the quotes.
    pub(super) path: String,
    /// Line of the statement's path, the first is 1.
    pub(super) line: usize,
}

/// The include statements of a file, in order.
pub(super) fn includes(text: &str) -> Vec<Include> {
    let text = without_comments(text);
    let mut found = Vec::new();
    let mut tokens = Tokens {
        rest: &text,
        line: 1,
    };
    let mut state = State::Elsewhere;
    while let Some((token, line)) = tokens.next() {
        state = match (state, token) {
            (_, Token::Word("include")) => State::Include,
            (State::Include, Token::Text(path)) => State::Path(Include {
                path: path.to_owned(),
                line,
            }),
            (State::Path(include), Token::Semicolon) => {
                found.push(include);
                State::Elsewhere
            }
            _ => State::Elsewhere,
        };
    }
    found
}

enum State {
    Elsewhere,
    Include,
    Path(Include),
}

enum Token<'a> {
    Word(&'a str),
    Text(&'a str),
    Semicolon,
    Other,
}

struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<(Token<'a>, usize)> {
        let blank = self.rest.len() - self.rest.trim_start().len();
        self.take(blank);
        let line = self.line;
        let first = self.rest.chars().next()?;
        let token = if first == '"' {
            if let Some(end) = self.rest.get(1..).and_then(|rest| rest.find('"')) {
                let whole = self.take(end + 2);
                Token::Text(whole.get(1..=end).unwrap_or_default())
            } else {
                self.take(self.rest.len());
                Token::Other
            }
        } else if is_word(first) {
            let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
            Token::Word(self.take(end))
        } else {
            self.take(first.len_utf8());
            if first == ';' {
                Token::Semicolon
            } else {
                Token::Other
            }
        };
        Some((token, line))
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$')
}

/// The text with comments replaced by blanks; line feeds stay, so that lines keep their numbers.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('/') {
        let (before, from) = rest.split_at(start);
        plain.push_str(before);
        let comment_end = if from.starts_with("//") {
            Some(from.find('\n').unwrap_or(from.len()))
        } else if from.starts_with("/*") {
            let body = from.get(2..).unwrap_or_default();
            Some(body.find("*/").map_or(from.len(), |end| end + 4))
        } else {
            None
        };
        let Some(end) = comment_end else {
            plain.push('/');
            rest = from.get(1..).unwrap_or_default();
            continue;
        };
        let (comment, after) = from.split_at_checked(end).unwrap_or((from, ""));
        plain.push(' ');
        plain.extend(comment.chars().filter(|character| *character == '\n'));
        rest = after;
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, usize)> {
        includes(text)
            .into_iter()
            .map(|include| (include.path, include.line))
            .collect()
    }

    #[test]
    fn statements_are_found_with_their_lines() {
        let text = "pragma circom 2.0.0;\ninclude \"a.circom\";include\t\"b/../c.circom\" ;\n\
                    /* include \"no.circom\"; \n\n */ include // x\n \"é d.circom\" /* y */;";
        assert_eq!(
            found(text),
            [
                ("a.circom".to_owned(), 2),
                ("b/../c.circom".to_owned(), 2),
                ("é d.circom".to_owned(), 6)
            ]
        );
    }

    #[test]
    fn comments_strings_and_other_words_are_no_statements() {
        for text in [
            "// include \"a.circom\";",
            "/* include \"a.circom\"; */",
            "/* include \"a.circom\";",
            "log(\"include \"); x; log(\";\");",
            "my_include \"a.circom\";",
            "include2 \"a.circom\";",
            "include a.circom;",
            "include \"a.circom\"",
            "include \"a.circom",
            "include \"a//b.circom\";",
            "include",
            "/",
            "",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn a_comment_opened_inside_a_string_is_one_as_for_circom() {
        let text = "log(\"/*\"); include \"a.circom\"; log(\"*/\"); include \"b.circom\";";
        // What is left is `log(" "); include "b.circom";` in circom's eyes too.
        assert_eq!(found(text), [("b.circom".to_owned(), 1)]);
    }

    #[test]
    fn no_text_breaks_the_reader() {
        let pieces = [
            "include", " ", "\"", ";", "/", "*", "\n", "é", "a", "//", "/*",
        ];
        let mut state = 1_u32;
        for _ in 0..4000 {
            let mut text = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let index = usize::try_from(state >> 24).unwrap() % pieces.len();
                text.push_str(pieces[index]);
            }
            let lines = text.matches('\n').count() + 1;
            assert!(includes(&text).iter().all(|include| include.line <= lines));
        }
    }
}
