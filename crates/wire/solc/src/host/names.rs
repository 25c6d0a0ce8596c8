//! Which function hides behind which of the module's minified names.
//!
//! A fact of solc 0.8.37's module, read from the table `asmLibraryArg` of its JavaScript glue and
//! the lines after it. A test compares both where the npm package is installed.

use super::exceptions::Function as Exception;
use super::world::{ENOSYS, ESPIPE, Function as World};

/// Exports.
pub(super) const MEMORY: &str = "Bb";
pub(super) const CALL_CONSTRUCTORS: &str = "Cb";
pub(super) const SOLIDITY_COMPILE: &str = "Fb";
pub(super) const SOLIDITY_ALLOC: &str = "Gb";
pub(super) const TABLE: &str = "Jb";
pub(super) const FREE: &str = "Kb";
pub(super) const MALLOC: &str = "Lb";
pub(super) const SET_THREW: &str = "Mb";
pub(super) const STACK_SAVE: &str = "Nb";
pub(super) const STACK_RESTORE: &str = "Ob";
pub(super) const CAN_CATCH: &str = "Qb";
pub(super) const IS_POINTER_TYPE: &str = "Rb";

/// What an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Import {
    /// `invoke_` with the letters of a signature.
    Invoke(&'static str),
    /// C++ exception handling.
    Exception(Exception),
    /// The outside world.
    World(World),
}

/// What the import of this name is.
pub(super) fn import(name: &str) -> Option<Import> {
    let named = NAMED
        .iter()
        .find(|(minified, _, _)| *minified == name)
        .map(|(_, _, import)| *import);
    named.or_else(|| {
        INVOKE
            .split_ascii_whitespace()
            .filter_map(|entry| entry.split_once(':'))
            .find(|(minified, _)| *minified == name)
            .map(|(_, letters)| Import::Invoke(letters))
    })
}

/// Minified name, name in the glue, meaning.
const NAMED: [(&str, &str, Import); 39] = [
    ("Ea", "___call_sighandler", Import::World(World::Unexpected)),
    (
        "o",
        "___cxa_allocate_exception",
        Import::Exception(Exception::Allocate),
    ),
    (
        "u",
        "___cxa_begin_catch",
        Import::Exception(Exception::BeginCatch),
    ),
    (
        "A",
        "___cxa_end_catch",
        Import::Exception(Exception::EndCatch),
    ),
    (
        "R",
        "___cxa_find_matching_catch_10",
        Import::Exception(Exception::FindMatchingCatch),
    ),
    (
        "b",
        "___cxa_find_matching_catch_2",
        Import::Exception(Exception::FindMatchingCatch),
    ),
    (
        "k",
        "___cxa_find_matching_catch_3",
        Import::Exception(Exception::FindMatchingCatch),
    ),
    (
        "C",
        "___cxa_find_matching_catch_4",
        Import::Exception(Exception::FindMatchingCatch),
    ),
    (
        "Z",
        "___cxa_find_matching_catch_7",
        Import::Exception(Exception::FindMatchingCatch),
    ),
    (
        "Qa",
        "___cxa_find_matching_catch_8",
        Import::Exception(Exception::FindMatchingCatch),
    ),
    (
        "P",
        "___cxa_find_matching_catch_9",
        Import::Exception(Exception::FindMatchingCatch),
    ),
    (
        "q",
        "___cxa_free_exception",
        Import::Exception(Exception::Free),
    ),
    (
        "la",
        "___cxa_rethrow",
        Import::Exception(Exception::Rethrow),
    ),
    ("x", "___cxa_throw", Import::Exception(Exception::Throw)),
    (
        "ya",
        "___cxa_uncaught_exceptions",
        Import::Exception(Exception::Uncaught),
    ),
    (
        "f",
        "___resumeException",
        Import::Exception(Exception::Resume),
    ),
    (
        "Ja",
        "___syscall_faccessat",
        Import::World(World::Constant(-ENOSYS)),
    ),
    (
        "ea",
        "___syscall_fcntl64",
        Import::World(World::Constant(0)),
    ),
    ("Ca", "___syscall_ioctl", Import::World(World::Constant(0))),
    (
        "Ha",
        "___syscall_newfstatat",
        Import::World(World::Constant(-ENOSYS)),
    ),
    (
        "Ga",
        "___syscall_openat",
        Import::World(World::Constant(-ENOSYS)),
    ),
    ("Aa", "__emscripten_date_now", Import::World(World::Clock)),
    (
        "za",
        "__emscripten_get_now_is_monotonic",
        Import::World(World::Constant(1)),
    ),
    ("$", "_abort", Import::World(World::Exit)),
    ("Fa", "_emscripten_get_now", Import::World(World::Clock)),
    (
        "Ia",
        "_emscripten_memcpy_big",
        Import::World(World::CopyMemory),
    ),
    (
        "Ba",
        "_emscripten_resize_heap",
        Import::World(World::GrowMemory),
    ),
    ("Ka", "_environ_get", Import::World(World::Constant(0))),
    (
        "La",
        "_environ_sizes_get",
        Import::World(World::EnvironmentSizes),
    ),
    ("O", "_exit", Import::World(World::Exit)),
    ("fa", "_fd_close", Import::World(World::Constant(ENOSYS))),
    ("Da", "_fd_read", Import::World(World::Constant(ENOSYS))),
    ("Wa", "_fd_seek", Import::World(World::Constant(ESPIPE))),
    ("da", "_fd_write", Import::World(World::Write)),
    ("a", "_getTempRet0", Import::World(World::UpperHalf)),
    (
        "y",
        "_llvm_eh_typeid_for",
        Import::Exception(Exception::TypeId),
    ),
    ("Ma", "_proc_exit", Import::World(World::Exit)),
    ("Q", "_setTempRet0", Import::World(World::SetUpperHalf)),
    ("xa", "_strftime_l", Import::World(World::Constant(0))),
];

