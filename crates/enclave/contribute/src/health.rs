//! Start-up tests of a random draw (NIST SP 800-90B section 4.4), for the failures that hardware
//! has: stuck values and a stuck majority. A draw of 256 good bytes fails with probability below
//! 2^-35.

/// Longest run of one byte value that passes (repetition count test).
const LONGEST_RUN: usize = 6;
/// Most occurrences of one byte value among 256 that pass (adaptive proportion test).
const MOST_FREQUENT: usize = 17;

/// How a draw fails to look random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthError {
    /// All bytes are the same.
    #[error("all bytes are equal")]
    Constant,
    /// One value is repeated too often in a row.
    #[error("one byte is repeated {got} times in a row, at most {max} are allowed")]
    Repetition {
        /// Longest run found.
        got: usize,
        /// Longest run that passes.
        max: usize,
    },
    /// One value is too frequent.
    #[error("one byte occurs {got} times, at most {max} are allowed")]
    Proportion {
        /// Occurrences of the most frequent byte.
        got: usize,
        /// Most that pass.
        max: usize,
    },
}

/// Tests one draw of 256 bytes.
pub(crate) fn test(draw: &[u8; 256]) -> Result<(), HealthError> {
    let longest = draw
        .chunk_by(|a, b| a == b)
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    if longest == draw.len() {
        return Err(HealthError::Constant);
    }
    if longest > LONGEST_RUN {
        return Err(HealthError::Repetition {
            got: longest,
            max: LONGEST_RUN,
        });
    }
    let mut sorted = zeroize::Zeroizing::new(*draw);
    sorted.sort_unstable();
    let most = sorted
        .chunk_by(|a, b| a == b)
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    if most > MOST_FREQUENT {
        return Err(HealthError::Proportion {
            got: most,
            max: MOST_FREQUENT,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healthy() -> [u8; 256] {
        let mut draw = [0; 256];
        for (byte, value) in draw.iter_mut().zip(0..=u8::MAX) {
            *byte = value.wrapping_mul(167).wrapping_add(13);
        }
        draw
    }

    #[test]
    fn a_permutation_of_all_bytes_passes() {
        assert_eq!(test(&healthy()), Ok(()));
    }

    #[test]
    fn r21_stuck_bytes_are_refused() {
        assert_eq!(test(&[0; 256]), Err(HealthError::Constant));
        assert_eq!(test(&[0xa5; 256]), Err(HealthError::Constant));

        let mut run = healthy();
        run[40..46].fill(1);
        assert_eq!(test(&run), Ok(()));
        run[46] = 1;
        assert_eq!(test(&run), Err(HealthError::Repetition { got: 7, max: 6 }));
    }

    #[test]
    fn r21_a_frequent_byte_is_refused() {
        let mut draw = healthy();
        let own = draw.iter().position(|byte| *byte == 9).unwrap();
        // Every fourth byte from there on, round the end, so that there is no run.
        for step in 0..17 {
            draw[(own + 4 * step) % 256] = 9;
        }
        assert_eq!(test(&draw), Ok(()));
        draw[(own + 128) % 256] = 9;
        assert_eq!(
            test(&draw),
            Err(HealthError::Proportion { got: 18, max: 17 })
        );
    }
}
