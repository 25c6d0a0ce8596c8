//! C++ exceptions as Emscripten's compiled code expects them of its host.
//!
//! An exception object has a header of 24 bytes before it: reference count (4), type (4),
//! destructor (4), caught (1), rethrown (1), two free, adjusted pointer (4), four free.

use wasmtime::{Caller, Val};

use super::stop::Stop;
use super::{Host, answer, memory, table_entry, word};

/// A function of the C++ runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Allocate,
    Free,
    Throw,
    Rethrow,
    Resume,
    BeginCatch,
    EndCatch,
    FindMatchingCatch,
    Uncaught,
    TypeId,
}

/// Exceptions in flight.
#[derive(Default)]
pub(super) struct Exceptions {
    /// The one thrown last; 0 for none.
    last: i32,
    /// Those whose handlers run, innermost last.
    caught: Vec<i32>,
    /// Thrown and not yet caught.
    uncaught: i32,
}

const HEADER: i32 = 24;

/// Fields of the header, as offsets from the object.
const COUNT: i32 = -24;
const TYPE: i32 = -20;
const DESTRUCTOR: i32 = -16;
const CAUGHT: i32 = -12;
const RETHROWN: i32 = -11;
const ADJUSTED: i32 = -8;

/// Calls one of the functions.
pub(super) fn call(
    mut caller: Caller<'_, Host>,
    function: Function,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let caller = &mut caller;
    match function {
        Function::Allocate => {
            let size = word(params, 0)?.wrapping_add(HEADER);
            let malloc = caller.data().exports()?.malloc;
            let place = malloc.call(&mut *caller, size)?;
            answer(results, Val::I32(place.wrapping_add(HEADER)))
        }
        Function::Free => free(caller, word(params, 0)?),
        Function::Throw => throw(caller, params),
        Function::Rethrow => rethrow(caller),
        Function::Resume => {
            let exceptions = &mut caller.data_mut().exceptions;
            if exceptions.last == 0 {
                exceptions.last = word(params, 0)?;
            }
            Err(Stop::CppException.into())
        }
        Function::BeginCatch => {
            let pointer = begin_catch(caller, word(params, 0)?)?;
            answer(results, Val::I32(pointer))
        }
        Function::EndCatch => end_catch(caller),
        Function::FindMatchingCatch => {
            let pointer = find_matching_catch(caller, params)?;
            answer(results, Val::I32(pointer))
        }
        Function::Uncaught => answer(results, Val::I32(caller.data().exceptions.uncaught)),
        Function::TypeId => answer(results, Val::I32(word(params, 0)?)),
    }
}

fn throw(caller: &mut Caller<'_, Host>, params: &[Val]) -> wasmtime::Result<()> {
    let exception = word(params, 0)?;
    set(caller, exception, ADJUSTED, 0)?;
    set(caller, exception, TYPE, word(params, 1)?)?;
    set(caller, exception, DESTRUCTOR, word(params, 2)?)?;
    set(caller, exception, COUNT, 0)?;
    set_flag(caller, exception, CAUGHT, false)?;
    set_flag(caller, exception, RETHROWN, false)?;
    let exceptions = &mut caller.data_mut().exceptions;
    exceptions.last = exception;
    exceptions.uncaught = exceptions.uncaught.saturating_add(1);
    Err(Stop::CppException.into())
}

fn rethrow(caller: &mut Caller<'_, Host>) -> wasmtime::Result<()> {
    let exception = caller
        .data_mut()
        .exceptions
        .caught
        .pop()
        .ok_or(Stop::NoException)?;
    if !flag(caller, exception, RETHROWN)? {
        set_flag(caller, exception, RETHROWN, true)?;
        set_flag(caller, exception, CAUGHT, false)?;
        let exceptions = &mut caller.data_mut().exceptions;
        exceptions.caught.push(exception);
        exceptions.uncaught = exceptions.uncaught.saturating_add(1);
    }
    caller.data_mut().exceptions.last = exception;
    Err(Stop::CppException.into())
}

