//! From the points of a proving key to the contract's key.

use formats::curve::{Bn128, G1Affine, G2Affine};
use formats::points::LemPoint;

use super::field::FieldElement;
use super::key::{G1Point, G2Point, KeyError, VerifierKey};

impl VerifierKey {
    /// The key with these points: alpha in G1; beta, gamma, delta in G2; one input point for the
    /// constant and one per public signal.
    pub fn from_points(
        alpha: &G1Affine<Bn128>,
        beta: &G2Affine<Bn128>,
        gamma: &G2Affine<Bn128>,
        delta: &G2Affine<Bn128>,
        input: &[G1Affine<Bn128>],
    ) -> Result<Self, KeyError> {
        let input: Result<Vec<G1Point>, KeyError> = input.iter().map(g1).collect();
        Self::new(g1(alpha)?, g2(beta)?, g2(gamma)?, g2(delta)?, input?)
    }
}

fn g1(point: &G1Affine<Bn128>) -> Result<G1Point, KeyError> {
    let [x, y] = coordinates(point)?;
    Ok(G1Point { x, y })
}

/// The U form holds `c1` before `c0`.
fn g2(point: &G2Affine<Bn128>) -> Result<G2Point, KeyError> {
    let [x1, x0, y1, y0] = coordinates(point)?;
    Ok(G2Point {
        x: [x0, x1],
        y: [y0, y1],
    })
}

/// The coordinates in the order of the U form: big-endian, zeros for the point at infinity.
fn coordinates<P: LemPoint, const N: usize>(point: &P) -> Result<[FieldElement; N], KeyError> {
    let mut bytes = Vec::with_capacity(P::BYTES);
    point.append_u(&mut bytes);
    let (numbers, _) = bytes.as_chunks::<32>();
    let mut elements = [FieldElement::ZERO; N];
    for (element, number) in elements.iter_mut().zip(numbers) {
        *element = FieldElement::from_be_bytes(*number)?;
    }
    Ok(elements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ec::AffineRepr;

    #[test]
    fn infinity_is_zero_zero() {
        let infinity = G1Affine::<Bn128>::from_lem(&[0; 64]).unwrap();
        assert_eq!(g1(&infinity).unwrap(), G1Point::INFINITY);
    }

    #[test]
    fn the_generators_have_the_coordinates_of_eip_197() {
        let one = G1Affine::<Bn128>::generator();
        assert_eq!(g1(&one).unwrap(), G1Point::from_decimal("1", "2").unwrap());
        let expected = G2Point::from_decimal(
            [
                "10857046999023057135944570762232829481370756359578518086990519993285655852781",
                "11559732032986387107991004021392285783925812861821192530917403151452391805634",
            ],
            [
                "8495653923123431417604973247489272438418190587263600148770280649306958101930",
                "4082367875863433681332203403145435568316851327593401208105741076214120093531",
            ],
        );
        assert_eq!(
            g2(&G2Affine::<Bn128>::generator()).unwrap(),
            expected.unwrap()
        );
    }
}
