//! solc's answer, and what is taken from it.

use manifest::solidity::{CONTRACT_NAME, SOURCE_FILE, keccak256};
use serde_json::Value;

use crate::SolcError;

/// Most messages kept of a failed compilation, and most characters of each.
const MAX_DIAGNOSTICS: usize = 20;
const MAX_DIAGNOSTIC_CHARS: usize = 500;

/// A compiled contract whose code is fixed: nothing is linked or filled in at deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledContract {
    creation: Vec<u8>,
    runtime: Vec<u8>,
}

impl CompiledContract {
    /// Reads solc's answer to a [`manifest::solidity::StandardJson`].
    pub(crate) fn from_answer(answer: &[u8]) -> Result<Self, SolcError> {
        let answer: Value =
            serde_json::from_slice(answer).map_err(|_| SolcError::Answer { field: "json" })?;
        refuse_errors(&answer)?;
        let evm = answer
            .pointer(&format!("/contracts/{SOURCE_FILE}/{CONTRACT_NAME}/evm"))
            .ok_or(SolcError::Answer { field: "evm" })?;
        empty(evm, "/bytecode/linkReferences", "bytecode.linkReferences")?;
        empty(
            evm,
            "/deployedBytecode/linkReferences",
            "deployedBytecode.linkReferences",
        )?;
        empty(
            evm,
            "/deployedBytecode/immutableReferences",
            "deployedBytecode.immutableReferences",
        )?;
        let creation = code(evm, "/bytecode/object", "bytecode.object")?;
        let runtime = code(evm, "/deployedBytecode/object", "deployedBytecode.object")?;
        if !creation.ends_with(&runtime) {
            return Err(SolcError::RuntimeNotInCreation {
                creation: creation.len(),
                runtime: runtime.len(),
            });
        }
        Ok(Self { creation, runtime })
    }

    /// The code that a deploying transaction carries.
    pub fn creation(&self) -> &[u8] {
        &self.creation
    }

    /// The code that lies on chain after deployment: `type(Groth16Verifier).runtimeCode`.
    pub fn runtime(&self) -> &[u8] {
        &self.runtime
    }

    /// Keccak-256 of the runtime code, as `EXTCODEHASH` gives it.
    pub fn runtime_keccak256(&self) -> [u8; 32] {
        keccak256(&self.runtime)
    }
}

fn refuse_errors(answer: &Value) -> Result<(), SolcError> {
    let messages = match answer.get("errors") {
        None => return Ok(()),
        Some(list) => list
            .as_array()
            .ok_or(SolcError::Answer { field: "errors" })?,
    };
    let diagnostics: Vec<String> = messages
        .iter()
        .filter(|message| message.get("severity").and_then(Value::as_str) == Some("error"))
        .take(MAX_DIAGNOSTICS)
        .map(diagnostic)
        .collect();
    if diagnostics.is_empty() {
        Ok(())
    } else {
        Err(SolcError::CompileFailed { diagnostics })
    }
}

/// One message in one line of printable text.
fn diagnostic(message: &Value) -> String {
    message
        .get("formattedMessage")
        .or_else(|| message.get("message"))
        .and_then(Value::as_str)
        .unwrap_or("no message")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_DIAGNOSTIC_CHARS)
        .collect()
}

fn empty(evm: &Value, pointer: &str, field: &'static str) -> Result<(), SolcError> {
    let list = evm
        .pointer(pointer)
        .and_then(Value::as_object)
        .ok_or(SolcError::Answer { field })?;
    if list.is_empty() {
        Ok(())
    } else {
        Err(SolcError::NotFixed { field })
    }
}

fn code(evm: &Value, pointer: &str, field: &'static str) -> Result<Vec<u8>, SolcError> {
    evm.pointer(pointer)
        .and_then(Value::as_str)
        .and_then(|text| hex::decode(text).ok())
        .filter(|code| !code.is_empty())
        .ok_or(SolcError::Answer { field })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Value {
        json!({ "contracts": { "verifier.sol": { "Groth16Verifier": { "evm": {
            "bytecode": { "linkReferences": {}, "object": "60016002" },
            "deployedBytecode": {
                "immutableReferences": {}, "linkReferences": {}, "object": "6002"
            },
        } } } } })
    }

    fn read(answer: &Value) -> Result<CompiledContract, SolcError> {
        CompiledContract::from_answer(answer.to_string().as_bytes())
    }

    #[test]
    fn a_plain_answer_is_read() {
        let contract = read(&answer()).unwrap();
        assert_eq!(contract.creation(), [0x60, 1, 0x60, 2]);
        assert_eq!(contract.runtime(), [0x60, 2]);
    }

    #[test]
    fn warnings_do_not_refuse_a_contract() {
        let mut answer = answer();
        answer["errors"] = json!([{ "severity": "warning", "formattedMessage": "x" }]);
        assert!(read(&answer).is_ok());
    }

    #[test]
    fn an_error_refuses_it_with_what_solc_said() {
        let mut answer = answer();
        answer["errors"] = json!([{ "severity": "error", "formattedMessage": "a\n  b\u{7}" }]);
        match read(&answer) {
            Err(SolcError::CompileFailed { diagnostics }) => assert_eq!(diagnostics, ["a b"]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn code_with_holes_is_refused() {
        let mut answer = answer();
        answer["contracts"]["verifier.sol"]["Groth16Verifier"]["evm"]["deployedBytecode"]["immutableReferences"] =
            json!({ "7": [] });
        assert!(matches!(
            read(&answer),
            Err(SolcError::NotFixed {
                field: "deployedBytecode.immutableReferences"
            })
        ));
    }

    #[test]
    fn runtime_code_must_be_the_tail_of_creation_code() {
        let mut answer = answer();
        answer["contracts"]["verifier.sol"]["Groth16Verifier"]["evm"]["deployedBytecode"]["object"] =
            json!("6001");
        assert!(matches!(
            read(&answer),
            Err(SolcError::RuntimeNotInCreation {
                creation: 4,
                runtime: 2
            })
        ));
    }

    #[test]
    fn other_answers_are_refused() {
        assert!(matches!(
            CompiledContract::from_answer(b"{"),
            Err(SolcError::Answer { field: "json" })
        ));
        assert!(matches!(
            read(&json!({})),
            Err(SolcError::Answer { field: "evm" })
        ));
        for bad in [json!(""), json!("6"), json!("__$x$__"), json!(7)] {
            let mut answer = answer();
            answer["contracts"]["verifier.sol"]["Groth16Verifier"]["evm"]["bytecode"]["object"] =
                bad;
            assert!(matches!(
                read(&answer),
                Err(SolcError::Answer {
                    field: "bytecode.object"
                })
            ));
        }
    }
}