fn begin_catch(caller: &mut Caller<'_, Host>, exception: i32) -> wasmtime::Result<i32> {
    if !flag(caller, exception, CAUGHT)? {
        set_flag(caller, exception, CAUGHT, true)?;
        let exceptions = &mut caller.data_mut().exceptions;
        exceptions.uncaught = exceptions.uncaught.saturating_sub(1);
    }
    set_flag(caller, exception, RETHROWN, false)?;
    caller.data_mut().exceptions.caught.push(exception);
    let count = get(caller, exception, COUNT)?;
    set(caller, exception, COUNT, count.wrapping_add(1))?;

    // A thrown pointer is handed on as what it points to.
    let exports = caller.data().exports()?;
    let ty = get(caller, exception, TYPE)?;
    if exports.is_pointer_type.call(&mut *caller, ty)? != 0 {
        return get(caller, exception, 0);
    }
    match get(caller, exception, ADJUSTED)? {
        0 => Ok(exception),
        adjusted => Ok(adjusted),
    }
}

fn end_catch(caller: &mut Caller<'_, Host>) -> wasmtime::Result<()> {
    let set_threw = caller.data().exports()?.set_threw;
    set_threw.call(&mut *caller, (0, 0))?;
    let exception = caller
        .data_mut()
        .exceptions
        .caught
        .pop()
        .ok_or(Stop::NoException)?;
    let count = get(caller, exception, COUNT)?;
    set(caller, exception, COUNT, count.wrapping_sub(1))?;
    if count == 1 && !flag(caller, exception, RETHROWN)? {
        let destructor = get(caller, exception, DESTRUCTOR)?;
        if destructor != 0 {
            destroy(caller, destructor, exception)?;
        }
        free(caller, exception)?;
    }
    caller.data_mut().exceptions.last = 0;
    Ok(())
}

/// Runs the destructor of the exception's type; some return their object, which nobody needs.
fn destroy(caller: &mut Caller<'_, Host>, destructor: i32, object: i32) -> wasmtime::Result<()> {
    let function = table_entry(caller, destructor)?;
    let results = function.ty(&*caller).results().len();
    let mut unused = vec![Val::I32(0); results];
    function.call(&mut *caller, &[Val::I32(object)], &mut unused)
}

/// Which of the caught types takes the last exception: its type goes to `getTempRet0`.
fn find_matching_catch(caller: &mut Caller<'_, Host>, params: &[Val]) -> wasmtime::Result<i32> {
    let exception = caller.data().exceptions.last;
    if exception == 0 {
        caller.data_mut().upper_half = 0;
        return Ok(0);
    }
    set(caller, exception, ADJUSTED, exception)?;
    let thrown = get(caller, exception, TYPE)?;
    if thrown == 0 {
        caller.data_mut().upper_half = 0;
        return Ok(exception);
    }
    let can_catch = caller.data().exports()?.can_catch;
    let adjusted = exception.wrapping_add(ADJUSTED);
    for index in 0..params.len() {
        let caught = word(params, index)?;
        if caught == 0 || caught == thrown {
            break;
        }
        if can_catch.call(&mut *caller, (caught, thrown, adjusted))? != 0 {
            caller.data_mut().upper_half = caught;
            return Ok(exception);
        }
    }
    caller.data_mut().upper_half = thrown;
    Ok(exception)
}

fn free(caller: &mut Caller<'_, Host>, exception: i32) -> wasmtime::Result<()> {
    let free = caller.data().exports()?.free;
    free.call(&mut *caller, exception.wrapping_sub(HEADER))
}

fn get(caller: &mut Caller<'_, Host>, exception: i32, field: i32) -> wasmtime::Result<i32> {
    let memory = caller.data().exports()?.memory;
    memory::read_word(memory, &*caller, exception.wrapping_add(field))
}

fn set(
    caller: &mut Caller<'_, Host>,
    exception: i32,
    field: i32,
    value: i32,
) -> wasmtime::Result<()> {
    let memory = caller.data().exports()?.memory;
    memory::write_word(memory, &mut *caller, exception.wrapping_add(field), value)
}

fn flag(caller: &mut Caller<'_, Host>, exception: i32, field: i32) -> wasmtime::Result<bool> {
    let memory = caller.data().exports()?.memory;
    let [byte] = memory::read(memory, &*caller, exception.wrapping_add(field))?;
    Ok(byte != 0)
}

fn set_flag(
    caller: &mut Caller<'_, Host>,
    exception: i32,
    field: i32,
    value: bool,
) -> wasmtime::Result<()> {
    let memory = caller.data().exports()?.memory;
    let at = exception.wrapping_add(field);
    memory::write(memory, &mut *caller, at, &[u8::from(value)])
}
