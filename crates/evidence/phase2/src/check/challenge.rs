//! The random coefficients of linear combinations: a keyed function of section and index, so that
//! the coefficient of any signal can be had at any time without storing them.

/// What a coefficient is for. Different uses must not share coefficients where their sums meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    A,
    B,
    /// IC and C: the two parts of one sequence over the signals.
    K,
    H,
    Contribution,
}

/// 128-bit coefficients from a secret key.
pub(super) struct Challenges {
    key: [u8; 32],
}

impl Challenges {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self { key: *key }
    }

    /// BLAKE2b with 16 bytes of output (RFC 7693), keyed, over purpose and index.
    pub(super) fn coefficient(&self, purpose: Purpose, index: u64) -> u128 {
        let label = match purpose {
            Purpose::A => b"A",
            Purpose::B => b"B",
            Purpose::K => b"K",
            Purpose::H => b"H",
            Purpose::Contribution => b"c",
        };
        let mut state = blake2b_simd::Params::new()
            .hash_length(16)
            .key(&self.key)
            .to_state();
        state.update(label).update(&index.to_le_bytes());
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(state.finalize().as_bytes()) {
            *to = *from;
        }
        u128::from_le_bytes(bytes)
    }

    /// The coefficients of `count` indices from `first` on.
    pub(super) fn run(&self, purpose: Purpose, first: u64, count: usize) -> Vec<u128> {
        (first..)
            .take(count)
            .map(|index| self.coefficient(purpose, index))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_depend_on_key_purpose_and_index() {
        let challenges = Challenges::new(&[1; 32]);
        let one = challenges.coefficient(Purpose::A, 1);
        assert_eq!(one, Challenges::new(&[1; 32]).coefficient(Purpose::A, 1));
        assert_ne!(one, Challenges::new(&[2; 32]).coefficient(Purpose::A, 1));
        assert_ne!(one, challenges.coefficient(Purpose::B, 1));
        assert_ne!(one, challenges.coefficient(Purpose::A, 2));
        assert_eq!(
            challenges.run(Purpose::A, 1, 2),
            [one, challenges.coefficient(Purpose::A, 2)]
        );
    }
}
