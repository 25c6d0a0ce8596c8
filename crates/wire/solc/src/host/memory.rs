//! The compiler's memory: addresses are 32-bit, and every access is checked.

use wasmtime::{AsContext, AsContextMut, Memory};

use super::stop::Stop;

/// WebAssembly's 32-bit values carry no sign; addresses are read without one.
pub(super) fn address(value: i32) -> u32 {
    value.cast_unsigned()
}

fn place(value: i32) -> wasmtime::Result<usize> {
    usize::try_from(address(value)).map_err(|_| Stop::BadAddress.into())
}

/// Writes bytes at an address.
pub(super) fn write(
    memory: Memory,
    mut store: impl AsContextMut,
    at: i32,
    bytes: &[u8],
) -> wasmtime::Result<()> {
    memory
        .write(&mut store, place(at)?, bytes)
        .map_err(|_| Stop::BadAddress.into())
}

/// Reads `N` bytes at an address.
pub(super) fn read<const N: usize>(
    memory: Memory,
    store: impl AsContext,
    at: i32,
) -> wasmtime::Result<[u8; N]> {
    let mut bytes = [0; N];
    memory
        .read(&store, place(at)?, &mut bytes)
        .map_err(|_| Stop::BadAddress)?;
    Ok(bytes)
}

/// Reads a 32-bit word.
pub(super) fn read_word(memory: Memory, store: impl AsContext, at: i32) -> wasmtime::Result<i32> {
    Ok(i32::from_le_bytes(read(memory, store, at)?))
}

/// Writes a 32-bit word.
pub(super) fn write_word(
    memory: Memory,
    store: impl AsContextMut,
    at: i32,
    value: i32,
) -> wasmtime::Result<()> {
    write(memory, store, at, &value.to_le_bytes())
}

/// Reads a text up to its zero byte, at most `limit` bytes.
pub(super) fn c_string(
    memory: Memory,
    store: impl AsContext,
    at: i32,
    limit: usize,
) -> wasmtime::Result<Vec<u8>> {
    let text = memory
        .data(&store)
        .get(place(at)?..)
        .ok_or(Stop::BadAddress)?;
    let end = text
        .iter()
        .take(limit.saturating_add(1))
        .position(|byte| *byte == 0)
        .ok_or(Stop::AnswerTooLong)?;
    Ok(text.get(..end).ok_or(Stop::BadAddress)?.to_vec())
}
