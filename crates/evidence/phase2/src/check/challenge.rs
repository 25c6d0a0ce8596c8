//! The random coefficients of linear combinations: a keyed function of section and index, so that
//! the coefficient of any signal can be had at any time without storing them.

use blake2b_simd::many::{HashManyJob, hash_many};

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

    /// The coefficient of one index.
    pub(super) fn coefficient(&self, purpose: Purpose, index: u64) -> u128 {
        let digest = parameters().hash(&self.input(purpose.label(), index));
        word(digest.as_bytes(), purpose)
    }

    /// The coefficients of one signal for A, B and K, at the price of one.
    pub(super) fn of_signal(&self, signal: u64) -> SignalChallenges {
        let digest = parameters().hash(&self.input(Purpose::K.label(), signal));
        let [a, b, k] =
            [Purpose::A, Purpose::B, Purpose::K].map(|purpose| word(digest.as_bytes(), purpose));
        SignalChallenges { a, b, k }
    }

    /// The coefficients of `count` indices from `first` on.
    pub(super) fn run(&self, purpose: Purpose, first: u64, count: usize) -> Vec<u128> {
        self.digests(purpose.label(), (first..).take(count))
            .map(|digest| word(digest.as_bytes(), purpose))
            .collect()
    }

    /// The coefficients of `count` indices from `first` on that no other use shares, four from a digest.
    pub(super) fn dense(&self, section: DenseSection, first: u64, count: usize) -> Vec<u128> {
        let label = match section {
            DenseSection::C => b'8',
            DenseSection::H => b'9',
        };
        let blocks = first / DIGEST_WORDS..;
        let skipped = usize::try_from(first % DIGEST_WORDS).unwrap_or(0);
        let words = usize::try_from(DIGEST_WORDS).unwrap_or(1);
        let blocks = blocks.take((skipped + count).div_ceil(words));
        let words = self.digests(label, blocks).flat_map(|digest| {
            let (words, _) = digest.as_bytes().as_chunks::<16>();
            let words: Vec<u128> = words.iter().copied().map(u128::from_le_bytes).collect();
            words
        });
        words.skip(skipped).take(count).collect()
    }

    /// The digests of indices under a label, several hashed at a time.
    fn digests(
        &self,
        label: u8,
        indices: impl Iterator<Item = u64>,
    ) -> impl Iterator<Item = blake2b_simd::Hash> {
        let inputs: Vec<_> = indices.map(|index| self.input(label, index)).collect();
        let parameters = parameters();
        let mut jobs: Vec<_> = inputs
            .iter()
            .map(|input| HashManyJob::new(&parameters, input))
            .collect();
        hash_many(jobs.iter_mut());
        let digests: Vec<_> = jobs.iter().map(HashManyJob::to_hash).collect();
        digests.into_iter()
    }

    /// `key | label | u64 index`: less than a block, so one compression gives the words of all
    /// purposes with that label.
    fn input(&self, label: u8, index: u64) -> [u8; INPUT_BYTES] {
        let mut input = [0; INPUT_BYTES];
        let parts = self.key.iter().chain([&label]).copied();
        for (to, from) in input.iter_mut().zip(parts.chain(index.to_le_bytes())) {
            *to = from;
        }
        input
    }
}

/// Sections whose coefficients are used nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DenseSection {
    C,
    H,
}

/// Coefficients in a digest.
const DIGEST_WORDS: u64 = 4;

/// Coefficients of one signal.
pub(super) struct SignalChallenges {
    pub(super) a: u128,
    pub(super) b: u128,
    pub(super) k: u128,
}

const INPUT_BYTES: usize = 32 + 1 + 8;

impl Purpose {
    fn label(self) -> u8 {
        match self {
            Self::A | Self::B | Self::K | Self::H => b's',
            Self::Contribution => b'c',
        }
    }

    /// Which 16 bytes of the digest.
    fn place(self) -> usize {
        match self {
            Self::A | Self::Contribution => 0,
            Self::B => 1,
            Self::K => 2,
            Self::H => 3,
        }
    }
}

/// BLAKE2b with 64 bytes of output (RFC 7693). The key is part of the message: all messages have the
/// same length.
fn parameters() -> blake2b_simd::Params {
    blake2b_simd::Params::new()
}

fn word(digest: &[u8], purpose: Purpose) -> u128 {
    let words = digest.as_chunks::<16>().0;
    words
        .get(purpose.place())
        .map_or(0, |bytes| u128::from_le_bytes(*bytes))
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
        for purpose in [Purpose::A, Purpose::B, Purpose::K, Purpose::H] {
            let run: Vec<u128> = (1..20)
                .map(|index| challenges.coefficient(purpose, index))
                .collect();
            assert_eq!(challenges.run(purpose, 1, 19), run);
            assert!(run.iter().all(|coefficient| *coefficient != 0));
        }
        let dense = challenges.dense(DenseSection::C, 0, 40);
        for (first, count) in [(0, 0), (0, 5), (3, 1), (5, 11), (8, 32)] {
            let run = challenges.dense(DenseSection::C, first, count);
            let first = usize::try_from(first).unwrap();
            assert_eq!(run, dense[first..first + count]);
        }
        let mut all = dense;
        all.extend(challenges.dense(DenseSection::H, 0, 40));
        all.extend(challenges.run(Purpose::A, 0, 40));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 120);
        let signal = challenges.of_signal(7);
        let expected = [Purpose::A, Purpose::B, Purpose::K].map(|p| challenges.coefficient(p, 7));
        assert_eq!([signal.a, signal.b, signal.k], expected);
        assert_ne!(
            challenges.coefficient(Purpose::Contribution, 1),
            challenges.coefficient(Purpose::A, 1)
        );
    }
}
