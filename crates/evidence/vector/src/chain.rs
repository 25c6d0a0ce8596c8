//! The sequence of group operations that multiplies a point by one scalar.

use zeroize::Zeroize;

/// Multiples that are at hand during a chain.
pub const TABLE_SIZE: usize = 8;

/// Which multiples of a point P these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// (2·index + 1)·P: P, 3P, …, 15P.
    Odd,
    /// a·P + b·φ(P) for a, b of 1 and 3 and both signs of b: a is 3 where bit 0 of the index is set, b
    /// is 3 where bit 1 is, and negative where bit 2 is.
    Joint,
}

/// One operation on the running point R. The values are derived from the scalar: a chain of a secret
/// scalar is a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// R ← 2R
    Double,
    /// R ← R + T
    Add(Term),
    /// R ← 2R + T, computed as (R + T) + R, which saves a slope.
    DoubleAdd(Term),
}

/// T = ± a multiple of the table, or ± its image under the endomorphism φ(x, y) = (βx, y).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Which multiple, 0 … 7.
    pub index: u8,
    /// Subtract instead of add.
    pub negative: bool,
    /// Apply φ to the multiple first.
    pub endomorphism: bool,
}

/// A chain: its first step must be an addition, which sets R; erased when dropped.
pub struct Chain {
    table: Table,
    steps: Vec<Step>,
    secret: bool,
}

/// Why a list of steps is not a chain.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// Nothing to start from.
    #[error("a chain must start with an addition")]
    Start,
    /// An odd multiple that the table does not hold.
    #[error("step {position}: table index {index} is not below {TABLE_SIZE}")]
    Index {
        /// Position of the step.
        position: usize,
        /// Index found.
        index: u8,
    },
}

impl Chain {
    /// Checks the shape of a chain over odd multiples. For a `secret` one, multiples are looked up by reading the whole
    /// table, so that memory addresses do not tell the digits.
    ///
    /// The caller answers for this: no addition in the chain meets R = ±T or R = 0 for a point of
    /// the prime order r. That depends on the scalar alone, not on the point.
    pub fn new(steps: Vec<Step>, secret: bool) -> Result<Self, ChainError> {
        Self::over(Table::Odd, steps, secret)
    }

    /// The same over another table.
    pub fn over(table: Table, steps: Vec<Step>, secret: bool) -> Result<Self, ChainError> {
        if !matches!(steps.first(), Some(Step::Add(_))) {
            return Err(ChainError::Start);
        }
        for (position, step) in steps.iter().enumerate() {
            if let Step::Add(Term { index, .. }) | Step::DoubleAdd(Term { index, .. }) = step
                && usize::from(*index) >= TABLE_SIZE
            {
                return Err(ChainError::Index {
                    position,
                    index: *index,
                });
            }
        }
        Ok(Self {
            table,
            steps,
            secret,
        })
    }

    pub(crate) fn table(&self) -> Table {
        self.table
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.secret
    }
}

impl Zeroize for Step {
    fn zeroize(&mut self) {
        *self = Step::Double;
        // Keeps the write: the value could be read after this as far as the compiler knows.
        std::hint::black_box(self);
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.steps.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_starts_with_an_addition() {
        assert_eq!(Chain::new(vec![], true).err(), Some(ChainError::Start));
        assert_eq!(
            Chain::new(vec![Step::Double], true).err(),
            Some(ChainError::Start)
        );
    }

    #[test]
    fn an_index_beyond_the_table_is_refused() {
        let term = Term {
            index: 8,
            negative: false,
            endomorphism: false,
        };
        for step in [Step::Add(term), Step::DoubleAdd(term)] {
            let start = Step::Add(Term { index: 0, ..term });
            assert_eq!(
                Chain::new(vec![start, step], false).err(),
                Some(ChainError::Index {
                    position: 1,
                    index: 8
                })
            );
        }
    }
}
