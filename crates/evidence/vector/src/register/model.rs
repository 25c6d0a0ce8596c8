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

use super::{FloatProducts, IntegerProducts, Register, Sixteen, plain::Plain};

const MASK: u64 = (1 << 52) - 1;

impl Plain {
    fn third(self, b: Self, c: Self, work: impl Fn(u64, u64, u64) -> u64) -> Self {
        let mut lanes = self.0;
        for ((lane, b), c) in lanes.iter_mut().zip(b.0).zip(c.0) {
            *lane = work(*lane, b, c);
        }
        Self(lanes)
    }
}

impl IntegerProducts for Plain {
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

    fn nth(self, table: &Sixteen) -> Self {
        Self(
            self.0
                .map(|lane| table.0.as_flattened()[(lane & 15) as usize]),
        )
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

impl FloatProducts for Plain {
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
