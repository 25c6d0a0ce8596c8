//! The text of `verifier.sol`.

use super::input::{CONTRACT_NAME, SOURCE_FILE};
use super::key::{G1Point, G2Point, VerifierKey};

/// The Solidity source of a contract that verifies proofs under this key.
///
/// ASCII text with LF line ends, a pure function of the key. Its interface is the one that tools
/// around circom expect: `verifyProof(uint256[2], uint256[2][2], uint256[2], uint256[N])`, without
/// the last argument when there are no public signals. Rules and verdicts:
/// `docs/formats/verifier.md`.
pub fn verifier_source(key: &VerifierKey) -> String {
    [
        header(),
        constants(key),
        function_head(key.signals()),
        public_part(key.signals()),
        PAIRING_PART.to_owned(),
    ]
    .concat()
}

fn header() -> String {
    format!(
        "\
// SPDX-License-Identifier: MIT
//
// {SOURCE_FILE}: verifies Groth16 proofs of one circuit, on the curve BN254 (alt_bn128).
// Derived from the circuit's verification key by attested-ceremony; nothing else is in it.
//
// Permission is hereby granted, free of charge, to any person obtaining a copy of this software
// and associated documentation files (the \"Software\"), to deal in the Software without
// restriction, including without limitation the rights to use, copy, modify, merge, publish,
// distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
// Software is furnished to do so, subject to the following conditions:
//
// The above copyright notice and this permission notice shall be included in all copies or
// substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING
// BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
// NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
// DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
// OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
pragma solidity >=0.8.13 <0.9.0;

/// @title Groth16 verifier of one circuit
/// @notice A proof (A, B, C) holds for public signals s1..sN when
///         e(A, B) = e(alpha, beta) * e(IC0 + s1*IC1 + ... + sN*ICN, gamma) * e(C, delta).
contract {CONTRACT_NAME} {{
"
    )
}

fn constants(key: &VerifierKey) -> String {
    let mut lines = vec![
        "    // Modulus of the base field: coordinates of points are below it.".to_owned(),
        constant(
            "BASE_MODULUS",
            "21888242871839275222246405745257275088696311157297823662689037894645226208583",
        ),
        "    // Order of the groups: public signals are below it.".to_owned(),
        constant(
            "GROUP_ORDER",
            "21888242871839275222246405745257275088548364400416034343698204186575808495617",
        ),
        String::new(),
        "    // The verification key. A G2 coordinate is C0 + C1*u; the precompile reads C1 first."
            .to_owned(),
        "    // A G1 point (0, 0) is the point at infinity.".to_owned(),
    ];
    lines.extend(g1_constants("ALPHA", key.alpha()));
    lines.extend(g2_constants("BETA", key.beta()));
    lines.extend(g2_constants("GAMMA", key.gamma()));
    lines.extend(g2_constants("DELTA", key.delta()));
    for (index, point) in key.input().iter().enumerate() {
        lines.extend(g1_constants(&format!("IC{index}"), point));
    }
    lines.extend([String::new(), String::new()]);
    lines.join("\n")
}

fn g1_constants(name: &str, point: &G1Point) -> [String; 2] {
    [
        constant(&format!("{name}_X"), &point.x.to_string()),
        constant(&format!("{name}_Y"), &point.y.to_string()),
    ]
}

fn g2_constants(name: &str, point: &G2Point) -> [String; 4] {
    let [x0, x1] = point.x;
    let [y0, y1] = point.y;
    [
        constant(&format!("{name}_X_C1"), &x1.to_string()),
        constant(&format!("{name}_X_C0"), &x0.to_string()),
        constant(&format!("{name}_Y_C1"), &y1.to_string()),
        constant(&format!("{name}_Y_C0"), &y0.to_string()),
    ]
}

fn constant(name: &str, value: &str) -> String {
    format!("    uint256 private constant {name} = {value};")
}

fn function_head(signals: usize) -> String {
    let (note, last) = if signals == 0 {
        (
            String::new(),
            "        uint256[2] calldata _pC\n".to_owned(),
        )
    } else {
        (
            "    /// @param _pubSignals The public signals: outputs first, then public inputs.\n"
                .to_owned(),
            format!(
                "        uint256[2] calldata _pC,\n        uint256[{signals}] calldata _pubSignals\n"
            ),
        )
    };
    format!(
        "    \
    /// @notice Tells whether a proof holds. Answers false, and does not revert, for points that
    ///         are not on the curve or not in the group, for numbers out of range and when the
    ///         gas given does not suffice for the curve operations.
    /// @param _pA A in G1, as (x, y).
    /// @param _pB B in G2, as ((x.c1, x.c0), (y.c1, y.c0)).
    /// @param _pC C in G1, as (x, y).
{note}    /// @return ok True if and only if the proof holds.
    function verifyProof(
        uint256[2] calldata _pA,
        uint256[2][2] calldata _pB,
{last}    ) public view returns (bool ok) {{
        assembly (\"memory-safe\") {{
"
    )
}

/// The sum IC0 + s1*IC1 + …, left where the pairing reads it.
fn public_part(signals: usize) -> String {
    let mut text = String::new();
    if signals > 0 {
        text.push_str(ADD_TERM);
    }
    text.push_str(SUM_HEAD);
    for index in 1..=signals {
        let place = match index - 1 {
            0 => "_pubSignals".to_owned(),
            words => format!("add(_pubSignals, {:#x})", words * 32),
        };
        let term = format!(
            "            ok := and(ok, addTerm(sum, IC{index}_X, IC{index}_Y, calldataload({place})))\n"
        );
        text.push_str(&term);
    }
    text
}

const ADD_TERM: &str = "            \
            // Adds signal * (x, y) to the point at `sum`; uses the three words after that point.
            // Precompile 7 multiplies a point by a number, precompile 6 adds two points (EIP-196).
            function addTerm(sum, x, y, signal) -> fine {
                let term := add(sum, 0x40)
                mstore(term, x)
                mstore(add(sum, 0x60), y)
                mstore(add(sum, 0x80), signal)
                fine := staticcall(gas(), 7, term, 0x60, term, 0x40)
                fine := and(fine, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                fine := and(fine, lt(signal, GROUP_ORDER))
            }

";

const SUM_HEAD: &str = "            \
            // Four pairs of points for the pairing precompile, 24 words in free memory:
            //   0x000  -A    0x040  B        0x0c0  alpha  0x100  beta
            //   0x180  sum   0x1c0  gamma    0x240  C      0x280  delta
            let pairs := mload(0x40)
            ok := 1

            // sum = IC0 + s1*IC1 + ... + sN*ICN
            let sum := add(pairs, 0x180)
            mstore(sum, IC0_X)
            mstore(add(sum, 0x20), IC0_Y)
";

const PAIRING_PART: &str = "
            // -A = (x, -y). The precompile checks every other coordinate's range.
            let y := calldataload(add(_pA, 0x20))
            ok := and(ok, lt(y, BASE_MODULUS))
            mstore(pairs, calldataload(_pA))
            mstore(add(pairs, 0x20), mod(sub(BASE_MODULUS, y), BASE_MODULUS))

            calldatacopy(add(pairs, 0x40), _pB, 0x80)

            mstore(add(pairs, 0xc0), ALPHA_X)
            mstore(add(pairs, 0xe0), ALPHA_Y)
            mstore(add(pairs, 0x100), BETA_X_C1)
            mstore(add(pairs, 0x120), BETA_X_C0)
            mstore(add(pairs, 0x140), BETA_Y_C1)
            mstore(add(pairs, 0x160), BETA_Y_C0)

            mstore(add(pairs, 0x1c0), GAMMA_X_C1)
            mstore(add(pairs, 0x1e0), GAMMA_X_C0)
            mstore(add(pairs, 0x200), GAMMA_Y_C1)
            mstore(add(pairs, 0x220), GAMMA_Y_C0)

            calldatacopy(add(pairs, 0x240), _pC, 0x40)

            mstore(add(pairs, 0x280), DELTA_X_C1)
            mstore(add(pairs, 0x2a0), DELTA_X_C0)
            mstore(add(pairs, 0x2c0), DELTA_Y_C1)
            mstore(add(pairs, 0x2e0), DELTA_Y_C0)

            // Precompile 8 (EIP-197) answers 1 when the product of the four pairings is one. The
            // answer's place is cleared first: where there is no such precompile, nothing is
            // written, and nothing must not read as true.
            mstore(0x00, 0)
            ok := and(ok, staticcall(gas(), 8, pairs, 0x300, 0x00, 0x20))
            ok := and(ok, eq(mload(0x00), 1))
        }
    }
}
";

#[cfg(test)]
mod tests {
    use super::super::key::tests::sample;
    use super::*;

    #[test]
    fn the_text_is_ascii_with_plain_line_ends() {
        let text = verifier_source(&sample(3));
        assert!(
            text.bytes()
                .all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte))
        );
        assert!(text.ends_with("}\n"));
        assert!(!text.lines().any(|line| line.ends_with(' ')));
    }

    #[test]
    fn no_public_signals_means_no_fourth_argument() {
        let text = verifier_source(&sample(0));
        assert!(!text.contains("_pubSignals"));
        assert!(!text.contains("addTerm"));
        assert!(text.contains("        uint256[2] calldata _pC\n    ) public view"));
    }

    #[test]
    fn g2_constants_are_named_by_their_part() {
        let text = verifier_source(&sample(1));
        assert!(text.contains("uint256 private constant DELTA_X_C0 = 400;"));
        assert!(text.contains("uint256 private constant DELTA_X_C1 = 401;"));
        assert!(text.contains("uint256 private constant DELTA_Y_C0 = 402;"));
        assert!(text.contains("uint256 private constant DELTA_Y_C1 = 403;"));
    }

    #[test]
    fn every_signal_has_its_constants_and_its_term() {
        let text = verifier_source(&sample(2));
        assert!(text.contains("uint256 private constant IC2_X = 1004;"));
        assert!(text.contains("uint256[2] calldata _pubSignals"));
        assert!(
            text.contains("addTerm(sum, IC2_X, IC2_Y, calldataload(add(_pubSignals, 0x20))))\n")
        );
    }
}
