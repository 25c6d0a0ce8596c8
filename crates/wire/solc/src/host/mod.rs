//! The host of one compiler instance: what Emscripten's JavaScript glue is to it under Node.
//!
//! Of its 135 imports 96 are `invoke_*` (calls that may throw, [`invoke`]), 14 are C++ exception
//! handling ([`exceptions`]), and the rest asks for the outside world, which is empty here
//! ([`world`]). [`names`] says which is which, because the module's names are minified.

mod exceptions;
mod invoke;
mod memory;
mod names;
mod stop;
mod world;

use std::time::Instant;

use wasmtime::{
    Caller, Engine, ExternType, Func, FuncType, Instance, Linker, Memory, Module, Ref,
    ResourceLimiter, Store, Table, TypedFunc, UpdateDeadline, Val,
};

use self::names::Import;
use self::stop::Stop;
use crate::{Limits, SolcError};

/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 32 << 20;

/// State of one instance.
struct Host {
    memory_limit: MemoryLimit,
    /// The module's own functions that the host calls; there from instantiation on.
    exports: Option<Exports>,
    /// Upper half of the last 64-bit value that crossed the border.
    upper_half: i32,
    exceptions: exceptions::Exceptions,
}

/// The most memory of one instance, and whether it wanted more.
struct MemoryLimit {
    bytes: usize,
    refused: bool,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.refused |= desired > self.bytes;
        Ok(desired <= self.bytes)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // The module's table has its whole size from the start.
        Ok(true)
    }
}

/// The module's functions that the host calls.
#[derive(Clone)]
struct Exports {
    memory: Memory,
    table: Table,
    malloc: TypedFunc<i32, i32>,
    free: TypedFunc<i32, ()>,
    set_threw: TypedFunc<(i32, i32), ()>,
    stack_save: TypedFunc<(), i32>,
    stack_restore: TypedFunc<i32, ()>,
    can_catch: TypedFunc<(i32, i32, i32), i32>,
    is_pointer_type: TypedFunc<i32, i32>,
}

/// Gives the compiler one standard-JSON input and returns its answer.
pub(crate) fn compile(
    engine: &Engine,
    module: &Module,
    input: &[u8],
    limits: Limits,
) -> Result<Vec<u8>, SolcError> {
    let memory = usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX);
    let mut store = Store::new(
        engine,
        Host {
            memory_limit: MemoryLimit {
                bytes: memory,
                refused: false,
            },
            exports: None,
            upper_half: 0,
            exceptions: exceptions::Exceptions::default(),
        },
    );
    store.limiter(|host| &mut host.memory_limit);
    let deadline = Instant::now() + limits.time;
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        if Instant::now() >= deadline {
            Err(Stop::Timeout.into())
        } else {
            Ok(UpdateDeadline::Continue(1))
        }
    });
    let result = run(&mut store, module, input);
    result.map_err(|error| {
        if matches!(error.downcast_ref(), Some(Stop::Timeout)) {
            SolcError::Timeout { limit: limits.time }
        } else if matches!(error.downcast_ref(), Some(Stop::AnswerTooLong)) {
            SolcError::AnswerTooLong { limit: MAX_ANSWER }
        } else if store.data().memory_limit.refused {
            SolcError::OutOfMemory {
                limit: limits.memory_bytes,
            }
        } else {
            SolcError::Crashed {
                source: error.into_boxed_dyn_error(),
            }
        }
    })
}