/// Minified name and signature of each `invoke_*`.
const INVOKE: &str = "
B:di T:dii Oa:diid aa:diii S:fii ba:fiii r:i X:id ja:idiiii d:ii G:iid _:iidi c:iii Na:iiid
g:iiii Pa:iiiif l:iiiii ca:iiiiid n:iiiiii s:iiiiiii v:iiiiiiii z:iiiiiiiii E:iiiiiiiiii
N:iiiiiiiiiii K:iiiiiiiiiiii F:iiiiiiiiiiiii I:iiiiiiiiiiiiii ia:iiiiiiiiiiiiiiiii Za:iiiiiiiji
Va:iiiiij fb:iiiij $a:iiiijiii gb:iiij Xa:iiijii nb:iij qa:iiji yb:iijii sa:iijiii ub:iijiiii
vb:iijiiiii wb:iijiiiiii qb:iijiiiiiii xb:iijiiiiiiii tb:iijiiiiiiiii rb:iijiiiiiiiiiii
sb:iijiiiiiiiiiiiiii pa:iijji ra:iijjiii na:ijjiiii eb:j ab:ji lb:jii kb:jiii Ua:jiiii bb:jiij
p:v ka:vdii j:vi e:vii J:viid W:viidd M:viidi ga:viifi h:viii i:viiii ha:viiiid m:viiiii
t:viiiiii w:viiiiiii D:viiiiiiii H:viiiiiiiii L:viiiiiiiiii V:viiiiiiiiiii Y:viiiiiiiiiiii
Sa:viiiiiiiiiiiii U:viiiiiiiiiiiiiii Ta:viiiiiiiiiiiiiiii Ra:viiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii
ib:viiiiiiji ob:viiiiiijjii _a:viiiiij cb:viiiiiji mb:viiiij db:viiiiji Ya:viiij hb:viiiji
pb:viiijii jb:viij ta:viiji ma:vij wa:viji ua:vijii zb:vijiii va:vijj Ab:vjii oa:vjjii
";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let names: Vec<&str> = NAMED
            .iter()
            .map(|(minified, _, _)| *minified)
            .chain(
                INVOKE
                    .split_ascii_whitespace()
                    .map(|entry| entry.split_once(':').unwrap().0),
            )
            .collect();
        assert_eq!(names.len(), 135);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 135);
    }

    #[test]
    fn the_names_are_those_of_the_glue() {
        let path = testkit::workspace_root().join("node_modules/solc/soljson.js");
        let Ok(script) = std::fs::read_to_string(path) else {
            testkit::skipped("no node_modules/solc: run `npm ci --ignore-scripts`");
            return;
        };
        let (_, rest) = script.split_once("var asmLibraryArg = {").unwrap();
        let (table, rest) = rest.split_once('}').unwrap();
        let mut seen = 0;
        for entry in table.split(',') {
            let (minified, name) = entry.split_once(": ").unwrap();
            let minified = minified.trim().trim_matches('"');
            if let Some(letters) = name.trim().strip_prefix("invoke_") {
                match import(minified) {
                    Some(Import::Invoke(ours)) => assert_eq!(ours, letters, "{minified}"),
                    other => panic!("{minified}: {other:?}"),
                }
                continue;
            }
            let ours = NAMED.iter().find(|(ours, _, _)| *ours == minified).unwrap();
            assert_eq!(ours.1, name.trim(), "{minified}");
            seen += 1;
        }
        assert_eq!(seen, NAMED.len());
        for (export, name) in [
            (CALL_CONSTRUCTORS, "___wasm_call_ctors"),
            (SOLIDITY_COMPILE, "_solidity_compile"),
            (SOLIDITY_ALLOC, "_solidity_alloc"),
            (FREE, "_free"),
            (MALLOC, "_malloc"),
            (SET_THREW, "_setThrew"),
            (STACK_SAVE, "stackSave"),
            (STACK_RESTORE, "stackRestore"),
            (CAN_CATCH, "___cxa_can_catch"),
            (IS_POINTER_TYPE, "___cxa_is_pointer_type"),
        ] {
            let line = format!("var {name} = Module[\"{name}\"] = asm[\"{export}\"];");
            assert!(rest.contains(&line), "{line}");
        }
    }
}
