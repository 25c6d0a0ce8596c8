//! The verification key as the contract needs it.

use super::field::{FieldElement, FieldError};

/// Why a set of points is not a verification key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The list of input points is empty: the constant 1 always has one.
    #[error("the verification key has no input points")]
    NoInputPoints,
    /// More public signals than a contract can be written for.
    #[error("{got} public signals, at most {limit} fit a contract")]
    TooManySignals {
        /// Signals of the key.
        got: usize,
        /// Largest number of signals.
        limit: usize,
    },
    /// A coordinate is not one.
    #[error(transparent)]
    Coordinate(#[from] FieldError),
}

impl KeyError {
    /// Stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoInputPoints => "verifier_key_no_input_points",
            Self::TooManySignals { .. } => "verifier_key_too_many_signals",
            Self::Coordinate(error) => error.code(),
        }
    }
}

/// A G1 point in affine coordinates. (0, 0) is the point at infinity, as EIP-196 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct G1Point {
    /// x coordinate.
    pub x: FieldElement,
    /// y coordinate.
    pub y: FieldElement,
}

impl G1Point {
    /// The point at infinity.
    pub const INFINITY: Self = Self {
        x: FieldElement::ZERO,
        y: FieldElement::ZERO,
    };

    /// Reads x and y, 32 big-endian bytes each.
    pub fn from_be_bytes(x: [u8; 32], y: [u8; 32]) -> Result<Self, FieldError> {
        Ok(Self {
            x: FieldElement::from_be_bytes(x)?,
            y: FieldElement::from_be_bytes(y)?,
        })
    }

    /// Reads x and y as decimal text.
    pub fn from_decimal(x: &str, y: &str) -> Result<Self, FieldError> {
        Ok(Self {
            x: FieldElement::from_decimal(x)?,
            y: FieldElement::from_decimal(y)?,
        })
    }
}

/// A G2 point in affine coordinates. Each coordinate is `[c0, c1]`, meaning `c0 + c1·u`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct G2Point {
    /// x coordinate, `[c0, c1]`.
    pub x: [FieldElement; 2],
    /// y coordinate, `[c0, c1]`.
    pub y: [FieldElement; 2],
}

impl G2Point {
    /// Reads x and y, each `[c0, c1]` of 32 big-endian bytes.
    pub fn from_be_bytes(x: [[u8; 32]; 2], y: [[u8; 32]; 2]) -> Result<Self, FieldError> {
        let [x0, x1] = x;
        let [y0, y1] = y;
        Ok(Self {
            x: [
                FieldElement::from_be_bytes(x0)?,
                FieldElement::from_be_bytes(x1)?,
            ],
            y: [
                FieldElement::from_be_bytes(y0)?,
                FieldElement::from_be_bytes(y1)?,
            ],
        })
    }

    /// Reads x and y, each `[c0, c1]`, as decimal text (the order of `verification_key.json`).
    pub fn from_decimal(x: [&str; 2], y: [&str; 2]) -> Result<Self, FieldError> {
        let [x0, x1] = x;
        let [y0, y1] = y;
        Ok(Self {
            x: [
                FieldElement::from_decimal(x0)?,
                FieldElement::from_decimal(x1)?,
            ],
            y: [
                FieldElement::from_decimal(y0)?,
                FieldElement::from_decimal(y1)?,
            ],
        })
    }
}

/// A Groth16 verification key over BN254.
///
/// Coordinates are canonical by type. That points lie on the curve and in the subgroup is checked
/// where keys are read and made; a point that does not gives a contract that refuses every proof,
/// because the EVM precompiles refuse it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    alpha: G1Point,
    beta: G2Point,
    gamma: G2Point,
    delta: G2Point,
    input: Vec<G1Point>,
}

impl VerifierKey {
    /// Most public signals of a key. Ethereum's limit on code size ends long before it.
    pub const MAX_SIGNALS: usize = 4096;

    /// A key of alpha (G1), beta, gamma, delta (G2) and the input points: one for the constant 1,
    /// then one for each public signal, in order.
    pub fn new(
        alpha: G1Point,
        beta: G2Point,
        gamma: G2Point,
        delta: G2Point,
        input: Vec<G1Point>,
    ) -> Result<Self, KeyError> {
        let signals = input.len().checked_sub(1).ok_or(KeyError::NoInputPoints)?;
        if signals > Self::MAX_SIGNALS {
            return Err(KeyError::TooManySignals {
                got: signals,
                limit: Self::MAX_SIGNALS,
            });
        }
        Ok(Self {
            alpha,
            beta,
            gamma,
            delta,
            input,
        })
    }

    /// Number of public signals.
    pub fn signals(&self) -> usize {
        self.input.len().saturating_sub(1)
    }

    /// alpha in G1.
    pub fn alpha(&self) -> &G1Point {
        &self.alpha
    }

    /// beta in G2.
    pub fn beta(&self) -> &G2Point {
        &self.beta
    }

    /// gamma in G2.
    pub fn gamma(&self) -> &G2Point {
        &self.gamma
    }

    /// delta in G2.
    pub fn delta(&self) -> &G2Point {
        &self.delta
    }

    /// The input points: `signals() + 1` of them.
    pub fn input(&self) -> &[G1Point] {
        &self.input
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A key whose coordinates are small distinct numbers: good for looking at text, not a real key.
    pub(in super::super) fn sample(signals: usize) -> VerifierKey {
        let number = |n: usize| FieldElement::from_decimal(&n.to_string()).unwrap();
        let g1 = |n: usize| G1Point {
            x: number(n),
            y: number(n + 1),
        };
        let g2 = |n: usize| G2Point {
            x: [number(n), number(n + 1)],
            y: [number(n + 2), number(n + 3)],
        };
        let input = (0..=signals).map(|i| g1(1000 + 2 * i)).collect();
        VerifierKey::new(g1(100), g2(200), g2(300), g2(400), input).unwrap()
    }

    #[test]
    fn a_key_without_input_points_is_refused() {
        let key = sample(0);
        assert_eq!(
            VerifierKey::new(key.alpha, key.beta, key.gamma, key.delta, vec![]),
            Err(KeyError::NoInputPoints)
        );
    }

    #[test]
    fn more_signals_than_the_limit_are_refused() {
        let key = sample(0);
        let points = |n| vec![G1Point::INFINITY; n];
        let make = |n| VerifierKey::new(key.alpha, key.beta, key.gamma, key.delta, points(n));
        assert_eq!(make(4097).unwrap().signals(), 4096);
        assert_eq!(
            make(4098),
            Err(KeyError::TooManySignals {
                got: 4097,
                limit: 4096
            })
        );
    }
}
