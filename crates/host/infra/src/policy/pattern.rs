//! `*`, `?` and `${key}` in policies.

use super::Context;

/// Whether the whole text is of the pattern: `*` stands for any text, `?` for one character.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0_usize, 0_usize);
    // Where the last `*` stood, and how much of the text it stands for.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p = p.saturating_add(1);
            }
            Some(c) if *c == '?' || Some(c) == text.get(t) => {
                p = p.saturating_add(1);
                t = t.saturating_add(1);
            }
            _ => {
                let Some((at, taken)) = star else {
                    return false;
                };
                let taken = taken.saturating_add(1);
                star = Some((at, taken));
                p = at.saturating_add(1);
                t = taken;
            }
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

/// The pattern with its variables filled in; `None` if one has no value, and then nothing matches.
pub(super) fn expand(pattern: &str, context: &Context) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let (key, after) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(context.values(key).first()?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards() {
        for (pattern, text) in [
            ("*", ""),
            ("a*c", "abbbc"),
            ("a*c", "ac"),
            ("*b*", "abc"),
            ("a?c", "abc"),
            ("a**", "a"),
            ("*ab", "aab"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a*c", "abcd"),
            ("a?c", "ac"),
            ("ab", "abc"),
            ("abc", "ab"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
