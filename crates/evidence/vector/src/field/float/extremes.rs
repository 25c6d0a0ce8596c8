//! Digits at the largest size that a product may meet, with all signs: larger than group arithmetic makes.

use ark_bn254::Fq;
use ark_ff::Field as _;

use super::{
    Field, Floats,
    radix::{BITS, float},
};
use crate::limbs::LIMBS;
use crate::register::{FloatProducts, Register, plain::Plain};

/// The integer that digits stand for, modulo q.
fn value(digits: &[f64; LIMBS]) -> Fq {
    digits.iter().rev().fold(Fq::from(0_u64), |sum, digit| {
        let size = Fq::from(format!("{:.0}", digit.abs()).parse::<u64>().unwrap());
        let digit = if *digit < 0.0 { -size } else { size };
        sum * Fq::from(1_u64 << BITS) + digit
    })
}

/// The digits of the first element.
fn digits(element: &Floats<Plain>) -> [f64; LIMBS] {
    element.0.map(|digit| f64::from_bits(digit.store()[0]))
}

/// Products and squares of digits at their bounds, for the model, which checks every operation; the
/// results are compared with sums of exact products.
#[test]
fn digits_at_their_bounds() {
    let zero = Floats::of(Plain::ZERO);
    let half = float(1 << 50);
    let inverse = Fq::from(2_u64).pow([255]).inverse().unwrap();
    let of = |digits: [f64; LIMBS]| Floats(digits.map(|digit| zero.0[0].number(digit)));
    for signs in 0..1_u32 << LIMBS {
        let signed = |i: usize, size: f64| if signs >> i & 1 == 1 { -size } else { size };
        for top in [0.0, 1.0, half, (1.62 * half).floor()] {
            let mut single = [0.0; LIMBS];
            for (i, digit) in single.iter_mut().enumerate() {
                *digit = signed(i, if i + 1 < LIMBS { half } else { top });
            }
            for other in 0..1_u32 << LIMBS {
                let mut double = [2.0 * half; LIMBS];
                if top > half {
                    // A larger value would make the product no single one.
                    double[LIMBS - 1] = 1.5 * half;
                }
                for (i, digit) in double.iter_mut().enumerate() {
                    if other >> i & 1 == 1 {
                        *digit = -*digit;
                    }
                }
                let product = digits(&of(single).mul(&of(double)));
                assert_eq!(value(&product), value(&single) * value(&double) * inverse);
            }
            let square = digits(&of(single).square());
            assert_eq!(value(&square), value(&single).square() * inverse);
        }
    }
}

/// Columns whose digit is −2^50, which rounding decides on.
#[test]
fn ties_of_the_reduction() {
    let zero = Floats::of(Plain::ZERO);
    let half = float(1 << 50);
    let inverse = Fq::from(2_u64).pow([255]).inverse().unwrap();
    let of = |digits: [f64; LIMBS]| Floats(digits.map(|digit| zero.0[0].number(digit)));
    for (place, sign, odd) in (0..LIMBS).flat_map(|place| {
        [1.0, -1.0]
            .into_iter()
            .flat_map(move |sign| [1.0, 3.0, -5.0].map(|odd| (place, sign, odd)))
    }) {
        let (mut tie, mut factor) = ([0.0; LIMBS], [0.0; LIMBS]);
        tie[place] = sign * half;
        factor[0] = odd;
        let product = digits(&of(tie).mul(&of(factor)));
        assert_eq!(value(&product), value(&tie) * value(&factor) * inverse);
        // 2^25 squared is 2^50: the lowest column again.
        let mut root = [0.0; LIMBS];
        root[0] = sign * float(1 << 25);
        root[place] += odd;
        let square = digits(&of(root).square());
        assert_eq!(value(&square), value(&root).square() * inverse);
    }
}
