//! `invoke_*`: a call through the function table that may end in a C++ exception.
//!
//! The name's letters are the callee's types: result first, `v` for none, `i` and `j` for 32 and
//! 64 bits, `f` and `d` for floats. Towards the host a 64-bit value is two 32-bit ones, low half
//! first; the upper half of a result goes through `setTempRet0`/`getTempRet0`.

use wasmtime::{Caller, FuncType, Val, ValType};

use super::stop::Stop;
use super::{Host, table_entry, word};

/// The types of one `invoke_*`.
pub(super) struct Signature {
    /// Letters of the callee's parameters.
    parameters: &'static [u8],
    /// Letter of the callee's result.
    result: u8,
}

impl Signature {
    /// Reads the letters and compares them with the import's own type.
    pub(super) fn of(letters: &'static str, ty: &FuncType) -> wasmtime::Result<Self> {
        let (result, parameters) = letters.as_bytes().split_first().ok_or(Stop::BadSignature)?;
        let mut expected = vec![b'i'];
        for letter in parameters {
            match letter {
                b'j' => expected.extend(b"ii"),
                other => expected.push(*other),
            }
        }
        let given: Option<Vec<u8>> = ty.params().map(|param| letter(&param)).collect();
        let results: Option<Vec<u8>> = ty.results().map(|result| letter(&result)).collect();
        let expected_results: &[u8] = match result {
            b'v' => &[],
            b'j' => b"i",
            other => std::slice::from_ref(other),
        };
        if given.as_deref() == Some(&expected) && results.as_deref() == Some(expected_results) {
            Ok(Self {
                parameters,
                result: *result,
            })
        } else {
            Err(Stop::BadSignature.into())
        }
    }
}

fn letter(ty: &ValType) -> Option<u8> {
    match ty {
        ValType::I32 => Some(b'i'),
        ValType::F32 => Some(b'f'),
        ValType::F64 => Some(b'd'),
        _ => None,
    }
}

/// Calls table entry `params[0]`. A C++ exception ends the call: the stack pointer is restored and
/// the module's `threw` flag set, which its code looks at next.
pub(super) fn invoke(
    mut caller: Caller<'_, Host>,
    signature: &Signature,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let exports = caller.data().exports()?;
    let callee = table_entry(&mut caller, word(params, 0)?)?;
    let mut rest = params.iter().skip(1);
    let mut arguments = Vec::with_capacity(signature.parameters.len());
    for letter in signature.parameters {
        let value = rest.next().ok_or(Stop::BadSignature)?;
        arguments.push(if *letter == b'j' {
            let low = value.i32().ok_or(Stop::BadSignature)?;
            let high = rest.next().and_then(Val::i32).ok_or(Stop::BadSignature)?;
            Val::I64(join(low, high))
        } else {
            *value
        });
    }
    let mut returned = match signature.result {
        b'v' => vec![],
        b'j' => vec![Val::I64(0)],
        _ => vec![Val::I32(0)],
    };
    let stack = exports.stack_save.call(&mut caller, ())?;
    match callee.call(&mut caller, &arguments, &mut returned) {
        Ok(()) => {}
        Err(error) if matches!(error.downcast_ref(), Some(Stop::CppException)) => {
            exports.stack_restore.call(&mut caller, stack)?;
            if let [result] = results {
                *result = zero(signature.result);
            }
            return exports.set_threw.call(&mut caller, (1, 0));
        }
        Err(error) => return Err(error),
    }
    match (returned.first(), results) {
        (None, []) => Ok(()),
        (Some(Val::I64(value)), [result]) => {
            let (low, high) = split(*value);
            caller.data_mut().upper_half = high;
            *result = Val::I32(low);
            Ok(())
        }
        (Some(value), [result]) => {
            *result = *value;
            Ok(())
        }
        _ => Err(Stop::BadSignature.into()),
    }
}

/// What an ended call returns; nobody looks at it.
fn zero(letter: u8) -> Val {
    match letter {
        b'd' => Val::F64(0),
        b'f' => Val::F32(0),
        _ => Val::I32(0),
    }
}

fn join(low: i32, high: i32) -> i64 {
    let mut bytes = [0; 8];
    let (lower, upper) = bytes.split_at_mut(4);
    lower.copy_from_slice(&low.to_le_bytes());
    upper.copy_from_slice(&high.to_le_bytes());
    i64::from_le_bytes(bytes)
}

fn split(value: i64) -> (i32, i32) {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    (
        i32::from_le_bytes([a, b, c, d]),
        i32::from_le_bytes([e, f, g, h]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_join_and_split() {
        for value in [0, 1, -1, i64::MIN, i64::MAX, 0x0123_4567_89ab_cdef] {
            let (low, high) = split(value);
            assert_eq!(join(low, high), value);
        }
        assert_eq!(join(-1, 0), 0xffff_ffff);
    }
}
