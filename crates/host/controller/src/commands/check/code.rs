//! A verifier contract's code as an EVM runs it: the numbers its PUSH instructions carry.

use serde_json::Value;

/// First and last instruction that pushes bytes of the code (Yellow Paper, appendix H).
const PUSH1: u8 = 0x60;
const PUSH32: u8 = 0x7f;

/// The code in a file: hexadecimal with or without `0x`, or the `deployedBytecode` of a compiler's
/// or framework's JSON. `None` if the text is neither.
pub(super) fn in_text(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.trim();
    if !text.starts_with('{') {
        return from_hex(text);
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let code = value
        .get("deployedBytecode")
        .or_else(|| value.pointer("/evm/deployedBytecode"))?;
    from_hex(code.get("object").unwrap_or(code).as_str()?)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let code = hex::decode(digits).ok()?;
    (!code.is_empty()).then_some(code)
}

/// What the PUSH instructions carry, each as 32 bytes, in the order of the code.
pub(super) fn pushed(code: &[u8]) -> Vec<[u8; 32]> {
    let mut words = Vec::new();
    let mut rest = code;
    while let Some((&instruction, after)) = rest.split_first() {
        let length = match instruction {
            PUSH1..=PUSH32 => usize::from(instruction.wrapping_sub(PUSH1)).saturating_add(1),
            _ => 0,
        };
        // Code that ends inside an instruction reads as if zeros followed: there is no number.
        let Some((immediate, after)) = after.split_at_checked(length) else {
            break;
        };
        let mut word = [0; 32];
        if length > 0
            && let Some(low) = word.get_mut(32_usize.saturating_sub(length)..)
        {
            low.copy_from_slice(immediate);
            words.push(word);
        }
        rest = after;
    }
    words
}
