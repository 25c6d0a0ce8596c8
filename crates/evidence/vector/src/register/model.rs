//! Both ways to multiply by plain integer and floating-point operations, lane by lane, for tests: what
//! an instruction gives, whatever the processor. Floating-point results are held to what the
//! arithmetic counts on: every one is exact, or a multiple of 2^51 from the binade where those are the
//! nearest.

#![expect(
    clippy::as_conversions,
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    reason = "numbers are checked to be integers; a constant is the one that it is"
)]

use super::{FloatProducts, IntegerProducts, LANES, Register, Rotation, Work};

const MASK: u64 = (1 << 52) - 1;

#[derive(Clone, Copy)]
pub(crate) struct Model([u64; LANES]);

impl Model {
    fn each(self, other: Self, work: impl Fn(u64, u64) -> u64) -> Self {
        let mut lanes = self.0;
        for (lane, other) in lanes.iter_mut().zip(other.0) {
            *lane = work(*lane, other);
        }
        Self(lanes)
    }

    fn third(self, b: Self, c: Self, work: impl Fn(u64, u64, u64) -> u64) -> Self {
        let mut lanes = self.0;
        for ((lane, b), c) in lanes.iter_mut().zip(b.0).zip(c.0) {
            *lane = work(*lane, b, c);
        }
        Self(lanes)
    }
}

fn mask(lanes: impl Iterator<Item = bool>) -> u8 {
    lanes
        .zip(0..)
        .map(|(set, lane)| u8::from(set) << lane)
        .sum()
}

impl Register for Model {
    fn detect() -> Option<Self> {
        Some(Self([0; LANES]))
    }

    fn call<W: Work>(self, work: W) -> W::Output {
        work.run()
    }

    fn splat(self, bits: u64) -> Self {
        Self([bits; LANES])
    }

    fn load(self, lanes: &[u64; LANES]) -> Self {
        Self(*lanes)
    }

    fn store(self) -> [u64; LANES] {
        self.0
    }

    fn add(self, other: Self) -> Self {
        self.each(other, u64::wrapping_add)
    }

    fn sub(self, other: Self) -> Self {
        self.each(other, u64::wrapping_sub)
    }

    fn and(self, other: Self) -> Self {
        self.each(other, |a, b| a & b)
    }

    fn or(self, other: Self) -> Self {
        self.each(other, |a, b| a | b)
    }

    fn shift_left<const BITS: u32>(self) -> Self {
        Self(self.0.map(|lane| lane << BITS))
    }

    fn shift_right<const BITS: u32>(self) -> Self {
        Self(self.0.map(|lane| lane >> BITS))
    }

    fn equal(self, other: Self) -> u8 {
        mask(self.0.iter().zip(&other.0).map(|(a, b)| a == b))
    }

    fn top_bits(self) -> u8 {
        mask(self.0.iter().map(|lane| lane >> 63 == 1))
    }

    fn select(self, mask: u8, other: Self) -> Self {
        let mut lanes = other.0;
        for (lane, (out, own)) in lanes.iter_mut().zip(self.0).enumerate() {
            if mask & (1 << lane) != 0 {
                *out = own;
            }
        }
        Self(lanes)
    }

    fn rotated(mut self, by: Rotation) -> Self {
        self.0.rotate_left(match by {
            Rotation::Four => 4,
            Rotation::Two => 2,
            Rotation::One => 1,
        });
        self
    }

    fn transposed(rows: [Self; LANES]) -> [Self; LANES] {
        let mut columns = rows;
        for (c, column) in columns.iter_mut().enumerate() {
            for (word, row) in column.0.iter_mut().zip(&rows) {
                *word = row.0[c];
            }
        }
        columns
    }
}

impl IntegerProducts for Model {
    #[inline(never)]
    fn add_low(self, a: Self, b: Self) -> Self {
        self.third(a, b, |c, a, b| {
            let product = u128::from(a & MASK) * u128::from(b & MASK);
            c.wrapping_add(product as u64 & MASK)
        })
    }

    #[inline(never)]
    fn add_high(self, a: Self, b: Self) -> Self {
        self.third(a, b, |c, a, b| {
            let product = u128::from(a & MASK) * u128::from(b & MASK);
            c.wrapping_add((product >> 52) as u64)
        })
    }

    fn multiply(self, other: Self) -> Self {
        self.each(other, u64::wrapping_mul)
    }

    fn signed_carry(self) -> Self {
        Self(
            self.0
                .map(|lane| (lane.cast_signed() >> 52).cast_unsigned()),
        )
    }
}

/// `None` for a number that is no integer.
fn integer(number: f64) -> Option<i128> {
    assert!(number.abs() < 2_f64.powi(120), "{number} is out of range");
    (number.fract() == 0.0).then_some(number as i128)
}

/// What an operation on integers must give: itself, or from 2^102 on a multiple of 2^51 next to it.
fn hold(result: f64, exact: i128) {
    let rounded = integer(result).expect("an integer");
    if exact.abs() < 1 << 102 {
        assert_eq!(rounded, exact, "inexact");
    } else if rounded != exact {
        assert!((1 << 103..=1 << 104).contains(&rounded), "wrong binade");
        assert!((rounded - exact).abs() <= 1 << 50);
        assert!(rounded % (1 << 51) == 0);
    }
}

impl FloatProducts for Model {
    const TOGETHER: usize = 2;

    #[inline(never)]
    fn fused(self, b: Self, c: Self) -> Self {
        self.third(b, c, |a, b, c| {
            let [a, b, c] = [a, b, c].map(f64::from_bits);
            let result = a.mul_add(b, c);
            if let (Some(x), Some(y), Some(z)) = (integer(a), integer(b), integer(c)) {
                hold(result, x * y + z);
            } else if b == 2_f64.powi(-51) {
                // A carry: as exact.
                let (a, c) = (integer(a).unwrap(), integer(c).unwrap());
                assert!(a % (1 << 51) == 0);
                hold(result, (a >> 51) + c);
            } else {
                // An estimate.
                assert!(b.abs() < 1.0);
            }
            result.to_bits()
        })
    }

    #[inline(never)]
    fn plus(self, other: Self) -> Self {
        self.each(other, |a, b| {
            let (a, b) = (f64::from_bits(a), f64::from_bits(b));
            hold(a + b, integer(a).unwrap() + integer(b).unwrap());
            (a + b).to_bits()
        })
    }

    #[inline(never)]
    fn minus(self, other: Self) -> Self {
        self.each(other, |a, b| {
            let (a, b) = (f64::from_bits(a), f64::from_bits(b));
            hold(a - b, integer(a).unwrap() - integer(b).unwrap());
            (a - b).to_bits()
        })
    }

    fn spliced(self, mask: Self, bits: Self) -> Self {
        self.and(mask).or(bits)
    }
}
