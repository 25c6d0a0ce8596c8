//! The random stream of snarkjs: ChaCha20 with words read and given out in its own order.
//!
//! Key: eight words, read big-endian from a 32-byte seed. Nonce 0. State words 12 to 15 are one
//! 128-bit counter that starts at 0. A 64-bit draw takes the high word first. (`formats.md` 2.3;
//! block function: RFC 8439 section 2.3.)

use std::hint::black_box;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// ChaCha20 words in block order. Erased when dropped: a contribution's secret is drawn from it.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ChaChaRng {
    key: [u32; 8],
    counter: u128,
    block: [u32; 16],
    /// Next word of `block` to give out; 16 when a new block is due.
    next: usize,
}

/// "expand 32-byte k" as little-endian words.
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

impl ChaChaRng {
    /// A stream from a 32-byte seed, read as eight big-endian words.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let mut key = [0; 8];
        let (words, _) = seed.as_chunks::<4>();
        for (word, bytes) in key.iter_mut().zip(words) {
            *word = u32::from_be_bytes(*bytes);
        }
        Self {
            key,
            counter: 0,
            block: [0; 16],
            next: 16,
        }
    }

    /// The next 32-bit word.
    pub fn next_u32(&mut self) -> u32 {
        if let Some(word) = self.block.get(self.next) {
            self.next += 1;
            return *word;
        }
        self.refill();
        self.next = 1;
        self.block[0]
    }

    /// Two words, the high one first.
    pub fn next_u64(&mut self) -> u64 {
        let high = u64::from(self.next_u32());
        let low = u64::from(self.next_u32());
        (high << 32) | low
    }

    /// The low bit of one word.
    pub fn next_bool(&mut self) -> bool {
        self.next_u32() & 1 == 1
    }

    fn refill(&mut self) {
        let [c0, c1, c2, c3] = counter_words(self.counter);
        let [k0, k1, k2, k3, k4, k5, k6, k7] = self.key;
        let [e0, e1, e2, e3] = CONSTANTS;
        let start = [
            e0, e1, e2, e3, k0, k1, k2, k3, k4, k5, k6, k7, c0, c1, c2, c3,
        ];
        let mut state = start;
        for _ in 0..10 {
            double_round(&mut state);
        }
        for ((out, mixed), initial) in self.block.iter_mut().zip(state).zip(start) {
            *out = mixed.wrapping_add(initial);
        }
        black_box(&mut state).zeroize();
        self.counter = self.counter.wrapping_add(1);
    }
}

/// The counter as four words, least significant first.
fn counter_words(counter: u128) -> [u32; 4] {
    let bytes = counter.to_le_bytes();
    let (words, _) = bytes.as_chunks::<4>();
    let mut out = [0; 4];
    for (word, bytes) in out.iter_mut().zip(words) {
        *word = u32::from_le_bytes(*bytes);
    }
    out
}

fn double_round(x: &mut [u32; 16]) {
    for column in 0..4 {
        quarter_round(x, [column, 4 + column, 8 + column, 12 + column]);
    }
    for diagonal in 0..4 {
        quarter_round(
            x,
            [
                diagonal,
                4 + (diagonal + 1) % 4,
                8 + (diagonal + 2) % 4,
                12 + (diagonal + 3) % 4,
            ],
        );
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "the four indices are constants below 16, given by double_round"
)]
fn quarter_round(x: &mut [u32; 16], [a, b, c, d]: [usize; 4]) {
    for (left, right) in [(16, 12), (8, 7)] {
        x[a] = x[a].wrapping_add(x[b]);
        x[d] = (x[d] ^ x[a]).rotate_left(left);
        x[c] = x[c].wrapping_add(x[d]);
        x[b] = (x[b] ^ x[c]).rotate_left(right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8439 section 2.3.2's key, with nonce and counter 0: here the words of the key are read
    /// big-endian, so the test seed is that key with each word's bytes turned round.
    #[test]
    fn zero_key_gives_the_known_first_block() {
        // RFC 8439 appendix A.1, test vectors 1 and 2: key 0, nonce 0, counters 0 and 1.
        let mut rng = ChaChaRng::from_seed(&[0; 32]);
        let first: Vec<u32> = (0..16).map(|_| rng.next_u32()).collect();
        assert_eq!(first[0], 0xade0_b876);
        assert_eq!(first[15], 0x8665_eeb2);
        assert_eq!(rng.next_u32(), 0xbee7_079f);
    }

    #[test]
    fn key_words_are_big_endian_and_draws_take_the_high_word_first() {
        let mut seed = [0; 32];
        seed[28] = 0x01; // RFC 8439 A.1 test vector 3 has the last key byte 1: as LE word 0x0100_0000
        let mut rng = ChaChaRng::from_seed(&seed);
        rng.counter = 1;
        assert_eq!(rng.next_u64(), (0x2452_eb3a << 32) | 0x9249_f8ec);
    }
}
