//! The point that snarkjs hashes from beyond the end of a ptau section.
//!
//! For a domain of 2^15 and more, snarkjs hashes one more difference τ^(n+i) - τ^i than it
//! announces. Where the ptau has exactly the domain's power, the last τ^(n+i) lies beyond section
//! 2: its "point" is the header of section 3 and the beginning of that section's first point, and
//! on BN254 both coordinates exceed the modulus. The digest then depends on the raw 256-bit
//! arithmetic of the tool, which this module repeats (`formats.md` 2.2 step 4).

use ark_bn254::{Fq, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, BigInteger, Field, PrimeField};
use formats::points::LemPoint;

const Q: BigInt<4> = <Fq as PrimeField>::MODULUS;

/// The 64 hashed bytes of (bytes beyond section 2) - τ^(n-1), for a ptau of this power.
pub(super) fn hashed_difference(power: u32, subtrahend: &G1Affine) -> [u8; 64] {
    let bytes = bytes_beyond_section_2(power);
    let (x, y) = bytes.split_at(32);
    let (x, y) = subtract(&(limbs(x), limbs(y)), &raw(subtrahend));
    let mut out = [0; 64];
    let hashed = [x, y].map(|coordinate| mul(&coordinate, &BigInt::one()).to_bytes_be());
    for (to, from) in out.iter_mut().zip(hashed.iter().flatten()) {
        *to = *from;
    }
    out
}

/// `u32 id = 3 | u64 size = 128·2^power | first 52 bytes of the G2 generator`
fn bytes_beyond_section_2(power: u32) -> [u8; 64] {
    let size = 128_u64 << power;
    let mut generator = Vec::with_capacity(128);
    G2Affine::generator().append_lem(&mut generator);
    let mut out = [0; 64];
    let bytes = 3_u32
        .to_le_bytes()
        .into_iter()
        .chain(size.to_le_bytes())
        .chain(generator);
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = from;
    }
    out
}

fn limbs(bytes: &[u8]) -> BigInt<4> {
    let mut limbs = [0; 4];
    let (chunks, _) = bytes.as_chunks::<8>();
    for (limb, chunk) in limbs.iter_mut().zip(chunks) {
        *limb = u64::from_le_bytes(*chunk);
    }
    BigInt::new(limbs)
}

fn raw(point: &G1Affine) -> (BigInt<4>, BigInt<4>) {
    (point.x.0, point.y.0)
}

/// Mixed addition of the first point and the negated second, then affine coordinates, all in the
/// tool's order of operations. The first point need not be reduced.
fn subtract(
    (x1, y1): &(BigInt<4>, BigInt<4>),
    (x2, y2): &(BigInt<4>, BigInt<4>),
) -> (BigInt<4>, BigInt<4>) {
    let y2 = sub(&BigInt::zero(), y2);
    let h = sub(x2, x1);
    let d = sub(&y2, y1);
    let i = twice(&twice(&mul(&h, &h)));
    let j = mul(&h, &i);
    let r = twice(&d);
    let v = mul(x1, &i);
    let x = sub(&sub(&mul(&r, &r), &j), &twice(&v));
    let t = mul(y1, &j);
    let y = sub(&mul(&sub(&v, &x), &r), &twice(&t));
    let z = twice(&h);

    let inverse = inverse(&z);
    let scaled = mul(&inverse, &y);
    let square = mul(&inverse, &inverse);
    (mul(&square, &x), mul(&square, &scaled))
}

/// a + b; the modulus is subtracted once where the sum reaches it or overflows.
fn add(a: &BigInt<4>, b: &BigInt<4>) -> BigInt<4> {
    let mut sum = *a;
    if sum.add_with_carry(b) || sum >= Q {
        sum.sub_with_borrow(&Q);
    }
    sum
}

fn twice(a: &BigInt<4>) -> BigInt<4> {
    add(a, a)
}

/// a - b; the modulus is added once where the difference is negative.
fn sub(a: &BigInt<4>, b: &BigInt<4>) -> BigInt<4> {
    let mut difference = *a;
    if difference.sub_with_borrow(b) {
        difference.add_with_carry(&Q);
    }
    difference
}

/// Montgomery product (a·b + m·q) / 2^256; the modulus is subtracted at most once.
fn mul(a: &BigInt<4>, b: &BigInt<4>) -> BigInt<4> {
    let (low, high) = BigInteger::mul(a, b);
    let factor = low.mul_low(&minus_inverse_of_modulus());
    let (_, reduced) = BigInteger::mul(&factor, &Q);
    let mut product = high;
    let mut overflow = product.add_with_carry(&reduced);
    if !low.is_zero() {
        // The low halves cancel to 2^256.
        overflow |= product.add_with_carry(&BigInt::one());
    }
    if overflow || product >= Q {
        product.sub_with_borrow(&Q);
    }
    product
}

/// -1/q modulo 2^256: each Newton step doubles the number of right bits, of which q itself, being
/// odd, has three.
fn minus_inverse_of_modulus() -> BigInt<4> {
    let mut inverse = Q;
    for _ in 0..7 {
        let mut factor = BigInt::from(2_u64);
        factor.sub_with_borrow(&Q.mul_low(&inverse));
        inverse = inverse.mul_low(&factor);
    }
    let mut negative = BigInt::zero();
    negative.sub_with_borrow(&inverse);
    negative
}

/// The reduced inverse, in Montgomery form; zero for zero.
fn inverse(z: &BigInt<4>) -> BigInt<4> {
    let mut reduced = *z;
    while reduced >= Q {
        reduced.sub_with_borrow(&Q);
    }
    Fq::new_unchecked(reduced)
        .inverse()
        .map_or(BigInt::zero(), |inverse| inverse.0)
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fr, G1Projective};
    use ark_ec::{CurveGroup, PrimeGroup};

    use super::*;

    #[test]
    fn reduced_operands_give_field_arithmetic() {
        let a = Fq::from(1_234_567_u64).inverse().unwrap();
        let b = -Fq::from(89_u64);
        assert_eq!(Fq::new_unchecked(mul(&a.0, &b.0)), a * b);
        assert_eq!(Fq::new_unchecked(add(&a.0, &b.0)), a + b);
        assert_eq!(Fq::new_unchecked(sub(&a.0, &b.0)), a - b);
    }

    #[test]
    fn real_points_give_their_difference() {
        let g = G1Projective::generator();
        let left = (g * Fr::from(77)).into_affine();
        let right = (g * Fr::from(5)).into_affine();
        let (x, y) = subtract(&raw(&left), &raw(&right));
        let expected = (g * Fr::from(72)).into_affine();
        assert_eq!((x, y), raw(&expected));
    }

    #[test]
    fn the_overrun_bytes_are_the_next_section() {
        let bytes = bytes_beyond_section_2(15);
        assert_eq!(bytes[..12], [3, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0]);
        let (x, y) = bytes.split_at(32);
        assert!(limbs(x) >= Q && limbs(y) >= Q);
        // The leading bytes that were measured on the tool: x = 0x97811adf…, y = 0x52a02f86….
        assert_eq!(limbs(x).0[3] >> 32, 0x9781_1adf);
        assert_eq!(limbs(y).0[3] >> 32, 0x52a0_2f86);
    }
}
