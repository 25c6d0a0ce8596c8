//! A verifier contract's source: a key in named constants, or numbers that are points.

use std::collections::BTreeMap;

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ff::{PrimeField, Zero};
use manifest::solidity::FieldElement;

use super::key::{Key, g1_point, g2_point};

/// How a template names the coordinates of a G1 point and of a G2 point, C0 before C1.
struct Names {
    g1: [&'static str; 2],
    g2: [&'static str; 4],
    points: [&'static str; 4],
}

/// `verifier.sol` of a bundle (docs/formats/verifier.md), and the constants that circom's users
/// know, where the coefficient of u is number 1.
const TEMPLATES: [Names; 2] = [
    Names {
        g1: ["_X", "_Y"],
        g2: ["_X_C0", "_X_C1", "_Y_C0", "_Y_C1"],
        points: ["ALPHA", "BETA", "GAMMA", "DELTA"],
    },
    Names {
        g1: ["x", "y"],
        g2: ["x2", "x1", "y2", "y1"],
        points: ["alpha", "beta", "gamma", "delta"],
    },
];

/// What a source text holds.
pub(super) enum Source {
    /// A key under names that are known, or why it is none.
    Named(Box<Result<Key, String>>),
    /// Another template: the numbers in it.
    Numbers(Vec<[u8; 32]>),
}

/// Whether the text looks like Solidity.
pub(super) fn is_solidity(head: &[u8]) -> bool {
    ["pragma solidity", "contract ", "library "]
        .iter()
        .any(|word| {
            head.windows(word.len())
                .any(|window| window == word.as_bytes())
        })
}

/// Reads a source text.
pub(super) fn read(text: &str) -> Source {
    let code = without_comments(text);
    let tokens = tokens(&code);
    let constants = match constants(&tokens) {
        Ok(constants) => constants,
        Err(reason) => return Source::Named(Box::new(Err(reason))),
    };
    for names in &TEMPLATES {
        let [_, _, _, delta] = names.points;
        let first = names.g2.first().map(|suffix| format!("{delta}{suffix}"));
        if first.is_some_and(|name| constants.contains_key(name.as_str())) {
            return Source::Named(Box::new(names.key(&constants)));
        }
    }
    Source::Numbers(tokens.iter().filter_map(|token| number(token)).collect())
}

impl Names {
    fn key(&self, constants: &BTreeMap<&str, &str>) -> Result<Key, String> {
        let [alpha, beta, gamma, delta] = self.points;
        let mut inputs = Vec::new();
        while let name = format!("IC{}", inputs.len())
            && constants.contains_key(self.first_of(&name).as_str())
        {
            inputs.push(self.g1(constants, &name)?);
        }
        if inputs.is_empty() {
            return Err("no constants IC0".into());
        }
        Ok(Key {
            alpha: self.g1(constants, alpha)?,
            beta: self.g2(constants, beta)?,
            gamma: self.g2(constants, gamma)?,
            delta: self.g2(constants, delta)?,
            inputs,
        })
    }

    fn first_of(&self, name: &str) -> String {
        let [x, _] = self.g1;
        format!("{name}{x}")
    }

    fn g1(&self, constants: &BTreeMap<&str, &str>, name: &str) -> Result<G1Affine, String> {
        let [x, y] = self.g1.map(|suffix| field(constants, name, suffix));
        let (x, y) = (x?, y?);
        if x.is_zero() && y.is_zero() {
            return Ok(G1Affine::identity());
        }
        g1_point(x, y).map_err(|error| format!("{name}: {error}"))
    }

    fn g2(&self, constants: &BTreeMap<&str, &str>, name: &str) -> Result<G2Affine, String> {
        let [x0, x1, y0, y1] = self.g2.map(|suffix| field(constants, name, suffix));
        let (x, y) = (Fq2::new(x0?, x1?), Fq2::new(y0?, y1?));
        if x.is_zero() && y.is_zero() {
            return Ok(G2Affine::identity());
        }
        g2_point(x, y).map_err(|error| format!("{name}: {error}"))
    }
}

fn field(constants: &BTreeMap<&str, &str>, name: &str, suffix: &str) -> Result<Fq, String> {
    let name = format!("{name}{suffix}");
    let text = constants
        .get(name.as_str())
        .ok_or_else(|| format!("no constant {name}"))?;
    let word = number(text).ok_or_else(|| format!("{name} is not a number of 256 bits"))?;
    let element = FieldElement::from_be_bytes(word).map_err(|error| format!("{name}: {error}"))?;
    Ok(Fq::from_be_bytes_mod_order(&element.to_be_bytes()))
}

/// `NAME = VALUE` after the word `constant`. A file in which a name stands for two values holds more
/// than one key: judging either would say nothing of the other.
fn constants<'t>(tokens: &[&'t str]) -> Result<BTreeMap<&'t str, &'t str>, String> {
    let mut constants = BTreeMap::new();
    for window in tokens.windows(4) {
        if let ["constant", name, "=", value] = window
            && constants
                .insert(*name, *value)
                .is_some_and(|old| old != *value)
        {
            return Err(format!(
                "constant {name} has two values: one contract a file"
            ));
        }
    }
    Ok(constants)
}

/// Words, and single characters of everything else that is not white space.
fn tokens(code: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

/// A literal of at most 256 bits, decimal or hex.
fn number(token: &str) -> Option<[u8; 32]> {
    if let Some(digits) = token.strip_prefix("0x") {
        let mut word = [0; 32];
        hex::decode_to_slice(format!("{digits:0>64}"), &mut word).ok()?;
        return Some(word);
    }
    let digits = token.replace('_', "");
    if digits.is_empty() || digits.len() > 78 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.bytes().try_fold([0; 32], |word, digit| {
        times_ten_plus(word, digit.wrapping_sub(b'0'))
    })
}

fn times_ten_plus(mut word: [u8; 32], digit: u8) -> Option<[u8; 32]> {
    let mut carry = u16::from(digit);
    for byte in word.iter_mut().rev() {
        let [high, low] = u16::from(*byte)
            .wrapping_mul(10)
            .wrapping_add(carry)
            .to_be_bytes();
        *byte = low;
        carry = u16::from(high);
    }
    (carry == 0).then_some(word)
}

/// The text without `//` and `/* */`, and without string literals, which may hold either.
fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    let marks = ["//", "/*", "\"", "'"];
    while let Some(at) = marks.iter().filter_map(|mark| rest.find(mark)).min() {
        let (before, marked) = rest.split_at(at);
        code.push_str(before);
        code.push(' ');
        let end = if marked.starts_with("//") {
            marked.find('\n')
        } else if marked.starts_with("/*") {
            let inner = marked.get(2..).and_then(|inner| inner.find("*/"));
            inner.map(|at| at.saturating_add(4))
        } else {
            literal_end(marked)
        };
        rest = end.and_then(|end| marked.get(end..)).unwrap_or_default();
    }
    code.push_str(rest);
    code
}

/// Where the string literal that `text` begins with is over.
fn literal_end(text: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    let (_, quote) = characters.next()?;
    let mut escaped = false;
    let (at, _) = characters.find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    })?;
    Some(at.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<[u8; 32]> {
        match read(text) {
            Source::Numbers(numbers) => numbers,
            Source::Named(_) => panic!("named"),
        }
    }

    fn word(low: u8) -> [u8; 32] {
        let mut word = [0; 32];
        word[31] = low;
        word
    }

    #[test]
    fn numbers_in_comments_and_names_are_none() {
        let text = "// 1\ncontract C2 { /* 3 // */ x = 4; y=0x05; // 6 */ \n z(7_0,8);}";
        assert_eq!(numbers(text), [word(4), word(5), word(70), word(8)]);
        assert_eq!(numbers("a /* open"), [[0; 32]; 0]);
        assert_eq!(numbers("a /*/ 9"), [[0; 32]; 0]);
        assert_eq!(numbers("a /"), [[0; 32]; 0]);
    }

    #[test]
    fn marks_of_comments_in_literals_hide_nothing() {
        let text = "s = \"/* \\\" //\"; x = 1; t = '//'; y = 2; // it's 3\n z = 4;";
        assert_eq!(numbers(text), [word(1), word(2), word(4)]);
    }

    #[test]
    fn a_second_contract_cannot_speak_for_the_first() {
        let text = "uint256 constant deltax2 = 1; } contract D { uint256 constant deltax2 = 2;";
        let Source::Named(key) = read(text) else {
            panic!("not named")
        };
        let reason = key.err().unwrap();
        assert!(reason.contains("deltax2 has two values"), "{reason}");
    }

    #[test]
    fn numbers_have_256_bits() {
        let largest =
            "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(number(largest), Some([0xff; 32]));
        let above =
            "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        assert_eq!(number(above), None);
        assert_eq!(number(&format!("0x{}", "f".repeat(64))), Some([0xff; 32]));
        assert_eq!(number(&format!("0x{}", "f".repeat(65))), None);
        assert_eq!(number("0x"), Some([0; 32]));
        assert_eq!(number("a1"), None);
    }
}
