use std::io;

use formats::{
    curve::Curve,
    points::{PointError, PointsError},
    ptau::PtauError,
    r1cs::R1csError,
};

/// Why no initial key was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The circuit is malformed.
    #[error("r1cs: {0}")]
    R1cs(#[from] R1csError),
    /// The powers of tau are malformed.
    #[error("ptau: {0}")]
    Ptau(#[from] PtauError),
    /// A point of the powers of tau is malformed.
    #[error("ptau: {0}")]
    Points(#[from] PointsError),
    /// Circuit and powers of tau are of different curves.
    #[error("circuit is over {r1cs}, powers of tau are over {ptau}")]
    DifferentCurves {
        /// Curve of the circuit.
        r1cs: Curve,
        /// Curve of the powers of tau.
        ptau: Curve,
    },
    /// The circuit needs a larger ptau.
    #[error("circuit needs 2^{needed} powers of tau, the ptau has 2^{got}")]
    PtauTooSmall {
        /// Power that the circuit needs.
        needed: u32,
        /// Power of the ptau.
        got: u32,
    },
    /// No ptau can have the power that the circuit needs.
    #[error("circuit needs a domain of 2^{needed}, the curve has at most 2^{max}")]
    CircuitTooLarge {
        /// Power that the circuit needs.
        needed: u32,
        /// Largest power of the curve.
        max: u32,
    },
    /// More coefficients than the format can count.
    #[error("{got} coefficients, the zkey format counts at most {}", u32::MAX)]
    TooManyCoefficients {
        /// Coefficients of the circuit.
        got: u64,
    },
    /// A run of points ended early: the ptau's section sizes were checked, so this is a bug.
    #[error("no point at index {index}")]
    TooFewPoints {
        /// The index asked for.
        index: u64,
    },
    /// A sum of points lacks one of them: this is a bug.
    #[error("a sum lacks a point: {0}; this is a bug")]
    Misplaced(#[from] vector::PositionError),
    /// A computed coordinate is not canonical: a fault of the machine.
    #[error("a computed {0}: this machine miscalculates")]
    Encoding(#[from] PointError),
    /// A coefficient does not fit the field: the curves were compared, so this is a bug.
    #[error("coefficient of another field")]
    CurveMismatch,
    /// The circuit hash of this size was only worked out for bn128.
    #[error(
        "circuit hash of a 2^{power} domain is not defined on {curve} with a ptau of that power"
    )]
    CircuitHashUndefined {
        /// Power of the domain.
        power: u32,
        /// The curve.
        curve: Curve,
    },
    /// The key could not be written.
    #[error("cannot write the initial key")]
    Write(#[source] io::Error),
    /// The threads could not be started.
    #[error("cannot start {threads} threads")]
    Threads {
        /// Threads asked for.
        threads: usize,
    },
    /// The progress sink asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl SetupError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::R1cs(error) => error.code(),
            Self::Ptau(error) => error.code(),
            Self::Points(error) => error.code(),
            Self::DifferentCurves { .. } => "setup_different_curves",
            Self::PtauTooSmall { .. } => "setup_ptau_too_small",
            Self::CircuitTooLarge { .. } => "setup_circuit_too_large",
            Self::TooManyCoefficients { .. } => "setup_too_many_coefficients",
            Self::TooFewPoints { .. } => "setup_too_few_points",
            Self::Misplaced(_) => "setup_misplaced",
            Self::Encoding(_) => "setup_encoding",
            Self::CurveMismatch => "setup_curve_mismatch",
            Self::CircuitHashUndefined { .. } => "setup_circuit_hash_undefined",
            Self::Write(_) => "setup_write",
            Self::Threads { .. } => "setup_threads",
            Self::Cancelled => "setup_cancelled",
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::PtauTooSmall { .. } => Some("take a ptau of at least the power that is named"),
            Self::DifferentCurves { .. } => {
                Some("compile the circuit with the prime of the ptau's curve")
            }
            Self::Encoding(_) => Some("do not use this machine"),
            Self::CircuitTooLarge { .. } => Some("split the circuit"),
            Self::Write(_) => Some("free disk space, or choose another folder"),
            _ => None,
        }
    }
}
