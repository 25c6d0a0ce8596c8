//! Coordinates of BN254 points, as 32 big-endian bytes and as decimal text.

use std::fmt;

/// Modulus of BN254's base field, big-endian (EIP-197): coordinates are below it.
const MODULUS: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d,
    0x97, 0x81, 0x6a, 0x91, 0x68, 0x71, 0xca, 0x8d, 0x3c, 0x20, 0x8c, 0x16, 0xd8, 0x7c, 0xfd, 0x47,
];

/// Why bytes or text are not a coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The number is the modulus or above: another spelling of a smaller one.
    #[error("coordinate is not below the field's modulus")]
    NotCanonical,
    /// The text is not a decimal number as it would be printed (digits only, no leading zero).
    #[error("coordinate is not a plain decimal number")]
    NotDecimal,
}

impl FieldError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotCanonical => "verifier_coordinate_not_canonical",
            Self::NotDecimal => "verifier_coordinate_not_decimal",
        }
    }
}

/// A coordinate: a number below BN254's base field modulus, kept as 32 big-endian bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldElement([u8; 32]);

impl FieldElement {
    /// Zero. Two of them, as a G1 point, are the point at infinity of the EVM precompiles.
    pub const ZERO: Self = Self([0; 32]);

    /// Reads 32 big-endian bytes.
    pub fn from_be_bytes(bytes: [u8; 32]) -> Result<Self, FieldError> {
        // Arrays of equal length compare as big-endian numbers do.
        if bytes < MODULUS {
            Ok(Self(bytes))
        } else {
            Err(FieldError::NotCanonical)
        }
    }

    /// Reads 32 little-endian bytes (not in Montgomery form).
    pub fn from_le_bytes(mut bytes: [u8; 32]) -> Result<Self, FieldError> {
        bytes.reverse();
        Self::from_be_bytes(bytes)
    }

    /// Reads decimal text, as `verification_key.json` holds it.
    pub fn from_decimal(text: &str) -> Result<Self, FieldError> {
        let digits = text.as_bytes();
        // 2^256 has 78 digits: the limit keeps the work bounded whatever the text's length.
        if digits.is_empty() || digits.len() > 78 || (digits.len() > 1 && text.starts_with('0')) {
            return Err(FieldError::NotDecimal);
        }
        let mut bytes = [0_u8; 32];
        for digit in digits {
            if !digit.is_ascii_digit() {
                return Err(FieldError::NotDecimal);
            }
            let mut carry = u16::from(digit - b'0');
            for byte in bytes.iter_mut().rev() {
                let [high, low] = (u16::from(*byte) * 10 + carry).to_be_bytes();
                *byte = low;
                carry = u16::from(high);
            }
            if carry != 0 {
                return Err(FieldError::NotCanonical);
            }
        }
        Self::from_be_bytes(bytes)
    }

    /// The 32 big-endian bytes, as the EVM holds the number.
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Whether the number is zero.
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }
}

impl fmt::Display for FieldElement {
    /// Decimal, without leading zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut digits = Vec::with_capacity(78);
        while rest.iter().any(|byte| *byte != 0) || digits.is_empty() {
            let mut remainder = 0_u16;
            for byte in &mut rest {
                let value = remainder * 256 + u16::from(*byte);
                // At most (9 * 256 + 255) / 10 = 255.
                *byte = u8::try_from(value / 10).unwrap_or(u8::MAX);
                remainder = value % 10;
            }
            digits.push(char::from(b'0' + u8::try_from(remainder).unwrap_or(0)));
        }
        f.write_str(&digits.iter().rev().collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Q: &str = "21888242871839275222246405745257275088696311157297823662689037894645226208583";
    const Q_MINUS_1: &str =
        "21888242871839275222246405745257275088696311157297823662689037894645226208582";

    #[test]
    fn decimal_text_round_trips() {
        for text in ["0", "1", "10", "255", "256", "65537", Q_MINUS_1] {
            assert_eq!(FieldElement::from_decimal(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn bytes_and_decimal_agree() {
        let mut bytes = [0; 32];
        bytes[30] = 1;
        assert_eq!(
            FieldElement::from_be_bytes(bytes).unwrap().to_string(),
            "256"
        );
        bytes.reverse();
        assert_eq!(
            FieldElement::from_le_bytes(bytes).unwrap().to_string(),
            "256"
        );
    }

    #[test]
    fn the_modulus_and_above_are_refused() {
        assert_eq!(
            FieldElement::from_be_bytes(MODULUS),
            Err(FieldError::NotCanonical)
        );
        assert_eq!(FieldElement::from_decimal(Q), Err(FieldError::NotCanonical));
        assert_eq!(
            FieldElement::from_be_bytes([0xff; 32]),
            Err(FieldError::NotCanonical)
        );
        // 78 digits beyond 2^256: must not wrap.
        assert_eq!(
            FieldElement::from_decimal(&"9".repeat(78)),
            Err(FieldError::NotCanonical)
        );
    }

    #[test]
    fn other_spellings_of_a_number_are_refused() {
        for text in ["", "01", "00", "+1", "-1", "0x1", " 1", "1 ", "1e3", "١"] {
            assert_eq!(
                FieldElement::from_decimal(text),
                Err(FieldError::NotDecimal),
                "{text:?}"
            );
        }
        assert_eq!(
            FieldElement::from_decimal(&"1".repeat(79)),
            Err(FieldError::NotDecimal)
        );
    }
}
