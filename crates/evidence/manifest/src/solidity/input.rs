//! The exact standard-JSON input of the compiler.

/// Name of the contract.
pub const CONTRACT_NAME: &str = "Groth16Verifier";

/// Name of the source unit in the compiler's input; the bundle's file has the same name.
pub const SOURCE_FILE: &str = "verifier.sol";

/// The compiler that the settings are for.
pub const COMPILER_VERSION: &str = "0.8.37";

/// Newest instruction set that the code may use: every public chain of today runs it.
pub const EVM_VERSION: &str = "paris";

/// How often the optimizer expects the code to run: a verifier is deployed once and called often.
pub const OPTIMIZER_RUNS: u32 = 1_000_000;

/// The compiler's input text, byte for byte what `verifier.input.json` holds.
///
/// Only [`standard_json`] makes one, so its settings are always the attested ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardJson(String);

impl StandardJson {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The compiler's input for a contract source: fixed settings, keys sorted, one line per value.
///
/// No metadata goes into the code (`bytecodeHash` none, `appendCBOR` false), so the code depends on
/// the source's meaning and these settings alone, not on file names or paths.
pub fn standard_json(source: &str) -> StandardJson {
    let content = json_string(source);
    StandardJson(format!(
        r#"{{
  "language": "Solidity",
  "settings": {{
    "evmVersion": "{EVM_VERSION}",
    "metadata": {{
      "appendCBOR": false,
      "bytecodeHash": "none"
    }},
    "optimizer": {{
      "enabled": true,
      "runs": {OPTIMIZER_RUNS}
    }},
    "outputSelection": {{
      "{SOURCE_FILE}": {{
        "{CONTRACT_NAME}": [
          "evm.bytecode.linkReferences",
          "evm.bytecode.object",
          "evm.deployedBytecode.immutableReferences",
          "evm.deployedBytecode.linkReferences",
          "evm.deployedBytecode.object"
        ]
      }}
    }},
    "viaIR": false
  }},
  "sources": {{
    "{SOURCE_FILE}": {{
      "content": {content}
    }}
  }}
}}
"#
    ))
}

/// A JSON string literal (RFC 8259, section 7) with the shortest escapes.
fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16 + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                let escape = format!("\\u{:04x}", u32::from(control));
                out.push_str(&escape);
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_are_the_pinned_ones() {
        let text = standard_json("contract Groth16Verifier {}\n");
        assert_eq!(
            text.as_str(),
            r#"{
  "language": "Solidity",
  "settings": {
    "evmVersion": "paris",
    "metadata": {
      "appendCBOR": false,
      "bytecodeHash": "none"
    },
    "optimizer": {
      "enabled": true,
      "runs": 1000000
    },
    "outputSelection": {
      "verifier.sol": {
        "Groth16Verifier": [
          "evm.bytecode.linkReferences",
          "evm.bytecode.object",
          "evm.deployedBytecode.immutableReferences",
          "evm.deployedBytecode.linkReferences",
          "evm.deployedBytecode.object"
        ]
      }
    },
    "viaIR": false
  },
  "sources": {
    "verifier.sol": {
      "content": "contract Groth16Verifier {}\n"
    }
  }
}
"#
        );
    }

    #[test]
    fn text_cannot_break_out_of_its_string() {
        assert_eq!(
            json_string("a\"b\\c\n\r\t\u{1}é"),
            "\"a\\\"b\\\\c\\n\\r\\t\\u0001é\""
        );
    }
}
