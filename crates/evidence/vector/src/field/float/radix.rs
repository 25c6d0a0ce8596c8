//! Radix 2^51 with signed digits, and the doubles that the arithmetic counts on.
#![expect(
    clippy::indexing_slicing,
    reason = "constant indices into arrays of constant length"
)]

use crate::limbs::{LIMBS, MODULUS_64, negative_inverse};

/// Bits of a digit.
pub(super) const BITS: u32 = 51;
pub(super) const MASK: u64 = (1 << BITS) - 1;
/// Half of a digit's range.
pub(super) const HALF: u64 = 1 << (BITS - 1);

/// C: its binade is that of the multiples of 2^51.
pub(super) const HIGH: f64 = f64::from_bits((1023 + 103) << 52 | 1 << 51);
/// D: its binade is that of the integers; D is 3·2^51.
pub(super) const LOW: f64 = f64::from_bits((1023 + 52) << 52 | 1 << 51);
/// 2^52, whose binade is that of the integers as well.
pub(super) const ONE_LOW: f64 = f64::from_bits((1023 + 52) << 52);
/// 2^-51
pub(super) const SHIFT_DOWN: f64 = f64::from_bits((1023 - 51) << 52);

/// Added to a column before its carry is taken off: makes it positive, and is a multiple of 2^51.
pub(super) const POSITIVE: u64 = 1 << 60;
/// What [`POSITIVE`] carries.
pub(super) const POSITIVE_CARRY: u64 = POSITIVE >> BITS;

/// An integer, |v| ≤ 2^51, as a double.
pub(super) const fn float(v: i64) -> f64 {
    f64::from_bits(LOW.to_bits().wrapping_add_signed(v)) - LOW
}

/// The integer that such a double is.
pub(super) const fn integer(v: f64) -> i64 {
    (v + LOW)
        .to_bits()
        .wrapping_sub(LOW.to_bits())
        .cast_signed()
}

/// Signed digits of q.
pub(super) const MODULUS: [f64; LIMBS] = floats(MODULUS_64);
/// 1/q in units of the top digit: estimates how often q goes into a value.
pub(super) const QUOTIENT: f64 = 1.0 / MODULUS[LIMBS - 1];
/// −q⁻¹ mod 2^51, signed.
pub(super) const NEGATIVE_INVERSE: f64 = float(centred(negative_inverse(MODULUS_64[0]) & MASK).0);

/// v below 2^51 as a digit and a carry.
pub(super) const fn centred(v: u64) -> (i64, u64) {
    if v < HALF {
        (v.cast_signed(), 0)
    } else {
        (v.cast_signed() - (1 << BITS), 1)
    }
}

/// Radix 2^64 to radix 2^51.
pub(super) const fn split(v: [u64; 4]) -> [u64; LIMBS] {
    [
        v[0] & MASK,
        ((v[0] >> 51) | (v[1] << 13)) & MASK,
        ((v[1] >> 38) | (v[2] << 26)) & MASK,
        ((v[2] >> 25) | (v[3] << 39)) & MASK,
        v[3] >> 12,
    ]
}

/// Digits of an integer below 2^254, as doubles.
pub(super) const fn floats(v: [u64; 4]) -> [f64; LIMBS] {
    let digits = digits(v);
    let mut out = [0.0; LIMBS];
    let mut i = 0;
    while i < LIMBS {
        out[i] = float(digits[i]);
        i += 1;
    }
    out
}

/// Digits of an integer below 2^254.
pub(super) const fn digits(v: [u64; 4]) -> [i64; LIMBS] {
    let unsigned = split(v);
    let mut out = [0; LIMBS];
    let mut carry = 0;
    let mut i = 0;
    while i < LIMBS - 1 {
        // A digit of all ones and a carry make 2^51: digit zero, carry one.
        let sum = unsigned[i] + carry;
        let (digit, next) = centred(sum & MASK);
        out[i] = digit;
        carry = next + (sum >> BITS);
        i += 1;
    }
    out[LIMBS - 1] = (unsigned[LIMBS - 1] + carry).cast_signed();
    out
}