fn run(store: &mut Store<Host>, module: &Module, input: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let linker = link(store.engine(), module)?;
    let instance = linker.instantiate(&mut *store, module)?;
    let exports = Exports::of(&instance, store)?;
    let memory = exports.memory;
    store.data_mut().exports = Some(exports);

    instance
        .get_typed_func::<(), ()>(&mut *store, names::CALL_CONSTRUCTORS)?
        .call(&mut *store, ())?;
    let size = i32::try_from(input.len())
        .ok()
        .and_then(|n| n.checked_add(1));
    let place = instance
        .get_typed_func::<i32, i32>(&mut *store, names::SOLIDITY_ALLOC)?
        .call(&mut *store, size.ok_or(Stop::BadAddress)?)?;
    memory::write(memory, &mut *store, place, input)?;
    let end = usize::try_from(memory::address(place))? + input.len();
    memory.write(&mut *store, end, &[0])?;
    // The second and third argument are the import callback and its context: there is none.
    let answer = instance
        .get_typed_func::<(i32, i32, i32), i32>(&mut *store, names::SOLIDITY_COMPILE)?
        .call(&mut *store, (place, 0, 0))?;
    memory::c_string(memory, &*store, answer, MAX_ANSWER)
}

impl Exports {
    fn of(instance: &Instance, store: &mut Store<Host>) -> wasmtime::Result<Self> {
        Ok(Self {
            memory: instance
                .get_memory(&mut *store, names::MEMORY)
                .ok_or(Stop::MissingExport)?,
            table: instance
                .get_table(&mut *store, names::TABLE)
                .ok_or(Stop::MissingExport)?,
            malloc: instance.get_typed_func(&mut *store, names::MALLOC)?,
            free: instance.get_typed_func(&mut *store, names::FREE)?,
            set_threw: instance.get_typed_func(&mut *store, names::SET_THREW)?,
            stack_save: instance.get_typed_func(&mut *store, names::STACK_SAVE)?,
            stack_restore: instance.get_typed_func(&mut *store, names::STACK_RESTORE)?,
            can_catch: instance.get_typed_func(&mut *store, names::CAN_CATCH)?,
            is_pointer_type: instance.get_typed_func(&mut *store, names::IS_POINTER_TYPE)?,
        })
    }
}

impl Host {
    fn exports(&self) -> wasmtime::Result<Exports> {
        self.exports
            .clone()
            .ok_or_else(|| Stop::MissingExport.into())
    }
}

/// Connects every import of the module; one that no table names is an error.
fn link(engine: &Engine, module: &Module) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    for import in module.imports() {
        let ExternType::Func(ty) = import.ty() else {
            return Err(Stop::UnknownImport.into());
        };
        let kind = names::import(import.name()).ok_or(Stop::UnknownImport)?;
        define(&mut linker, (import.module(), import.name()), ty, kind)?;
    }
    Ok(linker)
}

fn define(
    linker: &mut Linker<Host>,
    (module, name): (&str, &str),
    ty: FuncType,
    kind: Import,
) -> wasmtime::Result<()> {
    match kind {
        Import::Invoke(signature) => {
            let signature = invoke::Signature::of(signature, &ty)?;
            linker.func_new(module, name, ty, move |caller, params, results| {
                invoke::invoke(caller, &signature, params, results)
            })?;
        }
        Import::Exception(function) => {
            linker.func_new(module, name, ty, move |caller, params, results| {
                exceptions::call(caller, function, params, results)
            })?;
        }
        Import::World(function) => {
            linker.func_new(module, name, ty, move |caller, params, results| {
                world::call(caller, function, params, results)
            })?;
        }
    }
    Ok(())
}

/// A function out of the module's table.
fn table_entry(caller: &mut Caller<'_, Host>, index: i32) -> wasmtime::Result<Func> {
    let table = caller.data().exports()?.table;
    match table.get(&mut *caller, u64::from(memory::address(index))) {
        Some(Ref::Func(Some(function))) => Ok(function),
        _ => Err(Stop::BadAddress.into()),
    }
}

/// Parameter `index` as a 32-bit number.
fn word(params: &[Val], index: usize) -> wasmtime::Result<i32> {
    params
        .get(index)
        .and_then(Val::i32)
        .ok_or_else(|| Stop::BadSignature.into())
}

/// Stores the only result.
fn answer(results: &mut [Val], value: Val) -> wasmtime::Result<()> {
    match results {
        [result] => {
            *result = value;
            Ok(())
        }
        _ => Err(Stop::BadSignature.into()),
    }
}
