//! The compiler itself: loading, limits, refusals, and the same answer as under Node.

use std::time::Duration;

use manifest::solidity::{standard_json, verifier_source};
use solc::{Limits, MODULE_FILE, Solc, SolcError};

use crate::groth16::{Circuit, Setup};
use crate::{modules, snarkjs};

#[test]
fn a_missing_module_is_named() {
    let folder = tempfile::tempdir().unwrap();
    match Solc::load(folder.path()) {
        Err(SolcError::ModuleRead { path, .. }) => {
            assert_eq!(path, folder.path().join(MODULE_FILE));
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("loaded"),
    }
}

#[test]
fn another_module_is_refused_before_it_is_compiled() {
    let folder = tempfile::tempdir().unwrap();
    // An empty module: valid WebAssembly, not the pinned file.
    std::fs::write(folder.path().join(MODULE_FILE), b"\0asm\x01\0\0\0").unwrap();
    match Solc::load(folder.path()) {
        Err(SolcError::ModuleDigest { expected, .. }) => {
            assert_eq!(expected, hex::encode(solc::unpack::SOLC_WASM_SHA256));
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("loaded"),
    }
    assert!(!folder.path().join("cache").exists());
}

#[test]
fn a_faulty_contract_is_refused_with_what_solc_says() {
    let Some(solc) = modules::solc() else {
        return;
    };
    // Errors travel through the compiler as C++ exceptions.
    for (source, word) in [
        ("contract Groth16Verifier {", "ParserError"),
        (
            "contract Groth16Verifier { function f() public pure returns (bool) { return 1; } }",
            "TypeError",
        ),
        (
            "pragma solidity 0.7.0; contract Groth16Verifier {}",
            "ParserError",
        ),
        (
            "import \"other.sol\"; contract Groth16Verifier {}",
            "ParserError",
        ),
    ] {
        match solc.compile_verifier(&standard_json(source)) {
            Err(SolcError::CompileFailed { diagnostics }) => {
                assert!(diagnostics[0].contains(word), "{diagnostics:?}");
            }
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn a_contract_of_another_name_is_no_answer() {
    let Some(solc) = modules::solc() else {
        return;
    };
    assert!(matches!(
        solc.compile_verifier(&standard_json("contract Other {}")),
        Err(SolcError::Answer { field: "evm" })
    ));
}

#[test]
fn code_that_deployment_fills_in_is_refused() {
    let Some(solc) = modules::solc() else {
        return;
    };
    let source = "contract Groth16Verifier { uint256 immutable x; constructor() { x = block.number; } \
                  function f() public view returns (uint256) { return x; } }";
    assert!(matches!(
        solc.compile_verifier(&standard_json(source)),
        Err(SolcError::NotFixed {
            field: "deployedBytecode.immutableReferences"
        })
    ));
}

#[test]
fn time_and_memory_end() {
    let Some(folder) = modules::folder() else {
        return;
    };
    let source = verifier_source(&Setup::new(Circuit::squarings(200)).verifier_key());
    let input = standard_json(&source);
    let limits = Limits {
        time: Duration::ZERO,
        ..Limits::default()
    };
    let solc = Solc::load_with(&folder, limits).unwrap();
    assert!(matches!(
        solc.compile_verifier(&input),
        Err(SolcError::Timeout {
            limit: Duration::ZERO
        })
    ));
    // The module starts with 32 MiB.
    let limits = Limits {
        memory_bytes: 16 << 20,
        ..Limits::default()
    };
    let solc = Solc::load_with(&folder, limits).unwrap();
    assert!(matches!(
        solc.compile_verifier(&input),
        Err(SolcError::OutOfMemory { limit: 0x0100_0000 })
    ));
}

#[test]
fn the_code_is_that_of_the_compiler_under_node() {
    for signals in [0, 3] {
        let source = verifier_source(&Setup::new(Circuit::squarings(signals)).verifier_key());
        let input = standard_json(&source);
        let Some(answer) = snarkjs::node_answer(input.as_str()) else {
            return;
        };
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer.get("errors"), None, "not even a warning");
        let evm = &answer["contracts"]["verifier.sol"]["Groth16Verifier"]["evm"];
        let contract = modules::solc().unwrap().compile_verifier(&input).unwrap();
        assert_eq!(evm["bytecode"]["object"], hex::encode(contract.creation()));
        assert_eq!(
            evm["deployedBytecode"]["object"],
            hex::encode(contract.runtime())
        );
    }
}
