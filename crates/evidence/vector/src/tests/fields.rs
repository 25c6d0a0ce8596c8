//! All forms of the field, at every level, with operands at their bounds.

use ark_bn254::Fq;
use ark_ff::{AdditiveGroup, BigInt, BigInteger as _, Field as _, PrimeField};
use proptest::prelude::*;

use super::levels;
use crate::Level;
use crate::field::{Field, GROUP, Group, constant, from_file, to_file, words::Words};
use crate::level::with_field;
use crate::register::{LANES, Register, Rotation, plain::Plain};

/// A vector of elements as they stand in it, without Montgomery's factor, and back.
fn vector<F: Field>(witness: &F, values: &[Fq; LANES]) -> F {
    let mut columns = [[0; LANES]; 4];
    for (lane, value) in values.iter().enumerate() {
        for (column, word) in columns.iter_mut().zip(value.into_bigint().0) {
            column[lane] = word;
        }
    }
    F::from_words(columns.map(|column| witness.register().load(&column)))
}

fn values<F: Field>(vector: &F) -> [Fq; LANES] {
    let columns = vector.words().map(Register::store);
    std::array::from_fn(|lane| {
        let words = columns.map(|column| column[lane]);
        Fq::from_bigint(BigInt(words)).expect("fully reduced")
    })
}

/// 1/R
fn montgomery<F: Field>() -> Fq {
    (F::FACTOR * Fq::from(2_u64).pow([256])).inverse().unwrap()
}

/// Elements whose limbs or digits are extreme in one of the radices.
fn corners() -> Vec<Fq> {
    let mut out = vec![
        Fq::ZERO,
        Fq::ONE,
        Fq::from(2_u64),
        (-Fq::ONE) / Fq::from(2_u64),
    ];
    for bit in [
        50, 51, 52, 101, 102, 103, 104, 152, 153, 155, 156, 203, 204, 207, 208, 252, 253,
    ] {
        let power = Fq::from(2_u64).pow([bit]);
        out.extend([power, power - Fq::ONE, power + Fq::ONE]);
    }
    // Digits of exactly ±2^50, as far down as the top one.
    let half = |top: u32| {
        (0..top).fold(Fq::ZERO, |sum, i| {
            sum + Fq::from(2_u64).pow([u64::from(51 * i + 50)])
        })
    };
    out.extend([half(1), half(2), half(3), half(4), half(4) - Fq::ONE]);
    let ones = |bits: u64| Fq::from(2_u64).pow([bits]) - Fq::ONE;
    out.extend([ones(253), ones(208), ones(204)]);
    let negated: Vec<Fq> = out.iter().map(|value| -*value).collect();
    out.extend(negated);
    out
}

fn equal<F: Field>(got: &F, expected: impl Fn(usize) -> Fq) {
    let got = values(got);
    for (lane, got) in got.iter().enumerate() {
        assert_eq!(*got, expected(lane), "lane {lane}");
    }
}

/// All operations on two vectors.
fn operations<F: Field>(zero: F, a: [Fq; LANES], b: [Fq; LANES]) {
    {
        let r = montgomery::<F>();
        let (x, y) = (vector(&zero, &a), vector(&zero, &b));
        equal(&x, |l| a[l]);
        let (sum, difference) = (x.add(&y), x.sub(&y));
        equal(&sum.reduced([], 0), |l| a[l] + b[l]);
        equal(&difference.single().reduced([], 0), |l| a[l] - b[l]);
        equal(&x.negated(), |l| -a[l]);
        let product = x.mul(&y);
        equal(&product, |l| a[l] * b[l] * r);
        equal(
            &product
                .sub_single(&product.square())
                .square()
                .reduced([], 0),
            |l| {
                let p = a[l] * b[l] * r;
                (p - p.square() * r).square() * r
            },
        );
        equal(&x.square(), |l| a[l].square() * r);
        for (negative, sign) in [(0, Fq::ONE), (u64::MAX, -Fq::ONE)] {
            let rise = x.signed_difference(negative, &y);
            equal(&rise.mul(&y), |l| (sign * a[l] - b[l]) * b[l] * r);
            let rise = product.signed_difference(negative, &product);
            equal(&rise.mul(&y), |l| {
                (sign - Fq::ONE) * a[l] * b[l] * r * b[l] * r
            });
        }
        // A double factor, on either side, and three times a square of a reduced value.
        equal(&difference.mul(&y), |l| (a[l] - b[l]) * b[l] * r);
        equal(&x.mul(&sum), |l| a[l] * (a[l] + b[l]) * r);
        let small = x.reduced([], 0);
        let square = small.square();
        equal(&square.add(&square).add(&square).mul(&product), |l| {
            a[l].square() * a[l] * b[l] * r * r * r * Fq::from(3_u64)
        });
        let single = sum.single();
        equal(&single.mul(&difference), |l| {
            (a[l] + b[l]) * (a[l] - b[l]) * r
        });
        // Reduced values, with as much taken away as is allowed.
        let reduced = product.reduced([&sum, &x, &x], 8);
        equal(&reduced, |l| a[l] * b[l] * r - a[l] - b[l] - a[l] - a[l]);
        equal(&reduced.square(), |l| {
            (a[l] * b[l] * r - a[l] - b[l] - a[l] - a[l]).square() * r
        });
        equal(&zero.reduced([&x, &y], 4), |l| -a[l] - b[l]);
        // Zeros.
        let zeros = |values: &dyn Fn(usize) -> Fq| {
            (0..LANES)
                .map(|l| u8::from(values(l) == Fq::ZERO) << l)
                .sum::<u8>()
        };
        assert_eq!(x.zero_lanes(), zeros(&|l| a[l]));
        assert_eq!(x.reduced([&y], 2).zero_lanes(), zeros(&|l| a[l] - b[l]));
        assert_eq!(
            zero.reduced([&x, &y], 2).zero_lanes(),
            zeros(&|l| a[l] + b[l])
        );
        assert_eq!(product.reduced([&product], 2).zero_lanes(), u8::MAX);
        assert_eq!(x.equal_lanes(&y), zeros(&|l| a[l] - b[l]));
        // Lanes and masks.
        let mask = 0b0110_1001;
        equal(&F::select(mask, &x, &y), |l| {
            if mask >> l & 1 == 1 { a[l] } else { b[l] }
        });
        equal(&x.masked(u64::MAX).or(&y.masked(0)), |l| a[l]);
        equal(&x.rotated(Rotation::Four), |l| a[(l + 4) % LANES]);
        equal(&x.rotated(Rotation::Two), |l| a[(l + 2) % LANES]);
        equal(&x.rotated(Rotation::One), |l| a[(l + 1) % LANES]);
        // The form of files, R = 2^256, and constants.
        let r256 = Fq::from(2_u64).pow([256]);
        equal(&x.mul(&from_file(&zero)), |l| a[l] / r256 / r);
        equal(&x.mul(&to_file(&zero)), |l| a[l] * r256 * r);
        equal(&constant(&zero, a[0]), |_| a[0] / r);
    }
    // Groups.
    let (x, y) = (vector(&zero, &a), vector(&zero, &b));
    let (left, right): (Group<F>, Group<F>) = ([x, y, y, x], [y, y, x, x]);
    let mut out = [zero; GROUP];
    F::multiply(&mut out, &left, &right);
    let mut squares = [zero; GROUP];
    F::square_all(&mut squares, &left);
    for i in 0..GROUP {
        equal(&out[i], |l| values(&left[i].mul(&right[i]))[l]);
        equal(&squares[i], |l| values(&left[i].square())[l]);
    }
}

