//! The outside world of the compiler: no files, no environment, a clock that stands still.

use wasmtime::{Caller, Val};

use super::stop::Stop;
use super::{Host, answer, memory, word};

/// A function of the outside world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// Ends the program.
    Exit,
    /// Nothing here can lead to it.
    Unexpected,
    /// Seconds or milliseconds since some start: always zero.
    Clock,
    /// Answers this number, whatever is asked.
    Constant(i32),
    /// Takes what is written and forgets it.
    Write,
    /// The environment's size: empty.
    EnvironmentSizes,
    /// Makes the memory larger.
    GrowMemory,
    /// Moves a block of memory.
    CopyMemory,
    /// Upper half of a 64-bit value, read.
    UpperHalf,
    /// Upper half of a 64-bit value, set.
    SetUpperHalf,
}

/// Emscripten's error numbers: no such system call; not a seekable file.
pub(super) const ENOSYS: i32 = 52;
pub(super) const ESPIPE: i32 = 70;

const PAGE: u64 = 65_536;

/// Calls one of the functions.
pub(super) fn call(
    mut caller: Caller<'_, Host>,
    function: Function,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let caller = &mut caller;
    match function {
        Function::Exit => Err(Stop::Exit.into()),
        Function::Unexpected => Err(Stop::Unexpected.into()),
        Function::Clock => answer(results, Val::F64(0)),
        Function::Constant(value) => answer(results, Val::I32(value)),
        Function::Write => {
            let written = count(caller, word(params, 1)?, word(params, 2)?)?;
            let memory = caller.data().exports()?.memory;
            memory::write_word(memory, &mut *caller, word(params, 3)?, written)?;
            answer(results, Val::I32(0))
        }
        Function::EnvironmentSizes => {
            let memory = caller.data().exports()?.memory;
            memory::write_word(memory, &mut *caller, word(params, 0)?, 0)?;
            memory::write_word(memory, &mut *caller, word(params, 1)?, 0)?;
            answer(results, Val::I32(0))
        }
        Function::GrowMemory => {
            let grown = grow(caller, word(params, 0)?)?;
            answer(results, Val::I32(i32::from(grown)))
        }
        Function::CopyMemory => copy(caller, params),
        Function::UpperHalf => answer(results, Val::I32(caller.data().upper_half)),
        Function::SetUpperHalf => {
            caller.data_mut().upper_half = word(params, 0)?;
            Ok(())
        }
    }
}

/// Bytes in a list of (address, length) pairs.
fn count(caller: &mut Caller<'_, Host>, list: i32, pairs: i32) -> wasmtime::Result<i32> {
    let memory = caller.data().exports()?.memory;
    let mut sum = 0_i32;
    let mut place = list;
    // Each pair is read from memory, which ends: a false count stops at the end of memory.
    for _ in 0..memory::address(pairs) {
        let length = memory::read_word(memory, &*caller, place.wrapping_add(4))?;
        sum = sum.wrapping_add(length);
        place = place.checked_add(8).ok_or(Stop::BadAddress)?;
    }
    Ok(sum)
}

/// Grows the memory to at least `bytes`, and by a fifth if the limit allows it.
fn grow(caller: &mut Caller<'_, Host>, bytes: i32) -> wasmtime::Result<bool> {
    let memory = caller.data().exports()?.memory;
    let now = memory.size(&*caller);
    let wanted = u64::from(memory::address(bytes)).div_ceil(PAGE);
    let refused = caller.data().memory_limit.refused;
    for target in [wanted.max(now.saturating_add(now / 5)), wanted] {
        let more = target.saturating_sub(now);
        if memory.grow(&mut *caller, more).is_ok() {
            // That the fifth did not fit is no lack.
            caller.data_mut().memory_limit.refused = refused;
            return Ok(true);
        }
    }
    Ok(false)
}

fn copy(caller: &mut Caller<'_, Host>, params: &[Val]) -> wasmtime::Result<()> {
    let [to, from, length] = [word(params, 0)?, word(params, 1)?, word(params, 2)?]
        .map(|value| usize::try_from(memory::address(value)));
    let (to, from, length) = (to?, from?, length?);
    let memory = caller.data().exports()?.memory;
    let data = memory.data_mut(&mut *caller);
    let size = data.len();
    let fits = |start: usize| start.checked_add(length).is_some_and(|end| end <= size);
    if !fits(to) || !fits(from) {
        return Err(Stop::BadAddress.into());
    }
    data.copy_within(from..from.saturating_add(length), to);
    Ok(())
}