fn everywhere(levels: &[Level], a: [Fq; LANES], b: [Fq; LANES]) {
    for level in levels {
        with_field!(*level, zero => operations(zero, a, b));
    }
}

#[test]
fn operands_at_their_bounds() {
    let levels: Vec<Level> = levels().collect();
    let corners = corners();
    for i in 0..corners.len() {
        let a = std::array::from_fn(|lane| corners[(i + lane) % corners.len()]);
        for step in [0, 5, 17] {
            let b = std::array::from_fn(|lane| corners[(i * 7 + lane * step) % corners.len()]);
            everywhere(&levels, a, b);
        }
    }
}

fn element() -> impl Strategy<Value = Fq> {
    any::<[u64; 4]>().prop_map(|words| {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Fq::from_le_bytes_mod_order(&bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_operands(a in proptest::array::uniform8(element()), b in proptest::array::uniform8(element())) {
        everywhere(&levels().collect::<Vec<_>>(), a, b);
    }
}

/// Running products with the largest denominators that there are, so that values reach their bounds.
#[test]
fn long_products_keep_their_bounds() {
    fn chain<F: Field>(zero: F) {
        let r = montgomery::<F>();
        let start = [1_u64, 2, 3, 5, 8, 13, 21, 34].map(|value| -Fq::from(value));
        let x = vector(&zero, &start);
        let (mut running, mut expected) = (x, start);
        for _ in 0..300 {
            running = running.mul(&x.add(&x));
            for (value, start) in expected.iter_mut().zip(start) {
                *value = *value * (start + start) * r;
            }
            equal(&running.reduced([], 0), |lane| expected[lane]);
            equal(&running.mul(&running).reduced([], 0), |lane| {
                expected[lane].square() * r
            });
        }
    }
    for level in levels() {
        with_field!(level, zero => chain(zero));
    }
}

/// Factors without a vector unit as large as words allow: 4.28 q, and any words for the other one.
#[test]
fn words_hold_the_largest_products() {
    let q = Fq::MODULUS;
    let times = |factor: u32, more: u32| {
        // `factor`·q + `more`/64·q
        let mut sum = BigInt::<4>::default();
        let part = q >> 6;
        for summand in std::iter::repeat_n(q, factor.try_into().unwrap())
            .chain(std::iter::repeat_n(part, more.try_into().unwrap()))
        {
            assert!(!sum.add_with_carry(&summand), "fits four words");
        }
        sum
    };
    let value =
        |words: BigInt<4>| Fq::from_le_bytes_mod_order(&words.0.map(u64::to_le_bytes).concat());
    let zero = Words::of(Plain::ZERO);
    let r = montgomery::<Words>();
    let largest = BigInt([u64::MAX; 4]);
    let mut below = q;
    below.sub_with_borrow(&BigInt::one());
    for a in [
        times(4, 17),
        times(3, 56),
        times(2, 14),
        below,
        BigInt::one(),
    ] {
        for b in [times(4, 17), times(2, 30), times(1, 63), below, largest] {
            let (x, y) = (zero.integer(a.0), zero.integer(b.0));
            equal(&x.mul(&y).reduced([], 0), |_| value(a) * value(b) * r);
        }
    }
    for a in [times(2, 43), times(2, 14), times(1, 63), below] {
        let x = zero.integer(a.0);
        equal(&x.square().reduced([], 0), |_| value(a).square() * r);
        // As much as may be taken away, from nothing.
        let least = zero.reduced([&x, &x, &x], 8);
        equal(&least, |_| -value(a) * Fq::from(3_u64));
    }
}
